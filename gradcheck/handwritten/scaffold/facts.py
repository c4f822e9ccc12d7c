"""What the text of a function says about its arguments: defaults, annotations, shapes in docstrings, ranks, keys.

Read from the syntax tree and never run; what follows for the arrays of a case is decided in `shapes.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradcheck.handwritten.scaffold.docstrings import Shape, shapes_in

NO_DEFAULT = object()
COMPUTED = object()  # a default that is no literal


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument. default : its literal value, COMPUTED, or NO_DEFAULT; annotation : its last word, in lower case"""

    name: str
    default: Any = NO_DEFAULT
    annotation: str = ""

    @property
    def is_required(self) -> bool:
        return self.default is NO_DEFAULT


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """What one function, or method without its self, says.

    documented : argument → shape in the docstring; an entry of a shape is an expression, `…` stands for any number
    unpacked : argument → names that its whole shape is unpacked into, None for `_`
    ranks : argument → the least number of axes that its use asks for
    keys : argument → texts it is indexed with, in order, each with its default (NO_DEFAULT where it has none)
    indexes : arguments that other arrays are indexed with
    choices : argument → the texts it is compared with, in order
    words : everything that occurs in it as a name, an attribute or a text
    is_empty : nothing but a docstring, `pass`, `...` or `raise NotImplementedError`
    """

    name: str
    line: int
    parameters: tuple[Parameter, ...] = ()
    documented: dict[str, Shape] = field(default_factory=dict)
    unpacked: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    indexes: frozenset[str] = frozenset()
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    is_empty: bool = False

    def parameter(self, name: str) -> Parameter:
        return next((p for p in self.parameters if p.name == name), Parameter(name))


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """bases : as written, `torch.autograd.Function` included; methods : by name, its own only"""

    name: str
    line: int
    bases: tuple[str, ...]
    methods: dict[str, FunctionFacts]


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file defines at its top level, in order. imports : the packages that it names anywhere"""

    functions: dict[str, FunctionFacts]
    classes: dict[str, ClassFacts]
    imports: frozenset[str] = frozenset()

    def method(self, owner: str, name: str) -> FunctionFacts | None:
        """A method of a class of this file, or of the first of its bases here that has it."""
        waiting, seen = [owner], set[str]()
        while waiting:
            current = self.classes.get(waiting.pop(0))
            if current is None or current.name in seen:
                continue
            if name in current.methods:
                return current.methods[name]
            seen.add(current.name)
            waiting += current.bases
        return None


def read_facts(path: Path) -> FileFacts:
    """The facts of a file.

    Raises OSError where it cannot be read, SyntaxError, ValueError or RecursionError where it is no Python.
    """
    tree = ast.parse(path.read_bytes())
    functions = {n.name: _function(n) for n in tree.body if isinstance(n, ast.FunctionDef)}
    classes = {n.name: _class(n) for n in tree.body if isinstance(n, ast.ClassDef)}
    return FileFacts(functions, classes, frozenset(_imports(tree)))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _class(node: ast.ClassDef) -> ClassFacts:
    about = ast.get_docstring(node) or ""
    methods = {n.name: _function(n, about) for n in node.body if isinstance(n, ast.FunctionDef)}
    return ClassFacts(node.name, node.lineno, tuple(ast.unparse(base) for base in node.bases), methods)


def _function(node: ast.FunctionDef, about: str | None = None) -> FunctionFacts:
    """about : the docstring of its class, or None for a function outside of one"""
    arguments = [*node.args.posonlyargs, *node.args.args]
    defaults: list[ast.expr | None] = [None] * (len(arguments) - len(node.args.defaults)) + [*node.args.defaults]
    parameters = [
        Parameter(a.arg, _literal(default), _annotation(a.annotation))
        for a, default in zip(arguments, defaults, strict=True)
    ]
    is_static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
    if about is not None and not is_static:
        parameters = parameters[1:]
    names = [p.name for p in parameters]
    text = f"{about}\n\n{ast.get_docstring(node) or ''}" if about and node.name == "__init__" else None
    body = _Body(set(names))
    for statement in node.body:
        body.visit(statement)
    kept = [key for keys in body.keys.values() for key in keys]  # `parameters["W"]` is described like an argument
    return FunctionFacts(
        name=node.name,
        line=node.lineno,
        parameters=tuple(parameters),
        documented=shapes_in(text if text is not None else ast.get_docstring(node) or "", [*names, *kept]),
        unpacked=body.unpacked,
        ranks=body.ranks,
        keys=body.keys,
        indexes=frozenset(body.indexes),
        choices={name: tuple(texts) for name, texts in body.choices.items()},
        words=frozenset(body.words),
        is_empty=all(_is_nothing(statement) for statement in node.body),
    )


class _Body(ast.NodeVisitor):
    """Collects what a body does with its arguments."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.unpacked: dict[str, tuple[str | None, ...]] = {}
        self.ranks: dict[str, int] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.indexes: set[str] = set()
        self.choices: dict[str, dict[str, None]] = {}
        self.words: set[str] = set()

    def visit_Assign(self, node: ast.Assign) -> None:
        target, name = node.targets[0], self._shape_of(node.value)
        if name and isinstance(target, ast.Tuple) and all(isinstance(item, ast.Name) for item in target.elts):
            parts = [item.id for item in target.elts if isinstance(item, ast.Name)]
            self.unpacked.setdefault(name, tuple(None if part.startswith("_") else part for part in parts))
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if shaped := self._shape_of(node.value):
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
                self._asks_for(shaped, node.slice.value + 1)
        elif isinstance(node.value, ast.Name) and node.value.id in self.names:
            name, index = node.value.id, node.slice
            if isinstance(index, ast.Constant) and isinstance(index.value, str):
                if isinstance(node.ctx, ast.Load):
                    self.keys.setdefault(name, {}).setdefault(index.value, NO_DEFAULT)
            elif isinstance(index, ast.Tuple):
                has_new_axis = any(isinstance(item, ast.Constant | ast.Attribute) for item in index.elts)
                self._asks_for(name, 0 if has_new_axis else len(index.elts))
        for item in node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]:
            self._indexed_with(item)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in ("get", "setdefault") and node.args:
            owner, key = function.value, node.args[0]
            if isinstance(owner, ast.Name) and owner.id in self.names and isinstance(key, ast.Constant):
                default = _literal(node.args[1]) if len(node.args) > 1 else None
                if isinstance(key.value, str):
                    self.keys.setdefault(owner.id, {}).setdefault(key.value, default)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        self.words.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.words.add(node.attr)
        if node.attr == "T" and isinstance(node.value, ast.Name) and node.value.id in self.names:
            self._asks_for(node.value.id, 2)  # of a vector it is the vector itself
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.words.add(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        # `"seed" in options` says that the key may be missing.
        owner, key = node.comparators[0], node.left
        is_key = isinstance(key, ast.Constant) and isinstance(key.value, str) and isinstance(node.ops[0], ast.In)
        if is_key and isinstance(key, ast.Constant) and isinstance(owner, ast.Name) and owner.id in self.names:
            self.keys.setdefault(owner.id, {})[str(key.value)] = None
        if isinstance(key, ast.Name) and key.id in self.names:  # `mode == "max"`, `mode in ("max", "mean")`
            texts = owner.elts if isinstance(owner, ast.Tuple | ast.List | ast.Set) else [owner]
            for text in texts if isinstance(node.ops[0], ast.Eq | ast.In) else ():
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    self.choices.setdefault(key.id, {})[text.value] = None
        self.generic_visit(node)

    def _shape_of(self, node: ast.expr) -> str:
        """`x` for the expression `x.shape` of an argument, else ""."""
        is_shape = isinstance(node, ast.Attribute) and node.attr == "shape" and isinstance(node.value, ast.Name)
        name = (
            node.value.id if is_shape and isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) else ""
        )
        return name if name in self.names else ""

    def _asks_for(self, name: str, rank: int) -> None:
        self.ranks[name] = max(rank, self.ranks.get(name, 0))

    def _indexed_with(self, index: ast.expr) -> None:
        if isinstance(index, ast.Call) and isinstance(index.func, ast.Attribute) and index.func.attr == "astype":
            index = index.func.value
        if isinstance(index, ast.Name) and index.id in self.names:
            self.indexes.add(index.id)


def _literal(node: ast.expr | None) -> Any:
    if node is None:
        return NO_DEFAULT
    try:
        return ast.literal_eval(node)
    except (ValueError, SyntaxError, TypeError):
        return COMPUTED


def _annotation(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.rpartition(".")[2].lower()
    return "" if node is None else ast.unparse(node).partition("[")[0].rpartition(".")[2].lower()


def _is_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise):
        return any(name == "NotImplementedError" for name in _names(statement))
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _names(node: ast.AST) -> Iterator[str]:
    return (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))

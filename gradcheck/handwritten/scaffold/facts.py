"""What the text of a function says about its arguments: defaults, annotations, shapes in docstrings, ranks, keys.

Read from the syntax tree and never run; what follows for the arrays of a case is decided in `shapes.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradcheck.handwritten.neighbours import MAX_FILES, neighbours, parsed
from gradcheck.handwritten.scaffold.docstrings import Shape, shapes_in
from gradcheck.handwritten.scaffold.rules import rules_of_jax
from gradcheck.handwritten.scaffold.uses import NO_DEFAULT, Body, literal


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
    """What a file defines at its top level, in order.

    imports : the packages that it names anywhere; neighbours : classes of the files beside it that it imports from
    rules : function → the functions that are its derivative rules in jax
    """

    functions: dict[str, FunctionFacts]
    classes: dict[str, ClassFacts]
    imports: frozenset[str] = frozenset()
    neighbours: dict[str, ClassFacts] = field(default_factory=dict)
    rules: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def method(self, owner: str, name: str) -> FunctionFacts | None:
        """A method of a class of this file, or of the first of its bases, here or beside it, that has it."""
        waiting, seen = [owner], set[str]()
        while waiting:
            name_of_class = waiting.pop(0).rpartition(".")[2]
            current = self.classes.get(name_of_class) or self.neighbours.get(name_of_class)
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
    return FileFacts(functions, classes, frozenset(_imports(tree)), _beside(path, tree), rules_of_jax(tree))


def _beside(path: Path, tree: ast.Module) -> dict[str, ClassFacts]:
    """The classes of the files that a file imports from, and of those that these do: the bases of its own."""
    found: dict[str, ClassFacts] = {}
    waiting, seen = [(path, tree)], {path}
    while waiting and len(seen) < MAX_FILES:
        file, module = waiting.pop(0)
        for node in module.body:
            for other in neighbours(file, node) if isinstance(node, ast.ImportFrom) else ():
                inner = parsed(other) if other not in seen else None
                seen.add(other)
                if inner is not None:
                    waiting.append((other, inner))
                    for one in inner.body:
                        if isinstance(one, ast.ClassDef):
                            found.setdefault(one.name, _class(one))
    return found


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
        Parameter(a.arg, literal(default), _annotation(a.annotation))
        for a, default in zip(arguments, defaults, strict=True)
    ]
    is_static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
    if about is not None and not is_static:
        parameters = parameters[1:]
    names = [p.name for p in parameters]
    text = f"{about}\n\n{ast.get_docstring(node) or ''}" if about and node.name == "__init__" else None
    body = Body(set(names))
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

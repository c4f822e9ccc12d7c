"""What a Python file declares, read from its text: functions, their parameters and returns, classes and attributes.

The file is parsed and never run, so a stranger's file is safe to look at; what follows from the outline is decided in
`conventions/`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from gradcheck.handwritten.bodies import GRADS, dicts_in, gradient_in, indexed_in, keys_of, own_nodes, variables_in
from gradcheck.handwritten.neighbours import MAX_FILES, dotted, imported, neighbours, parsed


@dataclass(frozen=True, slots=True)
class FunctionOutline:
    """parameters : names in order, without self; required : how many of them have no default

    returns : names of the values of the last `return` (None for what is no name); None where nothing is returned, or
        where the number of values cannot be read from the text
    is_static : a staticmethod of a class
    decorators : what stands above it, under the names that were imported: jax.custom_vjp
    unread : parameters that its body makes no use of
    inner : for each of the values in `returns` the names within it, where it is a list or a tuple
    dicts : those in `returns` that are dicts made in its body → the texts that something is kept under
    keys : parameter → the texts it is indexed with, in order
    """

    name: str
    parameters: tuple[str, ...] = ()
    required: int = 0
    returns: tuple[str | None, ...] | None = None
    gives_value: bool = False
    is_static: bool = False
    decorators: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    inner: tuple[tuple[str | None, ...], ...] = ()
    dicts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})"


@dataclass(frozen=True, slots=True)
class ClassOutline:
    """methods : by name, those of its bases included; attributes : what it sets on `self`, in order, and its properties

    lists : attribute → names in the list it was set to; keys : attribute → texts it is indexed with
    set_by : method → the attributes it sets; graded : attributes X of which it sets `self.X.grad`
    bases : under the names that were imported: torch.nn.Module
    """

    name: str
    methods: dict[str, FunctionOutline] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    set_by: dict[str, tuple[str, ...]] = field(default_factory=dict)
    graded: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()

    @property
    def constructor(self) -> FunctionOutline:
        return replace(self.methods.get("__init__", FunctionOutline("__init__")), name=self.name)


@dataclass(frozen=True, slots=True)
class Outline:
    """variables : the names that the file itself gives values to at its top level"""

    functions: dict[str, FunctionOutline]
    classes: dict[str, ClassOutline]
    variables: tuple[str, ...] = ()


def read_outline(path: Path) -> Outline:
    """The outline of a file and of what it imports from its neighbours; of a file that cannot be read, an empty one."""
    functions: dict[str, FunctionOutline] = {}
    classes: dict[str, ClassOutline] = {}
    waiting = [path]
    seen: set[Path] = set()
    while waiting and len(seen) < MAX_FILES:
        file = waiting.pop(0)
        if file in seen:
            continue
        seen.add(file)
        tree = parsed(file)
        known = imported(tree)
        for node in tree.body if tree is not None else ():
            if isinstance(node, ast.FunctionDef):
                above = tuple(dotted(d, known) for d in node.decorator_list)
                functions.setdefault(node.name, replace(_function(node, in_class=False), decorators=above))
            elif isinstance(node, ast.ClassDef):
                above = tuple(dotted(base, known) for base in node.bases)
                classes.setdefault(node.name, replace(_class(node), bases=above))
            elif isinstance(node, ast.ImportFrom):
                waiting += neighbours(file, node)
    bases = {node.name: node for file in seen for node in _class_nodes(file)}
    merged = {name: _with_bases(name, classes, bases) for name in classes}
    return Outline(functions, merged, variables_in(parsed(path)))


def global_names(path: Path) -> frozenset[str]:
    """Names that functions of a file declare global: they may stand at its top level only once those have run."""
    tree = parsed(path)
    nodes = ast.walk(tree) if tree is not None else ()
    return frozenset(name for node in nodes if isinstance(node, ast.Global) for name in node.names)


def variables_of(path: Path) -> tuple[str, ...]:
    """The names that a file gives values to at its top level, its parameters perhaps among them."""
    return variables_in(parsed(path))


def _class_nodes(file: Path) -> list[ast.ClassDef]:
    tree = parsed(file)
    return [node for node in tree.body if isinstance(node, ast.ClassDef)] if tree is not None else []


def _function(node: ast.FunctionDef, in_class: bool) -> FunctionOutline:
    decorators = {d.id for d in node.decorator_list if isinstance(d, ast.Name)}
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
    required = len(names) - len(node.args.defaults)
    if in_class and "staticmethod" not in decorators:
        names, required = names[1:], max(0, required - 1)
    returned = [n for n in own_nodes(node) if isinstance(n, ast.Return) and n.value is not None]
    returned = [r for r in returned if not (isinstance(r.value, ast.Constant) and r.value.value is None)]
    values = _returned_values(returned[-1], node) if returned else None
    returns = None if values is None else tuple(_name(v) or gradient_in(v) for v in values)
    inner = tuple(tuple(map(_name, v.elts)) if isinstance(v, ast.Tuple | ast.List) else () for v in values or ())
    is_static = "staticmethod" in decorators
    read = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    unread = tuple(name for name in names if name not in read)
    made = dicts_in(node)
    for keys in filter(None, map(keys_of, values or ())):
        made.setdefault(GRADS, keys)
    return FunctionOutline(
        node.name, tuple(names), required, returns, bool(returned), is_static, (), unread, inner,
        dicts={name: made[name] for name in returns or () if name in made},
        keys={name: keys for name, keys in indexed_in(node).items() if name in names},
    )  # fmt: skip


def _returned_values(statement: ast.Return, function: ast.FunctionDef) -> list[ast.expr] | None:
    """The values of a `return`; None where their number cannot be read from the text."""
    value = statement.value
    if isinstance(value, ast.Name):  # `result = (out, cache); return result`
        assigned = [node for node in own_nodes(function) if isinstance(node, ast.Assign)]
        packed = [a.value for a in assigned if isinstance(a.value, ast.Tuple) and value.id in map(_name, a.targets)]
        value = packed[-1] if packed else value
    if isinstance(value, ast.Tuple | ast.List):
        return value.elts
    return None if value is None or isinstance(value, ast.Call) else [value]


def _name(node: ast.expr | None) -> str | None:
    return node.id if isinstance(node, ast.Name) and not node.id.startswith("_") else None


def _class(node: ast.ClassDef) -> ClassOutline:
    methods: dict[str, FunctionOutline] = {}
    set_by: dict[str, tuple[str, ...]] = {}
    lists: dict[str, tuple[str, ...]] = {}
    keys: dict[str, tuple[str, ...]] = {}
    graded: list[str] = []
    for method in node.body:
        if not isinstance(method, ast.FunctionDef):
            continue
        attributes: dict[str, None] = {}
        if _is_property(method):  # read without brackets, `layer.params`: it is an attribute to everybody else
            attributes[method.name] = None
            texts = [key.value for inner in own_nodes(method) for key in _keys(inner)]
            keys[method.name] = tuple(dict.fromkeys(text for text in texts if isinstance(text, str)))
        else:
            methods[method.name] = _function(method, in_class=True)
        for inner in own_nodes(method):
            if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and _is_self(inner.value):
                attributes[inner.attr] = None
            if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and inner.attr == "grad":
                graded += [_attribute(inner.value)] if _attribute(inner.value) else []
            if isinstance(inner, ast.Assign | ast.AnnAssign):
                for attribute, value in _pairs(inner):
                    if isinstance(value, ast.List | ast.Tuple):
                        names = tuple(_name(v) or _attribute(v) or "" for v in value.elts)
                        lists[attribute] = lists.get(attribute, names)
                    if isinstance(value, ast.Dict):
                        texts = [k.value for k in value.keys if isinstance(k, ast.Constant)]
                        keys[attribute] = (*keys.get(attribute, ()), *(t for t in texts if isinstance(t, str)))
            if isinstance(inner, ast.Subscript) and isinstance(inner.slice, ast.Constant):
                attribute_name, key = _attribute(inner.value), inner.slice.value
                if attribute_name and isinstance(key, str):
                    keys[attribute_name] = (*keys.get(attribute_name, ()), key)
        set_by[method.name] = tuple(attributes)
    attributes_in_order = tuple(dict.fromkeys(a for names in set_by.values() for a in names))
    return ClassOutline(node.name, methods, attributes_in_order, lists, keys, set_by, tuple(dict.fromkeys(graded)))


def _is_property(method: ast.FunctionDef) -> bool:
    """Whether a method is read like an attribute."""
    decorators = (dotted(decorator, {}).rpartition(".")[2] for decorator in method.decorator_list)
    return any(word in ("property", "cached_property", "abstractproperty") for word in decorators)


def _keys(node: ast.AST) -> Iterator[ast.Constant]:
    """The literal keys of a dict that is written out, `{"W": w}`, and those that are set one by one, `d["b"] = b`."""
    found = node.keys if isinstance(node, ast.Dict) else []
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        found = [node.slice]
    yield from (key for key in found if isinstance(key, ast.Constant))


def _pairs(node: ast.Assign | ast.AnnAssign) -> Iterator[tuple[str, ast.expr]]:
    """(attribute, value) of `self.a = value`, of `self.a: list = value` and of `self.a, self.b = value, value`."""
    if node.value is None:
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            if len(target.elts) == len(node.value.elts):
                for item, value in zip(target.elts, node.value.elts, strict=True):
                    if _attribute(item):
                        yield _attribute(item), value
        elif _attribute(target):
            yield _attribute(target), node.value


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _attribute(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) and _is_self(node.value) else ""


def _with_bases(name: str, classes: dict[str, ClassOutline], nodes: dict[str, ast.ClassDef]) -> ClassOutline:
    """The class with what it inherits from classes that are known."""
    line, waiting = [name], [name]
    while waiting:
        node = nodes.get(waiting.pop(0))
        for base in node.bases if node is not None else ():
            if isinstance(base, ast.Name) and base.id in classes and base.id not in line:
                line.append(base.id)
                waiting.append(base.id)
    merged = classes[name]
    for base_name in line[1:]:
        base_class = classes[base_name]
        merged = replace(
            merged,
            methods={**base_class.methods, **merged.methods},
            attributes=tuple(dict.fromkeys((*merged.attributes, *base_class.attributes))),
            lists={**base_class.lists, **merged.lists},
            keys={**base_class.keys, **merged.keys},
            set_by={**base_class.set_by, **merged.set_by},
            graded=tuple(dict.fromkeys((*merged.graded, *base_class.graded))),
            bases=(*merged.bases, *base_class.bases),
        )
    return merged

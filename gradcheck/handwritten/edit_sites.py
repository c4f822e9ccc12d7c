"""The places in a Python function where an edit may be made, and what the function has at hand there.

Syntax trees only; which edits are made is said in `edits.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradcheck.record import dataclass

SHAPED = frozenset(("zeros", "ones", "empty", "full", "arange", "eye", "linspace", "reshape", "repeat", "tile", "pad",
                    "range", "split"))  # fmt: skip  # their arguments are sizes: a product there costs memory or time
METHODS = ("sum", "mean", "reshape", "ravel", "transpose", "dot", "T")  # of an array: what stands before is one


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A place in the tree: a field of a node, or one item of a list in it.

    root : the largest expression around it whose value has a name: that of the statement, or a part of its tuple
    in_slice, in_size : whether it stands in an index or a slice; among the arguments of what makes or shapes an array
    """

    node: ast.expr
    parent: ast.AST
    field: str
    index: int | None
    statement: ast.stmt
    root: ast.expr
    in_slice: bool
    in_size: bool

    def put(self, new: ast.expr) -> None:
        if self.index is None:
            setattr(self.parent, self.field, new)
        else:
            getattr(self.parent, self.field)[self.index] = new


def sites_of(function: ast.FunctionDef) -> Iterator[Site]:
    """Every expression that is read, with the statement it belongs to, in source order."""

    def below(
        node: ast.AST, statement: ast.stmt, root: ast.expr | None = None, in_slice: bool = False, in_size: bool = False
    ) -> Iterator[Site]:
        in_slice |= isinstance(node, ast.Slice) or (isinstance(node, ast.Call) and called(node) == "slice")
        in_size |= isinstance(node, ast.Call) and called(node) in SHAPED
        for name, value in ast.iter_fields(node):
            for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
                if isinstance(child, ast.stmt):
                    yield from below(child, child)
                elif isinstance(child, ast.expr):
                    is_inside = root is not None and not isinstance(root, ast.Tuple)
                    own = root if is_inside and root is not None else child
                    if not isinstance(getattr(child, "ctx", None), ast.Store):
                        in_index = in_slice or (isinstance(node, ast.Subscript) and name == "slice")
                        yield Site(child, node, name, index, statement, own, in_index, in_size and name != "func")
                    in_index = isinstance(node, ast.Subscript) and name == "slice"
                    yield from below(child, statement, own, in_slice or in_index, in_size and name != "func")
                elif isinstance(child, ast.keyword):
                    yield from below(child, statement, root, in_slice, in_size)

    for statement in function.body:
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            yield from below(statement, statement)


def atoms_of(function: ast.FunctionDef) -> list[str]:
    """What the function has at hand: its arguments, its variables, attributes of self, entries of dicts."""
    found: dict[str, None] = {argument.arg: None for argument in function.args.args if argument.arg != "self"}
    stored = [n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    found.update(dict.fromkeys(stored))
    for node in ast.walk(function):
        is_own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
        is_entry = (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, str)
        )
        if is_own or is_entry:
            found[ast.unparse(node)] = None
    return list(found)


def loaded(function: ast.FunctionDef) -> set[str]:
    return {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def is_whole(site: Site) -> bool:
    """Whether the expression is no factor of a larger product: a factor to it is one to the product as well."""
    parent = site.parent
    if site.in_size:
        return False
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult | ast.Div | ast.Pow):
        return False
    if isinstance(parent, ast.Attribute | ast.Subscript | ast.keyword | ast.Slice | ast.Compare):
        is_array = isinstance(site.node, ast.Name) and getattr(parent, "attr", "") in METHODS
        return isinstance(parent, ast.Attribute) and (is_array or isinstance(site.node, ast.BinOp))
    if isinstance(parent, ast.Call) and (site.field == "func" or called(parent) in ("len", "enumerate", "zip")):
        return False
    kinds = ast.BinOp | ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.UnaryOp
    return isinstance(site.node, kinds)


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")

"""What the body of a function does with its arguments: unpacks their shapes, asks for keys, indexes with them.

Read from the syntax tree and never run; what follows for the arrays of a case is decided in `shapes.py`.
"""

from __future__ import annotations

import ast
from typing import Any

NO_DEFAULT = object()
COMPUTED = object()  # a default that is no literal


class Body(ast.NodeVisitor):
    """Collects what a body does with its arguments."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.unpacked: dict[str, tuple[str | None, ...]] = {}
        self.ranks: dict[str, int] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.indexes: set[str] = set()
        self.choices: dict[str, dict[str, None]] = {}
        self.words: set[str] = set()

    def visit_If(self, node: ast.If) -> None:
        """`if x.ndim != 2: N, C, H, W = x.shape` is about one kind of `x`, and not the likeliest."""
        asked = {
            inner.value.id
            for inner in ast.walk(node.test)
            if isinstance(inner, ast.Attribute)
            and isinstance(inner.value, ast.Name)
            and inner.attr in ("ndim", "shape")
        }
        self.visit(node.test)
        left, self.names = self.names, self.names - asked
        for statement in node.body:
            self.visit(statement)
        self.names = left
        for statement in node.orelse:
            self.visit(statement)

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
                default = literal(node.args[1]) if len(node.args) > 1 else None
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


def literal(node: ast.expr | None) -> Any:
    if node is None:
        return NO_DEFAULT
    try:
        return ast.literal_eval(node)
    except (ValueError, SyntaxError, TypeError):
        return COMPUTED

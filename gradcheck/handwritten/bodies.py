"""What the body of a function does with dicts: which of its names are some, and what is kept in them.

Read from the syntax tree and never run; what a dict is for is decided in `conventions/`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Everything below a function in the order of the text, without the functions inside it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield from own_nodes(child)


def dicts_in(function: ast.FunctionDef) -> dict[str, tuple[str, ...]]:
    """Name → the texts under which something is put there, for names that are given a dict: `{…}` or `dict(…)`."""
    found: dict[str, tuple[str, ...]] = {}
    for node in own_nodes(function):
        if isinstance(node, ast.Assign) and (keys := keys_of(node.value)) is not None:
            found.update({target.id: keys for target in node.targets if isinstance(target, ast.Name)})
    kept = indexed_in(function)
    return {name: tuple(dict.fromkeys((*keys, *kept.get(name, ())))) for name, keys in found.items()}


def indexed_in(function: ast.FunctionDef) -> dict[str, tuple[str, ...]]:
    """Name → the texts it is indexed with, `params["W1"]`, each once and in order."""
    found: dict[str, dict[str, None]] = {}
    for node in own_nodes(function):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            key = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if isinstance(key, str):
                found.setdefault(node.value.id, {})[key] = None
    return {name: tuple(keys) for name, keys in found.items()}


def keys_of(value: ast.expr) -> tuple[str, ...] | None:
    """The texts that an expression makes a dict with; None for what makes no dict."""
    match value:
        case ast.Dict(keys=keys):
            texts = [key.value for key in keys if isinstance(key, ast.Constant)]
            return tuple(text for text in texts if isinstance(text, str))
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
            return tuple(keyword.arg for keyword in keywords if keyword.arg)
        case ast.DictComp():
            return ()
    return None

"""What the body of a function does with dicts: which of its names are some, and what is kept in them.

Read from the syntax tree and never run; what a dict is for is decided in `conventions/`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

GRADS = "grads"  # what a returned dict of gradients is called that has no name of its own


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Everything below a function in the order of the text, without the functions inside it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield from own_nodes(child)


def variables_in(module: ast.Module | None) -> tuple[str, ...]:
    """The names that a file gives values to at its top level, in order, within a `with`, an `if` or a `try` as well."""
    found: dict[str, None] = {}
    waiting: list[ast.AST] = list(module.body) if module is not None else []
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                found.update({inner.id: None for inner in ast.walk(target) if isinstance(inner, ast.Name)})
        elif isinstance(node, ast.With | ast.If | ast.Try | ast.ExceptHandler):
            waiting += ast.iter_child_nodes(node)
    return tuple(found)


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


def gradient_in(value: ast.expr) -> str | None:
    """`dw` for `dw / m + reg * w` and `dw.reshape(w.shape)`, a gradient that gets its last touch as it is returned.

    A dict of nothing but gradients, which has no name of its own, is GRADS; what else is no name is None.
    """
    keys = keys_of(value)
    if keys:
        return GRADS if all(map(_is_gradient, keys)) else None
    inner = value
    while not isinstance(inner, ast.Name):
        match inner:
            case ast.BinOp(left=left, op=ast.Mult() | ast.Div() | ast.Add() | ast.Sub()):
                inner = left
            case ast.Call(func=ast.Attribute(value=owner)) | ast.Attribute(value=owner, attr="T"):
                inner = owner
            case _:
                return None
    return inner.id if inner is not value and _is_gradient(inner.id) else None


def _is_gradient(name: str) -> bool:
    return name.lower().startswith(("d", "grad"))


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

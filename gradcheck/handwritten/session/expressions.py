"""Expressions of a plan → closures that give their value, with a `missing` where a name, attribute or key is not there.

Closures are several times faster than walking the tree, and forward is evaluated thousands of times. Which expressions
may be written at all was decided when the plan was made.
"""

from __future__ import annotations

import operator
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .errors import LackError, suggestion

Names = dict[str, Any]
NUMPY_MODULES = ("linalg", "random", "fft")
FILES = (
    "load", "loadtxt", "genfromtxt", "fromfile", "fromregex", "memmap", "save", "savetxt", "savez", "savez_compressed",
    "DataSource", "show_config", "info",
)  # fmt: skip
Node = list[Any]  # ["name", "x"], ["attribute", base, "dW"], …
Evaluate = Callable[[Names], Any]

MAX_POWER = 1000  # `9**9**9` between plain integers would not end


class Context:
    """A stand-in for the `ctx` of an autograd Function: a place to save arrays between forward and backward."""

    def __init__(self) -> None:
        self.saved_tensors: tuple[Any, ...] = ()
        self.needs_input_grad = (True,) * 64

    def save_for_backward(self, *values: Any) -> None:
        self.saved_tensors = values


BUILTINS: dict[str, Any] = {
    "dict": dict, "list": list, "tuple": tuple, "len": len, "range": range, "float": float, "int": int, "bool": bool,
    "abs": abs, "sum": sum, "min": min, "max": max, "np": np, "context": Context,
}  # fmt: skip


def compile_expression(node: Node, module: Mapping[str, Any]) -> Evaluate:
    """A node of a plan → a function of the names that have a value by then; module names are looked up when it runs."""

    def below(inner: Node) -> Evaluate:
        return compile_expression(inner, module)

    match node:
        case ["value", value]:
            return lambda names: value
        case ["name", name]:
            return _name(name, module)
        case ["before", index]:
            return lambda names: names["before()"][index]
        case ["attribute", base, name]:
            return _attribute(below(base), name)
        case ["item", base, index]:
            return _item(below(base), below(index))
        case ["slice", *parts]:
            start, stop, step = (None if part is None else below(part) for part in parts)
            return lambda names: slice(start and start(names), stop and stop(names), step and step(names))
        case ["call", function, arguments, keywords]:
            return _call(below(function), [below(a) for a in arguments], {key: below(v) for _, key, v in keywords})
        case ["unary", sign, operand]:
            value = below(operand)
            return (lambda names: -value(names)) if sign == "-" else (lambda names: +value(names))
        case ["binary", sign, left, right]:
            f, a, b = OPERATIONS[sign], below(left), below(right)
            return lambda names: f(a(names), b(names))
        case ["tuple" | "list" as kind, items]:
            make, parts = (tuple if kind == "tuple" else list), [below(item) for item in items]
            return lambda names: make(part(names) for part in parts)
        case ["dict", pairs]:
            compiled = [(below(key), below(value)) for key, value in pairs]
            return lambda names: {key(names): value(names) for key, value in compiled}
    raise ValueError(f"not a node of a plan: {node!r}")


def _power(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and abs(b) > MAX_POWER:
        raise LackError(f"the power {b} is larger than {MAX_POWER}", "write a decimal number", kind="invalid")
    return a**b


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": _power, "@": operator.matmul, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def _name(name: str, module: Mapping[str, Any]) -> Evaluate:
    def look_up(names: Names) -> Any:
        if name in names:
            return names[name]
        if name in module:
            return module[name]
        if name in BUILTINS:
            return BUILTINS[name]
        raise LackError(f"the code has no '{name}'", suggestion(name, [*names, *module]))

    return look_up


def _attribute(base: Evaluate, name: str) -> Evaluate:
    def read(names: Names) -> Any:
        holder = base(names)
        if isinstance(holder, types.ModuleType) and not _is_open(holder, name):
            hint = "call it from the code file, where it is read as code"
            raise LackError(f"a statement may not use '{holder.__name__}.{name}'", hint, kind="invalid")
        try:
            return getattr(holder, name)
        except AttributeError as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
                raise  # from inside a property of theirs
            raise LackError(f"'{type(holder).__name__}' has no '{name}'", suggestion(name, _parts(holder))) from None

    return read


def _is_open(module: types.ModuleType, name: str) -> bool:
    """Whether a statement may take a name out of a module: of numpy what computes, of the code's own modules all.

    A case file calls the code it names and nothing else: not the system, not files, not what the code imported.
    """
    top = module.__name__.partition(".")[0]
    if top != "numpy":
        return top not in sys.stdlib_module_names
    return name in NUMPY_MODULES or not (name in FILES or isinstance(getattr(module, name, None), types.ModuleType))


def _parts(holder: Any) -> list[str]:
    return sorted(vars(holder)) if hasattr(holder, "__dict__") else [n for n in dir(holder) if not n.startswith("_")]


def _item(base: Evaluate, index: Evaluate) -> Evaluate:
    def read(names: Names) -> Any:
        holder, key = base(names), index(names)
        if isinstance(holder, dict) and key not in holder:
            known = sorted(map(repr, holder))
            raise LackError(f"there is no {key!r} among {known}", suggestion(str(key), map(str, holder)))
        return holder[key]

    return read


def _call(function: Evaluate, arguments: list[Evaluate], keywords: dict[str, Evaluate]) -> Evaluate:
    if not keywords:
        return lambda names: function(names)(*[argument(names) for argument in arguments])
    return lambda names: function(names)(
        *[argument(names) for argument in arguments], **{key: value(names) for key, value in keywords.items()}
    )

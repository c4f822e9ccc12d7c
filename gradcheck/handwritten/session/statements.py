"""Statements of a plan → closures that evaluate the value and put it where the target says, unpacking on the way.

How many values a target expects and what came instead is said here; the value itself is `expressions.py`'s.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from .errors import LackError, is_unfinished
from .expressions import Evaluate, Names, Node, compile_expression

Store = Callable[[Names, Any], None]


def compile_statement(line: Mapping[str, Any], module: Mapping[str, Any]) -> Evaluate:
    """One line of a plan (target or None, value, the text of what is called) → a function that runs it on the names."""
    value, target = compile_expression(line["value"], module), line["target"]
    if target is None:
        return value
    store = _store(target, module, line["called"])
    if target[0] != "name" or line["value"][0] != "call":
        return lambda names: store(names, value(names))

    def run(names: Names) -> None:
        result = value(names)
        # The rule of one: a single name takes the element of a tuple or list of one that a call returns.
        if type(result) in (tuple, list) and len(result) == 1:
            result = result[0]
        store(names, result)

    return run


def assigned(target: Node | None) -> list[str]:
    """Names set by the target of a statement."""
    if target is None:
        return []
    if target[0] == "name":
        return [] if target[1] == "_" else [target[1]]
    return [name for item in target[1] for name in assigned(item)] if target[0] in ("tuple", "list") else []


def _store(target: Node, module: Mapping[str, Any], called: str) -> Store:
    match target:
        case ["name", "_"]:
            return lambda names, value: None
        case ["name", name]:
            return lambda names, value: operator.setitem(names, name, value)
        case ["attribute", base, name]:
            holder = compile_expression(base, module)
            return lambda names, value: setattr(holder(names), name, value)
        case ["item", base, index]:
            holder, key = compile_expression(base, module), compile_expression(index, module)
            return lambda names, value: operator.setitem(holder(names), key(names), value)
    return _unpack(target[1], module, called)


def _unpack(targets: list[Node], module: Mapping[str, Any], called: str) -> Store:
    stores = [_store(item, module, called) for item in targets]
    words = ", ".join(item[1] if item[0] == "name" else "…" for item in targets)

    def unpack(names: Names, value: Any) -> None:
        if is_unfinished(value):
            raise LackError(f"{called} returned {value}, expected {len(stores)} values: {words}", kind="unfinished")
        if isinstance(value, Mapping | str) or not hasattr(value, "__iter__"):
            what = type(value).__name__
            raise LackError(f"{called} returned one {what}, expected {len(stores)} values: {words}", kind="invalid")
        values = list(value if hasattr(value, "__len__") else islice(value, len(stores) + 1))  # one may never end
        if len(values) != len(stores):
            returned = f"{len(values)} value" + ("" if len(values) == 1 else "s")
            kind = "missing" if len(values) < len(stores) else "invalid"
            raise LackError(f"{called} returned {returned}, expected {len(stores)}: {words}", kind=kind)
        for store, part in zip(stores, values, strict=True):
            store(names, part)

    return unpack

"""Matching what a call gives with what an op or a composed function takes.

Only the matching, and the errors about it; what the arguments are worth was said before, what they do comes after.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.errors import NotationError, did_you_mean
from gradcheck.graph.composed import Composed
from gradcheck.location import Span
from gradcheck.ops.registry import REQUIRED, Op
from gradcheck.record import dataclass

Placed = tuple[Any, Span]  # what was given, and where it stands
Complain = Callable[[str, str, Span], NotationError]  # message, hint, span → error to raise


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of a call: by position, by name, and the place of the whole."""

    positional: tuple[Placed, ...]
    named: tuple[tuple[str, Any, Span], ...]
    span: Span


def bind(op: Op, given: Given, complain: Complain) -> tuple[list[Placed], dict[str, Any]]:
    """The array arguments in their order, and the options, defaults filled in.

    complain : makes the error to raise
    """
    count = len(op.arguments)
    write = f"write {op.signature}"
    found: dict[str, Placed] = dict(zip(op.arguments, given.positional, strict=False))
    options: dict[str, Any] = {}
    rest = given.positional[count:]
    if op.collects and rest:
        options[op.collects] = tuple(item for item, _ in rest)
    elif len(rest) > len(op.options):
        message = f"'{op.name}' takes at most {arguments_in_words(count + len(op.options))}, got {count + len(rest)}"
        raise complain(message, write, given.span)
    else:
        options.update(zip(op.options, (item for item, _ in rest), strict=False))
    for name, item, span in given.named:
        if name in found or name in options:
            raise complain(f"'{name}' of '{op.name}' is given twice", write, span)
        if name in op.arguments:
            found[name] = (item, span)
        elif name in op.options:
            options[name] = item
        else:
            hint = did_you_mean(name, (*op.arguments, *op.options), write)
            raise complain(f"'{op.name}' has no option '{name}'", hint, span)
    missing = [name for name in op.arguments if name not in found]
    missing += [name for name, default in op.options.items() if default is REQUIRED and name not in options]
    if missing:
        raise complain(f"'{op.name}' needs {_words(missing)}", write, given.span)
    arguments = [found[name] for name in op.arguments]
    if op.variadic:
        listed, span = arguments.pop()
        if not isinstance(listed, tuple):
            raise complain(f"'{op.name}' takes a list of arrays", f"write {op.name}([a, b])", span)
        arguments += [(item, span) for item in listed]
    return arguments, {**op.options, **options}


def bind_composed(composed: Composed, given: Given, complain: Complain) -> dict[str, Placed]:
    """The arguments by parameter name, in the order of the parameters."""
    write = f"write {composed.signature}"
    if len(given.positional) > len(composed.parameters):
        takes = arguments_in_words(len(composed.parameters))
        message = f"'{composed.name}' takes {takes}, got {len(given.positional)}"
        raise complain(message, write, given.span)
    found: dict[str, Placed] = dict(zip(composed.parameters, given.positional, strict=False))
    for name, item, span in given.named:
        if name not in composed.parameters:
            hint = did_you_mean(name, composed.parameters, write)
            raise complain(f"'{composed.name}' has no argument '{name}'", hint, span)
        if name in found:
            raise complain(f"'{name}' of '{composed.name}' is given twice", write, span)
        found[name] = (item, span)
    missing = [name for name in composed.parameters if name not in found]
    if missing:
        raise complain(f"'{composed.name}' needs {_words(missing)}", write, given.span)
    return {name: found[name] for name in composed.parameters}


def arguments_in_words(count: int) -> str:
    """ "no arguments", "1 argument", "2 arguments"."""
    return f"{count or 'no'} argument{'' if count == 1 else 's'}"


def _words(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"

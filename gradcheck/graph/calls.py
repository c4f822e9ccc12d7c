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

# What other libraries call an option, and how it is called here: numpy's name.
_FOREIGN = {"dim": "axis", "dims": "axes", "keepdim": "keepdims", "correction": "ddof", "p": "ord"}


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
    write = f"write {op.signature}"
    found = _by_position(op, given, complain)
    for name, item, span in given.named:
        if name in found:
            raise complain(f"'{name}' of '{op.name}' is given twice", write, span)
        if name not in op.places:
            meant = _FOREIGN.get(name, "")
            hint = f"here it is called '{meant}'" if meant in op.places else did_you_mean(name, op.places, write)
            raise complain(f"'{op.name}' has no option '{name}'", hint, span)
        found[name] = (item, span)
    missing = [name for name in op.places if name not in found and op.options.get(name, REQUIRED) is REQUIRED]
    if missing:
        raise complain(f"'{op.name}' needs {_words(missing)}", write, given.span)
    arguments = [found[name] for name in op.arguments]
    if op.variadic:
        listed, span = arguments.pop()
        if not isinstance(listed, tuple):
            raise complain(f"'{op.name}' takes a list of arrays", f"write {op.name}([a, b])", span)
        one_by_one = given.positional[op.places.index(op.collects) :] if op.collects in op.arguments else ()
        arguments += one_by_one or [(item, span) for item in listed]
    return arguments, {name: found[name][0] if name in found else default for name, default in op.options.items()}


def _by_position(op: Op, given: Given, complain: Complain) -> dict[str, Placed]:
    """What was given without a name, by the name it takes; what is collected, as one tuple."""
    if not op.collects and len(given.positional) > len(op.places):
        takes = arguments_in_words(len(op.places))
        message = f"'{op.name}' takes at most {takes}, got {len(given.positional)}"
        raise complain(message, f"write {op.signature}", given.span)
    found: dict[str, Placed] = dict(zip(op.places, given.positional, strict=False))
    if op.collects in found:
        rest = given.positional[op.places.index(op.collects) :]
        found[op.collects] = (tuple(item for item, _ in rest), rest[0][1])
    return found


def bind_composed(
    composed: Composed, given: Given, complain: Complain, supplied: tuple[str, ...] = ()
) -> tuple[dict[str, Placed], dict[str, Any]]:
    """The arrays by name, those that were given, and the options, checked and with their defaults.

    supplied : names of the arrays that come from elsewhere
    """
    places = tuple(name for name in composed.places if name not in supplied)
    write = f"write {composed.signature_without(supplied)}"
    if len(given.positional) > len(places):
        at_most = "at most " if composed.optional or composed.options else ""
        message = f"'{composed.name}' takes {at_most}{arguments_in_words(len(places))}, got {len(given.positional)}"
        raise complain(message, write, given.span)
    found: dict[str, Placed] = dict(zip(places, given.positional, strict=False))
    for name, item, span in given.named:
        if name not in places:
            message = f"'{composed.name}' has no {'option' if composed.options else 'argument'} '{name}'"
            raise complain(message, did_you_mean(name, places, write), span)
        if name in found:
            raise complain(f"'{name}' of '{composed.name}' is given twice", write, span)
        found[name] = (item, span)
    missing = [name for name in places if name not in found and composed.default(name) is REQUIRED]
    if missing:
        raise complain(f"'{composed.name}' needs {_words(missing)}", write, given.span)
    options = {name: option.default for name, option in composed.options.items()}
    for name, option in composed.options.items():
        if name in found:
            options[name], span = found.pop(name)
            if not option.allows(options[name]):
                message = f"expected {option.expected} as '{name}', got {_shown(options[name])}"
                raise complain(message, option.advice(name, options[name], write), span)
    given_none = {name for name in composed.optional if name in found and found[name][0] is None}
    return {name: found[name] for name in places if name in found and name not in given_none}, options


def _shown(item: Any) -> str:
    """A plain value as it is written; everything else is an array."""
    return repr(item) if item is None or isinstance(item, int | float | str) else "an array"


def arguments_in_words(count: int) -> str:
    """ "no arguments", "1 argument", "2 arguments"."""
    return f"{count or 'no'} argument{'' if count == 1 else 's'}"


def _words(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"

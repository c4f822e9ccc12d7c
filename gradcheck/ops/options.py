"""Options that are numbers or words, as people write them: checked, or refused with what was seen.

Axes have a reader of their own (`axes`). All return options for the forward and raise ShapeError whose message goes on
from the op's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from numpy.typing import NDArray

from gradcheck.errors import ShapeError, did_you_mean

Options = Mapping[str, Any]


def number(name: str, value: Any, example: float) -> float:
    """A finite plain number. `example` is what the hint offers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ShapeError(f"expected a number as {name}, got {value!r}", f"write {name}={example:g}")
    if not isfinite(value):
        raise ShapeError(f"expected a finite number as {name}, got {value}", f"write {name}={example:g}")
    return float(value)


def numbers(options: Options, **examples: float) -> Options:
    """Options that are plain numbers, each with an example for the hint."""
    return {name: number(name, options[name], example) for name, example in examples.items()}


def interval(options: Options, x: NDArray[Any]) -> Options:
    """`low` and `high` with low < high; None leaves a side open, but not both."""
    sides = {
        name: None if options[name] is None else number(name, options[name], example)
        for name, example in (("low", -1.0), ("high", 1.0))
    }
    low, high = sides["low"], sides["high"]
    if low is None and high is None:
        raise ShapeError("has neither low nor high", "write low=0, or high=1, or both")
    if low is not None and high is not None and low >= high:
        raise ShapeError(f"expected low < high, got low={low:g} and high={high:g}", "the smaller number comes first")
    return {"low": float("-inf") if low is None else low, "high": float("inf") if high is None else high}


def choice(name: str, value: Any, allowed: Sequence[str]) -> str:
    """One of a few words."""
    if isinstance(value, str) and value in allowed:
        return value
    words = " or ".join(f"'{word}'" for word in allowed)
    hint = did_you_mean(value, allowed) if isinstance(value, str) else ""
    raise ShapeError(f"expected {name} to be {words}, got {value!r}", hint or f'write {name}="{allowed[0]}"')

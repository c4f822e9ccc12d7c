"""Arithmetic on the plain numbers of a text: lengths, axes, literals – bounded, so that no text can make it run long.

Arrays are ops' business. Whole numbers stay whole up to 2⁵³; beyond, and for divisions and roots, float64 takes over.
"""

from __future__ import annotations

import math

import numpy as np

Number = int | float
EXACT = 2**53  # above it a float64 no longer tells neighbouring whole numbers apart


def is_number(value: object) -> bool:
    """Whether it is a plain number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def bounded(value: Number) -> Number:
    """The number itself, as a float if it is a very large whole one."""
    return float(value) if isinstance(value, int) and abs(value) > EXACT else value


def combine(operator: str, left: Number, right: Number) -> Number | None:
    """`left operator right` for + - * / // % **; None for another operator. May be inf or nan, never raises."""
    a, b = bounded(left), bounded(right)
    whole = isinstance(a, int) and isinstance(b, int)
    if operator in ("//", "%") and b == 0:
        return math.nan
    if operator in ("/", "**") or not whole:
        value = _in_float64(operator, float(a), float(b))
        # A power of whole numbers is whole (a shape may need it), unless it left the exact range.
        is_whole_power = operator == "**" and whole and b >= 0 and value is not None and abs(value) <= EXACT
        return int(value) if is_whole_power and value is not None else value
    match operator:
        case "+":
            return bounded(a + b)
        case "-":
            return bounded(a - b)
        case "*":
            return bounded(a * b)
        case "//":
            return a // b
        case "%":
            return a % b
    return None


def _in_float64(operator: str, a: float, b: float) -> float | None:
    function = {
        "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "//": np.floor_divide, "%": np.mod,
        "**": np.float_power,
    }.get(operator)  # fmt: skip
    if function is None:
        return None
    with np.errstate(all="ignore"):
        return float(function(a, b))

"""Arrays going into somebody's code and coming out of it: fresh copies in, numbers out, whatever object held them.

What an output or a gradient is called, and whether one may be missing, is decided by those who ask.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import LackError

Arrays = dict[str, Any]

ARRAYS = (np.ndarray, np.generic)
DATA = ("data", "value", "val", "array")  # where an object that stands for an array keeps it
GRADIENT = ("grad", "gradient", "g")


def fresh(value: Any) -> Any:
    """A copy that the code may keep or overwrite; a single number is handed over as a number, not as a 0-d array."""
    if value.ndim:
        return value.copy()
    return value[()] if value.dtype.kind in "fc" else value.item()


def changed(a: Any, b: Any) -> bool:
    """Whether two arrays differ in shape or in any element; NaN equals NaN."""
    # Mostly they are equal and without NaN, which is seen in a third of the time.
    return not (np.array_equal(a, b) or np.array_equal(a, b, equal_nan=True))


def numbers_of(name: str, value: Any) -> Any:
    """A copy of an array, or of anything numpy makes a numeric array of. Raises LackError for anything else."""
    try:
        array = np.array(value)
    except (ValueError, TypeError):
        array = np.array(None)
    if array.dtype.kind not in "biufc":
        raise LackError(f"'{name}' is one {type(value).__name__} that holds no numbers", kind="invalid")
    return array


def array_of(value: Any) -> Any:
    """What an object of theirs holds as its array; anything else as it is."""
    if isinstance(value, ARRAYS):
        return value
    for name in DATA:
        inner = getattr(value, name, None)
        if isinstance(inner, (*ARRAYS, int, float)):
            return inner
    return value


def gradient_of(value: Any) -> Any:
    """The gradient that an object of theirs stands for: its `.grad`, else the array it holds."""
    if isinstance(value, ARRAYS):
        return value
    for name in GRADIENT:
        if hasattr(value, name):
            return array_of(getattr(value, name))
    return array_of(value)

"""What a wrong gradient lacks, written with what its function has at hand: `dbody @ Wh.T`, `dmu / D`.

The values that the function's variables had are combined in pairs and compared with the difference between the right
gradient and the claim; that is arithmetic on small arrays, so thousands of terms cost less than one run of the code.
Which of them mends the gradient, and in which line, is for `repairing.py` to try.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.verdict.diagnose import Compared
from gradcheck.verdict.diagnose.evidence import same

LEAST = 4  # elements of a gradient: fewer are made of something at hand by chance
MOST_VALUES = 30
MOST_SIZE = 5_000  # elements of a value, and of what is made of two
MOST_TERMS = 3


def missing_terms(values: Mapping[str, Any], subject: Compared) -> list[str]:
    """What to write behind the claim, the simplest first: `+ a @ b`, or `- a / b` where that is too much.

    values : of the function's variables, by name, when it returned
    """
    if subject.primal.size < LEAST or not subject.has_right_shape or not subject.claimed.any():
        return []
    off = -subject.residual
    if not np.isfinite(off).all():
        return []
    scale = float(np.abs(off).max(initial=0.0))
    found: list[str] = []
    with np.errstate(all="ignore"):
        for text, term in _terms(_at_hand(values), subject.shape):
            for sign, said in ((1.0, f"+ {text}"), (-1.0, f"- {text}")):
                if same(off, sign * term, scale, subject.bound):
                    found.append(said)
            if len(found) >= MOST_TERMS:
                break
    return found


def _at_hand(values: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Numbers and arrays of them; of `self` the attributes."""
    found: dict[str, NDArray[Any]] = {}
    for name, value in values.items():
        parts = vars(value) if name == "self" and hasattr(value, "__dict__") else {"": value}
        for attribute, part in parts.items():
            is_number = isinstance(part, float | int | np.ndarray) and not isinstance(part, bool)
            array = np.asarray(part) if is_number else np.zeros(0)
            if array.dtype.kind in "fiu" and 0 < array.size <= MOST_SIZE and len(found) < MOST_VALUES:
                found[f"{name}.{attribute}" if attribute else name] = array.astype(np.float64)
    return found


def _terms(values: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Every value that fits the shape, and what two make of it."""
    yield from ((name, np.broadcast_to(x, shape)) for name, x in values.items() if x.ndim and _fits(x.shape, (), shape))
    for (a, x), (b, y) in product(values.items(), repeat=2):
        for text, term in _pairs(a, x, b, y, shape):
            yield text, np.broadcast_to(term, shape)


def _pairs(
    a: str, x: NDArray[Any], b: str, y: NDArray[Any], shape: tuple[int, ...]
) -> Iterator[tuple[str, NDArray[Any]]]:
    if (x.ndim or y.ndim) and _fits(x.shape, y.shape, shape):
        if a < b:
            yield f"{a} * {b}", x * y
        yield f"{a} / {b}", x / y
        yield f"{a} * (1 - {b})", x * (1 - y)
    if x.ndim == 2 and y.ndim == 2:
        if (x.shape[0], y.shape[1]) == shape and x.shape[1] == y.shape[0]:
            yield f"{a} @ {b}", x @ y
        if (x.shape[0], y.shape[0]) == shape and x.shape[1] == y.shape[1]:
            yield f"{a} @ {b}.T", x @ y.T
        if (x.shape[1], y.shape[1]) == shape and x.shape[0] == y.shape[0]:
            yield f"{a}.T @ {b}", x.T @ y
        if (*x.shape, y.shape[1]) == shape and x.shape[0] == y.shape[0]:
            yield f"{a}[:, :, None] * {b}[:, None, :]", x[:, :, None] * y[:, None, :]


def _fits(one: tuple[int, ...], other: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(one, other, shape) == shape
    except ValueError:
        return False

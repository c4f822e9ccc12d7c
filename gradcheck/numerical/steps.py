"""How far to move an element: the scale of each one, powers of two, and the distance really travelled.

Which of the steps can be trusted is decided by `ladder`; nothing here looks at the function.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.problem import Array
from gradcheck.record import dataclass

SMALLEST_MOVE = 16  # ulp of x; with fewer the move itself is mostly rounding
LARGEST_STEP = 0.25  # of the scale; beyond it a "local" slope says little about the point


def element_scales(x: NDArray[np.floating]) -> Array:
    """A length that is natural for each element: max(|x_i|, typical size of the tensor); 1 for an all-zero tensor.

    The typical size is the rms, but never more than ten times the median of the non-zero elements: by |x_i| alone an
    element that is 1e-9 by chance would get no step, by the rms alone one outlier would set the step of all.

    x : float array, shape S. Returns: float64 array, shape S, all > 0.
    """
    size = np.abs(x.astype(np.float64))
    nonzero = size[size > 0]
    if nonzero.size == 0:
        return np.ones(x.shape)
    largest = float(nonzero.max())
    rms = largest * float(np.sqrt(np.mean((size / largest) ** 2)))
    typical = min(rms, 10.0 * median(nonzero))
    return np.maximum(size, max(typical, float(np.finfo(np.float64).tiny)))


def median(values: NDArray[np.floating]) -> float:
    """The median of at least one value; numpy's own brings in its masked arrays, a tenth of the start-up."""
    middle = values.size // 2
    chosen = [middle] if values.size % 2 else [middle - 1, middle]
    return float(np.partition(values, chosen, axis=None)[chosen].mean())


def power_of_two(scale: Array, exponent: int | NDArray[np.int64]) -> Array:
    """scale · 2^exponent with the scale rounded down to a power of two, so that x ± h rounds as little as can be."""
    result: Array = np.ldexp(1.0, np.frexp(scale)[1] - 1 + exponent)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Elements moved both ways, as the dtype of the tensor rounds them.

    ahead, behind : the moved values, in the tensor's dtype, shape (K,)
    up, down : distances really travelled, float64 ≥ 0, shape (K,); 0 where the move is too small to be trusted
    """

    ahead: NDArray[np.floating]
    behind: NDArray[np.floating]
    up: Array
    down: Array


def move(x: NDArray[np.floating], steps: Array) -> Moves:
    """Move each of the values x (shape (K,)) by ± its step and measure the distance."""
    with np.errstate(over="ignore", invalid="ignore"):
        ahead = (x + steps.astype(x.dtype)).astype(x.dtype)
        behind = (x - steps.astype(x.dtype)).astype(x.dtype)
        up = ahead.astype(np.float64) - x.astype(np.float64)
        down = x.astype(np.float64) - behind.astype(np.float64)
    far = is_usable(x, steps)
    return Moves(ahead, behind, np.where(far, up, 0.0), np.where(far, down, 0.0))


def is_usable(x: NDArray[np.floating], steps: Array) -> NDArray[np.bool_]:
    """Which steps are so many ulp of x that the move itself is not mostly rounding, and end at a number."""
    size = np.abs(x)
    with np.errstate(over="ignore", invalid="ignore"):
        far = steps >= SMALLEST_MOVE * np.spacing(size).astype(np.float64, copy=False)
        return np.asarray(far & np.isfinite(size + steps.astype(x.dtype, copy=False)))

"""What stress variants do to the numbers of an array, and which arrays are better left as they are.

Arrays in, arrays out; which variant concerns which tensor of a case is decided in `vary`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.casefile.arrays import stream
from gradcheck.casefile.sweep import SCALES

# A standard deviation for which an eps of 1e-5 (batch norm) is as large as the variance, and one of 1e-8 still a
# thousandth of it: left out of a backward, either shows.
SMALL_DEVIATION = 0.003
BIAS = 0.1


def stressed(variant: str, array: NDArray[Any], name: str, seed: int) -> NDArray[Any]:
    """The array as the variant has it, in the shape that it has.

    name, seed : choose the random stream, where the variant draws
    """
    return _CHANGES[variant](array, name, seed)


def is_constant(array: NDArray[Any]) -> bool:
    """Whether an array holds zeros only, or (where it has more than one number) ones only: a bias or gain untrained."""
    return bool(array.size) and (not array.any() or (array.size > 1 and bool((array == 1).all())))


def has_meaning(array: NDArray[Any]) -> bool:
    """Whether other numbers would mean something else: labels, masks, signs (−1, 0, 1 only), rows that sum to 1.

    The gradient p − y of a cross-entropy is right for rows y that sum to 1, and wrong for a thousand times those.
    """
    if array.size < 2:
        return False
    rows = array.sum(axis=-1)
    return bool(np.isin(array, (-1, 0, 1)).all() or np.allclose(rows, 1.0, rtol=0.0, atol=1e-9))


def may_be_probabilities(array: NDArray[Any]) -> bool:
    """Whether all numbers lie in 0 … 1: a thousand times as large they may be outside of what a function is for."""
    return array.size > 1 and bool(((array >= 0) & (array <= 1)).all())


def repeat(array: NDArray[Any], name: str, seed: int) -> NDArray[Any]:
    """The first half, each number twice in a row, and the first one at the end again: equal within rows and across."""
    flat = array.reshape(-1)
    twice = np.repeat(flat[: (flat.size + 1) // 2], 2)[: flat.size]
    twice[-1] = flat[0]
    return twice.reshape(array.shape)


def tie(array: NDArray[Any], name: str, seed: int) -> NDArray[Any]:
    """Two numbers only: the mean of those below the mean, and that of the others. Both lie where the data lie."""
    upper = array >= array.mean()
    low, high = array[~upper], array[upper]
    return np.asarray(np.where(upper, high.mean(), low.mean() if low.size else 0.0))


def shrink(array: NDArray[Any], name: str, seed: int) -> NDArray[Any]:
    """mean + 0.003·(x − mean)/deviation. The mean stays: a function may be defined for positive numbers only."""
    mean, deviation = array.mean(), array.std()
    return np.asarray(mean + SMALL_DEVIATION * (array - mean) / (deviation or 1.0))


def with_noise(array: NDArray[Any], name: str, seed: int) -> NDArray[Any]:
    """`array` + 0.1·normal, in the array's float type."""
    noise = BIAS * stream(seed, f"{name} nonzero_bias").standard_normal(array.shape)
    return np.asarray(array + noise, dtype=array.dtype if array.dtype.kind == "f" else np.float64)


def single(array: NDArray[Any], name: str, seed: int) -> NDArray[Any]:
    return array.astype(np.float32)


def _scaled(variant: str) -> Callable[[NDArray[Any], str, int], NDArray[Any]]:
    factor = float(variant.partition("=")[2])
    return lambda array, name, seed: np.asarray(array * factor)


_CHANGES: dict[str, Callable[[NDArray[Any], str, int], NDArray[Any]]] = {
    "repeated": repeat,
    "ties": tie,
    "small_variance": shrink,
    "nonzero_bias": with_noise,
    **{name: _scaled(name) for name in SCALES},
    "dtype": single,
}

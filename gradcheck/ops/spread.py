"""How far elements are from each other and from 0: var, std, norm. Where a root meets 0, its gradient counts as 0.

Deviations are taken from the first element before the mean is, so that equal elements have exactly none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.ops.axes import is_whole, reduced_axes, reduced_nonempty_axes
from gradcheck.ops.broadcasting import restore
from gradcheck.ops.reductions import OPTIONS, SAMPLES, Axes, count, rows
from gradcheck.ops.registry import Array, Kink, Samples, define, sample
from gradcheck.ops.samples import BLOCK, EMPTY, MATRIX, ROW

OFFSET = 1000.0 + MATRIX  # a mean far larger than the spread
SPREAD: Samples = [
    *SAMPLES[:1], *SAMPLES[2:], sample(MATRIX, ddof=1), sample(BLOCK, axis=(0, -1), keepdims=True, ddof=2),
    sample(OFFSET, axis=1), sample(EMPTY, axis=1), sample(np.zeros((2, 0)), axis=0),
]  # fmt: skip


def check_freedom(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """ddof (numpy's name; torch says correction) is taken from the number of elements, and something must be left."""
    ddof = options["ddof"]
    if not is_whole(ddof) or ddof < 0:
        raise ShapeError(f"expected a whole number of at least 0 as ddof, got {ddof!r}", "0 divides by n, 1 by n − 1")
    prepared = reduced_nonempty_axes(options, x)
    n = count(x, prepared["axis"])
    if n <= ddof:
        seen = f"has {n} element{'' if n == 1 else 's'} to reduce in shape {x.shape}, and ddof={ddof}"
        raise ShapeError(seen, f"give at least {ddof + 1} elements, or a smaller ddof")
    return {**prepared, "ddof": ddof}


def centred(x: Array, axis: Axes) -> Array:
    """x minus its mean along the axes; exactly 0 where all are equal."""
    first = x[tuple(slice(0, 1) if a in axis else slice(None) for a in range(x.ndim))]
    shifted = x - first
    return shifted - np.add.reduce(shifted, axis=axis, keepdims=True) / count(x, axis)


def var(x: Array, axis: Axes, keepdims: bool, ddof: int) -> Array:
    """Σ (x − mean)² / (n − ddof), in two passes."""
    total: Array = np.sum(np.square(centred(x, axis)), axis=axis, keepdims=keepdims)
    return total / (count(x, axis) - ddof)


def std(x: Array, axis: Axes, keepdims: bool, ddof: int) -> Array:
    spread: Array = np.sqrt(var(x, axis, keepdims, ddof))
    return spread


def var_vjp(g: Array, y: Array, x: Array, axis: Axes, keepdims: bool, ddof: int) -> Array:
    """2·(x − mean) / (n − ddof): the mean moves too, but the deviations from it add up to 0."""
    return restore(g, axis, keepdims) * 2.0 * centred(x, axis) / (count(x, axis) - ddof)


def std_vjp(g: Array, y: Array, x: Array, axis: Axes, keepdims: bool, ddof: int) -> Array:
    """(x − mean) / ((n − ddof)·y); 0 where y is 0."""
    root = np.where(y == 0.0, 1.0, y)
    return restore(g / root, axis, keepdims) * centred(x, axis) / (count(x, axis) - ddof)


def half_range(x: Array, axis: Axes, keepdims: bool, ddof: int) -> Array:
    """All elements meet when each moves by half of what separates the outermost two; a single one has none to meet."""
    span: Array = np.max(x, axis=axis, keepdims=keepdims) - np.min(x, axis=axis, keepdims=keepdims)
    return span / 2.0 if count(x, axis) > 1 else np.full_like(span, np.inf, dtype=np.float64)


def std_branch(x: Array, axis: Axes, keepdims: bool, ddof: int) -> NDArray[np.int8]:
    """0 where all elements are equal, 1 elsewhere."""
    return (half_range(x, axis, keepdims, ddof) > 0.0).astype(np.int8)


def std_slopes(x: Array, axis: Axes, keepdims: bool, ddof: int) -> tuple[Array, Array]:
    """One of n equal elements, moved by h, makes a spread of |h|·sqrt((n − 1) / (n·(n − ddof)))."""
    n = count(x, axis)
    slope = std_vjp(np.array(1.0), std(x, axis, True, ddof), x, axis, True, ddof)
    steep = np.sqrt((n - 1) / (n * (n - ddof)))
    equal = std_branch(x, axis, True, ddof) == 0
    return np.where(equal, -steep, slope), np.where(equal, steep, slope)


FREEDOM = {**OPTIONS, "ddof": 0}

define("var", var, "along_axes", formula="the sum of (x − mean)² over n − ddof", options=FREEDOM,
       prepare=check_freedom, vjps=[var_vjp], samples=SPREAD)  # fmt: skip

define("std", std, "along_axes", formula="the root of the sum of (x − mean)² over n − ddof", options=FREEDOM,
       prepare=check_freedom, vjps=[std_vjp],
       kink=Kink("where all elements are equal, opposite slopes meet in each; the gradient there counts as 0",
                 std_branch, half_range, slopes=(std_slopes,), curved=True),
       samples=SPREAD)  # fmt: skip


def check_order(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """1, 2 or inf; of the elements, never of a matrix as a map: np.linalg.vector_norm."""
    order = options["ord"]
    if isinstance(order, bool) or order not in (1, 2, np.inf):
        hint = "norm(x) is that of Frobenius, too; another one: sum(abs(x)**3)**(1/3)"
        raise ShapeError(f"expected 1, 2 or inf as ord, got {order!r}", hint)
    ready = reduced_axes if order != np.inf else reduced_nonempty_axes
    return {**ready(options, x), "ord": float(order)}


def power_of_two(x: Array, axis: Axes) -> NDArray[np.intc]:
    """The exponent of the largest |x|: scaling by it is exact, and squares neither overflow nor vanish."""
    return np.frexp(np.maximum.reduce(np.abs(x), axis=axis, keepdims=True, initial=0.0))[1]


def norm(x: Array, axis: Axes, keepdims: bool, ord: float) -> Array:
    """Σ |x|, sqrt(Σ x²) or the largest |x|."""
    size: Array
    if ord == 1.0:
        size = np.sum(np.abs(x), axis=axis, keepdims=keepdims)
        return size
    if ord == np.inf:
        size = np.max(np.abs(x), axis=axis, keepdims=keepdims)
        return size
    exponent = power_of_two(x, axis)
    total = np.add.reduce(np.square(np.ldexp(x, -exponent)), axis=axis, keepdims=True)
    size = np.ldexp(np.sqrt(total), exponent)
    return size if keepdims else size.squeeze(axis)


def norm_vjp(g: Array, y: Array, x: Array, axis: Axes, keepdims: bool, ord: float) -> Array:
    """sign x; x / y; or sign x, shared by the elements of the largest size. 0 where x is 0 (order 2: all of them)."""
    local: Array = np.sign(x)
    if ord == 2.0:
        local = x / restore(np.where(y == 0.0, 1.0, y), axis, keepdims)
    elif ord == np.inf:
        largest = np.abs(x) == restore(y, axis, keepdims)
        local = local * (largest / np.add.reduce(largest, axis=axis, keepdims=True, dtype=np.float64))
    return restore(g, axis, keepdims) * local


def norm_branch(x: Array, axis: Axes, keepdims: bool, ord: float) -> NDArray[np.int64]:
    """Order 1: the signs, read as a number in base three (modulo 2⁶⁴); order 2: whether there is any element but 0;
    inf: the number of the largest, counted from 1, with its sign."""
    merged = rows(x, axis)
    if ord == 1.0:
        digits = np.multiply.accumulate(np.full(merged.shape[-1], 3, dtype=np.uint64)).view(np.int64)
        branch = np.add.reduce(np.sign(merged).astype(np.int64) * digits, axis=-1)
    elif ord == 2.0:
        branch = np.logical_or.reduce(merged != 0.0, axis=-1).astype(np.int64)
    else:
        winner = np.argmax(np.abs(merged), axis=-1)
        branch = np.sign(np.take_along_axis(merged, winner[..., None], -1)[..., 0]).astype(np.int64) * (winner + 1)
    return np.expand_dims(branch, axis) if keepdims else branch


def norm_margin(x: Array, axis: Axes, keepdims: bool, ord: float) -> Array:
    """Order 1: the smallest |x|; order 2: the largest, as all must become 0; inf: half the gap of the largest two."""
    sizes = np.sort(np.abs(rows(x, axis)), axis=-1)
    if ord == 1.0:
        margin = np.minimum.reduce(sizes, axis=-1, initial=np.inf)
    elif ord == 2.0:
        margin = sizes[..., -1] if sizes.shape[-1] else np.full(sizes.shape[:-1], np.inf)
    else:
        margin = (sizes[..., -1] - sizes[..., -2]) / 2.0 if sizes.shape[-1] > 1 else sizes[..., -1]
    return np.expand_dims(margin, axis) if keepdims else margin


def norm_slopes(x: Array, axis: Axes, keepdims: bool, ord: float) -> tuple[Array, Array]:
    """Left and right slope in each element, the others standing still."""
    falling, rising = np.where(x > 0, 1.0, -1.0), np.where(x >= 0, 1.0, -1.0)  # of |x|
    if ord == 1.0:
        return falling, rising
    y = norm(x, axis, True, ord)
    if ord == 2.0:
        slope = x / np.where(y == 0.0, 1.0, y)
        return np.where(y == 0.0, -1.0, slope), np.where(y == 0.0, 1.0, slope)
    largest = np.abs(x) == y
    alone = largest & (np.add.reduce(largest, axis=axis, keepdims=True) == 1)
    # One of several largest moves the norm only outwards, away from 0.
    return (
        np.where(alone | (largest & (falling < 0)), falling, 0.0),
        np.where(alone | (largest & (rising > 0)), rising, 0.0),
    )


define("norm", norm, "along_axes", formula="Σ |x| (ord=1), √Σ x² (ord=2) or the largest |x| (ord=inf)",
       options={"ord": 2, **OPTIONS}, prepare=check_order, vjps=[norm_vjp],
       kink=Kink("order 1 at an element 0, order 2 where all are 0, inf at a tie: the gradient there is 0, or shared "
                 "in equal parts", norm_branch, norm_margin, slopes=(norm_slopes,), curved=True),
       samples=[*SAMPLES, sample(MATRIX, ord=1), sample(MATRIX, ord=1, axis=-1), sample(MATRIX, ord=np.inf),
                sample(BLOCK, ord=np.inf, axis=1, keepdims=True), sample(ROW, ord=1, keepdims=True),
                sample(1e-3 * MATRIX, axis=0), sample(EMPTY, axis=0), sample(EMPTY, ord=1, axis=1)])  # fmt: skip

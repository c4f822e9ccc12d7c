"""Reductions: the listed axes become one number each; the others, an extra last one included, pass.

Axes arrive as a tuple of non-negative ones (`axes.reduced_axes`), so that None never swallows an extra axis.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.ops.axes import reduced_axes, reduced_nonempty_axes
from gradcheck.ops.broadcasting import restore
from gradcheck.ops.registry import Array, Kink, Samples, define, sample
from gradcheck.ops.samples import BLOCK, EMPTY, MATRIX, ROW, SCALAR
from gradcheck.perturb.series import max_size, parts_of, terms_of

Axes = tuple[int, ...]
OPTIONS = {"axis": None, "keepdims": False}
LEFT = -2.0  # from here on 1 + expm1(d) loses more than a digit of e^d
MOST_TERMS = 12  # of a series; more cost as much as exponentials
SAMPLES: Samples = [
    (MATRIX,), (SCALAR,), sample(ROW, axis=-1), sample(MATRIX, axis=0), sample(MATRIX, axis=1, keepdims=True),
    sample(BLOCK, axis=(0, 2)), sample(BLOCK, axis=(-1, 1), keepdims=True),
]  # fmt: skip


def count(x: Array, axis: Axes) -> int:
    """How many elements become one."""
    return prod(x.shape[a] for a in axis)


def sum_of_probes(d: Array, axis: Axes, keepdims: bool) -> Array:
    """Σ d along the axes, for d with a probe axis behind its own.

    Few probes make short rows, of which a reduction adds one after the other; a product with ones is several times
    faster, where the axes are the last ones.
    """
    first = d.ndim - 1 - len(axis)
    if axis != tuple(range(first, d.ndim - 1)):
        return np.asarray(np.sum(d, axis=axis, keepdims=keepdims))
    flat = d.reshape(*d.shape[:first], count(d, axis), d.shape[-1])
    total: Array = np.matmul(np.ones((1, flat.shape[-2])), flat)
    return total.reshape(*d.shape[:first], *(1,) * (len(axis) if keepdims else 0), d.shape[-1])


define("sum", lambda x, axis, keepdims: np.add.reduce(x, axis=axis, keepdims=keepdims), "along_axes",
       formula="the sum of x", linear={0}, options=OPTIONS, prepare=reduced_axes,
       vjps=[lambda g, y, x, axis, keepdims: np.broadcast_to(restore(g, axis, keepdims), x.shape)],
       deltas=[lambda d, y, x, axis, keepdims: sum_of_probes(d, axis, keepdims)],
       samples=[*SAMPLES, sample(EMPTY, axis=0)])  # fmt: skip

define("mean", lambda x, axis, keepdims: np.add.reduce(x, axis=axis, keepdims=keepdims) / count(x, axis), "along_axes",
       formula="the sum of x over the number of elements", linear={0}, options=OPTIONS, prepare=reduced_nonempty_axes,
       vjps=[lambda g, y, x, axis, keepdims: np.broadcast_to(restore(g / count(x, axis), axis, keepdims), x.shape)],
       deltas=[lambda d, y, x, axis, keepdims: sum_of_probes(d, axis, keepdims) / count(x, axis)],
       samples=SAMPLES)  # fmt: skip


def extremum_vjp(g: Array, y: Array, x: Array, axis: Axes, keepdims: bool) -> Array:
    """g to the elements that are the extremum, in equal shares."""
    chosen = x == restore(y, axis, keepdims)
    parts: Array = chosen / np.add.reduce(chosen, axis=axis, keepdims=True, dtype=np.float64)
    return restore(g, axis, keepdims) * parts


def rows(x: Array, axis: Axes) -> Array:
    """x with the reduced axes moved to the end and merged into one, so that each row becomes one number."""
    kept = [a for a in range(x.ndim) if a not in axis]
    merged: Array = x.transpose(*kept, *axis).reshape([x.shape[a] for a in kept] + [count(x, axis)])
    return merged


def extremum_kink(sign: float) -> Kink:
    """The kink of max (sign 1) or min (sign −1) along axes."""

    def branch(x: Array, axis: Axes, keepdims: bool) -> NDArray[np.intp]:
        winner: NDArray[np.intp] = np.argmax(sign * rows(x, axis), axis=-1)
        return np.expand_dims(winner, axis) if keepdims else winner

    def margin(x: Array, axis: Axes, keepdims: bool) -> Array:
        ordered = np.sort(sign * rows(x, axis), axis=-1)
        # Half the gap of the two best, as both may move; a single element has no rival.
        gap = (ordered[..., -1] - ordered[..., -2]) / 2.0 if count(x, axis) > 1 else np.full(ordered.shape[:-1], np.inf)
        return np.expand_dims(gap, axis) if keepdims else gap

    def slopes(x: Array, axis: Axes, keepdims: bool) -> tuple[Array, Array]:
        ordered = np.sort(sign * rows(x, axis), axis=-1)
        best = np.expand_dims(ordered[..., -1], axis)
        best_is = sign * x == best
        tied = np.expand_dims(np.add.reduce(sign * rows(x, axis) == ordered[..., -1:], axis=-1), axis) > 1
        alone, among = (best_is & ~tied) * 1.0, best_is * 1.0
        return (alone, among) if sign > 0 else (among, alone)

    text = "at a tie each of the equal elements has the slopes 0 and 1; the gradient there is shared in equal parts"
    return Kink(text, branch, margin, (slopes,))


def define_extremum(name: str, reduce: Callable[..., Any], sign: float, formula: str) -> None:
    def change(d: Array, y: Array, x: Array, axis: Axes, keepdims: bool) -> Array:
        """The extremum of d + (x − y): exactly d of the element that stays it, and no digits of x are lost."""
        extremum: Array = reduce(d + (x - restore(y, axis, keepdims)), axis=axis, keepdims=keepdims)
        return extremum

    define(name, lambda x, axis, keepdims: reduce(x, axis=axis, keepdims=keepdims), "along_axes",
           formula=formula, options=OPTIONS, prepare=reduced_nonempty_axes,
           vjps=[extremum_vjp], deltas=[change], kink=extremum_kink(sign), samples=SAMPLES)  # fmt: skip


define_extremum("max", np.maximum.reduce, 1.0, "the largest element of x")
define_extremum("min", np.minimum.reduce, -1.0, "the smallest element of x")


def logsumexp(x: Array, axis: Axes, keepdims: bool) -> Array:
    """log Σ eˣ, shifted by the largest element so that nothing overflows and at least one term is 1."""
    top = np.maximum.reduce(x, axis=axis, keepdims=True)
    shift = np.where(np.isfinite(top), top, 0.0)  # all −inf: log 0, not inf − inf
    total = np.log(np.add.reduce(np.exp(x - shift), axis=axis, keepdims=True)) + shift
    return total if keepdims else total.squeeze(axis)


def weighted_sum(weights: Array, values: Array, axis: Axes, keepdims: bool) -> Array:
    """Σ weights·values along the axes; both have a probe axis behind their own, the weights perhaps of length 1."""
    if axis == (values.ndim - 2,) and weights.shape[-1] == 1:
        total: Array = np.matmul(weights[..., None, :, 0], values)
        return total if keepdims else total[..., 0, :]
    total = np.add.reduce(weights * values, axis=axis, keepdims=True)
    return total if keepdims else total.squeeze(axis)


def logsumexp_delta(d: Array, y: Array, x: Array, axis: Axes, keepdims: bool) -> Array:
    """log1p(Σ p·expm1(d)) with p = eˣ / Σ eˣ; where that sum is next to −1, or too large, the difference itself."""
    total = weighted_sum(np.exp(x - restore(y, axis, keepdims)), np.expm1(d), axis, keepdims)
    return _by_sum(total, d, y, x, axis, keepdims)


def mirrored(d: Array, e: Array) -> Array:
    """expm1(−d) from e = expm1(d), as −e / (1 + e); far to the left nothing is left of 1 + e."""
    if d.min(initial=0.0) < LEFT:
        return np.expm1(-d)
    result = -1.0 - e
    return np.divide(e, result, out=result)  # a pass over memory costs as much as the division


def logsumexp_twins(d: Array, y: Array, x: Array, axis: Axes, keepdims: bool) -> tuple[Array, Array]:
    """Both signs from one expm1: with e = expm1(d), expm1(−d) is −e / (1 + e)."""
    p, e = np.exp(x - restore(y, axis, keepdims)), np.expm1(d)
    ahead = weighted_sum(p, e, axis, keepdims)
    behind = weighted_sum(p, mirrored(d, e), axis, keepdims)
    return _by_sum(ahead, d, y, x, axis, keepdims), _by_sum(behind, -d, y, x, axis, keepdims)


def logsumexp_of_product(
    w: Array, u: Array, y: Array, x: Array, axis: Axes, keepdims: bool
) -> tuple[Array, Array] | None:
    """The parts of the change for w·u: log Σ p·e^(w·u) with p = eˣ / Σ eˣ, whose power series in u has the cumulants of
    w under p as coefficients.

    On the circle |u|·(max w − min w) = 1 the sum for the centred w stays within e − 2 of 1, so that no coefficient of
    its logarithm exceeds −log(3 − e) < 1.3 there.
    """
    terms = terms_of(float(np.ptp(w)) * max_size(u))
    if terms > MOST_TERMS:
        return None
    odd, even = parts_of(cumulants(w, np.exp(x - restore(y, axis, keepdims)), int(terms)), u)
    return (odd, even) if keepdims else (odd.squeeze(axis), even.squeeze(axis))


def cumulants(w: Array, p: Array, terms: int) -> list[Array]:
    """The mean of w, shape (n, 1), under each of the distributions p, shape (…, n, 1), and its cumulants of the orders
    2 to `terms`, each over the factorial of its order; shapes (…, 1, 1).

    From the central moments over these factorials, m: k·c_k = k·m_k − Σ_j j·c_j·m_(k−j), which K′M = M′ of the series
    K = log M says.
    """
    mean = np.matmul(w.T, p)
    away, power = w - mean, p
    moments = [np.zeros(())] * 2
    found = [np.zeros(())] * 2
    for k in range(1, terms + 1):
        power = power * (away / k)
        if k > 1:
            moments.append(np.add.reduce(power, axis=-2, keepdims=True))
            found.append(moments[k] - sum((j / k) * found[j] * moments[k - j] for j in range(2, k - 1)))
    return [mean, *found[2:]]


def _by_sum(total: Array, d: Array, y: Array, x: Array, axis: Axes, keepdims: bool) -> Array:
    """log1p of the sum, where it keeps its digits."""
    change = np.log1p(total)
    far = ~((total > -0.5) & (total < np.inf))
    return np.where(far, logsumexp(x + d, axis, keepdims) - y, change) if far.any() else change


define("logsumexp", logsumexp, "along_axes",
       formula="log of the sum of eˣ", options=OPTIONS, prepare=reduced_nonempty_axes,
       vjps=[lambda g, y, x, axis, keepdims: restore(g, axis, keepdims) * np.exp(x - restore(y, axis, keepdims))],
       deltas=[logsumexp_delta], twins=[logsumexp_twins], factored=logsumexp_of_product,
       samples=SAMPLES)  # fmt: skip

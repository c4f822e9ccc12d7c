"""Ops along axes that keep the shape: every element of the output sees the whole of the listed axes.

Stable forms only: exponentials are taken of x minus its largest element, variances of x minus its mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.ops.axes import normalised_axes
from gradcheck.ops.changes import Numbers
from gradcheck.ops.reductions import count, mirrored, sum_of_probes, weighted_sum
from gradcheck.ops.registry import Array, Samples, define, sample
from gradcheck.ops.samples import BLOCK, MATRIX, ROW

Axes = tuple[int, ...]
OPTIONS = {"axis": -1}
SAMPLES: Samples = [(ROW,), (MATRIX,), sample(MATRIX, axis=0), sample(BLOCK, axis=1), sample(BLOCK, axis=(0, 2))]


def softmax(x: Array, axis: Axes) -> Array:
    """eˣ / Σ eˣ along the axes."""
    e = np.exp(x - np.maximum.reduce(x, axis=axis, keepdims=True))
    return e / np.add.reduce(e, axis=axis, keepdims=True)


def softmax_vjp(g: Array, y: Array, x: Array, axis: Axes) -> Array:
    """y·(g − Σ g·y): the Jacobian diag(y) − y yᵀ, never written out."""
    return y * (g - np.add.reduce(g * y, axis=axis, keepdims=True))


def softmax_delta(d: Array, y: Array, x: Array, axis: Axes) -> Array:
    """(e − y·Σe) / (1 + Σe) with e = y·expm1(d); where the sum is next to −1, or too large, the difference itself."""
    return _by_growth(np.expm1(d), d, y, x, axis)


def softmax_twins(d: Array, y: Array, x: Array, axis: Axes) -> tuple[Array, Array]:
    """Both signs from one expm1: with e = expm1(d), expm1(−d) is −e / (1 + e)."""
    e = np.expm1(d)
    return _by_growth(e, d, y, x, axis), _by_growth(mirrored(d, e), -d, y, x, axis)


def _by_growth(growth: Array, d: Array, y: Array, x: Array, axis: Axes) -> Array:
    e = y * growth
    total = sum_of_probes(e, axis, True)
    change = (e - y * total) / (1.0 + total)
    far = ~((total > -0.5) & (total < np.inf))
    return np.where(far, softmax(x + d, axis) - y, change) if far.any() else change


define("softmax", softmax, "along_axes", formula="eˣ over the sum of eˣ", options=OPTIONS, prepare=normalised_axes,
       vjps=[softmax_vjp], deltas=[softmax_delta], twins=[softmax_twins], samples=SAMPLES)  # fmt: skip


def log_softmax(x: Array, axis: Axes) -> Array:
    """x − log Σ eˣ along the axes, both shifted by the largest element."""
    shifted = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    return shifted - np.log(np.add.reduce(np.exp(shifted), axis=axis, keepdims=True))


def log_softmax_delta(d: Array, y: Array, x: Array, axis: Axes) -> Array:
    """d − log1p(Σ p·expm1(d)), p = e^y: the change of x less that of log Σ eˣ."""
    total = weighted_sum(np.exp(y), np.expm1(d), axis, True)
    far = ~((total > -0.5) & (total < np.inf))
    change = d - np.log1p(total)
    return np.where(far, log_softmax(x + d, axis) - y, change) if far.any() else change


define("log_softmax", log_softmax, "along_axes", formula="x minus the log of the sum of eˣ", options=OPTIONS,
       prepare=normalised_axes,
       vjps=[lambda g, y, x, axis: g - np.exp(y) * np.add.reduce(g, axis=axis, keepdims=True)],
       deltas=[log_softmax_delta],
       samples=SAMPLES)  # fmt: skip


def axes_and_eps(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """`axis` as the forward wants it, and an eps that is a number of at least 0."""
    eps = options["eps"]
    if isinstance(eps, bool) or not isinstance(eps, int | float) or not (isfinite(eps) and eps >= 0):
        raise ShapeError(f"expected a number of at least 0 as eps, got {eps!r}", "write eps=1e-5")
    return {**normalised_axes(options, x), "eps": eps}


def centred(x: Array, axis: Axes) -> Array:
    """x minus its mean along the axes."""
    return x - np.add.reduce(x, axis=axis, keepdims=True) / count(x, axis)


def deviation(c: Array, axis: Axes, eps: float) -> Array:
    """sqrt(variance + eps) of centred numbers: the mean of squares, which has no difference of large numbers in it."""
    return np.sqrt(np.add.reduce(np.square(c), axis=axis, keepdims=True) / count(c, axis) + eps)


def normalise(x: Array, axis: Axes, eps: float) -> Array:
    """(x − mean) / sqrt(variance + eps), both along the axes; the variance is that of n, not n − 1."""
    c = centred(x, axis)
    return c / deviation(c, axis, eps)


def normalise_vjp(g: Array, y: Array, x: Array, axis: Axes, eps: float) -> Array:
    """(g − mean g − y·mean(g·y)) / s, with s = sqrt(variance + eps): the Jacobian (I − 11ᵀ/n − y yᵀ/n) / s, unwritten.

    Ioffe and Szegedy 2015, section 3, with the chain through mean and variance written out.
    """
    along = np.add.reduce(g * y, axis=axis, keepdims=True) / count(x, axis)
    return (centred(g, axis) - y * along) / deviation(centred(x, axis), axis, eps)


def normalise_delta(d: Array, y: Array, x: Array, axis: Axes, eps: float) -> Array:
    """With c and e the centred x and d, s² = variance + eps, v = mean(e² + 2·c·e) and s′² = s² + v:

    e / s′ − c·v / (s·s′·(s + s′)), in which no two close numbers are subtracted.
    """
    n, c = count(x, axis), centred(x, axis)
    e = d - sum_of_probes(d, axis, True) / n
    change = (sum_of_probes(e * e, axis, True) + 2.0 * weighted_sum(c, e, axis, True)) / n
    before = deviation(c, axis, eps)
    # s² + v keeps its digits unless most of the variance goes.
    is_safe = (change > -0.5 * np.square(before)).all()
    after = np.sqrt(np.square(before) + change) if is_safe else deviation(c + e, axis, eps)
    e /= after
    e -= c * (change / (before * after * (before + after)))
    return e


def normalise_ranked(w: Array, x: Array, axis: Axes, eps: float) -> tuple[Array, Numbers]:
    """`normalise_delta` for d = w·u: e = w̃·u and c are its directions, w̃ the centred w, and v = uᵀGu + 2·aᵀu
    with G = w̃ᵀw̃ / n and a = w̃ᵀc / n."""
    n, c = count(x, axis), centred(x, axis)
    w = w - np.add.reduce(w, axis=-2, keepdims=True) / n
    turned = w.swapaxes(-1, -2)
    gram, along = np.matmul(turned, w) / n, (2.0 / n) * np.matmul(turned, c).swapaxes(-1, -2)
    before = deviation(c, axis, eps)
    leading = np.broadcast_shapes(w.shape[:-2], c.shape[:-2])
    directions = np.concatenate([np.broadcast_to(part, (*leading, *part.shape[-2:])) for part in (w, c)], axis=-1)

    def numbers(u: Array) -> Array | None:
        change = np.add.reduce(u * np.matmul(gram, u), axis=-2, keepdims=True) + np.matmul(along, u)
        if not (change > -0.5 * np.square(before)).all():
            return None
        after = np.sqrt(np.square(before) + change)
        both = np.broadcast_arrays(u / after, change[..., :1, :])[0], -change / (before * after * (before + after))
        return np.concatenate(both, axis=-2)

    return directions, numbers


define("normalise", normalise, "along_axes", formula="(x − mean) / √(variance + eps); variance over n, not n − 1",
       options={"axis": -1, "eps": 1e-5}, prepare=axes_and_eps,
       vjps=[normalise_vjp], deltas=[normalise_delta], ranked=normalise_ranked,
       samples=[(ROW,), (MATRIX,), sample(BLOCK, axis=(0, 2)), sample(BLOCK, axis=(2, 0), eps=0.0),
                sample(MATRIX, axis=0, eps=0.5), sample(BLOCK, axis=1, eps=0.5)])  # fmt: skip

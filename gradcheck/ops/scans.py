"""Scans and products: prod, cumsum, cumprod. No rule divides by an element, so zeros need no case of their own.

The gradient of a product in one of its factors is the product of the others.
"""

from __future__ import annotations

import numpy as np

from gradcheck.ops.axes import reduced_axes, single_axis
from gradcheck.ops.broadcasting import restore
from gradcheck.ops.reductions import OPTIONS, SAMPLES, Axes, rows
from gradcheck.ops.registry import Array, Samples, define, sample
from gradcheck.ops.samples import BLOCK, EMPTY, MATRIX, ROW

ZERO_IN = np.array([[0.8, 0.0, 1.9], [-1.2, 2.3, -0.6]])
ZEROS_IN = np.array([[0.8, 0.0, 1.9], [0.0, 2.3, 0.0]])
SINGLES = np.array([[0.8], [-1.3]])
SCANNED: Samples = [
    (ROW,), sample(MATRIX, axis=0), sample(MATRIX, axis=-1), sample(BLOCK, axis=1), sample(ZERO_IN, axis=1),
    sample(ZEROS_IN, axis=-1), sample(SINGLES, axis=1), sample(EMPTY, axis=1), sample(EMPTY, axis=0),
]  # fmt: skip


def exclusive(x: Array) -> Array:
    """Along the last axis: the product of all elements before each one."""
    first = np.ones((*x.shape[:-1], 1))
    return np.multiply.accumulate(np.concatenate([first, x[..., :-1]], axis=-1), axis=-1)


def prod_vjp(g: Array, y: Array, x: Array, axis: Axes, keepdims: bool) -> Array:
    """g times the product of all other elements: of those before times those behind. y/x would be 0/0 at a zero."""
    if not x.size:
        return np.zeros(x.shape)
    merged = rows(x, axis)
    others = exclusive(merged) * exclusive(merged[..., ::-1])[..., ::-1]
    kept = [a for a in range(x.ndim) if a not in axis]
    order = (*kept, *axis)
    back = others.reshape([x.shape[a] for a in order]).transpose(np.argsort(order))
    return restore(g, axis, keepdims) * back


define("prod", lambda x, axis, keepdims: np.multiply.reduce(x, axis=axis, keepdims=keepdims), "along_axes",
       formula="the product of x", options=OPTIONS, prepare=reduced_axes, vjps=[prod_vjp],
       samples=[*SAMPLES, (ZERO_IN,), sample(ZERO_IN, axis=1), sample(ZEROS_IN, axis=-1), sample(SINGLES, axis=1),
                sample(EMPTY, axis=0)])  # fmt: skip


def from_behind(x: Array, axis: int) -> Array:
    return np.flip(np.add.accumulate(np.flip(x, axis), axis=axis), axis)


define("cumsum", lambda x, axis: np.add.accumulate(x, axis=axis[0]), "along_axes",
       formula="the sum of x up to each element along an axis", linear={0}, options={"axis": None},
       prepare=single_axis, vjps=[lambda g, y, x, axis: from_behind(g, axis[0])], samples=SCANNED)  # fmt: skip


def cumprod_vjp(g: Array, y: Array, x: Array, axis: Axes) -> Array:
    """(Π before j) · sⱼ with sⱼ = gⱼ + x₍ⱼ₊₁₎·s₍ⱼ₊₁₎: what reaches element j is summed from the end, each term once."""
    if not x.size:
        return np.zeros(x.shape)
    ahead, upstream = np.moveaxis(x, axis[0], -1), np.moveaxis(g, axis[0], -1)
    reached = np.empty(ahead.shape)
    reached[..., -1] = upstream[..., -1]
    for j in range(ahead.shape[-1] - 2, -1, -1):
        reached[..., j] = upstream[..., j] + ahead[..., j + 1] * reached[..., j + 1]
    return np.moveaxis(exclusive(ahead) * reached, -1, axis[0])


define("cumprod", lambda x, axis: np.multiply.accumulate(x, axis=axis[0]), "along_axes",
       formula="the product of x up to each element along an axis", options={"axis": None}, prepare=single_axis,
       vjps=[cumprod_vjp], samples=SCANNED)  # fmt: skip

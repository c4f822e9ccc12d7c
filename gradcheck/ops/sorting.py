"""Sorting: sort and topk, the values without their places, which have no gradient.

Each place of the output is one element of the argument; which one changes where two are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.ops.axes import is_whole, one_axis
from gradcheck.ops.registry import REQUIRED, Array, Kink, define, sample
from gradcheck.ops.samples import BLOCK, EMPTY, MATRIX, ROW, TALL

Axis = tuple[int]
TIE = "at a tie of n elements the gradient is shared: each gets the n-th part of what their places get together"


def along(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    return {**options, "axis": (one_axis(options["axis"], x.shape),)}


def check_count(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """At least one element, and no more than there are."""
    axis, k = one_axis(options["axis"], x.shape), options["k"]
    if not is_whole(k) or not 1 <= k <= x.shape[axis]:
        seen = f"cannot take the largest {k!r} of {x.shape[axis]} elements along axis {axis} of shape {x.shape}"
        hint = f"k is a whole number from 1 to {x.shape[axis]}" if x.shape[axis] else "the axis is empty"
        raise ShapeError(seen, hint)
    return {"axis": (axis,), "k": k}


def in_rows(x: NDArray[Any], axis: Axis) -> NDArray[Any]:
    """x with the axis moved to the end."""
    return np.moveaxis(x, axis[0], -1)


def shared_by_ties(received: Array, ordered: Array) -> Array:
    """What each place of sorted rows received, averaged over the places of equal elements.

    received, ordered : along the last axis, in one order
    """
    starts = np.ones(ordered.shape, dtype=np.intp)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    group = np.add.accumulate(starts.reshape(-1)) - 1  # every row begins a group of its own
    counts = np.bincount(group)
    totals = np.bincount(group, weights=received.reshape(-1))
    shares: Array = (totals / counts)[group].reshape(received.shape)
    return shares


def sorted_vjp(g: Array, x: Array, axis: Axis, sign: float) -> Array:
    """g, of the first places in the order of sign·x, back to the elements that stand there."""
    if not x.size:
        return np.zeros(x.shape)
    keys, upstream = in_rows(sign * x, axis), in_rows(g, axis)
    order = np.argsort(keys, axis=-1, kind="stable")
    received = np.zeros(keys.shape)
    received[..., : upstream.shape[-1]] = upstream
    gradient = np.empty(keys.shape)
    parts = shared_by_ties(received, np.take_along_axis(keys, order, -1))
    np.put_along_axis(gradient, order, parts, -1)
    return np.moveaxis(gradient, -1, axis[0])


def places_kink(sign: float) -> Kink:
    """The kink of the first places in the order of sign·x: `k` of them, or all."""

    def branch(x: Array, axis: Axis, k: int | None = None) -> NDArray[np.intp]:
        order: NDArray[np.intp] = np.argsort(sign * x, axis=axis[0], kind="stable")
        return np.moveaxis(in_rows(order, axis)[..., :k], -1, axis[0])

    def margin(x: Array, axis: Axis, k: int | None = None) -> Array:
        ordered = np.sort(in_rows(sign * x, axis), axis=-1)
        # Half the gap to either neighbour, as both may move; outside the first and the last there is none.
        gaps = np.pad(np.diff(ordered, axis=-1) / 2.0, [(0, 0)] * (x.ndim - 1) + [(1, 1)], constant_values=np.inf)
        nearest = np.minimum(gaps[..., :-1], gaps[..., 1:]) if ordered.shape[-1] else ordered
        return np.moveaxis(nearest[..., :k], -1, axis[0])

    def slopes(x: Array, axis: Axis, k: int | None = None) -> tuple[Array, Array]:
        keys = in_rows(sign * x, axis)
        before = np.add.reduce(keys[..., None, :] < keys[..., None], axis=-1)
        equal = np.add.reduce(keys[..., None, :] == keys[..., None], axis=-1)
        places = np.arange(keys.shape[-1])[:k]
        first, last = (np.moveaxis(at[..., None] == places, -2, axis[0]) * 1.0 for at in (before, before + equal - 1))
        return (first, last) if sign > 0 else (last, first)

    return Kink(TIE, branch, margin, (slopes,))


define("sort", lambda x, axis: np.sort(x, axis=axis[0]), "along_axes",
       formula="the elements of x in ascending order along an axis", options={"axis": -1}, prepare=along,
       vjps=[lambda g, y, x, axis: sorted_vjp(g, x, axis, 1.0)], kink=places_kink(1.0),
       samples=[(ROW,), (MATRIX,), sample(MATRIX, axis=0), sample(BLOCK, axis=1), sample(TALL, axis=-2),
                sample(TALL[:, :1], axis=1), (EMPTY,), sample(EMPTY, axis=0)])  # fmt: skip


def topk(x: Array, axis: Axis, k: int) -> Array:
    """The end of the ascending order, turned round."""
    largest = in_rows(np.sort(x, axis=axis[0]), axis)[..., ::-1][..., :k]
    return np.moveaxis(largest, -1, axis[0])


define("topk", topk, "along_axes", formula="the k largest elements of x along an axis, the largest first",
       options={"k": REQUIRED, "axis": -1}, prepare=check_count,
       vjps=[lambda g, y, x, axis, k: sorted_vjp(g, x, axis, -1.0)], kink=places_kink(-1.0),
       samples=[sample(ROW, k=2), sample(MATRIX, k=1), sample(TALL, k=3, axis=0), sample(BLOCK, k=1, axis=-2),
                sample(MATRIX, k=3), sample(EMPTY, k=2), sample(TALL[:, :1], k=1)])  # fmt: skip

"""Sliding windows over the last axes, of which convolutions and pools are made, and their adjoint, an overlapping sum.

`windows` only looks (its value is a view), `fold` adds; what is computed inside a window is said by whoever slides it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.ops.broadcasting import limited
from gradcheck.ops.registry import REQUIRED, Array, define, sample

Numbers = tuple[int, ...]

LINE = np.round(2.4 * np.sin(1.0 + 1.7 * np.arange(14.0)), 2).reshape(2, 7)
IMAGE = np.round(2.6 * np.cos(0.5 + 1.3 * np.arange(40.0)), 2).reshape(2, 1, 4, 5)
SHIFTED = {"stride": 1, "dilation": 1}


def counts_of(shape: Numbers, size: Numbers, stride: Numbers, dilation: Numbers) -> Numbers:
    """How many windows fit along each axis: ⌊(n − (k − 1)·dilation − 1) / stride⌋ + 1; below 1 where none does."""
    return tuple((n - (k - 1) * r - 1) // s + 1 for n, k, s, r in zip(shape, size, stride, dilation, strict=True))


def whole_numbers(value: Any, name: str, count: int | None = None) -> Numbers:
    """One positive whole number for every axis, or one per axis.

    count : how many axes there are; None if the value itself tells
    """
    listed = tuple(value) if isinstance(value, tuple | list) else (value,) * (count or 1)
    if not listed or not all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in listed):
        raise ShapeError(
            f"expected positive whole numbers as {name}, got {value!r}", f"write {name}=2, or one per axis"
        )
    if count is not None and len(listed) != count:
        raise ShapeError(f"has {len(listed)} numbers as {name} for {count} axes", f"write one {name}, or one per axis")
    return listed


def check_windows(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """Size, stride and dilation per axis, and the first axis that the windows slide along."""
    size = whole_numbers(options["size"], "size")
    axes = len(size)
    stride, dilation = (whole_numbers(options[name], name, axes) for name in ("stride", "dilation"))
    first = x.ndim - axes
    if first < 0:
        raise ShapeError(f"slides along {axes} axes, and shape {x.shape} has {x.ndim}", "give one size per axis")
    counts = counts_of(x.shape[first:], size, stride, dilation)
    if min(counts) < 1:
        reach = tuple((k - 1) * r + 1 for k, r in zip(size, dilation, strict=True))
        raise ShapeError(
            f"has windows of {reach}, which do not fit into the last axes of shape {x.shape}",
            "make the windows smaller, or pad the input",
        )
    limited((*x.shape[:first], *counts, *size))
    return {"size": size, "stride": stride, "dilation": dilation, "first": first}


def windows(x: Array, size: Numbers, stride: Numbers, dilation: Numbers, first: int) -> Array:
    """Every window of x, a read-only view: (…, H, W) → (…, counts of windows, size of a window)."""
    last = first + len(size)
    counts = counts_of(x.shape[first:last], size, stride, dilation)
    steps = x.strides[first:last]
    apart = tuple(step * s for step, s in zip(steps, stride, strict=True))
    inside = tuple(step * r for step, r in zip(steps, dilation, strict=True))
    shape = (*x.shape[:first], *counts, *size, *x.shape[last:])
    return as_strided(x, shape, (*x.strides[:first], *apart, *inside, *x.strides[last:]), writeable=False)


def fold(x: Array, shape: Numbers, stride: Numbers, dilation: Numbers, first: int) -> Array:
    """The windows x added up at the places they were taken from; where they overlap, they add."""
    axes = len(shape)
    counts, size = x.shape[first : first + axes], x.shape[first + axes : first + 2 * axes]
    total = np.zeros((*x.shape[:first], *shape, *x.shape[first + 2 * axes :]), np.result_type(x, np.float64))
    for place in np.ndindex(size):  # one offset at a time: no two windows meet in it, so a slice may be added to
        ways = zip(place, counts, stride, dilation, strict=True)
        where = tuple(slice(i * r, i * r + s * (count - 1) + 1, s) for i, count, s, r in ways)
        total[(slice(None),) * first + where] += x[(slice(None),) * (first + axes) + place]
    return total


def windows_vjp(g: Array, y: Array, x: Array, size: Numbers, stride: Numbers, dilation: Numbers, first: int) -> Array:
    """The sum over all windows that see an element."""
    return fold(g, x.shape[first : first + len(size)], stride, dilation, first)


def fold_vjp(g: Array, y: Array, x: Array, shape: Numbers, stride: Numbers, dilation: Numbers, first: int) -> Array:
    """g as each window sees it."""
    axes = len(shape)
    return windows(g, x.shape[first + axes : first + 2 * axes], stride, dilation, first)


def check_fold(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """The last axes of x: first as many windows as fit into the new shape, then the sizes of one window."""
    shape = whole_numbers(options["shape"], "shape")
    axes = len(shape)
    stride, dilation = (whole_numbers(options[name], name, axes) for name in ("stride", "dilation"))
    first = x.ndim - 2 * axes
    if first < 0:
        message = f"expected {2 * axes} axes, counts of windows and their sizes, got shape {x.shape}"
        raise ShapeError(message, "give what windows(x, size) returns")
    counts, size = x.shape[first : first + axes], x.shape[first + axes :]
    fitting = counts_of(shape, size, stride, dilation)
    if counts != fitting:
        raise ShapeError(
            f"has {counts} windows of size {size} in shape {x.shape}; a shape of {shape} has {fitting}",
            "use the stride and the dilation that the windows were taken with",
        )
    limited((*x.shape[:first], *shape))
    return {"shape": shape, "stride": stride, "dilation": dilation, "first": first}


define("windows", windows, "layout",
       formula="the windows of a size that slide along the last axes: (…, H, W) → (…, OH, OW, kh, kw)", linear={0},
       options={"size": REQUIRED, **SHIFTED}, prepare=check_windows,
       vjps=[windows_vjp],
       samples=[sample(LINE, size=3), sample(LINE, size=2, stride=2), sample(LINE, size=3, stride=2, dilation=2),
                sample(IMAGE, size=(2, 3)), sample(IMAGE, size=(3, 2), stride=(1, 2), dilation=(1, 3)),
                sample(IMAGE, size=(1, 1), stride=3), sample(np.zeros((0, 1, 3)), size=(1, 2))])  # fmt: skip

# Of no other kind: its axes are moved like a layout's, but where windows overlap elements are added.
define("fold", fold, "unknown",
       formula="windows added up where they overlap, into the last axes of a shape: the adjoint of windows", linear={0},
       options={"shape": REQUIRED, **SHIFTED}, prepare=check_fold,
       vjps=[fold_vjp], deltas=[lambda d, y, x, **options: fold(d, **options)],
       samples=[sample(LINE.reshape(7, 2), shape=8), sample(LINE[:, 1:].reshape(2, 3, 2), shape=7, stride=2),
                sample(IMAGE.reshape(2, 2, 2, 1, 5), shape=(2, 10), dilation=(1, 2)),
                sample(IMAGE.reshape(1, 2, 2, 2, 5), shape=(4, 7), stride=2)])  # fmt: skip

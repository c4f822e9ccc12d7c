"""Layout ops that repeat elements: tile, repeat, broadcast_to. The gradient of an element is the sum over its copies.

Each is a pure gather; how often an element is repeated is told by options, so that shapes are known in advance.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.ops.axes import one_axis, whole_numbers
from gradcheck.ops.broadcasting import limited, unbroadcast
from gradcheck.ops.layout import added_back, unwrapped
from gradcheck.ops.rearranging import flat
from gradcheck.ops.registry import REQUIRED, Array, define, sample
from gradcheck.ops.samples import COLUMN, EMPTY, MATRIX, ROW, SCALAR


def check_tiled(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """One number of repetitions per axis; where there are more of one than of the other, ones are put in front."""
    reps = whole_numbers(unwrapped(options["reps"]), "reps", 0)
    reps = (1,) * (x.ndim - len(reps)) + reps
    old = (1,) * (len(reps) - x.ndim) + x.shape
    limited(tuple(r * n for r, n in zip(reps, old, strict=True)))
    return {"reps": reps, "rank": x.ndim}


def tile(x: Array, reps: tuple[int, ...], rank: int) -> Array:
    added = len(reps) - rank
    return np.tile(x.reshape((1,) * added + x.shape), reps + (1,) * (x.ndim - rank))


def tile_vjp(g: Array, y: Array, x: Array, reps: tuple[int, ...], rank: int) -> Array:
    """The sum over all repetitions, which are an axis of their own before each axis of x."""
    old = (1,) * (len(reps) - rank) + x.shape
    copies = g.reshape([n for pair in zip(reps, old, strict=True) for n in pair])
    total: Array = np.add.reduce(copies, axis=tuple(range(0, copies.ndim, 2)))
    return total.reshape(x.shape)


define("tile", tile, "layout", formula="x repeated as a whole, so many times along each axis", linear={0},
       options={"reps": REQUIRED}, collects="reps", prepare=check_tiled, vjps=[tile_vjp],
       samples=[sample(ROW, reps=2), sample(MATRIX, reps=(2, 3)), sample(ROW, reps=(2, 1, 3)),
                sample(MATRIX, reps=(2,)), sample(EMPTY, reps=(2, 2)), sample(SCALAR, reps=(2, 2)),
                sample(MATRIX, reps=0)])  # fmt: skip


def check_repeated(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """Which element of the axis stands in each place of the result; without an axis, of all elements in order."""
    axis = options["axis"] if options["axis"] is None else one_axis(options["axis"], x.shape)
    repeats = whole_numbers(options["repeats"], "repeats", 0)
    length = x.size if axis is None else x.shape[axis]
    if len(repeats) not in (1, length):
        raise ShapeError(
            f"has {len(repeats)} repeats for {length} elements of shape {x.shape}", "give one number, or one for each"
        )
    others = 1 if axis is None else prod(n for a, n in enumerate(x.shape) if a != axis)
    limited((others, sum(repeats) * (length if len(repeats) == 1 else 1)))
    return {"picks": np.repeat(np.arange(length), repeats), "axis": axis, "rank": x.ndim}


def repeat(x: Array, picks: NDArray[np.intp], axis: int | None, rank: int) -> Array:
    return flat(x, rank)[picks] if axis is None else np.take(x, picks, axis=axis)


def repeat_vjp(g: Array, y: Array, x: Array, picks: NDArray[np.intp], axis: int | None, rank: int) -> Array:
    """The sum over the repetitions of each element."""
    if axis is None:
        return added_back(g, (x.size,), (picks,)).reshape(x.shape)
    return added_back(g, x.shape, (*(slice(None),) * axis, picks))


define("repeat", repeat, "layout", formula="every element of x repeated in place", linear={0},
       options={"repeats": REQUIRED, "axis": None}, prepare=check_repeated, vjps=[repeat_vjp],
       samples=[sample(ROW, repeats=2), sample(MATRIX, repeats=3), sample(MATRIX, repeats=2, axis=-1),
                sample(MATRIX, repeats=(2, 0, 3), axis=1), sample(EMPTY, repeats=2, axis=0),
                sample(SCALAR, repeats=3)])  # fmt: skip


def check_stretched(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """The new shape must be one that the shape of x can be broadcast to."""
    shape = whole_numbers(unwrapped(options["shape"]), "shape", 0)
    new = len(shape) - x.ndim
    if new < 0 or any(old not in (1, wanted) for old, wanted in zip(x.shape, shape[max(new, 0) :], strict=False)):
        raise ShapeError(
            f"cannot broadcast shape {x.shape} to {shape}", "only axes of length 1, and new ones in front, can grow"
        )
    return {"shape": limited(shape), "rank": x.ndim}


def broadcast_to(x: Array, shape: tuple[int, ...], rank: int) -> Array:
    added = (1,) * (len(shape) - rank)
    return np.broadcast_to(x.reshape(added + x.shape), shape + x.shape[rank:])


define("broadcast_to", broadcast_to, "layout", formula="x repeated along axes of length 1, and along new ones in front",
       linear={0}, options={"shape": REQUIRED}, collects="shape", prepare=check_stretched,
       vjps=[lambda g, y, x, shape, rank: unbroadcast(g, x)],
       samples=[sample(ROW, shape=(2, 3)), sample(COLUMN, shape=(2, 3)), sample(COLUMN, shape=(2, 2, 3)),
                sample(SCALAR, shape=(2, 2)), sample(MATRIX, shape=(2, 3)), sample(EMPTY, shape=(2, 0, 3)),
                sample(MATRIX[:1], shape=(0, 3))])  # fmt: skip

"""Layout ops that put elements into another order or array, each of them once: squeeze, stack, split, flip, roll.

Those that repeat elements are in `repeating`, those that fill up with a constant in `filling`, those that are told by
an array which elements to pick in `picking`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.ops.axes import is_whole, new_axes, one_axis, several_axes, whole_numbers
from gradcheck.ops.broadcasting import limited
from gradcheck.ops.registry import REQUIRED, Array, define, sample
from gradcheck.ops.samples import BLOCK, COLUMN, EMPTY, MATRIX, OTHER, ROW, SCALAR, TALL

MAX_PARTS = 1000  # of a split: each is a node of the graph


def rank_of(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """The rank of x beside the other options: axes beyond it are extra ones."""
    return {**options, "rank": x.ndim}


def flat(x: Array, rank: int) -> Array:
    """x with its first `rank` axes merged into one; extra axes stay."""
    return x.reshape(prod(x.shape[:rank]), *x.shape[rank:])


define("ravel", flat, "layout", formula="the elements of x, in order, along one axis", linear={0}, prepare=rank_of,
       vjps=[lambda g, y, x, rank: g.reshape(x.shape)],
       samples=[(MATRIX,), (BLOCK,), (SCALAR,), (EMPTY,)])  # fmt: skip


def squeezed_axes(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """The axes to leave out: those named, or all of length 1."""
    if options["axis"] is None:
        return {"axis": tuple(a for a, length in enumerate(x.shape) if length == 1)}
    axes = several_axes(options["axis"], x.shape)
    for a in axes:
        if x.shape[a] != 1:
            seen = f"cannot leave out axis {a} of shape {x.shape}: its length is {x.shape[a]}"
            raise ShapeError(seen, "only axes of length 1 can go")
    return {"axis": axes}


define("squeeze", np.squeeze, "layout", formula="x without its axes of length 1", linear={0}, options={"axis": None},
       prepare=squeezed_axes, vjps=[lambda g, y, x, axis: g.reshape(x.shape)],
       samples=[(MATRIX[:, None],), sample(MATRIX[None, :, None], axis=-2), sample(COLUMN, axis=(1,)),
                sample(EMPTY[:, None], axis=1), (SCALAR,)])  # fmt: skip

define("expand_dims", np.expand_dims, "layout", formula="x with new axes of length 1", linear={0},
       options={"axis": REQUIRED}, prepare=lambda options, x: {"axis": new_axes(options["axis"], x.shape)},
       vjps=[lambda g, y, x, axis: g.reshape(x.shape)],
       samples=[sample(MATRIX, axis=-1), sample(ROW, axis=(0, -1)), sample(SCALAR, axis=0),
                sample(EMPTY, axis=1)])  # fmt: skip

define("swapaxes", np.swapaxes, "layout", formula="x with two axes exchanged", linear={0},
       options={"axis1": REQUIRED, "axis2": REQUIRED},
       prepare=lambda options, x: {name: one_axis(axis, x.shape) for name, axis in options.items()},
       vjps=[lambda g, y, x, axis1, axis2: np.swapaxes(g, axis1, axis2)],
       samples=[sample(MATRIX, axis1=0, axis2=1), sample(BLOCK, axis1=-1, axis2=0),
                sample(EMPTY, axis1=0, axis2=1)])  # fmt: skip


def check_moved(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """As many places to go to as axes that go, none twice."""
    pairs = {}
    for name, axis in options.items():
        several_axes(axis if axis is not None else (None,), x.shape)
        listed = axis if isinstance(axis, tuple | list) else (axis,)
        pairs[name] = tuple(one_axis(a, x.shape) for a in listed)
    source, destination = pairs["source"], pairs["destination"]
    if len(source) != len(destination):
        seen = f"cannot move axes {source} of shape {x.shape} to {destination}"
        raise ShapeError(seen, "name one destination for every source")
    return pairs


define("moveaxis", np.moveaxis, "layout", formula="x with axes moved to other places, the rest in order", linear={0},
       options={"source": REQUIRED, "destination": REQUIRED}, prepare=check_moved,
       vjps=[lambda g, y, x, source, destination: np.moveaxis(g, destination, source)],
       samples=[sample(MATRIX, source=0, destination=-1), sample(BLOCK, source=(0, 1), destination=(-1, 0)),
                sample(EMPTY, source=0, destination=1)])  # fmt: skip


def check_stacked(options: Mapping[str, Any], *arrays: NDArray[Any]) -> Mapping[str, Any]:
    """All arrays have one shape; the axis is one of the result."""
    if not arrays:
        raise ShapeError("expected a list of arrays, got none", "write stack([a, b], axis=0)")
    shapes = [array.shape for array in arrays]
    if len(set(shapes)) > 1:
        raise ShapeError(
            f"cannot stack shapes {', '.join(map(str, shapes))}",
            "all shapes must be equal; concatenate([a, b], axis=0) joins along an axis that is there",
        )
    if isinstance(options["axis"], tuple | list):
        raise ShapeError(f"expected a whole number as axis, got {options['axis']}", "stacking makes one new axis")
    limited((len(arrays), *shapes[0]))
    return {"axis": new_axes(options["axis"], shapes[0])[0]}


define("stack", lambda *arrays, axis: np.stack(arrays, axis=axis), "layout",
       formula="arrays of one shape side by side, along a new axis", linear={0}, arguments="a", options={"axis": 0},
       prepare=check_stacked, variadic=True,
       vjps=[lambda g, y, *arrays, axis, position: np.take(g, position, axis=axis)],
       samples=[(ROW, ROW + 1.0), sample(MATRIX, OTHER, axis=1), sample(MATRIX, OTHER, 2.0 * MATRIX, axis=-1),
                (SCALAR, SCALAR / 2), (EMPTY, EMPTY), (MATRIX,)])  # fmt: skip


def cuts(sections: Any, axis: int, shape: tuple[int, ...]) -> list[int]:
    """Where the pieces begin and end: 0, …, the length of the axis."""
    length = shape[axis]
    if is_whole(sections):
        if not 1 <= sections <= MAX_PARTS or length % sections:
            seen = f"cannot split {length} elements along axis {axis} of shape {shape} into {sections} equal parts"
            raise ShapeError(seen, "name the places to cut for unequal parts: split(x, [1, 3])")
        return [i * (length // sections) for i in range(sections + 1)]
    places = whole_numbers(sections, "sections", 0)
    if list(places) != sorted(places) or max(places, default=0) > length or len(places) >= MAX_PARTS:
        raise ShapeError(
            f"cannot cut axis {axis} of shape {shape} at {places}", f"name places from 0 to {length} in ascending order"
        )
    return [0, *places, length]


def one_piece(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """From where to where the piece number `output` goes."""
    axis = one_axis(options["axis"], x.shape)
    borders = cuts(options["sections"], axis, x.shape)
    return {"axis": axis, "start": borders[options["output"]], "stop": borders[options["output"] + 1]}


def stretch(axis: int, start: int, stop: int) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, slice(start, stop))


def split_vjp(g: Array, y: Array, x: Array, axis: int, start: int, stop: int) -> Array:
    """g in its stretch, 0 in the others, which have nodes of their own."""
    gradient = np.zeros(x.shape)
    gradient[stretch(axis, start, stop)] = g
    return gradient


define("split", lambda x, axis, start, stop: x[stretch(axis, start, stop)], "layout",
       formula="x cut into equal parts, or at the places named; a list of arrays: a, b = split(x, 2)",
       linear={0}, options={"sections": REQUIRED, "axis": 0}, prepare=one_piece,
       outputs=lambda options, x: len(cuts(options["sections"], one_axis(options["axis"], x.shape), x.shape)) - 1,
       vjps=[split_vjp],
       samples=[sample(TALL, sections=2, output=1), sample(MATRIX, sections=3, axis=-1, output=0),
                sample(TALL, sections=(1, 3), output=1), sample(MATRIX, sections=(2,), axis=1, output=1),
                sample(EMPTY, sections=3, axis=1, output=2)])  # fmt: skip

define("flip", np.flip, "layout", formula="x in reverse order along all axes, or those named", linear={0},
       options={"axis": None}, prepare=lambda options, x: {"axis": several_axes(options["axis"], x.shape)},
       vjps=[lambda g, y, x, axis: np.flip(g, axis)],
       samples=[(ROW,), (MATRIX,), sample(MATRIX, axis=-1), sample(BLOCK, axis=(0, 2)), sample(EMPTY, axis=1),
                (SCALAR,)])  # fmt: skip


def check_rolled(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """A shift for every axis named; without an axis, one shift for all elements in order."""
    shift = whole_numbers(options["shift"], "shift")
    if options["axis"] is None:
        if len(shift) != 1:
            raise ShapeError(f"has {len(shift)} shifts and no axis for shape {x.shape}", "name an axis for each shift")
        return {"shift": shift, "axis": None, "rank": x.ndim}
    several_axes(options["axis"], x.shape)  # complains of an axis that is named twice
    listed = options["axis"] if isinstance(options["axis"], tuple | list) else (options["axis"],)
    if not listed:
        raise ShapeError(f"was given no axis of shape {x.shape}", "without 'axis' all elements move on in order")
    shift = shift * len(listed) if len(shift) == 1 else shift
    if len(shift) != len(listed):
        seen = f"has {len(shift)} shifts for {len(listed)} axes of shape {x.shape}"
        raise ShapeError(seen, "give one shift, or one for every axis")
    return {"shift": shift, "axis": tuple(one_axis(a, x.shape) for a in listed), "rank": x.ndim}


def roll(x: Array, shift: tuple[int, ...], axis: tuple[int, ...] | None, rank: int) -> Array:
    if axis is None:
        return np.roll(flat(x, rank), shift, (0,)).reshape(x.shape)
    return np.roll(x, shift, axis)


define("roll", roll, "layout", formula="x moved on along an axis; what leaves at the end comes back at the start",
       linear={0}, options={"shift": REQUIRED, "axis": None}, prepare=check_rolled,
       vjps=[lambda g, y, x, shift, axis, rank: roll(g, tuple(-s for s in shift), axis, rank)],
       samples=[sample(ROW, shift=1), sample(MATRIX, shift=2), sample(MATRIX, shift=-1, axis=1),
                sample(BLOCK, shift=(1, 2), axis=(0, -1)), sample(BLOCK, shift=1, axis=(0, 1)),
                sample(EMPTY, shift=1, axis=0), sample(SCALAR, shift=1)])  # fmt: skip

"""Axes as people write them (none, one, several, counted from the end) → the non-negative ones of a shape.

Only the reading, of axes and of other whole numbers; which ones an op may be given is said where it is defined.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.ops.broadcasting import limited


def is_whole(value: Any) -> bool:
    """Whether an option is a whole number; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def whole_numbers(value: Any, name: str, least: int | None = None) -> tuple[int, ...]:
    """One or several whole numbers as a tuple, none below `least`."""
    listed = tuple(value) if isinstance(value, tuple | list) else (value,)
    if not all(is_whole(n) and (least is None or n >= least) for n in listed):
        kind = "whole numbers" if least is None else f"whole numbers of at least {least}"
        raise ShapeError(f"expected {kind} as {name}, got {value!r}", f"write {name}=2 or {name}=(1, 2)")
    return listed


def one_axis(axis: Any, shape: tuple[int, ...]) -> int:
    """A single axis of a shape, counted from the front. Raises ShapeError if there is none of that number."""
    if not is_whole(axis):
        raise ShapeError(f"expected a whole number as axis, got {axis!r}", "axes are counted from 0; -1 is the last")
    if not -len(shape) <= axis < len(shape):
        hint = f"axes run from 0 to {len(shape) - 1}; -1 is the last" if shape else "a single number has no axes"
        raise ShapeError(f"has no axis {axis} in shape {shape}", hint)
    return int(axis) % len(shape)


def new_axes(axis: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Where one or several new axes of length 1 stand once they are there, in ascending order."""
    listed = axis if isinstance(axis, tuple | list) else (axis,)
    rank = len(limited((*shape, *(1 for _ in listed))))
    try:
        return several_axes(tuple(listed), (1,) * rank)
    except ShapeError as error:
        if not error.message.startswith("has no axis"):
            raise
        seen = f"cannot put a new axis at {axis} of shape {shape}"
        raise ShapeError(seen, f"new axes are counted from 0 to {rank - 1}; -1 is the last") from None


def several_axes(axis: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """None (all), one, or several axes of a shape, counted from the front, in ascending order."""
    if axis is None:
        return tuple(range(len(shape)))
    listed = axis if isinstance(axis, tuple | list) else (axis,)
    axes = tuple(sorted(one_axis(a, shape) for a in listed))
    if len(set(axes)) != len(axes):
        raise ShapeError(f"was given an axis twice: {axis}", "name every axis once")
    return axes


def reduced_axes(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """`axis` and `keepdims` of a reduction, as its forward wants them."""
    if not isinstance(options["keepdims"], bool):
        raise ShapeError(f"expected True or False as keepdims, got {options['keepdims']!r}", "write keepdims=True")
    return {"axis": several_axes(options["axis"], x.shape), "keepdims": options["keepdims"]}


def reduced_nonempty_axes(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """The same, for reductions that mean nothing over zero elements (mean, max, logsumexp)."""
    prepared = reduced_axes(options, x)
    if any(x.shape[a] == 0 for a in prepared["axis"]):
        raise ShapeError(f"has nothing to reduce in shape {x.shape}", "give at least one element along the axis")
    return prepared


def single_axis(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """`axis` of an op that works along one axis (cumsum, sort), as a tuple of it; a vector needs none."""
    axis = options["axis"]
    if axis is None:
        if x.ndim > 1:
            raise ShapeError(f"needs an axis in shape {x.shape}", "write axis=0; -1 is the last axis")
        axis = 0
    return {**options, "axis": (one_axis(axis, x.shape),)}


def normalised_axes(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """`axis` of an op that keeps the shape (softmax)."""
    axes = several_axes(options["axis"], x.shape)
    if any(x.shape[a] == 0 for a in axes):
        raise ShapeError(f"has nothing to normalise in shape {x.shape}", "give at least one element along the axis")
    return {"axis": axes}

"""Axes as people write them (none, one, several, counted from the end) → the non-negative ones of a shape.

Only the reading; which axes an op may be given is said where the op is defined.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from gradcheck.errors import ShapeError


def one_axis(axis: Any, shape: tuple[int, ...]) -> int:
    """A single axis of a shape, counted from the front. Raises ShapeError if there is none of that number."""
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise ShapeError(f"expected a whole number as axis, got {axis!r}", "axes are counted from 0; -1 is the last")
    if not -len(shape) <= axis < len(shape):
        hint = f"axes run from 0 to {len(shape) - 1}; -1 is the last" if shape else "a single number has no axes"
        raise ShapeError(f"has no axis {axis} in shape {shape}", hint)
    return axis % len(shape)


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


def normalised_axes(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """`axis` of an op that keeps the shape (softmax)."""
    axes = several_axes(options["axis"], x.shape)
    if any(x.shape[a] == 0 for a in axes):
        raise ShapeError(f"has nothing to normalise in shape {x.shape}", "give at least one element along the axis")
    return {"axis": axes}

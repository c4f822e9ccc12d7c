"""Broadcasting, and the one place where it is undone; also the limits on how large a value may become.

Knows shapes only; what is computed on them is said by the ops.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError

MAX_ELEMENTS = 20_000_000  # of one value: 160 MB; the largest of a classroom network has about a million
MAX_AXES = 16  # of one value; numpy has 32 (64 since 2.0), and some of them are wanted for stacking and for windows


def unbroadcast(g: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """Sum a gradient over the axes along which an argument was repeated; its total stays the same.

    g : array, the shape that `like` was broadcast to
    like : array, shape S; only its shape matters

    Returns: array, shape S.
    """
    if g.shape == like.shape:
        return g
    added = g.ndim - like.ndim
    stretched = tuple(added + i for i, n in enumerate(like.shape) if n == 1 and g.shape[added + i] != 1)
    total: NDArray[Any] = np.add.reduce(g, axis=(*range(added), *stretched))
    return total.reshape(like.shape)


def restore(reduced: NDArray[Any], axis: tuple[int, ...], keepdims: bool) -> NDArray[Any]:
    """A reduced value with its reduced axes back, as length 1, so that it broadcasts with what it came from."""
    return reduced if keepdims else np.expand_dims(reduced, axis)


def broadcast_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape. Raises ShapeError where lengths differ and neither is 1, or where it would be too large."""
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(
            f"cannot combine shapes {_listed(shapes)}",
            "lengths are compared from the last axis: they must be equal, or one of them 1",
        ) from None
    return limited(shape)


def limited(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape itself. Raises ShapeError if a value of it would be too large, or have too many axes, to be meant."""
    if len(shape) > MAX_AXES:
        raise ShapeError(f"would make an array of {len(shape)} axes", f"at most {MAX_AXES} are allowed")
    if prod(shape) > MAX_ELEMENTS:
        raise ShapeError(f"would make {prod(shape):.2g} elements, shape {shape}", f"at most {MAX_ELEMENTS} are allowed")
    return shape


def _listed(shapes: tuple[tuple[int, ...], ...]) -> str:
    words = [str(shape) for shape in shapes]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"

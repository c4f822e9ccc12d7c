"""Layout ops: elements are moved, repeated or left out, never computed with.

Options are completed when a node is built (the -1 of a shape, negative axes), so that an extra last axis passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.ops.axes import one_axis
from gradcheck.ops.broadcasting import limited
from gradcheck.ops.registry import REQUIRED, Array, define, sample
from gradcheck.ops.samples import BLOCK, COLUMN, EMPTY, MATRIX, OTHER, PICKS, ROW, SCALAR, TALL


def unwrapped(listed: Any) -> tuple[Any, ...]:
    """`reshape(x, 2, 3)` and `reshape(x, (2, 3))` mean the same."""
    parts = listed if isinstance(listed, tuple | list) else (listed,)
    return tuple(parts[0]) if len(parts) == 1 and isinstance(parts[0], tuple | list) else tuple(parts)


def complete_shape(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """The new shape with its -1 filled in, and the rank of x: axes beyond it are extra ones."""
    shape = unwrapped(options["shape"])
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= -1 for n in shape) or shape.count(-1) > 1:
        raise ShapeError(f"expected whole numbers as a shape, got {shape}", "at most one of them may be -1: the rest")
    known = prod(n for n in shape if n != -1)
    rest = x.size // known if known else 0
    full = tuple(rest if n == -1 else n for n in shape)
    if prod(full) != x.size:
        raise ShapeError(f"cannot turn shape {x.shape} into {shape}", f"the number of elements, {x.size}, must stay")
    limited(full)
    return {"shape": full, "rank": x.ndim}


define("reshape", lambda x, shape, rank: np.reshape(x, shape + x.shape[rank:]), "layout",
       formula="the elements of x, in order, in another shape", linear={0}, options={"shape": REQUIRED},
       collects="shape", prepare=complete_shape,
       vjps=[lambda g, y, x, shape, rank: np.reshape(g, x.shape)],
       samples=[sample(MATRIX, shape=(3, 2)), sample(MATRIX, shape=(-1,)), sample(BLOCK, shape=(2, -1)),
                sample(SCALAR, shape=(1, 1)), sample(EMPTY, shape=(3, 0))])  # fmt: skip


def complete_axes(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """The order of the axes, all of them named; None (and no axes at all) reverses them."""
    axes = unwrapped(options["axes"]) if options["axes"] not in (None, (), (None,)) else range(x.ndim - 1, -1, -1)
    order = tuple(one_axis(a, x.shape) for a in axes)
    if sorted(order) != list(range(x.ndim)):
        hint = "two axes are exchanged by swapaxes(x, 0, 1)" if len(order) == 2 else "name each axis once"
        raise ShapeError(f"expected every axis of shape {x.shape} once, got {tuple(axes)}", hint)
    return {"axes": order}


define("transpose", lambda x, axes: np.transpose(x, (*axes, *range(len(axes), x.ndim))), "layout",
       formula="x with its axes in another order; reversed if none is named", linear={0}, options={"axes": None},
       collects="axes", prepare=complete_axes,
       vjps=[lambda g, y, x, axes: np.transpose(g, np.argsort(axes))],
       samples=[(MATRIX,), (ROW,), sample(BLOCK, axes=(2, 0, 1)), sample(BLOCK, axes=(0, -1, 1))])  # fmt: skip


def key_of(index: tuple[Any, ...], arrays: tuple[NDArray[Any], ...]) -> tuple[Any, ...]:
    """The index as numpy wants it: every `True` stands for the next of the integer arrays."""
    waiting = iter(arrays)
    return tuple(next(waiting) if part is True else part for part in index)


def check_picks(picks: Any, axis: int, shape: tuple[int, ...]) -> None:
    """Whole numbers that are elements along an axis; negative ones count from the end."""
    if isinstance(picks, np.ndarray) and not np.issubdtype(picks.dtype, np.integer):
        raise ShapeError(
            f"expected whole numbers as an index, got {picks.dtype} numbers",
            "use whole numbers; where(x > 0, x, 0) selects by a condition",
        )
    length = shape[axis]
    if np.size(picks) and not (-length <= np.min(picks) and np.max(picks) < length):
        worst = int(np.max(picks) if np.max(picks) >= length else np.min(picks))
        raise ShapeError(f"has no element {worst} along axis {axis} of shape {shape}", _range_hint(length))


def added_back(g: Array, shape: tuple[int, ...], key: tuple[Any, ...]) -> Array:
    """g back to the places of an array that `x[key]` picked it from; one that was picked several times gets the sum."""
    gradient = np.zeros(shape)
    np.add.at(gradient, key, g)
    return gradient


def check_index(options: Mapping[str, Any], x: NDArray[Any], *arrays: NDArray[Any]) -> Mapping[str, Any]:
    """The index must fit the axes of x and stay within them."""
    index = options["index"]
    taken = sum(part is not None for part in index)
    if taken > x.ndim:
        raise ShapeError(f"has {taken} indices for shape {x.shape}", "give one index per axis, at most")
    axis, waiting = 0, iter(arrays)
    kept: list[int] = []
    for part in index:
        if part is None:
            kept.append(1)
            continue
        length = x.shape[axis]
        picks = next(waiting) if part is True else part
        if isinstance(picks, slice):
            kept.append(len(range(length)[picks]))
        else:
            check_picks(picks, axis, x.shape)
        axis += 1
    try:
        picked = np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ShapeError(f"has index arrays of different shapes: {shapes}", "make them equally long") from None
    limited((*picked, *kept, *x.shape[axis:]))
    return options


def _range_hint(length: int) -> str:
    return f"indices run from 0 to {length - 1}; -1 is the last" if length else "the axis is empty"


def index_vjp(g: Array, y: Array, x: Array, *arrays: NDArray[Any], index: tuple[Any, ...]) -> Array:
    """g back to the places it was picked from; slices and single numbers pick none twice."""
    if arrays:
        return added_back(g, x.shape, key_of(index, arrays))
    gradient = np.zeros(x.shape)
    gradient[index] = g
    return gradient


# The first argument is x; the others are the integer arrays of the index, which are not differentiated: `index` has
# True in their places.
define("index", lambda x, *arrays, index: x[key_of(index, arrays)], "layout",
       formula="elements picked by slices, whole numbers and integer arrays", linear={0}, arguments="x picks",
       whole={1}, options={"index": REQUIRED}, prepare=check_index, variadic=True, symbol="[]",
       vjps=[index_vjp, None],
       samples=[sample(ROW, index=(1,)), sample(MATRIX, index=(slice(None), slice(0, 3, 2))),
                sample(MATRIX, index=(-1, slice(None, None, -1))), sample(ROW, index=(slice(None), None)),
                sample(MATRIX, PICKS, index=(True,)), sample(MATRIX, PICKS, index=(slice(None), True)),
                sample(MATRIX, PICKS, PICKS + 1, index=(True, True)),
                sample(BLOCK, PICKS, index=(slice(None), True, 2)),
                sample(ROW, PICKS[:, None], index=(True,))])  # fmt: skip


def check_joined(options: Mapping[str, Any], *arrays: NDArray[Any]) -> Mapping[str, Any]:
    """All arrays agree in every axis but the joined one."""
    if not arrays:
        raise ShapeError("expected a list of arrays, got none", "write concatenate([a, b], axis=0)")
    axis = one_axis(options["axis"], arrays[0].shape)
    shapes = [array.shape for array in arrays]
    if len({(*s[:axis], *s[axis + 1 :]) for s in shapes}) > 1 or len({len(s) for s in shapes}) > 1:
        raise ShapeError(
            f"cannot join shapes {', '.join(map(str, shapes))} along axis {axis}", "all other axes must be equal"
        )
    limited((*shapes[0][:axis], sum(s[axis] for s in shapes), *shapes[0][axis + 1 :]))
    return {"axis": axis}


def concatenate_vjp(g: Array, y: Array, *arrays: Array, axis: int, position: int) -> Array:
    """The stretch of g that came from one of the arrays."""
    start = sum(array.shape[axis] for array in arrays[:position])
    stretch = slice(start, start + arrays[position].shape[axis])
    return g[(slice(None),) * axis + (stretch,)]


define("concatenate", lambda *arrays, axis: np.concatenate(arrays, axis=axis), "layout",
       formula="the arrays one after another along an axis", linear={0}, arguments="a", options={"axis": 0},
       prepare=check_joined, variadic=True,
       vjps=[concatenate_vjp],
       samples=[(ROW, ROW + 1.0), (MATRIX, OTHER, ROW[None]), sample(MATRIX, COLUMN, axis=1), sample(TALL, axis=-1),
                sample(EMPTY, MATRIX, axis=0)])  # fmt: skip

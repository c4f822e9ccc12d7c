"""Layout ops that are told by an array of whole numbers which elements to pick; an element picked often gets the sum.

Slices, single numbers and everything else that is written in square brackets is `index` in `layout`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.ops.axes import one_axis
from gradcheck.ops.broadcasting import broadcast_shape, limited
from gradcheck.ops.layout import added_back, check_picks
from gradcheck.ops.rearranging import flat
from gradcheck.ops.registry import REQUIRED, Array, define, sample
from gradcheck.ops.samples import BLOCK, EMPTY, MATRIX, PICKS, ROW, TALL

Picks = NDArray[np.integer[Any]]
PLACES = np.array([[2, 0], [1, 1]])  # one repeated, none negative
NONE = np.zeros((0,), dtype=np.intp)


def check_taken(options: Mapping[str, Any], x: NDArray[Any], indices: NDArray[Any]) -> Mapping[str, Any]:
    """Along an axis, or without one of all elements in order."""
    axis = options["axis"] if options["axis"] is None else one_axis(options["axis"], x.shape)
    check_picks(indices, axis or 0, (x.size,) if axis is None else x.shape)
    others = () if axis is None else x.shape[:axis] + x.shape[axis + 1 :]
    limited((*others, *indices.shape))
    return {"axis": axis, "rank": x.ndim}


def take(x: Array, indices: Picks, axis: int | None, rank: int) -> Array:
    return flat(x, rank)[indices] if axis is None else np.take(x, indices, axis=axis)


def take_vjp(g: Array, y: Array, x: Array, indices: Picks, axis: int | None, rank: int) -> Array:
    if axis is None:
        return added_back(g, (x.size,), (indices,)).reshape(x.shape)
    return added_back(g, x.shape, (*(slice(None),) * axis, indices))


define("take", take, "layout", formula="the elements of those numbers along an axis; of all, in order, without one",
       arguments="x indices", linear={0}, whole={1}, options={"axis": None}, prepare=check_taken,
       vjps=[take_vjp, None],
       samples=[sample(MATRIX, PICKS), sample(TALL, PICKS + 1, axis=0), sample(MATRIX, PLACES, axis=-1),
                sample(BLOCK, PICKS - 1, axis=1), sample(ROW, np.array(2), axis=0), sample(EMPTY, PLACES, axis=1),
                sample(MATRIX, NONE, axis=0)])  # fmt: skip


def key_along(indices: Picks, axis: int, lengths: tuple[int, ...]) -> tuple[Any, ...]:
    """An index that picks `indices` along one axis, and in the other axes each place's own number."""
    own = np.ogrid[tuple(slice(n) for n in lengths)]
    return tuple(indices if a == axis else place for a, place in enumerate(own))


def check_along(options: Mapping[str, Any], x: NDArray[Any], indices: NDArray[Any]) -> Mapping[str, Any]:
    """As many axes as x has; all but the one picked along fit those of x."""
    axis = one_axis(options["axis"], x.shape)
    if indices.ndim != x.ndim:
        seen = f"has indices of shape {indices.shape} for shape {x.shape}"
        raise ShapeError(seen, "they need as many axes as x; take(x, indices, axis) picks whole rows")
    check_picks(indices, axis, x.shape)
    broadcast_shape(*((*s[:axis], 1, *s[axis + 1 :]) for s in (x.shape, indices.shape)))
    limited(indices.shape)
    return {"axis": axis}


def take_along_axis(x: Array, indices: Picks, axis: int) -> Array:
    picked: Array = x[key_along(indices, axis, x.shape[: indices.ndim])]
    return picked


define("take_along_axis", take_along_axis, "layout", formula="along an axis, the element that stands in indices there",
       arguments="x indices", linear={0}, whole={1}, options={"axis": -1}, prepare=check_along,
       vjps=[lambda g, y, x, indices, axis: added_back(g, x.shape, key_along(indices, axis, x.shape)), None],
       samples=[sample(MATRIX, PLACES), sample(MATRIX, PLACES[:1] - 1, axis=-1), sample(ROW, PICKS),
                sample(TALL, PLACES, axis=0), sample(BLOCK, PLACES[..., None] - 1, axis=1),
                sample(EMPTY, np.zeros((0, 2), dtype=np.intp))])  # fmt: skip


def check_gathered(options: Mapping[str, Any], x: NDArray[Any], index: NDArray[Any]) -> Mapping[str, Any]:
    """torch's rule: as many axes as x, none longer than its own but the one picked along; no negative numbers."""
    axis = one_axis(options["axis"], x.shape)
    fits = index.ndim == x.ndim and all(
        a == axis or n <= m for a, (n, m) in enumerate(zip(index.shape, x.shape, strict=True))
    )
    if not fits:
        raise ShapeError(
            f"has an index of shape {index.shape} for shape {x.shape}",
            f"it needs as many axes as x, and no axis but {axis} may be longer than that of x",
        )
    check_picks(index, axis, x.shape)
    if index.size and np.min(index) < 0:
        seen = f"expected indices from 0 to {x.shape[axis] - 1}, got {np.min(index)}"
        raise ShapeError(seen, "take_along_axis counts negative ones from the end")
    return {"axis": axis}


define("gather", lambda x, index, axis: x[key_along(index, axis, index.shape)], "layout",
       formula="y[i, j] = x[i, index[i, j]] along axis 1, as torch.gather", arguments="x index", linear={0}, whole={1},
       options={"axis": REQUIRED}, order="x axis index", prepare=check_gathered,
       vjps=[lambda g, y, x, index, axis: added_back(g, x.shape, key_along(index, axis, index.shape)), None],
       samples=[sample(MATRIX, PLACES, axis=1), sample(MATRIX, PLACES[:1], axis=-1),
                sample(TALL, PLACES + 1, axis=0), sample(ROW, PICKS, axis=0),
                sample(BLOCK, PLACES[:, :1, None], axis=2),
                sample(EMPTY, np.zeros((0, 2), dtype=np.intp), axis=1)])  # fmt: skip


def check_table(options: Mapping[str, Any], ids: NDArray[Any], W: NDArray[Any]) -> Mapping[str, Any]:
    """A row of W for every id."""
    if not np.issubdtype(ids.dtype, np.integer):
        seen = f"expected whole numbers as ids, got {ids.dtype} numbers of shape {ids.shape}"
        raise ShapeError(seen, "the ids come first: embedding(ids, W)")
    if W.ndim != 2:
        raise ShapeError(f"expected a table with one row per id, got shape {W.shape}", "W has shape (ids, features)")
    if ids.size and not (np.min(ids) >= 0 and np.max(ids) < len(W)):
        worst = int(np.max(ids) if np.max(ids) >= len(W) else np.min(ids))
        seen = f"expected ids from 0 to {len(W) - 1}, got {worst}" if len(W) else f"has no row in shape {W.shape}"
        raise ShapeError(seen, f"the table has shape {W.shape}: one row per id")
    limited((prod(ids.shape), *W.shape[1:]))
    return options


define("embedding", lambda ids, W: W[ids], "layout", formula="the rows of W with those numbers; repeated ids share one",
       arguments="ids W", linear={1}, whole={0}, prepare=check_table,
       vjps=[None, lambda g, y, ids, W: added_back(g, W.shape, (ids,))],
       samples=[(PICKS, TALL), (PLACES, TALL), (np.array(2), TALL), (NONE, MATRIX)])  # fmt: skip

"""Contractions: a product of matrices summed over a shared axis, where a moved column becomes a change of low rank.

Left: a window on the contracted axis picks rows of b; if it is narrower than the output, the change stays factored.
Right: the window of the columns passes, that of the contracted axis picks columns of a.
"""

from __future__ import annotations

import numpy as np

from gradcheck.perturb.move import Move, summed
from gradcheck.perturb.site import Site
from gradcheck.perturb.window import Array, Entry, Window, hull, is_table, pick

MANY = 1 << 14  # products: with more, copies for the linear algebra pay


def is_product_of_matrices(site: Site) -> bool:
    """Whether a contraction is one of those that are sent by windows: `matmul`, and `dot` where it says the same."""
    if site.op.forward is np.dot:
        return site.arguments[0].ndim > 0 and site.arguments[1].ndim in (1, 2)
    return site.op.forward is np.matmul


def contraction(site: Site, left: Move | None, right: Move | None) -> Move:
    """The move of a @ b: da @ b + a @ db + da @ db."""
    a, b = site.arguments
    A = a[None, :] if a.ndim == 1 else a
    B = b[:, None] if b.ndim == 1 else b
    shape = (*np.broadcast_shapes(A.shape[:-2], B.shape[:-2]), A.shape[-2], B.shape[-1])
    if left is not None and right is not None:
        left, right = left.both(), right.both()
    if left is not None and a.ndim == 1:
        left = Move((None, *left.window), left.data[None], left.odd, left.directions)
    if right is not None and b.ndim == 1:
        right = Move((*right.window, None), right.full[:, None], right.odd)
    parts = []
    if left is not None:
        parts.append(_left(site, left, A, B, shape))
    if right is not None:
        parts.append(_right(A, right, B, shape))
    if left is not None and right is not None:
        parts.append(_together(left, right, A.shape, B.shape, shape))
    return _as_value(summed(parts, shape), a.ndim == 1, b.ndim == 1)


def _left(site: Site, move: Move, a: Array, b: Array, shape: tuple[int, ...]) -> Move:
    """da @ b."""
    entry, batch = move.window[-1], _entries(move.window, a.shape, shape)
    if is_table(entry) and entry.shape[0] > 1:  # a gather of b for every probe costs more than the whole product
        move, entry = _opened(move, a.shape, -1), None
    window = (*batch, move.window[-2], None)
    picked = pick(b, (*_trimmed(batch, b.shape, shape), entry, None))  # (…, w, n, 1 or K)
    if picked.shape[-1] > 1:
        return Move(window, _sum_of_products(move.full, picked), move.odd)
    rows = site.latest("rows", (*batch, entry, move.directions), lambda: _rows(picked[..., 0], move.directions))
    n, rank = rows.shape[-2:]
    result = Move(window, move.data, move.odd, rows)
    return result if rank < n and a.shape[:-2] == shape[:-2] else result.plain()


def _rows(b: Array, directions: Array | None) -> Array:
    """What single numbers in the place of the contracted axis, or along directions in it, add to a row of the value."""
    rows = b.swapaxes(-1, -2)
    if rows.ndim > 2:
        rows = np.expand_dims(rows, -3)  # the same for every row of a
    return rows if directions is None else np.matmul(rows, directions)


def _right(a: Array, move: Move, b: Array, shape: tuple[int, ...]) -> Move:
    """a @ db."""
    entry, batch = move.window[-2], _entries(move.window, b.shape, shape)
    if is_table(entry) and entry.shape[0] > 1:
        move, entry = _opened(move, b.shape, -2), None
    if move.directions is not None and move.directions.ndim > 2:  # they may differ from row to row of b
        move = move.plain()
    window = (*batch, None, move.window[-1])
    columns = pick(a, (*_trimmed(batch, a.shape, shape), None, entry))  # (…, R, w, 1 or K)
    data = move.data
    if columns.shape[-2] == 1:
        data = columns * data
    elif columns.shape[-1] > 1:
        data = _sum_of_products(columns, data)
    else:
        flat = np.matmul(columns[..., 0], data.reshape(*data.shape[:-2], -1))
        data = flat.reshape(*flat.shape[:-1], *data.shape[-2:])
    return Move(window, data, move.odd, move.directions)


def _together(left: Move, right: Move, a: tuple[int, ...], b: tuple[int, ...], shape: tuple[int, ...]) -> Move:
    """da @ db, probe by probe."""
    batches = zip(_entries(left.window, a, shape), _entries(right.window, b, shape), strict=True)
    batch = tuple(hull(pair) for pair in batches)
    shared: Entry = hull([left.window[-1], right.window[-2]])
    one = left.seen_through((*_trimmed(batch, a, shape), left.window[-2], shared), a)
    other = right.seen_through((*_trimmed(batch, b, shape), shared, right.window[-1]), b)
    return Move((*batch, left.window[-2], right.window[-1]), _sum_of_products(one, other), odd=False)


def _sum_of_products(one: Array, other: Array) -> Array:
    """Σ_k one[…, r, k, probe] · other[…, k, c, probe]: a product of matrices for each probe, or, where those are small,
    a pass per k along the probes."""
    if one.size * other.shape[-2] > MANY and one.shape[-2] > 1:
        a, b = (np.ascontiguousarray(np.moveaxis(array, -1, -3)) for array in (one, other))
        return np.ascontiguousarray(np.moveaxis(np.matmul(a, b), -3, -1))
    total = one[..., :, 0, None, :] * other[..., None, 0, :, :]
    for k in range(1, one.shape[-2]):
        total = total + one[..., :, k, None, :] * other[..., None, k, :, :]
    return total


def _opened(move: Move, shape: tuple[int, ...], axis: int) -> Move:
    frame = list(move.window)
    frame[axis] = None
    return Move(tuple(frame), move.seen_through(tuple(frame), shape), move.odd)


def _entries(window: Window, own: tuple[int, ...], shape: tuple[int, ...]) -> Window:
    """The entries of the batch axes as those of the product: the whole axis where the operand is repeated."""
    missing = len(shape) - len(own)
    kept = [e if n == m else None for e, n, m in zip(window[:-2], own[:-2], shape[missing:-2], strict=True)]
    return (None,) * missing + tuple(kept)


def _trimmed(batch: Window, own: tuple[int, ...], shape: tuple[int, ...]) -> Window:
    """Entries of the product's batch axes as those of an operand."""
    missing = len(shape) - len(own)
    return tuple(e if n == m else None for e, n, m in zip(batch[missing:], own[:-2], shape[missing:-2], strict=True))


def _as_value(move: Move, drops_row: bool, drops_column: bool) -> Move:
    """Without the axes that vectors were given to make them matrices."""
    if drops_column:
        move = move.plain()
        move = Move(move.window[:-1], move.data[..., 0, :], move.odd)
    if drops_row and drops_column:
        return Move(move.window[:-1], move.data[..., 0, :], move.odd)
    if drops_row:
        move = move.plain()
        return Move((*move.window[:-2], move.window[-1]), move.data[..., 0, :, :], move.odd)
    return move

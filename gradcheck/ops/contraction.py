"""Contractions: products summed over a shared axis.

Here an extra last axis cannot pass by itself; whoever sends one says where it goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.ops.broadcasting import broadcast_shape, limited, unbroadcast
from gradcheck.ops.registry import Array, define
from gradcheck.ops.samples import BLOCK, COLUMN, EMPTY, MATRIX, OTHER, POSITIVE_ROW, ROW, SCALAR, SQUARE


def check_product(options: Mapping[str, Any], a: NDArray[Any], b: NDArray[Any]) -> Mapping[str, Any]:
    """The last axis of a meets the last but one of b (the only one of a vector)."""
    if not a.ndim or not b.ndim:
        raise ShapeError(f"cannot multiply shapes {a.shape} and {b.shape}", "a number is multiplied with '*'")
    columns, lines = a.shape[-1], b.shape[-2] if b.ndim > 1 else b.shape[0]
    if columns != lines:
        raise ShapeError(
            f"cannot multiply shapes {a.shape} and {b.shape}: {columns} columns meet {lines} rows",
            "the last axis on the left and the last but one on the right must be equal",
        )
    batch = broadcast_shape(a.shape[:-2], b.shape[:-2])
    limited((*batch, *a.shape[-2:-1], *b.shape[-1:] * (b.ndim > 1)))
    return options


def as_matrices(g: Array, a: Array, b: Array) -> tuple[Array, Array, Array]:
    """A vector on the left is one row, on the right one column; g gets the axis that the product dropped."""
    if b.ndim == 1:
        b, g = b[:, None], np.expand_dims(g, -1)
    if a.ndim == 1:
        a, g = a[None, :], np.expand_dims(g, -2)
    return g, a, b


def left_vjp(g: Array, y: Array, a: Array, b: Array) -> Array:
    """g bᵀ, summed over the batch axes along which a was repeated."""
    G, A, B = as_matrices(g, a, b)
    return unbroadcast(G @ B.swapaxes(-1, -2), A).reshape(a.shape)


def right_vjp(g: Array, y: Array, a: Array, b: Array) -> Array:
    """aᵀ g, summed over the batch axes along which b was repeated."""
    G, A, B = as_matrices(g, a, b)
    return unbroadcast(A.swapaxes(-1, -2) @ G, B).reshape(b.shape)


define("matmul", np.matmul, "contraction", symbol="@", formula="the matrix product of a and b", linear={0, 1},
       prepare=check_product, vjps=[left_vjp, right_vjp],
       samples=[(MATRIX, SQUARE), (ROW, ROW - 2.0), (MATRIX, ROW), (ROW, SQUARE), (BLOCK, SQUARE), (BLOCK, ROW),
                (MATRIX, BLOCK.swapaxes(1, 2)), (ROW, BLOCK.swapaxes(1, 2)), (BLOCK[:, None], OTHER.T)])  # fmt: skip


def check_dot(options: Mapping[str, Any], a: NDArray[Any], b: NDArray[Any]) -> Mapping[str, Any]:
    """numpy's dot: a number multiplies; else the last axis of a meets the last but one of b (a vector's only one)."""
    if a.ndim and b.ndim:
        columns, lines = a.shape[-1], b.shape[-2:][0]
        if columns != lines:
            raise ShapeError(
                f"cannot multiply shapes {a.shape} and {b.shape}: {columns} columns meet {lines} rows",
                "the last axis on the left and the last but one on the right must be equal",
            )
        limited((*a.shape[:-1], *b.shape[:-2], *b.shape[-1:] * (b.ndim > 1)))
    return options


def dot_left_vjp(g: Array, y: Array, a: Array, b: Array) -> Array:
    """g with its axes that came from b summed against b."""
    if not a.ndim:
        return np.asarray(np.sum(g * b))
    if not b.ndim:
        return g * b
    others = [axis for axis in range(b.ndim) if axis != max(b.ndim - 2, 0)]
    return np.tensordot(g, b, (list(range(a.ndim - 1, g.ndim)), others))


def dot_right_vjp(g: Array, y: Array, a: Array, b: Array) -> Array:
    """g with its axes that came from a summed against a; the axis that met a's last goes back to its place in b."""
    if not a.ndim:
        return g * a
    if not b.ndim:
        return np.asarray(np.sum(g * a))
    others = list(range(a.ndim - 1))
    return np.moveaxis(np.tensordot(a, g, (others, others)), 0, max(b.ndim - 2, 0))


define("dot", np.dot, "contraction", linear={0, 1}, prepare=check_dot, vjps=[dot_left_vjp, dot_right_vjp],
       formula="as a @ b for vectors and matrices; with more axes, every row of a meets every column of b",
       samples=[(ROW, ROW - 2.0), (MATRIX, SQUARE), (MATRIX, ROW), (ROW, SQUARE), (BLOCK, SQUARE), (BLOCK, ROW),
                (MATRIX, BLOCK.swapaxes(1, 2)), (ROW, BLOCK.swapaxes(1, 2)), (SCALAR, MATRIX), (MATRIX, SCALAR),
                (EMPTY, SQUARE), (EMPTY.T, EMPTY)])  # fmt: skip


def check_outer(options: Mapping[str, Any], a: NDArray[Any], b: NDArray[Any]) -> Mapping[str, Any]:
    limited((a.size, b.size))
    return options


def every_pair(a: Array, b: Array) -> Array:
    """outer of arrays that have a probe axis behind their own."""
    product: Array = a.reshape(-1, 1, a.shape[-1]) * b.reshape(1, -1, b.shape[-1])
    return product


define("outer", lambda a, b: np.outer(a, b), "contraction", linear={0, 1}, prepare=check_outer,
       formula="every element of a times every element of b: one row per element of a",
       vjps=[lambda g, y, a, b: (g @ b.reshape(-1)).reshape(a.shape),
             lambda g, y, a, b: (a.reshape(-1) @ g).reshape(b.shape)],
       deltas=[lambda d, y, a, b: every_pair(d, b), lambda d, y, a, b: every_pair(a, d)],
       samples=[(ROW, ROW - 2.0), (ROW, POSITIVE_ROW[:2]), (MATRIX, OTHER), (SCALAR, ROW), (ROW, COLUMN),
                (EMPTY, ROW)])  # fmt: skip

"""Linear algebra of square matrices: trace, det, logdet, inv, solve, cholesky. Axes in front hold several matrices.

Whether the matrices of a case can be inverted or decomposed is said once, where the op is written; at points nearby,
where differences are taken, a value that does not exist is NaN.
Rules as in M. Giles, Collected matrix derivative results for forward and reverse mode AD (2008), sections 2 and 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.ops.axes import is_whole, one_axis
from gradcheck.ops.broadcasting import broadcast_shape, limited, unbroadcast
from gradcheck.ops.registry import Array, define, sample
from gradcheck.ops.samples import BLOCK, EMPTY, MATRIX, OTHER, ROW, SQUARE

EPS = float(np.finfo(np.float64).eps)
SEVERAL = np.stack([SQUARE, SQUARE.T + 2.0 * np.eye(3)])
POSITIVE = SEVERAL @ SEVERAL.swapaxes(-1, -2) + np.eye(3)
SINGLE = np.array([[1.7]])
NO_MATRICES = np.zeros((0, 2, 2))


def trailing(function: Callable[[Array], Array]) -> Callable[..., Array]:
    """The function of matrices in the last two axes, for arrays that may have one extra axis behind them."""

    def forward(x: Array, rank: int) -> Array:
        return function(x) if x.ndim == rank else np.moveaxis(function(np.moveaxis(x, -1, 0)), 0, -1)

    return forward


def transposed(x: Array) -> Array:
    return x.swapaxes(-1, -2)


def each(function: Callable[..., Array], shape: tuple[int, ...], *arrays: Array) -> Array:
    """The function of all matrices at once; where it has none for some of them, NaN for those, and of that shape."""
    try:
        return function(*arrays)
    except np.linalg.LinAlgError:
        batch = np.broadcast_shapes(*(a.shape[:-2] for a in arrays))
        if not batch:
            return np.full(shape, np.nan)
        wide = [np.broadcast_to(a, batch + a.shape[-2:]) for a in arrays]
        parts = [each(function, shape[len(batch) :], *(a[i] for a in wide)) for i in np.ndindex(batch)]
        return np.reshape(parts, shape)


def matrices(x: NDArray[Any]) -> None:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"expected a square matrix, got shape {x.shape}", "the last two axes must be equally long")


def square(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    matrices(x)
    return {"rank": x.ndim}


def regular(x: NDArray[Any]) -> None:
    """No singular value is nothing beside the largest (as matrix_rank judges). What is not finite is not judged."""
    matrices(x)
    if not x.size or not np.isfinite(x).all():
        return
    values = np.linalg.svd(x, compute_uv=False)
    largest, smallest = values[..., 0].reshape(-1), values[..., -1].reshape(-1)
    bad = np.flatnonzero(smallest <= EPS * x.shape[-1] * largest)
    if bad.size:
        i = int(bad[0])
        which = f"number {i} of shape {x.shape}" if x.ndim > 2 else f"the one of shape {x.shape}"
        seen = f"needs an invertible matrix; {which} has singular values from {largest[i]:.2g} to {smallest[i]:.2g}"
        raise ShapeError(seen, f"add a multiple of the identity: 0.1 * eye({x.shape[-1]})")


def invertible(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    regular(x)
    return {"rank": x.ndim}


def check_trace(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """Two different axes, and which diagonal of them."""
    if x.ndim < 2:
        raise ShapeError(f"expected a matrix, got shape {x.shape}", "the sum of a vector is sum(x)")
    axes = {name: one_axis(options[name], x.shape) for name in ("axis1", "axis2")}
    if axes["axis1"] == axes["axis2"]:
        raise ShapeError(f"was given an axis twice: {options['axis1']}", "name two different axes")
    if not is_whole(options["offset"]):
        raise ShapeError(f"expected a whole number as offset, got {options['offset']!r}", "0 is the main diagonal")
    return {"offset": options["offset"], **axes}


def trace_vjp(g: Array, y: Array, x: Array, offset: int, axis1: int, axis2: int) -> Array:
    """g along the diagonal, 0 elsewhere."""
    gradient = np.zeros(x.shape)
    view = np.moveaxis(gradient, (axis1, axis2), (-2, -1))
    view += g[..., None, None] * np.eye(x.shape[axis1], x.shape[axis2], offset)
    return gradient


define("trace", np.trace, "unknown", formula="the sum of the diagonal", linear={0},
       options={"offset": 0, "axis1": 0, "axis2": 1}, prepare=check_trace, vjps=[trace_vjp],
       deltas=[lambda d, y, x, **options: np.trace(d, **options)],
       samples=[(SQUARE,), (MATRIX,), sample(MATRIX, offset=1), sample(BLOCK, axis1=-1, axis2=1), (BLOCK,),
                sample(MATRIX, offset=-1), (EMPTY,), sample(NO_MATRICES, axis1=1, axis2=2)])  # fmt: skip


def cofactors(x: Array) -> Array:
    """∂det/∂x: det x · x⁻ᵀ, also where x has no inverse. From x = U S V: det U · det V · U·diag(Π of the other s)·V."""
    if not np.isfinite(x).all():
        return np.full(x.shape, np.nan)
    U, s, V = np.linalg.svd(x)
    grid = np.where(np.eye(s.shape[-1], dtype=bool), 1.0, s[..., None, :])
    others = np.multiply.reduce(grid, axis=-1)
    sign = np.linalg.det(U) * np.linalg.det(V)
    gradient: Array = sign[..., None, None] * ((U * others[..., None, :]) @ V)
    return gradient


define("det", trailing(np.linalg.det), "unknown", formula="the determinant", prepare=square,
       vjps=[lambda g, y, x, rank: g[..., None, None] * cofactors(x)],
       samples=[(SQUARE,), (SEVERAL,), (SINGLE,), (NO_MATRICES,),
                (BLOCK[:, :, :2],)])  # fmt: skip


def logdet(x: Array) -> Array:
    """log det x; NaN where the determinant is not positive."""
    sign, size = np.linalg.slogdet(x)
    return np.where(sign > 0.0, size, np.where(sign == 0.0, -np.inf, np.nan))


def positive_determinant(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    matrices(x)
    sign = np.linalg.slogdet(x)[0]
    if np.any(sign <= 0.0):
        worst = float(np.min(np.linalg.det(x)))
        raise ShapeError(
            f"expected a positive determinant, got {worst:.3g} in shape {x.shape}", "log(abs(det(x))) takes any sign"
        )
    return {"rank": x.ndim}


def inverse(x: Array) -> Array:
    return each(np.linalg.inv, x.shape, x)


define("logdet", trailing(logdet), "unknown", formula="the log of the determinant, which must be positive",
       prepare=positive_determinant,
       vjps=[lambda g, y, x, rank: g[..., None, None] * transposed(inverse(x))],
       samples=[(POSITIVE,), (SQUARE @ SQUARE + np.eye(3),), (SINGLE,), (NO_MATRICES,)])  # fmt: skip

define("inv", trailing(inverse), "unknown", formula="the inverse of x", prepare=invertible,
       vjps=[lambda g, y, x, rank: -transposed(y) @ g @ transposed(y)],
       samples=[(SQUARE,), (SEVERAL,), (SINGLE,), (NO_MATRICES,)])  # fmt: skip


def check_system(options: Mapping[str, Any], a: NDArray[Any], b: NDArray[Any]) -> Mapping[str, Any]:
    """A matrix and as many rows on the right; a right side with one axis is a vector."""
    regular(a)
    rows = b.shape[max(b.ndim - 2, 0)] if b.ndim else 0
    if not b.ndim or rows != a.shape[-1]:
        raise ShapeError(
            f"cannot solve shape {a.shape} for shape {b.shape}",
            f"the right side needs {a.shape[-1]} rows: shape ({a.shape[-1]},) or (…, {a.shape[-1]}, columns)",
        )
    limited((*broadcast_shape(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]))
    return {"ranks": (a.ndim, b.ndim)}


def in_front(x: Array, rank: int, wanted: int) -> Array:
    """x with an extra last axis moved in front, if it has one, and behind that ones up to the wanted rank."""
    extra = x.ndim - rank
    moved = np.moveaxis(x, -1, 0) if extra else x
    return moved.reshape(moved.shape[:extra] + (1,) * (wanted - rank) + moved.shape[extra:])


def solved(a: Array, b: Array) -> Array:
    """a⁻¹b for matrices on both sides."""
    # Before numpy 2.0 a right side with one axis less than the left was taken for vectors.
    b = b.reshape((1,) * (a.ndim - b.ndim) + b.shape)
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return each(np.linalg.solve, (*batch, *b.shape[-2:]), a, b)


def solve(a: Array, b: Array, ranks: tuple[int, int]) -> Array:
    rank = max(*ranks, 2)
    A = in_front(a, ranks[0], rank)
    B = in_front(b, 1, rank - 1)[..., None] if ranks[1] == 1 else in_front(b, ranks[1], rank)
    y = solved(A, B)
    y = y[..., 0] if ranks[1] == 1 else y
    return np.moveaxis(y, 0, -1) if (a.ndim, b.ndim) != ranks else y


def right_side_vjp(g: Array, y: Array, a: Array, b: Array, ranks: tuple[int, int]) -> Array:
    """a⁻ᵀg, summed over the matrices that share b."""
    if ranks[1] == 1:
        return unbroadcast(solved(transposed(a), g[..., None])[..., 0], b)
    return unbroadcast(solved(transposed(a), g), b)


def left_side_vjp(g: Array, y: Array, a: Array, b: Array, ranks: tuple[int, int]) -> Array:
    """−(a⁻ᵀg) yᵀ, summed over the right sides that share a."""
    G, Y = (g[..., None], y[..., None]) if ranks[1] == 1 else (g, y)
    return unbroadcast(-solved(transposed(a), G) @ transposed(Y), a)


define("solve", solve, "unknown", formula="the x of a @ x = b; b with one axis is one right side", linear={1},
       prepare=check_system, vjps=[left_side_vjp, right_side_vjp],
       samples=[(SQUARE, ROW), (SQUARE, OTHER.T), (SEVERAL, ROW), (SEVERAL, OTHER.T), (SQUARE, SEVERAL),
                (SEVERAL, SEVERAL[:1] + 1.0), (SINGLE, ROW[None]), (NO_MATRICES, np.zeros((0, 2, 1)))])  # fmt: skip


def symmetric(x: Array) -> Array:
    return (x + transposed(x)) / 2.0


def positive_definite(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    matrices(x)
    if np.isfinite(x).all() and np.isnan(cholesky(x)).any():
        smallest = float(np.min(np.linalg.eigvalsh(symmetric(x))))
        seen = f"expected a positive definite matrix; the smallest eigenvalue in shape {x.shape} is {smallest:.3g}"
        raise ShapeError(seen, f"x @ x.T + 0.1 * eye({x.shape[-1]}) is positive definite")
    return {"rank": x.ndim}


def cholesky(x: Array) -> Array:
    """The lower triangle L with L Lᵀ = (x + xᵀ)/2. numpy reads the lower half only; here, as in jax, each half counts
    alike: for a symmetric x the value is the same, and the gradient is symmetric."""
    return each(np.linalg.cholesky, x.shape, symmetric(x))


def cholesky_vjp(g: Array, y: Array, x: Array, rank: int) -> Array:
    """The symmetric part of L⁻ᵀ Φ(Lᵀg) L⁻¹, Φ taking the lower triangle with half the diagonal (I. Murray 2016)."""
    product = transposed(y) @ np.tril(g)
    half = np.tril(product) * (1.0 - np.eye(x.shape[-1]) / 2.0)
    left = solved(transposed(y), half)
    return symmetric(solved(transposed(y), transposed(left)))


define("cholesky", trailing(cholesky), "unknown", formula="the lower triangle L with L Lᵀ = x, of (x + xᵀ)/2",
       prepare=positive_definite, vjps=[cholesky_vjp],
       samples=[(POSITIVE,), (POSITIVE[0],), (SINGLE,), (NO_MATRICES,), (POSITIVE[1] + SQUARE / 9.0,)])  # fmt: skip

"""Layout ops that leave places to a constant: pad, diag, tril, triu. Zero, but for a pad that names another number.

What is filled is `forward` of zeros; elsewhere each output is one element of the argument, as in all layout ops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.ops.axes import is_whole, whole_numbers
from gradcheck.ops.broadcasting import limited
from gradcheck.ops.layout import added_back
from gradcheck.ops.registry import REQUIRED, Array, define, sample
from gradcheck.ops.samples import BLOCK, EMPTY, MATRIX, ROW, SCALAR, SQUARE

MODES = ("constant", "edge", "reflect", "symmetric", "wrap")
Width = tuple[tuple[int, int], ...]


def pad_width(given: Any, shape: tuple[int, ...]) -> Width:
    """(before, after) of every axis; one number, one pair, or one pair per axis as people write them."""
    listed = given if isinstance(given, tuple | list) else (given, given)
    pairs = listed if any(isinstance(part, tuple | list) for part in listed) else (listed,)
    pairs = [whole_numbers(pair, "pad_width", 0) for pair in pairs]
    pairs = [pair * 2 if len(pair) == 1 else pair for pair in pairs]
    pairs = pairs * len(shape) if len(pairs) == 1 else pairs
    if any(len(pair) != 2 for pair in pairs) or len(pairs) != len(shape):
        raise ShapeError(
            f"cannot pad shape {shape} by {given}", "write one number, (before, after), or such a pair for every axis"
        )
    return tuple((before, after) for before, after in pairs)


def check_padding(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    width, mode, constant = pad_width(options["pad_width"], x.shape), options["mode"], options["constant_values"]
    if mode not in MODES:
        raise ShapeError(f"has no mode {mode!r}", f"the modes are {', '.join(MODES)}")
    if isinstance(constant, bool) or not isinstance(constant, int | float):
        raise ShapeError(f"expected one number as constant_values, got {constant!r}", "write constant_values=0")
    if mode != "constant" and any(n == 0 and pair != (0, 0) for n, pair in zip(x.shape, width, strict=True)):
        raise ShapeError(f"has nothing to repeat in shape {x.shape}", "an empty axis is padded by mode='constant' only")
    limited(tuple(n + before + after for n, (before, after) in zip(x.shape, width, strict=True)))
    return {"width": width, "mode": mode, "fill": float(constant)}


def sources(length: int, pair: tuple[int, int], mode: str) -> NDArray[np.intp]:
    """Which element of an axis stands in each place of the padded one."""
    return np.pad(np.arange(length), pair, mode)  # type: ignore[call-overload,no-any-return]  # any mode


def inside(shape: tuple[int, ...], width: Width) -> tuple[slice, ...]:
    """Where the argument itself stands in the padded array."""
    return tuple(slice(before, before + n) for n, (before, _) in zip(shape, width, strict=False))


def pad(x: Array, width: Width, mode: str, fill: float) -> Array:
    if mode == "constant":
        longer = [n + sum(pair) for n, pair in zip(x.shape, width, strict=False)]
        padded = np.full([*longer, *x.shape[len(width) :]], fill, dtype=np.result_type(x, np.float64))
        padded[inside(x.shape, width)] = x
        return padded
    for axis, pair in enumerate(width):
        if pair != (0, 0):
            x = np.take(x, sources(x.shape[axis], pair, mode), axis=axis)
    return x


def pad_vjp(g: Array, y: Array, x: Array, width: Width, mode: str, fill: float) -> Array:
    """The part of g where x stands, and what arrives at its copies beyond, axis by axis."""
    if mode == "constant":
        return g[inside(x.shape, width)]
    for axis, pair in enumerate(width):
        if pair != (0, 0):
            shape = (*g.shape[:axis], x.shape[axis], *g.shape[axis + 1 :])
            g = added_back(g, shape, (*(slice(None),) * axis, sources(x.shape[axis], pair, mode)))
    return g


define("pad", pad, "layout", formula="x with a border of a constant (constant_values), or of its own elements",
       linear={0}, options={"pad_width": REQUIRED, "mode": "constant", "constant_values": 0}, prepare=check_padding,
       vjps=[pad_vjp],
       samples=[sample(ROW, pad_width=1), sample(MATRIX, pad_width=(1, 2), constant_values=-1.5),
                sample(MATRIX, pad_width=((0, 0), (2, 1)), mode="edge"),
                sample(MATRIX, pad_width=((1, 0), (1, 2)), mode="reflect"),
                sample(MATRIX, pad_width=((3, 1), (0, 2)), mode="symmetric"),
                sample(BLOCK, pad_width=((0, 0), (1, 1), (4, 5)), mode="wrap"),
                sample(EMPTY, pad_width=1), sample(SCALAR, pad_width=1)])  # fmt: skip


def check_diagonal(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """A vector or a matrix, and which diagonal: k = 0 the main one, above it k > 0."""
    k = options["k"]
    if x.ndim not in (1, 2):
        raise ShapeError(f"expected a vector or a matrix, got shape {x.shape}", "tril and triu take any number of axes")
    if not is_whole(k):
        raise ShapeError(f"expected a whole number as k, got {k!r}", "k=0 is the main diagonal, k=1 the one above")
    if x.ndim == 2 and not -x.shape[0] <= k <= x.shape[1]:
        raise ShapeError(f"has no diagonal {k} in shape {x.shape}", "k=0 is the main diagonal, k=1 the one above")
    if x.ndim == 1:
        limited((x.size + abs(k),) * 2)
    return {"k": k, "rank": x.ndim}


def on_diagonal(count: int, k: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the first elements of a diagonal."""
    steps = np.arange(count)
    return steps + max(-k, 0), steps + max(k, 0)


def diagonal_length(shape: tuple[int, ...], k: int) -> int:
    return max(min(shape[0] - max(-k, 0), shape[1] - max(k, 0)), 0)


def diag(x: Array, k: int, rank: int) -> Array:
    """The diagonal of a matrix, or the matrix with a vector on it."""
    if rank == 2:
        return x[on_diagonal(diagonal_length(x.shape, k), k)]
    size = x.shape[0] + abs(k)
    matrix = np.zeros((size, size, *x.shape[1:]), dtype=x.dtype)
    matrix[on_diagonal(x.shape[0], k)] = x
    return matrix


def diag_vjp(g: Array, y: Array, x: Array, k: int, rank: int) -> Array:
    if rank == 1:
        return g[on_diagonal(x.size, k)]
    return added_back(g, x.shape, on_diagonal(g.size, k))


define("diag", diag, "layout", formula="the diagonal k of a matrix, or a vector as the diagonal k of one", linear={0},
       options={"k": 0}, prepare=check_diagonal, vjps=[diag_vjp],
       samples=[(ROW,), (MATRIX,), (SQUARE,), sample(ROW, k=-1), sample(MATRIX, k=1), sample(MATRIX, k=-1),
                (EMPTY,)])  # fmt: skip


def check_triangle(options: Mapping[str, Any], x: NDArray[Any]) -> Mapping[str, Any]:
    """A matrix, or several of them in front axes."""
    if x.ndim < 2:
        raise ShapeError(f"expected a matrix, got shape {x.shape}", "the last two axes are rows and columns")
    if not is_whole(options["k"]):
        raise ShapeError(f"expected a whole number as k, got {options['k']!r}", "k=0 keeps the main diagonal")
    return {"k": options["k"], "rank": x.ndim}


def define_triangle(name: str, mask: Callable[..., NDArray[np.bool_]], formula: str) -> None:
    def kept(x: Array, k: int, rank: int) -> Array:
        keep = mask(x.shape[rank - 2], x.shape[rank - 1], k)
        return np.where(keep.reshape(keep.shape + (1,) * (x.ndim - rank)), x, 0.0)

    define(name, kept, "layout", formula=formula, linear={0}, options={"k": 0}, prepare=check_triangle,
           vjps=[lambda g, y, x, k, rank: kept(g, k, rank)],
           samples=[(MATRIX,), (SQUARE,), (BLOCK,), sample(SQUARE, k=1), sample(SQUARE, k=-1),
                    (EMPTY,)])  # fmt: skip


define_triangle("tril", lambda n, m, k: np.tri(n, m, k, dtype=bool),
                "x below and on the diagonal k, 0 above it; of the last two axes")  # fmt: skip
define_triangle("triu", lambda n, m, k: ~np.tri(n, m, k - 1, dtype=bool),
                "x above and on the diagonal k, 0 below it; of the last two axes")  # fmt: skip

"""Ops on arrays with drawn shapes and options: the value is numpy's, every rule agrees with differences.

The samples beside an op fix its options; here axes, widths, shifts, cuts, indices, modes and letters are drawn too,
empty axes and axes of length 1 among them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from gradcheck.ops.registry import Sample, get
from tests.property.applications import Application, Array, upstream
from tests.property.differences import agrees

COUNT = 400 if os.environ.get("SOAK") else 30
Random = np.random.Generator


class Draw(NamedTuple):
    """Arguments and options of an op, and what numpy makes of them."""

    arguments: tuple[Array, ...]
    options: dict[str, Any]
    expected: Any


def shape(r: Random, least: int = 0, most: int = 3, shortest: int = 0) -> tuple[int, ...]:
    return tuple(int(n) for n in r.integers(shortest, 4, size=r.integers(least, most + 1)))


def numbers(r: Random, *of: int) -> Array:
    return np.asarray(r.normal(size=of))


def an_axis(r: Random, rank: int) -> int:
    return int(r.integers(-rank, rank))


def some_axes(r: Random, rank: int) -> Any:
    """None, one axis, or several in any order, each counted from either end."""
    chosen = r.permutation(rank)[: r.integers(0, rank + 1)]
    listed = tuple(int(a) - rank * int(r.integers(0, 2)) for a in chosen)
    return [None, listed, *listed[:1]][r.integers(0, 2 + bool(listed))]


def either(r: Random, *values: Any) -> Any:
    return values[r.integers(0, len(values))]


def whole(r: Random, low: int, high: int, count: int) -> tuple[int, ...]:
    return tuple(int(n) for n in r.integers(low, high, size=count))


# -- layouts ----------------------------------------------------------------------------------------------------------


def squeeze(r: Random) -> Draw:
    x = numbers(r, *(int(n) for n in either(r, (1, 2, 1), (1, 1), (3,), (), (0, 1))))
    ones = [a for a, n in enumerate(x.shape) if n == 1]
    axis = either(r, None, tuple(ones), *ones[:1])
    return Draw((x,), {"axis": axis}, np.squeeze(x, axis))


def expand_dims(r: Random) -> Draw:
    x = numbers(r, *shape(r))
    axis = tuple(int(a) for a in r.permutation(x.ndim + 2)[:2] - either(r, 0, x.ndim + 2))
    return Draw((x,), {"axis": axis}, np.expand_dims(x, axis))


def swapaxes(r: Random) -> Draw:
    x = numbers(r, *shape(r, 1))
    axes = an_axis(r, x.ndim), an_axis(r, x.ndim)
    return Draw((x,), {"axis1": axes[0], "axis2": axes[1]}, np.swapaxes(x, *axes))


def moveaxis(r: Random) -> Draw:
    x = numbers(r, *shape(r, 1))
    count = r.integers(0, x.ndim + 1)
    source, destination = (tuple(int(a) for a in r.permutation(x.ndim)[:count]) for _ in range(2))
    return Draw((x,), {"source": source, "destination": destination}, np.moveaxis(x, source, destination))


def stack(r: Random) -> Draw:
    of = shape(r)
    arrays = tuple(numbers(r, *of) for _ in range(r.integers(1, 4)))
    axis = an_axis(r, len(of) + 1)
    return Draw(arrays, {"axis": axis}, np.stack(arrays, axis))


def concatenate(r: Random) -> Draw:
    of = shape(r, 1)
    axis = an_axis(r, len(of))
    lengths = whole(r, 0, 4, int(r.integers(1, 4)))
    arrays = tuple(numbers(r, *(n if a != axis % len(of) else m for a, n in enumerate(of))) for m in lengths)
    return Draw(arrays, {"axis": axis}, np.concatenate(arrays, axis))


def split(r: Random) -> Draw:
    x = numbers(r, *shape(r, 1))
    axis = an_axis(r, x.ndim)
    cuts = tuple(sorted(whole(r, 0, x.shape[axis] + 1, int(r.integers(0, 4)))))
    sections = either(r, cuts, x.shape[axis] or 1, 1)
    parts = np.split(x, list(sections) if isinstance(sections, tuple) else sections, axis)
    output = int(r.integers(0, len(parts)))
    return Draw((x,), {"sections": sections, "axis": axis, "output": output}, parts[output])


def flip(r: Random) -> Draw:
    x = numbers(r, *shape(r))
    axis = some_axes(r, x.ndim)
    return Draw((x,), {"axis": axis}, np.flip(x, axis))


def roll(r: Random) -> Draw:
    x = numbers(r, *shape(r))
    axis = some_axes(r, x.ndim)
    axis = None if axis == () else axis
    shift = whole(r, -4, 5, len(axis)) if isinstance(axis, tuple) and len(axis) > 1 else int(r.integers(-4, 5))
    return Draw((x,), {"shift": shift, "axis": axis}, np.roll(x, shift, axis))


def tile(r: Random) -> Draw:
    x, reps = numbers(r, *shape(r, most=2)), whole(r, 0, 3, int(r.integers(0, 4)))
    return Draw((x,), {"reps": reps}, np.tile(x, reps))


def repeat(r: Random) -> Draw:
    x = numbers(r, *shape(r))
    axis = either(r, None, an_axis(r, x.ndim)) if x.ndim else None
    repeats = either(r, 2, whole(r, 0, 3, x.size if axis is None else x.shape[axis]))
    return Draw((x,), {"repeats": repeats, "axis": axis}, np.repeat(x, repeats, axis))


def broadcast_to(r: Random) -> Draw:
    x = numbers(r, *shape(r, most=2))
    of = (*shape(r, most=1), *(either(r, 0, 1, 3) if n == 1 else n for n in x.shape))
    return Draw((x,), {"shape": of}, np.broadcast_to(x, of))


def pad(r: Random) -> Draw:
    x = numbers(r, *shape(r, 1, shortest=1))
    width = tuple(whole(r, 0, 5, 2) for _ in x.shape)
    mode = either(r, "constant", "edge", "reflect", "symmetric", "wrap")
    if mode == "constant":
        return Draw((x,), {"pad_width": width, "constant_values": 1.5}, np.pad(x, width, constant_values=1.5))
    return Draw((x,), {"pad_width": width, "mode": mode}, np.pad(x, width, mode))


def diag(r: Random) -> Draw:
    x = numbers(r, *shape(r, 1, 2))
    k = int(r.integers(-3, 4)) if x.ndim == 1 else int(r.integers(-x.shape[0], x.shape[1] + 1))
    return Draw((x,), {"k": k}, np.diag(x, k) if x.ndim == 1 or x.size else np.zeros(0))


def triangle(cut: Callable[..., Array]) -> Callable[[Random], Draw]:
    def drawn(r: Random) -> Draw:
        x, k = numbers(r, *shape(r, 2)), int(r.integers(-3, 4))
        return Draw((x,), {"k": k}, cut(x, k))

    return drawn


def take(r: Random) -> Draw:
    x = numbers(r, *shape(r, shortest=1))
    axis = either(r, None, an_axis(r, x.ndim)) if x.ndim else None
    length = x.size if axis is None else x.shape[axis]
    picks = r.integers(-length, length, size=shape(r, most=2))
    return Draw((x, picks), {"axis": axis}, np.take(x, picks, axis))


def take_along_axis(r: Random) -> Draw:
    x = numbers(r, *shape(r, 1, shortest=1))
    axis = an_axis(r, x.ndim)
    of = [either(r, n, 1) for n in x.shape]
    of[axis] = int(r.integers(0, 4))
    picks = r.integers(-x.shape[axis], x.shape[axis], size=of)
    return Draw((x, picks), {"axis": axis}, np.take_along_axis(x, picks, axis))


def gather(r: Random) -> Draw:
    x = numbers(r, *shape(r, 1, shortest=1))
    axis = an_axis(r, x.ndim) % x.ndim
    of = [int(r.integers(0, n + 1)) for n in x.shape]
    of[axis] = int(r.integers(0, 5))
    picks = r.integers(0, x.shape[axis], size=of)
    expected = np.zeros(of)
    for place in np.ndindex(*of):
        expected[place] = x[(*place[:axis], picks[place], *place[axis + 1 :])]
    return Draw((x, picks), {"axis": axis}, expected)


def embedding(r: Random) -> Draw:
    W = numbers(r, *shape(r, 2, 2, shortest=1))
    ids = r.integers(0, len(W), size=shape(r, most=2))
    return Draw((ids, W), {}, W[ids])


# -- along axes -------------------------------------------------------------------------------------------------------


def reduction(least: int, reduce: Callable[..., Any], **choices: tuple[Any, ...]) -> Callable[[Random], Draw]:
    """least : how short an axis may be"""

    def drawn(r: Random) -> Draw:
        x = numbers(r, *shape(r, shortest=least))
        options = {name: either(r, *values) for name, values in choices.items()}
        options.update(axis=some_axes(r, x.ndim), keepdims=bool(r.integers(0, 2)))
        return Draw((x,), options, reduce(x, **options))

    return drawn


def norm(x: Array, ord: float, axis: Any, keepdims: bool) -> Any:
    if ord == np.inf:
        return np.max(np.abs(x), axis=axis, keepdims=keepdims)
    return np.sum(np.abs(x) ** ord, axis=axis, keepdims=keepdims) ** (1.0 / ord)


def scan(function: Callable[..., Any]) -> Callable[[Random], Draw]:
    def drawn(r: Random) -> Draw:
        x = numbers(r, *shape(r, 1))
        x[r.uniform(size=x.shape) < 0.2] = 0.0 if function in (np.cumprod, np.cumsum) else 5.0
        axis = an_axis(r, x.ndim)
        return Draw((x,), {"axis": axis}, function(x, axis=axis))

    return drawn


def topk(r: Random) -> Draw:
    x = numbers(r, *shape(r, 1, shortest=1))
    axis = an_axis(r, x.ndim)
    k = int(r.integers(1, x.shape[axis] + 1))
    return Draw((x,), {"k": k, "axis": axis}, np.take(-np.sort(-x, axis), range(k), axis))


# -- products and matrices --------------------------------------------------------------------------------------------


def dot(r: Random) -> Draw:
    n = int(r.integers(0, 4))
    a, b = numbers(r, *shape(r, most=2), n), numbers(r, *shape(r, most=1), n, *shape(r, 1, 1))
    a, b = either(r, (a, b), (a, numbers(r, n)), (a, numbers(r)), (numbers(r), b))
    return Draw((a, b), {}, np.dot(a, b))


def outer(r: Random) -> Draw:
    a, b = numbers(r, *shape(r, most=2)), numbers(r, *shape(r, most=2))
    return Draw((a, b), {}, np.outer(a, b))


def einsum(r: Random) -> Draw:
    """Letters repeat within and across operands; what the output leaves out is summed."""
    lengths = dict(zip("ijkl", whole(r, 0, 4, 4), strict=True))
    operands = ["".join(r.choice(list("ijkl"), size=r.integers(0, 4))) for _ in range(r.integers(1, 4))]
    used = sorted(set("".join(operands)))
    output = "".join(r.permutation(used)[: r.integers(0, len(used) + 1)])
    subscripts = either(r, f"{','.join(operands)}->{output}", ",".join(operands))
    arrays = tuple(numbers(r, *(lengths[c] for c in axes)) for axes in operands)
    return Draw(arrays, {"subscripts": subscripts}, np.einsum(subscripts, *arrays))


def trace(r: Random) -> Draw:
    x = numbers(r, *shape(r, 2))
    axis1, axis2 = (int(a) for a in r.permutation(x.ndim)[:2])
    options = {"offset": int(r.integers(-2, 3)), "axis1": axis1, "axis2": axis2 - either(r, 0, x.ndim)}
    return Draw((x,), options, np.trace(x, **options))


def regular(r: Random, batch: tuple[int, ...], n: int) -> Array:
    return numbers(r, *batch, n, n) + 3.0 * np.eye(n)


def of_matrices(function: Callable[[Array], Any], *, positive: bool = False) -> Callable[[Random], Draw]:
    def drawn(r: Random) -> Draw:
        x = regular(r, shape(r, most=1), int(r.integers(1, 5)))
        x = x @ x.swapaxes(-1, -2) / 5.0 if positive else x
        return Draw((x,), {}, function(x))

    return drawn


def solve(r: Random) -> Draw:
    n, batch = int(r.integers(1, 4)), shape(r, most=2, shortest=1)
    a = regular(r, either(r, batch, batch[1:], ()), n)
    b = either(r, numbers(r, n), numbers(r, *batch, n, 2), numbers(r, n, 1))
    columns = b[:, None] if b.ndim == 1 else b
    expected = np.linalg.inv(a) @ columns
    return Draw((a, b), {}, expected[..., 0] if b.ndim == 1 else expected)


DRAWN: dict[str, Callable[[Random], Draw]] = {
    "ravel": lambda r: (lambda x: Draw((x,), {}, x.ravel()))(numbers(r, *shape(r))),
    "squeeze": squeeze, "expand_dims": expand_dims, "swapaxes": swapaxes, "moveaxis": moveaxis, "stack": stack,
    "concatenate": concatenate, "split": split, "flip": flip, "roll": roll, "tile": tile, "repeat": repeat,
    "broadcast_to": broadcast_to, "pad": pad, "diag": diag, "tril": triangle(np.tril), "triu": triangle(np.triu),
    "take": take, "take_along_axis": take_along_axis, "gather": gather, "embedding": embedding,
    "sum": reduction(0, np.sum), "mean": reduction(1, np.mean), "max": reduction(1, np.max),
    "min": reduction(1, np.min),
    "prod": reduction(0, np.prod), "var": reduction(1, np.var, ddof=(0,)), "std": reduction(2, np.std, ddof=(0,)),
    "norm": reduction(1, norm, ord=(1, 2, np.inf)), "cumsum": scan(np.cumsum), "cumprod": scan(np.cumprod),
    "sort": scan(np.sort), "topk": topk,
    "dot": dot, "outer": outer, "einsum": einsum, "trace": trace, "det": of_matrices(np.linalg.det),
    "inv": of_matrices(np.linalg.inv), "logdet": of_matrices(lambda x: np.log(np.linalg.det(x)), positive=True),
    "cholesky": of_matrices(np.linalg.cholesky, positive=True), "solve": solve,
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
def test_with_drawn_options_value_and_rules_are_right(name: str) -> None:
    compared = 0
    for seed in range(COUNT):
        drawn = DRAWN[name](np.random.default_rng([seed, len(name)]))
        application = Application.of(get(name), Sample(drawn.arguments, drawn.options))
        value = application.value()
        assert value.shape == np.shape(drawn.expected), drawn
        np.testing.assert_allclose(value, drawn.expected, rtol=1e-12, atol=1e-12, err_msg=str(drawn))
        if application.margin() < 1e-3:
            continue
        for position in application.differentiable():
            assert agrees(application, position, upstream(value.shape, seed)), drawn
            compared += value.size > 0
    assert compared > COUNT // 4

"""Elementwise ops that switch at 0 or where two arguments meet, and what happens exactly at a switch.

A `Kink` tells branch, margin and one-sided slopes without any probe; who uses them (the verdict at a kink, windows that
leave dead rows out) is elsewhere. Gradients at a kink are those of torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.ops.broadcasting import broadcast_shape, unbroadcast
from gradcheck.ops.changes import abs_change, negative_part_change, relu_change
from gradcheck.ops.registry import Array, Kink, define
from gradcheck.ops.samples import COLUMN, CONDITION, MATRIX, OTHER, ROW, SCALAR

PAIRS = [(MATRIX, OTHER), (MATRIX, ROW), (COLUMN, ROW), (SCALAR, MATRIX), (SCALAR, SCALAR / 2)]
SINGLES = [(SCALAR,), (ROW,), (MATRIX,)]


def sign_branch(x: Array) -> NDArray[np.int8]:
    """Which side of 0: −1, 0, 1. Zero is a branch of its own, so that leaving it in either direction is a switch."""
    return np.sign(x).astype(np.int8)


def difference_branch(a: Array, b: Array) -> NDArray[np.int8]:
    """Which of two is larger: 1 for a, −1 for b, 0 at a tie."""
    return sign_branch(np.subtract(a, b, dtype=np.float64))


def half_gap(a: Array, b: Array) -> Array:
    """Both may move, towards each other: half the distance is what each can move without meeting the other."""
    return np.abs(np.subtract(a, b, dtype=np.float64)) / 2.0


define("relu", lambda x: np.maximum(x, 0.0), formula="max(x, 0)",
       vjps=[lambda g, y, x: g * (x > 0)],
       deltas=[lambda d, y, x: relu_change(d, x)],
       kink=Kink("slopes 0 and 1 meet at x = 0; the gradient there counts as 0", sign_branch, np.abs,
                 slopes=(lambda x: ((x > 0) * 1.0, (x >= 0) * 1.0),)),
       samples=SINGLES)  # fmt: skip

define("abs", np.abs, formula="|x|",
       vjps=[lambda g, y, x: g * np.sign(x)],
       deltas=[lambda d, y, x: abs_change(d, x)],
       kink=Kink("slopes −1 and 1 meet at x = 0; the gradient there counts as 0", sign_branch, np.abs,
                 slopes=(lambda x: (np.where(x > 0, 1.0, -1.0), np.where(x >= 0, 1.0, -1.0)),)),
       samples=SINGLES)  # fmt: skip


def share(first: Array, second: Array) -> Array:
    """1 where `first` is larger, 0 where it is smaller, one half each at a tie."""
    return np.where(first == second, 0.5, first > second)


def larger_slopes(first: Array, second: Array) -> tuple[Any, Any]:
    """Left and right slope of max(first, second) in `first`: at a tie it follows `first` only upwards."""
    return (first > second) * 1.0, (first >= second) * 1.0


TIE = "at a = b each argument has the slopes 0 and 1; the gradient there is shared, one half each"

define("maximum", np.maximum, formula="the larger of a and b",
       vjps=[lambda g, y, a, b: unbroadcast(g * share(a, b), a),
             lambda g, y, a, b: unbroadcast(g * share(b, a), b)],
       deltas=[lambda d, y, a, b: relu_change(d, a - b), lambda d, y, a, b: relu_change(d, b - a)],
       kink=Kink(TIE, difference_branch, half_gap,
                 slopes=(lambda a, b: larger_slopes(a, b), lambda a, b: larger_slopes(b, a))),
       samples=PAIRS)  # fmt: skip

define("minimum", np.minimum, formula="the smaller of a and b",
       vjps=[lambda g, y, a, b: unbroadcast(g * share(b, a), a),
             lambda g, y, a, b: unbroadcast(g * share(a, b), b)],
       deltas=[lambda d, y, a, b: negative_part_change(d, a - b), lambda d, y, a, b: negative_part_change(d, b - a)],
       kink=Kink(TIE, difference_branch, half_gap,
                 slopes=(lambda a, b: larger_slopes(b, a)[::-1], lambda a, b: larger_slopes(a, b)[::-1])),
       samples=PAIRS)  # fmt: skip


def a_condition(options: Mapping[str, Any], condition: Array, a: Array, b: Array) -> Mapping[str, Any]:
    """The first argument of `where` must be 0 or 1 everywhere: another number would hide where the value jumps."""
    broadcast_shape(condition.shape, a.shape, b.shape)
    if not np.isin(condition, (0.0, 1.0)).all():
        raise ShapeError("expected a condition, 0 or 1 everywhere, as its first argument", "write a comparison: x > 0")
    return options


# No kink of its own: a condition changes only where a comparison switches, and the comparison tells.
define("where", lambda condition, a, b: np.where(condition != 0, a, b), arguments="condition a b",
       formula="a where the condition holds, b elsewhere", linear={1, 2}, additive=True, prepare=a_condition,
       vjps=[None,
             lambda g, y, condition, a, b: unbroadcast(np.where(condition != 0, g, 0.0), a),
             lambda g, y, condition, a, b: unbroadcast(np.where(condition != 0, 0.0, g), b)],
       deltas=[None,
               lambda d, y, condition, a, b: np.where(condition != 0, d, 0.0),
               lambda d, y, condition, a, b: np.where(condition != 0, 0.0, d)],
       samples=[(CONDITION, MATRIX, OTHER), (CONDITION, ROW, COLUMN), (CONDITION, SCALAR, MATRIX),
                (np.array([1.0, 0.0, 1.0]), MATRIX, SCALAR)])  # fmt: skip


def define_comparison(name: str, symbol: str, compare: Callable[..., NDArray[np.bool_]]) -> None:
    """A comparison is 1.0 where it holds and 0.0 elsewhere – a number, so that masks may be added and multiplied."""
    define(name, lambda a, b: compare(a, b) * 1.0, symbol=symbol, formula=f"1 where a {symbol} b, 0 elsewhere",
           vjps=[None, None],
           kink=Kink("the value jumps where a and b meet; the gradient counts as 0", difference_branch, half_gap),
           samples=PAIRS)  # fmt: skip


define_comparison("less", "<", np.less)
define_comparison("less_equal", "<=", np.less_equal)
define_comparison("greater", ">", np.greater)
define_comparison("greater_equal", ">=", np.greater_equal)
define_comparison("equal", "==", np.equal)
define_comparison("not_equal", "!=", np.not_equal)

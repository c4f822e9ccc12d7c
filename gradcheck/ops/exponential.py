"""Exponentials, logarithms and the sigmoid family, element by element.

Written so that neither tail overflows or loses digits; what can be said by expm1 and log1p is said by them.
"""

from __future__ import annotations

from math import log

import numpy as np

from gradcheck.ops.broadcasting import unbroadcast
from gradcheck.ops.changes import both_within, reaches, within
from gradcheck.ops.elementwise import PAIRS, POSITIVE_SINGLES, SINGLES
from gradcheck.ops.registry import Array, Rule, define
from gradcheck.ops.samples import MATRIX


def exp_twins(d: Array, y: Array, x: Array) -> tuple[Array, Array]:
    """y·e and −y·e / (1 + e), e = e^d − 1: one exponential for both signs."""
    e = np.expm1(d)
    ahead = y * e
    return ahead, -ahead / (1.0 + e)


# eˣ(e^d − 1); for steps above 1 nothing cancels in the plain difference, and e^d may overflow where eˣ is 0.
define("exp", np.exp, formula="eˣ",
       vjps=[lambda g, y, x: g * y],
       deltas=[within(1.0, np.exp, lambda d, y, x: y * np.expm1(d))],
       twins=[both_within(1.0, np.exp, exp_twins)],
       samples=SINGLES)  # fmt: skip

# Its slope is eˣ, not y + 1, which has lost all digits of the left tail.
define("expm1", np.expm1, formula="eˣ − 1",
       vjps=[lambda g, y, x: g * np.exp(x)],
       deltas=[within(1.0, np.expm1, lambda d, y, x: np.exp(x) * np.expm1(d))],
       samples=SINGLES)  # fmt: skip


def log_change(offset: float, scale: float) -> Rule:
    """Of log(offset + x) / scale: log1p(d / (offset + x)), or the plain difference where x moves more than halfway to
    the pole: there 1 + d / (offset + x) would cancel."""

    def delta(d: Array, y: Array, x: Array) -> Array:
        ratio = d / (offset + x)
        change = np.log1p(ratio) / scale
        if ratio.min(initial=0.0) >= -0.5:
            return change
        moved = np.log1p(x + d) if offset else np.log(x + d)
        return np.where(ratio < -0.5, moved / scale - y, change)

    return delta


define("log", np.log, formula="the natural logarithm of x",
       vjps=[lambda g, y, x: g / x],
       deltas=[log_change(0.0, 1.0)],
       samples=POSITIVE_SINGLES)  # fmt: skip

define("log2", np.log2, formula="the logarithm of x to base 2",
       vjps=[lambda g, y, x: g / (x * log(2.0))],
       deltas=[log_change(0.0, log(2.0))],
       samples=POSITIVE_SINGLES)  # fmt: skip

define("log10", np.log10, formula="the logarithm of x to base 10",
       vjps=[lambda g, y, x: g / (x * log(10.0))],
       deltas=[log_change(0.0, log(10.0))],
       samples=POSITIVE_SINGLES)  # fmt: skip

define("log1p", np.log1p, formula="log(1 + x)",
       vjps=[lambda g, y, x: g / (1.0 + x)],
       deltas=[log_change(1.0, 1.0)],
       samples=[*POSITIVE_SINGLES, (0.4 * MATRIX,)])  # fmt: skip


def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ), with only e^−|x| taken: it cannot overflow, and both tails keep their digits."""
    tail = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, tail) / (1.0 + tail)


def sigmoid_change(d: Array, y: Array, x: Array) -> Array:
    """y·(1 − y)·e / (1 + y·e), e = e^d − 1."""
    e = np.expm1(d)
    return (y * sigmoid(-x)) * e / (1.0 + y * e)


sigmoid_delta = within(0.5, sigmoid, sigmoid_change)


def sigmoid_twins(d: Array, y: Array, x: Array) -> tuple[Array, Array]:
    """For −d, multiplied out by e^d: −y·(1 − y)·e / (1 + (1 − y)·e)."""
    e, rest = np.expm1(d), sigmoid(-x)
    top = (y * rest) * e
    return top / (1.0 + y * e), -top / (1.0 + rest * e)


# y·(1 − y) would lose the digits of the right tail; 1 − sigmoid(x) is sigmoid(−x).
define("sigmoid", sigmoid, formula="1 / (1 + e⁻ˣ)",
       vjps=[lambda g, y, x: g * y * sigmoid(-x)],
       deltas=[sigmoid_delta],
       twins=[both_within(0.5, sigmoid, sigmoid_twins)],
       samples=SINGLES)  # fmt: skip


def softplus(x: Array) -> Array:
    """log(1 + eˣ); x itself far to the right, eˣ far to the left."""
    value: Array = np.logaddexp(x, 0.0)
    return value


define("softplus", softplus, formula="log(1 + eˣ)",
       vjps=[lambda g, y, x: g * sigmoid(x)],
       deltas=[within(0.5, softplus, lambda d, y, x: np.log1p(sigmoid(x) * np.expm1(d)))],
       samples=SINGLES)  # fmt: skip


def logaddexp_change(d: Array, moved: Array, other: Array) -> Array:
    """In one of two: log1p(p·(e^d − 1)), p its share of the sum; the plain difference for long steps."""
    change: Array = np.log1p(sigmoid(moved - other) * np.expm1(d))
    if not reaches(d, 0.5):
        return change
    return np.where(np.abs(d) <= 0.5, change, np.logaddexp(moved + d, other) - np.logaddexp(moved, other))


define("logaddexp", np.logaddexp, formula="log(eᵃ + eᵇ)",
       vjps=[lambda g, y, a, b: unbroadcast(g * sigmoid(a - b), a),
             lambda g, y, a, b: unbroadcast(g * sigmoid(b - a), b)],
       deltas=[lambda d, y, a, b: logaddexp_change(d, a, b),
               lambda d, y, a, b: logaddexp_change(d, b, a)],
       samples=PAIRS)  # fmt: skip

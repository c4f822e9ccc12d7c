"""Elementwise ops that cut a number off or round it: clip, and the steps sign, floor, ceil and round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.ops.changes import clip_change
from gradcheck.ops.elementwise import SINGLES
from gradcheck.ops.options import interval
from gradcheck.ops.piecewise import sign_branch
from gradcheck.ops.registry import Array, Kink, define, sample
from gradcheck.ops.samples import MATRIX, ROW, SCALAR

WHOLE = 2.0**62  # branches beyond are not told apart: float64 has only whole numbers there


def between_branch(x: Array, low: float, high: float) -> NDArray[np.int8]:
    """Below, at low, between, at high, above: 0 to 4. An end is a branch of its own: leaving it is a switch."""
    ends = [x >= low, x > low, x >= high, x > high]
    branch: NDArray[np.int8] = np.add.reduce(ends, axis=0, dtype=np.int8)
    return branch


def between_margin(x: Array, low: float, high: float) -> Array:
    """The distance to the nearer end; an end that is infinite is never met."""
    margin: Array = np.minimum(np.abs(x - low), np.abs(x - high))
    return margin


def between_slopes(x: Array, low: float, high: float) -> tuple[Array, Array]:
    """1 on the side that leads inwards or stays inside, 0 on the other."""
    left, right = (low < x) & (x <= high), (low <= x) & (x < high)
    return left.astype(np.float64), right.astype(np.float64)


define("clip", lambda x, low, high: np.minimum(np.maximum(x, low), high), formula="min(max(x, low), high)",
       options={"low": None, "high": None}, prepare=interval,
       vjps=[lambda g, y, x, low, high: g * ((low <= x) & (x <= high))],
       deltas=[lambda d, y, x, low, high: clip_change(d, x, low, high)],
       kink=Kink("slopes 0 and 1 meet at x = low and x = high; the gradient there counts as 1",
                 between_branch, between_margin, slopes=(between_slopes,)),
       samples=[sample(SCALAR, low=-1, high=1), sample(ROW, low=0), sample(MATRIX, high=0.5),
                sample(MATRIX, low=-1, high=1)])  # fmt: skip

define("hardtanh", lambda x, low, high: np.minimum(np.maximum(x, low), high), formula="min(max(x, low), high)",
       options={"low": -1.0, "high": 1.0}, prepare=interval,
       vjps=[lambda g, y, x, low, high: g * ((low < x) & (x < high))],
       deltas=[lambda d, y, x, low, high: clip_change(d, x, low, high)],
       kink=Kink("slopes 0 and 1 meet at x = low and x = high; the gradient there counts as 0",
                 between_branch, between_margin, slopes=(between_slopes,)),
       samples=[(ROW,), (MATRIX,), sample(MATRIX, low=-0.5, high=2), sample(SCALAR, high=3)])  # fmt: skip


def whole_branch(rounded: Callable[..., Any]) -> Callable[[Array], NDArray[np.int64]]:
    """The whole number that x becomes."""

    def branch(x: Array) -> NDArray[np.int64]:
        whole: NDArray[np.int64] = np.clip(rounded(x), -WHOLE, WHOLE).astype(np.int64)
        return whole

    return branch


def to_whole(x: Array) -> Array:
    """The distance to the nearest whole number."""
    distance: Array = np.abs(x - np.rint(x))
    return distance


def define_step(name: str, step: Callable[..., Any], formula: str, at: str, branch: Any, margin: Any) -> None:
    """An op that is constant but for its jumps: it hands no gradient on."""
    define(name, step, formula=formula, vjps=[None],
           kink=Kink(f"the value jumps at {at}; the gradient counts as 0 everywhere", branch, margin),
           samples=SINGLES)  # fmt: skip


define_step("sign", np.sign, "−1, 0 or 1, as x is below, at or above 0", "x = 0", sign_branch, np.abs)
define_step("floor", np.floor, "the largest whole number ≤ x", "whole numbers", whole_branch(np.floor), to_whole)
define_step("ceil", np.ceil, "the smallest whole number ≥ x", "whole numbers", whole_branch(np.ceil), to_whole)
define_step("round", np.rint, "the nearest whole number, the even one of two", "halves", whole_branch(np.rint),
            lambda x: 0.5 - to_whole(x))  # fmt: skip

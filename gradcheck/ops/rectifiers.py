"""Activation functions that switch between formulas: the family of relu, and the piecewise sigmoid and swish.

Gradients at a kink are those of torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.ops.broadcasting import unbroadcast
from gradcheck.ops.changes import clip_change, negative_part_change, reaches, relu_change
from gradcheck.ops.elementwise import PAIRS, SINGLES
from gradcheck.ops.options import Options, numbers
from gradcheck.ops.piecewise import sign_branch
from gradcheck.ops.registry import Array, Kink, define, sample
from gradcheck.ops.samples import COLUMN, MATRIX, ROW, SCALAR
from gradcheck.ops.stepwise import between_branch, between_margin, between_slopes

WIDE_SINGLES = [(SCALAR,), (5.0 * ROW,), (4.0 * MATRIX,)]  # on all pieces of those that switch at −3 and 3

# Klambauer, Unterthiner, Mayr and Hochreiter 2017, "Self-normalizing neural networks", appendix 1
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def sided(x: Array, below: Any, above: Any) -> tuple[Array, Array]:
    """Left and right slope of an op that has one slope below 0 and another above."""
    return np.where(x > 0, above, below), np.where(x >= 0, above, below)


def leaky(x: Array, slope: float | Array) -> Array:
    return np.where(x > 0, x, slope * x)


def leaky_change(d: Array, x: Array, slope: float | Array) -> Array:
    """slope·d and (1 − slope) times the change of max(x, 0)."""
    return slope * d + (1.0 - slope) * relu_change(d, x)


define("leaky_relu", lambda x, negative_slope: leaky(x, negative_slope), formula="x above 0, negative_slope · x below",
       options={"negative_slope": 0.01}, prepare=lambda options, x: numbers(options, negative_slope=0.01),
       vjps=[lambda g, y, x, negative_slope: g * np.where(x > 0, 1.0, negative_slope)],
       deltas=[lambda d, y, x, negative_slope: leaky_change(d, x, negative_slope)],
       kink=Kink("slopes negative_slope and 1 meet at x = 0; the gradient there counts as negative_slope",
                 lambda x, negative_slope: sign_branch(x), lambda x, negative_slope: np.abs(x),
                 slopes=(lambda x, negative_slope: sided(x, negative_slope, 1.0),)),
       samples=[(SCALAR,), (ROW,), (MATRIX,), sample(MATRIX, negative_slope=0.2)])  # fmt: skip

define("prelu", leaky, formula="x above 0, slope · x below; the slope is learned", arguments="x slope", linear={1},
       vjps=[lambda g, y, x, slope: unbroadcast(g * np.where(x > 0, 1.0, slope), x),
             lambda g, y, x, slope: unbroadcast(g * np.minimum(x, 0.0), slope)],
       deltas=[lambda d, y, x, slope: leaky_change(d, x, slope),
               lambda d, y, x, slope: d * np.minimum(x, 0.0)],
       kink=Kink("slopes slope and 1 meet at x = 0; the gradient there counts as slope",
                 lambda x, slope: sign_branch(np.broadcast_arrays(x, slope)[0]),
                 lambda x, slope: np.abs(np.broadcast_arrays(x, slope)[0]),
                 slopes=(lambda x, slope: sided(x, slope, 1.0),
                         lambda x, slope: (np.minimum(x, 0.0), np.minimum(x, 0.0))), curved=True),
       samples=[(-COLUMN, ROW), *PAIRS, (-SCALAR, ROW)])  # fmt: skip


def exponential_below(x: Array, alpha: float) -> Array:
    """x above 0, alpha·(eˣ − 1) below; of the branch that is not taken nothing may overflow."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def exponential_slope(x: Array, alpha: float) -> Array:
    return np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0.0)))


def exponential_change(d: Array, y: Array, x: Array, alpha: float) -> Array:
    """The changes of both parts, alpha·e^z·(e^m − 1) with m that of z = min(x, 0); for long steps the difference."""
    part = np.minimum(x, 0.0)
    short = relu_change(d, x) + alpha * np.exp(part) * np.expm1(negative_part_change(d, x))
    if not reaches(d, 1.0):
        return short
    return np.where(np.abs(d) <= 1.0, short, exponential_below(x + d, alpha) - exponential_below(x, alpha))


def elu_kink_branch(x: Array, alpha: float) -> NDArray[np.int8]:
    """With alpha = 1 the slopes on both sides are the same: one branch."""
    return sign_branch(x) if alpha != 1.0 else np.zeros(np.shape(x), np.int8)


def elu_kink_margin(x: Array, alpha: float) -> Array:
    return np.abs(x) if alpha != 1.0 else np.full(np.shape(x), np.inf)


def elu_options(options: Options, x: NDArray[Any]) -> Options:
    return numbers(options, alpha=1.0)


define("elu", exponential_below, formula="x above 0, alpha · (eˣ − 1) below",
       options={"alpha": 1.0}, prepare=elu_options,
       vjps=[lambda g, y, x, alpha: g * exponential_slope(x, alpha)],
       deltas=[exponential_change],
       kink=Kink("unless alpha is 1, slopes alpha and 1 meet at x = 0; the gradient there counts as alpha",
                 elu_kink_branch, elu_kink_margin, curved=True,
                 slopes=(lambda x, alpha: sided(x, exponential_slope(np.minimum(x, 0.0), alpha), 1.0),)),
       samples=[(SCALAR,), (ROW,), (MATRIX,), sample(MATRIX, alpha=0.5)])  # fmt: skip

define("selu", lambda x: SELU_SCALE * exponential_below(x, SELU_ALPHA),
       formula="1.0507… · x above 0, 1.7581… · (eˣ − 1) below",
       vjps=[lambda g, y, x: g * (SELU_SCALE * exponential_slope(x, SELU_ALPHA))],
       deltas=[lambda d, y, x: SELU_SCALE * exponential_change(d, y, x, SELU_ALPHA)],
       kink=Kink("slopes 1.7581 and 1.0507 meet at x = 0; the gradient there counts as 1.7581", sign_branch, np.abs,
                 slopes=(lambda x: sided(x, SELU_SCALE * exponential_slope(np.minimum(x, 0.0), SELU_ALPHA),
                                         SELU_SCALE),), curved=True),
       samples=SINGLES)  # fmt: skip


def at_three_branch(x: Array) -> NDArray[np.int8]:
    return between_branch(x, -3.0, 3.0)


def at_three_margin(x: Array) -> Array:
    return between_margin(x, -3.0, 3.0)


def hard_sigmoid_slopes(x: Array) -> tuple[Array, Array]:
    left, right = between_slopes(x, -3.0, 3.0)
    return left / 6.0, right / 6.0


# The slope is that of torch and of Howard et al. 2019; others have 1/5.
define("hard_sigmoid", lambda x: np.clip(x + 3.0, 0.0, 6.0) / 6.0, formula="x/6 + 1/2, cut off at 0 and 1",
       vjps=[lambda g, y, x: g * ((x > -3.0) & (x < 3.0)) / 6.0],
       deltas=[lambda d, y, x: clip_change(d, x + 3.0, 0.0, 6.0) / 6.0],
       kink=Kink("slopes 0 and 1/6 meet at x = −3 and x = 3; the gradient there counts as 0",
                 at_three_branch, at_three_margin,
                 slopes=(lambda x: hard_sigmoid_slopes(x),)),
       samples=WIDE_SINGLES)  # fmt: skip


def hard_swish_slopes(x: Array) -> tuple[Array, Array]:
    """0 below −3, (2x + 3)/6 between, 1 above 3."""
    inner = (2.0 * x + 3.0) / 6.0
    return (np.where(x <= -3.0, 0.0, np.where(x <= 3.0, inner, 1.0)),
            np.where(x < -3.0, 0.0, np.where(x < 3.0, inner, 1.0)))  # fmt: skip


# Howard et al. 2019, "Searching for MobileNetV3", section 5.2
define("hard_swish", lambda x: x * np.clip(x + 3.0, 0.0, 6.0) / 6.0, formula="x · hard_sigmoid(x)",
       vjps=[lambda g, y, x: g * np.where(x <= -3.0, 0.0, np.where(x < 3.0, (2.0 * x + 3.0) / 6.0, 1.0))],
       kink=Kink("slopes 0 and −1/2 meet at x = −3, slopes 3/2 and 1 at x = 3; the gradients there count as 0 and 1",
                 at_three_branch, at_three_margin, slopes=(hard_swish_slopes,), curved=True),
       samples=WIDE_SINGLES)  # fmt: skip

"""Circular and hyperbolic functions and their inverses, element by element."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradcheck.ops.broadcasting import unbroadcast
from gradcheck.ops.changes import both_within, within
from gradcheck.ops.elementwise import PAIRS, POSITIVE_SINGLES, SINGLES
from gradcheck.ops.registry import Array, Kink, define
from gradcheck.ops.samples import COLUMN, MATRIX, ROW

UNIT_SINGLES = [(COLUMN * 0.5,), (ROW * 0.7,), (MATRIX * 0.4,)]  # within −1 and 1


def turned(d: Array, slope: Array, value: Array) -> Array:
    """slope·sin d − value·(1 − cos d), by the tangent t of d/2: 2t·(slope − value·t) / (1 + t²); no step cancels."""
    t = np.tan(0.5 * d)
    return 2.0 * t * (slope - value * t) / (1.0 + t * t)


define("sin", np.sin, formula="sin x",
       vjps=[lambda g, y, x: g * np.cos(x)],
       deltas=[lambda d, y, x: turned(d, np.cos(x), y)],
       samples=SINGLES)  # fmt: skip

define("cos", np.cos, formula="cos x",
       vjps=[lambda g, y, x: -g * np.sin(x)],
       deltas=[lambda d, y, x: turned(d, -np.sin(x), y)],
       samples=SINGLES)  # fmt: skip


def tan_change(d: Array, y: Array, x: Array) -> Array:
    """t·(1 + y²) / (1 − t·y), t = tan d."""
    t = np.tan(d)
    return t * (1.0 + y * y) / (1.0 - t * y)


define("tan", np.tan, formula="tan x",
       vjps=[lambda g, y, x: g * (1.0 + y * y)],
       deltas=[within(0.5, np.tan, tan_change)],
       samples=SINGLES)  # fmt: skip

# (1 − x)(1 + x), not 1 − x², which has lost digits near ±1.
define("arcsin", np.arcsin, formula="the angle between −π/2 and π/2 whose sine is x",
       vjps=[lambda g, y, x: g / np.sqrt((1.0 - x) * (1.0 + x))],
       samples=UNIT_SINGLES)  # fmt: skip

define("arccos", np.arccos, formula="the angle between 0 and π whose cosine is x",
       vjps=[lambda g, y, x: -g / np.sqrt((1.0 - x) * (1.0 + x))],
       samples=UNIT_SINGLES)  # fmt: skip

# Within ±½ the divisor 1 + x·(x + d) stays above ½: the angle does not pass ±π/2.
define("arctan", np.arctan, formula="the angle between −π/2 and π/2 whose tangent is x",
       vjps=[lambda g, y, x: g / (1.0 + x * x)],
       deltas=[within(0.5, np.arctan, lambda d, y, x: np.arctan(d / (1.0 + x * (x + d))))],
       samples=SINGLES)  # fmt: skip


def share_of_square(a: Array, b: Array) -> Array:
    """a / (a² + b²), which neither overflows nor underflows before the result does."""
    r = np.hypot(a, b)
    return a / r / r


def side_of_cut(a: Array, b: Array) -> NDArray[np.int8]:
    """Left of the vertical axis 1 above the cut and −1 below it, 0 elsewhere: across the cut the branches differ."""
    return np.where(b < 0.0, np.where(a < 0.0, -1, 1), 0).astype(np.int8)


def to_other_side(a: Array, b: Array) -> Array:
    """The distance to the vertical axis, or, left of it, to the cut, if that is nearer."""
    return np.where(b < 0.0, np.minimum(np.abs(a), -b), b)


define("arctan2", np.arctan2, formula="the angle of the point (b, a), between −π and π",
       vjps=[lambda g, y, a, b: unbroadcast(g * share_of_square(b, a), a),
             lambda g, y, a, b: unbroadcast(-g * share_of_square(a, b), b)],
       kink=Kink("the value jumps by 2π at a = 0 where b < 0; the gradient there is that of either side",
                 side_of_cut, to_other_side, curved=True),
       samples=PAIRS)  # fmt: skip


def spread(d: Array, slope: Array, value: Array) -> Array:
    """slope·sinh d + value·(cosh d − 1), by s = sinh(d/2): 2s·(slope·cosh(d/2) + value·s)."""
    s = np.sinh(0.5 * d)
    return 2.0 * s * (slope * np.cosh(0.5 * d) + value * s)


define("sinh", np.sinh, formula="sinh x",
       vjps=[lambda g, y, x: g * np.cosh(x)],
       deltas=[within(1.0, np.sinh, lambda d, y, x: spread(d, np.cosh(x), y))],
       samples=SINGLES)  # fmt: skip

define("cosh", np.cosh, formula="cosh x",
       vjps=[lambda g, y, x: g * np.sinh(x)],
       deltas=[within(1.0, np.cosh, lambda d, y, x: spread(d, np.sinh(x), y))],
       samples=SINGLES)  # fmt: skip


def tanh_slope(x: Array) -> Array:
    """1 / cosh² x: 1 − tanh² x would have lost all digits where tanh is 1. It becomes 0 where cosh overflows."""
    return 1.0 / np.square(np.cosh(x))


def tanh_change(d: Array, y: Array, x: Array) -> Array:
    """e·(1 − y²) / (2 + e·(1 + y)), e = exp(2d) − 1; from t·(1 − y²) / (1 + t·y), t = tanh d = e / (e + 2)."""
    change = np.asarray(2.0 * d)
    np.expm1(change, out=change)
    below = change * (1.0 + y)
    below += 2.0  # in place: a pass over memory costs as much as the division
    change *= tanh_slope(x)
    change /= below
    return change


def tanh_twins(d: Array, y: Array, x: Array) -> tuple[Array, Array]:
    """For −d only signs change."""
    t = np.tanh(d)
    top, part = t * tanh_slope(x), t * y
    return top / (1.0 + part), -top / (1.0 - part)


define("tanh", np.tanh, formula="tanh x",
       vjps=[lambda g, y, x: g * tanh_slope(x)],
       deltas=[within(0.5, np.tanh, tanh_change)],
       twins=[both_within(0.5, np.tanh, tanh_twins)],
       samples=SINGLES)  # fmt: skip

define("arcsinh", np.arcsinh, formula="the number whose sinh is x",
       vjps=[lambda g, y, x: g / np.hypot(1.0, x)],
       samples=SINGLES)  # fmt: skip

define("arccosh", np.arccosh, formula="the number ≥ 0 whose cosh is x",
       vjps=[lambda g, y, x: g / np.sqrt((x - 1.0) * (x + 1.0))],
       samples=[(single + 1.0,) for (single,) in POSITIVE_SINGLES])  # fmt: skip

define("arctanh", np.arctanh, formula="the number whose tanh is x",
       vjps=[lambda g, y, x: g / ((1.0 - x) * (1.0 + x))],
       samples=UNIT_SINGLES)  # fmt: skip

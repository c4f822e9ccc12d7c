"""Arithmetic, powers and roots, element by element.

Each output element sees one element of every argument. Exponentials, angles and activations have rooms of their own;
ops that switch between formulas are in `piecewise`. Floating-point warnings are silenced by whoever runs a graph, not
here: infinity and NaN are judged, not warned of.
"""

from __future__ import annotations

import numpy as np

from gradcheck.ops.broadcasting import unbroadcast
from gradcheck.ops.changes import TINY, square_change, square_ranked
from gradcheck.ops.registry import Array, define
from gradcheck.ops.samples import COLUMN, MATRIX, OTHER, POSITIVE, POSITIVE_ROW, ROW, SCALAR

PAIRS = [(MATRIX, OTHER), (MATRIX, ROW), (COLUMN, ROW), (SCALAR, MATRIX), (SCALAR, SCALAR)]
SINGLES = [(SCALAR,), (ROW,), (MATRIX,)]
POSITIVE_SINGLES = [(SCALAR,), (POSITIVE_ROW,), (POSITIVE,)]

define("add", np.add, symbol="+", formula="a + b", linear={0, 1}, additive=True,
       vjps=[lambda g, y, a, b: unbroadcast(g, a),
             lambda g, y, a, b: unbroadcast(g, b)],
       deltas=[lambda d, y, a, b: d, lambda d, y, a, b: d],
       samples=PAIRS)  # fmt: skip

define("subtract", np.subtract, symbol="-", formula="a − b", linear={0, 1}, additive=True,
       vjps=[lambda g, y, a, b: unbroadcast(g, a),
             lambda g, y, a, b: unbroadcast(-g, b)],
       deltas=[lambda d, y, a, b: d, lambda d, y, a, b: -d],
       samples=PAIRS)  # fmt: skip

define("multiply", np.multiply, symbol="*", formula="a · b", linear={0, 1},
       vjps=[lambda g, y, a, b: unbroadcast(g * b, a),
             lambda g, y, a, b: unbroadcast(g * a, b)],
       deltas=[lambda d, y, a, b: d * b, lambda d, y, a, b: d * a],
       samples=PAIRS)  # fmt: skip

define("divide", np.divide, symbol="/", formula="a / b", linear={0},
       vjps=[lambda g, y, a, b: unbroadcast(g / b, a),
             lambda g, y, a, b: unbroadcast(-g * y / b, b)],
       deltas=[lambda d, y, a, b: d / b, lambda d, y, a, b: -y * (d / (b + d))],
       samples=PAIRS)  # fmt: skip

define("negative", np.negative, formula="−x", linear={0},
       vjps=[lambda g, y, x: -g],
       deltas=[lambda d, y, x: -d],
       samples=SINGLES)  # fmt: skip

# 1.0 / x, not np.reciprocal: of whole numbers that one gives whole numbers
define("reciprocal", lambda x: 1.0 / x, formula="1 / x",
       vjps=[lambda g, y, x: -g * y * y],
       deltas=[lambda d, y, x: -y * (d / (x + d))],
       samples=SINGLES)  # fmt: skip


def power_base_vjp(g: Array, y: Array, a: Array, b: Array) -> Array:
    """g·b·a^(b−1); 0 where b is 0, also at a = 0, where a^(−1) is infinite."""
    return unbroadcast(g * b * np.power(a, np.where(b == 0, 1.0, b - 1.0)), a)


def power_exponent_vjp(g: Array, y: Array, a: Array, b: Array) -> Array:
    """g·a^b·log a; 0 at a = 0, where a^b stays 0 for every b > 0."""
    return unbroadcast(g * y * np.log(np.where(a == 0, 1.0, a)), b)


def power_base_change(d: Array, y: Array, a: Array, b: Array) -> Array:
    """d·(d + 2a) for squares; a^b·((1 + d/a)^b − 1) by expm1 for steps short beside a; else the plain difference.

    The sign of a is in a^b; 1 + d/a is positive, where the short form is taken.
    """
    if (b == 2.0).all():
        return square_change(d, a)
    ratio = d / a
    rate = b * np.log1p(ratio)
    is_short = (ratio >= -0.5) & (np.abs(rate) <= 1.0)
    change: Array = y * np.expm1(rate)
    return change if is_short.all() else np.where(is_short, change, np.float_power(a + d, b) - y)


def power_exponent_change(d: Array, y: Array, a: Array, b: Array) -> Array:
    """a^b·(a^d − 1) by expm1 for short steps; else the plain difference."""
    rate = d * np.log(a)
    is_short = np.abs(rate) <= 1.0
    change: Array = y * np.expm1(rate)
    return change if is_short.all() else np.where(is_short, change, np.float_power(a, b + d) - y)


# float_power, unlike power, takes integers to float64: 2**-1 is 0.5, and 10**30 does not wrap around.
define("power", np.float_power, symbol="**", formula="a to the power b",
       vjps=[power_base_vjp, power_exponent_vjp],
       deltas=[power_base_change, power_exponent_change],
       samples=[(POSITIVE, OTHER), (POSITIVE, ROW), (POSITIVE_ROW, COLUMN), (SCALAR, MATRIX),
                (SCALAR, SCALAR), (POSITIVE, np.array(2.0))])  # fmt: skip

define("square", np.square, formula="x²",
       vjps=[lambda g, y, x: g * (2.0 * x)],
       deltas=[lambda d, y, x: square_change(d, x)], ranked=square_ranked,
       samples=SINGLES)  # fmt: skip

define("sqrt", np.sqrt, formula="√x",
       vjps=[lambda g, y, x: g / (2.0 * y)],
       deltas=[lambda d, y, x: d / np.maximum(np.sqrt(x + d) + y, TINY)],
       samples=POSITIVE_SINGLES)  # fmt: skip


def cbrt_change(d: Array, y: Array, x: Array) -> Array:
    """d / (u² + u·y + y²), u the cube root of x + d."""
    u = np.cbrt(x + d)
    return d / np.maximum(u * u + u * y + y * y, TINY)


define("cbrt", np.cbrt, formula="the cube root of x",
       vjps=[lambda g, y, x: g / (3.0 * y * y)],
       deltas=[cbrt_change],
       samples=SINGLES)  # fmt: skip

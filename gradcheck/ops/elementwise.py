"""Smooth elementwise ops: arithmetic, powers, exponentials, sigmoids.

Each output element sees one element of every argument. Those that switch between formulas are in `piecewise`.
Floating-point warnings are silenced by whoever runs a graph, not here: infinity and NaN are judged, not warned of.
"""

from __future__ import annotations

import numpy as np

from gradcheck.ops.broadcasting import unbroadcast
from gradcheck.ops.registry import Array, define
from gradcheck.ops.samples import COLUMN, MATRIX, OTHER, POSITIVE, POSITIVE_ROW, ROW, SCALAR

PAIRS = [(MATRIX, OTHER), (MATRIX, ROW), (COLUMN, ROW), (SCALAR, MATRIX), (SCALAR, SCALAR)]
SINGLES = [(SCALAR,), (ROW,), (MATRIX,)]
POSITIVE_SINGLES = [(SCALAR,), (POSITIVE_ROW,), (POSITIVE,)]

define("add", np.add, symbol="+", formula="a + b", linear={0, 1},
       vjps=[lambda g, y, a, b: unbroadcast(g, a),
             lambda g, y, a, b: unbroadcast(g, b)],
       samples=PAIRS)  # fmt: skip

define("subtract", np.subtract, symbol="-", formula="a − b", linear={0, 1},
       vjps=[lambda g, y, a, b: unbroadcast(g, a),
             lambda g, y, a, b: unbroadcast(-g, b)],
       samples=PAIRS)  # fmt: skip

define("multiply", np.multiply, symbol="*", formula="a · b", linear={0, 1},
       vjps=[lambda g, y, a, b: unbroadcast(g * b, a),
             lambda g, y, a, b: unbroadcast(g * a, b)],
       samples=PAIRS)  # fmt: skip

define("divide", np.divide, symbol="/", formula="a / b", linear={0},
       vjps=[lambda g, y, a, b: unbroadcast(g / b, a),
             lambda g, y, a, b: unbroadcast(-g * y / b, b)],
       samples=PAIRS)  # fmt: skip

define("negative", np.negative, formula="−x", linear={0},
       vjps=[lambda g, y, x: -g],
       samples=SINGLES)  # fmt: skip


def power_base_vjp(g: Array, y: Array, a: Array, b: Array) -> Array:
    """g·b·a^(b−1); 0 where b is 0, also at a = 0, where a^(−1) is infinite."""
    return unbroadcast(g * b * np.power(a, np.where(b == 0, 1.0, b - 1.0)), a)


def power_exponent_vjp(g: Array, y: Array, a: Array, b: Array) -> Array:
    """g·a^b·log a; 0 at a = 0, where a^b stays 0 for every b > 0."""
    return unbroadcast(g * y * np.log(np.where(a == 0, 1.0, a)), b)


# float_power, unlike power, takes integers to float64: 2**-1 is 0.5, and 10**30 does not wrap around.
define("power", np.float_power, symbol="**", formula="a to the power b",
       vjps=[power_base_vjp, power_exponent_vjp],
       samples=[(POSITIVE, OTHER), (POSITIVE, ROW), (POSITIVE_ROW, COLUMN), (SCALAR, MATRIX),
                (SCALAR, SCALAR)])  # fmt: skip

define("square", np.square, formula="x²",
       vjps=[lambda g, y, x: g * (2.0 * x)],
       samples=SINGLES)  # fmt: skip

define("sqrt", np.sqrt, formula="√x",
       vjps=[lambda g, y, x: g / (2.0 * y)],
       samples=POSITIVE_SINGLES)  # fmt: skip

define("exp", np.exp, formula="eˣ",
       vjps=[lambda g, y, x: g * y],
       samples=SINGLES)  # fmt: skip

define("log", np.log, formula="the natural logarithm of x",
       vjps=[lambda g, y, x: g / x],
       samples=POSITIVE_SINGLES)  # fmt: skip

define("sin", np.sin, formula="sin x",
       vjps=[lambda g, y, x: g * np.cos(x)],
       samples=SINGLES)  # fmt: skip

define("cos", np.cos, formula="cos x",
       vjps=[lambda g, y, x: -g * np.sin(x)],
       samples=SINGLES)  # fmt: skip

# 1 − y² has lost all its digits where tanh is 1; 1/cosh² keeps them, and becomes 0 where cosh overflows.
define("tanh", np.tanh, formula="tanh x",
       vjps=[lambda g, y, x: g / np.square(np.cosh(x))],
       samples=SINGLES)  # fmt: skip


def sigmoid(x: Array) -> Array:
    """1 / (1 + e⁻ˣ), with only e^−|x| taken: it cannot overflow, and both tails keep their digits."""
    tail = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, tail) / (1.0 + tail)


# y·(1 − y) would lose the digits of the right tail; 1 − sigmoid(x) is sigmoid(−x).
define("sigmoid", sigmoid, formula="1 / (1 + e⁻ˣ)",
       vjps=[lambda g, y, x: g * y * sigmoid(-x)],
       samples=SINGLES)  # fmt: skip

define("softplus", lambda x: np.logaddexp(x, 0.0), formula="log(1 + eˣ)",
       vjps=[lambda g, y, x: g * sigmoid(x)],
       samples=SINGLES)  # fmt: skip

"""Smooth activation functions, element by element; those that switch are in `rectifiers`, tanh and sigmoid elsewhere.

Gated ones, x·s(x), take short changes by their series. The others have no rule: it would cost more than it gives.
"""

from __future__ import annotations

from itertools import islice
from math import pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.ops.changes import within
from gradcheck.ops.elementwise import SINGLES
from gradcheck.ops.exponential import sigmoid, sigmoid_delta
from gradcheck.ops.options import Options, choice
from gradcheck.ops.registry import Array, define, sample
from gradcheck.ops.samples import COLUMN, MATRIX, ROW
from gradcheck.ops.series import gated, normal, sigmoid_of
from gradcheck.ops.special import erfc
from gradcheck.perturb.series import max_size, terms_of

FLAT = 50.0  # from here on all slopes are 0 or 1 in float64
LONG = 0.5  # steps, from which on two values are subtracted without a loss
FEW_TERMS, MANY_TERMS = 12, 30  # of a series; more take longer than an exponential, and than erfc
CUBIC = 0.044715  # Hendrycks and Gimpel 2016, "Gaussian error linear units", section 2


def gated_change(d: Array, x: Array, z: Array, change: Array) -> Array:
    """Of x·sigmoid(z), when x changes by d and z by `change`."""
    gate = sigmoid(z)
    further = np.asarray(sigmoid_delta(change, gate, z))
    return np.asarray(d * (gate + further) + x * further)


def silu_series(x: Array, size: float) -> list[Array] | None:
    """No coefficient of d^k exceeds 2.2 / 2^k, here or in gelu."""
    terms = terms_of(size / 2.0)
    if terms > FEW_TERMS:
        return None
    return gated(x, sigmoid_of([x, np.ones(())], sigmoid(x), sigmoid(-x), int(terms)))


def silu(x: Array) -> Array:
    return x * sigmoid(x)


# σ·(1 + x·(1 − σ)), with 1 − σ(x) as σ(−x)
define("silu", silu, formula="x · sigmoid(x), also called swish",
       vjps=[lambda g, y, x: g * sigmoid(x) * (1.0 + x * sigmoid(-x))],
       deltas=[within(LONG, silu, lambda d, y, x: gated_change(d, x, x, d))], series=silu_series,
       samples=SINGLES)  # fmt: skip


def tanh_argument(x: Array, times: float = 2.0) -> Array:
    """Twice the argument of the tanh in gelu's approximation: ½·(1 + tanh u) is sigmoid(2u)."""
    factor = np.asarray(x * x)
    factor *= times * sqrt(2.0 / pi) * CUBIC
    factor += times * sqrt(2.0 / pi)
    factor *= x
    return factor


def gelu(x: Array, approximate: str) -> Array:
    """x·Φ(x), with Φ as ½·erfc(−x/√2), which keeps the digits of the left tail; or its approximation by tanh."""
    if approximate == "tanh":
        # x · sigmoid(2u); where e^−2u overflows, x / ∞ is the 0 that is meant. In place: on large arrays a pass over
        # memory costs as much as the exponential.
        tail = tanh_argument(x, -2.0)
        np.exp(tail, out=tail)
        tail += 1.0
        return np.divide(x, tail, out=tail)
    return 0.5 * x * erfc(-x / sqrt(2.0))


def gelu_vjp(g: Array, y: Array, x: Array, approximate: str) -> Array:
    """g·(Φ + x·φ), φ the density of the normal distribution; or the same of the approximation."""
    if approximate == "tanh":
        near = np.clip(x, -FLAT, FLAT)  # the cube of a larger number may overflow
        rising, falling = sigmoid(tanh_argument(near)), sigmoid(-tanh_argument(near))
        steepness = 2.0 * sqrt(2.0 / pi) * (1.0 + 3.0 * CUBIC * near * near)
        return g * (rising + near * rising * falling * steepness)
    return g * (0.5 * erfc(-x / sqrt(2.0)) + x * np.exp(-0.5 * x * x) / sqrt(2.0 * pi))


def gelu_coefficients(x: Array, terms: int, approximate: str) -> list[Array]:
    """Those of its power series around x."""
    if approximate == "none":
        density = np.exp(-0.5 * x * x) / sqrt(2.0 * pi)
        return gated(x, [0.5 * erfc(-x / sqrt(2.0)), *islice(normal(x, density), terms)])
    near, k = np.clip(x, -FLAT, FLAT), 2.0 * sqrt(2.0 / pi)
    z = [tanh_argument(near), k * (1.0 + 3.0 * CUBIC * near * near), k * 3.0 * CUBIC * near, np.asarray(k * CUBIC)]
    return gated(x, sigmoid_of(z, sigmoid(z[0]), sigmoid(-z[0]), terms))


def gelu_sum(x: Array, d: Array) -> Array:
    """Of the exact form, the sum of its series term by term: where each probe has an x of its own, coefficients for all
    would take more room than the rest of a pass."""
    density, gate, power = np.exp(-0.5 * x * x) / sqrt(2.0 * pi), 0.5 * erfc(-x / sqrt(2.0)), d
    total = np.zeros(np.broadcast_shapes(x.shape, d.shape))
    terms = int(min(MANY_TERMS, terms_of(0.5 * max_size(d * np.maximum(-x, 1.0)))))
    for coefficient in islice(normal(x, density), terms):
        total += (x * coefficient + gate) * power
        gate, power = coefficient, power * d
    return total


def gelu_change(d: Array, y: Array, x: Array, approximate: str) -> Array:
    """By that of the sigmoid; as there is none for erfc, by the series, or, where the left tail changes by a good part
    of what it is, by the difference of two values."""
    if approximate == "none":
        short = np.abs(d) * np.maximum(-x, 1.0) <= LONG
        change = gelu_sum(x, np.where(short, d, 0.0))
        return change if short.all() else np.where(short, change, gelu(x + d, approximate) - y)
    near = np.clip(x, -FLAT, FLAT)
    further = 2.0 * sqrt(2.0 / pi) * d * (1.0 + CUBIC * (3.0 * near * (near + d) + d * d))
    return gated_change(d, x, tanh_argument(near), further)


def gelu_series(x: Array, size: float, approximate: str) -> list[Array] | None:
    """In the left tail the value is next to e^(−x²/2), or e^(2u): a step counts as the part of itself it changes by."""
    left = np.clip(-x, 0.0, FLAT)
    steepness = left if approximate == "none" else 2.0 * sqrt(2.0 / pi) * (1.0 + 3.0 * CUBIC * left * left)
    terms = terms_of(size * max(0.5, 0.25 * max_size(steepness)))
    if terms > (FEW_TERMS if approximate == "tanh" else MANY_TERMS):
        return None
    return gelu_coefficients(x, int(terms), approximate)


def known_form(options: Options, x: NDArray[Any]) -> Options:
    return {"approximate": choice("approximate", options["approximate"], ("none", "tanh"))}


define("gelu", gelu, formula='x · Φ(x), Φ the normal distribution; approximate="tanh": by a tanh of x and x³',
       options={"approximate": "none"}, prepare=known_form, vjps=[gelu_vjp],
       deltas=[within(LONG, gelu, gelu_change)], series=gelu_series,
       samples=[(COLUMN,), (ROW,), (MATRIX,), sample(MATRIX, approximate="tanh")])  # fmt: skip


def mish_parts(x: Array) -> tuple[Array, Array]:
    """tanh(softplus(x)) and its slope, as ratios of polynomials in e^−|x|, so that neither tail overflows.

    With w = eˣ they are w(w + 2) / (w² + 2w + 2) and 4w(w + 1) / (w² + 2w + 2)².
    """
    tail = np.exp(-np.abs(x))
    right = x >= 0
    share = np.where(right, 1.0 + 2.0 * tail, tail * (tail + 2.0))
    whole = np.where(right, share + 2.0 * tail * tail, share + 2.0)
    slope = 4.0 * tail * (1.0 + tail) * np.where(right, tail, 1.0) / np.square(whole)
    return share / whole, slope


def mish_vjp(g: Array, y: Array, x: Array) -> Array:
    """g·(t + x·t′), t = tanh(softplus(x))."""
    value, slope = mish_parts(x)
    return g * (value + x * slope)


define("mish", lambda x: x * mish_parts(x)[0], formula="x · tanh(log(1 + eˣ))",
       vjps=[mish_vjp], samples=SINGLES)  # fmt: skip

# The slope 1 / (1 + |x|)² is the same on both sides of 0: no kink.
define("softsign", lambda x: x / (1.0 + np.abs(x)), formula="x / (1 + |x|)",
       vjps=[lambda g, y, x: g / np.square(1.0 + np.abs(x))],
       samples=SINGLES)  # fmt: skip

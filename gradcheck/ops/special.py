"""The error function and its complement: numpy has none, and the standard library's takes one number at a time.

W. J. Cody 1969, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23, 631–637,
with the coefficients of his program CALERF (netlib.org/specfun/erf, 1990): relative error below 5e-16 for erf, and
below 1e-15 for erfc down to where it underflows.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, sqrt

import numpy as np

from gradcheck.ops.elementwise import SINGLES
from gradcheck.ops.registry import Array, define

CENTRE = 0.46875  # below it erf itself is approximated, above it its complement
FAR = 4.0  # above it the complement by a series in 1 / x²
UNDERFLOW = 27.5  # erfc(x) is 0 in float64

# Numerators and denominators, highest power first.
ERF = (
    (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)  # fmt: skip
ERFC = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip
ERFC_FAR = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
     1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
     2.33520497626869185e-3),
)  # fmt: skip


def polynomial(coefficients: Sequence[float], x: Array) -> Array:
    """Horner's scheme, highest power first."""
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += coefficient
    return value


def ratio(of: tuple[Sequence[float], Sequence[float]], x: Array) -> Array:
    return polynomial(of[0], x) / polynomial(of[1], x)


def erf_near(x: Array) -> Array:
    """erf for |x| up to CENTRE."""
    return x * ratio(ERF, x * x)


def erfc_beyond(x: Array) -> Array:
    """erfc for x from CENTRE on."""
    x = np.minimum(x, UNDERFLOW)
    middle = ratio(ERFC, np.minimum(x, FAR))
    square = 1.0 / np.square(np.maximum(x, FAR))
    far = (1.0 / sqrt(pi) - square * ratio(ERFC_FAR, square)) * np.sqrt(square)
    # e^(−x²) keeps its digits if x² is split: a part that is exact in few bits, and a small rest.
    coarse = np.trunc(16.0 * x) / 16.0
    tail = np.exp(-coarse * coarse) * np.exp(-(x - coarse) * (x + coarse))
    return tail * np.where(x > FAR, far, middle)


def erf(x: Array) -> Array:
    """2/√π · ∫ e^(−t²) dt from 0 to x."""
    x = np.asarray(x, dtype=np.float64)
    size = np.abs(x)
    outer = np.copysign(1.0 - erfc_beyond(np.maximum(size, CENTRE)), x)
    return np.where(size <= CENTRE, erf_near(np.clip(x, -CENTRE, CENTRE)), outer)


def erfc(x: Array) -> Array:
    """1 − erf(x), with all digits of the right tail."""
    x = np.asarray(x, dtype=np.float64)
    size = np.abs(x)
    outer = erfc_beyond(np.maximum(size, CENTRE))
    inner = 1.0 - erf_near(np.clip(x, -CENTRE, CENTRE))
    return np.where(size <= CENTRE, inner, np.where(x > 0, outer, 2.0 - outer))


define("erf", erf, formula="2/√π times the integral of e^(−t²) from 0 to x",
       vjps=[lambda g, y, x: g * (2.0 / sqrt(pi)) * np.exp(-x * x)],
       samples=[*SINGLES, (SINGLES[2][0] * 2.5,)])  # fmt: skip

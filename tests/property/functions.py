"""Random functions whose derivative is known to full accuracy, in any scale, with an offset and with noise.

A function of n inputs is f_k(x) = scale · (offset + Σ c_ki · g_ki(x_i / length)), with g from a table of pairs (value,
derivative). The derivatives are written so that they have no cancellation of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.model.problem import Array, Claim, Point, Problem

Elementwise = Callable[[Array], Array]

TABLE: dict[str, tuple[Elementwise, Elementwise]] = {
    "exp": (np.exp, np.exp),
    "sin": (np.sin, np.cos),
    "cos": (np.cos, lambda z: -np.sin(z)),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "cube": (lambda z: z**3, lambda z: 3 * z**2),
    "square": (lambda z: z * z, lambda z: 2 * z),
    "line": (lambda z: 3 * z, lambda z: np.full_like(z, 3.0)),
    "log1p of square": (lambda z: np.log1p(z * z), lambda z: 2 * z / (1 + z * z)),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: 0.25 / np.cosh(z / 2) ** 2),
    "wave": (lambda z: np.sin(5 * z), lambda z: 5 * np.cos(5 * z)),
    "bump": (lambda z: 1 / (1 + z * z), lambda z: -2 * z / (1 + z * z) ** 2),
    "softplus": (lambda z: np.logaddexp(0, z), lambda z: 1 / (1 + np.exp(-z))),
    "arctan": (np.arctan, lambda z: 1 / (1 + z * z)),
    "gauss": (lambda z: np.exp(-z * z), lambda z: -2 * z * np.exp(-z * z)),
    "quartic": (lambda z: z**4, lambda z: 4 * z**3),
}


@dataclass(frozen=True)
class Drawn:
    """A problem and its exact gradient (weighted by the upstream gradient)."""

    problem: Problem
    exact: Array
    names: tuple[str, str]


def draw(
    seed: int, *, n: int = 24, noise: float = 0.0, offset: float = 0.0, fault: float = 0.0, wide: bool = True
) -> Drawn:
    """A random function; `fault` makes one element of the claim wrong by that relative amount.

    noise : relative size of a wobble far faster than any step, the same at the same point
    wide : scales of f from 1e-30 to 1e30 and of x from 1e-12 to 1e12; otherwise of order one
    """
    r = np.random.default_rng(seed)
    first, second = (str(name) for name in r.choice(list(TABLE), 2))
    (f, df), (g, dg) = TABLE[first], TABLE[second]
    length = 10.0 ** r.uniform(-12, 12) if wide else 10.0 ** r.uniform(-2, 2)
    scale = 10.0 ** r.uniform(-30, 30) if wide else 1.0
    weights = r.normal(size=n)
    x = r.normal(size=n) * length
    is_scalar = bool(r.integers(2))
    upstream = np.ones(1) if is_scalar else r.choice([-1.0, 1.0], n) * r.uniform(0.5, 1.5, n)

    def function(point: Point) -> Array:
        z = point["x"] / length
        terms = weights * f(z) + g(0.7 * z)
        values = np.atleast_1d(scale * (offset + (terms.sum() if is_scalar else terms)))
        if noise:
            values = values * (1 + noise * np.sin(1e13 * z.sum() + np.arange(values.size)))
        return np.asarray(values)

    z = x / length
    exact = scale * (weights * df(z) + 0.7 * dg(0.7 * z)) / length * (1.0 if is_scalar else upstream)
    claimed = exact.copy()
    claimed[r.integers(n)] *= 1 + fault
    point = {"x": x}
    problem = Problem(point, ("x",), function, upstream, function(point), (Claim("backward", {"x": claimed}),))
    return Drawn(problem, exact, (first, second))

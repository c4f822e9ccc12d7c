"""A difference quotient that shares nothing with the product's own, and the comparison of vjp rules with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.property.applications import EPS, Application, Array


def numeric_gradient(application: Application, position: int, g: Array) -> tuple[Array, Array]:
    """Σ g·∂y/∂x of one argument by five-point differences, and a bound on its error, element by element.

    Tried with two steps: one relative to the element, which cannot cross a pole or the edge of a domain at 0, and one
    of 1e-3, which loses fewer digits. The wider is believed where it agrees with the narrower; it may reach over a
    place where the second derivative jumps (elu at 0), from where all that the extrapolation changed is uncertain.
    """
    x = application.arguments[position]
    room, magnitude = 0.2 * application.margin(), _magnitude(application)
    value, bound = np.zeros(x.shape), np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        wide = min(1e-3, room)
        narrow = min(wide, 1e-3 * relative_size(x[index]))
        value[index], bound[index] = _five_points(application, position, index, g, narrow, magnitude)
        if narrow < 0.1 * wide:
            wider = _five_points(application, position, index, g, wide, magnitude, of_the_change=1.0)
            if wider[1] < bound[index] and abs(wider[0] - value[index]) <= wider[1] + bound[index]:
                value[index], bound[index] = wider
    return value, bound


def relative_size(x: Any) -> Any:
    """How far an element is from 0, at most 1; an element that is 0 has no scale of its own."""
    return np.where(x == 0, 1.0, np.minimum(np.abs(x), 1.0))


def _five_points(
    application: Application,
    position: int,
    index: tuple[int, ...],
    g: Array,
    step: float,
    magnitude: float,
    of_the_change: float = 0.05,
) -> tuple[float, float]:
    """The order four formula (4·D(h) − D(2h)) / 3 and its bound, which counts the rounding of all values that were
    summed up, and a part of what the extrapolation changed; next to a pole, where that is much, with less h."""
    usual = 1.0 + float(np.max(np.abs(application.value()), initial=0.0))
    for h in step * np.array([1.0, 1 / 8, 1 / 64, 1 / 512]):
        near, far = (_quotient(application, position, index, distance) for distance in (h, 2.0 * h))
        if np.max(np.abs(near - far), initial=0.0) <= 1e-3 * (usual + np.max(np.abs(near), initial=0.0)):
            break
    terms = np.abs(g) * (of_the_change * np.abs(near - far) + 8.0 * EPS * magnitude / h)
    return float(np.sum(g * (4.0 * near - far)) / 3.0), float(np.sum(terms))


def _magnitude(application: Application) -> float:
    """What the rounding of one value is relative to: the value, and the terms that it may have been summed from."""
    op, y = application.op, application.value()
    largest = max((float(np.max(np.abs(a), initial=0.0)) for a in application.arguments), default=0.0)
    magnitude = float(np.max(np.abs(y), initial=0.0)) * (1.0 + largest) + largest * (op.kind != "elementwise")
    if op.linear:
        terms = application.value(tuple(np.abs(a) if a.dtype.kind == "f" else a for a in application.arguments))
        magnitude += largest + float(np.max(np.abs(terms), initial=0.0))
    return magnitude


def _quotient(application: Application, position: int, index: tuple[int, ...], h: float) -> Array:
    x = application.arguments[position]
    ahead, behind = x.copy(), x.copy()
    ahead[index] += h
    behind[index] -= h
    here = tuple(ahead if i == position else a for i, a in enumerate(application.arguments))
    there = tuple(behind if i == position else a for i, a in enumerate(application.arguments))
    return (application.value(here) - application.value(there)) / (ahead[index] - behind[index])


def agrees(application: Application, position: int, g: Array, rule: Callable[..., Any] | None = None) -> bool:
    """Whether a vjp rule (default the op's own) has the right shape and the numbers that differences give."""
    claimed = application.gradient(position, g, rule)
    if claimed.shape != application.arguments[position].shape:
        return False
    numeric, bound = numeric_gradient(application, position, g)
    return bool(np.all(np.abs(claimed - numeric) <= bound + 1e-8 * np.abs(numeric) + 1e-13))


def linearised(application: Application, position: int, steps: Array) -> Array:
    """J·d of every step (last axis) in one argument, from its vjp rule."""
    shape = application.value().shape
    size, probes = int(np.prod(shape)), steps.shape[-1]
    units = np.eye(size).reshape(size, *shape)
    rows = [application.gradient(position, unit).ravel() for unit in units]
    flat = np.reshape(rows, (size, -1)) if size else np.zeros((0, steps.size // probes))
    return (flat @ steps.reshape(-1, probes)).reshape(*shape, probes)

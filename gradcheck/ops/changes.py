"""Exact changes f(x + d) − f(x) that several delta rules share, without the digits that the difference would lose.

Each holds for every finite d. Where a closed formula meets 0/0 or infinity far from 0, the plain difference, which
loses few digits there, takes its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.ops.registry import Array, Rule

Numbers = Callable[[Array], Array | None]  # of a ranked rule: those of its argument's directions → those of its own

TINY = 1e-300  # in place of a divisor 0 whose dividend is 0, too
FEW = 3  # directions of a change, for which its square has nine
SQUARABLE = 1e-100  # the square of a smaller number, or of one over it, may lose digits at the ends of float64


def reaches(d: Array, limit: float) -> bool:
    """Whether any step is longer than the limit."""
    return bool(d.max(initial=0.0) > limit or d.min(initial=0.0) < -limit)


def within(limit: float, forward: Callable[..., Any], rule: Rule) -> Rule:
    """A delta rule of one argument: `rule` for steps up to the limit, the difference of two values beyond it."""

    def delta(d: Array, y: Array, x: Array, **options: Any) -> Any:
        change = rule(d, y, x, **options)
        return np.where(np.abs(d) > limit, forward(x + d, **options) - y, change) if reaches(d, limit) else change

    return delta


def both_within(limit: float, forward: Callable[..., Any], rule: Rule) -> Rule:
    """The same for a rule that gives the changes for d and −d, a pair."""

    def twins(d: Array, y: Array, x: Array) -> tuple[Any, Any]:
        ahead, behind = rule(d, y, x)
        if not reaches(d, limit):
            return ahead, behind
        far = np.abs(d) > limit
        return np.where(far, forward(x + d) - y, ahead), np.where(far, forward(x - d) - y, behind)

    return twins


def clip_change(d: Array, x: Array, low: float | Array, high: float | Array) -> Array:
    """Of min(max(x, low), high): d itself inside, cut where it leaves, 0 while it does not come in."""
    inside = np.clip(x, low, high)
    change: Array = np.clip(d + (x - inside), low - inside, high - inside)
    return change


def relu_change(d: Array, x: Array) -> Array:
    """Of max(x, 0): max(d + min(x, 0), −max(x, 0))."""
    change: Array = np.maximum(d + np.minimum(x, 0.0), -np.maximum(x, 0.0))
    return change


def negative_part_change(d: Array, x: Array) -> Array:
    """Of min(x, 0): min(d + max(x, 0), −min(x, 0))."""
    change: Array = np.minimum(d + np.maximum(x, 0.0), -np.minimum(x, 0.0))
    return change


def abs_change(d: Array, x: Array) -> Array:
    """Of |x|: s·d, or, where x + d lies beyond 0, −s·d − 2|x|; s the sign of x, 1 at 0."""
    along = np.where(x < 0, -1.0, 1.0) * d
    change: Array = np.maximum(along, -along - 2.0 * np.abs(x))
    return change


def square_change(d: Array, x: Array) -> Array:
    """Of x²: d·(d + 2x)."""
    return d * (d + 2.0 * x)


def square_ranked(w: Array, x: Array) -> tuple[Array, Numbers] | None:
    """`square_change` for d = w·u: Σᵢ 2x·wᵢ·uᵢ + Σᵢⱼ wᵢ·wⱼ·uᵢ·uⱼ, a direction per term; None where these are many,
    or directions so small that their squares would not be numbers of full precision."""
    rank, sizes = w.shape[-1], np.abs(w).max(axis=tuple(range(w.ndim - 1)), initial=0.0)
    if rank > FEW or not np.all((sizes == 0.0) | ((sizes > SQUARABLE) & (sizes < 1.0 / SQUARABLE))):
        return None
    pairs = [(i, j) for i in range(rank) for j in range(i, rank)]
    one, other = map(list, zip(*pairs, strict=True))
    counts = np.array([1.0 if i == j else 2.0 for i, j in pairs])
    own, mixed = 2.0 * x * w, counts * w[..., one] * w[..., other]
    directions = np.concatenate([own, np.broadcast_to(mixed, (*own.shape[:-1], len(pairs)))], axis=-1)
    return directions, lambda u: np.concatenate([u, u[..., one, :] * u[..., other, :]], axis=-2)

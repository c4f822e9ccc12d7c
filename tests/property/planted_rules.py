"""Delta rules made wrong on purpose: each one that is not linear, replaced by its linearisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.ops.registry import Op, Rule, all_ops
from tests.property.applications import Array

SMALL = 2.0**-16  # of a step: what the rule gives for that part of it, scaled up, is linear but for 2⁻³²


@dataclass(frozen=True)
class Plant:
    """A rule of an op: which argument, and whether the rule for one sign, for both, along directions, or a series."""

    op: Op
    entry: int
    sort: str

    def __str__(self) -> str:
        return f"{self.op.name}-{self.sort}-{self.entry}"

    def linearised(self, op: Op) -> Op:
        """The op with that rule made linear; others as they are."""
        if op.name != self.op.name:
            return op
        changed: dict[str, Any]
        if self.sort in WITHOUT_ENTRIES:
            changed = {self.sort: WITHOUT_ENTRIES[self.sort](getattr(op, self.sort))}
            return replace(op, **changed)
        rules = list(getattr(op, self.sort))
        rules[self.entry] = linear(rules[self.entry]) if self.sort == "deltas" else linear_pair(rules[self.entry])
        changed = {self.sort: tuple(rules)}
        return replace(op, **changed)


def linear(rule: Rule) -> Callable[..., Any]:
    """f′(x)·d from (Δ(t·d) − Δ(−t·d)) / 2t of the rule itself."""

    def slope_times_step(d: Array, *rest: Any, **options: Any) -> Array:
        ahead, behind = rule(SMALL * d, *rest, **options), rule(-SMALL * d, *rest, **options)
        return np.asarray((ahead - behind) / (2.0 * SMALL))

    return slope_times_step


def linear_pair(rule: Rule) -> Callable[..., Any]:
    def both(d: Array, *rest: Any, **options: Any) -> tuple[Array, Array]:
        ahead, behind = rule(SMALL * d, *rest, **options)
        change = (ahead - behind) / (2.0 * SMALL)
        return change, -change

    return both


def linear_factored(rule: Rule) -> Callable[..., Any]:
    def parts(w: Array, u: Array, *rest: Any, **options: Any) -> tuple[Array, Array] | None:
        found = rule(w, SMALL * u, *rest, **options)
        if found is None:
            return None
        odd, even = found
        return odd / SMALL, 0.0 * even

    return parts


def linear_ranked(rule: Rule) -> Callable[..., Any]:
    def along(w: Array, *rest: Any, **options: Any) -> tuple[Array, Callable[[Array], Array]] | None:
        found = rule(w, *rest, **options)
        if found is None:
            return None
        directions, numbers = found
        return directions, lambda u: (numbers(SMALL * u) - numbers(-SMALL * u)) / (2.0 * SMALL)

    return along


def linear_series(rule: Rule) -> Callable[..., Any]:
    def first(x: Array, *rest: Any, **options: Any) -> list[Array] | None:
        found = rule(x, *rest, **options)
        return None if found is None else [coefficient * (k == 0) for k, coefficient in enumerate(found)]

    return first


WITHOUT_ENTRIES = {"factored": linear_factored, "ranked": linear_ranked, "series": linear_series}
PLANTS = [
    Plant(op, entry, sort)
    for op in all_ops().values()
    for sort in ("deltas", "twins")
    for entry, rule in enumerate(getattr(op, sort))
    if rule is not None and entry not in op.linear
]
PLANTS += [Plant(op, 0, sort) for op in all_ops().values() for sort in WITHOUT_ENTRIES if getattr(op, sort) is not None]

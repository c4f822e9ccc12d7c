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
    """A rule of an op: which argument, and whether the rule for one sign or that for both."""

    op: Op
    entry: int
    sort: str

    def __str__(self) -> str:
        return f"{self.op.name}-{self.sort}-{self.entry}"

    def linearised(self, op: Op) -> Op:
        """The op with that rule made linear; others as they are."""
        if op.name != self.op.name:
            return op
        rules = list(getattr(op, self.sort))
        rules[self.entry] = linear(rules[self.entry]) if self.sort == "deltas" else linear_pair(rules[self.entry])
        changed: dict[str, Any] = {self.sort: tuple(rules)}
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


PLANTS = [
    Plant(op, entry, sort)
    for op in all_ops().values()
    for sort in ("deltas", "twins")
    for entry, rule in enumerate(getattr(op, sort))
    if rule is not None and entry not in op.linear
]

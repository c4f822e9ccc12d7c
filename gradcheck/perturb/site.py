"""Site: one op at one place of a graph, with everything about it that no probe changes.

What is expensive and the same for all probes – margins, slopes, layouts – is worked out once, when first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from gradcheck.perturb.window import Array, Entry, same

Rule = Callable[..., Any]
T = TypeVar("T")


class Switching(Protocol):
    """Where an op switches between formulas; see `ops.registry.Kink`."""

    @property
    def branch(self) -> Rule: ...
    @property
    def margin(self) -> Rule: ...
    @property
    def slopes(self) -> tuple[Rule | None, ...]: ...
    @property
    def curved(self) -> bool: ...


class Operation(Protocol):
    """What has to be known of an op to send changes through it; see `ops.registry.Op`."""

    @property
    def forward(self) -> Rule: ...
    @property
    def kind(self) -> str: ...
    @property
    def linear(self) -> frozenset[int]: ...
    @property
    def additive(self) -> bool: ...
    @property
    def factored(self) -> Rule | None: ...
    @property
    def series(self) -> Rule | None: ...
    @property
    def ranked(self) -> Rule | None: ...
    @property
    def kink(self) -> Switching | None: ...
    def entry(self, position: int) -> int: ...
    def delta(self, position: int) -> Rule | None: ...
    def twin(self, position: int) -> Rule | None: ...


class Site:
    """An op, its options, the values of its arguments and its own value at the point."""

    def __init__(self, op: Operation, options: Mapping[str, Any], arguments: Sequence[Array], value: Array) -> None:
        self.op, self.options = op, options
        self.arguments, self.value = tuple(arguments), value
        self._known: dict[Any, Any] = {}
        self._latest: dict[str, tuple[tuple[Any, ...], Any]] = {}

    def once(self, key: Any, make: Callable[[], T]) -> T:
        """What `make` returns, made when it is first asked for."""
        if key not in self._known:
            self._known[key] = make()
        found: T = self._known[key]
        return found

    def latest(self, purpose: str, key: tuple[Entry | Array, ...], make: Callable[[], T]) -> T:
        """What `make` returned for the same key last time: one pass after another has the same directions."""
        before = self._latest.get(purpose)
        if before is None or len(before[0]) != len(key) or not all(map(same, before[0], key)):
            before = self._latest[purpose] = key, make()
        found: T = before[1]
        return found

    def forward(self, *arguments: Array) -> Array:
        return np.asarray(self.op.forward(*arguments, **self.options))

    def is_linear_in(self, moved: Sequence[int]) -> bool:
        """Whether the value is affine in these arguments when they move together."""
        return self.once(("linear", *moved), lambda: self._is_linear_in(moved))

    def _is_linear_in(self, moved: Sequence[int]) -> bool:
        linear = all(self.op.entry(position) in self.op.linear for position in moved)
        return linear and (len(moved) == 1 or self.op.additive)

    def has_rules(self, moved: Iterable[int]) -> bool:
        """Whether the op states the exact change for each of these arguments; else two values are subtracted."""
        return all(self.op.delta(position) is not None for position in moved)

    @property
    def looks_at_nothing(self) -> bool:
        """Whether the change of the value is that of the arguments, whatever their values are: a sum, a difference."""
        positions = range(len(self.arguments))

        def is_sum() -> bool:
            linear = self.op.additive and all(self.op.entry(position) in self.op.linear for position in positions)
            return linear and self.has_rules(positions)

        return self.once("sum", is_sum)

    @property
    def margin(self) -> Array:
        """How far every output element is from its next switch; shape of the value."""
        kink = self.op.kink
        assert kink is not None
        return self.once("margin", lambda: np.asarray(kink.margin(*self.arguments, **self.options), dtype=np.float64))

    @property
    def branch(self) -> NDArray[np.integer[Any]]:
        kink = self.op.kink
        assert kink is not None
        return self.once("branch", lambda: kink.branch(*self.arguments, **self.options))

    def slope(self, position: int, shape: tuple[int, ...]) -> Array:
        """d value / d argument between the switches, in the given shape; zeros where only the value jumps."""
        kink = self.op.kink
        assert kink is not None

        def make() -> Array:
            rule = kink.slopes[self.op.entry(position)] if kink.slopes else None
            right = 0.0 if rule is None else rule(*self.arguments, **self.options)[1]
            return np.broadcast_to(np.asarray(right, dtype=np.float64), shape)

        return self.once(("slope", position), make)

    def change(self, position: int, d: Array, y: Array, arguments: Sequence[Array]) -> Array:
        """The exact change of the value when one argument changes by d; by the op's own rule if it has one."""
        rule = self.op.delta(position)
        if rule is not None:
            result: Array = rule(d, y, *arguments, **self.options)
            return result
        moved = [a + d if i == position else a for i, a in enumerate(arguments)]
        return self.forward(*moved) - y

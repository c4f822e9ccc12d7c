"""An op on arguments, as the laws of ops need it: its value, its gradients, its kinks, what it is defined for.

No op is named here. What an op is defined for, its samples say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.ops.broadcasting import unbroadcast
from gradcheck.ops.registry import Op, Sample, all_ops

Array = np.ndarray[Any, np.dtype[Any]]
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Application:
    """An op on arguments, its options already prepared."""

    op: Op
    arguments: tuple[Array, ...]
    options: dict[str, Any]

    @classmethod
    def of(cls, op: Op, sample: Sample) -> Application:
        given = {**op.options, **sample.options}
        return cls(op, sample.arguments, dict(op.prepare(given, *sample.arguments)))

    def value(self, arguments: tuple[Array, ...] | None = None) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(self.op.forward(*(arguments or self.arguments), **self.options))

    def gradient(self, position: int, g: Array, rule: Callable[..., Any] | None = None) -> Array:
        """The vjp of one argument, by the op's own rule or another one."""
        rule = rule or self.op.vjp(position)
        assert rule is not None
        with np.errstate(all="ignore"):
            return np.asarray(rule(g, self.value(), *self.arguments, **self.options))

    def differentiable(self) -> Iterator[int]:
        for position in range(len(self.arguments)):
            if self.op.vjp(position) is not None:
                yield position

    def margins(self) -> Array:
        """The distance of every output to its nearest switch; infinite for a smooth op."""
        if self.op.kink is None:
            return np.full(self.value().shape, np.inf)
        return self.op.kink.margin(*self.arguments, **self.options)

    def margin(self) -> float:
        """The distance to the nearest switch of all."""
        return float(np.min(self.margins(), initial=np.inf))

    def branches(self) -> Array:
        assert self.op.kink is not None
        return self.op.kink.branch(*self.arguments, **self.options)

    def moved(self, position: int, change: Array) -> tuple[Array, ...]:
        return tuple(a + change if i == position else a for i, a in enumerate(self.arguments))

    def at(self, arguments: tuple[Array, ...]) -> Application:
        """The same op and options on other numbers."""
        return replace(self, arguments=tuple(np.asarray(argument) for argument in arguments))


def samples_of_all_ops() -> list[Any]:
    """Every sample of every op, as pytest parameters `op, sample`."""
    return [
        (op, sample) for op in all_ops().values() for sample in op.samples
    ]  # fmt: skip


def sample_id(value: Any) -> str:
    if isinstance(value, Op):
        return value.name
    shapes = "x".join(str(a.shape).replace(" ", "") for a in value.arguments)
    return shapes + "".join(f"-{k}={v}" for k, v in value.options.items() if k != "index")


def pool(op: Op, position: int) -> Array:
    """All numbers that the samples have in an argument (in any of a list that shares one rule), each once."""
    return np.unique(
        np.concatenate(
            [
                argument.ravel()
                for sample in op.samples
                for index, argument in enumerate(sample.arguments)
                if op.entry(index) == op.entry(position)
            ]
        )
    )


def in_domain(application: Application, position: int, steps: Array) -> Array:
    """Whether the op is finite where an element has moved, per element and probe (the last axis of the steps).

    Of an elementwise op every element is judged by itself, of others all elements of a probe together.
    """
    x = application.arguments[position]
    inside = np.empty(steps.shape, bool)
    for k in range(steps.shape[-1]):
        finite = np.isfinite(application.value(application.moved(position, steps[..., k])))
        alone = application.op.kind == "elementwise"
        inside[..., k] = unbroadcast(1.0 - finite, x) == 0.0 if alone else finite.all()
    return inside


def upstream(shape: tuple[int, ...], seed: int = 0) -> Array:
    """Signed weights between 0.5 and 1.5: no output cancels another, none is lost."""
    random = np.random.default_rng(seed)
    return random.choice([-1.0, 1.0], size=shape) * random.uniform(0.5, 1.5, size=shape)

"""Arguments for every op, drawn or fixed, and a difference quotient that shares nothing with the product's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from gradcheck.ops.registry import Op, Sample, all_ops

Array = np.ndarray[Any, np.dtype[Any]]
EPS = float(np.finfo(np.float64).eps)
FAR_FROM_KINKS = 2e-5

SHAPES: dict[int, list[tuple[tuple[int, ...], ...]]] = {
    1: [((),), ((4,),), ((2, 3),)],
    2: [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (3,)), ((), (4,)), ((1,), (2, 2))],
    3: [((2, 3), (2, 3), (3,)), ((3,), (2, 1), ()), ((2, 2), (), (2, 2))],
}


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

    def margin(self) -> float:
        """The distance to the nearest switch; infinite for a smooth op."""
        if self.op.kink is None:
            return np.inf
        return float(np.min(self.op.kink.margin(*self.arguments, **self.options), initial=np.inf))

    def moved(self, position: int, change: Array) -> tuple[Array, ...]:
        return tuple(a + change if i == position else a for i, a in enumerate(self.arguments))


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


def step_for(application: Application, position: int) -> Array:
    """A step per element: small beside the distance to a kink, and beside the element where 0 is out of bounds."""
    x = application.arguments[position]
    singular = application.op.name in ("divide", "power", "log", "sqrt")
    relative = np.abs(x) if singular else np.ones_like(x)
    return np.minimum(1e-3 * np.minimum(relative, 1.0), 0.2 * application.margin())


def numeric_gradient(application: Application, position: int, g: Array) -> tuple[Array, Array]:
    """Σ g·∂y/∂x of one argument by five-point differences, and a bound on its error, element by element.

    The order four formula (4·D(h) − D(2h)) / 3; the bound counts rounding of all values that were summed up, and a
    twentieth of what the extrapolation changed.
    """
    x = application.arguments[position]
    steps = step_for(application, position)
    y = application.value()
    sizes = [np.max(np.abs(a), initial=0.0) for a in application.arguments]
    magnitude = np.max(np.abs(y), initial=0.0) * (1.0 + max(sizes)) + max(sizes) * (
        application.op.kind != "elementwise"
    )
    if application.op.linear:
        magnitude += max(sizes) + np.max(
            np.abs(application.value(tuple(map(np.abs, application.arguments)))), initial=0.0
        )
    value, bound = np.zeros(x.shape), np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        h = steps[index]
        near, far = (_quotient(application, position, index, distance) for distance in (h, 2.0 * h))
        value[index] = np.sum(g * (4.0 * near - far)) / 3.0
        bound[index] = np.sum(np.abs(g) * (0.05 * np.abs(near - far) + 8.0 * EPS * magnitude / h))
    return value, bound


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


def upstream(shape: tuple[int, ...], seed: int = 0) -> Array:
    """Signed weights between 0.5 and 1.5: no output cancels another, none is lost."""
    random = np.random.default_rng(seed)
    return random.choice([-1.0, 1.0], size=shape) * random.uniform(0.5, 1.5, size=shape)


@st.composite
def applications(draw: st.DrawFn, op: Op) -> Application:
    """An op on drawn arguments: several shapes, broadcasting, orders of magnitude, one value near a kink."""
    sample = draw(st.sampled_from(op.samples))
    shapes = [a.shape for a in sample.arguments]
    options = dict(sample.options)
    if op.kind == "elementwise":
        shapes = list(draw(st.sampled_from(SHAPES[len(op.arguments)])))
    elif op.kind == "along_axes":
        shapes = [draw(st.sampled_from([(4,), (2, 3), (2, 1, 3)]))]
        options["axis"] = draw(st.integers(-len(shapes[0]), len(shapes[0]) - 1))
    drawn = [
        draw(_values(op, position, shape)) if _is_float(op, position, sample) else sample.arguments[position]
        for position, shape in enumerate(shapes)
    ]
    if op.kink is not None and draw(st.booleans()):
        _come_near_a_kink(drawn, draw(st.sampled_from([-1e-4, 1e-4])))
    application = Application.of(op, Sample(tuple(drawn), options))
    assume(application.margin() > FAR_FROM_KINKS)
    return application


def _is_float(op: Op, position: int, sample: Sample) -> bool:
    return bool(op.kind == "elementwise" or np.issubdtype(sample.arguments[position].dtype, np.floating))


def _values(op: Op, position: int, shape: tuple[int, ...]) -> st.SearchStrategy[Array]:
    if op.name == "where" and position == 0:
        return arrays_of.arrays(np.float64, shape, elements=st.sampled_from([0.0, 1.0]))
    positive = st.floats(0.05, 3.0)
    examples = [sample.arguments[position] for sample in op.samples if position < len(sample.arguments)]
    only_positive = all(np.all(example > 0) for example in examples)
    elements = positive if only_positive else st.one_of(positive, positive.map(lambda value: -value))
    scales = st.sampled_from([1.0, 1.0, 1e-6, 1e-3, 20.0])
    plain = arrays_of.arrays(np.float64, shape, elements=elements, fill=st.nothing())
    return st.builds(_scaled, plain, scales, scales)


def _scaled(array: Array, first: float, rest: float) -> Array:
    """The first element of another order of magnitude than the others."""
    factors = np.full(array.shape, rest)
    if array.size:
        factors.flat[0] = first
    return np.asarray(array * factors)


def _come_near_a_kink(arguments: list[Array], distance: float) -> None:
    first = arguments[0]
    if len(arguments) == 2:
        first.flat[0] = arguments[1].flat[0] + distance
    elif first.size > 1:
        first.flat[1], first.flat[0] = distance, 2.5 * distance
    else:
        first.flat[0] = distance

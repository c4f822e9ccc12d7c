"""Drawn arguments for every op.

No op is named here. What is drawn are the numbers of an op's samples, mixed, scaled and moved towards kinks, in free
shapes where the op is elementwise or takes an axis; where it has no finite value for one, it gets the sample's own.
"""

from __future__ import annotations

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from gradcheck.errors import ShapeError
from gradcheck.ops.registry import Op, Sample
from tests.property.applications import Application, Array, in_domain, pool
from tests.property.differences import relative_size

FAR_FROM_KINKS = 2e-5
NEAR_KINKS = 1e-4


@st.composite
def applications(draw: st.DrawFn, op: Op) -> Application:
    """An op on drawn arguments: several shapes, broadcasting, orders of magnitude, one value near a kink."""
    sample = draw(st.sampled_from(op.samples))
    plain = _free(draw, op, sample) or Application.of(op, sample)
    drawn = _numbers(draw, plain, sample)
    if op.kink is not None and drawn.value().size and draw(st.booleans()):
        drawn = _near_a_kink(drawn, _numbers(draw, plain, sample))
    assume(drawn.margin() > FAR_FROM_KINKS and np.isfinite(drawn.value()).all())
    return drawn


def _free(draw: st.DrawFn, op: Op, sample: Sample) -> Application | None:
    """The op on arrays of other shapes, where it is elementwise or works along an axis of a single array.

    None where it is neither, or where it refuses what was drawn (an axis that is too short for another option).
    """
    options = dict(sample.options)
    if op.kind == "elementwise":
        count = len(sample.arguments)
        shapes = draw(arrays_of.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, min_side=0, max_side=3))
        chosen = shapes.input_shapes
    elif op.kind == "along_axes" and len(sample.arguments) == 1 and "axis" in op.options:
        shape = draw(st.sampled_from([(4,), (1,), (2, 3), (2, 1, 3), (3, 1), (0, 2)]))
        chosen, options["axis"] = (shape,), draw(st.integers(-len(shape), len(shape) - 1))
    else:
        return None
    arguments = tuple(np.resize(pool(op, position), shape) for position, shape in enumerate(chosen))
    try:
        return Application.of(op, Sample(arguments, options))
    except ShapeError:
        return None


def _numbers(draw: st.DrawFn, plain: Application, sample: Sample) -> Application:
    """The application with drawn numbers in the arguments that are differentiated (of others, the samples' own)."""
    op = plain.op
    arguments = list(plain.arguments)
    for position, argument in enumerate(arguments):
        numbers = pool(op, position)
        if op.vjp(position) is None and op.kind == "elementwise":
            elements = st.sampled_from([float(number) for number in numbers])
            arguments[position] = draw(arrays_of.arrays(np.float64, argument.shape, elements=elements))
        elif op.vjp(position) is not None and op.kind == "unknown":
            near = st.floats(0.95, 1.05)  # it may need a matrix that is regular or positive: stay beside the sample
            arguments[position] = argument * draw(arrays_of.arrays(np.float64, argument.shape, elements=near))
        elif op.vjp(position) is not None:
            factors = draw(_factors(argument.shape))
            picks = np.random.default_rng(draw(st.integers(0, 99))).choice(numbers, argument.shape)
            arguments[position] = _inside(plain, position, arguments, picks * factors)
    return plain.at(tuple(arguments))


def _factors(shape: tuple[int, ...]) -> st.SearchStrategy[Array]:
    """Factors about 1 that keep the elements apart, and orders of magnitude: the first's another than the others'."""
    scales = st.sampled_from([1.0, 1.0, 1e-6, 1e-3, 20.0])

    def scaled(array: Array, first: float, rest: float) -> Array:
        factors = np.full(array.shape, rest)
        if array.size:
            factors.flat[0] = first
        return np.asarray(array * factors)

    return st.builds(scaled, arrays_of.arrays(np.float64, shape, elements=st.floats(0.7, 1.0)), scales, scales)


def _inside(plain: Application, position: int, arguments: list[Array], wanted: Array) -> Array:
    """The wanted numbers where the op is finite at them and a little to both sides, elsewhere those of `plain`.

    The arguments before it have been chosen already.
    """
    here = plain.at(tuple(arguments))
    x = arguments[position]
    little = 4e-3 * relative_size(wanted)
    inside = in_domain(here, position, np.stack([wanted - x, wanted + little - x, wanted - little - x], axis=-1))
    return np.where(inside.all(axis=-1), wanted, x)


def _near_a_kink(one: Application, other: Application) -> Application:
    """A point between two others, just beside the first place where a branch switches; the first where none does."""

    def between(part: float) -> Application:
        moves = set(one.differentiable()) if any(one.op.vjps) else set(range(len(one.arguments)))
        return one.at(
            tuple(
                a + part * (b - a) if i in moves else a
                for i, (a, b) in enumerate(zip(one.arguments, other.arguments, strict=True))
            )
        )

    here = one.branches()
    if np.array_equal(between(1.0).branches(), here):
        return one
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if np.array_equal(between(middle).branches(), here) else (low, middle)
    pairs = zip(one.arguments, other.arguments, strict=True)
    distance = max(float(np.max(np.abs(b - a), initial=0.0)) for a, b in pairs)
    return between(max(0.0, low - NEAR_KINKS / distance))

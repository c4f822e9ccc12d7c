"""Ops that switch: value and gradient exactly at a switch, one-sided slopes, and how far away the switch is."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.errors import ShapeError
from gradcheck.ops.registry import Op, Sample, get, sample
from tests.property.applications import EPS, Application, Array, sample_id, samples_of_all_ops
from tests.property.at_kinks import at_kinks, seen_switches, switching
from tests.property.differences import linearised

SWITCHING = switching()
KINKED = [op for op in SWITCHING if op.kink is not None and op.kink.slopes]
COMPARISONS = [op for op in SWITCHING if op.symbol]
HOLDING = [(op, given) for op in SWITCHING for given in op.samples if all(a.size for a in given.arguments)]
every_sample = pytest.mark.parametrize(("op", "given"), HOLDING, ids=sample_id)
by_name = {"ids": lambda value: getattr(value, "name", "")}
POINTS = at_kinks(SWITCHING)
every_point = pytest.mark.parametrize(("op", "application"), POINTS, **by_name)
every_kinked_point = pytest.mark.parametrize(
    ("op", "application"), [(op, point) for op, point in POINTS if op in KINKED], **by_name
)


@pytest.mark.parametrize(
    ("op", "given"), [pair for pair in samples_of_all_ops() if pair[0].kind == "elementwise"], ids=sample_id
)
def test_wherever_value_or_slope_can_be_seen_to_jump_there_is_a_kink(op: Op, given: Sample) -> None:
    for position in range(len(given.arguments)):
        for application in seen_switches(op, given, position):
            assert op.kink is not None, f"{op.name} jumps at {application.arguments}"
            assert application.margin() < 1e-8


@pytest.mark.parametrize("op", [op for op in SWITCHING if op.kind == "elementwise"], **by_name)
def test_every_kink_of_an_elementwise_op_can_be_seen(op: Op) -> None:
    assert any(seen_switches(op, given, p) for given in op.samples for p in range(len(given.arguments)))


@pytest.mark.parametrize(
    ("name", "arguments", "gradients"),
    [
        ("relu", [[0.0, -1.0, 2.0]], [[0.0, 0.0, 1.0]]),
        ("abs", [[0.0, -1.0, 2.0]], [[0.0, -1.0, 1.0]]),
        ("maximum", [[1.0, 2.0], [1.0, 3.0]], [[0.5, 0.0], [0.5, 1.0]]),
        ("minimum", [[1.0, 2.0], [1.0, 3.0]], [[0.5, 1.0], [0.5, 0.0]]),
        ("max", [[2.0, 1.0, 2.0]], [[0.5, 0.0, 0.5]]),
        ("min", [[2.0, 1.0, 1.0]], [[0.0, 0.5, 0.5]]),
        ("max", [[3.0, 3.0, 3.0]], [[1 / 3, 1 / 3, 1 / 3]]),
    ],
)
def test_the_gradient_at_a_switch_is_the_documented_one(
    name: str, arguments: list[list[float]], gradients: list[list[float]]
) -> None:
    application = Application.of(get(name), Sample(tuple(map(np.array, arguments)), {}))
    g = np.ones(application.value().shape)
    for position, expected in enumerate(gradients):
        assert application.gradient(position, g).tolist() == expected


@every_kinked_point
def test_the_slopes_are_those_on_either_side(op: Op, application: Application) -> None:
    """Summed over the outputs, of every element by itself; at least one element has two of them."""
    assert op.kink is not None
    h = 2.0**-24
    jumps = []
    for position, slopes in enumerate(op.kink.slopes):
        if slopes is None:
            continue
        left, right = (np.asarray(side) for side in slopes(*application.arguments, **application.options))
        for index in np.ndindex(application.arguments[position].shape):
            for told, direction in ((left, -1.0), (right, 1.0)):
                change = np.zeros(application.arguments[position].shape)
                change[index] = direction * h
                seen = np.sum(application.value(application.moved(position, change)) - application.value())
                np.testing.assert_allclose(np.sum(told[index]), seen / (direction * h), rtol=1e-6, atol=1e-7)
            jumps.append(np.any(left[index] != right[index]))
    assert any(jumps)


@every_kinked_point
def test_the_gradient_at_a_switch_lies_between_the_slopes(op: Op, application: Application) -> None:
    assert op.kink is not None
    for position, slopes in enumerate(op.kink.slopes):
        if slopes is None:
            continue
        gradient = application.gradient(position, np.ones(application.value().shape))
        sides = (np.asarray(side) for side in slopes(*application.arguments, **application.options))
        # A slope per element, or one per element and output.
        left, right = (side.reshape(*gradient.shape, -1).sum(axis=-1) for side in sides)
        assert np.all(np.minimum(left, right) - 1e-15 <= gradient)
        assert np.all(gradient <= np.maximum(left, right) + 1e-15)


@every_sample
def test_away_from_a_switch_both_slopes_are_the_gradient(op: Op, given: Sample) -> None:
    assert op.kink is not None
    application = Application.of(op, given)
    if op.kind == "elementwise":  # in one shape, so that no gradient is summed
        shape = application.value().shape
        application = application.at(tuple(np.broadcast_to(a, shape).copy() for a in application.arguments))
    if application.margin() == 0.0:
        return
    for position, slopes in enumerate(op.kink.slopes):
        if slopes is None:
            continue
        gradient = application.gradient(position, np.ones(application.value().shape))
        for side in slopes(*application.arguments, **application.options):
            told = np.asarray(side).reshape(*gradient.shape, -1).sum(axis=-1)
            np.testing.assert_allclose(told, gradient, rtol=1e-13, atol=1e-14)


@every_point
def test_the_margin_is_zero_where_a_step_of_any_size_can_change_the_branch(op: Op, application: Application) -> None:
    """And nowhere else; away from the switches the branch stays."""
    margin, here = application.margins(), application.branches()
    assert margin.shape == here.shape == application.value().shape
    changed = np.zeros(margin.shape, bool)
    random = np.random.default_rng(0)
    for _ in range(200):
        moved = application.at(
            tuple(a + 1e-10 * random.choice([-1.0, 1.0], a.shape) for a in application.arguments)
        )  # fmt: skip
        switched = moved.branches() != here
        changed |= switched
        jumped = np.abs(moved.value() - application.value()) > 1e-6
        assert not np.any(jumped & ~switched)
    assert np.array_equal(margin == 0.0, changed)


@every_sample
def test_within_the_margin_no_branch_changes_and_just_beyond_it_one_does(op: Op, given: Sample) -> None:
    application = Application.of(op, given)
    branch, reach = application.branches(), application.margin()
    assert branch.shape == application.margins().shape == application.value().shape
    assert np.issubdtype(branch.dtype, np.integer)
    if np.isinf(reach):
        return  # one element is always the largest

    def branches(distance: float, signs: Array) -> Array:
        moves = (signs[i, : a.size].reshape(a.shape) for i, a in enumerate(application.arguments))
        return application.at(
            tuple(a + distance * move for a, move in zip(application.arguments, moves, strict=True))
        ).branches()

    random = np.random.default_rng(0)
    largest = max(a.size for a in application.arguments)
    directions = [random.choice([-1.0, 1.0], size=(len(application.arguments), largest)) for _ in range(200)]
    assert all(np.array_equal(branches(0.999 * reach, signs), branch) for signs in directions)
    crossed = any(not np.array_equal(branches(1.001 * reach, signs), branch) for signs in directions)
    assert crossed or any(not np.array_equal(at.branches(), branch) for at in closing(application, 1.001 * reach))


def closing(application: Application, distance: float) -> list[Application]:
    """Straight towards 0, and towards the middle of the elements that become one number.

    A kink in a single point (norm at 0, std where all are equal) is met by no direction that is drawn.
    """
    x, axis = application.arguments[0], application.options.get("axis")
    middle = (np.max(x, axis=axis, keepdims=True) + np.min(x, axis=axis, keepdims=True)) / 2.0
    return [
        application.at((np.where(np.abs(goal - x) <= distance, goal, x + distance * np.sign(goal - x)),))
        for goal in (0.0, middle)
    ]


@every_sample
def test_within_the_margin_a_piece_is_straight_unless_it_is_called_curved(op: Op, given: Sample) -> None:
    assert op.kink is not None
    application = Application.of(op, given)
    assert bends(application) <= 64.0 * EPS or op.kink.curved


@pytest.mark.parametrize("op", [op for op in SWITCHING if op.kink is not None and op.kink.curved], **by_name)
def test_what_is_called_curved_is(op: Op) -> None:
    assert max(bends(Application.of(op, given)) for given in op.samples if given.arguments[0].size) > 1e-4


def bends(application: Application) -> float:
    """How far the change within the margin, of all arguments together, is from the sum of slope · step."""
    reach = 0.9 * min(application.margin(), 1.0)
    random = np.random.default_rng(3)
    steps = [reach * random.uniform(-1.0, 1.0, (*a.shape, 4)) for a in application.arguments]
    moved = [
        application.value(tuple(a + d[..., k] for a, d in zip(application.arguments, steps, strict=True)))
        for k in range(4)
    ]  # fmt: skip
    seen = np.stack(moved, axis=-1) - application.value()[..., None]
    told = sum(
        (linearised(application, p, steps[p]) for p in application.differentiable()), start=np.zeros(seen.shape)
    )  # fmt: skip
    sizes = max(float(np.max(np.abs(a), initial=1.0)) for a in (*application.arguments, application.value()))
    return float(np.max(np.abs(seen - told), initial=0.0)) / sizes


@pytest.mark.parametrize("op", [get("max"), get("min")], **by_name)
def test_branch_and_margin_of_an_extremum_follow_axis_and_keepdims(op: Op) -> None:
    assert op.kink is not None
    x = np.array([[[4.0, 1.0], [2.0, 8.0]], [[0.5, 7.0], [6.0, 3.0]]])
    kept = Application.of(op, sample(x, axis=(0, 2), keepdims=True))
    flat = Application.of(op, sample(x, axis=(0, 2)))
    expected = {"max": ([3, 1], [1.5, 1.0]), "min": ([2, 0], [0.25, 0.5])}[op.name]
    for application, shape in ((kept, (1, 2, 1)), (flat, (2,))):
        branch = op.kink.branch(*application.arguments, **application.options)
        margin = op.kink.margin(*application.arguments, **application.options)
        assert branch.shape == margin.shape == shape
        assert (branch.ravel().tolist(), margin.ravel().tolist()) == expected


def test_leaving_zero_in_either_direction_is_a_switch_of_relu() -> None:
    kink = get("relu").kink
    assert kink is not None
    assert len({int(kink.branch(np.array(x))) for x in (-1e-300, 0.0, 1e-300)}) == 3


# of 1, 2, 3 with 2
HOLDS = {"<": [1, 0, 0], "<=": [1, 1, 0], ">": [0, 0, 1], ">=": [0, 1, 1], "==": [0, 1, 0], "!=": [1, 0, 1]}


@pytest.mark.parametrize("op", COMPARISONS, **by_name)
def test_a_comparison_is_a_number_and_has_no_gradient(op: Op) -> None:
    value = op.forward(np.array([1.0, 2.0, 3.0]), 2.0)
    assert value.dtype == np.float64
    assert value.tolist() == HOLDS[op.symbol]
    assert op.vjp(0) is None
    assert op.vjp(1) is None


def test_where_takes_a_condition_and_nothing_else() -> None:
    with pytest.raises(ShapeError) as caught:
        Application.of(get("where"), sample(np.array([1.0, 0.5]), np.ones(2), np.ones(2)))
    assert caught.value.message == "expected a condition, 0 or 1 everywhere, as its first argument"
    assert caught.value.hint == "write a comparison: x > 0"

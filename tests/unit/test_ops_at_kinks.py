"""Ops that switch: value and gradient exactly at a switch, one-sided slopes, and how far away the switch is."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.errors import ShapeError
from gradcheck.ops.registry import Op, Sample, all_ops, get, sample
from tests.property.strategies import Application, Array

SWITCHING = [op for op in all_ops().values() if op.kink is not None]
COMPARISONS = [op for op in SWITCHING if op.kink is not None and not op.kink.slopes]
KINKED = [op for op in SWITCHING if op not in COMPARISONS]
by_name = {"ids": lambda op: op.name}

TIED = {
    1: sample(np.array([0.0, -1.5, 2.0])),
    2: sample(np.array([1.0, -2.0, 0.5]), np.array([1.0, 3.0, -0.5])),
}


def at_a_kink(op: Op) -> Application:
    """A point where one element is exactly at a switch."""
    if op.kind == "along_axes":
        return Application.of(op, sample(np.array([[2.0, 2.0, -3.0], [-3.0, 1.0, -3.0]]), axis=1))
    return Application.of(op, TIED[len(op.arguments)])


def test_these_ops_switch() -> None:
    assert [op.name for op in KINKED] == ["relu", "abs", "maximum", "minimum", "max", "min"]
    assert [op.symbol for op in COMPARISONS] == ["<", "<=", ">", ">=", "==", "!="]


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


@pytest.mark.parametrize("op", KINKED, **by_name)
def test_the_slopes_are_those_on_either_side(op: Op) -> None:
    assert op.kink is not None
    application = at_a_kink(op)
    h = 2.0**-20
    for position, slopes in enumerate(op.kink.slopes):
        assert slopes is not None
        left, right = slopes(*application.arguments, **application.options)
        assert np.any(left != right)
        for index in np.ndindex(application.arguments[position].shape):
            for told, direction in ((left, -1.0), (right, 1.0)):
                change = np.zeros(application.arguments[position].shape)
                change[index] = direction * h
                difference = application.value(application.moved(position, change)) - application.value()
                assert told[index] == np.sum(difference) / (direction * h)


@pytest.mark.parametrize("op", KINKED, **by_name)
def test_the_gradient_at_a_switch_lies_between_the_slopes(op: Op) -> None:
    assert op.kink is not None
    application = at_a_kink(op)
    for position, slopes in enumerate(op.kink.slopes):
        assert slopes is not None
        left, right = slopes(*application.arguments, **application.options)
        gradient = application.gradient(position, np.ones(application.value().shape))
        assert np.all((np.minimum(left, right) <= gradient) & (gradient <= np.maximum(left, right)))


@pytest.mark.parametrize("op", SWITCHING, **by_name)
def test_the_margin_is_zero_exactly_at_a_switch(op: Op) -> None:
    assert op.kink is not None
    application = at_a_kink(op)
    margin = op.kink.margin(*application.arguments, **application.options)
    assert margin.shape == application.value().shape
    expected = {"max": [True, False], "min": [False, True]}.get(op.name, [True, False, False])
    assert (margin == 0.0).tolist() == expected


@pytest.mark.parametrize(("op", "given"), [(op, s) for op in SWITCHING for s in op.samples])
def test_within_the_margin_no_branch_changes_and_just_beyond_it_one_does(op: Op, given: Sample) -> None:
    assert op.kink is not None
    application = Application.of(op, given)
    margin = op.kink.margin(*application.arguments, **application.options)
    branch = op.kink.branch(*application.arguments, **application.options)
    assert branch.shape == margin.shape == application.value().shape
    reach = float(np.min(margin))
    if np.isinf(reach):
        return  # one element is always the largest

    def branches(distance: float, signs: Array) -> Array:
        moved = tuple(
            a + distance * signs[i].reshape(-1)[: a.size].reshape(a.shape) for i, a in enumerate(application.arguments)
        )
        assert op.kink is not None
        return op.kink.branch(*moved, **application.options)

    random = np.random.default_rng(0)
    directions = [
        random.choice([-1.0, 1.0], size=(len(application.arguments), 8 * branch.size + 64)) for _ in range(200)
    ]
    assert all(np.array_equal(branches(0.999 * reach, signs), branch) for signs in directions)
    assert any(not np.array_equal(branches(1.001 * reach, signs), branch) for signs in directions)


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

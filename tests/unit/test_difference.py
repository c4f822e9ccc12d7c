"""The plain loop: changes of phi under probes of single elements, projected, and per output."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.noise import measure_noise
from tests.unit.points import problem


def loop_of(*args, **options):
    made = problem(*args, **options)
    return PlainLoop(made, measure_noise(made))


def respond(loop, tensor, *cells, step=2.0**-10):
    return loop.respond(tensor, np.array(cells), np.full(len(cells), step))


def test_a_probe_says_how_phi_changes_both_ways():
    loop = loop_of(lambda x: x**2, upstream=[3.0, -1.0], x=[1.0, 2.0])
    response = respond(loop, "x", 0, 1, step=0.5)
    assert response.ahead.tolist() == [3.0 * 1.25, -2.25]
    assert response.behind.tolist() == [3.0 * -0.75, 1.75]
    assert (response.up.tolist(), response.down.tolist()) == ([0.5, 0.5], [0.5, 0.5])
    assert response.central.tolist() == [6.0, -4.0]
    assert response.slope_ahead.tolist() == [7.5, -4.5]
    assert response.slope_behind.tolist() == [4.5, -3.5]


def test_the_difference_is_divided_by_the_distance_really_travelled():
    response = respond(loop_of(lambda x: x, x=[1e6]), "x", 0, step=1e-3)
    assert response.central.tolist() == [1.0]


def test_slopes_of_the_outputs_are_weighted_by_themselves_and_then_summed():
    """|x| twice, once up and once down: phi has no kink, its outputs have."""
    loop = loop_of(lambda x: np.array([abs(x[0]), abs(x[0])]), upstream=[1.0, -1.0], x=[0.0])
    response = respond(loop, "x", 0)
    assert (response.slope_ahead.tolist(), response.slope_behind.tolist()) == ([0.0], [0.0])
    assert (response.low.tolist(), response.high.tolist()) == ([-2.0], [2.0])


def test_noise_is_that_of_the_outputs_that_moved():
    loop = loop_of(lambda x, y: np.array([1e8 + x[0], y[0]]), upstream=[1.0, 1.0], x=[1.0], y=[1.0])
    assert respond(loop, "x", 0).noise == pytest.approx(0.5 * 2.2e-16 * 1e8, rel=0.5)
    assert respond(loop, "y", 0).noise == pytest.approx(0.5 * 2.2e-16, rel=2.0)


@pytest.mark.parametrize("side", ["ahead", "behind"])
def test_a_side_that_is_not_finite_is_not_a_number(side):
    sign = 1.0 if side == "ahead" else -1.0
    response = respond(loop_of(lambda x: np.sqrt(-sign * x), x=[0.0]), "x", 0)
    other = response.behind if side == "ahead" else response.ahead
    assert np.isnan(getattr(response, side)).tolist() == [True]
    assert np.isfinite(other).tolist() == [True]
    assert np.isnan(response.central).tolist() == [True]


def test_an_output_without_weight_must_be_finite_too():
    loop = loop_of(lambda x: np.array([x[0], 1.0 / np.maximum(1.0 - x[0], 0.0)]), upstream=[1.0, 0.0], x=[0.9])
    assert np.isnan(respond(loop, "x", 0, step=0.25).ahead).tolist() == [True]


def test_two_evaluations_a_probe_and_none_where_x_cannot_move():
    loop = loop_of(lambda x: x, x=[1.0, 1.0, 1.0])
    respond(loop, "x", 0, 2)
    assert loop.evaluations == 4
    response = respond(loop, "x", 1, step=2.0**-60)
    assert loop.evaluations == 4
    assert np.isnan([response.ahead, response.behind, response.central, response.noise]).all()
    assert response.up.tolist() == [0.0]


def test_the_point_is_left_as_it_was():
    made = problem(lambda x, y: np.sum(x * y), x=np.ones((2, 2)), y=np.ones((2, 2)))
    before = {name: array.copy() for name, array in made.point.items()}
    respond(PlainLoop(made, measure_noise(made)), "x", 0, 3)
    assert all(np.array_equal(made.point[name], before[name]) for name in before)


def test_a_function_that_spoils_its_input_spoils_only_its_own_copy():
    def spoil(x):
        result = np.sum(x**2)
        x[:] = 7.0
        return result

    made = problem(lambda x: spoil(x.copy()), x=[1.0, 2.0])
    assert respond(PlainLoop(made, measure_noise(made)), "x", 0, 1).central == pytest.approx([2.0, 4.0])


def test_changes_are_those_of_every_output_by_itself():
    loop = loop_of(lambda x: np.array([x[0], x[0] ** 2]), upstream=[2.0, -1.0], x=[1.0])
    assert loop.changes({"x": np.array([3.0])}).tolist() == [4.0, -8.0]
    assert loop.evaluations == 1

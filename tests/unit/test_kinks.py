"""Slopes along directions that move several elements at once, at the point and nearby."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.kinks import Direction, SlopeRange, directions, one_element, slopes_at, slopes_nearby
from gradcheck.numerical.noise import measure_noise
from tests.unit.points import problem


def looked_at(function, direction=None, **point):
    made = problem(function, **point)
    noise = measure_noise(made)
    return made, PlainLoop(made, noise), noise


def nearby(function, moves, count=64, **point):
    made, loop, _ = looked_at(function, **point)
    return slopes_nearby(made, loop, Direction({n: np.array(m, float) for n, m in moves.items()}), count, seed=0)


def at(function, moves, **point):
    made, loop, noise = looked_at(function, **point)
    return slopes_at(made, loop, noise, Direction({n: np.array(m, float) for n, m in moves.items()}))


def ends(slopes):
    return pytest.approx((slopes.low, slopes.high), abs=1e-3)


# --- directions -------------------------------------------------------------------------------------------------------


def test_a_direction_moves_what_it_names_and_nothing_else():
    direction = Direction({"a": np.array([1.0, 0.0]), "b": np.array([[0.0], [-2.0]])})
    point = {"a": np.array([1.0, 1.0]), "b": np.zeros((2, 1)), "c": np.ones(3)}
    moved = direction.moved(point, 0.5)
    assert (moved["a"].tolist(), moved["b"].tolist()) == ([1.5, 1.0], [[0.0], [-1.0]])
    assert moved["c"] is point["c"]
    assert point["a"].tolist() == [1.0, 1.0]
    assert direction.count == 2


def test_a_direction_keeps_the_dtype_of_the_tensors():
    moved = Direction({"a": np.ones(2)}).moved({"a": np.ones(2, np.float32)}, 0.5)
    assert moved["a"].dtype == np.float32


def test_the_step_is_that_of_the_smallest_scale_that_moves():
    point = {"a": np.array([8.0, 8.0]), "b": np.array([0.03, 1e9])}
    assert Direction({"a": np.ones(2)}).step(point, 0) == 8.0
    assert Direction({"a": np.ones(2)}).step(point, -13) == 2.0**-10
    assert Direction({"a": np.ones(2), "b": np.array([0.0, 1.0])}).step(point, 0) == 8.0
    assert Direction({"a": np.ones(2), "b": np.zeros(2)}).step({**point, "a": np.full(2, 0.3)}, 0) == 0.25


def test_one_element_is_a_direction():
    assert one_element(np.zeros((2, 2)), "w", 2).moves["w"].tolist() == [[0.0, 0.0], [1.0, 0.0]]


def test_together_means_all_ahead_with_random_signs_and_by_random_lengths():
    point = {"a": np.zeros((2, 2)), "b": np.zeros(5)}
    cells = {"a": np.array([0, 3]), "b": np.array([1, 2, 4])}
    ahead, signed, *random = directions(point, cells, seed=0)
    assert ahead.moves["a"].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert ahead.moves["b"].tolist() == [0.0, 1.0, 1.0, 0.0, 1.0]
    assert np.abs(signed.moves["a"]).tolist() == ahead.moves["a"].tolist()
    assert {-1.0, 1.0} == set(np.concatenate([signed.moves["a"].ravel()[cells["a"]], signed.moves["b"][cells["b"]]]))
    assert len(random) == 2
    for direction in random:
        lengths = np.abs(direction.moves["b"])
        assert np.all((lengths[cells["b"]] >= 0.5) & (lengths[cells["b"]] < 1.5))
        assert lengths[[0, 3]].tolist() == [0.0, 0.0]
    assert not np.array_equal(random[0].moves["b"], random[1].moves["b"])


def test_the_seed_chooses_the_directions():
    point, cells = {"a": np.zeros(9)}, {"a": np.arange(9)}
    drawn, again, other = ([d.moves["a"].tolist() for d in directions(point, cells, seed)] for seed in (0, 0, 1))
    assert drawn == again
    assert drawn[0] == other[0]
    assert all(one != another for one, another in zip(drawn[1:], other[1:], strict=True))


# --- at the point -----------------------------------------------------------------------------------------------------


def test_tied_elements_that_move_together_have_one_slope():
    slopes = at(np.max, {"x": [1, 0, 1]}, x=[2.0, 1.0, 2.0])
    assert (slopes.low, slopes.high) == ends(SlopeRange(1.0, 1.0))
    assert slopes.bound < 1e-9


def test_tied_elements_that_move_apart_have_two():
    slopes = at(np.max, {"x": [1, 0, -1]}, x=[2.0, 1.0, 2.0])
    assert (slopes.low, slopes.high) == ends(SlopeRange(-1.0, 1.0))


def test_outputs_count_by_themselves():
    slopes = at(lambda x: np.array([abs(x[0]), abs(x[0])]), {"x": [1]}, x=[0.0])
    width = np.abs(problem(lambda x: np.array([abs(x[0]), abs(x[0])]), x=[0.0]).upstream).sum()
    assert (slopes.low, slopes.high) == ends(SlopeRange(-width, width))


def test_tensors_move_together():
    slopes = at(lambda a, b: np.sum(np.maximum(a, b)), {"a": [1, 0], "b": [1, 0]}, a=[1.0, 2.0], b=[1.0, 0.0])
    assert (slopes.low, slopes.high) == ends(SlopeRange(1.0, 1.0))


def test_the_bound_holds_curvature_and_noise():
    slopes = at(lambda x: np.sum(np.exp(x)), {"x": [1.0, 1.0]}, x=[1.0, 1.0])
    assert slopes.low - slopes.bound <= 2 * np.e <= slopes.high + slopes.bound
    rough = at(lambda x: np.sum(x) + 1e6, {"x": [1.0]}, x=[1.0])
    assert rough.bound > 1e-6


def test_beyond_the_edge_of_the_domain_there_is_no_slope():
    assert at(lambda x: np.sum(np.sqrt(x)), {"x": [1, 0]}, x=[0.0, 1.0]) is None


def test_a_look_at_the_point_costs_four_evaluations_and_one_nearby_two_a_point():
    made, loop, noise = looked_at(lambda x: np.sum(np.abs(x)), x=[0.0, 1.0])
    slopes_at(made, loop, noise, one_element(made.point["x"], "x", 0))
    assert loop.evaluations == 4
    slopes_nearby(made, loop, one_element(made.point["x"], "x", 0), 16, seed=0)
    assert loop.evaluations == 4 + 32


# --- nearby ---------------------------------------------------------------------------------------------------------


def test_nearby_both_slopes_of_a_kink_are_met():
    slopes = nearby(lambda x: np.sum(np.abs(x)), {"x": [1, 0]}, x=[0.0, 1.0])
    assert (slopes.low, slopes.high) == ends(SlopeRange(-1.0, 1.0))
    assert slopes.band == 0.0


def test_ends_that_are_met_but_seldom_leave_a_band_of_half_the_range():
    """Forty kinks in one sum: its extremes are met once in 2⁴⁰ points."""
    weights = np.linspace(1.0, 2.0, 40)
    slopes = nearby(lambda x, y: np.sum(np.maximum(x[0] + y, 0) * weights), {"x": [1]}, x=[0.0], y=np.zeros(40))
    assert 0.0 < slopes.low < 0.5 * weights.sum() < slopes.high < weights.sum()
    assert slopes.band == pytest.approx(0.5 * (slopes.high - slopes.low))


def test_outputs_have_ranges_of_their_own():
    """Slopes that cancel in the sum open the interval all the same: whoever takes the other side of one is right."""
    made = problem(lambda x: np.array([abs(x[0]), abs(x[0])]), upstream=[1.0, -1.0], x=[0.0])
    slopes = slopes_nearby(made, PlainLoop(made, measure_noise(made)), one_element(made.point["x"], "x", 0), 16, seed=0)
    assert (slopes.low, slopes.high) == ends(SlopeRange(-2.0, 2.0))


def test_where_the_function_is_smooth_the_range_is_a_point():
    slopes = nearby(lambda x: np.sum(3 * x), {"x": [1, 1]}, x=[1.0, 2.0])
    assert (slopes.low, slopes.high, slopes.band) == pytest.approx((6.0, 6.0, 0.0), abs=1e-6)


def test_points_where_the_function_is_not_finite_are_left_out():
    slopes = nearby(lambda x: np.where(x[0] >= 0, np.abs(x[1]), np.nan), {"x": [0, 1]}, x=[0.0, 0.0])
    assert (slopes.low, slopes.high) == ends(SlopeRange(-1.0, 1.0))
    assert nearby(lambda x: np.where(x[0] == 1, 1.0, np.nan), {"x": [1]}, x=[1.0]) is None


def test_joined_ranges_hold_both_and_take_over_the_band():
    joined = SlopeRange(0.0, 1.0, 0.1, 0.0).joined(SlopeRange(0.5, 2.0, 0.0, 0.3))
    assert joined == SlopeRange(0.0, 2.0, 0.1, 0.3)
    assert SlopeRange(-3.0, 1.0, 0.0, 0.9).joined(SlopeRange(0.5, 0.7, 0.2, 0.0)) == SlopeRange(-3.0, 1.0, 0.2, 0.0)

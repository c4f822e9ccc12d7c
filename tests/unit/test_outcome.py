"""What a ladder says: slopes with honest bounds, kinks, jumps, edges of the domain, noise."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.model.evidence import Quality, Reason
from gradcheck.numerical.outcome import Levels, summarise
from tests.unit.test_ladder import ladder_of

NAN = np.nan


def read(function, x, **options):
    ladder, loop = ladder_of(lambda x: np.sum(function(x)), np.atleast_1d(np.asarray(x, float)), **options)
    ladder.climb(loop)
    return summarise(ladder.levels())


def levels_of(central, gap=0.0, error=0.0, moved=True, top=-5):
    """One element whose levels show the given slopes, from the longest step down by factors of four."""
    central = np.array(central, float)[:, None]
    steps = 2.0 ** (top - 2 * np.arange(central.shape[0], dtype=float))[:, None]
    gap, error = (np.broadcast_to(np.asarray(a, float).reshape(-1, 1), central.shape) for a in (gap, error))
    moved = np.broadcast_to(np.asarray(moved, bool).reshape(-1, 1), central.shape)
    ahead, behind = central + 0.5 * gap, central - 0.5 * gap
    return Levels(steps, central, ahead, behind, np.minimum(ahead, behind), np.maximum(ahead, behind), error, moved)


# --- smooth functions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (np.exp, np.exp), (np.sin, np.cos), (np.log1p, lambda x: 1 / (1 + x)), (lambda x: x**3, lambda x: 3 * x**2),
        (lambda x: 1e6 + x**2, lambda x: 2 * x), (lambda x: np.sin(300 * x), lambda x: 300 * np.cos(300 * x)),
        (lambda x: 7 * x, lambda x: 7 + 0 * x),
    ],
)  # fmt: skip
def test_the_bound_contains_the_slope_and_says_something(function, slope):
    x = np.array([0.3, 0.7, 1.1, 1.9])
    outcome = read(function, x)
    assert outcome.quality.tolist() == [Quality.MEASURED] * 4
    assert np.all(np.abs(outcome.value - slope(x)) <= outcome.bound)
    assert np.all(np.abs(outcome.second - slope(x)) <= outcome.second_bound)
    assert np.all(outcome.bound <= 1e-4 * np.abs(slope(x)).max())
    assert np.all((outcome.low == outcome.value - outcome.bound) & (outcome.high == outcome.value + outcome.bound))
    assert not outcome.flat.any()


def test_the_two_measurements_are_of_different_levels():
    outcome = read(np.exp, 0.5)
    assert outcome.second[0] != outcome.value[0]
    assert outcome.second_bound[0] >= outcome.bound[0]


def test_a_triple_is_one_measurement_and_only_two_make_it_measured():
    """The slopes of a parabola's derivative: constant, noise alone decides."""
    assert summarise(levels_of([1.0, 1.0], error=1e-9)).quality.tolist() == [Quality.UNRESOLVED]
    three = summarise(levels_of([1.0, 1.0, 1.0], error=1e-9))
    assert three.quality.tolist() == [Quality.SUSPECT]
    assert three.second_bound.tolist() == [np.inf]
    assert summarise(levels_of([1.0, 1.0, 1.0, 1.0], error=1e-9)).quality.tolist() == [Quality.MEASURED]


def test_the_bound_is_what_the_neighbour_differs_by_and_the_noise():
    outcome = summarise(levels_of([1.16, 1.04, 1.01, 1.0025], error=[0.0, 0.0, 0.0, 0.001]))
    assert outcome.value.tolist() == [1.0025]
    assert outcome.bound.tolist() == pytest.approx([0.0075 + 0.001])
    assert outcome.step.tolist() == [2.0**-11]


def test_where_noise_rules_the_middle_of_a_triple_is_the_better_level():
    outcome = summarise(levels_of([1.0, 1.0, 1.0], error=[0.01, 0.04, 0.16]))
    assert (outcome.bound.tolist(), outcome.step.tolist()) == (pytest.approx([0.04]), [2.0**-7])


def test_where_nothing_moves_the_longest_step_is_the_best():
    moved = [True, False, False, False, False]
    outcome = summarise(levels_of([0.5, 0.0, 0.0, 0.0, 0.0], error=[0.01, 0.02, 0.08, 0.32, 1.28], moved=moved))
    assert (outcome.value.tolist(), outcome.bound.tolist()) == ([0.0], [0.02])
    assert outcome.flat.tolist() == [False]


def test_levels_that_do_not_converge_are_not_believed():
    outcome = summarise(levels_of([1.0, 1.2, 1.4, 1.1, 1.5], error=1e-6))
    assert outcome.quality.tolist() == [Quality.UNRESOLVED]
    assert outcome.reason.tolist() == [Reason.OSCILLATION]
    assert outcome.bound.tolist() == [np.inf]


def test_levels_whose_one_sided_slopes_do_not_close_are_not_believed():
    closing = summarise(levels_of([1.0, 1.0, 1.0, 1.0], gap=[0.4, 0.1, 0.025, 0.00625]))
    open_ = summarise(levels_of([1.0, 1.0, 1.0, 1.0], gap=[0.4, 0.35, 0.3, 0.25]))
    assert (closing.quality.tolist(), open_.quality.tolist()) == ([Quality.MEASURED], [Quality.UNRESOLVED])


def test_levels_that_are_not_neighbours_make_no_triple():
    levels = levels_of([1.0, 1.0, 1.0, 1.0], error=1e-9)
    apart = Levels(levels.steps * np.array([[1], [1], [0.25], [0.25]]), *(getattr(levels, f) for f in
                   ("central", "ahead", "behind", "low", "high", "error", "moved")))  # fmt: skip
    assert summarise(apart).quality.tolist() == [Quality.UNRESOLVED]


def test_two_plateaus_are_two_scales():
    values = [2.0, 2.0, 2.0, 2.0, 1.5, 1.0, 1.0, 1.0, 1.0]
    outcome = summarise(levels_of(values, error=1e-9))
    assert (outcome.quality.tolist(), outcome.reason.tolist()) == ([Quality.UNRESOLVED], [Reason.TWO_SCALES])


def test_what_settles_by_chance_at_long_steps_is_no_slope_beside_one_that_settles_sharply():
    """Differences over many oscillations: small, so that their bound is the least, though it is a fifth of them."""
    values = [-19.0, 76.0, 99.0, -1277.0, 4773.0, -3e6, -6.1e7, -6.25e7, -6.255e7, -6.256e7, -6.2562e7]
    outcome = summarise(levels_of(values, error=1e-3))
    assert (outcome.quality.tolist(), outcome.reason.tolist()) == ([Quality.UNRESOLVED], [Reason.TWO_SCALES])


# --- nothing there --------------------------------------------------------------------------------------------------


def test_a_function_that_never_moves_is_flat_to_its_noise_over_the_longest_step():
    outcome = read(lambda x: 5.0 + 0 * x, 1.0)
    assert (outcome.flat.tolist(), outcome.quality.tolist()) == ([True], [Quality.MEASURED])
    assert (outcome.value.tolist(), outcome.second.tolist()) == ([0.0], [0.0])
    assert 0 < outcome.bound[0] == outcome.second_bound[0] < 1e-12


def test_a_stationary_point_moves_and_is_not_flat():
    outcome = read(np.square, 0.0)
    assert (outcome.flat.tolist(), outcome.value.tolist()) == ([False], [0.0])
    assert outcome.reach[0] > 1e-3


def test_reach_is_the_largest_one_sided_slope():
    assert summarise(levels_of([1.0, 1.0, 1.0], gap=[4.0, 1.0, 0.0])).reach.tolist() == [3.0]


# --- kinks and jumps ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [
        (np.abs, -1.0, 1.0), (lambda x: np.maximum(x, 0), 0.0, 1.0), (lambda x: x + 0.01 * np.abs(x), 0.99, 1.01),
        (lambda x: np.where(x > 0, 5 * x, x**2), 0.0, 5.0), (lambda x: 1e6 + np.abs(x), -1.0, 1.0),
        (lambda x: -np.abs(x) + np.exp(x), 0.0, 2.0),
    ],
)  # fmt: skip
def test_at_a_kink_the_slopes_on_both_sides_are_the_interval(function, low, high):
    outcome = read(function, 0.0)
    assert (outcome.quality.tolist(), outcome.reason.tolist()) == ([Quality.UNRESOLVED], [Reason.KINK])
    assert outcome.low[0] == pytest.approx(low, abs=1e-3)
    assert outcome.high[0] == pytest.approx(high, abs=1e-3)
    assert (outcome.value[0], outcome.bound[0]) == pytest.approx((0.5 * (low + high), 0.5 * (high - low)), abs=1e-3)
    assert outcome.low[0] <= low + 1e-9
    assert outcome.high[0] >= high - 1e-9


@pytest.mark.parametrize("distance", [1e-1, 1e-3, -1e-5, 1e-6, -1e-7, 1e-8])
def test_a_kink_beside_the_point_is_resolved_by_shorter_steps(distance):
    outcome = read(lambda x: np.abs(x - 1.0), 1.0 + distance)
    assert outcome.reason.tolist() == [Reason.NONE]
    assert abs(outcome.value[0] - np.sign(distance)) <= outcome.bound[0] < 1e-6


def test_curvature_is_no_kink():
    assert read(lambda x: 1e4 * x**2, 0.0).reason.tolist() == [Reason.NONE]
    assert read(lambda x: np.exp(-50 * x**2), 0.0).reason.tolist() == [Reason.NONE]


def test_noise_is_no_kink():
    rough = read(lambda x: x + 1e-9 * np.sin(1e13 * x), 1.0)
    assert rough.reason.tolist() in ([Reason.NONE], [Reason.NOISE])


def test_noise_below_the_steps_of_a_kink_does_not_hide_it():
    """At short steps noise closes every gap: only a slope sharper than the gap was measured beside the kink."""
    error = 1e-3 * 4.0 ** np.arange(8)
    outcome = summarise(levels_of([0.5] * 8, gap=1.0, error=error))
    assert outcome.reason.tolist() == [Reason.KINK]
    sharp = summarise(levels_of([0.5, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0], gap=[1.0] * 4 + [0.0] * 4, error=1e-6))
    assert (sharp.reason.tolist(), sharp.value.tolist()) == ([Reason.NONE], [1.0])


@pytest.mark.parametrize("function", [np.floor, lambda x: np.where(x >= 0, 1.0 + x, x), np.sign])
def test_a_jump_at_the_point_is_named(function):
    outcome = read(function, 0.0)
    assert (outcome.quality.tolist(), outcome.reason.tolist()) == ([Quality.UNRESOLVED], [Reason.JUMP])


def test_a_jump_beside_the_point_is_none():
    outcome = read(lambda x: np.floor(x) + x, 1.0 + 1e-6)
    assert (outcome.reason.tolist(), outcome.value.tolist()) == ([Reason.NONE], pytest.approx([1.0]))


# --- edges ----------------------------------------------------------------------------------------------------------


def test_at_the_edge_of_the_domain_one_side_is_enough():
    outcome = read(lambda x: np.where(x >= 0, np.exp(x) + x, np.nan), 0.0)
    assert (outcome.quality.tolist(), outcome.reason.tolist()) == ([Quality.MEASURED], [Reason.NONE])
    assert abs(outcome.value[0] - 2.0) <= outcome.bound[0] < 1e-6
    other = read(lambda x: np.where(x <= 0, np.exp(x) + x, np.nan), 0.0)
    assert abs(other.value[0] - 2.0) <= other.bound[0] < 1e-6


@pytest.mark.parametrize(("x", "slope"), [(1e-2, 100.0), (1e-5, 1e5)])
def test_close_to_the_edge_short_steps_stay_inside(x, slope):
    outcome = read(np.log, x, start=-17)
    assert abs(outcome.value[0] - slope) <= outcome.bound[0] < 1e-5 * slope


def test_a_slope_that_grows_without_end_at_the_edge_is_not_believed():
    outcome = read(np.sqrt, 0.0)
    assert outcome.quality.tolist() == [Quality.UNRESOLVED]


def test_a_function_that_is_finite_nowhere_else_has_no_slope():
    outcome = read(lambda x: np.where(x == 1.0, 1.0, np.nan), 1.0)
    assert (outcome.quality.tolist(), outcome.reason.tolist()) == ([Quality.UNRESOLVED], [Reason.DOMAIN])
    assert outcome.bound.tolist() == [np.inf]


def test_where_no_step_moves_x_there_is_no_slope():
    levels = levels_of([NAN, NAN, NAN], error=NAN)
    outcome = summarise(levels)
    assert (outcome.reason.tolist(), outcome.bound.tolist()) == ([Reason.STEP], [np.inf])
    assert outcome.flat.tolist() == [False]


def test_what_noise_hides_is_called_noise():
    outcome = summarise(levels_of([0.3, -0.8, 2.0, -9.0, 40.0], error=[0.1, 0.2, 0.3, 0.4, 0.5]))
    assert (outcome.quality.tolist(), outcome.reason.tolist()) == ([Quality.UNRESOLVED], [Reason.NOISE])


def test_elements_are_read_by_themselves():
    both = read(lambda x: np.array([np.sin(x[0]), np.abs(x[1])]), [1.0, 0.0])
    assert both.reason.tolist() == [Reason.NONE, Reason.KINK]

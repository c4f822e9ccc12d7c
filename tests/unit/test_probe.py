"""Many elements moved together: the slope, its bound, and what is seen of kinks and of the edge of a domain."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.noise import measure_noise
from gradcheck.numerical.probe import LEVELS, TensorProbe
from tests.unit.points import problem

X = np.random.default_rng(4).normal(size=300)


@pytest.fixture(autouse=True)
def warnings_are_those_of_the_examined_functions():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def probe_of(function, seed=0, **point):
    made = problem(function, **point)
    noise = measure_noise(made)
    return TensorProbe(made, PlainLoop(made, noise), noise, next(iter(point)), seed)


@pytest.mark.parametrize(
    ("function", "gradient"),
    [
        (lambda x: np.sum(x**3), 3 * X**2),
        (lambda x: np.sum(np.sin(x)), np.cos(X)),
        (lambda x: np.sum(np.abs(x)), np.sign(X)),
        (lambda x: 7.0 + 0.0 * np.sum(x), 0.0 * X),
        (lambda x: 1e6 + np.sum(x), 1.0 + 0.0 * X),
    ],
    ids=["cubes", "sines", "kinks farther away", "constant", "offset"],
)
@pytest.mark.parametrize("seed", range(5))
def test_the_slope_is_right_to_its_bound(function, gradient, seed):
    probe = probe_of(function, seed, x=X)
    slope = probe.slope(probe.direction(0))
    assert abs(slope.value - gradient @ slope.path) <= slope.bound
    assert slope.bound <= max(1e-6 * np.linalg.norm(gradient * slope.path), 4.0 * slope.noise)


def test_weights_have_both_signs_and_are_never_small():
    probe = probe_of(lambda x: np.sum(x), x=np.ones(2000))
    weights = probe.direction(0)
    assert np.abs(weights).min() >= 0.5
    assert np.abs(weights).max() < 1.5
    assert 900 < (weights > 0).sum() < 1100
    assert not np.array_equal(weights, probe.direction(1))
    assert np.array_equal(weights, probe.direction(0))


def test_the_path_is_the_way_really_travelled_by_a_float32():
    x = np.full(4, 1.0, np.float32)
    probe = probe_of(lambda x: np.sum(x.astype(np.float64)), x=x)
    move = np.array([1.0, 1.0 + 2.0**-20, 0.0, -1.0])
    slope = probe.slope(move)
    assert slope.path[2] == 0.0
    assert slope.value == pytest.approx(slope.path.sum(), abs=slope.bound)
    assert np.allclose(slope.path, move, rtol=1e-3)


def test_two_steps_are_enough_for_a_smooth_function_and_every_step_is_two_evaluations():
    probe = probe_of(lambda x: np.sum(x**2), x=X)
    probe.slope(probe.direction(0))
    assert probe.loop.evaluations == 4


def test_shorter_steps_are_taken_where_a_kink_lies_close_and_only_as_long_as_there_is_something_to_spend():
    near = 1e-7
    probe = probe_of(lambda x: np.sum(np.abs(x - near)), x=np.zeros(3))
    rough = probe.slope(np.ones(3), lambda: False)
    assert probe.loop.evaluations == 4
    fine = probe.slope(np.ones(3))
    assert fine.bound < 1e-3 * rough.bound
    assert abs(fine.value + 3.0) <= fine.bound
    assert probe.loop.evaluations <= 4 + 2 * LEVELS


@pytest.mark.parametrize("at", [0.0, 1e-9, 1e-7, 3e-6, 1e-5, -4e-6])
def test_a_kink_on_the_way_widens_the_bound_by_what_it_adds(at):
    """Whatever side it is on and however far, down to the point itself."""
    probe = probe_of(lambda x: np.sum(x) + 5.0 * np.maximum(x[0] - at, 0.0), x=np.zeros(2))
    slope = probe.slope(np.ones(2), lambda: False)
    left, right = 2.0, 7.0
    truth = [left] if at > 0 else [right] if at < 0 else [left, right]
    assert all(abs(slope.value - t) <= slope.bound for t in truth)


def test_a_kink_at_the_point_is_bent_and_its_sides_are_known():
    probe = probe_of(lambda x: np.sum(np.abs(x)), x=np.zeros(4))
    slope = probe.slope(np.array([1.0, -1.0, 0.5, 1.0]))
    assert slope.is_bent
    assert (slope.low, slope.high) == pytest.approx((-3.5, 3.5))
    assert not probe_of(lambda x: np.sum(x**2), x=X).slope(X).is_bent


def test_a_function_that_is_finite_nowhere_else_has_no_slope():
    slope = probe_of(lambda x: np.where(np.all(x == 1.0), 1.0, np.nan), x=np.ones(3)).slope(np.ones(3))
    assert np.isnan(slope.value)
    assert slope.bound == np.inf


def test_a_relative_direction_stays_inside_a_domain_that_ends_close_to_small_elements():
    x = np.logspace(-6, 6, 40)
    probe = probe_of(lambda x: np.sum(np.log(x)), x=x)
    assert np.isnan(probe.slope(probe.direction(0)).value)
    slope = probe.slope(probe.direction(0, is_relative=True))
    assert abs(slope.value - (1 / x) @ slope.path) <= slope.bound


def test_a_part_is_measured_by_one_step_of_the_same_length():
    probe = probe_of(lambda x: np.sum(x**3), x=X)
    move = probe.direction(0)
    whole = probe.slope(move)
    before = probe.loop.evaluations
    part = probe.part(np.where(np.arange(X.size) < 100, move, 0.0), whole)
    assert probe.loop.evaluations == before + 2
    assert part.step == whole.step
    assert abs(part.value - (3 * X**2) @ part.path) <= part.bound
    assert not part.path[100:].any()

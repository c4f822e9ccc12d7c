"""How exactly a function can be evaluated: rounding, noise of its own, float32 inside, another answer at every call."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.graph.expression import trace_program
from gradcheck.location import SourceText
from gradcheck.numerical.noise import measure_noise
from tests.property.random_graphs import problem_of
from tests.unit.points import problem

GENERATOR = np.random.default_rng(8)
X = GENERATOR.normal(size=12)
EPS = np.finfo(np.float64).eps


def noise_of(function, x=X, seed=0, **options):
    return measure_noise(problem(function, x=x, **options), seed)


def jitter(x, size):
    """Noise without a pattern that depends on nothing but x."""
    return size * np.sin(1e13 * x + np.arange(x.size)) if np.ndim(x) else size * np.sin(1e13 * x)


@pytest.mark.parametrize("function", [np.sin, np.exp, lambda x: np.sum(x**3), lambda x: 1 / (1 + np.exp(-x))])
def test_clean_functions_have_the_noise_of_rounding(function):
    noise = noise_of(function)
    assert 0.4 * EPS <= noise.relative <= 20 * EPS
    assert (noise.spread, noise.single) == (0.0, False)


@pytest.mark.parametrize("size", [1e-13, 1e-10, 1e-7, 1e-4])
@pytest.mark.parametrize("seed", range(5))
def test_noise_is_measured_to_a_factor_of_four(size, seed):
    """The bound is three standard deviations, 3·size / √2 per output."""
    noise = noise_of(lambda x: np.exp(x) + jitter(x, size), seed=seed, upstream=np.ones(12))
    assert 0.25 < noise.absolute / (3 * size * 6**0.5) < 4.0


@pytest.mark.parametrize("seed", range(5))
def test_noise_of_a_sum_is_measured_too(seed):
    noise = noise_of(lambda x: np.sum(x**2) + jitter(np.sum(x), 1e-9), seed=seed)
    assert 0.3 < noise.absolute / (3 * 1e-9 / 2**0.5) < 3.0


def test_noise_that_repeats_itself_at_any_distance_is_no_excuse():
    """Over many frequencies: with equally spaced samples one in three of these would look smooth."""
    frequencies = 10.0 ** np.linspace(12.0, 14.0, 60)
    found = [noise_of(lambda x, w=w: np.sum(x) + 1e-9 * np.sin(w * x[0])).absolute for w in frequencies]
    assert min(found) > 3e-10


@pytest.mark.parametrize("scale", [2.0**-100, 2.0**-660, 2.0**100, 2.0**660])
def test_noise_follows_the_unit(scale):
    base, scaled = noise_of(np.cos), noise_of(lambda x: scale * np.cos(x))
    assert scaled.absolute == pytest.approx(scale * base.absolute, rel=1e-6)
    assert scaled.relative == pytest.approx(base.relative, rel=1e-6)


def test_an_offset_brings_its_rounding():
    assert noise_of(lambda x: 1e8 + np.sin(x), upstream=np.ones(12)).absolute == pytest.approx(
        1e8 * EPS * 12**0.5, rel=1.5
    )


def test_every_output_has_its_own_noise():
    sizes = 10.0 ** np.arange(-6, 6)
    noise = noise_of(lambda x: sizes * np.exp(x), upstream=np.ones(12))
    assert np.all(noise.outputs < 20 * EPS * sizes * np.exp(X))
    assert np.all(noise.outputs > 0.4 * EPS * sizes * np.exp(X))
    assert noise.of(np.arange(12) == 3) == pytest.approx(noise.outputs[3], rel=1e-14)
    assert noise.of(np.ones(12, bool)) == pytest.approx(noise.absolute)
    assert noise.of(np.zeros(12, bool)) == 0.0


def test_noise_that_the_outputs_have_in_common_is_not_averaged_away():
    noise = noise_of(lambda x: np.exp(x) + jitter(np.sum(x), 1e-8), upstream=np.ones(12))
    assert noise.absolute > 0.3 * 3 * 12 * 1e-8 / 2**0.5


def test_the_upstream_gradient_weighs_noise():
    weights = np.where(np.arange(12) == 5, 1e-6, 1.0)
    noise = noise_of(lambda x: np.exp(x) + np.where(np.arange(12) == 5, jitter(x, 1e-4), 0.0), upstream=weights)
    assert 0.3 < noise.absolute / (3e-10 / 2**0.5) < 3.0


@pytest.mark.parametrize("distance", [1e-9, 1e-7, 1e-6, 3e-6])
def test_kinks_on_the_way_are_not_noise(distance):
    assert noise_of(lambda x: np.abs(x - X - distance) + x).relative < 100 * EPS


def test_jumps_on_the_way_are_not_noise():
    assert noise_of(lambda x: np.floor((x - X) * 1e6) + 2 + x, upstream=np.ones(12)).absolute < 1e-12


@pytest.mark.parametrize("distance", [1e-3, 1e-4, 1e-5])
def test_a_pole_nearby_is_not_noise(distance):
    noise = noise_of(lambda x: 1.0 / (x - X[0] + distance), x=X[:1])
    assert noise.relative < 1e3 * EPS / distance  # what rounding of x itself does next to a pole


@pytest.mark.parametrize("function", [np.log, np.sqrt])
def test_the_edge_of_the_domain_is_not_noise(function):
    assert noise_of(function, x=np.array([1e-9, 1.0, 3.0])).relative < 1e3 * EPS


def test_float32_inside_shows_in_a_sum_of_float64():
    noise = noise_of(lambda x: np.sum(np.exp(x.astype(np.float32)).astype(np.float64) * np.pi))
    assert 1e-9 < noise.relative < 1e-6
    assert noise.single is False


def test_outputs_of_float32_say_so():
    assert noise_of(lambda x: np.exp(x.astype(np.float32))).single is True


def test_short_numbers_do_not_look_like_float32():
    assert noise_of(np.round).single is False
    assert noise_of(np.zeros_like).single is False


def test_half_precision_inside_is_found_by_wider_spacings():
    noise = noise_of(lambda x: np.cos(x.astype(np.float16)).astype(np.float64), upstream=np.ones(12))
    assert 1e-5 < noise.relative < 3e-3


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_inputs_of_low_precision_are_moved_by_whole_ulps(dtype):
    """A function that computes in float64 has no noise of its own, however coarse its inputs are."""
    noise = noise_of(lambda x: np.sin(x.astype(np.float64)), x=X.astype(dtype))
    assert noise.relative < 1e-11


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_relative_noise_at_a_value_of_zero_is_measured_by_the_slope(dtype):
    x = X.astype(dtype)
    noise = noise_of(lambda x: np.sum(x.astype(np.float64)) - float(np.sum(X.astype(dtype).astype(np.float64))), x=x)
    assert noise.relative < 1e-12


def test_a_value_near_zero_says_nothing_about_the_size_of_the_function():
    assert noise_of(lambda x: np.sum(np.sin(x)) - float(np.sum(np.sin(X))) + 1e-17).relative < 1e-13


def test_another_answer_at_every_call_is_spread():
    generator = np.random.default_rng(0)
    noise = noise_of(lambda x: np.sum(x) + 1e-3 * generator.random())
    assert 1e-5 < noise.spread < 1e-3
    assert noise.absolute >= 3.0 * noise.spread


def test_spread_that_cancels_in_the_sum_is_still_noise_of_the_outputs():
    calls = iter(range(1000))

    def swinging(x):
        swing = 0.5 * (next(calls) % 2)
        return np.array([x[0] + swing, x[0] - swing])

    noise = noise_of(swinging, upstream=[1.0, 1.0])
    assert noise.spread == 0.0
    assert np.all(noise.outputs >= 1.4)


def test_a_constant_has_the_rounding_of_its_value_and_zero_has_none():
    assert noise_of(lambda x: 3.7).absolute == 0.5 * EPS * 3.7
    zero = noise_of(lambda x: 0.0 * np.sum(x))
    assert (zero.absolute, zero.relative) == (0.0, 0.0)


def test_a_function_that_is_finite_nowhere_else_is_measured_all_the_same():
    noise = noise_of(lambda x: np.sum(np.where(x == X, x, np.nan)))
    assert np.isfinite([noise.absolute, noise.relative, noise.spread]).all()


def test_the_measurement_costs_fifty_evaluations_and_leaves_the_point_alone():
    calls = []
    made = problem(lambda x: calls.append(x.copy()) or np.sum(x**2), x=X)
    del calls[:]
    assert measure_noise(made).evaluations == len(calls) == 50
    assert np.array_equal(made.point["x"], X)


def test_the_same_seed_gives_the_same_noise():
    def function(x):
        return np.exp(x) + jitter(x, 1e-9)

    assert noise_of(function, seed=4).absolute == noise_of(function, seed=4).absolute
    assert noise_of(function, seed=4).absolute != noise_of(function, seed=5).absolute


def test_of_very_many_outputs_a_selection_speaks_for_all():
    x = GENERATOR.normal(size=10_000)
    noise = noise_of(lambda x: np.exp(x) + jitter(x, 1e-9), x=x, upstream=np.ones(10_000))
    assert noise.outputs.shape == (10_000,)
    assert 0.3 < noise.absolute / (3e-9 * 100 / 2**0.5) < 5.0
    assert noise.outputs.min() > 0.0


def test_a_brief_measurement_takes_half_the_evaluations_and_comes_out_alike():
    made = problem(lambda x: np.sum(np.sin(x) * 1e3), x=np.linspace(-1.0, 2.0, 40))
    full, brief = measure_noise(made), measure_noise(made, is_brief=True)
    assert (full.evaluations, brief.evaluations) == (50, 26)
    assert 0.25 <= brief.absolute / full.absolute <= 4.0


@pytest.mark.parametrize(("text", "evaluations"), [("sum(tanh(x @ x))", 26), ("sum(tanh(inv(x)))", 50)])
def test_what_is_made_of_our_ops_in_float64_has_no_staircase_to_look_for(text, evaluations):
    """An op that evaluates something as a whole may be somebody's code; then it is looked for."""
    made = problem_of(trace_program(SourceText.of(text), {"x": np.eye(3) + 0.1}))
    noise = measure_noise(made)
    assert noise.evaluations == evaluations
    assert 0.4 * EPS <= noise.relative <= 20 * EPS


def test_a_brief_measurement_is_not_fooled_by_the_staircase_of_float32():
    made = problem(lambda x: float(np.sum(x.astype(np.float32) ** 2, dtype=np.float32)), x=np.linspace(0.5, 2.0, 40))
    brief = measure_noise(made, is_brief=True)
    assert brief.single
    assert brief.relative >= 1e-8

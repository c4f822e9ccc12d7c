"""The evidence about a whole tensor: pilots, the screen, and who climbs – at two evaluations an ordinary element."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.model.evidence import Quality, Reason
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.evidence import ALL_CLIMB, PILOTS, TensorEvidence, expected_evaluations, start_exponent
from gradcheck.numerical.noise import measure_noise
from tests.unit.points import problem

GENERATOR = np.random.default_rng(4)
MANY = GENERATOR.normal(size=500)


def evidence_of(function, x, seed=0, **options):
    made = problem(function, x=x, **options)
    noise = measure_noise(made)
    loop = PlainLoop(made, noise)
    return TensorEvidence(made, loop, noise, "x", seed), loop


def smooth(x):
    return np.sum(np.sin(x) * np.exp(0.3 * x))


def slope(x):
    return np.exp(0.3 * x) * (np.cos(x) + 0.3 * np.sin(x))


def test_every_element_of_a_small_tensor_climbs():
    evidence, loop = evidence_of(smooth, MANY[:ALL_CLIMB])
    assert evidence.climbed.all()
    assert (evidence.estimate.quality == Quality.MEASURED).all()
    assert loop.evaluations == evidence.estimate.total_evaluations


def test_a_larger_tensor_is_screened_but_for_the_pilots():
    evidence, loop = evidence_of(smooth, MANY)
    assert evidence.climbed.sum() == PILOTS
    assert evidence.climbed[[0, 499, np.argmax(np.abs(MANY)), np.argmin(np.abs(MANY))]].all()
    assert (evidence.estimate.quality[~evidence.climbed] == Quality.SCREENED).all()
    assert (evidence.estimate.evaluations[~evidence.climbed] == 2).all()
    assert loop.evaluations == evidence.estimate.total_evaluations <= 2 * 500 + 30 * PILOTS


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_screened_bounds_hold_and_are_tight(scale, unit):
    evidence, _ = evidence_of(lambda x: scale * smooth(x / unit), MANY * unit)
    off = np.abs(evidence.estimate.value - scale / unit * slope(MANY))
    assert np.all(off <= evidence.estimate.bound)
    assert np.median(evidence.estimate.bound) <= 1e-7 * np.median(np.abs(slope(MANY))) * scale / unit


def test_the_shape_of_the_tensor_is_kept():
    evidence, _ = evidence_of(smooth, MANY.reshape(5, 100))
    assert evidence.estimate.shape == (5, 100)
    assert evidence.estimate.value == pytest.approx(slope(MANY).reshape(5, 100), rel=1e-6, abs=1e-9)


def test_refining_lets_the_wanted_climb_once():
    evidence, loop = evidence_of(smooth, MANY)
    wanted = np.zeros(500, bool)
    wanted[[3, 30, 300]] = True
    before = evidence.estimate
    evidence.refine(wanted)
    after = evidence.estimate
    assert (after.quality[wanted] == Quality.MEASURED).all()
    assert (after.evaluations[wanted] >= before.evaluations[wanted] + 8).all()
    assert np.array_equal(after.value[~wanted], before.value[~wanted])
    spent = loop.evaluations
    evidence.refine(wanted)
    assert loop.evaluations == spent


def test_bent_elements_are_suspect():
    """A kink within the step of the screen."""
    x = np.append(MANY, [1.0 + 1e-7, 3.0])
    evidence, _ = evidence_of(lambda x: np.sum(np.sin(x)) + np.abs(x[500] - 1.0), x)
    assert np.flatnonzero(evidence.estimate.quality == Quality.SUSPECT).tolist() == [500]


def test_elements_that_moved_nothing_are_flat():
    evidence, _ = evidence_of(lambda x: np.sum(np.sin(x[::2])), MANY)
    flat = evidence.estimate.flat
    assert flat[1::2].all()
    assert not flat[::2].any()


def test_where_the_pilots_are_dead_others_take_their_place():
    live = np.zeros(500, bool)
    live[100:140] = True
    evidence, _ = evidence_of(lambda x: np.sum(np.sin(x[live])), np.sort(MANY)[::-1], seed=1)
    estimate = evidence.estimate
    assert np.array_equal(~estimate.flat, live)
    off = np.abs(estimate.value[live] - np.cos(np.sort(MANY)[::-1][live]))
    assert np.all(off <= estimate.bound[live])
    assert np.all(estimate.bound[live] < 1e-6)


def test_a_tensor_that_is_not_used_is_flat_at_two_evaluations_an_element():
    evidence, loop = evidence_of(lambda x: 3.0, MANY)
    assert evidence.estimate.flat.all()
    assert loop.evaluations < 2 * 500 + 31 * PILOTS


def test_where_the_curvature_is_uneven_every_element_measures_its_own():
    weights = np.where(np.arange(500) % 2, 1.0, 1e4)
    evidence, _ = evidence_of(lambda x: np.sum(np.sin(weights * x)), MANY)
    off = np.abs(evidence.estimate.value - weights * np.cos(weights * MANY))
    assert np.all(off <= evidence.estimate.bound)
    assert (evidence.estimate.evaluations[~evidence.climbed] == 4).all()


def test_elements_beside_the_edge_of_the_domain_are_not_known_by_the_screen():
    x = np.append(np.abs(MANY) + 1.0, 1e-9)
    evidence, _ = evidence_of(lambda x: np.sum(np.sqrt(x)), x)
    assert evidence.climbed[500]  # the smallest element is a pilot
    x[500], x[499] = 1e-10, 1e-9
    evidence, _ = evidence_of(lambda x: np.sum(np.sqrt(x)), x)
    assert (evidence.estimate.quality[499], evidence.estimate.bound[499]) == (Quality.SUSPECT, np.inf)
    assert evidence.estimate.reason[499] == Reason.DOMAIN
    evidence.refine(np.arange(501) == 499)
    assert evidence.estimate.value[499] == pytest.approx(0.5 / 1e-9**0.5, rel=1e-3)


def test_a_tiny_element_climbs_around_its_own_size():
    evidence, _ = evidence_of(lambda x: np.sum(np.maximum(x, 0.0)), np.array([3e-11, -2e-12, 1.0]))
    assert evidence.estimate.value.tolist() == pytest.approx([1.0, 0.0, 1.0], abs=1e-4)
    assert evidence.estimate.reason.tolist() == [Reason.NONE] * 3


def test_the_seed_chooses_the_pilots():
    def pilots(seed):
        return np.flatnonzero(evidence_of(smooth, MANY, seed)[0].climbed).tolist()

    assert pilots(0) == pilots(0)
    assert pilots(0) != pilots(1)


def test_widening_opens_the_interval_and_sets_the_band():
    evidence, _ = evidence_of(lambda x: np.sum(np.abs(x)), np.array([0.0, 1.0]))
    evidence.widen(0, -3.0, 0.5, 0.25)
    estimate = evidence.estimate
    assert (estimate.low[0], estimate.band[0]) == (-3.0, 0.25)
    assert estimate.high[0] == pytest.approx(1.0)
    assert estimate.bound[0] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("relative", "epsilon", "expected"),
    [
        (1e-16, 2.2e-16, -17), (1e-12, 2.2e-16, -13), (1e-9, 2.2e-16, -10), (1e-7, 2.2e-16, -8), (1e-3, 2.2e-16, -4),
        (1.0, 2.2e-16, -4), (0.0, 2.2e-16, -17), (0.0, 1.2e-7, -8), (0.0, 9.8e-4, -4),
    ],
)  # fmt: skip
def test_the_first_step_is_the_cube_root_of_the_relative_noise(relative, epsilon, expected):
    noise = measure_noise(problem(lambda x: np.sum(x), x=[1.0]))
    noise = type(noise)(1.0, relative, noise.outputs, 0.0, False, 0)
    assert start_exponent(noise, epsilon) == expected


# --- only what is asked for -------------------------------------------------------------------------------------------


def sampled(function, x):
    made = problem(function, x=x)
    noise = measure_noise(made)
    loop = PlainLoop(made, noise)
    return TensorEvidence(made, loop, noise, "x", is_sampled=True), loop


def test_a_sample_begins_with_nothing_and_claims_to_know_nothing():
    evidence, loop = sampled(smooth, MANY)
    assert loop.evaluations == 0
    estimate = evidence.estimate
    assert not estimate.checked.any()
    assert np.isinf(estimate.bound).all()
    assert (estimate.quality == Quality.UNRESOLVED).all()


def test_a_glance_is_two_evaluations_a_confirmation_eight_and_a_farther_look_four():
    evidence, loop = sampled(smooth, MANY)
    cells = np.array([3, 77])
    costs = []
    for ask in (lambda: evidence.glance(cells, 1e-9, 0.0), lambda: evidence.confirm(cells),
                lambda: evidence.look_farther(cells)):  # fmt: skip
        before = loop.evaluations
        ask()
        costs.append(loop.evaluations - before)
        estimate = evidence.estimate
        assert np.flatnonzero(estimate.checked).tolist() == [3, 77]
        assert np.all(np.abs(estimate.value - slope(MANY))[cells] <= estimate.bound[cells])
    assert costs == [4, 16, 8]
    assert (evidence.estimate.quality[cells] == Quality.MEASURED).all()


def test_a_farther_look_shows_what_noise_hides_and_is_forgotten_where_it_does_not():
    evidence, _ = sampled(lambda x: 1e6 + np.sum(x) + 1e6 * x[0] ** 3, np.full(20, 0.5))
    cells = np.array([0, 5])
    evidence.glance(cells, 0.0, 0.0)
    before = evidence.estimate.bound
    evidence.look_farther(cells)
    after = evidence.estimate
    assert after.bound[5] < before[5] / 16
    assert abs(after.value[5] - 1.0) <= after.bound[5]
    assert after.bound[0] == before[0]  # curvature is worse there


def test_a_confirmed_element_may_still_climb():
    evidence, _ = sampled(smooth, MANY)
    evidence.confirm(np.array([5]))
    assert not evidence.climbed[5]
    wanted = np.zeros(500, bool)
    wanted[5] = True
    evidence.refine(wanted)
    assert evidence.climbed[5]


@pytest.mark.parametrize("sizes", [(1,), (16,), (17,), (500,), (500, 3)])
def test_the_evaluations_that_are_expected_are_about_those_that_it_takes(sizes):
    made = problem(lambda *xs: sum(smooth(x) for x in xs), **{f"x{i}": MANY[:n] for i, n in enumerate(sizes)})
    noise = measure_noise(made)
    loop = PlainLoop(made, noise)
    for name in made.wrt:
        TensorEvidence(made, loop, noise, name)
    assert 0.5 < (noise.evaluations + loop.evaluations) / expected_evaluations(made) < 2.0

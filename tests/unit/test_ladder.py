"""Which steps an element climbs, in which order, and how noisy each of them is said to be."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.ladder import EDGE_ORDER, NEAR_ZERO_ORDER, ORDER, PILOT_ORDER, Ladder
from gradcheck.numerical.noise import measure_noise
from gradcheck.numerical.steps import element_scales
from tests.unit.points import problem

START = -17


def ladder_of(function, x, cells=None, start=START, **options):
    made = problem(function, x=x, **options)
    noise, x = measure_noise(made), made.point["x"].reshape(-1)
    cells = np.arange(x.size) if cells is None else np.array(cells)
    ladder = Ladder("x", cells, x[cells], element_scales(x)[cells], start, noise, made.epsilon)
    return ladder, PlainLoop(made, noise)


def exponents(ladder, element=0):
    """The steps of one element, as powers of two, in the order they were climbed."""
    return [int(np.log2(row[element])) for row in ladder.steps if np.isfinite(row[element])]


def test_levels_are_a_factor_four_apart_first_down_then_around():
    ladder, loop = ladder_of(np.sin, [1.0, 1.0])
    ladder.climb_all(loop)
    allowed = [order for order in ORDER if START + 2 * order <= -2]
    assert exponents(ladder) == [START + 2 * order for order in allowed]
    assert exponents(ladder)[:4] == [-17, -19, -21, -15]


class Counting:
    """Answers as another one does, and counts the requests."""

    def __init__(self, responder):
        self.responder, self.requests = responder, []

    def respond(self, tensor, cells, steps):
        self.requests.append(cells.size)
        return self.responder.respond(tensor, cells, steps)

    def spot_check(self, tensor, seed): ...


def test_levels_that_nothing_depends_on_are_asked_for_together():
    ladder, loop = ladder_of(np.sin, [1.0, 2.0])
    counting = Counting(loop)
    ladder.climb_all(counting, PILOT_ORDER)
    ladder.climb(counting, ORDER[len(PILOT_ORDER) :])
    assert counting.requests[0] == 2 * len(PILOT_ORDER)
    assert set(counting.requests[1:]) <= {1, 2}
    other, loop = ladder_of(np.sin, [1.0, 2.0])
    for order in PILOT_ORDER:
        other.climb_all(loop, (order,))
    for together, alone in zip(ladder.steps, other.steps, strict=False):
        assert together.tolist() == alone.tolist()
    assert [row.tolist() for row in other.central] == [row.tolist() for row in ladder.central[: len(PILOT_ORDER)]]


def test_the_first_levels_of_a_climb_are_one_request():
    ladder, loop = ladder_of(np.sin, [1.0, 2.0])
    counting = Counting(loop)
    ladder.climb(counting)
    assert counting.requests == [8]


def test_no_step_is_longer_than_a_quarter_of_the_scale():
    ladder, loop = ladder_of(lambda x: 1e-3 * x, [1.0], start=-4)
    ladder.climb_all(loop)
    assert max(exponents(ladder)) == -2


def test_an_element_stops_once_two_triples_agree_well_enough():
    ladder, loop = ladder_of(np.sin, [1.0])
    ladder.climb(loop)
    assert exponents(ladder) == [-17, -19, -21, -15]
    assert ladder.evaluations.tolist() == [8]
    assert loop.evaluations == 8


def test_only_elements_that_are_not_settled_climb_on():
    ladder, loop = ladder_of(lambda x: np.array([np.sin(x[0]), np.abs(x[1] - 1.0)]), [1.0, 1.0 + 1e-7])
    ladder.climb(loop)
    settled, beside_a_kink = ladder.evaluations
    assert settled == 8
    assert beside_a_kink > 16
    assert loop.evaluations == ladder.evaluations.sum()


def test_what_stands_still_is_asked_with_the_longest_step_and_left_alone():
    ladder, loop = ladder_of(lambda x: np.array([np.maximum(x[0] - 2.0, 0.0), np.sin(x[1])]), [1.0, 1.0])
    ladder.climb(loop)
    assert exponents(ladder) == [-17, -19, -21, -15, -3]
    assert ladder.outcome().flat.tolist() == [True, False]


def test_what_the_longest_step_moves_climbs_on():
    ladder, loop = ladder_of(lambda x: np.array([np.maximum(x[0] - 1.1, 0.0), np.sin(x[1])]), [1.0, 1.0])
    ladder.climb(loop)
    assert sorted(exponents(ladder), reverse=True)[0] == -3
    assert len(exponents(ladder)) == len(set(exponents(ladder))) > 8


def test_levels_noisier_than_what_is_known_are_left_out():
    rng = np.random.default_rng(0)
    ladder, loop = ladder_of(lambda x: np.sin(x) + 1e-9 * rng.normal(), [1.0], start=-9)
    ladder.climb(loop)
    assert min(exponents(ladder)) == -13  # further down the noise is larger than the bound of the first triples
    assert max(exponents(ladder)) == -3


def test_pilots_climb_six_levels_whatever_they_find():
    ladder, loop = ladder_of(lambda x: 3 * x, [1.0])
    ladder.climb_all(loop, PILOT_ORDER)
    assert exponents(ladder) == [-17, -19, -21, -15, -13, -23]


def test_a_probe_that_cannot_move_costs_nothing():
    ladder, loop = ladder_of(np.sin, [1.0], start=-34)
    ladder.climb_all(loop, (0, -7, -8))
    assert exponents(ladder) == [-34, -48]  # sixteen ulps of 1; a fourth of them would be too few
    assert ladder.evaluations.tolist() == [4]


def test_a_tiny_element_gets_steps_around_its_own_size_a_factor_four_from_the_others():
    ladder, loop = ladder_of(lambda x: np.sum(np.sqrt(x)), [3e-11, 1.0])
    ladder.climb_all(loop)
    before = exponents(ladder)
    ladder.climb_near_zero(loop, np.array([True, True]))
    added = exponents(ladder)[len(before) :]
    assert len(added) == len(NEAR_ZERO_ORDER)
    assert all((exponent - before[0]) % 2 == 0 for exponent in added)
    assert not set(added) & set(before)
    assert -43 <= added[0] <= -40


def test_steps_that_were_climbed_before_are_not_climbed_again():
    ladder, loop = ladder_of(lambda x: np.sum(np.sqrt(x)), [1e-4, 1.0])
    ladder.climb_all(loop)
    ladder.climb_near_zero(loop, np.array([True, False]))
    assert len(set(exponents(ladder))) == len(exponents(ladder))


@pytest.mark.parametrize("x", [0.0, 2.0**-10])
def test_zero_and_elements_that_are_not_tiny_get_no_steps_of_their_own(x):
    ladder, loop = ladder_of(lambda x: np.sum(x), [x, 1.0])
    ladder.climb_all(loop)
    before = ladder.evaluations.copy()
    ladder.climb_near_zero(loop, np.array([True, False]))
    assert np.array_equal(ladder.evaluations, before)


def test_next_to_the_edge_of_the_domain_long_steps_give_way_to_short_ones():
    ladder, loop = ladder_of(lambda x: np.array([np.log(x[0] - 1.0), x[1]]), [1.0 + 1e-9, 1.0])
    ladder.climb_all(loop)
    assert ladder.at_edge().tolist() == [True, False]
    assert max(exponents(ladder)) == START + 4
    ladder.climb_down(loop, np.array([True, True]))
    assert min(exponents(ladder)) == START + 2 * EDGE_ORDER[-1]
    assert min(exponents(ladder, 1)) == START + 2 * ORDER[-1]
    assert ladder.evaluations[0] <= 30


def test_the_worst_element_costs_at_most_forty_evaluations():
    """Tiny, next to the edge of the domain, and never settling."""
    ladder, loop = ladder_of(lambda x: np.sum(np.sqrt(x) * (1 + 1e-6 * np.sin(1e14 * x))), [1e-13, 1.0])
    ladder.climb(loop)
    ladder.climb_near_zero(loop, np.array([True, True]))
    ladder.climb_down(loop, np.array([True, True]))
    assert ladder.evaluations.max() <= 40


def test_noise_over_the_step_is_the_error_of_a_difference():
    ladder, loop = ladder_of(lambda x: 1e6 + np.sum(x), [1.0])
    ladder.climb_all(loop, (0, -1))
    expected = 2.0 * ladder.noise.absolute / 2.0**-17
    assert ladder.error()[0] == pytest.approx([expected], rel=1e-3)
    assert ladder.error()[1] == pytest.approx([4 * expected], rel=1e-3)


def test_the_rounding_of_the_change_itself_is_error_too():
    ladder, loop = ladder_of(lambda x: np.sum(1e9 * (x - 1.0)), [1.0])
    ladder.climb_all(loop, (0,))
    rounding = 2.0 * 0.5 * 2.0**-52 * 1e9 * 2.0**-17 / 2.0**-17
    assert ladder.error()[0, 0] >= rounding


def test_an_output_that_stands_still_adds_its_noise_over_the_longest_step_only():
    """A large output that does not depend on x: it may hide a slope, but not more than its noise over a long step."""
    ladder, loop = ladder_of(lambda x: np.array([x[0], 1e8 + 0 * x[0]]), [1.0], upstream=[1.0, 1.0])
    ladder.climb_all(loop, (0,))
    alone = ladder.error()[0, 0]
    ladder.climb_all(loop, (7,))
    assert alone == pytest.approx(ladder.noise.absolute / 2.0**-17, rel=0.01)
    assert ladder.error()[0, 0] == pytest.approx(alone * 2.0**-14, rel=0.01)


def test_an_output_that_moves_at_the_longest_step_is_noisy_at_all_of_them():
    """At the shortest step 1e8 + x stands still, and still has its noise."""
    ladder, loop = ladder_of(lambda x: 1e8 + np.sum(x), [1.0])
    ladder.climb_all(loop, (0, -8))
    assert loop.respond("x", np.array([0]), np.array([2.0**-33])).noise.tolist() == [0.0]
    assert ladder.error()[1, 0] == pytest.approx(2.0 * ladder.noise.absolute / 2.0**-33, rel=1e-3)


def test_levels_are_handed_on_from_the_longest_to_the_shortest():
    ladder, loop = ladder_of(np.sin, [1.0, 2.0])
    ladder.climb_all(loop, PILOT_ORDER)
    levels = ladder.levels()
    assert np.all(np.diff(levels.steps, axis=0) < 0)
    expected = (np.sin(1.0 + levels.steps[:, 0]) - np.sin(1.0 - levels.steps[:, 0])) / (2 * levels.steps[:, 0])
    assert levels.central[:, 0] == pytest.approx(ladder_of(np.sin, [1.0, 2.0])[1].problem.upstream[0] * expected)
    assert levels.moved.all()


def test_levels_that_an_element_did_not_climb_come_last():
    ladder, loop = ladder_of(np.sin, [1.0, 2.0])
    ladder.level(loop, np.array([2.0**-20, 2.0**-9]), np.array([True, True]))
    ladder.level(loop, np.array([2.0**-5, 2.0**-5]), np.array([False, True]))
    steps = ladder.levels().steps
    assert steps[:, 1].tolist() == [2.0**-5, 2.0**-9]
    assert (steps[0, 0], np.isnan(steps[1, 0])) == (2.0**-20, True)

"""Elements at a kink, looked at more closely: what their neighbourhood allows, and what they add up to."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.checking.at_kinks import NEARBY_CELLS, tied_claims, widen_intervals
from gradcheck.model.evidence import Reason
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.evidence import TensorEvidence
from gradcheck.numerical.noise import measure_noise
from tests.unit.points import examined, only, problem

ROWS = np.random.default_rng(2).normal(size=(30, 4))
SIGNS = np.where(np.arange(30) % 2, 1.0, -1.0)


def looked_at(function, **point):
    made = problem(function, **point)
    noise = measure_noise(made)
    loop = PlainLoop(made, noise)
    return made, loop, noise


def widened(function, claimed, x):
    made, loop, noise = looked_at(function, x=x)
    evidence = TensorEvidence(made, loop, noise, "x")
    before = evidence.estimate
    assert (before.reason == Reason.KINK).all()
    widen_intervals(made, loop, evidence, np.asarray(claimed, float), np.arange(np.size(x)), seed=0)
    return before, evidence.estimate, loop


def many_kinks(x):
    """Thirty kinks at zero, half of them up and half of them down: on both sides of the point most cancel."""
    return np.sum(SIGNS * np.maximum(ROWS @ x, 0.0))


def test_slopes_around_a_point_of_many_kinks_are_accepted_too():
    before, after, _ = widened(many_kinks, np.zeros(4), np.zeros(4))
    assert np.all(after.low < before.low)
    assert np.all(after.high > before.high)
    assert np.all(after.band > 0.0)


def test_around_a_single_kink_there_is_nothing_more_and_no_band():
    before, after, _ = widened(lambda x: np.sum(np.abs(x)), [2.0, -2.0], np.zeros(2))
    assert after.low == pytest.approx(before.low, abs=1e-6)
    assert after.high == pytest.approx(before.high, abs=1e-6)
    assert after.band.tolist() == [0.0, 0.0]


def test_more_points_are_looked_at_only_while_the_claim_lies_outside():
    made, loop, noise = looked_at(many_kinks, x=np.zeros(4))
    alone = TensorEvidence(made, loop, noise, "x").estimate.total_evaluations
    inside, outside = 0.5 * ROWS.T @ SIGNS, np.full(4, 1e6)
    costs = [widened(many_kinks, claimed, np.zeros(4))[2].evaluations - alone for claimed in (inside, outside)]
    assert costs == [4 * 16 * 2, 4 * (16 + 64) * 2]


def test_only_so_many_elements_are_looked_at_and_of_the_others_nothing_is_said():
    x = np.zeros(NEARBY_CELLS + 4)
    finding = only(examined(lambda x: np.sum(np.abs(x)), {"x": np.full(x.size, 2.0)}, x=x))
    assert finding.counts == {"fail": NEARBY_CELLS, "inconclusive": 4}
    assert finding.verdict == "fail"


def test_the_elements_that_are_furthest_off_are_looked_at_first():
    x = np.zeros(NEARBY_CELLS + 4)
    claimed = np.full(x.size, 1.5)
    claimed[-1] = 9.0
    finding = only(examined(lambda x: np.sum(np.maximum(x, 0)), {"x": claimed}, x=x))
    assert finding.worst.index == (x.size - 1,)


def against(function, claimed, **point):
    made, loop, noise = looked_at(function, **point)
    claims = {name: np.array(c, float) for name, c in claimed.items()}
    cells = {name: np.flatnonzero(np.isfinite(c)) for name, c in claims.items()}
    return tied_claims(made, loop, noise, claims, cells, seed=0), loop.evaluations


def test_claims_that_add_up_cost_four_evaluations_a_direction():
    assert against(np.max, {"x": [1.0, 0.0]}, x=[2.0, 2.0]) == ("", 16)


def test_a_contradiction_is_believed_only_if_the_points_nearby_agree():
    text, cost = against(np.max, {"x": [1.0, 1.0]}, x=[2.0, 2.0])
    assert text == "the gradients of the 2 tied elements add up to 2; moved together they have slope 1"
    assert cost == 4 + 2 * 16


def test_every_convention_for_many_kinks_at_once_adds_up():
    for at_zero in (0.0, 1.0):
        claimed = at_zero * ROWS.T @ SIGNS
        assert against(many_kinks, {"x": claimed}, x=np.zeros(4))[0] == ""


def test_where_the_function_ends_nothing_contradicts():
    assert against(lambda x: np.sum(np.sqrt(x)), {"x": [9.0, 9.0]}, x=[0.0, 0.0])[0] == ""

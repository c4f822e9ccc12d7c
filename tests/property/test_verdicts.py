"""The promise in numbers: no false fail, no missed mistake, bounds that hold and are tight – on random functions.

`make soak` (SOAK=1) runs 100,000 elements of each kind; a normal run a few thousand.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from gradcheck.checking.examine import examine
from gradcheck.model.problem import Array, Claim, Point, Problem
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.evidence import TensorEvidence
from gradcheck.numerical.noise import measure_noise
from tests.property.functions import draw
from tests.unit.points import problem

ELEMENTS = 24
ROUNDS = 100_000 // ELEMENTS + 1 if os.environ.get("SOAK") else 60
CLEAN: dict[str, float] = {}
NOISY = [{"noise": 1e-12}, {"noise": 1e-10}, {"noise": 1e-9}, {"offset": 1e4}, {"offset": 1e6}]


def verdicts(**kinds: float) -> Counter[str]:
    counts: Counter[str] = Counter()
    for seed in range(ROUNDS):
        drawn = draw(seed, n=ELEMENTS, wide=not kinds, **kinds)
        (found,) = examine(drawn.problem, seed=seed).findings
        counts.update(found.counts)
        assert not found.counts.get("fail"), (seed, drawn.names, found.worst)
        assert not found.counts.get("kink"), (seed, drawn.names, found.worst)
    return counts


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_right_gradients_of_clean_functions_never_fail_and_hardly_ever_stay_open():
    counts = verdicts()
    assert counts["inconclusive"] <= 0.005 * ROUNDS * ELEMENTS


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", NOISY, ids=str)
def test_right_gradients_of_noisy_functions_never_fail_and_seldom_stay_open(kind):
    counts = verdicts(**kind)
    assert counts["inconclusive"] <= 0.05 * ROUNDS * ELEMENTS


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("fault", "share"), [(1e-1, 1.0), (1e-2, 1.0), (1e-3, 1.0), (1e-4, 0.995)])
def test_a_mistake_in_one_element_is_caught(fault, share):
    caught = 0
    for seed in range(ROUNDS):
        (found,) = examine(draw(seed, n=ELEMENTS, fault=fault).problem, seed=seed).findings
        caught += found.verdict == "fail"
        assert found.wrong <= 1
    assert caught >= share * ROUNDS


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_bounds_hold_and_are_tight():
    holds, ratios, sharp = [], [], []
    for seed in range(ROUNDS):
        drawn = draw(seed, n=ELEMENTS)
        problem = drawn.problem
        noise = measure_noise(problem, seed)
        evidence = TensorEvidence(problem, PlainLoop(problem, noise), noise, "x", seed)
        evidence.refine(np.ones(ELEMENTS, bool))
        estimate = evidence.estimate
        exact, size = drawn.exact, np.abs(drawn.exact)
        error = np.abs(estimate.value - exact)
        # The reference is rounded, too: a few ulps are its own.
        holds.append(error <= estimate.bound + 8e-16 * size)
        ratios.append(estimate.bound / np.maximum(error, 1e-16 * size))
        sharp.append(4 * estimate.bound <= 1e-6 * np.maximum(np.abs(estimate.value), size))
    assert np.concatenate(holds).mean() >= 0.999
    assert np.median(np.concatenate(ratios)) <= 1000
    assert np.concatenate(sharp).mean() >= 0.99


def test_an_ordinary_element_costs_two_evaluations_and_no_element_more_than_forty():
    drawn = draw(5, n=5000, wide=False)
    examination = examine(drawn.problem, seed=5)
    per_tensor = 1000  # pilots, noise, and some elements that were looked at twice
    weakest = 5000 // 200 * 30  # half a percent of the elements, up the whole ladder
    assert examination.evaluations <= 2 * 5000 + per_tensor + weakest
    noise = measure_noise(drawn.problem)
    evidence = TensorEvidence(drawn.problem, PlainLoop(drawn.problem, noise), noise, "x")
    assert int((evidence.estimate.evaluations > 2).sum()) <= 16
    evidence.refine(np.ones(5000, bool))
    assert int(evidence.estimate.evaluations.max()) <= 40


def test_tolerances_do_not_grow_with_the_number_of_outputs():
    size = 1_000_000
    x = np.linspace(0.5, 1.5, 3)

    def claim_off_by(amount: float) -> str:
        weights = np.random.default_rng(0).choice([-1.0, 1.0], size)

        def function(point: Point) -> Array:
            out = np.zeros(size)
            out[:3] = point["x"] ** 2
            out[3:] = 1.0
            return out

        claimed = 2 * x * weights[:3]
        claimed[1] *= 1 + amount
        point = {"x": x}
        problem = Problem(point, ("x",), function, weights, function(point), (Claim("backward", {"x": claimed}),))
        return examine(problem).findings[0].verdict

    assert claim_off_by(0.0) == "pass"
    assert claim_off_by(1e-5) == "fail"


def softmax(x: Array) -> Array:
    return np.exp(x) / np.exp(x).sum()


IN_SINGLE = {
    "logsumexp": (lambda x: np.log(np.exp(x).sum()), softmax),
    "mean square": (lambda x: np.square(x).mean(), lambda x: 2.0 * x / x.size),
    "tanh": (lambda x: np.tanh(x).sum(), lambda x: 1.0 - np.square(np.tanh(x))),
}


@pytest.mark.parametrize("size", [5, 20, 60])
@pytest.mark.parametrize("name", IN_SINGLE)
def test_one_number_that_is_rounded_to_float32_has_the_noise_of_it(name: str, size: int) -> None:
    """Along a line its staircase may have steps so wide that no spacing of the samples meets one."""
    function, slope = IN_SINGLE[name]
    for seed in range(12):
        x = np.random.default_rng(seed).normal(size=size)
        given = problem(lambda x: float(function(x.astype(np.float32))), claims={"x": slope(x)}, x=x)
        (found,) = examine(given, seed=seed).findings
        assert found.verdict == "pass", (seed, found.worst)
        (found,) = examine(replace(given, claims=(Claim("backward", {"x": 1.1 * slope(x)}),)), seed=seed).findings
        assert found.verdict == "fail", (seed, found.worst)

"""Gradients in float16 and bfloat16: limits that follow the type, a floor beside them, and what is left to be said."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.checking.laws import broken_laws
from gradcheck.model.problem import Claim, Problem
from gradcheck.verdict.compare import Limits, compare
from gradcheck.verdict.precision import HALF_NOTE, half_limits, limits_for
from tests.unit.estimates import estimate

HALF, BRAIN = 2.0**-10, 2.0**-7  # machine epsilons of float16 and bfloat16
SLOPES = np.random.default_rng(5).normal(size=60)
BOUND = np.full(60, 1e-12)


@pytest.mark.parametrize(("epsilon", "rtol", "floor"), [(HALF, 2.0**-7, 2.0**-9), (BRAIN, 2.0**-4, 2.0**-6)])
def test_the_limits_are_a_few_roundings_of_the_type(epsilon: float, rtol: float, floor: float) -> None:
    found, notes = limits_for(SLOPES.astype(np.float32), False, 1e-16, None, SLOPES, BOUND, epsilon)
    assert found == half_limits(epsilon)
    assert (found.rtol, found.floor, notes) == (rtol, floor, (HALF_NOTE,))


def test_numbers_written_by_hand_have_digits_whatever_the_code_computes_with() -> None:
    found, notes = limits_for(None, False, 1e-16, None, SLOPES, BOUND, BRAIN)
    assert (found.rtol, found.floor, notes) == (1e-6, 0.0, ())


def test_float32_has_limits_of_its_own() -> None:
    found, _ = limits_for(SLOPES.astype(np.float32), False, 1e-16, None, SLOPES, BOUND, float(np.finfo(np.float32).eps))
    assert (found.rtol, found.floor) == (1e-3, 0.0)


LIMITS = Limits(rtol=0.05, rho=0.05, rho_tensor=1e-3, floor=0.01)


@pytest.mark.parametrize(
    ("claimed", "word"),
    [
        ([1.0, 0.1, 0.0], "PASS PASS PASS"),
        ([1.055, 0.114, 0.009], "PASS PASS PASS"),
        ([1.07, 0.117, 0.011], "FAIL FAIL FAIL"),
    ],
)
def test_the_floor_is_relative_to_the_largest_slope_of_the_tensor(claimed: list[float], word: str) -> None:
    evidence = estimate([1.0, 0.1, 0.0], bound=1e-9)
    found = compare(np.array(claimed), evidence, LIMITS)
    assert " ".join({0: "PASS", 1: "FAIL"}.get(int(w), "?") for w in found.words) == word


def test_an_element_below_the_floor_is_not_resolved_by_itself_and_does_not_set_the_resolution() -> None:
    numbers = np.array([1.0, 0.1, 0.03])
    found = compare(numbers, estimate(numbers.tolist(), bound=1e-9), LIMITS)
    assert found.resolved.tolist() == [True, True, False]
    assert found.resolution == pytest.approx(0.05 + 0.01 / 0.1)


def test_a_sum_of_upstream_gradients_is_not_asked_to_be_exact_beyond_the_type() -> None:
    def vjp(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {"x": np.round(weights * 2.0**5) / 2.0**5}

    upstream = np.array([0.7, -1.3, 0.9])
    values = {"point": {"x": upstream}, "wrt": ("x",), "function": lambda point: point["x"], "value": upstream}
    for epsilon, broken in ((BRAIN, False), (0.0, True)):
        claim = Claim("backward", vjp(upstream), vjp=vjp, epsilon=epsilon)
        problem = Problem(**values, upstream=upstream, claims=(claim,))
        assert bool(broken_laws(problem, claim)) is broken

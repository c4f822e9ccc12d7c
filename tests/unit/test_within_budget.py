"""A black box examined within a budget: what passes, what is found, what it costs and what is said about the rest."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from gradcheck.checking.examine import Examination, examine
from gradcheck.model.problem import Claim, Problem
from gradcheck.numerical.evidence import expected_evaluations
from tests.unit.networks import FULL, network, spoiled
from tests.unit.points import only, problem

GENERATOR = np.random.default_rng(6)
X = GENERATOR.normal(size=800)
LEAST = 60
PLENTY = 5000


@pytest.fixture(autouse=True)
def warnings_are_those_of_the_examined_functions():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def cubes(x):
    return np.sum(x**3)


def within(budget, function, claimed, **point):
    ((name, _),) = point.items()
    return examine(problem(function, claims={name: claimed}, **point), budget=budget)


def verdicts(examination: Examination) -> dict[str, str]:
    return {finding.tensor: finding.verdict for finding in examination.findings}


def most(made: Problem, count: int) -> float:
    """What a search for so many elements may cost: 2k(1 + log₂(P/k)) + 100."""
    size = sum(np.size(x) for x in made.point.values())
    return 2 * count * (1 + np.log2(size / count)) + 100


def assert_found_exactly(made: Problem, tensor: str, count: int, factor: float, seed: int) -> None:
    """Wrong elements are counted one by one: as many as there are, and none in a tensor that is right."""
    wrong = spoiled(made, tensor, count, factor, seed)
    for budget in (int(most(made, count)), 10 * PLENTY):
        if budget < expected_evaluations(wrong):
            examination = examine(wrong, budget=budget, seed=seed)
            assert examination.evaluations <= most(made, count)
            assert verdicts(examination) == {name: "fail" if name == tensor else "pass" for name in made.wrt}
            assert {f.tensor: f.wrong for f in examination.findings if f.wrong} == {tensor: count}


# --- the classroom network --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(25))
def test_a_right_network_passes_with_sixty_evaluations(seed: int) -> None:
    examination = examine(network(seed), budget=LEAST, seed=seed)
    assert set(verdicts(examination).values()) == {"pass"}
    assert examination.evaluations <= LEAST
    assert {finding.coverage for finding in examination.findings} == {"probed"}


@pytest.mark.parametrize("count", [1, 3, 10, 30])
@pytest.mark.parametrize("seed", range(3))
def test_doubled_elements_are_found_exactly_for_what_a_bisection_may_cost(count: int, seed: int) -> None:
    assert_found_exactly(network(seed), "W1", count, 2.0, seed)


@pytest.mark.parametrize("tensor", ["W1", "b1", "W2", "b2"])
@pytest.mark.parametrize("factor", [1.01, -1.0, 0.0])
def test_a_single_wrong_element_is_found_wherever_it_is(tensor: str, factor: float) -> None:
    assert_found_exactly(network(7), tensor, 1, factor, 7)


@pytest.mark.soak
def test_no_right_network_of_full_size_fails() -> None:
    for seed in range(50):
        for budget in (LEAST, PLENTY):
            examination = examine(network(seed, FULL), budget=budget, seed=seed)
            assert set(verdicts(examination).values()) == {"pass"}, seed
            assert examination.evaluations <= LEAST + 40


@pytest.mark.soak
@pytest.mark.parametrize(("count", "factor", "seeds"), [(1, 2.0, 20), (1, 1.01, 20), (10, 2.0, 10), (100, 2.0, 5)])
def test_wrong_elements_of_a_network_of_full_size_are_found_exactly(count: int, factor: float, seeds: int) -> None:
    for seed in range(seeds):
        assert_found_exactly(network(seed, FULL), "W1", count, factor, seed)


# --- what is found with how much --------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [2.0, -1.0, 0.0, 1.00001])
def test_a_wholly_wrong_tensor_fails_by_its_sample_and_is_not_searched(factor: float) -> None:
    examination = within(400, cubes, factor * 3 * X**2, x=X)
    finding = only(examination)
    assert (finding.verdict, finding.coverage) == ("fail", "probed")
    assert finding.worst is not None
    assert examination.evaluations < 100


def test_a_mistake_that_the_budget_cannot_find_still_fails_by_the_sum() -> None:
    wrong = spoiled(network(0), "W1", 1, 2.0, 0)
    finding = examine(wrong, budget=LEAST).findings[0]
    assert (finding.verdict, finding.wrong, finding.worst, finding.limit) == ("fail", 0, None, None)
    assert finding.reason.startswith("along a random direction the claims add up to ")
    assert finding.reason.endswith("a larger budget finds the elements")


def test_a_search_that_was_cut_short_says_so() -> None:
    claimed = 3 * X**2 * np.where(GENERATOR.permutation(X.size) < 200, 1.5, 1.0)
    finding = only(within(300, cubes, claimed, x=X))
    assert finding.verdict == "fail"
    assert 0 < finding.wrong < 200
    assert finding.notes[-1].endswith("the budget ended before all wrong elements were found")


def test_what_is_allowed_to_every_element_is_no_mistake_of_the_sum() -> None:
    assert only(within(300, cubes, 3 * X**2 * (1 + 5e-7), x=X)).verdict == "pass"
    assert only(within(300, cubes, 3 * X**2 * (1 + 5e-6), x=X)).verdict == "fail"


def test_a_tolerance_that_is_asked_for_holds_for_the_sum_too() -> None:
    made = problem(cubes, claims={"x": 3.0003 * X**2}, x=X)
    assert only(examine(made, budget=300, rtol=1e-3)).verdict == "pass"
    assert only(examine(made, budget=300, rtol=1e-6)).verdict == "fail"


def test_every_claim_that_is_not_finite_fails_without_an_evaluation() -> None:
    claimed = 3 * X**2
    claimed[[5, 9, 700]] = np.nan, np.inf, -np.inf
    finding = only(within(LEAST, cubes, claimed, x=X))
    assert (finding.verdict, finding.wrong, finding.worst.index) == ("fail", 3, (5,))


def test_several_claims_are_judged_by_the_same_evidence() -> None:
    made = problem(cubes, x=X)
    wrong = 3 * X**2
    wrong[123] *= 1.5
    claims = Claim("backward", {"x": 3 * X**2}), Claim("formula", {"x": wrong})
    made = Problem(made.point, made.wrt, made.function, made.upstream, made.value, claims)
    found = [(f.claim, f.verdict, f.wrong) for f in examine(made, budget=300).findings]
    assert found == [("backward", "pass", 0), ("formula", "fail", 1)]


@pytest.mark.parametrize(
    ("function", "claimed", "x", "verdict"),
    [
        (lambda x: float(np.sum(x) > 1e9), np.zeros(800), X, "vacuous"),
        (lambda x: np.sum(np.abs(x)), np.zeros(800), np.zeros(800), "kink"),
        (lambda x: np.sum(np.abs(x)), np.full(800, 3.0), np.zeros(800), "fail"),
        (lambda x: np.where(np.all(x == 1.0), 1.0, np.nan), np.zeros(800), np.ones(800), "inconclusive"),
        (lambda x: np.max(x), (X.max() <= X) * 1.0, X, "pass"),
        (lambda x: np.sum(np.log(x)), 1 / np.logspace(-8, 8, 800), np.logspace(-8, 8, 800), "pass"),
        (lambda x: np.sum(x**2), np.zeros(800), X, "fail"),
    ],
    ids=["stands still", "kink", "beyond a kink", "finite nowhere", "mostly zero", "wide scales", "claimed zero"],
)
def test_every_verdict_comes_out_of_a_budget_too(function, claimed, x, verdict: str) -> None:
    assert only(within(400, function, claimed, x=x)).verdict == verdict


@pytest.mark.parametrize("factor", [1.0, 1.05])
def test_float32_is_judged_as_float32(factor: float) -> None:
    x = X.astype(np.float32)
    claimed = (factor * 3 * x**2).astype(np.float32)
    finding = only(within(400, lambda x: np.sum(x**3, dtype=np.float32), claimed, x=x))
    assert finding.verdict == ("pass" if factor == 1.0 else "fail")
    assert "computed in float32: judged to about 3 digits" in finding.notes


# --- what a budget is -------------------------------------------------------------------------------------------------


def test_a_budget_that_pays_for_every_element_changes_nothing() -> None:
    made = network(1, (6, 5, 3))
    assert examine(made, budget=expected_evaluations(made)).findings == examine(made).findings


def test_a_budget_of_nothing_is_exceeded_by_the_least_and_that_is_said() -> None:
    examination = examine(network(0), budget=1)
    assert examination.notes == ("the budget of 1 evaluations is too small here: 42 are the least",)
    assert set(verdicts(examination).values()) == {"pass"}
    assert [f.checked for f in examination.findings] == [0, 0, 0, 0]


def test_a_sample_holds_the_largest_smallest_first_last_and_one_that_is_claimed_to_be_zero() -> None:
    asked = []

    def remember(x):
        if np.sum(x != X) == 1:
            asked.append(int(np.flatnonzero(x != X)[0]))
        return np.sum(np.where(np.arange(800) == 400, 0.0, x**3))

    claimed = np.where(np.arange(800) == 400, 0.0, 3 * X**2)
    assert only(within(400, remember, claimed, x=X)).checked == 5
    others = np.delete(np.arange(800), 400)
    expected = {0, 799, 400, int(claimed.argmax()), int(others[claimed[others].argmin()])}
    assert set(asked) == expected


def test_the_same_problem_gives_the_same_answer() -> None:
    made = spoiled(network(2), "W1", 5, 2.0, 2)
    assert examine(made, budget=400, seed=4).findings == examine(made, budget=400, seed=4).findings


def test_what_could_have_been_missed_is_said_and_true() -> None:
    """A mistake of one element that is twice as large does not pass; the words and the resolution agree."""
    made = network(3)
    finding = examine(made, budget=LEAST, seed=3).findings[0]
    note = finding.notes[-1]
    assert note.startswith("probed: ")
    missed = float(note.split(" below ")[1].split(" of a typical one")[0])
    assert 1e-6 <= missed <= finding.resolution
    right = made.claims[0].gradients["W1"]
    typical = float(np.sqrt(np.mean(right**2)))
    for cell in range(0, right.size, 397):
        wrong = right.copy()
        wrong.reshape(-1)[cell] += 2.0 * max(missed, 1e-5) * typical
        claim = Claim("backward", {**made.claims[0].gradients, "W1": wrong})
        spoilt = Problem(made.point, made.wrt, made.function, made.upstream, made.value, (claim,))
        assert examine(spoilt, budget=300, seed=3).findings[0].verdict != "pass", cell

"""A problem examined: claims compared with evidence, doubtful elements measured again, kinks looked at closely."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from gradcheck.checking.examine import CONVICT, examine
from gradcheck.model.problem import Claim, Problem
from tests.unit.points import examined, only, problem

GENERATOR = np.random.default_rng(6)
MANY = GENERATOR.normal(size=(20, 30))


@pytest.fixture(autouse=True)
def warnings_are_those_of_the_examined_functions():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def cubes(x):
    return np.sum(x**3)


def counts(examination):
    return dict(only(examination).counts)


# --- what is compared -------------------------------------------------------------------------------------------------


def test_a_right_gradient_passes_with_a_resolution():
    finding = only(examined(lambda x: np.sum(x**3 + 5 * x), {"x": 3 * MANY**2 + 5}, x=MANY))
    assert (finding.claim, finding.tensor, finding.shape) == ("backward", "x", (20, 30))
    assert (finding.verdict, finding.checked, finding.wrong) == ("pass", 600, 0)
    assert 1e-6 <= finding.resolution < 1e-4


def test_one_wrong_element_is_found_and_named():
    claimed = 3 * MANY**2
    claimed[7, 11] *= 1.001
    finding = only(examined(cubes, {"x": claimed}, x=MANY))
    assert (finding.verdict, finding.wrong, finding.counts) == ("fail", 1, {"pass": 599, "fail": 1})
    assert finding.worst.index == (7, 11)
    assert finding.worst.numeric == pytest.approx(3 * MANY[7, 11] ** 2, rel=1e-6)
    assert finding.worst.relative_error == pytest.approx(1e-3, rel=1e-2)


def test_every_element_of_a_wholly_wrong_tensor_is_counted_wrong():
    x = GENERATOR.normal(size=2000)
    finding = only(examined(cubes, {"x": 6 * x**2}, x=x))
    assert finding.wrong == 2000
    assert finding.counts == {"fail": 2000}


def test_a_wholly_wrong_tensor_is_not_measured_twice_element_by_element():
    x = GENERATOR.normal(size=2000)
    assert examined(cubes, {"x": 6 * x**2}, x=x).evaluations < 2 * 2000 + 24 * CONVICT


def test_tensors_are_reported_in_their_order_claims_in_theirs():
    made = problem(lambda a, b: np.sum(a * b), a=[1.0, 2.0], b=[3.0, 4.0])
    right, wrong = {"a": made.point["b"], "b": made.point["a"]}, {"b": made.point["b"]}
    claims = (Claim("backward", right), Claim("formula", wrong))
    made = Problem(made.point, made.wrt, made.function, made.upstream, made.value, claims)
    found = [(f.tensor, f.claim, f.verdict) for f in examine(made).findings]
    assert found == [("a", "backward", "pass"), ("b", "backward", "pass"), ("b", "formula", "fail")]


def test_an_empty_tensor_is_no_finding():
    assert examined(lambda x: np.sum(x), {"x": np.zeros((0, 3))}, x=np.zeros((0, 3))).findings == ()


def test_a_tensor_without_a_claim_is_no_finding():
    assert [f.tensor for f in examined(lambda a, b: np.sum(a * b), {"b": [1.0]}, a=[1.0], b=[1.0]).findings] == ["b"]


@pytest.mark.parametrize(
    ("claimed", "reason"),
    [
        (np.ones(3), "the gradient has shape (3,); expected (2, 2)"),
        (np.ones((4,)), "the gradient has shape (4,); expected (2, 2)"),
        (np.ones((2, 2)) + 0j, "the gradient is complex; expected real numbers"),
        (np.full((2, 2), "a"), "the gradient is not an array of numbers"),
        (None, "the gradient is not an array of numbers"),
    ],
)
def test_what_cannot_be_compared_fails_and_says_why(claimed, reason):
    finding = only(examined(cubes, {"x": claimed}, x=np.ones((2, 2))))
    assert (finding.verdict, finding.reason, finding.worst) == ("fail", reason, None)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("size", [3, 600])
def test_a_gradient_that_is_not_finite_fails_in_small_and_large_tensors(value, size):
    x = np.linspace(1.0, 2.0, size)
    claimed = 3 * x**2
    claimed[size // 2] = value
    finding = only(examined(cubes, {"x": claimed}, x=x))
    assert (finding.verdict, finding.wrong, finding.worst.index) == ("fail", 1, (size // 2,))


def test_a_function_that_is_finite_only_at_the_point_lets_nothing_pass():
    finding = only(examined(lambda x: np.where(np.all(x == 1.0), 1.0, np.nan), {"x": np.zeros(3)}, x=np.ones(3)))
    assert (finding.verdict, finding.counts) == ("inconclusive", {"inconclusive": 3})
    assert finding.reason == "the function is not finite close to the point"


@pytest.mark.parametrize("dtype", [np.int64, np.bool_, np.uint8])
def test_integers_may_be_gradients(dtype):
    assert only(examined(lambda x: np.sum(x), {"x": np.ones(4, dtype)}, x=np.arange(4.0))).verdict == "pass"


# --- the evidence does not depend on the claim ------------------------------------------------------------------------


def test_the_numbers_are_the_same_whatever_is_claimed():
    x = np.array([0.5, 1.5, -2.0])
    worsts = [only(examined(cubes, {"x": 3 * x**2 * np.array([1.0, factor, 1.0])}, x=x)).worst for factor in (2, -7)]
    assert {(w.index, w.numeric, w.bound) for w in worsts} == {((1,), worsts[0].numeric, worsts[0].bound)}


def test_the_same_problem_gives_the_same_answer():
    made = problem(cubes, claims={"x": 3.003 * MANY**2}, x=MANY)
    assert examine(made, seed=2).findings == examine(made, seed=2).findings


# --- precision ------------------------------------------------------------------------------------------------------


def test_a_float32_claim_is_judged_as_float32_and_says_so():
    finding = only(examined(cubes, {"x": (3 * MANY**2).astype(np.float32)}, x=MANY))
    assert finding.verdict == "pass"
    assert finding.notes == ("computed in float32: judged to about 3 digits",)
    assert only(examined(cubes, {"x": (3.03 * MANY**2).astype(np.float32)}, x=MANY)).verdict == "fail"


def test_a_function_of_float32_is_judged_as_float32():
    def function(x):
        return np.sin(x.astype(np.float32))

    made = problem(function, x=MANY[0])
    slopes = np.cos(MANY[0]) * made.upstream
    assert only(examined(function, {"x": slopes}, x=MANY[0])).verdict == "pass"
    assert only(examined(function, {"x": 1.02 * slopes}, x=MANY[0])).verdict == "fail"


def test_a_small_wrong_element_among_exact_ones_is_no_rounding_of_float32():
    claimed = 3 * MANY**2
    claimed[3, 4] += 2e-6 * np.abs(claimed[3, 4])
    assert only(examined(cubes, {"x": claimed}, x=MANY)).verdict == "fail"


def test_an_rtol_of_the_case_is_the_limit():
    made = problem(cubes, claims={"x": 3.003 * MANY**2}, x=MANY)
    assert only(examine(made)).verdict == "fail"
    assert only(examine(made, rtol=0.01)).verdict == "pass"


def test_written_digits_are_judged_as_written():
    half_unit, digits = {"x": np.full(2, 0.005)}, {"x": np.full(2, 3)}
    for written, verdict in (([1.58, 6.75], "pass"), ([1.59, 6.75], "fail"), ([1.58, 6.76], "fail")):
        made = problem(cubes, x=[0.7265, 1.5])
        claim = Claim("expected", {"x": np.array(written)}, half_unit, digits)
        made = Problem(made.point, made.wrt, made.function, made.upstream, made.value, (claim,))
        assert only(examine(made)).verdict == verdict


def test_a_number_too_coarse_for_a_mistake_of_one_percent_passes_and_says_so():
    made = problem(cubes, x=[0.7265])
    claim = Claim("expected", {"x": np.array([2.0])}, {"x": np.array([0.5])}, {"x": np.array([1])})
    made = Problem(made.point, made.wrt, made.function, made.upstream, made.value, (claim,))
    assert (only(examine(made)).verdict, only(examine(made)).notes) == ("pass", ("agrees to the 1 digit written",))


@pytest.mark.parametrize(
    ("value", "verdict"), [(8.0, "pass"), (8.0 * (1 + 1e-7), "pass"), (8.001, "fail"), (np.nan, "fail")]
)
def test_a_number_for_the_output_is_compared_with_the_output(value, verdict):
    made = problem(cubes, x=[2.0])
    claims = (Claim("expected", {"value": np.array([value]), "x": np.array([12.0])}),)
    made = Problem(made.point, made.wrt, made.function, made.upstream, made.value, claims)
    assert [(f.tensor, f.verdict) for f in examine(made).findings] == [("value", verdict), ("x", "pass")]


# --- kinks and ties -------------------------------------------------------------------------------------------------


def relu_sum(x):
    return np.sum(np.maximum(x, 0.0) * np.arange(1.0, x.size + 1))


AT = np.array([0.0, 0.3, -0.2])


@pytest.mark.parametrize(
    ("at_zero", "verdict"), [(0.0, "kink"), (0.5, "kink"), (1.0, "kink"), (1.1, "fail"), (-0.1, "fail")]
)
def test_at_a_kink_every_slope_between_the_two_is_right(at_zero, verdict):
    finding = only(examined(relu_sum, {"x": [at_zero, 2.0, 0.0]}, x=AT))
    assert finding.verdict == verdict
    if verdict == "kink":
        assert finding.counts == {"pass": 2, "kink": 1}


@pytest.mark.parametrize(
    ("claimed", "verdict"),
    [([1, 0, 0], "kink"), ([0, 0, 1], "kink"), ([0.5, 0, 0.5], "kink"), ([1, 0, 1], "fail"), ([0, 0, 0], "fail")],
)
def test_tied_elements_must_add_up(claimed, verdict):
    finding = only(examined(np.max, {"x": np.array(claimed, float)}, x=[2.0, 1.0, 2.0]))
    assert finding.verdict == verdict
    if verdict == "fail":
        total = int(sum(claimed))
        assert (finding.wrong, finding.worst) == (2, None)
        assert finding.reason == (
            f"the gradients of the 2 tied elements add up to {total}; moved together they have slope 1"
        )


def test_two_ties_that_make_up_for_each_other_are_told_apart():
    """One pair claims too much, the other too little: together, all ahead, they add up."""
    x = np.array([1.0, 1.0, 5.0, 5.0])
    finding = only(examined(lambda x: np.max(x[:2]) + np.max(x[2:]), {"x": [1.0, 1.0, 0.0, 0.0]}, x=x))
    assert finding.verdict == "fail"
    assert "add up to" in finding.reason


@pytest.mark.parametrize(("other", "verdict"), [(0.0, "kink"), (1.0, "fail")])
def test_tensors_that_are_tied_must_add_up(other, verdict):
    claims = {"a": [1.0, 0.0], "b": [other, 1.0]}
    found = examined(lambda a, b: np.sum(np.maximum(a, b)), claims, a=[1.0, 2.0], b=[1.0, 3.0]).findings
    assert [f.verdict for f in found] == [verdict, verdict]
    if verdict == "fail":
        assert (
            found[0].reason
            == found[1].reason
            == ("the gradients of the 2 tied elements of a and b add up to 2; moved together they have slope 1")
        )


SAMPLES, HEADS, WANTED = GENERATOR.normal(size=(8, 3)), GENERATOR.normal(size=3), GENERATOR.normal(size=8)


def loss(w):
    return np.mean((np.maximum(SAMPLES @ w, 0) @ HEADS - WANTED) ** 2)


def loss_backward(w, at_zero):
    hidden = SAMPLES @ w
    error = 2 * (np.maximum(hidden, 0) @ HEADS - WANTED) / 8
    return SAMPLES.T @ (error[:, None] * HEADS * np.where(hidden > 0, 1.0, at_zero * (hidden == 0)))


@pytest.mark.parametrize(("at_zero", "verdict"), [(0.0, "kink"), (1.0, "kink"), (40.0, "fail"), (-40.0, "fail")])
def test_many_kinks_hidden_in_one_loss_leave_room_for_every_convention(at_zero, verdict):
    w = np.zeros((3, 3))
    assert only(examined(loss, {"w": loss_backward(w, at_zero)}, w=w)).verdict == verdict


def test_kinks_elsewhere_do_not_excuse_a_wrong_element():
    finding = only(examined(relu_sum, {"x": [0.0, 2.2, 0.0]}, x=AT))
    assert (finding.verdict, finding.worst.index) == ("fail", (1,))


# --- noise, zeros, scales -------------------------------------------------------------------------------------------


def test_what_noise_leaves_open_is_said():
    def function(x):
        return 1e14 + np.sum(x**2)

    finding = only(examined(function, {"x": np.array([2.0, 2.001])}, x=np.array([1.0, 1.0])))
    assert finding.verdict == "inconclusive"
    assert finding.reason in (
        "the function is too noisy: rounding hides its slope",
        "the claim lies at the edge of what the differences can tell apart",
    )


def test_an_unused_input_is_vacuous_and_a_claim_about_it_fails():
    for claimed, verdict in ((0.0, "vacuous"), (1e-6, "fail")):
        examination = examined(lambda a, b: np.sum(a), {"b": np.full(3, claimed)}, a=[1.0, 2.0], b=[1.0, 2.0, 3.0])
        assert only(examination).verdict == verdict


def test_elements_sixteen_orders_apart_are_judged_by_their_own_size():
    sizes = 10.0 ** np.arange(-8, 9, 4)
    x = np.array([0.3, 0.7, -0.2, 1.1, 0.5])
    made = problem(lambda x: sizes * np.sin(x), x=x)
    right = made.upstream * sizes * np.cos(x)
    assert only(examined(lambda x: sizes * np.sin(x), {"x": right}, x=x)).verdict == "pass"
    for index, verdict in ((1, "inconclusive"), (2, "fail"), (3, "fail"), (4, "fail")):
        wrong = right * np.where(np.arange(5) == index, 1.01, 1.0)
        finding = only(examined(lambda x: sizes * np.sin(x), {"x": wrong}, x=x))
        assert (finding.verdict, finding.worst.index) == (verdict, (index,))


def test_run_to_run_differences_are_reported_as_noise():
    dice = np.random.default_rng(0)
    examination = examined(lambda x: np.sum(x) * (1 + 0.1 * dice.random()), {"x": np.ones(3)}, x=np.ones(3))
    assert examination.noise.spread > 0
    assert only(examination).verdict != "fail"

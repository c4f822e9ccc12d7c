"""From elements to findings, from findings to cases: which word wins, which element is shown, which reason is given."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gradcheck.model.case import Expect
from gradcheck.model.evidence import Quality, Reason
from gradcheck.model.report import CaseError, Finding, Worst
from gradcheck.verdict.aggregate import (
    PRECEDENCE,
    REASONS,
    as_expected,
    case_verdict,
    coverage_of,
    finding,
    malformed,
)
from gradcheck.verdict.compare import Limits, compare
from tests.unit.estimates import estimate, kink
from tests.unit.reports import finding as found

LIMITS = Limits(rtol=0.01, rho=0.1, rho_tensor=0.001)
ERROR = CaseError("raised", "forward", "KeyError: 'w'")


def judge(claimed, evidence, notes=()):
    claimed = np.atleast_1d(np.asarray(claimed, float))
    return finding("backward", "w", claimed, evidence, compare(claimed, evidence, LIMITS), notes)


# --- elements to a finding --------------------------------------------------------------------------------------------


def test_a_finding_says_what_was_claimed_of_which_tensor():
    result = judge(np.ones((2, 3)), estimate(np.ones((2, 3)), 0.01), ("a note",))
    assert (result.claim, result.tensor, result.shape) == ("backward", "w", (2, 3))
    assert (result.verdict, result.checked, result.wrong, result.counts) == ("pass", 6, 0, {"pass": 6})
    assert (result.resolution, result.reason, result.notes) == (pytest.approx(0.05), "", ("a note",))


def test_elements_are_counted_by_their_words():
    quality, reason = [Quality.MEASURED] * 3 + [Quality.UNRESOLVED], [0, 0, 0, Reason.KINK]
    bounds = [0.0, 0.0, 0.02, 0.5]
    evidence = estimate([1.0, 1.0, 1.0, 0.5], bounds, low=0.0, high=1.0, quality=quality, reason=reason)
    result = judge([1.0, 2.0, 1.04, 0.3], evidence)
    assert result.counts == {"pass": 1, "fail": 1, "kink": 1, "inconclusive": 1}
    assert (result.verdict, result.wrong, result.checked) == ("fail", 1, 4)


def test_doubt_wins_over_a_kink_and_a_kink_over_a_pass():
    quality, reason = [Quality.MEASURED, Quality.MEASURED, Quality.UNRESOLVED], [0, 0, Reason.KINK]
    evidence = estimate([1.0, 1.0, 0.5], 0.02, low=0.0, high=1.0, quality=quality, reason=reason)
    assert judge([1.0, 1.04, 0.3], evidence).verdict == "inconclusive"
    assert judge([1.0, 1.0, 0.3], evidence).verdict == "kink"


def test_elements_that_were_not_probed_are_not_counted():
    evidence = estimate([1.0, 1.0, 0.0], [0.01, 0.01, np.inf], checked=[True, True, False])
    result = judge([1.0, 1.0, 5.0], evidence)
    assert (result.verdict, result.checked, result.counts) == ("pass", 2, {"pass": 2})


def test_a_tensor_that_moves_nothing_is_vacuous():
    result = judge([0.0, 0.0], estimate([0.0, 0.0], 0.1, flat=True))
    assert (result.verdict, result.counts, result.resolution) == ("vacuous", {"pass": 2}, None)
    assert result.worst == Worst((0,), 0.0, 0.0, 0.1, 0.0)
    assert result.reason == (
        "no probe of any element moved the function beyond its noise, and the claim is zero: nothing was tested"
    )


def test_claims_that_noise_hides_are_small_elements_but_in_a_vacuous_tensor():
    assert judge([0.05, 0.0], estimate([0.0, 0.0], 0.1, flat=True)).notes == ()
    live = judge([0.05, 0.0, 1.0], estimate([0.0, 0.0, 1.0], [0.1, 0.1, 0.0], flat=[True, True, False]))
    assert (live.verdict, live.notes) == ("pass", ("1 small element not resolved by itself",))


def test_one_live_element_makes_a_tensor_live():
    assert judge([0.0, 1.0], estimate([0.0, 1.0], 0.001, flat=[True, False])).verdict == "pass"


def test_a_tensor_at_a_stationary_point_is_not_vacuous():
    assert judge([0.0, 0.0], estimate([0.0, 0.0], 1e-6, reach=1.0)).verdict == "pass"


def test_of_a_sample_only_the_probed_elements_make_a_tensor_vacuous():
    evidence = estimate([0.0, 0.0], [0.1, 0.0], flat=[True, False], checked=[True, False])
    assert judge([0.0, 3.0], evidence).verdict == "vacuous"
    nothing = estimate([0.0], 0.0, flat=True, checked=False)
    assert judge([0.0], nothing).verdict == "pass"


def test_small_elements_that_are_not_resolved_are_said_to_be():
    evidence = estimate([100.0, 0.01, 0.01, 0.0], [1e-6, 0.05, 0.05, 0.05], flat=[False, False, False, True])
    assert judge([100.0, 0.0, 0.0, 0.0], evidence).notes == ("2 small elements not resolved by themselves",)
    one = estimate([100.0, 0.01], [1e-6, 0.05])
    assert judge([100.0, 0.0], one, ("first",)).notes == ("first", "1 small element not resolved by itself")


def test_unresolved_elements_that_did_not_pass_or_were_not_probed_are_not_called_small():
    evidence = estimate([100.0, 0.01, 0.01], [1e-6, 0.05, 0.05], checked=[True, True, False])
    assert judge([100.0, 1.0, 0.0], evidence).notes == ()


# --- the worst element ------------------------------------------------------------------------------------------------


def test_the_worst_is_the_largest_relative_error_among_the_failed():
    result = judge([[1.0, 2.0], [40.0, 30.0]], estimate([[1.0, 1.0], [10.0, 10.0]], [[0.5, 0.01], [0.02, 0.03]]))
    assert result.worst == Worst((1, 0), 40.0, 10.0, 0.02, 0.75)
    assert result.limit == pytest.approx((0.01 * 40.0 + 0.02) / 40.0)


def test_an_undecided_element_is_not_the_worst_of_a_failed_tensor():
    evidence = estimate([1.0, 1.0], 0.01, quality=[Quality.MEASURED, Quality.SUSPECT])
    assert judge([1.5, 9.0], evidence).worst == Worst((0,), 1.5, 1.0, 0.01, pytest.approx(1 / 3))


def test_of_a_passed_tensor_the_worst_is_a_resolved_element():
    result = judge([100.0, 99.5, 0.0], estimate([100.0, 100.0, 0.01], [1e-6, 1e-6, 0.05]))
    assert (result.worst.index, result.worst.relative_error) == ((1,), pytest.approx(0.005))


def test_where_none_is_resolved_the_worst_is_any():
    evidence = estimate([1000.0, 0.0], [1e-6, 0.5], checked=[False, True])
    assert judge([0.0, 0.2], evidence).worst == Worst((1,), 0.2, 0.0, 0.5, 1.0)


def test_an_element_that_was_not_probed_is_never_the_worst():
    evidence = estimate([1.0, 1.0], 0.001, checked=[True, False])
    assert judge([1.0, 9.0], evidence).worst.index == (0,)


def test_a_claim_that_is_not_finite_is_the_worst():
    result = judge([5.0, np.nan, 1.0], estimate([1.0, 1.0, 1.0], 0.001))
    assert (result.worst.index, result.worst.relative_error, np.isnan(result.worst.claimed)) == ((1,), np.inf, True)


def test_numbers_of_the_worst_are_plain_floats():
    worst = judge([2.0], estimate(1.0)).worst
    assert {type(v) for v in (worst.claimed, worst.numeric, worst.bound, worst.relative_error)} == {float}
    assert type(judge([2.0], estimate(1.0)).limit) is float


def test_nothing_at_all_has_no_worst():
    result = judge(np.zeros(0), estimate(np.zeros(0)))
    assert (result.worst, result.limit, result.verdict, result.checked) == (None, None, "pass", 0)


# --- reasons ----------------------------------------------------------------------------------------------------------


def test_a_kink_says_at_how_many_elements():
    assert judge([0.3], kink(0.0, 1.0)).reason == (
        "the slope jumps at the point (1 element); the claim lies between the slopes on both sides"
    )
    two = estimate([0.5, 0.5], 0.5, low=0.0, high=1.0, quality=Quality.UNRESOLVED, reason=Reason.KINK)
    assert judge([0.3, 0.4], two).reason == (
        "the slope jumps at the point (2 elements); the claim lies between the slopes on both sides"
    )


SENTENCES = {
    Reason.NONE: "the claim lies at the edge of what the differences can tell apart",
    Reason.NOISE: "the function is too noisy: rounding hides its slope",
    Reason.DOMAIN: "the function is not finite close to the point",
    Reason.OSCILLATION: "the differences never settle, whatever the step",
    Reason.TWO_SCALES: "two scales: differences settle at one value for large steps and at another for small ones",
    Reason.KINK: "the slope jumps at the point",
    Reason.JUMP: "the value of the function jumps at the point",
    Reason.STEP: "the smallest step that moves x is too large",
}


def test_every_reason_has_a_sentence():
    assert set(Reason) == set(SENTENCES) == set(REASONS)


@pytest.mark.parametrize("reason", list(Reason))
def test_doubt_says_why(reason):
    evidence = estimate(1.0, np.inf, quality=Quality.UNRESOLVED, reason=reason, low=0.9, high=1.1, band=9.0)
    assert judge([5.0], evidence).verdict == "inconclusive"
    assert judge([5.0], evidence).reason == SENTENCES[reason]


def test_of_several_reasons_the_commonest_is_given():
    reasons = [Reason.NOISE, Reason.DOMAIN, Reason.DOMAIN, Reason.JUMP]
    evidence = estimate(np.ones(4), np.inf, quality=Quality.UNRESOLVED, reason=reasons)
    assert judge(np.ones(4), evidence).reason == SENTENCES[Reason.DOMAIN]


def test_only_undecided_elements_give_reasons():
    quality = [Quality.MEASURED, Quality.MEASURED, Quality.UNRESOLVED, Quality.UNRESOLVED]
    evidence = estimate(np.ones(4), 0.01, quality=quality, reason=[0, 0, Reason.JUMP, Reason.NOISE],
                        checked=[True, True, True, False])  # fmt: skip
    assert judge(np.ones(4), evidence).reason == SENTENCES[Reason.JUMP]


def test_a_resolved_element_in_doubt_lies_at_the_edge_whatever_its_reason_says():
    evidence = estimate(1.0, 0.02, reason=Reason.NOISE)
    assert judge([1.05], evidence).reason == SENTENCES[Reason.NONE]


def test_pass_and_fail_need_no_reason():
    assert judge([1.0], estimate(1.0)).reason == ""
    assert judge([2.0], estimate(1.0)).reason == ""


def test_a_claim_that_cannot_be_compared_fails_and_says_why():
    assert malformed("formula", "x", (2, 3), "the gradient has shape (2,)") == Finding(
        "formula", "x", (2, 3), "fail", reason="the gradient has shape (2,)"
    )


# --- findings to a case -----------------------------------------------------------------------------------------------


def test_precedence_is_error_fail_inconclusive_vacuous_kink_pass():
    assert PRECEDENCE == ("error", "fail", "inconclusive", "vacuous", "kink", "pass")


@pytest.mark.parametrize("verdicts", list(itertools.product(PRECEDENCE, repeat=2)))
def test_of_several_findings_the_case_takes_the_first_in_precedence(verdicts):
    expected = min(verdicts, key=PRECEDENCE.index)
    assert case_verdict([found(verdict=v) for v in verdicts], None) == expected
    assert case_verdict((found(verdict=v) for v in verdicts), ERROR) == "error"


def test_a_case_without_findings_is_vacuous():
    assert case_verdict([], None) == "vacuous"


@pytest.mark.parametrize(
    ("expected", "verdict", "normal", "strict"),
    [
        (expected, verdict, (expected or "pass") == verdict or (expected in (None, "pass") and verdict == "kink"),
         (expected or "pass") == verdict)
        for expected in (None, *PRECEDENCE)
        for verdict in PRECEDENCE
    ],
)  # fmt: skip
def test_a_case_is_as_expected_when_its_word_is(expected, verdict, normal, strict):
    findings = (found(verdict=verdict),)
    assert as_expected(Expect(verdict=expected), verdict, findings, None, False) == normal
    assert as_expected(Expect(verdict=expected), verdict, findings, None, True) == strict


@pytest.mark.parametrize("expected", [None, *PRECEDENCE])
def test_a_crash_is_never_expected(expected):
    for strict in (False, True):
        assert as_expected(Expect(verdict=expected), "error", (), ERROR, strict) is False
    assert not as_expected(Expect(tensors={"w": "fail"}), "error", (found("w", "fail"),), ERROR, False)


@pytest.mark.parametrize(
    ("tensors", "verdicts", "expected"),
    [
        ({"w": "fail"}, {"w": "fail", "b": "pass"}, True), ({"w": "fail"}, {"w": "pass", "b": "pass"}, False),
        ({"w": "fail"}, {"w": "fail", "b": "fail"}, False), ({"w": "fail"}, {"w": "fail", "b": "kink"}, True),
        ({"w": "fail"}, {"w": "fail", "b": "vacuous"}, False), ({"w": "fail"}, {"b": "pass"}, False),
        ({"w": "vacuous"}, {"b": "pass"}, False), ({"w": "vacuous"}, {"w": "vacuous", "b": "pass"}, True),
        ({"w": "fail", "b": "kink"}, {"w": "fail", "b": "kink"}, True), ({"w": "fail"}, {}, False),
        ({"w": "fail", "b": "kink"}, {"w": "fail", "b": "pass"}, False), ({"w": "pass"}, {"w": "kink"}, False),
    ],
)  # fmt: skip
def test_with_words_per_tensor_all_others_must_pass(tensors, verdicts, expected):
    findings = tuple(found(name, verdict) for name, verdict in verdicts.items())
    assert as_expected(Expect(tensors=tensors), case_verdict(findings, None), findings, None, False) == expected


def test_strict_allows_no_kink_beside_the_expected_tensors():
    findings = (found("w", "fail"), found("b", "kink"))
    assert as_expected(Expect(tensors={"w": "fail"}), "fail", findings, None, False)
    assert not as_expected(Expect(tensors={"w": "fail"}), "fail", findings, None, True)


def test_several_claims_about_a_tensor_count_together():
    findings = (found("w", "pass"), found("w", "fail"))
    assert as_expected(Expect(tensors={"w": "fail"}), "fail", findings, None, False)
    assert not as_expected(Expect(tensors={"w": "pass"}), "fail", findings, None, False)


@pytest.mark.parametrize(
    ("coverages", "coverage"),
    [
        ([], "all"),
        (["all", "all"], "all"),
        (["all", "probed"], "probed"),
        (["sampled", "probed", "all"], "sampled"),
    ],
)
def test_a_case_is_covered_as_far_as_the_finding_that_knows_least(coverages, coverage):
    found = [Finding("backward", "x", (3,), "pass", coverage=each) for each in coverages]
    assert coverage_of(found) == coverage

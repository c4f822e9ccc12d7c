"""An error meets a limit: every rule of the comparison, at both sides of its edge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradcheck.model.evidence import Quality, Reason
from gradcheck.verdict.compare import (
    DOUBLE,
    SINGLE,
    Limits,
    Word,
    compare,
    faintness,
    relative_error,
    unsettled,
)
from tests.unit.estimates import estimate, kink

LIMITS = Limits(rtol=0.01, rho=0.1, rho_tensor=0.001)
INF, NAN = np.inf, np.nan


def words(claimed, evidence, limits=LIMITS, **options):
    return compare(np.atleast_1d(np.asarray(claimed, float)), evidence, limits, **options).words.tolist()


def word(claimed, evidence, limits=LIMITS, **options):
    (only,) = words(claimed, evidence, limits, **options)
    return only


def test_the_limits_are_those_that_the_documentation_names():
    assert Limits(rtol=1e-6, rho=1e-3, rho_tensor=1e-7) == DOUBLE
    assert Limits(rtol=1e-3, rho=5e-2, rho_tensor=1e-3) == SINGLE


# --- measured elements: pass up to tol + E, fail beyond tol + 4E, nothing in between --------------------------------


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        # tol = 0.01·1, E = 0.02: pass up to 0.97, fail below 0.91; upwards tol grows with the claim
        (0.971, Word.PASS), (0.969, Word.INCONCLUSIVE), (0.911, Word.INCONCLUSIVE), (0.909, Word.FAIL),
        (1.0302, Word.PASS), (1.0304, Word.INCONCLUSIVE), (1.0908, Word.INCONCLUSIVE), (1.0910, Word.FAIL),
        (-1.0, Word.FAIL), (0.0, Word.FAIL), (1e300, Word.FAIL),
    ],
)  # fmt: skip
def test_a_claim_passes_within_one_bound_and_fails_beyond_four(claimed, expected):
    assert word(claimed, estimate(1.0, 0.02)) == expected
    assert word(-claimed, estimate(-1.0, 0.02)) == expected


@pytest.mark.parametrize(("claimed", "expected"), [(1.0099, Word.PASS), (1.0102, Word.FAIL)])
def test_the_tolerance_is_relative_to_the_larger_of_the_two(claimed, expected):
    assert word(claimed, estimate(1.0, 0.0)) == expected
    assert word(1.0, estimate(claimed, 0.0)) == expected


@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e-12, 1.0, 1e12, 1e30, 1e300])
def test_the_verdict_does_not_depend_on_the_unit(size):
    assert words([0.99 * size, 0.8 * size], estimate([size, size], 0.02 * size)) == [Word.PASS, Word.FAIL]


def test_a_fail_needs_both_measurements():
    evidence = estimate(1.0, 0.001, second=2.0, second_bound=0.001)
    assert word(2.0, evidence) == Word.INCONCLUSIVE
    assert word(3.0, evidence) == Word.FAIL


def test_a_second_measurement_with_a_wide_bound_confirms_nothing():
    assert word(2.0, estimate(1.0, 0.001, second_bound=0.2449)) == Word.FAIL  # 4 · 0.245 + 0.02 of tolerance is 1
    assert word(2.0, estimate(1.0, 0.001, second_bound=0.2451)) == Word.INCONCLUSIVE
    assert word(2.0, estimate(1.0, 0.001, second_bound=INF)) == Word.INCONCLUSIVE


def test_a_first_measurement_with_a_wide_bound_convicts_nobody():
    assert word(2.0, estimate(1.0, 0.2449, second_bound=0.001)) == Word.FAIL
    assert word(2.0, estimate(1.0, 0.2451, second_bound=0.001)) == Word.INCONCLUSIVE


def test_the_edges_themselves_belong_to_the_milder_word():
    exact = Limits(rtol=0.0, rho=0.5, rho_tensor=0.0)
    assert word(1.25, estimate(1.0, 0.25), exact) == Word.PASS
    assert word(2.0, estimate(1.0, 0.25, second_bound=0.0), exact) == Word.INCONCLUSIVE
    assert word(2.0, estimate(1.0, 0.0, second_bound=0.25), exact) == Word.INCONCLUSIVE
    assert word(1.0, kink(0.0, 1.0), exact) == Word.KINK
    assert word(1.5, kink(0.0, 1.0, band=0.5), exact) == Word.INCONCLUSIVE
    flat = estimate([0.25, 0.0], 0.25, flat=True)
    assert words([0.0, 0.25], flat, exact) == [Word.PASS, Word.PASS]


@pytest.mark.parametrize("quality", [Quality.SCREENED, Quality.SUSPECT, Quality.UNRESOLVED])
def test_what_was_not_measured_twice_convicts_nobody(quality):
    assert word(2.0, estimate(1.0, quality=quality)) == Word.INCONCLUSIVE


@pytest.mark.parametrize("quality", [Quality.SCREENED, Quality.SUSPECT])
def test_a_single_measurement_may_support_a_claim(quality):
    assert word(1.0, estimate(1.0, quality=quality)) == Word.PASS


def test_an_unresolved_element_supports_nothing():
    assert word(1.0, estimate(1.0, quality=Quality.UNRESOLVED)) == Word.INCONCLUSIVE


def test_a_screened_element_fails_once_others_of_its_tensor_were_confirmed():
    evidence = estimate([1.0, 1.0], quality=[Quality.SCREENED, Quality.SUSPECT])
    assert words([2.0, 2.0], evidence, confirmed=True) == [Word.FAIL, Word.INCONCLUSIVE]
    assert words([1.0, 1.0], evidence, confirmed=True) == [Word.PASS, Word.PASS]


# --- a floor under coarse types -----------------------------------------------------------------------------------


def test_an_element_smaller_than_four_floors_is_not_resolved_by_itself():
    coarse = Limits(rtol=0.0, rho=0.5, rho_tensor=0.5, floor=2.0**-6)
    claimed = np.array([8.0, 0.5, 0.4999, 1.0])
    comparison = compare(claimed, estimate(claimed, 0.0), coarse)
    assert comparison.resolved.tolist() == [True, True, False, True]
    assert comparison.words.tolist() == [Word.PASS] * 4


# --- a bound must mean something ------------------------------------------------------------------------------------


def test_an_element_is_resolved_when_its_bound_is_small_beside_it():
    comparison = compare(np.ones(3), estimate([1.0, 1.0, 1.0], [0.099, 0.1, 0.101]), LIMITS)
    assert comparison.resolved.tolist() == [True, True, False]
    assert comparison.words.tolist() == [Word.PASS, Word.PASS, Word.INCONCLUSIVE]


def test_a_bound_beside_a_larger_claim_is_measured_by_the_claim():
    assert word(1.1, estimate(1.0, 0.109)) == Word.PASS
    assert word(1.0, estimate(1.0, 0.109)) == Word.INCONCLUSIVE


def test_a_small_element_passes_on_a_bound_that_is_small_beside_the_tensor():
    comparison = compare(np.array([100.0, 0.0, 0.2]), estimate([100.0, 0.05, 0.05], [1e-9, 0.1, 0.1]), LIMITS)
    assert comparison.words.tolist() == [Word.PASS, Word.PASS, Word.INCONCLUSIVE]
    assert comparison.resolved.tolist() == [True, False, False]
    assert words([100.0, 0.0], estimate([100.0, 0.05], [1e-9, 0.1001])) == [Word.PASS, Word.INCONCLUSIVE]


def test_the_tensor_is_measured_by_its_evidence_not_by_the_claim():
    assert words([1e9, 0.05], estimate([1.0, 0.05], [1e-9, 0.01])) == [Word.FAIL, Word.INCONCLUSIVE]


def test_the_largest_slope_of_the_tensor_leaves_out_what_is_not_finite():
    evidence = estimate([INF, 1.0, 0.0], [INF, 1e-9, 0.01], second=[INF, 1.0, 0.0])
    assert words([1.0, 1.0, 0.0], evidence) == [Word.INCONCLUSIVE, Word.PASS, Word.INCONCLUSIVE]


def test_zero_beside_a_flat_function_passes_whatever_the_bound():
    comparison = compare(np.array([0.0, 4.0]), estimate([0.0, 0.0], 5.0, flat=True), LIMITS)
    assert comparison.words.tolist() == [Word.PASS, Word.PASS]
    assert comparison.zero.tolist() == [True, True]
    assert words([5.1, 25.3], estimate([0.0, 0.0], 5.0, flat=True)) == [Word.INCONCLUSIVE, Word.FAIL]


def test_zero_at_a_stationary_point_is_measured_by_the_slopes_around_it():
    assert word(0.0, estimate(0.0, 1e-4, reach=0.1)) == Word.PASS
    assert word(0.0, estimate(0.0, 1.01e-4, reach=0.1)) == Word.INCONCLUSIVE
    assert word(1.01e-4, estimate(0.0, 1e-4, reach=0.1)) == Word.INCONCLUSIVE
    assert word(0.0, estimate(1.01e-4, 1e-4, reach=0.1)) == Word.INCONCLUSIVE


def test_zero_and_zero_agree_exactly():
    comparison = compare(np.zeros(1), estimate(0.0, 0.0, flat=True), LIMITS)
    assert (comparison.words.tolist(), comparison.relative_error.tolist()) == ([Word.PASS], [0.0])
    assert comparison.allowed.tolist() == [LIMITS.rtol]
    assert comparison.resolution is None


# --- not a number ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claimed", [NAN, INF, -INF])
@pytest.mark.parametrize(
    "evidence",
    [
        estimate(1.0), estimate(0.0, flat=True), estimate(1.0, INF), estimate(NAN, NAN), estimate(INF, INF),
        estimate(1.0, quality=Quality.SCREENED), estimate(1.0, quality=Quality.SUSPECT),
        estimate(1.0, quality=Quality.UNRESOLVED, reason=Reason.NOISE), kink(0.0, 1.0), kink(0.0, 1.0, band=INF),
        kink(-INF, INF),
    ],
)  # fmt: skip
def test_a_claim_that_is_not_finite_fails_on_every_path(claimed, evidence):
    comparison = compare(np.array([claimed]), evidence, LIMITS, np.array([INF]))
    assert comparison.words.tolist() == [Word.FAIL]
    assert comparison.relative_error.tolist() == [INF]
    assert comparison.resolution is None


@pytest.mark.parametrize("quality", list(Quality))
@pytest.mark.parametrize("evidence", [estimate(INF, INF), estimate(-INF, 1.0), estimate(0.0, INF, flat=True)])
def test_evidence_that_is_infinite_decides_nothing(evidence, quality):
    evidence = replace(evidence, quality=np.array([quality], np.int8))
    assert word(1.0, evidence, confirmed=True) == Word.INCONCLUSIVE


@pytest.mark.parametrize("field", ["value", "bound"])
@pytest.mark.parametrize("quality", list(Quality))
@pytest.mark.parametrize("flat", [False, True])
def test_evidence_that_is_not_a_number_never_lets_a_claim_pass(field, quality, flat):
    evidence = {"value": 1.0, "bound": 0.1, "second": 1.0, "second_bound": 0.1, "low": 0.9, "high": 1.1} | {field: NAN}
    for confirmed in (False, True):
        assert word(1.0, estimate(**evidence, quality=quality, flat=flat), confirmed=confirmed) == Word.INCONCLUSIVE


@pytest.mark.parametrize("field", ["second", "second_bound"])
def test_a_second_measurement_that_is_not_a_number_confirms_nothing(field):
    assert word(2.0, estimate(1.0, **{field: NAN})) == Word.INCONCLUSIVE


@pytest.mark.parametrize(("low", "high"), [(NAN, 1.0), (0.0, NAN), (NAN, NAN)])
def test_a_kink_without_an_interval_decides_nothing(low, high):
    assert word(0.5, kink(low, high)) == Word.INCONCLUSIVE


def test_a_bound_that_is_infinite_decides_nothing():
    assert words([1.0, 0.0, 1e9], estimate([1.0, 1.0, 1.0], INF)) == [Word.INCONCLUSIVE] * 3


# --- kinks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        # tol = 0.01·max(|c|, 0.5): a little outside is inside, four times that is wrong
        (0.0, Word.KINK), (0.5, Word.KINK), (1.0, Word.KINK), (-0.0049, Word.KINK), (-0.0051, Word.INCONCLUSIVE),
        (-0.0199, Word.INCONCLUSIVE), (-0.0201, Word.FAIL), (1.0101, Word.KINK), (1.0102, Word.INCONCLUSIVE),
        (1.0416, Word.INCONCLUSIVE), (1.0418, Word.FAIL), (2.0, Word.FAIL), (-1.0, Word.FAIL),
    ],
)  # fmt: skip
def test_between_the_slopes_of_a_kink_every_claim_counts_as_right(claimed, expected):
    assert word(claimed, kink(0.0, 1.0)) == expected


def test_within_the_band_around_a_kink_nothing_is_said():
    assert word(1.5, kink(0.0, 1.0, band=0.5)) == Word.INCONCLUSIVE
    assert word(1.5, kink(0.0, 1.0, band=0.43)) == Word.FAIL
    assert word(1e9, kink(0.0, 1.0, band=INF)) == Word.INCONCLUSIVE


@pytest.mark.parametrize("reason", [r for r in Reason if r is not Reason.KINK])
def test_only_a_kink_opens_an_interval(reason):
    assert word(0.0, kink(0.0, 1.0, reason=reason)) == Word.INCONCLUSIVE
    assert word(2.0, kink(0.0, 1.0, reason=reason)) == Word.INCONCLUSIVE


def test_what_is_allowed_at_a_kink_reaches_to_its_ends():
    comparison = compare(np.array([2.0]), kink(0.5, 2.5), LIMITS)
    assert comparison.allowed.tolist() == pytest.approx([(1.0 + 0.02) / 2.0])
    assert comparison.resolved.tolist() == [False]
    assert comparison.resolution is None


def test_a_kink_between_zero_and_zero_allows_the_tolerance():
    assert compare(np.zeros(1), kink(0.0, 0.0), LIMITS).allowed.tolist() == [LIMITS.rtol]


# --- written digits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claimed", "expected"), [(22.19, Word.PASS), (22.18, Word.FAIL), (22.1895, Word.PASS), (22.20, Word.FAIL)]
)
def test_a_decimal_is_judged_to_half_a_unit_of_its_last_digit(claimed, expected):
    assert word(claimed, estimate(22.1893), Limits(1e-6, 0.1, 1e-3), half_unit=np.array([0.005])) == expected


def test_digits_beyond_the_tolerance_are_judged_as_written():
    assert word(22.1894, estimate(22.1893), half_unit=np.array([1e-5])) == Word.FAIL
    assert word(22.1894, estimate(22.1893), half_unit=np.array([0.0])) == Word.PASS


def test_half_a_unit_is_the_resolution_of_a_decimal():
    comparison = compare(np.array([10.0]), estimate(10.0, 0.0), LIMITS, np.array([0.05]))
    assert comparison.resolution == pytest.approx(0.005)


# --- what is shown --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claimed", "numeric", "expected"),
    [
        (0.0, 0.0, 0.0), (1.0, 1.0, 0.0), (1.0, 2.0, 0.5), (2.0, 1.0, 0.5), (-1.0, 1.0, 2.0), (0.0, 3.0, 1.0),
        (3.0, 0.0, 1.0), (1e308, -1e308, 2.0), (1e-308, 2e-308, 0.5), (NAN, 1.0, INF), (1.0, NAN, INF), (INF, 1.0, INF),
        (1.0, -INF, INF), (INF, INF, INF),
    ],
)  # fmt: skip
def test_the_relative_error_is_measured_by_the_larger_number(claimed, numeric, expected):
    assert relative_error(np.array([claimed]), np.array([numeric])).tolist() == [expected]


def test_what_is_allowed_is_tolerance_and_bound_relative_to_the_larger_number():
    assert compare(np.array([2.0]), estimate(1.0, 0.1), LIMITS).allowed.tolist() == pytest.approx([(0.02 + 0.1) / 2.0])


def test_no_passed_element_shows_an_error_above_what_was_allowed():
    generator = np.random.default_rng(1)
    claimed = 1.0 + generator.normal(size=2000) * 0.03
    comparison = compare(claimed, estimate(np.ones(2000), generator.uniform(0.0, 0.05, 2000)), LIMITS)
    passed = comparison.words == Word.PASS
    assert 0 < passed.sum() < 2000
    assert np.array_equal(passed, comparison.relative_error <= comparison.allowed)


def test_the_resolution_is_the_largest_relative_mistake_that_could_have_been_missed():
    evidence = estimate([1.0, 10.0, 1.0, 1e-9], [0.01, 0.05, 0.2, 1e-4])
    comparison = compare(np.array([1.0, 10.0, 1.0, 0.0]), evidence, LIMITS)
    assert comparison.words.tolist() == [Word.PASS, Word.PASS, Word.INCONCLUSIVE, Word.PASS]
    assert comparison.resolution == pytest.approx(0.01 + 4 * 0.01)  # the first; the last is not resolved by itself


def test_nothing_resolved_has_no_resolution():
    assert compare(np.array([5.0]), estimate(1.0), LIMITS).resolution is None


def test_a_failing_element_adds_nothing_to_the_resolution():
    assert compare(np.array([1.0, 5.0]), estimate([1.0, 1.0], [0.0, 0.05]), LIMITS).resolution == pytest.approx(0.01)


def test_tolerances_do_not_grow_with_size():
    """One element wrong by 1 % is found among 10⁶ right ones, by the same limits as alone."""
    claimed = np.ones(1_000_000)
    claimed[617_283] = 1.01
    comparison = compare(claimed, estimate(np.ones(1_000_000)), DOUBLE)
    assert np.flatnonzero(comparison.words != Word.PASS).tolist() == [617_283]
    assert comparison.words[617_283] == Word.FAIL
    alone = compare(claimed[617_283:617_284], estimate(1.0), DOUBLE)
    assert comparison.allowed[617_283] == alone.allowed[0]


def test_a_matrix_keeps_its_shape():
    evidence = estimate(np.ones((2, 3)))
    assert compare(np.ones((2, 3)), evidence, LIMITS).words.shape == (2, 3)


# --- who is looked at again -----------------------------------------------------------------------------------------


def test_screened_elements_that_did_not_pass_and_bent_ones_deserve_a_closer_look():
    qualities = [Quality.SCREENED, Quality.SCREENED, Quality.SUSPECT, Quality.SUSPECT, Quality.MEASURED]
    evidence = estimate(np.ones(6), quality=[*qualities, Quality.UNRESOLVED])
    comparison = compare(np.array([1.0, 2.0, 1.0, 2.0, 2.0, 2.0]), evidence, LIMITS)
    assert unsettled(comparison, evidence).tolist() == [False, True, True, True, False, False]


def test_what_is_wrong_already_needs_no_closer_look():
    evidence = estimate(np.ones(3), quality=[Quality.SCREENED, Quality.SCREENED, Quality.SUSPECT])
    comparison = compare(np.array([2.0, np.nan, np.inf]), evidence, LIMITS, confirmed=True)
    assert unsettled(comparison, evidence).tolist() == [False, False, False]


def test_faint_is_a_screened_pass_whose_bound_exceeds_a_quarter_of_the_tolerance():
    bounds = [0.0024, 0.0026, 0.01, 0.01, 0.01, 0.01]
    qualities = [
        Quality.SCREENED,
        Quality.SCREENED,
        Quality.SCREENED,
        Quality.MEASURED,
        Quality.SUSPECT,
        Quality.SCREENED,
    ]
    evidence = estimate(np.ones(6), bounds, quality=qualities)
    claimed = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 3.0])
    weak = faintness(claimed, evidence, compare(claimed, evidence, LIMITS), LIMITS)
    assert weak.tolist() == pytest.approx([0.0, 1.04, 4.0, 0.0, 0.0, 0.0])


def test_zero_is_never_faint():
    evidence = estimate([0.0, 0.0], [0.1, 0.1], flat=True, quality=Quality.SCREENED)
    claimed = np.array([0.0, 0.05])
    assert faintness(claimed, evidence, compare(claimed, evidence, LIMITS), LIMITS).tolist() == [0.0, 0.0]


def test_a_quarter_of_the_tolerance_is_fine():
    evidence, limits = estimate(1.0, 0.125, quality=Quality.SCREENED), Limits(rtol=0.5, rho=0.5, rho_tensor=0.0)
    assert faintness(np.ones(1), evidence, compare(np.ones(1), evidence, limits), limits).tolist() == [0.0]


def test_nothing_beside_nothing_is_not_faint():
    evidence = estimate([100.0, 0.0], [1e-9, 0.05], reach=0.0, quality=Quality.SCREENED)
    claimed = np.array([100.0, 0.0])
    assert not compare(claimed, evidence, LIMITS).zero.any()
    comparison = compare(claimed, evidence, LIMITS)
    assert comparison.words.tolist() == [Word.PASS, Word.PASS]
    assert faintness(claimed, evidence, comparison, LIMITS).tolist() == [0.0, 0.0]


def test_a_claim_half_as_large_is_faint_by_the_larger_of_the_two():
    evidence = estimate([2.0, 1.0], 0.01, quality=Quality.SCREENED)
    claimed = np.array([1.995, 1.005])
    weak = faintness(claimed, evidence, compare(claimed, evidence, LIMITS), LIMITS)
    assert weak.tolist() == pytest.approx([2.0, 4 / 1.005])

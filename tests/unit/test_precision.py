"""By which limits a claim is judged: those of the precision that it, or the function, was really computed with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradcheck.verdict.compare import DOUBLE, SINGLE, Limits
from gradcheck.verdict.precision import FLOAT32_NOTE, HALF_NOTE, has_single_errors, is_single, limits_for

SLOPES = np.random.default_rng(5).normal(size=60)
BOUND = np.full(60, 1e-12)
HUNDREDTHS = np.round(SLOPES, 2)


def limits(claimed=SLOPES, single=False, noise=1e-16, rtol=None, numeric=SLOPES, bound=BOUND):
    return limits_for(claimed, single, noise, rtol, numeric, bound)


# --- a claim computed in float32 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_dtype_says_single(dtype):
    assert is_single(np.zeros(3, dtype))


@pytest.mark.parametrize("values", [SLOPES.astype(np.float32), np.array([1e-30, 1 / 3], np.float32)])
def test_digits_of_a_float32_say_single_whatever_the_dtype(values):
    assert is_single(values.astype(np.float64))


@pytest.mark.parametrize(
    "values",
    [
        SLOPES, np.append(SLOPES.astype(np.float32), 0.1), np.array([0.1]), np.array([1e-60]), np.array([np.nan, 0.1]),
        np.array([np.inf, 0.1]), np.array([1e300, 0.1]),
    ],
)  # fmt: skip
def test_one_number_with_more_digits_says_double(values):
    assert is_single(values) is False


@pytest.mark.parametrize(
    "values",
    [[0.0], [], [1.0, -3.0, 0.25], [4095.0], [4095.0 / 4096.0], [np.nan], [np.inf, -np.inf], [1e300]],
)
def test_short_numbers_say_nothing_about_the_precision(values):
    assert not is_single(np.array(values))


def test_thirteen_bits_are_enough_to_say_single():
    assert is_single(np.array([4097.0]))
    assert is_single(np.array([1.0, 4097.0 / 4096.0, np.nan, np.inf, 1e300]))


def test_numbers_that_a_float32_cannot_hold_are_left_out():
    assert is_single(np.array([4097.0, 1.5e38, 1e38]))
    assert not is_single(np.array([4097.0, 9e37 / 7]))
    assert not is_single(np.array([4097.0, 7e37]))


@pytest.mark.parametrize("values", [np.array([8193]), np.array([True, False]), np.array(["a"])])
def test_what_is_no_float_has_no_precision(values):
    assert is_single(values) is False


# --- a claim that is off the way float32 arithmetic is ----------------------------------------------------------------


def errors(size, seed=0):
    return size * np.random.default_rng(seed).uniform(-1.0, 1.0, 60)


def test_errors_of_1e_7_of_the_largest_nearly_everywhere_look_like_float32():
    assert has_single_errors(SLOPES + errors(1e-7), SLOPES, BOUND)


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_the_look_of_float32_does_not_depend_on_the_unit(size):
    assert has_single_errors(size * (SLOPES + errors(1e-7)), size * SLOPES, size * BOUND)


def test_exact_claims_do_not_look_like_float32():
    assert not has_single_errors(SLOPES, SLOPES, BOUND)


def test_a_single_small_wrong_element_among_exact_ones_is_not_excused():
    claimed = SLOPES.copy()
    claimed[17] *= 1 + 1e-7
    assert not has_single_errors(claimed, SLOPES, BOUND)
    assert limits(claimed) == (DOUBLE, ())


def test_a_systematic_mistake_of_3e_6_is_not_excused():
    assert not has_single_errors(SLOPES * (1 + 3e-6), SLOPES, BOUND)


def test_one_large_error_among_errors_of_float32_is_not_excused():
    claimed = SLOPES + errors(1e-7)
    claimed[17] += 5e-7 * np.abs(SLOPES).max()
    assert not has_single_errors(claimed, SLOPES, BOUND)
    claimed[17] = SLOPES[17] + 3.9e-7 * np.abs(SLOPES).max()
    assert has_single_errors(claimed, SLOPES, BOUND)


def test_errors_of_1e_9_are_too_small_for_float32():
    assert not has_single_errors(SLOPES + errors(3e-9), SLOPES, BOUND)
    assert has_single_errors(SLOPES + errors(3e-8), SLOPES, BOUND)


def test_the_edges_of_what_looks_like_float32():
    numeric, bound = np.append(np.zeros(9), 1.0), np.zeros(10)
    for off, expected in ((1.9e-9, False), (2e-9, False), (2.1e-9, True), (4e-7, True), (4.1e-7, False)):
        assert has_single_errors(np.append(np.full(9, off), 1.0), numeric, bound) is expected
    assert has_single_errors(np.append(np.full(9, 1e-7), 1.0), numeric, np.full(10, 1e-7)) is False


def test_half_of_the_elements_must_be_off():
    largest = np.abs(SLOPES).max()
    for wrong, expected in ((30, True), (29, False)):
        claimed = SLOPES.copy()
        claimed[:wrong] += 1e-7 * largest
        assert has_single_errors(claimed, SLOPES, BOUND) == expected


def test_errors_within_the_bound_are_nobody_s_errors():
    assert not has_single_errors(SLOPES + errors(1e-7), SLOPES, np.full(60, 1e-6))


def test_three_elements_show_no_pattern_and_four_do():
    claimed = SLOPES + errors(1e-7) * np.abs(SLOPES).max()
    assert has_single_errors(claimed[:3], SLOPES[:3], BOUND[:3]) is False
    assert has_single_errors(claimed[:4], SLOPES[:4], BOUND[:4])


@pytest.mark.parametrize("unknown", ["claimed", "numeric", "bound"])
def test_elements_of_which_nothing_is_known_are_left_out(unknown):
    arrays = {"claimed": SLOPES + errors(1e-7), "numeric": SLOPES.copy(), "bound": BOUND.copy()}
    arrays[unknown][:56] = np.nan
    assert has_single_errors(**arrays)
    arrays[unknown][:57] = np.inf
    assert not has_single_errors(**arrays)


def test_a_gradient_of_zeros_shows_no_pattern():
    assert not has_single_errors(np.full(9, 1e-300), np.zeros(9), np.zeros(9))


# --- limits -----------------------------------------------------------------------------------------------------------


def test_double_claims_about_double_functions_get_the_limits_of_double():
    assert limits() == (DOUBLE, ())


@pytest.mark.parametrize(
    "given",
    [
        {"single": True}, {"claimed": SLOPES.astype(np.float32)}, {"claimed": SLOPES.astype(np.float32).astype(float)},
        {"claimed": SLOPES + errors(1e-7)},
    ],
)  # fmt: skip
def test_float32_anywhere_gets_the_limits_of_float32_and_a_note(given):
    assert limits(**given) == (SINGLE, (FLOAT32_NOTE,))
    assert FLOAT32_NOTE == "computed in float32: judged to about 3 digits"


def test_errors_that_float64_allows_need_no_excuse():
    claimed = SLOPES * (1 + errors(1e-7))
    assert has_single_errors(claimed, SLOPES, BOUND)
    assert limits(claimed) == (DOUBLE, ())
    assert limits(-claimed, numeric=-SLOPES) == (DOUBLE, ())


@pytest.mark.parametrize(("off", "expected"), [(2.0**-20, DOUBLE), (2.0**-19, SINGLE)])
def test_one_element_beyond_what_float64_allows_asks_for_the_excuse(off, expected):
    """Off by up to tol + E is allowed: here by about 1e-6 + 2^-20·(1 − 1e-6) of a small element, exactly."""
    numeric, bound = np.append(np.full(9, 0.0), 8.0), np.zeros(10)
    claimed = numeric + 2.0**-23
    bound[:9] = 2.0**-23 * (1 - 1e-6)
    assert limits(claimed, numeric=numeric, bound=bound)[0] == DOUBLE
    claimed[0], bound[0] = off, 2.0**-20 * (1 - 1e-6)
    assert limits(claimed, numeric=numeric, bound=bound)[0] == expected


def test_a_claim_may_be_off_by_tolerance_and_bound_together():
    numeric, bound = np.full(10, 1.0), np.full(10, 1e-7)
    claimed = numeric + 3e-7
    assert limits(claimed, rtol=None, numeric=numeric, bound=bound)[0] == DOUBLE


def test_numbers_written_by_hand_have_digits_not_a_precision():
    assert limits(None) == (DOUBLE, ())
    assert limits(None, single=True) == (SINGLE, (FLOAT32_NOTE,))


@pytest.mark.parametrize("single", [False, True])
def test_an_rtol_of_the_case_replaces_nothing_else(single):
    usual, notes = limits(single=single)
    assert limits(single=single, rtol=0.5) == (replace(usual, rtol=0.5), notes)
    assert limits(single=single, rtol=0.0) == (replace(usual, rtol=0.0), notes)


@pytest.mark.parametrize(
    ("noise", "rho", "rho_tensor"),
    [
        (0.0, 1e-3, 1e-7), (1e-16, 1e-3, 1e-7), (1e-12, 1e-3, 1e-7), (1e-9, 2e-3, 1e-5), (1e-6, 2e-2, 1e-3),
        (1e-3, 0.2, 0.05), (1.0, 0.25, 0.05), (np.inf, 0.25, 0.05),
    ],
)  # fmt: skip
def test_noise_makes_coarser_bounds_do_and_leaves_the_tolerance(noise, rho, rho_tensor):
    found, notes = limits(noise=noise)
    assert (found.rtol, found.rho, found.rho_tensor) == pytest.approx((1e-6, rho, rho_tensor))
    assert notes == ()


@pytest.mark.parametrize(
    ("epsilon", "note"), [(2.0**-22, ()), (2.0**-22 * 1.01, (HALF_NOTE,)), (2.0**-10, (HALF_NOTE,))]
)
def test_only_a_type_coarser_than_float32_is_half_precision(epsilon, note):
    assert limits_for(SLOPES, False, 1e-16, None, SLOPES, BOUND, epsilon)[1] == note
    assert HALF_NOTE == "computed in half precision: judged to 1 or 2 digits"


def test_little_noise_leaves_the_limits_of_float32():
    assert limits(single=True, noise=1e-7)[0] == Limits(SINGLE.rtol, SINGLE.rho, SINGLE.rho_tensor)

"""What stress variants do to numbers."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.casefile.stress import (
    SMALL_DEVIATION,
    has_meaning,
    is_constant,
    may_be_probabilities,
    repeat,
    shrink,
    single,
    stressed,
    tie,
    with_noise,
)

NORMAL = np.random.default_rng(3).standard_normal((4, 5))


@pytest.mark.parametrize("shape", [(2,), (3,), (2, 2), (2, 3), (3, 2), (4, 1), (5, 7)])
def test_repeated_numbers_occur_twice_and_come_from_the_array(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape)).reshape(shape) + 10
    made = repeat(array, "ids", 0)
    assert made.shape == shape
    assert made.dtype == array.dtype
    assert set(made.ravel()) <= set(array.ravel())
    assert len(set(made.ravel())) <= (made.size + 1) // 2


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 2), (5, 7)])
def test_repeated_numbers_stand_in_one_row_and_in_different_rows(shape: tuple[int, ...]) -> None:
    rows = repeat(np.arange(np.prod(shape)).reshape(shape), "ids", 0).tolist()
    assert any(len(set(row)) < len(row) for row in rows)
    assert any(set(rows[0]) & set(row) for row in rows[1:])


def test_tied_data_have_two_numbers_between_their_extremes_and_the_same_order() -> None:
    positive = NORMAL**2
    made = tie(positive, "x", 0)
    low, high = np.unique(made)
    assert positive.min() <= low < positive.mean() < high <= positive.max()
    assert np.array_equal(made == high, positive >= positive.mean())


def test_shrunk_data_keep_their_mean_and_order() -> None:
    made = shrink(5 + 100 * NORMAL, "x", 0)
    assert made.mean() == pytest.approx((5 + 100 * NORMAL).mean())
    assert made.std() == pytest.approx(SMALL_DEVIATION)
    assert np.array_equal(made.ravel().argsort(), NORMAL.ravel().argsort())


def test_an_eps_left_out_of_a_backward_is_off_by_a_thousandth_at_least() -> None:
    for eps in (1e-5, 1e-8):
        assert eps / SMALL_DEVIATION**2 > 1e-3


def test_noise_depends_on_name_and_seed_and_keeps_the_float_type() -> None:
    zeros = np.zeros(4, np.float32)
    made = with_noise(zeros, "b", 0)
    assert made.dtype == np.float32
    assert 0 < np.abs(made).max() < 0.5
    assert np.array_equal(made, with_noise(zeros, "b", 0))
    assert not np.array_equal(made, with_noise(zeros, "c", 0))
    assert not np.array_equal(made, with_noise(zeros, "b", 1))
    assert with_noise(np.zeros(2, np.int64), "b", 0).dtype == np.float64


def test_scaled_data_are_a_thousand_times_as_large_or_as_small() -> None:
    assert np.array_equal(stressed("scale=1000", NORMAL, "x", 0), NORMAL * 1000)
    assert np.array_equal(stressed("scale=0.001", NORMAL, "x", 0), NORMAL * 0.001)


def test_single_precision_is_float32() -> None:
    assert single(NORMAL, "x", 0).dtype == np.float32


@pytest.mark.parametrize(
    ("array", "expected"),
    [(np.zeros(3), True), (np.ones((2, 2)), True), (np.array(0.0), True), (np.array(1.0), False),
     (np.array([0.0, 1.0]), False), (NORMAL, False), (np.zeros((0, 3)), False)],
)  # fmt: skip
def test_zeros_and_ones_are_an_untrained_bias_or_gain(array: np.ndarray, expected: bool) -> None:
    assert is_constant(array) is expected


@pytest.mark.parametrize(
    ("array", "expected"),
    [(np.eye(3), True), (np.array([1.0, -1.0, 1.0]), True), (np.full((2, 4), 0.25), True), (NORMAL, False),
     (np.array(1.0), False), (np.array([0.25, 0.75]), True), (np.array([0.5, 0.75]), False)],
)  # fmt: skip
def test_labels_signs_and_distributions_have_a_meaning_that_other_numbers_lack(
    array: np.ndarray, expected: bool
) -> None:
    assert has_meaning(array) is expected


def test_numbers_between_0_and_1_may_be_probabilities() -> None:
    assert may_be_probabilities(np.array([0.0, 0.5, 1.0]))
    assert not may_be_probabilities(np.array([0.5, 1.5]))
    assert not may_be_probabilities(np.array([-0.5, 0.5]))
    assert not may_be_probabilities(np.array(0.5))

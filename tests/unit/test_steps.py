"""How far elements are moved: scales, powers of two, distances really travelled."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.numerical.steps import element_scales, median, move, power_of_two


def test_an_all_zero_tensor_has_scale_one():
    assert element_scales(np.zeros((2, 3))).tolist() == [[1.0] * 3] * 2


def test_an_element_has_the_scale_of_its_tensor_or_its_own_if_that_is_larger():
    assert element_scales(np.array([3.0, -3.0, 0.0, 1e-9])).tolist() == pytest.approx([3.0, 3.0, 4.5**0.5, 4.5**0.5])


def test_an_outlier_does_not_set_the_scale_of_all():
    assert element_scales(np.array([1.0, 1.0, -1.0, 1e8])).tolist() == [10.0, 10.0, 10.0, 1e8]


@pytest.mark.parametrize("size", [1e-300, 1e-12, 1.0, 1e12, 1e300])
def test_scales_follow_the_unit_without_overflow(size):
    x = np.array([1.0, -2.0, 0.5])
    assert element_scales(size * x) == pytest.approx(size * element_scales(x), rel=1e-12)


def test_the_smallest_numbers_have_a_scale_above_zero():
    assert element_scales(np.array([5e-324, 0.0])).min() >= np.finfo(np.float64).tiny


def test_scales_of_low_precision_are_float64():
    assert element_scales(np.array([1.0, 2.0], np.float16)).dtype == np.float64


@pytest.mark.parametrize(
    ("scale", "exponent", "expected"),
    [(1.0, 0, 1.0), (1.99, 0, 1.0), (2.0, -3, 0.25), (0.75, 1, 1.0), (3e-9, 0, 2.0**-29)],
)
def test_steps_are_powers_of_two_at_most_the_scale(scale, exponent, expected):
    assert power_of_two(np.array([scale]), exponent).tolist() == [expected]


def test_every_element_may_have_its_own_exponent():
    assert power_of_two(np.array([1.0, 4.0]), np.array([-1, 2])).tolist() == [0.5, 16.0]


def test_distances_are_those_really_travelled():
    x = np.array([0.1, 1e6, -3.0])
    steps = np.array([1e-5, 1e-3, 2.0**-20])
    moves = move(x, steps)
    assert np.array_equal(moves.up, (x + steps) - x)
    assert np.array_equal(moves.down, x - (x - steps))
    assert moves.up[1] != steps[1]
    assert np.array_equal(moves.ahead, x + steps)
    assert np.array_equal(moves.behind, x - steps)


@pytest.mark.parametrize(("ulps", "moved"), [(15, False), (16, True)])
def test_a_step_below_sixteen_ulps_moves_nothing(ulps, moved):
    moves = move(np.array([1.0]), np.array([ulps * 2.0**-52]))
    assert (moves.up[0] > 0, moves.down[0] > 0) == (moved, moved)


def test_moves_are_made_in_the_dtype_of_the_tensor():
    moves = move(np.array([1.0, 1.0], np.float32), np.array([2.0**-10, 2.0**-21]))
    assert (moves.ahead.dtype, moves.behind.dtype) == (np.float32, np.float32)
    assert moves.up.tolist() == [2.0**-10, 0.0]
    assert moves.up.dtype == np.float64


@pytest.mark.parametrize(("x", "step"), [(1.7e308, 1e308), (1.0, np.inf), (1.0, np.nan), (np.inf, 1.0)])
def test_where_there_is_no_number_to_go_to_nothing_moves(x, step):
    moves = move(np.array([x]), np.array([step]))
    assert (moves.up.tolist(), moves.down.tolist()) == ([0.0], [0.0])


@pytest.mark.parametrize("values", [[3.0], [1.0, 4.0], [5.0, 1.0, 2.0], [[4.0, 1.0], [3.0, 2.0]]], ids=str)
def test_the_median_is_numpys(values):
    assert median(np.array(values)) == np.median(values)

"""Claims about tied elements, added up: the sum must be a slope of the function."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.numerical.kinks import Direction, SlopeRange
from gradcheck.verdict.ties import contradiction

TOGETHER = Direction({"x": np.array([1.0, 0.0, 1.0])})
APART = Direction({"x": np.array([1.0, 0.0, -0.5])})


def against(first, last, slopes, direction=TOGETHER):
    return contradiction({"x": np.array([first, 7.0, last])}, direction, slopes)


@pytest.mark.parametrize(("first", "last"), [(1.0, 0.0), (0.0, 1.0), (0.5, 0.5), (2.0, -1.0)])
def test_claims_that_add_up_to_the_slope_agree(first, last):
    assert against(first, last, SlopeRange(1.0, 1.0)) == ""


def test_claims_that_add_up_to_something_else_are_contradicted():
    assert against(1.0, 1.0, SlopeRange(1.0, 1.0)) == (
        "the gradients of the 2 tied elements add up to 2; moved together they have slope 1"
    )
    assert against(0.0, 0.0, SlopeRange(1.0, 1.0)) == (
        "the gradients of the 2 tied elements add up to 0; moved together they have slope 1"
    )


def test_the_sum_is_weighted_by_the_direction():
    assert against(1.0, 1.0, SlopeRange(0.5, 0.5), APART) == ""
    assert against(1.0, 1.0, SlopeRange(2.0, 2.0), APART) != ""


def test_a_slope_that_jumps_along_the_direction_leaves_its_interval_open():
    assert [against(total, 0.0, SlopeRange(-1.0, 2.0)) for total in (-1.0, 0.0, 2.0)] == ["", "", ""]
    assert against(2.5, 0.0, SlopeRange(-1.0, 2.0)) == (
        "the gradients of the 2 tied elements add up to 2.5; moved together they have slopes from -1 to 2"
    )
    assert against(-1.5, 0.0, SlopeRange(-1.0, 2.0)) != ""


def test_four_bounds_and_the_tolerance_are_left_open():
    wide = SlopeRange(1.0, 1.0, bound=0.1)
    assert [against(total, 0.0, wide) == "" for total in (0.59, 0.61, 1.39, 1.41)] == [False, True, True, False]
    exact = SlopeRange(1.0, 1.0)
    near = (1 - 1.1e-6, 1 - 0.9e-6, 1 + 0.9e-6, 1 + 1.1e-6)
    assert [against(total, 0.0, exact) == "" for total in near] == [False, True, True, False]


def test_the_edges_themselves_agree():
    assert [against(total, 0.0, SlopeRange(0.0, 0.0, bound=0.25)) for total in (-1.0, 1.0)] == ["", ""]


def test_the_tolerance_follows_the_size_of_the_slopes():
    assert against(1e9, 0.0, SlopeRange(1e9 + 900, 1e9 + 900)) == ""
    assert against(1e9, 0.0, SlopeRange(1e9 + 1100, 1e9 + 1100)) != ""
    assert against(0.0, 0.0, SlopeRange(-1e9, -1e-3)) == ""
    assert against(0.0, 0.0, SlopeRange(1e-3, 1e9)) == ""


def test_within_the_band_nothing_is_said():
    assert against(2.4, 0.0, SlopeRange(1.0, 2.0, band=0.5)) == ""
    assert against(2.6, 0.0, SlopeRange(1.0, 2.0, band=0.5)) != ""


def test_an_interval_as_narrow_as_its_bound_is_one_slope():
    assert against(9.0, 0.0, SlopeRange(1.0, 1.4, bound=0.1)).endswith("they have slope 1")
    assert against(9.0, 0.0, SlopeRange(1.0, 1.41, bound=0.1)).endswith("they have slopes from 1 to 1.41")


def test_tied_elements_of_several_tensors_are_named():
    direction = Direction({"a": np.array([1.0, 0.0]), "b": np.array([1.0, 1.0])})
    claimed = {"a": np.array([1.0, 5.0]), "b": np.array([1.0, 0.25])}
    assert contradiction(claimed, direction, SlopeRange(2.25, 2.25)) == ""
    assert contradiction(claimed, direction, SlopeRange(1.0, 1.0)) == (
        "the gradients of the 3 tied elements of a and b add up to 2.25; moved together they have slope 1"
    )


@pytest.mark.parametrize("claimed", [np.nan, np.inf])
def test_a_sum_that_is_no_number_agrees_with_nothing(claimed):
    assert against(claimed, 0.0, SlopeRange(1.0, 1.0)) != ""

"""Undoing broadcasting: shapes come back, sums stay."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.errors import ShapeError
from gradcheck.ops.broadcasting import MAX_ELEMENTS, broadcast_shape, limited, restore, unbroadcast

PAIRS = [((), ()), ((3,), ()), ((2, 3), (3,)), ((2, 3), (2, 1)), ((2, 3), (1, 1)), ((4, 2, 3), (2, 1)), ((0, 3), (3,)),
         ((2, 3), (2, 3)), ((1, 3), (1, 3)), ((1, 3), (3,))]  # fmt: skip


@pytest.mark.parametrize(("wide", "narrow"), PAIRS)
def test_the_gradient_gets_the_arguments_shape_and_keeps_its_total(
    wide: tuple[int, ...], narrow: tuple[int, ...]
) -> None:
    g = np.arange(1.0, 1.0 + np.prod(wide, dtype=int)).reshape(wide)
    summed = unbroadcast(g, np.zeros(narrow))
    assert summed.shape == narrow
    assert summed.sum() == g.sum()


def test_each_element_collects_the_gradients_of_its_own_repetitions() -> None:
    g = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    assert unbroadcast(g, np.zeros(3)).tolist() == [11.0, 22.0, 33.0]
    assert unbroadcast(g, np.zeros((2, 1))).tolist() == [[6.0], [60.0]]


def test_a_gradient_that_fits_already_is_handed_on_as_it_is() -> None:
    g = np.ones((2, 3))
    assert unbroadcast(g, np.zeros((2, 3))) is g


def test_reduced_axes_come_back_with_length_one() -> None:
    assert restore(np.ones(3), (0, 2), False).shape == (1, 3, 1)
    assert restore(np.ones((1, 3, 1)), (0, 2), True).shape == (1, 3, 1)


def test_shapes_that_do_not_broadcast_are_named() -> None:
    with pytest.raises(ShapeError) as caught:
        broadcast_shape((2, 3), (2,), (3,))
    assert caught.value.message == "cannot combine shapes (2, 3), (2,) and (3,)"
    assert caught.value.hint == "lengths are compared from the last axis: they must be equal, or one of them 1"


def test_a_value_of_absurd_size_is_refused_before_it_exists() -> None:
    assert limited((MAX_ELEMENTS,)) == (MAX_ELEMENTS,)
    with pytest.raises(ShapeError) as caught:
        broadcast_shape((10**6, 1), (10**6,))
    assert caught.value.message == "would make 1e+12 elements, shape (1000000, 1000000)"
    assert caught.value.hint == "at most 20000000 are allowed"

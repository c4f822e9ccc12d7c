"""What each mistake makes of an array, and where it cannot be made."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.mutation.plants import PLANTS, Claimed, planted

G = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])
X = np.array([[1.0, -1.0, 1.0], [1.0, 1.0, 1.0]])
OTHER = np.full((2, 3), 7.0)


def claimed(g: np.ndarray = G, batch: int | None = 2, **others: np.ndarray) -> Claimed:
    return Claimed("x", {"x": g, **others}, {"x": X}, batch, lambda: np.ones_like(g))


@pytest.mark.parametrize(("name", "expected"), [
    ("twice", 2 * G), ("half", G / 2), ("negated", -G), ("zeros", 0 * G), ("times N", 2 * G), ("divided by N", G / 2),
    ("without the upstream gradient", np.ones((2, 3))),
    ("transposed", [[1, 4, -2], [5, 3, -6]]),
    ("shifted by one", [[3, 1, -2], [-6, 4, 5]]),
    ("mean over the first axis", [[2.5, 1.5, -1.5]] * 2),
    ("last row missing", [[1, -2, 3], [0, 0, 0]]),
    ("last column missing", [[1, -2, 0], [4, 5, 0]]),
    ("one element twice", [[1, -2, 3], [4, 5, -12]]),
    ("one element missing", [[1, -2, 3], [4, 5, 0]]),
    ("missing for negative numbers", [[1, 0, 3], [4, 5, -6]]),
    ("clipped", [[1, -2, 3], [3, 3, -3]]),
    ("one percent more", 1.01 * G), ("a thousandth less", 0.999 * G),
    ("of another tensor", OTHER),
])  # fmt: skip
def test_a_mistake_and_what_it_makes(name: str, expected: object) -> None:
    before = G.copy()
    made = planted(name, claimed(other=OTHER))
    np.testing.assert_allclose(made, expected)
    np.testing.assert_array_equal(G, before)


def test_a_square_matrix_is_transposed() -> None:
    square = np.arange(4.0).reshape(2, 2)
    np.testing.assert_array_equal(planted("transposed", claimed(square)), square.T)


def test_one_element_is_not_a_number() -> None:
    made = planted("one element not a number", claimed())
    assert made is not None
    assert np.isnan(made).sum() == 1


@pytest.mark.parametrize("name", ["transposed", "shifted by one", "mean over the first axis", "last row missing",
                                  "last column missing", "one element twice", "clipped", "of another tensor",
                                  "missing for negative numbers"])  # fmt: skip
def test_a_scalar_has_no_rows_and_no_neighbours(name: str) -> None:
    assert planted(name, claimed(np.array(3.0))) is None


def test_without_a_batch_there_is_no_n() -> None:
    assert planted("times N", claimed(batch=None)) is None


def test_every_mistake_is_a_mistake() -> None:
    for name in PLANTS:
        made = planted(name, claimed(other=OTHER))
        assert made is not None
        assert made.shape == G.shape
        assert name == "float32 rounding" or not np.allclose(made, G, rtol=1e-6)

"""Arrays on a page: small ones whole and aligned, large ones by their corners, all of them with --full."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.reporters.explanation.arrays import array_lines, number


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "0.1"), (-0.0, "0"), (3, "3"), (1 / 3, "0.333333"), (1e-9, "1e-09"), (1234567.0, "1.23457e+06"),
     (float("nan"), "nan"), (float("-inf"), "-inf"), (True, "True")],
)  # fmt: skip
def test_a_number_has_six_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("array", "lines"),
    [
        (np.array(2.5), ["2.5"]),
        (np.array([1.0, 2.0, -0.5]), ["[1, 2, -0.5]"]),
        (np.array([[1.0, 20.0], [-300.0, 4.0]]), ["[   1, 20]", "[-300,  4]"]),
        (np.zeros((0, 3)), ["empty, shape (0, 3)"]),
        (np.arange(100.0), ["[0, 1, 2, …, 99]", "shape (100,), from 0 to 99, root mean square 57.3"]),
        (
            np.arange(27.0).reshape(3, 1, 9),
            ["[0]", "  [0, 1, 2, …, 8]", "[1]", "  [9, 10, 11, …, 17]", "… 1 more of 3",
             "shape (3, 1, 9), from 0 to 26, root mean square 15.2"],
        ),
        (
            np.arange(20).reshape(10, 2),
            ["[ 0,  1]", "[ 2,  3]", "[ 4,  5]", "…", "[18, 19]", "shape (10, 2), from 0 to 19"],
        ),
        (np.arange(8.0).reshape(2, 2, 2), ["[0]", "  [0, 1]", "  [2, 3]", "[1]", "  [4, 5]", "  [6, 7]"]),
    ],
    ids=lambda value: str(np.shape(value)) if isinstance(value, np.ndarray) else "",
)  # fmt: skip
def test_an_array_is_shown_by_as_much_as_is_read(array: np.ndarray, lines: list[str]) -> None:
    assert array_lines(array) == lines


@pytest.mark.parametrize("shape", [(100,), (30, 40), (5, 3, 20)])
def test_full_leaves_no_number_out(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape)).reshape(shape) + 1000
    text = "\n".join(array_lines(array, full=True))
    assert "…" not in text
    assert all(str(value) in text for value in array.reshape(-1))

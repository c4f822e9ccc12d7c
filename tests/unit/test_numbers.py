"""Numbers show as many digits as tell the story."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.reporters.numbers import brief, element, pair, plural, shape_text

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.1e-6, "1.1e-06"), (0.5, "5.0e-01"), (0.0, "0"), (-0.0, "0"), (math.nan, "nan"), (math.inf, "inf"),
        (-math.inf, "-inf"), (None, "-"), (123456.0, "1.2e+05"),
    ],
)  # fmt: skip
def test_a_size_has_two_digits(value: float | None, shown: str) -> None:
    assert brief(value) == shown


@pytest.mark.parametrize(
    ("claimed", "numeric", "error", "shown"),
    [
        (0.4127, 0.8254, 0.5, ("0.4127", "0.8254")),
        (1.00001, 1.0, 1e-5, ("1.000010", "1.000000")),
        (27.720000000123, 27.72, 4.4e-12, ("27.720000000123", "27.720000000000")),
        (110.0, 110.0, 0.0, ("110", "110")),
        (-2.0, 2.0, 2.0, ("-2", "2")),
        (1e-300, 1.0001e-300, 1e-4, ("1.00000e-300", "1.00010e-300")),
        (math.nan, -3.25, math.nan, ("nan", "-3.25")),
        (-math.inf, 2.5, math.inf, ("-inf", "2.5")),
    ],
)
def test_two_numbers_show_where_they_part(claimed: float, numeric: float, error: float, shown: tuple[str, str]) -> None:
    assert pair(claimed, numeric, error) == shown


@given(FINITE, FINITE)
def test_numbers_that_differ_never_look_the_same(claimed: float, numeric: float) -> None:
    size = max(abs(claimed), abs(numeric))
    error = abs(claimed / size - numeric / size) if size else 0.0
    shown = pair(claimed, numeric, error)
    if error > 0:
        assert shown[0] != shown[1]


def test_counts_and_places_read_as_they_are_spoken() -> None:
    assert [plural(n, "case") for n in (0, 1, 2, 4812)] == ["0 cases", "1 case", "2 cases", "4,812 cases"]
    assert [shape_text(s) for s in ((), (4,), (3, 4))] == ["()", "(4,)", "(3, 4)"]
    assert [element("W1", i) for i in ((), (3,), (0, 2))] == ["W1", "W1[3]", "W1[0, 2]"]

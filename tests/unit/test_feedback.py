"""What an author is told at each level: more and more, and never a right number before `full`."""

from __future__ import annotations

import pytest

from gradcheck.model.case import Expect
from gradcheck.model.report import CaseError, CaseResult, Diagnosis, Finding, Worst
from gradcheck.reporters.feedback import LEVELS, Level, told, told_of_case

FINDING = Finding(
    "backward", "w", (3, 4), "fail", checked=12, wrong=12, counts={"fail": 12}, limit=1e-6,
    worst=Worst((0, 2), 0.41, 0.82, 2e-10, 0.5), reason="backward is not linear in its upstream gradient: 2",
    diagnosis=(
        Diagnosis("transposed", "a transpose is missing", "layers.py:12", "write `w.T` in place of `w`"),
        Diagnosis("combination", "right for N = 1, wrong from N = 2 on"),
    ),
)  # fmt: skip
RIGHT = Finding("backward", "b", (4,), "pass", checked=4, counts={"pass": 4}, worst=Worst((0,), 1.0, 1.0, 1e-9, 0.0))
RESULT = CaseResult(
    "affine", "hw.yaml", 3, 0, {}, {}, Expect(), "fail", as_expected=False, findings=(FINDING, RIGHT),
    error=CaseError("raised", "backward", "ValueError: no", "layers.py", 41, "look there"),
)  # fmt: skip


def test_none_says_nothing_and_a_pass_has_nothing_to_say() -> None:
    assert told(FINDING, "none") == told_of_case(RESULT, "none") == []
    assert [told(RIGHT, level) for level in LEVELS] == [[], [], [], []]


def test_where_names_places_and_no_cause() -> None:
    assert told(FINDING, "where") == [
        "w: fail, 12 of 12 elements differ",
        "worst at w[0, 2]",
        "look at layers.py:12",
        "right for N = 1, wrong from N = 2 on",
    ]


def test_what_names_the_mistake_and_no_numbers_and_no_line_to_copy() -> None:
    assert told(FINDING, "what") == [
        "w: fail, 12 of 12 elements differ",
        "worst at w[0, 2]",
        "backward is not linear in its upstream gradient: 2",
        "likely: a transpose is missing (layers.py:12)",
        "right for N = 1, wrong from N = 2 on",
    ]


def test_full_has_the_numbers_and_the_next_step() -> None:
    lines = told(FINDING, "full")
    worst = "worst at w[0, 2]: backward claims 0.41, numeric 0.82 ± 2.0e-10, relative error 5.0e-01 (limit 1.0e-06)"
    assert lines[1] == worst
    assert lines[3] == "likely: a transpose is missing (layers.py:12). Next: write `w.T` in place of `w`"


@pytest.mark.parametrize("level", ["none", "where", "what"])
def test_no_right_number_leaves_before_full(level: Level) -> None:
    assert not any("0.82" in line or "0.41" in line or "w.T" in line for line in told(FINDING, level))


def test_an_error_is_told_by_place_then_by_message_then_with_its_hint() -> None:
    assert told_of_case(RESULT, "where")[0] == "raised in backward, layers.py:41"
    assert told_of_case(RESULT, "what")[0] == "your code raised ValueError: no in backward, layers.py:41"
    assert told_of_case(RESULT, "full")[:2] == [told_of_case(RESULT, "what")[0], "look there"]


def test_another_level_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown level of feedback 'some', expected one of none, where, what, full"):
        told(FINDING, "some")  # type: ignore[arg-type]

"""Mistakes that no rule was tuned on: all are flagged, most are named, few by a wrong name; nonsense is not named."""

from __future__ import annotations

import os

from tests.diagnosis.suite import summary, table
from tests.diagnosis.unseen.unseen_suite import check_mistakes, check_scrambled

STRIDE = 1 if os.environ.get("SOAK") else 5
MOST_WRONG = 0.05 if STRIDE == 1 else 0.1  # of all; one in thirty more or less is no sign in a sample of 36


def test_an_unseen_mistake_fails_and_is_seldom_called_by_a_wrong_name() -> None:
    answers = list(check_mistakes(STRIDE))
    shown = f"{summary(answers)}\n{table(answers)}"
    assert all(a.verdict == "fail" for a in answers), shown
    assert sum(a.is_wrong for a in answers) <= MOST_WRONG * len(answers), shown
    assert sum(a.is_right for a in answers) >= 0.7 * len(answers), shown


def test_unseen_nonsense_fails_and_gets_no_name() -> None:
    answers = list(check_scrambled(STRIDE))
    assert all(a.verdict == "fail" and not a.is_wrong for a in answers), summary(answers)

"""The promise: no false fail, no false pass, and little that cannot be decided – on pairs whose answer is known."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from verdicts.suite import SUITES, run_suite


@pytest.mark.parametrize("suite", SUITES)
def test_every_verdict_of_the_suite_is_right(suite):
    answers = run_suite(suite)
    assert len(answers) >= 80
    assert [a.name for a in answers if a.is_false_fail] == []
    assert [a.name for a in answers if a.is_false_pass] == []
    assert [a.name for a in answers if a.truth == "error" and a.verdict not in ("error", "fail")] == []
    assert [a.name for a in answers if a.truth == "kink-right" and a.verdict != "kink"] == []
    assert sum(a.is_undecided for a in answers) <= 0.03 * len(answers)

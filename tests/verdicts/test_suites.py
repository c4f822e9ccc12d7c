"""The verdict suites through the command line: no false fail, no false pass, hardly any doubt, every kink named."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.verdicts.suite import SUITES, load_suite, run_suite, table

# A tensor of 60,000 elements takes a quarter of a minute: `make soak` and `make verdicts` check those, too.
MOST = None if os.environ.get("SOAK") else 5_000
LARGE = {"hardcases": "", "more_hardcases": "one_in_20000__by_1e4"}


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_has_no_false_fail_no_false_pass_and_hardly_any_doubt(name):
    answers = run_suite(name, most=MOST)
    if MOST is not None and LARGE[name]:
        answers += run_suite(name, only=LARGE[name])
    shown = table(answers)
    assert [a.name for a in answers if a.is_false_fail] == [], shown
    assert [a.name for a in answers if a.is_false_pass] == [], shown
    assert sum(a.is_undecided for a in answers) <= 0.03 * len(answers), shown
    assert {a.verdict for a in answers if a.truth == "kink-right"} == {"kink"}, shown
    assert [a.name for a in answers if a.verdict == "kink" and a.truth != "kink-right"] == [], shown
    assert {a.verdict for a in answers if a.truth == "error"} <= {"error", "fail"}, shown


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_has_pairs_of_every_truth_and_no_name_twice(name):
    cases = load_suite(name).CASES
    assert set(Counter(truth for _, truth, _ in cases)) == {"right", "wrong", "kink-right", "kink-wrong", "error"}
    assert len({case for case, _, _ in cases}) == len(cases)

"""Exit codes of whole runs: broken wins over wrong, wrong over undecided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gradcheck.model.case import Expect
from gradcheck.model.report import CaseResult, ExitCode, FileProblem, Report
from tests.unit import reports


@pytest.mark.parametrize(
    ("cases", "problems", "code"),
    [
        ((), (), ExitCode.EXPECTED),
        ((reports.PASSING, reports.SCALARS), (), ExitCode.EXPECTED),
        ((reports.KINK,), (), ExitCode.EXPECTED),
        ((reports.EXPECTED_FAIL,), (), ExitCode.EXPECTED),
        ((reports.PASSING, reports.FAILING), (), ExitCode.WRONG),
        ((reports.UNMET_WORD,), (), ExitCode.WRONG),
        ((reports.UNMET_TENSOR,), (), ExitCode.WRONG),
        ((reports.INCONCLUSIVE,), (), ExitCode.UNDECIDED),
        ((reports.VACUOUS, reports.PASSING), (), ExitCode.UNDECIDED),
        ((reports.VACUOUS, reports.FAILING), (), ExitCode.WRONG),
        ((reports.RAISED,), (), ExitCode.BROKEN),
        ((reports.FAILING, reports.INCONCLUSIVE, reports.RAISED), (), ExitCode.BROKEN),
        ((reports.PASSING,), reports.PROBLEMS, ExitCode.BROKEN),
        ((), reports.PROBLEMS, ExitCode.BROKEN),
    ],
)
def test_the_gravest_outcome_is_the_exit_code(
    cases: tuple[CaseResult, ...], problems: tuple[FileProblem, ...], code: ExitCode
) -> None:
    assert Report(cases, problems).exit_code == code


@pytest.mark.parametrize("case", [reports.INCONCLUSIVE, reports.VACUOUS, replace(reports.KINK, as_expected=False)])
def test_strict_makes_doubt_wrong(case: CaseResult) -> None:
    assert Report((case,), strict=True).exit_code == ExitCode.WRONG


@pytest.mark.parametrize("expect", [Expect(verdict="fail"), Expect(tensors={"W": "fail"}), Expect(verdict="kink")])
def test_doubt_where_something_else_was_expected_is_an_unmet_expectation(expect: Expect) -> None:
    assert Report((replace(reports.INCONCLUSIVE, expect=expect),)).exit_code == ExitCode.WRONG


def test_an_expected_error_is_no_breakage() -> None:
    expected = replace(reports.RAISED, expect=Expect(verdict="error"), as_expected=True)
    assert Report((expected,)).exit_code == ExitCode.EXPECTED

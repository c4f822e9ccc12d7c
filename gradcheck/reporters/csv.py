"""The report for spreadsheets and data frames: a row for every finding, numbers in full.

A case without a finding has a row, too, and so has a problem of a case file: no line of a report is silent here.
"""

from __future__ import annotations

import csv
import io

from gradcheck.model.report import ExitCode, FileProblem, Finding, Report
from gradcheck.reporters.escape import in_cell
from gradcheck.reporters.messages import INTERRUPTED, case_message
from gradcheck.reporters.numbers import shape_text, subscript
from gradcheck.reporters.view import CaseView, expected_verdict, view
from gradcheck.reporters.words import diagnosis_sentence

COLUMNS = (
    "case", "file", "line", "seed", "tensor", "claim", "shape", "verdict", "expected", "as_expected", "checked",
    "wrong", "index", "claimed", "numeric", "bound", "relative_error", "limit", "resolution", "coverage", "reason",
    "diagnosis", "notes",
)  # fmt: skip
_Row = dict[str, str | int | None]


def render_csv(report: Report, exit_code: ExitCode | None = None) -> str:
    """A header and the rows; what is not as expected first. Lines end with a newline alone.

    exit_code : what the process will exit with; an interrupted run has a row that says so

    Numbers have as many digits as tell float64 numbers apart; texts are safe to open in a spreadsheet (`in_cell`).
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_problem(problem) for problem in report.problems)
    for views in view(report):
        for shown in views:
            writer.writerows(_case(shown))
    if exit_code is ExitCode.INTERRUPTED:
        writer.writerow(_verdict("error", "pass", False) | {"reason": INTERRUPTED})
    return stream.getvalue()


def _problem(problem: FileProblem) -> _Row:
    place = problem.location
    said = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
    return {
        "file": in_cell(place.file), "line": place.line, "verdict": "error", "expected": "pass", "as_expected": "false",
        "reason": in_cell(said),
    }  # fmt: skip


def _case(shown: CaseView) -> list[_Row]:
    case = shown.case
    first: _Row = {"case": in_cell(shown.label), "file": in_cell(case.file), "line": case.line, "seed": case.seed}
    rows = [first | _finding(shown, finding) for finding in (*shown.shown, *shown.rest)]
    own = case_message(shown)
    if own is not None or not rows:
        verdict = _verdict(case.verdict, expected_verdict(case), case.as_expected)
        rows.insert(0, first | verdict | {"reason": in_cell("; ".join(own.lines if own else ()))})
    return rows


def _verdict(verdict: str, expected: str, as_expected: bool) -> _Row:
    return {"verdict": verdict, "expected": expected, "as_expected": "true" if as_expected else "false"}


def _finding(shown: CaseView, finding: Finding) -> _Row:
    worst, expect = finding.worst, shown.case.expect
    # A word for the whole case says nothing about one of its tensors.
    expected = "" if expect.verdict is not None else expect.tensors.get(finding.tensor, "pass")
    row = _verdict(finding.verdict, expected, finding not in shown.shown) | {
        "tensor": in_cell(finding.tensor), "claim": finding.claim, "shape": shape_text(finding.shape),
        "checked": finding.checked, "wrong": finding.wrong, "coverage": finding.coverage,
        "limit": _number(finding.limit), "resolution": _number(finding.resolution), "reason": in_cell(finding.reason),
        "diagnosis": in_cell("; ".join(map(diagnosis_sentence, finding.diagnosis))),
        "notes": in_cell("; ".join((*finding.notes, *shown.case.notes))),
    }  # fmt: skip
    if worst is not None:
        row |= {
            "index": subscript(worst.index), "claimed": _number(worst.claimed), "numeric": _number(worst.numeric),
            "bound": _number(worst.bound), "relative_error": _number(worst.relative_error),
        }  # fmt: skip
    return row


def _number(value: float | None) -> str:
    """As spreadsheets and data frames read it; a sign before digits makes no formula. "" where there is none."""
    return "" if value is None else repr(float(value))

"""CSV: one row per finding, numbers in full, and no cell that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
import io
import math

import pytest

from gradcheck.model.report import Report
from gradcheck.reporters.csv import COLUMNS, render_csv
from tests.unit.reports import FAILING, INFINITE, NOT_A_NUMBER, REPORTS, UNMET_TENSOR, UNMET_WORD, result
from tests.unit.sinks import STARTS, evil_report, from_csv

FORMULA = tuple("=+-@\t\r＝＋－＠")
NUMBERS = ("line", "seed", "checked", "wrong", "claimed", "numeric", "bound", "relative_error", "limit", "resolution")


@pytest.mark.parametrize("report", [*REPORTS.values(), *map(evil_report, STARTS)])
def test_every_row_has_every_column_and_no_cell_is_a_formula(report: Report) -> None:
    rows = list(csv.reader(io.StringIO(render_csv(report))))
    assert tuple(rows[0]) == COLUMNS
    assert {len(row) for row in rows} == {len(COLUMNS)}
    findings = sum(len(case.findings) for case in report.cases)
    assert sum(bool(row[COLUMNS.index("tensor")]) for row in rows[1:]) == findings
    for row in rows[1:]:
        for name, cell in zip(COLUMNS, row, strict=True):
            if name in NUMBERS:
                assert cell == "" or isinstance(float(cell), float)
            else:
                assert not cell.lstrip().startswith(FORMULA)


def test_a_failing_finding_in_a_row() -> None:
    row = from_csv(render_csv(Report((FAILING,))))[0]
    assert row == dict.fromkeys(COLUMNS, "") | {
        "case": "mlp", "file": "cases/mlp.yaml", "line": "3", "seed": "0", "tensor": "W1", "claim": "backward",
        "shape": "(3, 4)", "verdict": "fail", "expected": "pass", "as_expected": "false", "checked": "12",
        "wrong": "12", "index": "[0, 2]", "claimed": "0.4127", "numeric": "0.8254", "bound": "2e-10",
        "relative_error": "0.5", "limit": "1e-06", "resolution": "1.1e-08", "coverage": "all",
        "diagnosis": "likely: claimed is half of numeric everywhere; a factor 2 is lost (d x²/dx = 2x?)",
    }  # fmt: skip


def test_numbers_that_are_not_finite_are_read_as_such() -> None:
    rows = from_csv(render_csv(Report((NOT_A_NUMBER, INFINITE))))
    assert math.isnan(float(rows[0]["claimed"]))
    assert float(rows[-1]["claimed"]) == -math.inf


def test_what_a_case_expected_and_did_not_get_has_a_row() -> None:
    rows = from_csv(render_csv(Report((UNMET_WORD, UNMET_TENSOR))))
    told = [(row["case"], row["tensor"], row["verdict"], row["expected"], row["as_expected"]) for row in rows]
    assert told == [
        ("one sign too many", "", "pass", "fail", "false"), ("one sign too many", "W1", "pass", "fail", "false"),
        ("one sign too many", "b1", "pass", "pass", "true"),
        ("this was meant to be wrong", "", "pass", "fail", "false"),
        ("this was meant to be wrong", "W1", "pass", "", "true"),
    ]  # fmt: skip
    assert rows[3]["reason"] == "expected fail, got pass"


def test_a_case_without_a_finding_has_a_row() -> None:
    assert [row["case"] for row in from_csv(render_csv(Report((result("nothing to check"),))))] == ["nothing to check"]


def test_a_problem_of_a_file_has_a_row() -> None:
    rows = from_csv(render_csv(REPORTS["problems_only"]))
    assert [(row["file"], row["line"], row["verdict"]) for row in rows] == [
        ("cases/softmax.yaml", "14", "error"), ("cases/none.yaml", "1", "error"),
    ]  # fmt: skip
    assert rows[0]["reason"] == "unknown function 'sigmod'; did you mean 'sigmoid'?"

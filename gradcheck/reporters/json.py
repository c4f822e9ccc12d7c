"""The report for programs: a versioned JSON whose core only ever grows.

A projection of the Report, field by field; what the fields mean is said where they are defined, in `model/report.py`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from gradcheck.model.case import Expect
from gradcheck.model.report import CaseError, CaseResult, ExitCode, FileProblem, Finding, Report, Worst

SCHEMA = 1


def render_json(report: Report, exit_code: ExitCode | None = None) -> str:
    """The report as JSON text: ASCII only, two spaces of indentation, a newline at the end.

    exit_code : what the process will exit with, where that is not the report's own (an interrupted run)

    Numbers that are not finite are the strings "nan", "inf" and "-inf". Everything but `seconds` is the same on every
    run, key order included.
    """
    return json.dumps(project(report, exit_code), indent=2, allow_nan=False) + "\n"


def project(report: Report, exit_code: ExitCode | None = None) -> dict[str, Any]:
    """The report in dicts, lists, strings and finite numbers."""
    return {
        "schema": SCHEMA,
        "exit": int(report.exit_code if exit_code is None else exit_code),
        "problems": [_problem(problem) for problem in report.problems],
        "cases": [_case(case) for case in report.cases],
    }


def _problem(problem: FileProblem) -> dict[str, Any]:
    place = problem.location
    return {
        "file": place.file, "line": place.line, "column": place.column,
        "message": problem.message, "hint": problem.hint,
    }  # fmt: skip


def _case(case: CaseResult) -> dict[str, Any]:
    return {
        "name": case.name,
        "file": case.file,
        "line": case.line,
        "seed": case.seed,
        "sizes": _plain(case.sizes),
        "options": _plain(case.options),
        "expect": _expect(case.expect),
        "verdict": case.verdict,
        "as_expected": case.as_expected,
        "resolution": _plain(case.resolution),
        "evaluations": case.evaluations,
        "seconds": _plain(case.seconds),
        "coverage": case.coverage,
        "notes": list(case.notes),
        "error": None if case.error is None else _error(case.error),
        "findings": [_finding(finding) for finding in case.findings],
        "statements": list(case.statements),
        "why": case.why,
        "swept": list(case.swept),
        "vary": case.variant or None,
        "varied": case.varied,
    }


def _expect(expect: Expect) -> str | dict[str, str]:
    """One word, or the tensors that are not expected to pass."""
    return expect.verdict or dict(expect.tensors) or "pass"


def _error(error: CaseError) -> dict[str, Any]:
    return {
        "kind": error.kind, "during": error.during, "text": error.text,
        "file": error.file, "line": error.line, "hint": error.hint,
    }  # fmt: skip


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "claim": finding.claim,
        "tensor": finding.tensor,
        "shape": _plain(finding.shape),
        "verdict": finding.verdict,
        "checked": int(finding.checked),
        "wrong": int(finding.wrong),
        "counts": _plain(finding.counts),
        "coverage": finding.coverage,
        "worst": None if finding.worst is None else _worst(finding.worst),
        "resolution": _plain(finding.resolution),
        "limit": _plain(finding.limit),
        "reason": finding.reason,
        "notes": list(finding.notes),
        "diagnosis": [
            {"kind": said.kind, "text": said.text, "place": said.place, "advice": said.advice}
            for said in finding.diagnosis
        ],
    }


def _worst(worst: Worst) -> dict[str, Any]:
    return {
        "index": _plain(worst.index),
        "claimed": _plain(worst.claimed),
        "numeric": _plain(worst.numeric),
        "bound": _plain(worst.bound),
        "relative_error": _plain(worst.relative_error),
    }


def _plain(value: Any) -> Any:
    """A value of a case as JSON has it; what JSON has no kind for becomes its text."""
    if hasattr(value, "tolist"):  # numpy's arrays and scalars
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)

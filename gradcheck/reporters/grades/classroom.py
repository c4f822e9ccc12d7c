"""A result for GitHub Classroom: the output `result` of a grader step, which its reporter decodes.

One line, `result=` and the base64 of a JSON (classroom-resources/autograding-python-grader), to be appended to the file
in `GITHUB_OUTPUT`. The reporter's table counts whole tests, its recorded points are the sum of the scores: with partial
credit the two differ, and the points are right.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from gradcheck.model.grading import Gradebook, SubmissionResult
from gradcheck.reporters.escape import clean
from gradcheck.reporters.grades.student import CheckView, view


def render_classroom(book: Gradebook, result: SubmissionResult) -> str:
    """`result=eyJ2ZXJz…` and a line end."""
    text = json.dumps(project(book, result), allow_nan=False)
    return f"result={base64.b64encode(text.encode()).decode()}\n"


def project(book: Gradebook, result: SubmissionResult) -> dict[str, Any]:
    seen = view(book, result)
    checks = seen.checks or (CheckView("all checks", seen.points == seen.max_points, "", seen.points, seen.max_points),)
    could_run = result.status in ("graded", "flagged", "not_implemented")
    is_right = all(check.is_right for check in checks)
    told = [text for text in (seen.stamp, seen.summary) if text]
    return {
        "version": 1,
        "status": "pass" if is_right else "fail" if could_run else "error",
        "max_score": seen.max_points,
        "tests": [_test(check, told) for check in checks],
    }


def _test(check: CheckView, told: list[str]) -> dict[str, Any]:
    return {
        "name": clean(check.label),
        "status": "pass" if check.is_right else "fail",
        "score": check.points,
        "message": "\n".join(clean(line) for line in (*told, check.outcome, *check.lines) if line),
        "test_code": "gradcheck grade",
        "filename": "",
        "line_no": 0,
        "execution_time": "0s",
    }

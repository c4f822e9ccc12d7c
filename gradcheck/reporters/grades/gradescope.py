"""Gradescope's `results.json` for one submission (gradescope/autograder_samples, docs/specs.md).

Everything in it may reach the student, so it holds what the student may see. Texts are declared as text: the top-level
default would be HTML.
"""

from __future__ import annotations

import json
from typing import Any

from gradcheck.model.grading import Gradebook, SubmissionResult
from gradcheck.reporters.escape import clean
from gradcheck.reporters.grades.student import CheckView, view

SCHEMA = 1


def render_gradescope(book: Gradebook, result: SubmissionResult) -> str:
    """The file for `/autograder/results/results.json`."""
    return json.dumps(project(book, result), indent=2, allow_nan=False) + "\n"


def project(book: Gradebook, result: SubmissionResult) -> dict[str, Any]:
    seen = view(book, result)
    said = [text for text in (seen.stamp, seen.summary, f"sandbox: {book.walls.tier}") if text]
    checks = seen.checks or (CheckView("all checks", seen.points == seen.max_points, "", seen.points, seen.max_points),)
    return {
        "score": seen.points,
        # No execution_time: hidden checks are part of it, and who sleeps there as long as the inputs say reads them.
        "output": "\n".join(clean(text) for text in said),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        # A single hidden test would hide the total from everybody; hidden checks say nothing instead.
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"gradcheck": {"schema": SCHEMA, "status": result.status}},
        "tests": [_test(number, check) for number, check in enumerate(checks, 1)],
    }


def _test(number: int, check: CheckView) -> dict[str, Any]:
    return {
        "name": clean(check.label),
        "number": str(number),
        "score": check.points,
        "max_score": check.max_points,
        "status": "passed" if check.is_right else "failed",
        "output": "\n".join(clean(line) for line in (check.outcome, *check.lines) if line),
        "visibility": "visible",
    }

"""A class, or one submission, as JUnit XML in the strict dialect of junit-10.xsd (jenkinsci/xunit-plugin).

A suite for every submission, a test case for every check. The whole message is the text of an element: GitLab reads
nothing else. JUnit has no points; they stand among the properties of a suite.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck.model.grading import Gradebook, SubmissionResult
from gradcheck.reporters.escape import clean, in_xml
from gradcheck.reporters.grades.student import CheckView, StudentView, points_text, view

# Outcomes that are no failure of a comparison.
KINDS = {"not run": "skipped", "out of time or memory": "error", "error": "error"}
TYPES = {"failure": "GradientMismatch", "error": "NotChecked"}


def render_junit(book: Gradebook) -> str:
    """The file; shows what students may see, and may be given to them."""
    suites = [(result, view(book, result)) for result in book.results]
    total = [_counts(seen) for _, seen in suites]
    tests, failures, errors = (sum(column) for column in list(zip(*total, strict=True))[:3]) if total else (0, 0, 0)
    seconds = sum(result.seconds for result in book.results)
    lines = ['<?xml version="1.0" encoding="utf-8"?>']
    lines.append(
        f'<testsuites name="{in_xml(book.title)}" tests="{tests}" failures="{failures}" errors="{errors}" '
        f'time="{seconds:.3f}">'
    )
    for result, seen in suites:
        lines += _suite(book, result, seen)
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _suite(book: Gradebook, result: SubmissionResult, seen: StudentView) -> Iterator[str]:
    tests, failures, errors, skipped = _counts(seen)
    yield (
        f'  <testsuite name="{in_xml(result.slug)}" tests="{tests}" failures="{failures}" errors="{errors}" '
        f'skipped="{skipped}" time="{result.seconds:.3f}">'
    )
    sandbox = book.walls.stamp or book.walls.tier
    facts = {
        "student": seen.student, "points": points_text(seen.points), "max_points": points_text(seen.max_points),
        "status": result.status, "sandbox": sandbox,
    }  # fmt: skip
    yield "    <properties>"
    yield from (f'      <property name="gradcheck.{n}" value="{in_xml(value)}"/>' for n, value in facts.items())
    yield "    </properties>"
    for number, check in enumerate(_checks(seen), 1):
        # Of two cases of one name only the first would be kept.
        name = f'classname="gradcheck.{in_xml(result.slug)}" name="{number} {in_xml(check.label)}"'
        if check.is_right:
            yield f"    <testcase {name}/>"
            continue
        kind = _kind(check)
        yield f"    <testcase {name}>"
        if kind == "skipped":
            yield "      <skipped/>"
        else:
            said = [check.outcome, *check.lines]
            text = "\n".join(in_xml(clean(line)) for line in said)
            type_ = "NotImplemented" if check.outcome == "not implemented" else TYPES[kind]
            yield f'      <{kind} type="{type_}" message="{in_xml(check.outcome)}">{text}</{kind}>'
        yield "    </testcase>"
    yield "  </testsuite>"


def _checks(seen: StudentView) -> tuple[CheckView, ...]:
    whole = CheckView("all checks", seen.points == seen.max_points, seen.summary, seen.points, seen.max_points)
    return seen.checks or (whole,)


def _kind(check: CheckView) -> str:
    return KINDS.get(check.outcome, "failure")


def _counts(seen: StudentView) -> tuple[int, int, int, int]:
    kinds = ["" if check.is_right else _kind(check) for check in _checks(seen)]
    return len(kinds), kinds.count("failure"), kinds.count("error"), kinds.count("skipped")

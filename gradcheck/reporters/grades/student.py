"""What a student reads of their result: as much as the assignment's level of feedback allows, and of hidden checks
nothing but whether they passed.

Plain lines of text, some of which hold words of the submission: each format escapes them for itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck.model.case import Expect
from gradcheck.model.grading import CheckMark, Feedback, Gradebook, SubmissionResult, TensorMark
from gradcheck.model.report import CaseResult
from gradcheck.record import dataclass
from gradcheck.reporters.feedback import told, told_of_case

OUTCOMES = {
    "pass": "passed", "fail": "not passed", "not_implemented": "not implemented", "error": "error",
    "timeout": "out of time or memory", "not_run": "not run",
}  # fmt: skip
SUMMARIES = {
    "graded": "", "flagged": "", "not_implemented": "not implemented: nothing was found that could be checked",
    "error": "your code could not be run",
    "timeout": "your code used up its time or its memory, so not all checks were run",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckView:
    """is_right : all of it; outcome : in words; lines : what is said about it"""

    label: str
    is_right: bool
    outcome: str
    points: float
    max_points: float
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StudentView:
    """A result as its author sees it. summary : a sentence about all of it, or ""; stamp : see Walls"""

    title: str
    student: str
    points: float
    max_points: float
    summary: str
    stamp: str
    checks: tuple[CheckView, ...]

    @property
    def score(self) -> str:
        return f"{points_text(self.points)} of {_of(self.max_points)}"


def view(book: Gradebook, result: SubmissionResult) -> StudentView:
    """What the author of a submission may see of it."""
    summary = SUMMARIES.get(result.status, "")
    if result.status == "refused":
        summary = f"your submission could not be opened: {result.message}"
    elif result.status == "error" and not result.checks:  # our own failure, whose words are the teacher's
        summary = "your submission is not graded yet"
    checks = () if book.feedback == "none" else tuple(_check(mark, book.feedback) for mark in result.checks)
    return StudentView(book.title, result.student, result.points, result.max_points, summary, book.walls.stamp, checks)


def points_text(points: float) -> str:
    """`2`, `1.5`, `0.333`."""
    return f"{points:.3f}".rstrip("0").rstrip(".") if points else "0"


def _of(points: float) -> str:
    return f"{points_text(points)} point{'' if points == 1 else 's'}"


def _check(mark: CheckMark, level: Feedback) -> CheckView:
    is_right = mark.outcome == "pass"
    if mark.is_hidden:  # how it failed would say what it looks like
        outcome = "passed" if is_right else "not run" if mark.outcome == "not_run" else "not passed"
        return CheckView(mark.label, is_right, outcome, mark.points, mark.max_points)
    return CheckView(
        mark.label, is_right, OUTCOMES[mark.outcome], mark.points, mark.max_points, tuple(_lines(mark, level))
    )


def _lines(mark: CheckMark, level: Feedback) -> Iterator[str]:
    if mark.error is not None:
        where = f" ({mark.where})" if mark.where else ""
        broken = CaseResult(mark.label, "", 0, 0, {}, {}, Expect(), "error", False, error=mark.error)
        for number, line in enumerate(told_of_case(broken, level)):
            yield line if number else line + where
        return
    for tensor in mark.tensors:
        yield from _of_tensor(tensor, level)
    if level in ("what", "full"):
        yield from mark.notes


def _of_tensor(mark: TensorMark, level: Feedback) -> Iterator[str]:
    if mark.finding is None or mark.verdict == "pass":
        return
    lost = mark.max_points - mark.points
    cost = f" (-{points_text(lost)})" if lost else ""
    where = f", {mark.where}" if mark.where else ""
    for number, line in enumerate(told(mark.finding, level)):
        yield f"  {line}" if number else f"{line}{where}{cost}"

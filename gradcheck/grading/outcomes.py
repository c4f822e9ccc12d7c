"""From what happened to one word: of a check, and of a submission as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

from gradcheck.grading.rooms import MEMORY
from gradcheck.handwritten.session import CodeError
from gradcheck.model.grading import Check, CheckMark, Outcome, Status, SubmissionResult
from gradcheck.model.report import CaseError, During, ErrorKind
from gradcheck.sandbox.terms import BoxError

# Time or memory, whichever is up first: a bomb may meet either, as busy as the machine is, and nobody shall see which.
SPENT = "your code used up its time or its memory"
# What a box that ended tells the author of the code: no numbers of ours, and no words of theirs.
ENDED: dict[str, tuple[ErrorKind, str]] = {
    "timeout": ("timeout", SPENT),
    "memory": ("timeout", SPENT),
    "crashed": ("crashed", "the process that ran your code came to an end"),
    "flooded": ("crashed", "your code printed more than it may"),
    "broken_channel": ("crashed", "the process that ran your code did not answer as it should"),
}

_NO_MEMORY = re.compile(r"MemoryError\b")
_ONE_ARRAY = re.compile(r"MemoryError: Unable to allocate ([\d.]{1,9}) ([KMGTPE]iB) for an array")
_UNITS = {f"{letter}iB": 1024.0**power for power, letter in enumerate("KMGTPE", 1)}


def error_of(error: CodeError | BoxError) -> CaseError:
    """What went wrong, for the author of the code."""
    during = cast(During, error.during)
    if isinstance(error, BoxError):
        kind, text = ENDED[error.kind]
        return CaseError(kind, during, text)
    if is_spent(error):
        return CaseError("timeout", during, SPENT)
    return CaseError(cast(ErrorKind, error.kind), during, error.text, error.file, error.line, error.hint)


def is_spent(error: CodeError | BoxError) -> bool:
    """Whether somebody has used up what they may use; an array that could never be had is a mistake like others."""
    if isinstance(error, BoxError):
        return ENDED[error.kind][1] == SPENT
    if error.kind != "raised" or not _NO_MEMORY.match(error.text):
        return False
    wanted = _ONE_ARRAY.match(error.text)  # numpy's own words, which no time limit is faster than
    return wanted is None or float(wanted[1]) * _UNITS[wanted[2]] < MEMORY


def outcome_of(error: CaseError) -> Outcome:
    """A function that is not there, or not written yet, is work that was not done; the rest is work that breaks."""
    if error.kind == "unfinished" or (error.kind == "missing" and error.during == "load"):
        return "not_implemented"
    return "timeout" if error.kind == "timeout" else "error"


def not_run(check: Check) -> CheckMark:
    """A check that was not asked any more."""
    return CheckMark(check.name, check.label, check.is_hidden, "not_run", 0.0, check.max_points)


def status_of(marks: Sequence[CheckMark], flags: Sequence[str]) -> Status:
    """Of a submission: one that could be compared anywhere is graded, whatever it earned."""
    outcomes = {mark.outcome for mark in marks}
    if "not_run" in outcomes:
        return "timeout"
    if flags:
        return "flagged"
    if outcomes & {"pass", "fail"}:
        return "graded"
    if outcomes == {"not_implemented"}:
        return "not_implemented"
    return "timeout" if outcomes == {"timeout"} else "error"


def ours(submission: str, student: str, slug: str, sha256: str, max_points: float, text: str) -> SubmissionResult:
    """A submission that we could not grade by a mistake of our own: said so, and left to a person."""
    message = f"the grader failed here, which is no fault of the submission: {text}"
    return SubmissionResult(
        submission, student, slug, sha256, "error", 0.0, max_points, flags=("grade it by hand",), message=message
    )

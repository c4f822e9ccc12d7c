"""What is to be said about a report, one message per thing that is not as it should be: for formats without a table.

Order is that of `view.py`, sentences are those of `words.py`; texts are clean, and each format escapes them for its own
place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from gradcheck.model.report import CaseResult, Excerpt, ExitCode, FileProblem, Finding, Report
from gradcheck.record import dataclass
from gradcheck.reporters import words
from gradcheck.reporters.escape import clean, clean_lines
from gradcheck.reporters.symbols import UNICODE
from gradcheck.reporters.view import CaseView, expected_verdict

Gravity = Literal["broken", "wrong", "undecided"]
INTERRUPTED = "Interrupted: not every case was checked"
UNDECIDED = ("inconclusive", "vacuous")


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that is wrong, broken or undecided.

    title : `mlp, W1: fail, 12 of 12 elements differ`
    kind : the verdict, the kind of an error, `unexpected` or `problem`
    lines : sentences, in the order of what matters first
    file, line : where to look
    """

    title: str
    gravity: Gravity
    kind: str
    lines: tuple[str, ...]
    file: str
    line: int


def problem_message(problem: FileProblem) -> Message:
    """A mistake in a case file; what it says is not clean before."""
    place = problem.location
    lines = (clean(problem.message), *clean_lines(problem.excerpt), *clean_lines(problem.hint))
    return Message("problem in a case file", "broken", "problem", lines, clean(place.file), place.line)


def finding_message(shown: CaseView, finding: Finding) -> Message:
    """A finding of a case, whatever its verdict."""
    case = shown.case
    is_surprising = finding in shown.shown
    said = words.finding_verdict_words(case, finding, is_surprising)
    about = ", ".join((said, *words.about_finding(finding)[1:]))
    gravity: Gravity = "undecided" if finding.verdict in UNDECIDED else "wrong"
    title = f"{shown.label}, {tensor_name(shown, finding)}: {about}"
    lines = sentences(finding)
    if is_surprising and finding.verdict == "pass":
        lines = (f"expected {expected_verdict(case, finding.tensor)}, got pass", *lines)
    return Message(title, gravity, finding.verdict, lines, *_place(case, finding.source))


def case_message(shown: CaseView) -> Message | None:
    """What is to be said about a case that none of its findings says; None where there is nothing."""
    case = shown.case
    title = f"{shown.label}: {words.verdict_words(case)}"
    if case.error is not None:
        lines = tuple(filter(None, (words.error_sentence(case.error), case.error.hint)))
        return Message(title, "broken", case.error.kind, lines, *_place(case, case.error.source))
    claimed = {finding.tensor for finding in case.findings}
    if not shown.shown or not claimed.issuperset(case.expect.tensors):
        unmet = tuple(words.unmet_sentences(case, shown.shown))
        return Message(title, "wrong", "unexpected", unmet, case.file, case.line) if unmet else None
    return None


def case_messages(shown: CaseView) -> Iterator[Message]:
    """All messages of a case: its own first, then those of the findings that are not as expected, worst first.

    An error that was expected is none.
    """
    own = case_message(shown)
    if own is not None and not shown.case.as_expected:
        yield own
    for finding in shown.shown:
        yield finding_message(shown, finding)


def all_messages(report: Report, unexpected: Sequence[CaseView]) -> list[Message]:
    """Problems of files first, then what is wrong, worst first; a mistake that a smaller combination shows is left out.

    report, unexpected : as `view` has taken it apart
    """
    return [
        *map(problem_message, report.problems),
        *(message for shown in unexpected if shown.says_more for message in case_messages(shown)),
    ]


def sentences(finding: Finding) -> tuple[str, ...]:
    """The worst element, the reason, the diagnosis, the notes; no sentence has a line break."""
    worst = "".join(words.worst_sentence(finding, UNICODE))
    said = (words.diagnosis_sentence(diagnosis) for diagnosis in finding.diagnosis)
    return tuple(filter(None, (worst, finding.reason, *said, *(f"note: {note}" for note in finding.notes))))


def tensor_name(shown: CaseView, finding: Finding) -> str:
    """The tensor; with who claims it where several claims speak about one."""
    several = sum(other.tensor == finding.tensor for other in shown.case.findings) > 1
    return f"{finding.tensor} ({finding.claim})" if several else finding.tensor


def outcome(report: Report, exit_code: ExitCode | None = None) -> str:
    """`3 cases: 1 fail, 2 pass`.

    exit_code : what the process will exit with, where that is not the report's own (an interrupted run)
    """
    told = "".join(words.summary_lines(report, UNICODE)[0])
    return f"{INTERRUPTED}. {told}" if exit_code is ExitCode.INTERRUPTED else told


def cost(report: Report) -> str:
    """`could have missed at most 1.1e-08 · 428 evaluations · 0.04 s`; "" where nothing was checked."""
    return "".join(words.summary_lines(report, UNICODE)[1]) if report.cases else ""


def _place(case: CaseResult, source: Excerpt | None) -> tuple[str, int]:
    return (case.file, case.line) if source is None else (source.file, source.line)

"""One submission, marked: every check asked in a box, answers judged here, points counted.

Visible checks first, hidden ones behind them in boxes of their own, with inputs drawn for this submission alone. A
submission that breaks, hangs or crashes loses the check it does that in, and nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any, cast

from gradcheck.errors import InternalError, NonFiniteError, UserCodeError
from gradcheck.grading.answers import Answers, Session, ask, findings, graver
from gradcheck.grading.assignment import code_file
from gradcheck.grading.closer import CloserLook
from gradcheck.grading.outcomes import error_of, is_spent, not_run, outcome_of, status_of
from gradcheck.grading.questions import Question, UnsoundError, pose
from gradcheck.grading.reference import FORWARD, Measure, Measures, combination
from gradcheck.grading.rooms import MEMORY, MOST_SPENT, OpenBox, Rooms, seconds_of
from gradcheck.handwritten.session import CodeError
from gradcheck.model.case import Case, Verdict
from gradcheck.model.grading import Assignment, Check, CheckMark, Submission, SubmissionResult, TensorMark
from gradcheck.model.report import Finding
from gradcheck.sandbox.terms import MEBIBYTE, BoxError

BRIEF = 200  # evaluations of the reference for a hidden point, which serves one submission only
DRAWS = 8  # of a hidden point, until the reference itself is sound there


class Marker:
    """Marks the submissions of one assignment; what it knows of the reference, it works out once.

    opened : opens a box for some files
    """

    def __init__(self, assignment: Assignment, measures: Measures, opened: OpenBox) -> None:
        self.assignment, self.measures, self._opened = assignment, measures, opened
        self._posed: dict[tuple[int, int, int], Question] = {}

    def mark(self, submission: Submission) -> SubmissionResult:
        """What a submission earns. Raises UnsafeError; whatever the submission does is in the result."""
        started = perf_counter()
        made = SubmissionResult(
            submission.name, submission.name, submission.slug, submission.sha256, "refused", 0.0,
            self.assignment.max_points, message=submission.refusal, notes=submission.notes,
        )  # fmt: skip
        if submission.refusal:
            return made
        sitting = _Sitting(self, submission)
        marks = tuple(sitting.marks())
        return replace(
            made,
            status=status_of(marks, sitting.closer.flags),
            points=_sum(mark.points for mark in marks),
            checks=marks,
            flags=sitting.closer.flags,
            notes=(*submission.notes, *sitting.notes),
            seconds=perf_counter() - started,
        )

    def rooms(self, submission: Submission) -> Rooms:
        most = sum(case.trials for measure in self.measures.checks for case in measure.cases)
        return Rooms(self._opened, submission.files, most)

    def questions(self, number: int, submission: Submission) -> Iterator[tuple[Case, Iterable[Question]]]:
        """The questions of a check, one after the other: the combination, and questions of which the first sound one
        counts.
        """
        check, measure = self.assignment.checks[number], self.measures.checks[number]
        for place, case in enumerate(measure.cases):
            for trial in range(case.trials):
                if check.is_hidden:
                    yield case, self._drawn(case, trial, submission.sha256)
                    continue
                key = (number, place, trial)
                if key not in self._posed:
                    evidence = measure.evidence[place, trial]
                    self._posed[key] = pose(case, trial, evidence=evidence, budget=self.assignment.budget)
                yield case, (self._posed[key],)

    def _drawn(self, case: Case, trial: int, sha256: str) -> Iterator[Question]:
        """Points that nobody has seen before this submission; the last one is that of the class."""
        budget = self.assignment.budget
        for draw in range(DRAWS):
            seed = hidden_seed(self.assignment.secret, case.name, draw, sha256)
            with suppress(NonFiniteError, UserCodeError):  # the reference has no value everywhere
                yield pose(replace(case, seed=seed), trial, budget=min(budget or BRIEF, BRIEF), is_drawn=True)
        yield pose(case, trial, budget=budget)


class _Sitting:
    """One submission before its questions.

    closer : what is seen of it that changes no points; notes : for the teacher
    """

    def __init__(self, marker: Marker, submission: Submission) -> None:
        self.marker, self.submission = marker, submission
        self.notes: list[str] = []
        self._spent = 0
        checks = zip(marker.assignment.checks, marker.measures.checks, strict=True)
        sizes = {check.name: _size(measure) for check, measure in checks if not check.is_hidden}
        largest = max(sizes, key=lambda name: sizes[name], default="")
        self.closer = CloserLook(b"\n".join(submission.files.values()), largest)

    def marks(self) -> Iterator[CheckMark]:
        rooms = self.marker.rooms(self.submission)
        was_hidden = False
        try:
            for number, check in enumerate(self.marker.assignment.checks):
                measure = self.marker.measures.checks[number]
                if check.is_hidden and not was_hidden:
                    rooms.leave()
                    was_hidden = True
                if self._spent >= MOST_SPENT:
                    yield not_run(check)
                    continue
                yield self._marked(number, check, measure, rooms)
        finally:
            rooms.leave()

    def _marked(self, number: int, check: Check, measure: Measure, rooms: Rooms) -> CheckMark:
        found: dict[str, tuple[Finding, str]] = {}
        notes: list[str] = []
        where = ""
        try:
            for case, questions in self.marker.questions(number, self.submission):
                where = combination(case)
                question, told, last, session = self._answered(check, case, questions, rooms)
                for finding in told:
                    old = found.get(finding.tensor)
                    if old is None or graver(old[0], finding) is finding:
                        found[finding.tensor] = finding, where
                if not check.is_hidden:
                    verdicts = {tensor: finding.verdict for tensor, (finding, _) in found.items()}
                    try:
                        notes += self.closer.look(check.name, question, last, session, verdicts)
                    except (CodeError, BoxError):  # points are decided by now
                        rooms.leave()
        except (CodeError, BoxError) as error:
            return self._broken(check, measure, error, where, rooms, notes)
        return _mark(check, measure, found, tuple(dict.fromkeys(notes)))

    def _answered(
        self, check: Check, case: Case, questions: Iterable[Question], rooms: Rooms
    ) -> tuple[Question, tuple[Finding, ...], Answers, Session]:
        """The first of some questions at which the reference is sound, and what is to be said about the answers.

        Raises CodeError, BoxError.
        """
        sessions = self._sessions(case, rooms)
        for question in questions:
            answers, session = ask(question, sessions)
            with suppress(UnsoundError):
                told = findings(question, answers, is_explained=not check.is_hidden)
                return question, told, answers[-1], session
        raise InternalError(f"the reference of '{case.name}' is sound nowhere")  # it was, before the class began

    def _sessions(self, case: Case, rooms: Rooms) -> Callable[[Mapping[str, Any]], Session]:
        file = code_file(case, self.marker.assignment.folder)
        if file not in self.submission.files:
            raise CodeError("missing", "load", f"there is no file '{file}' in the submission")
        return partial(_session, rooms, file, seconds_of(case))

    def _broken(
        self, check: Check, measure: Measure, error: CodeError | BoxError, where: str, rooms: Rooms, notes: list[str]
    ) -> CheckMark:
        rooms.leave()  # after an error, too: what the code still holds is not the next check's to pay for
        if is_spent(error):
            self._spent += 1
            limits = f"{seconds_of(measure.cases[0]):g} s or its {MEMORY // MEBIBYTE} MiB"
            self.notes.append(f"{check.label}: it used up its {limits}")
        elif isinstance(error, BoxError):
            self.notes.append(f"{check.label}: {error.kind}: {error.message}")
        said = error_of(error)
        tensors = tuple(TensorMark(tensor, "error", 0.0, points) for tensor, points in measure.points.items())
        return CheckMark(
            check.name, check.label, check.is_hidden, outcome_of(said), 0.0, check.max_points, tensors, said, where,
            tuple(notes),
        )  # fmt: skip


def hidden_seed(secret: bytes, case: str, draw: int, sha256: str) -> int:
    """The seed of a hidden case for one submission: HMAC-SHA-256, so that inputs which leak are worth nothing."""
    message = "\0".join([case, str(draw), sha256]).encode()
    return int.from_bytes(hmac.new(secret, message, hashlib.sha256).digest()[:8], "little") >> 1


def _mark(
    check: Check, measure: Measure, found: Mapping[str, tuple[Finding, str]], notes: tuple[str, ...]
) -> CheckMark:
    expect, marks = measure.cases[0].expect, []
    tensors = [tensor for tensor in (FORWARD, *measure.points) if tensor in found]
    for tensor in dict.fromkeys(tensors):
        finding, where = found[tensor]
        worth = measure.points.get(tensor, 0.0)
        wanted: Verdict = expect.tensors.get(tensor, expect.verdict or "pass")
        earned = worth if finding.verdict == wanted else 0.0
        marks.append(TensorMark(tensor, finding.verdict, earned, worth, finding, where))
    is_whole = all(mark.points == mark.max_points for mark in marks)
    is_right = is_whole if check.max_points else all(mark.verdict == "pass" for mark in marks)
    points = check.max_points if is_whole else _sum(mark.points for mark in marks)
    return CheckMark(
        check.name, check.label, check.is_hidden, "pass" if is_right else "fail", points, check.max_points,
        tuple(marks), notes=notes,
    )  # fmt: skip


def _session(rooms: Rooms, file: str, seconds: float, plan: Mapping[str, Any]) -> Session:
    return rooms.session(plan, file, seconds)


def _size(measure: Measure) -> int:
    """Elements of the largest combination of a check, as far as its evidence tells."""
    return max(
        (sum(kept.climbed.size for kept in e.tensors.values()) for e in measure.evidence.values() if e is not None),
        default=0,
    )


def _sum(points: Iterator[float] | Any) -> float:
    """Shares of points, added without their rounding: three thirds are one."""
    return cast(float, round(sum(points), 9))

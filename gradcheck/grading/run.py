"""A class, graded: the reference first, then every submission in some worker, each result kept as soon as it is known.

One bad submission never stops the others, nor does one of our own mistakes; only walls that do not hold stop them all.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, TypeVar

from gradcheck.casefile.page import problem_at
from gradcheck.checking.workers.executors import WorkerLostError, Workers
from gradcheck.errors import GradcheckError, UnsafeError
from gradcheck.grading.assignment import reference_files
from gradcheck.grading.journal import Journal
from gradcheck.grading.marking import Marker
from gradcheck.grading.outcomes import ours
from gradcheck.grading.reference import Measures, measure
from gradcheck.grading.rooms import Box
from gradcheck.grading.submissions import Entry, read_submission
from gradcheck.model.grading import Assignment, Submission, SubmissionResult, Walls
from gradcheck.model.report import FileProblem
from gradcheck.record import dataclass
from gradcheck.sandbox.box import choose_tier, open_box
from gradcheck.sandbox.terms import Limits, Tier

R = TypeVar("R")

AHEAD = 2  # submissions per worker that wait at its door: none of them waits for us
SAFE = ("strong", "medium")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which walls are asked for. required : the least; asked : a tier by name, or None for the strongest there is"""

    required: str = "medium"
    asked: str | None = None


class ReferenceError(GradcheckError):
    """The reference ended the process that ran it."""


class GradingInterruptedError(KeyboardInterrupt):
    """Ctrl-C in the middle. results : what is known; waiting : names of the submissions that are not"""

    def __init__(self, results: Sequence[SubmissionResult], waiting: Sequence[str]) -> None:
        super().__init__()
        self.results, self.waiting = tuple(results), tuple(waiting)


def walls_of(wanted: Wanted) -> Walls:
    """The walls that hold here. Raises UnsafeError where they are weaker than required."""
    tier = choose_tier(wanted.required, wanted.asked)
    return Walls(tier.name, tier.layers, tier.name in SAFE)


def measured(assignment: Assignment, workers: Workers) -> Measures:
    """The reference, graded in a process of its own. Raises ReferenceError where that comes to an end."""
    return _of_reference(workers.submit(measure, assignment))


def _of_reference(future: Future[R]) -> R:
    try:
        return future.result()
    except WorkerLostError as lost:
        message = f"the reference ended the process that ran it ({lost})"
        raise ReferenceError(message, "run it by itself: python REFERENCE.py") from None


def rehearsed(assignment: Assignment, measures: Measures, workers: Workers, wanted: Wanted) -> FileProblem | None:
    """Hands the reference in as if it were a submission: what the box or we have against it, nobody else shall pay for.

    None where it gets full points, or where the cases have several references for one file.
    Raises UnsafeError, ReferenceError.
    """
    files = reference_files(assignment)
    if files is None:
        return None
    payload = pickle.dumps((assignment, measures))
    handed_in = Submission("reference", "reference", files, "")
    result = _of_reference(workers.submit(mark_one, payload, wanted, handed_in))
    lost = next((mark for mark in result.checks if mark.outcome != "pass"), None)
    if lost is None:
        return None
    wrong = [f"{tensor.tensor} is {tensor.verdict}" for tensor in lost.tensors if tensor.points < tensor.max_points]
    reason = lost.error.text if lost.error is not None else ", ".join(wrong)
    case = next(check.cases[0] for check in assignment.checks if check.name == lost.name)
    message = f"the reference gets {lost.points:g} of {lost.max_points:g} points in the box: {reason}"
    hint = "submissions find the standard library, numpy and the files of the assignment there, and may write nothing"
    return problem_at(case.at("reference"), message, hint)


def grade(
    assignment: Assignment,
    measures: Measures,
    entries: Sequence[Entry],
    workers: Workers,
    journal: Journal,
    wanted: Wanted,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> list[SubmissionResult]:
    """The result of every submission, in the order of the entries.

    told : hears how many are done, and of how many
    Raises UnsafeError where a worker has no walls, GradingInterruptedError.
    """
    payload = pickle.dumps((assignment, measures))
    results: dict[str, SubmissionResult] = {}
    running: dict[Future[SubmissionResult], Submission] = {}
    waiting = iter(entries)
    try:
        while True:
            while len(running) < AHEAD * workers.count and (entry := next(waiting, None)) is not None:
                submission = read_submission(entry, assignment.files)
                known = journal.known(submission)
                if known is not None:
                    results[submission.slug] = known
                    told(len(results), len(entries))
                    continue
                running[workers.submit(mark_one, payload, wanted, submission)] = submission
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda f: running[f].slug):
                submission = running.pop(future)
                results[submission.slug] = _result(future, submission, assignment, journal)
            told(len(results), len(entries))
    except KeyboardInterrupt:
        left = [entry.name for entry in entries if entry.slug not in results]
        raise GradingInterruptedError(_in_order(results, entries), left) from None
    return _in_order(results, entries)


def _result(
    future: Future[SubmissionResult], submission: Submission, assignment: Assignment, journal: Journal
) -> SubmissionResult:
    """The outcome of a task; where the task itself failed it is not kept, so that the next run tries again."""
    try:
        result = future.result()
    except (UnsafeError, KeyboardInterrupt):
        raise
    except Exception as error:
        text = str(error) if isinstance(error, WorkerLostError | GradcheckError) else f"{type(error).__name__}: {error}"
        return ours(
            submission.name, submission.name, submission.slug, submission.sha256, assignment.max_points, text[:500]
        )
    journal.add(result)
    return result


def mark_one(payload: bytes, wanted: Wanted, submission: Submission) -> SubmissionResult:
    """A task: what one submission earns. payload : the assignment and what is known of its reference, pickled"""
    return _marker(payload, wanted).mark(submission)


@lru_cache(maxsize=1)  # a worker grades one class at a time
def _marker(payload: bytes, wanted: Wanted) -> Marker:
    assignment, measures = pickle.loads(payload)
    return Marker(assignment, measures, _opener(choose_tier(wanted.required, wanted.asked)))


def _opener(tier: Tier) -> Callable[[Any, Limits], AbstractContextManager[Box]]:
    return lambda files, limits: open_box(tier, files, limits)


def _in_order(results: dict[str, SubmissionResult], entries: Sequence[Entry]) -> list[SubmissionResult]:
    return [results[entry.slug] for entry in entries if entry.slug in results]

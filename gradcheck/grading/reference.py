"""The reference, graded before anybody else: every tensor must pass, be tested, and be tested sharply.

What comes out is data (evidence, shares of points), so that it is gathered once for a class, wherever its submissions
are graded. Runs in a process of its own, which no submission ever enters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gradcheck.casefile.page import problem_at, problem_of
from gradcheck.casefile.vary import NotApplicableError, realised
from gradcheck.errors import FieldError, GradcheckError, NotationError, SeveralErrors, did_you_mean
from gradcheck.grading.questions import Evidence, Question, look_at, pose
from gradcheck.model.case import Case
from gradcheck.model.grading import Assignment, Check
from gradcheck.model.report import FileProblem
from gradcheck.record import dataclass

FORWARD = "out"  # the tensor that stands for what forward returns
HINT = "the reference must get full points before anybody is graded by it"


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """What is known about one check before a submission is seen.

    points : tensor → what it is worth
    cases : the combinations that count; stress variants that the reference itself does not pass do not
    evidence : (combination, trial) → the class's evidence; only of visible checks
    """

    points: Mapping[str, float]
    cases: tuple[Case, ...]
    evidence: Mapping[tuple[int, int], Evidence | None]


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """Of every check of an assignment, in order; or, instead, why nobody can be graded by this reference."""

    checks: tuple[Measure, ...]
    problems: tuple[FileProblem, ...] = ()
    notes: tuple[str, ...] = ()


class _Unsound(Exception):  # noqa: N818 – carries what is said, and goes no further than this file
    def __init__(self, problems: Iterable[FileProblem]) -> None:
        self.problems = tuple(problems)


def measure(assignment: Assignment) -> Measures:
    """Grade the reference on every combination of every check."""
    checks: list[Measure] = []
    problems: list[FileProblem] = []
    notes: list[str] = []
    for check in assignment.checks:
        try:
            checks.append(_measured(check, assignment.budget, notes))
        except _Unsound as unsound:
            problems.extend(unsound.problems)
    unique = {(problem.location, problem.message): problem for problem in problems}
    return Measures(() if problems else tuple(checks), tuple(unique.values()), tuple(notes))


def _measured(check: Check, budget: int | None, notes: list[str]) -> Measure:
    points: Mapping[str, float] = {}
    cases: list[Case] = []
    evidence: dict[tuple[int, int], Evidence | None] = {}
    for case in check.cases:
        try:
            ready = case if case.variant is None else realised(case)
            looked = [_looked_at(ready, trial, budget) for trial in range(case.trials)]
        except (NotApplicableError, _Unsound) as reason:
            if case.variant is None:
                raise
            notes.append(f"{check.label}: the variant {case.variant.name} is left out: {_said(reason)}")
            continue
        if not points:
            points = _shares(check, looked[0][0])
        if not check.is_hidden:
            evidence.update({(len(cases), trial): found for trial, (_, found) in enumerate(looked)})
        cases.append(ready)
    return Measure(points, tuple(cases), evidence)


def _looked_at(case: Case, trial: int, budget: int | None) -> tuple[Question, Evidence | None]:
    """Raises _Unsound."""
    try:
        question = pose(case, trial, budget=budget)
        soundness = look_at(question)
    except (NotationError, FieldError, SeveralErrors) as error:
        raise _Unsound(_problems(case, error)) from None
    except GradcheckError as error:
        place = getattr(error, "file", None)
        line = f", {place}:{getattr(error, 'line', None) or 1}" if place else ""
        message = f"the reference does not run: {error.message}{line}"
        raise _Unsound([problem_at(case.at("reference"), message, error.hint or HINT)]) from None
    if soundness.flaws:
        which = combination(case)
        message = f"the reference is no measure of '{case.name}'{f' at {which}' if which else ''}: "
        raise _Unsound(problem_at(case.at("reference"), message + flaw, HINT) for flaw in soundness.flaws)
    return question, soundness.evidence


def combination(case: Case) -> str:
    """`N=2, D=3`: what the sweep bound, and the variant; "" for a case without either."""
    values: dict[str, Any] = {**case.sizes, **case.options}
    swept = [f"{name}={values[name]}" for name in case.swept if name in values]
    return ", ".join([*swept, *([case.variant.name] if case.variant is not None else [])])


def _shares(check: Check, question: Question) -> dict[str, float]:
    """Tensor → points. Raises _Unsound where points are given for what is no tensor of the case."""
    wrt, case = question.problem.wrt, question.case
    if not isinstance(check.points, Mapping):
        return {tensor: check.points / len(wrt) for tensor in wrt}
    unknown = [name for name in check.points if name not in wrt and name != FORWARD]
    if unknown:
        raise _Unsound(
            problem_at(
                case.at("points", name),
                f"points for '{name}', which is no gradient of the case",
                did_you_mean(name, (*wrt, FORWARD), f"there is: {', '.join(wrt)}, and out for the forward"),
            )
            for name in unknown
        )
    return {
        tensor: check.points.get(tensor, 0.0)
        for tensor in (FORWARD, *wrt)
        if tensor != FORWARD or FORWARD in check.points
    }


def _problems(case: Case, error: GradcheckError) -> list[FileProblem]:
    if isinstance(error, SeveralErrors):
        return [problem for inner in error.errors for problem in _problems(case, inner)]
    path = error.path if isinstance(error, FieldError) else ()
    return [problem_of(error, case.at(*path))]


def _said(reason: Exception) -> str:
    if isinstance(reason, _Unsound):
        return reason.problems[0].message
    return reason.message if isinstance(reason, GradcheckError) else str(reason)

"""One random point of a case: its problem built, its laws, its evidence, its findings, and what all points add up to.

The order of the stages stands here; what each of them does is its own room's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import cast

from gradcheck.checking.announcement import OnCost
from gradcheck.checking.building.drawing import Built
from gradcheck.checking.examine import examine
from gradcheck.checking.laws import broken_laws
from gradcheck.checking.settings import Settings
from gradcheck.errors import NonFiniteError, UserCodeError
from gradcheck.model.case import Case
from gradcheck.model.problem import Problem
from gradcheck.model.report import CaseError, During, ErrorKind, Finding
from gradcheck.numerical.memory import keep_what_is_freed
from gradcheck.numerical.portions import Work
from gradcheck.record import dataclass
from gradcheck.verdict.aggregate import PRECEDENCE, case_verdict

Builder = Callable[[Case, int], Built]
WorkAt = Callable[[Case, int], Work]


@dataclass(slots=True)
class Outcome:
    """What the trials of a case add up to."""

    findings: list[Finding]
    error: CaseError | None = None
    evaluations: int = 0
    notes: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()


def check_point(
    case: Case,
    trial: int,
    settings: Settings,
    outcome: Outcome,
    builder: Builder,
    work: WorkAt | None,
    on_cost: OnCost | None,
) -> None:
    """Check one random point and add what was found."""
    keep_what_is_freed()
    budget = settings.budget_of(case)
    try:
        built = builder(case, trial)
        outcome.statements = built.statements
        problem = built.problem
        laws = {claim.source: broken_laws(problem, claim) for claim in problem.claims}
        with built.held():
            examination = examine(
                problem,
                rtol=settings.rtol_of(case),
                seed=case.seed + trial,
                budget=budget,
                on_cost=on_cost,
                work=None if work is None else work(case, trial),
            )
        notes = built.notes()
    except NonFiniteError as error:
        outcome.error = CaseError("non-finite", "forward", error.message, hint=error.hint)
        outcome.statements = outcome.statements or error.statements
        return
    outcome.evaluations += examination.evaluations
    outcome.notes = tuple(dict.fromkeys((*outcome.notes, *notes, *examination.notes)))
    found = [_with_law(f, laws.get(f.claim, {}).get(f.tensor)) for f in examination.findings]
    spread = examination.noise.spread
    if spread > 0 and case_verdict(found, None) != "pass":
        outcome.error = _nondeterministic(problem, spread)
        return  # what such a function says about gradients is chance
    failing = [f for f in found if f.verdict == "fail"]
    if failing and not (settings.is_brief and _is_announced(case, failing)):
        from gradcheck.checking.deadline import clock_stopped
        from gradcheck.checking.explaining.diagnosing import diagnosed  # a right case does without

        with built.held(), clock_stopped():
            found = diagnosed(case, built, examination, found, laws, lambda changed: builder(changed, trial))
    is_affordable = budget is None or problem.traced is not None
    if settings.pictures and is_affordable and any(f.verdict != "pass" for f in found):
        from gradcheck.checking.deadline import clock_stopped
        from gradcheck.checking.explaining.curves import with_curves

        with built.held(), clock_stopped():
            found = with_curves(case, problem, examination, found)
    outcome.findings[:] = found if trial == 0 else _merge(outcome.findings, found, trial)


def _is_announced(case: Case, failing: Iterable[Finding]) -> bool:
    """Whether the case says of all that fails that it will."""
    words = case.expect.tensors
    return all(words.get(f.tensor) == "fail" for f in failing) if words else case.expect.verdict == "fail"


def case_error(error: UserCodeError) -> CaseError:
    kind, during = cast(ErrorKind, error.kind), cast(During, error.during)
    return CaseError(kind, during, error.message, error.file, error.line, error.hint)


def _nondeterministic(problem: Problem, spread: float) -> CaseError:
    size = abs(float(problem.upstream @ problem.value))
    return CaseError(
        "nondeterministic",
        "forward",
        f"two evaluations at the same point differ by {spread:.3g} (the value is {size:.6g})",
        hint="seed the random numbers, and keep no state between calls",
    )


def _with_law(finding: Finding, law: str | None) -> Finding:
    """A finding of a claim that breaks a law fails, whatever the differences say."""
    if law is None:
        return finding
    reason = f"backward is not linear in its upstream gradient: {law}"
    if finding.verdict == "fail":
        return replace(finding, reason=reason)
    return replace(finding, verdict="fail", worst=None, limit=None, reason=reason)  # no element shows it


def _merge(before: list[Finding], found: Iterable[Finding], trial: int) -> list[Finding]:
    """Per claim and tensor the finding with the stronger word; a later point's says which point it was."""
    merged = {(f.claim, f.tensor): f for f in before}
    for finding in found:
        key = (finding.claim, finding.tensor)
        old = merged.get(key)
        if old is None or PRECEDENCE.index(finding.verdict) < PRECEDENCE.index(old.verdict):
            note = f"at random point {trial + 1}"
            merged[key] = replace(finding, notes=(*finding.notes, note)) if old is not None else finding
        elif old.verdict == finding.verdict == "pass":
            resolution = max((r for r in (old.resolution, finding.resolution) if r is not None), default=None)
            merged[key] = replace(old, checked=old.checked + finding.checked, resolution=resolution)
    return list(merged.values())

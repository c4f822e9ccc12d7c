"""Checks one case, at all its random points; or says what is wrong in its file.

Many cases are `check`'s; how a claim at one point becomes findings is said in `point`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from time import perf_counter

from gradcheck.casefile.page import problem_of
from gradcheck.casefile.usage import texts_of
from gradcheck.checking.announcement import Announce, told_costs
from gradcheck.checking.building.build import build
from gradcheck.checking.point import Builder, Outcome, WorkAt, case_error, check_point
from gradcheck.checking.settings import Settings
from gradcheck.errors import FieldError, GradcheckError, NotationError, SeveralErrors, UserCodeError
from gradcheck.model.case import Body, Case, CodeBody, Verdict
from gradcheck.model.report import CaseError, CaseResult, FileProblem, Finding
from gradcheck.verdict.aggregate import as_expected, case_verdict, coverage_of


def check_case(
    case: Case,
    settings: Settings,
    builder: Builder = build,
    work: WorkAt | None = None,
    announce: Announce | None = None,
) -> CaseResult | tuple[FileProblem, ...]:
    """The result of one case, or the mistakes in its file that keep it from being checked.

    builder : makes the problem of a case at its trial-th point; another one where the case comes from no file
    work : makes what works off the probes of a case at its trial-th point; None to do it here, one after the other
    announce : is told what a case of somebody's code is going to cost, if that is much
    """
    if settings.seed is not None:
        case = replace(case, seed=settings.seed)
    started = perf_counter()
    outcome, told = Outcome([]), told_costs(case.name, settings.budget, announce)
    try:
        with _watched(case), time_limit(case):
            for trial in range(case.trials):
                check_point(case, trial, settings, outcome, builder, work, told)
                if outcome.error is not None:
                    break
    except UserCodeError as error:
        outcome.error, outcome.statements = case_error(error), outcome.statements or error.statements
    except (NotationError, FieldError, SeveralErrors) as error:
        return file_problems(case, error)
    if outcome.error is not None or any(f.verdict not in ("pass", "vacuous") for f in outcome.findings):
        from gradcheck.checking.explaining.excerpts import add_excerpts  # what is right needs no source

        add_excerpts(case, outcome)
    findings = tuple(outcome.findings)
    verdict = case_verdict(findings, outcome.error)
    resolutions = [f.resolution for f in findings if f.resolution is not None]
    return CaseResult(
        name=case.name,
        file=case.file,
        line=case.location.line,
        seed=case.seed,
        sizes=case.sizes,
        options=case.options,
        expect=case.expect,
        verdict=verdict,
        coverage=coverage_of(findings),
        as_expected=_is_as_expected(case, verdict, findings, outcome.error, settings.strict),
        findings=findings,
        error=outcome.error,
        resolution=max(resolutions, default=None),
        evaluations=outcome.evaluations,
        seconds=perf_counter() - started,
        notes=outcome.notes,
        statements=outcome.statements,
        why=case.why,
        swept=case.swept,
        variant="" if case.variant is None else case.variant.name,
        varied="" if case.variant is None else case.variant.about,
    )


def _is_as_expected(
    case: Case, verdict: Verdict, findings: tuple[Finding, ...], error: CaseError | None, strict: bool
) -> bool:
    if case.variant is None:
        return as_expected(case.expect, verdict, findings, error, strict)
    from gradcheck.verdict.combinations import as_expected_of_variant

    return as_expected_of_variant(case.variant.name, case.expect, findings, error, strict)


def _watched(case: Case) -> AbstractContextManager[None]:
    """Ctrl-C told from an interrupt that somebody's code raises; where nobody's code runs there is nothing to tell."""
    if not runs_code(case.body):
        return nullcontext()
    from gradcheck.handwritten.session.interrupts import watched  # brings in all that runs somebody's Python

    return watched()


def time_limit(case: Case) -> AbstractContextManager[None]:
    """The seconds that a case gives somebody's code. Raises UserCodeError (timeout) when they are over."""
    if case.timeout is None or not isinstance(case.body, CodeBody):
        return nullcontext()
    from gradcheck.checking.deadline import deadline  # read only where there is a limit

    return deadline(case.timeout, case.body.path.parent)


def runs_code(body: Body) -> bool:
    return isinstance(body, CodeBody) or any("code(" in source.text for source in texts_of(body))


def file_problems(case: Case, error: GradcheckError) -> tuple[FileProblem, ...]:
    if isinstance(error, SeveralErrors):
        return tuple(problem for inner in error.errors for problem in file_problems(case, inner))
    path = error.path if isinstance(error, FieldError) else ()
    return (problem_of(error, case.at(*path)),)

"""Checks cases: build, laws, evidence, verdict; one result per case, or the mistakes in its file.

The only room that calls things in order. What a case means is in `build`, how numbers are gathered in `examine`, and
how a claim at one point becomes findings in `point`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from gradcheck.casefile.loader import Loaded
from gradcheck.casefile.page import problem_of
from gradcheck.casefile.usage import texts_of
from gradcheck.checking.announcement import Announce, told_costs
from gradcheck.checking.building.build import build
from gradcheck.checking.families import Checked, Family, families
from gradcheck.checking.point import Builder, Outcome, WorkAt, case_error, check_point
from gradcheck.checking.selection import select
from gradcheck.checking.settings import Settings
from gradcheck.errors import FieldError, GradcheckError, NonFiniteError, NotationError, SeveralErrors, UserCodeError
from gradcheck.model.case import Body, Case, CodeBody, Verdict
from gradcheck.model.progress import Progress
from gradcheck.model.report import CaseError, CaseResult, FileProblem, Finding, Report
from gradcheck.verdict.aggregate import as_expected, case_verdict, coverage_of

if TYPE_CHECKING:  # a run without workers reads nothing about them
    from gradcheck.checking.workers.executors import Crew


class RunInterruptedError(KeyboardInterrupt):
    """Ctrl-C in the middle of a run. report : what was known by then"""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report


def run_cases(
    loaded: Loaded,
    settings: Settings,
    crew: Crew | None = None,
    progress: Progress | None = None,
    announce: Announce | None = None,
) -> Report:
    """Check the cases of some files in order. Raises RunInterruptedError.

    Where the first surprise ends the run, the files of the cases after it are still searched for mistakes.

    crew : workers to share the cases with, and the probes of a large one; the report is the same without them
    announce : see `check_case`; workers announce nothing
    """
    results: list[CaseResult] = []
    problems = [*loaded.problems, *_more_problems(loaded.doubtful, loaded.problems)]
    written = list(families(select(loaded.cases, settings.keyword)))
    total, started = sum(map(len, written)), perf_counter()
    work: WorkAt | None = None
    if crew is not None or progress is not None:
        from gradcheck.checking.workers.spread import spread, work_of  # most runs have no workers, and nobody who waits

        work = work_of(None if crew is None else crew.workers, progress)
    for number, cases in enumerate(written):
        if crew is not None and perf_counter() - started >= crew.patience and _is_for_many(written[number:]):
            outcome = spread(written[number:], settings, crew, progress)
            results += outcome.results
            problems += outcome.problems
            if outcome.is_interrupted:
                raise RunInterruptedError(Report(tuple(results), _in_file_order(problems), settings.strict))
            problems += _more_problems([later[0] for later in outcome.later], problems)
            break
        family = Family()
        try:
            is_surprising = check_family(
                family, cases, settings, problems, lambda case: check_case(case, settings, work=work, announce=announce)
            )
        except KeyboardInterrupt:
            known = (*results, *family.results())
            raise RunInterruptedError(Report(known, _in_file_order(problems), settings.strict)) from None
        results += family.results()
        if progress is not None:
            progress.cases(sum(map(len, written[: number + 1])), total)
        if is_surprising and settings.exit_first:
            problems += _more_problems([later[0] for later in written[number + 1 :]], problems)
            break
    return Report(tuple(results), _in_file_order(problems), settings.strict)


def check_family(
    family: Family,
    cases: Iterable[Case],
    settings: Settings,
    problems: list[FileProblem],
    check: Callable[[Case], Checked],
) -> bool:
    """Check the combinations and variants of one case; whether anything came out that was not expected.

    check : `check_case`, here or elsewhere
    """
    is_surprising = False
    for case in cases:
        ready = family.prepare(case if settings.seed is None else replace(case, seed=settings.seed))
        if ready is None:
            continue
        checked = check(ready)
        result = family.add(ready, checked)
        if not isinstance(checked, CaseResult) and ready.variant is None:
            problems.extend(checked)
            is_surprising = True
        is_surprising |= result is not None and not result.as_expected
        if is_surprising and settings.exit_first:
            break
    return is_surprising


def _is_for_many(written: Sequence[Sequence[Case]]) -> bool:
    """Whether there is more than one case, or one whose code may end the process that runs it."""
    return sum(map(len, written)) > 1 or runs_code(written[0][0].body)


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
        return _file_problems(case, error)
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


def _more_problems(cases: Iterable[Case], known: Iterable[FileProblem]) -> list[FileProblem]:
    """What is wrong, in lines that nothing is known of, with cases that are not to be checked; nobody's code is run."""
    problems: list[FileProblem] = []
    told = {(problem.location.file, problem.location.line) for problem in known}
    for case in cases:
        if runs_code(case.body):
            continue
        try:
            build(case)
        except (NotationError, FieldError, SeveralErrors) as error:
            problems.extend(_file_problems(case, error))
        except (NonFiniteError, UserCodeError):
            pass  # no mistake of the file
    return [problem for problem in problems if (problem.location.file, problem.location.line) not in told]


def runs_code(body: Body) -> bool:
    return isinstance(body, CodeBody) or any("code(" in source.text for source in texts_of(body))


def _file_problems(case: Case, error: GradcheckError) -> tuple[FileProblem, ...]:
    if isinstance(error, SeveralErrors):
        return tuple(problem for inner in error.errors for problem in _file_problems(case, inner))
    path = error.path if isinstance(error, FieldError) else ()
    return (problem_of(error, case.at(*path)),)


def _in_file_order(problems: list[FileProblem]) -> tuple[FileProblem, ...]:
    """Files in the order they came, problems of a file by their place, each once (a sweep repeats them)."""
    files = list(dict.fromkeys(problem.location.file for problem in problems))
    unique = list({(problem.location, problem.message): problem for problem in problems}.values())
    return tuple(sorted(unique, key=lambda p: (files.index(p.location.file), p.location.line, p.location.column)))

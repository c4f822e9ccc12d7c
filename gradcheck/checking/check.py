"""Checks many cases in order: here, or with workers; what came out, and the mistakes in their files.

One case is `one_case`'s, a random point of it `point`'s; what a case means is said in `building`, how numbers are
gathered in `examine`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from gradcheck.casefile.loader import Loaded
from gradcheck.checking.announcement import Announce
from gradcheck.checking.building.build import build
from gradcheck.checking.families import Family, check_family, families
from gradcheck.checking.one_case import check_case, file_problems, runs_code
from gradcheck.checking.point import WorkAt
from gradcheck.checking.selection import select
from gradcheck.checking.settings import Settings
from gradcheck.errors import FieldError, NonFiniteError, NotationError, SeveralErrors, UserCodeError
from gradcheck.model.case import Case
from gradcheck.model.progress import Progress
from gradcheck.model.report import CaseResult, FileProblem, Report

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


def _is_for_many(written: Sequence[Sequence[Case]]) -> bool:
    """Whether there is more than one case, or one whose code may end the process that runs it."""
    return sum(map(len, written)) > 1 or runs_code(written[0][0].body)


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
            problems.extend(file_problems(case, error))
        except (NonFiniteError, UserCodeError):
            pass  # no mistake of the file
    return [problem for problem in problems if (problem.location.file, problem.location.line) not in told]


def _in_file_order(problems: list[FileProblem]) -> tuple[FileProblem, ...]:
    """Files in the order they came, problems of a file by their place, each once (a sweep repeats them)."""
    files = list(dict.fromkeys(problem.location.file for problem in problems))
    unique = list({(problem.location, problem.message): problem for problem in problems}.values())
    return tuple(sorted(unique, key=lambda p: (files.index(p.location.file), p.location.line, p.location.column)))

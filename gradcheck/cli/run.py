"""`gradcheck run`: checks cases and reports.

Options, streams and the exit code; reading cases, checking and rendering are other rooms', imported when they are used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from gradcheck.cli.complete import complete_files
from gradcheck.cli.output import (
    ENCODINGS,
    FORMATS,
    Page,
    Target,
    is_terminal,
    render,
    require,
    stdout_for_us,
    write,
    write_step_summary,
)
from gradcheck.cli.progress import ProgressLine, watching
from gradcheck.cli.start_up import bring_in
from gradcheck.cli.workers import crew_of, jobs_of

if TYPE_CHECKING:  # loading a case takes numpy, `--help` does without
    from gradcheck.casefile.loader import Loaded
    from gradcheck.checking.settings import Settings
    from gradcheck.checking.workers.executors import Crew
    from gradcheck.model.report import ExitCode, FileProblem, Report


def _tolerance(ctx: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 < value <= 1:
        raise click.BadParameter(f"expected a number over 0 and at most 1, got '{value}'")
    return value


def _targets(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[Target, ...]:
    targets = tuple(Target.parse(value) for value in values)
    for i, target in enumerate(targets):
        if any(target.path == other.path for other in targets[:i]):
            raise click.BadParameter(f"'{target.path}' is named twice")
    return targets


@click.command()
@click.argument("cases", nargs=-1, required=True, metavar="CASES...", shell_complete=complete_files)
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(FORMATS)),
    default="table",
    show_default=True,
    help="What stdout shows.",
)
@click.option(
    "-o",
    "--output",
    "targets",
    metavar="[FORMAT:]PATH",
    multiple=True,
    callback=_targets,
    help="Write the report to a file as well; its suffix (.json, .xml, .html, ...) tells the format. May be repeated.",
)
@click.option(
    "-k",
    "keyword",
    metavar="EXPRESSION",
    help="Check the cases whose name, file or tags hold this text; combine with 'and', 'or', 'not' and brackets.",
)
@click.option("-x", "--exit-first", is_flag=True, help="Stop after the first case that is not as expected.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Show every tensor of every case, and the calls a shorthand stood for."
)
@click.option("--rtol", type=float, callback=_tolerance, help="Relative error to allow, in place of the cases' own.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of random arrays, in place of the cases' own.")
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    metavar="N",
    help="Evaluations of somebody's code for a case; where checking every element takes more, it is probed.",
)
@click.option(
    "--jobs",
    callback=jobs_of,
    metavar="N|auto",
    default="1",
    show_default=True,
    help="Processes to work in; auto takes all cores once the run has taken a second.",
)
@click.option(
    "--cluster", metavar="ADDRESS", help="Work on the Dask cluster with this scheduler, such as tcp://host:8786."
)
@click.option(
    "--watch", is_flag=True, help="Check again what a saved file touches, until Ctrl-C; -o holds what was checked last."
)
@click.option("--strict", is_flag=True, help="Count kink, inconclusive and vacuous as wrong.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours; auto follows the terminal, NO_COLOR and FORCE_COLOR.",
)
@click.pass_context
def command(
    ctx: click.Context, cases: tuple[str, ...], format_: str, targets: tuple[Target, ...], keyword: str | None,
    exit_first: bool, verbose: bool, rtol: float | None, seed: int | None, budget: int | None,
    jobs: int, cluster: str | None, watch: bool, strict: bool, color: str,
) -> None:  # fmt: skip
    """Check the gradients of case files, or of all case files in a folder.

    Exit code: 0 as expected, 1 a gradient is wrong or an expectation was not met, 2 a case or somebody's code is
    broken, 3 nothing wrong but something undecided, 130 interrupted.

    Example: gradcheck run cases/ -k network --jobs auto -o report.json
    """
    formats = {format_, *(target.format for target in targets)}
    require(formats)
    bring_in(formats)
    from gradcheck.checking.settings import Settings

    settings = Settings(rtol, seed, keyword, exit_first, strict, budget, pictures="html" in formats,
                        is_brief=formats == {"table"} and not verbose)  # fmt: skip
    page = Page.of(sys.stdout, color)
    errors = Page.of(sys.stderr, color)

    def check(loaded: Loaded) -> int:
        remarks: list[str] = []
        with crew_of(jobs, cluster, remarks) as crew, watching(sys.stderr, errors.color) as line:
            announce = line.say if line is not None else _announce if verbose or is_terminal(sys.stderr) else None
            report, code, remark = _check(loaded, settings, crew, line, announce)
        _show_problems(report.problems, errors)
        write(
            render(format_, report, page, verbose=verbose, exit_code=code),
            sys.stdout,
            page.color,
            ENCODINGS.get(format_, ""),
        )
        for said in filter(None, (*remarks, remark)):
            write(f"{said}\n", sys.stderr, errors.color)
        if format_ == "github":
            write_step_summary(report, code)
        for target in targets:
            target.write(render(target.format, report, Page(), verbose=verbose, exit_code=code))
        return int(code)

    if watch:
        from gradcheck.cli.watch import require_watchfiles, watch_cases

        require_watchfiles()
        ctx.exit(watch_cases(cases, keyword, check, page))
    from gradcheck.casefile.loader import load

    ctx.exit(check(load(cases)))


def _announce(text: str) -> None:
    write(f"{text}\n", sys.stderr, color=False)


def _check(
    loaded: Loaded,
    settings: Settings,
    crew: Crew | None,
    progress: ProgressLine | None,
    announce: Callable[[str], None] | None,
) -> tuple[Report, ExitCode, str]:
    """The report, the exit code, and a remark where not every case was checked.

    Ctrl-C ends the run with what is known so far. Raises NothingSelectedError where there is nothing to check.
    """
    from gradcheck.checking.check import RunInterruptedError, run_cases
    from gradcheck.checking.selection import NothingSelectedError, select
    from gradcheck.model.report import ExitCode

    selected = select(loaded.cases, settings.keyword)
    if not selected and (loaded.cases or not loaded.problems):
        raise NothingSelectedError.among(loaded.cases, settings.keyword)
    try:
        with stdout_for_us():
            report = run_cases(replace(loaded, cases=selected), settings, crew, progress, announce)
    except RunInterruptedError as error:
        return error.report, ExitCode.INTERRUPTED, f"interrupted: {_done(error.report, len(selected))}"
    stopped = settings.exit_first and any(not case.as_expected for case in report.cases)
    return report, report.exit_code, f"stopped at the first surprise: {_done(report, len(selected))}" if stopped else ""


def _done(report: Report, selected: int) -> str:
    return f"{len(report.cases)} of {selected} case{'' if selected == 1 else 's'} checked"


def _show_problems(problems: tuple[FileProblem, ...], page: Page) -> None:
    """Problems of files, each a paragraph, on stderr."""
    from gradcheck.reporters.problems import render_problem

    for problem in problems:
        write(render_problem(problem, color=page.color, encoding=page.encoding) + "\n", sys.stderr, page.color)

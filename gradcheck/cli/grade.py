"""`gradcheck grade`: grades a folder of submissions that nobody has read.

Options, streams and the exit code; grading and rendering are other rooms', imported when they are used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from gradcheck.cli.grade_means import journal_for, leave_no_path_here, workers_for
from gradcheck.cli.grade_targets import GradeTarget, write_bundle, write_folder, write_target
from gradcheck.cli.output import Page, write
from gradcheck.cli.progress import ProgressLine, watching
from gradcheck.cli.workers import jobs_of

if TYPE_CHECKING:  # an assignment takes numpy, `--help` does without
    from gradcheck.grading.run import Wanted
    from gradcheck.model.grading import Assignment, Gradebook, SubmissionResult
    from gradcheck.model.report import FileProblem


def _targets(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[GradeTarget, ...]:
    targets = tuple(GradeTarget.parse(value) for value in values)
    if sum(not target.format for target in targets) > 1:
        raise click.BadParameter("two folders for everything; name one")
    return targets


@click.command()
@click.argument("homework", metavar="HW.yaml")
@click.argument("submissions", nargs=-1, metavar="SUBMISSIONS...")
@click.option(
    "-o",
    "--output",
    "targets",
    metavar="OUT|FORMAT:PATH",
    multiple=True,
    required=True,
    callback=_targets,
    help="The folder for results.json, grades.csv, feedback/ and overview; and, repeatable, files as gradescope:PATH, "
    "classroom:PATH, junit:PATH, canvas:SHEET.csv (filled in place), gradescope-zip:PATH (needs no submissions).",
)
@click.option("--single", is_flag=True, help="Each of SUBMISSIONS is one submission, a folder too.")
@click.option(
    "--jobs",
    callback=jobs_of,
    metavar="N|auto",
    default="auto",
    show_default=True,
    help="Submissions graded at a time; auto takes all cores.",
)
@click.option(
    "--cluster", metavar="ADDRESS", help="Grade on the Dask cluster with this scheduler, each worker with its own box."
)
@click.option(
    "--sandbox",
    type=click.Choice(["auto", "strong", "medium", "limits"]),
    default="auto",
    show_default=True,
    help="The walls around a submission; auto takes the strongest that hold here.",
)
@click.option(
    "--allow-unsandboxed",
    is_flag=True,
    help="Grade even where only limits hold, which do not stop malice; every output says so.",
)
@click.option("--fresh", is_flag=True, help="Grade everybody again, whatever an earlier run has left in OUT.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours; auto follows the terminal, NO_COLOR and FORCE_COLOR.",
)
@click.pass_context
def command(
    ctx: click.Context, homework: str, submissions: tuple[str, ...], targets: tuple[GradeTarget, ...], single: bool,
    jobs: int, cluster: str | None, sandbox: str, allow_unsandboxed: bool, fresh: bool, color: str,
) -> None:  # fmt: skip
    """Grade submissions against a reference, each in a box of its own.

    Each entry of a folder SUBMISSIONS is one: a folder, a .py or a .zip. The reference is graded first and must get
    full points. A run that was interrupted goes on where it stopped.

    Exit code: 0 when every submission has a result, 2 where the assignment or its reference is broken, 4 where it
    cannot be done safely here, 130 interrupted.

    Example: gradcheck grade hw.yaml submissions/ -o out/ -o canvas:grades_export.csv
    """
    from gradcheck.checking.workers.threads import limit_threads
    from gradcheck.errors import UnsafeError
    from gradcheck.model.report import ExitCode

    limit_threads()
    leave_no_path_here()
    page, errors = Page.of(sys.stdout, color), Page.of(sys.stderr, color)
    if sys.platform != "linux":
        raise click.ClickException("grading needs Linux, whose kernel keeps submissions apart")
    if not submissions and any(target.format != "gradescope-zip" for target in targets):
        raise click.UsageError("there are no submissions to grade", ctx)
    assignment = _read(homework, errors)
    if assignment is None:
        ctx.exit(ExitCode.BROKEN)
    from gradcheck.grading.run import Wanted

    wanted = Wanted("limits" if allow_unsandboxed else "medium", None if sandbox == "auto" else sandbox)
    try:
        code = _grade(assignment, submissions, targets, wanted, jobs, cluster, page, errors, single=single, fresh=fresh)
    except UnsafeError as error:
        _say([f"error: {error.message}", *error.hint.splitlines()], errors)
        code = ExitCode.UNSAFE
    ctx.exit(int(code))


def _read(name: str, errors: Page) -> Assignment | None:
    from gradcheck.grading.assignment import read_assignment

    assignment, problems = read_assignment(name)
    _show(problems, errors)
    return assignment


def _grade(
    assignment: Assignment, submissions: Sequence[str], targets: Sequence[GradeTarget], wanted: Wanted, jobs: int,
    cluster: str | None, page: Page, errors: Page, *, single: bool, fresh: bool,
) -> int:  # fmt: skip
    """Raises UnsafeError before anything else is done where the walls do not hold."""
    from gradcheck.grading.gradebook import gradebook
    from gradcheck.grading.roster import read_roster
    from gradcheck.grading.run import GradingInterruptedError, grade, measured, rehearsed, walls_of
    from gradcheck.grading.submissions import entries
    from gradcheck.model.report import ExitCode

    walls = walls_of(wanted) if submissions else None
    found = entries(submissions, are_single=single) if submissions else []
    ours = {target.path.resolve() for target in targets}  # of an earlier run, among the submissions
    found = [entry for entry in found if entry.path.resolve() not in ours]
    students = read_roster(assignment.roster) if assignment.roster is not None else ()
    remarks: list[str] = []
    with workers_for(jobs, cluster, remarks) as workers:
        measures = measured(assignment, workers)
        if measures.problems:
            _show(measures.problems, errors)
            return ExitCode.BROKEN
        failed = rehearsed(assignment, measures, workers, wanted) if walls is not None else None
        if failed is not None:
            _show([failed], errors)
            return ExitCode.BROKEN
        _say([f"note: {note}" for note in measures.notes], errors)
        for target in targets:
            if target.format == "gradescope-zip":
                write_bundle(target.path, assignment)
        if walls is None:
            return ExitCode.EXPECTED
        waiting: Sequence[str] = ()
        results: Sequence[SubmissionResult]
        with journal_for(targets, assignment, walls, fresh) as journal, watching(sys.stderr, errors.color) as line:
            if line is not None:
                line.noun = "submissions"
            try:
                results = grade(assignment, measures, found, workers, journal, wanted, _telling(line))
            except GradingInterruptedError as error:
                results, waiting = error.results, error.waiting
    book = gradebook(assignment, walls, results, students, waiting)
    _write_all(book, targets, page, errors, remarks)
    return ExitCode.INTERRUPTED if waiting else ExitCode.EXPECTED


def _write_all(
    book: Gradebook, targets: Sequence[GradeTarget], page: Page, errors: Page, remarks: Sequence[str]
) -> None:
    from gradcheck.reporters.grades.table import render_summary

    write(render_summary(book, page.encoding), sys.stdout, page.color)
    for target in targets:
        if not target.format:
            write_folder(book, target.path)
        elif target.format == "canvas" and book.waiting:
            _say([f"{target.path}: left as it is, because not everybody is graded"], errors)
        else:
            _say(write_target(target, book), errors)
    _say(remarks, errors)


def _show(problems: Sequence[FileProblem], errors: Page) -> None:
    from gradcheck.reporters.problems import render_problem

    for problem in problems:
        write(render_problem(problem, color=errors.color, encoding=errors.encoding) + "\n", sys.stderr, errors.color)


def _say(lines: Sequence[str], errors: Page) -> None:
    from gradcheck.reporters.escape import in_log

    for line in lines:
        write(f"{in_log(line, errors.encoding)}\n", sys.stderr, errors.color)


def _telling(line: ProgressLine | None) -> Callable[[int, int], None]:
    return line.cases if line is not None else lambda done, total: None

"""`gradcheck mutate`: would these cases notice a mistake? Plants classic ones, and names those that nobody notices.

Options, streams and the exit code; planting and judging are `mutation`'s.
"""

from __future__ import annotations

import sys

import click

from gradcheck.cli.output import Page, stdout_for_us, write
from gradcheck.cli.progress import watching


def _share(ctx: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 <= value <= 100:
        raise click.BadParameter(f"expected a number of percent between 0 and 100, got '{value:g}'")
    return None if value is None else value / 100


@click.command()
@click.argument("cases", nargs=-1, required=True, metavar="CASES...")
@click.option("-k", "keyword", metavar="EXPRESSION", help="Only the cases that `gradcheck run -k` would check.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    metavar="N",
    show_default=True,
    help="Mistakes for a case, drawn evenly over its functions and tensors.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the draw, where there are more."
)
@click.option(
    "--min-score", "minimum", type=float, callback=_share, metavar="PERCENT", help="Exit with 1 below this score."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What stdout shows.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show the mistakes that change no gradient as well.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours; auto follows the terminal, NO_COLOR and FORCE_COLOR.",
)
@click.pass_context
def command(
    ctx: click.Context, cases: tuple[str, ...], keyword: str | None, limit: int, seed: int, minimum: float | None,
    format_: str, verbose: bool, color: str,
) -> None:  # fmt: skip
    """Plant classic mistakes and report which ones these cases would miss.

    Mistakes are planted in the gradients that a case checks and in copies, in memory, of the functions that compute
    them; no file is changed. Each survivor is shown with what would have caught it.

    Exit code: 0 done, 1 the score is below --min-score, 2 a file cannot be read or nothing could be planted, 130
    interrupted.

    Example: gradcheck mutate cases/layers.yaml --min-score 95
    """
    from gradcheck.checking.workers.threads import limit_threads

    limit_threads()
    from dataclasses import replace

    from gradcheck.casefile.loader import load
    from gradcheck.checking.selection import NothingSelectedError, select
    from gradcheck.mutation.score import mutate
    from gradcheck.reporters.mutation import render_mutations, render_mutations_json
    from gradcheck.reporters.problems import render_problem

    page, errors = Page.of(sys.stdout, color), Page.of(sys.stderr, color)
    loaded = load(cases)
    selected = select(loaded.cases, keyword)
    if not selected and (loaded.cases or not loaded.problems):
        raise NothingSelectedError.among(loaded.cases, keyword)
    with watching(sys.stderr, errors.color) as line, stdout_for_us():
        report = mutate(selected, limit=limit, seed=seed, progress=line)
    report = replace(report, problems=loaded.problems, minimum=minimum)
    for problem in report.problems:
        write(render_problem(problem, color=errors.color, encoding=errors.encoding) + "\n", sys.stderr, errors.color)
    if format_ == "json":
        write(render_mutations_json(report), sys.stdout, page.color)
    else:
        text = render_mutations(report, width=page.width, color=page.color, encoding=page.encoding, verbose=verbose)
        write(text, sys.stdout, page.color)
    if report.is_interrupted:
        write("interrupted: what was planted so far\n", sys.stderr, errors.color)
    ctx.exit(int(report.exit_code))

"""`gradcheck selftest`: does the checker find every mistake that is planted for it? For after an upgrade.

Options, streams and the exit code; planting and judging are `mutation.selftest`'s.
"""

from __future__ import annotations

import sys

import click

from gradcheck.cli.output import Page, stdout_for_us, write
from gradcheck.cli.progress import watching


@click.command()
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What stdout shows.",
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours; auto follows the terminal, NO_COLOR and FORCE_COLOR.",
)
@click.pass_context
def command(ctx: click.Context, format_: str, color: str) -> None:
    """Check the checker: plant mistakes in every operation, layer, loss and calling convention, and look for them.

    Takes some seconds and needs no files.

    Exit code: 0 everything wrong was found and everything right passed, 1 not so, 130 interrupted.

    Example: gradcheck selftest
    """
    from gradcheck.checking.workers.threads import limit_threads

    limit_threads()
    from gradcheck.mutation.selftest import selftest
    from gradcheck.reporters.selftest import render_selftest, render_selftest_json

    page, errors = Page.of(sys.stdout, color), Page.of(sys.stderr, color)
    with watching(sys.stderr, errors.color) as line, stdout_for_us():
        test = selftest(None if line is None else line.cases)
    if format_ == "json":
        text = render_selftest_json(test)
    else:
        text = render_selftest(test, width=page.width, color=page.color, encoding=page.encoding)
    write(text, sys.stdout, page.color)
    ctx.exit(int(test.exit_code))

"""`gradcheck handout`: writes the part of a homework file that students may see, and what goes with it.

Paths and files; what is kept back is decided in `grading.handout`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("homework", metavar="HW.yaml")
@click.option("-o", "--output", "folder", metavar="PUBLIC", required=True, help="The folder to write into.")
@click.pass_context
def command(ctx: click.Context, homework: str, folder: str) -> None:
    """Write a homework file for students: without hidden cases, reference and points, and with the starter files.

    Students run its cases with `gradcheck run`; nothing is ever overwritten. Exit code: 0 when it is written, 2
    otherwise.

    Example: gradcheck handout hw.yaml -o public/
    """
    from gradcheck.casefile.page import read_page
    from gradcheck.cli.output import Page, write
    from gradcheck.grading.assignment import read_assignment
    from gradcheck.grading.handout import handout
    from gradcheck.grading.handout import write as write_handout
    from gradcheck.reporters.problems import render_problem

    assignment, problems = read_assignment(homework)
    page = Page.of(sys.stderr, "auto")
    for problem in problems:
        write(render_problem(problem, color=page.color, encoding=page.encoding) + "\n", sys.stderr, page.color)
    if assignment is None:
        ctx.exit(2)
    made = handout(assignment, read_page(Path(homework), homework).text)
    for written in write_handout(made, Path(homework).name, Path(folder)):
        click.echo(written)

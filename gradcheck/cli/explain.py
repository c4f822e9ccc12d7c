"""`gradcheck explain`: one case told step by step – values forwards, gradients backwards, one step downhill.

Options, streams and the exit code; the explanation is `explain`'s, its looks are `reporters.explanation`'s.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradcheck.cli.complete import complete_case
from gradcheck.cli.output import Page, stdout_for_us, write, write_file

if TYPE_CHECKING:  # building a case takes numpy, `--help` does without
    from gradcheck.model.case import Case
    from gradcheck.model.explanation import Explanation
    from gradcheck.model.report import FileProblem

USUAL_RATE = 0.01  # Keras's for plain gradient descent (keras.optimizers.SGD)


def _rate(ctx: click.Context, parameter: click.Parameter, value: float) -> float:
    if not 0 < value < float("inf"):
        raise click.BadParameter(f"expected a number over 0, got '{value}'")
    return value


def _names(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(name.strip() for name in value.split(",") if name.strip())


@click.command()
@click.argument("case", metavar="CASE", shell_complete=complete_case)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "mermaid", "html"]),
    default="text",
    show_default=True,
    help="What stdout shows.",
)
@click.option(
    "-o", "--output", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file, not to stdout."
)
@click.option("--full", is_flag=True, help="Show every number of every array.")
@click.option(
    "--lr", type=float, default=USUAL_RATE, callback=_rate, show_default=True, help="Learning rate of the step."
)
@click.option(
    "--parameters",
    metavar="NAMES",
    callback=_names,
    help="Tensors that the step moves, separated by commas. Default: the parameters of a network, every "
    "differentiated input of a function.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of random arrays, in place of the case's own.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours; auto follows the terminal, NO_COLOR and FORCE_COLOR.",
)
@click.pass_context
def command(
    ctx: click.Context, case: str, format_: str, path: Path | None, full: bool, lr: float,
    parameters: tuple[str, ...] | None, seed: int | None, color: str,
) -> None:  # fmt: skip
    """Tell one case step by step: values forwards, gradients backwards, one step downhill.

    CASE is a case file, or file.yaml::name where it holds several; a part of the name is enough. Of handwritten code
    only what goes in and what comes out is told.

    Exit code: 0 told, 2 the case or somebody's code is broken. Whether a gradient is right, `gradcheck run` says.

    Example: gradcheck explain cases/01_apples_and_oranges.yaml
    """
    from dataclasses import replace

    from gradcheck.checking.workers.threads import limit_threads

    limit_threads()
    from gradcheck.explain.find import find_case

    page, errors = Page.of(sys.stdout, color) if path is None else Page(), Page.of(sys.stderr, color)
    found, problems = find_case(case)
    explanation = None
    if found is not None:
        with stdout_for_us():
            explanation, more = _explained(found if seed is None else replace(found, seed=seed), lr, parameters)
        problems = more
    if explanation is None:
        _show(problems, errors)
        ctx.exit(2)
    if format_ == "text":
        from gradcheck.reporters.explanation.text import render_text

        text = render_text(explanation, width=page.width, color=page.color, full=full, encoding=page.encoding)
    elif format_ == "mermaid":
        from gradcheck.reporters.explanation.mermaid import render_mermaid

        text = render_mermaid(explanation, full=full)
    else:
        from gradcheck.reporters.explanation.page import render_page

        text = render_page(explanation, full=full)
    if path is None:
        write(text, sys.stdout, page.color)
        return
    write_file(path, text)


def _explained(
    case: Case, lr: float, parameters: tuple[str, ...] | None
) -> tuple[Explanation | None, tuple[FileProblem, ...]]:
    """The explanation, or what is wrong with the case or its code."""
    from gradcheck.casefile.page import problem_of
    from gradcheck.checking.point import case_error
    from gradcheck.errors import FieldError, NotationError, SeveralErrors, UserCodeError
    from gradcheck.explain.explain import explain
    from gradcheck.model.report import FileProblem
    from gradcheck.reporters.words import error_sentence

    try:
        return explain(case, lr, parameters), ()
    except SeveralErrors as error:
        paths = [each.path if isinstance(each, FieldError) else () for each in error.errors]
        places = zip(error.errors, paths, strict=True)
        return None, tuple(problem_of(each, case.at(*path)) for each, path in places)
    except (NotationError, FieldError) as error:
        path = error.path if isinstance(error, FieldError) else ()
        return None, (problem_of(error, case.at(*path)),)
    except UserCodeError as error:
        return None, (FileProblem(case.location, error_sentence(case_error(error)), error.hint),)


def _show(problems: tuple[FileProblem, ...], page: Page) -> None:
    from gradcheck.reporters.problems import render_problem

    for problem in problems:
        write(render_problem(problem, color=page.color, encoding=page.encoding) + "\n", sys.stderr, page.color)

"""`gradcheck new`: writes a case file for a Python file, and says what to do next.

Options, paths and files; what the cases are is worked out in `handwritten.scaffold`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # a scaffold takes numpy, `--help` does without
    from gradcheck.handwritten.scaffold import Scaffold

SECONDS = 10.0  # for one trial run; a forward of a few numbers takes milliseconds
SUFFIX = "_cases.yaml"


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE.py")
@click.option(
    "-o",
    "--output",
    metavar="CASES.yaml",
    help=f"Where to write, '-' for stdout. Default: FILE{SUFFIX} beside FILE.py.",
)
@click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="The longest that one trial run may take.",
)
def command(file: Path, output: str | None, force: bool, timeout: float) -> None:
    """Write cases for the backward passes in a Python file, every call written out.

    Finds pairs of functions, losses that return their gradient, layers, whole models and autograd Functions. Their code
    is run to find shapes that fit. Exit code: 0 when the file is written, 2 otherwise.

    Example: gradcheck new layers.py
    """
    from gradcheck.checking.deadline import deadline
    from gradcheck.handwritten.scaffold import scaffold

    target = None if output == "-" else Path(output) if output is not None else file.with_name(file.stem + SUFFIX)
    _refuse(target, force)
    folder = file.parent if target is None else target.parent
    code = _code(file, folder)
    name = str(target) if target is not None else f"{file.stem}{SUFFIX}"
    made = scaffold(file, code=code, name=Path(name).name, limit=lambda: deadline(timeout, file.resolve().parent))
    if target is None:
        click.echo(made.text, nl=False)
    else:
        _write(target, made.text, force)
    for line in _summary(made, file.name, name):
        click.echo(line, file=sys.stderr if target is None else sys.stdout)


def _refuse(target: Path | None, force: bool) -> None:
    """Raises click.ClickException where nothing could, or should, be written there."""
    if target is None:
        return
    if target.is_dir():
        raise click.ClickException(f"'{target}' is a folder; name a file")
    if not target.parent.is_dir():
        raise click.ClickException(f"there is no folder '{target.parent}' for '{target}'")
    if target.exists() and not force:
        raise click.ClickException(f"'{target}' exists; --force overwrites it, -o writes elsewhere")


def _code(file: Path, folder: Path) -> str:
    """The Python file as the case file has to call it. Raises PathError where a case there could not reach it."""
    from gradcheck.casefile.paths import find_file

    written = Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()
    find_file(folder, written)
    return written


def _write(target: Path, text: str, force: bool) -> None:
    try:
        # Exclusively, where nothing may be overwritten: between the look and the writing somebody may have been here.
        with target.open("w" if force else "x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise click.ClickException(f"'{target}' could not be written: {error.strerror}") from None


def _summary(made: Scaffold, code: str, name: str) -> list[str]:
    """What was written, what is left to fill in, and the next command."""
    all_cases = made.cases + len(made.open)
    cases = f"{all_cases} case{'' if all_cases == 1 else 's'}"
    lines = [f"{name}: {cases} for {code}"]
    if made.untested:
        lines.append(f"none of them was tried: {made.untested}")
    lines += [f"to fill in: {title}, {name}:{line}" for title, line in made.open]
    return [*lines, f"next: gradcheck run {name}"] if made.cases else lines

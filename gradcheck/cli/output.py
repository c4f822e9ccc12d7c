"""Where text goes: colours, widths and encodings of streams, and files asked for with `-o`.

Writes what it is given; what is written comes from the reporters.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from gradcheck.errors import GradcheckError
from gradcheck.record import dataclass

if TYPE_CHECKING:  # the reports' types bring in numpy, which `--help` does without
    from gradcheck.model.report import ExitCode, Report

# Name → suffixes of its files; annotations for GitHub are read from stdout and have no file of their own.
FORMATS: Mapping[str, tuple[str, ...]] = {
    "table": (".txt",), "json": (".json",), "junit": (".xml",), "github": (), "markdown": (".md",), "csv": (".csv",),
    "html": (".html", ".htm"),
}  # fmt: skip
# What a format is always written in: XML and HTML say so themselves, and other programs expect it of the rest.
ENCODINGS: Mapping[str, str] = dict.fromkeys(("junit", "github", "markdown", "csv", "html"), "utf-8")
USUAL_WIDTH = 100  # cells in a line where nobody says how wide the page is: fits a README and a CI log
LEAST_WIDTH = 40


class MissingExtraError(GradcheckError):
    """A format was asked for whose extra is not installed."""


@dataclass(frozen=True, slots=True)
class Target:
    """A file to write and the format to write it in."""

    format: str
    path: Path

    @classmethod
    def parse(cls, text: str) -> Target:
        """`json:out/report`, or a path whose suffix tells the format. Raises click.BadParameter with the reason."""
        name, colon, rest = text.partition(":")
        is_named = bool(colon) and name in FORMATS
        path = Path(rest if is_named else text)
        formats = [name] if is_named else [n for n, suffixes in FORMATS.items() if path.suffix.lower() in suffixes]
        if not formats:
            raise click.BadParameter(f"the format of '{text}' is not known; write one of {_choices(text)}")
        if not path.name or path.is_dir():
            raise click.BadParameter(f"'{text}' is not the name of a file")
        if not path.parent.is_dir():
            raise click.BadParameter(f"there is no folder '{path.parent}' for '{text}'")
        return cls(formats[0], path)

    def write(self, text: str) -> None:
        """Raises click.FileError where the file cannot be written."""
        write_file(self.path, text)


def write_file(path: Path, text: str) -> None:
    """The text in a file, UTF-8. Raises click.FileError where that cannot be written."""
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise click.FileError(str(path), error.strerror or str(error)) from None


def _choices(text: str) -> str:
    return ", ".join(f"'{name}:{text}'" for name in FORMATS)


@dataclass(frozen=True, slots=True)
class Page:
    """What a text is written for: its width in cells, whether it takes colours, its encoding."""

    width: int = USUAL_WIDTH
    color: bool = False
    encoding: str = "utf-8"

    @classmethod
    def of(cls, stream: TextIO | None, color: str) -> Page:
        """The page that a stream is; color is one of auto, always, never. A closed stream (None) is any page."""
        if stream is None:
            return cls()
        return cls(width_of(stream), has_color(stream, color), stream.encoding or "ascii")


def has_color(stream: TextIO, choice: str) -> bool:
    """`always`, `never`, or what the terminal and the customary variables say (no-color.org, force-color.org)."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody sits in front of a stream; nobody does where it was closed by the caller."""
    return stream is not None and not stream.closed and stream.isatty()


def width_of(stream: TextIO) -> int:
    """COLUMNS where it is set, the width of a terminal, or the usual width where there is neither."""
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() and columns.isascii() and len(columns) < 6 else 0
    if not width and stream.isatty():
        try:
            width = os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError):
            width = 0
    return max(width, LEAST_WIDTH) if width else USUAL_WIDTH


def write(text: str, stream: TextIO | None, color: bool, encoding: str = "") -> None:
    """The text on a stream; characters that it cannot hold are escaped.

    encoding : that of a format which names its own, whatever the stream's is; "" to take the stream's

    A reader who left early is no error, nor is a stream that was closed from the start; a full disk is
    (click.ClickException).
    """
    if stream is None:
        return
    own = stream.encoding or "ascii"
    fitting = text.encode(encoding or own, "backslashreplace")
    try:
        click.echo(fitting if encoding else fitting.decode(own), file=stream, nl=False, color=color)
    except BrokenPipeError:
        # Python flushes the stream once more on its way out, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except OSError as error:
        raise click.ClickException(f"the report could not be written: {error.strerror}") from None


def render(name: str, report: Report, page: Page, *, verbose: bool, exit_code: ExitCode) -> str:
    """The report in one of FORMATS."""
    if name == "json":
        from gradcheck.reporters.json import render_json

        return render_json(report, exit_code)
    if name == "table":
        from gradcheck.reporters.table import render_table

        return render_table(report, width=page.width, color=page.color, verbose=verbose, encoding=page.encoding)
    module = "html.page" if name == "html" else name
    text: str = getattr(import_module(f"gradcheck.reporters.{module}"), f"render_{name}")(report, exit_code)
    return text


def require(formats: Iterable[str]) -> None:
    """Refuse, before anything is checked, a format that cannot be written here. Raises MissingExtraError."""
    if "html" in formats and find_spec("jinja2") is None:
        raise MissingExtraError("an HTML report needs jinja2, which is not installed", "pip install 'gradcheck[html]'")


def write_step_summary(report: Report, exit_code: ExitCode) -> None:
    """The report on the page of a job of GitHub, where one asks for it: at the end of the file GITHUB_STEP_SUMMARY.

    Raises click.FileError where that cannot be written.
    """
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    from gradcheck.reporters.github import render_summary

    try:
        with open(name, "a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(render_summary(report, exit_code))
    except OSError as error:
        raise click.FileError(name, error.strerror or str(error)) from None


@contextmanager
def stdout_for_us() -> Iterator[None]:
    """While somebody's code runs, what it writes below Python's `print` (os.write, child processes) goes to stderr.

    Stdout is a report; a stray line would make its JSON invalid.
    """
    if sys.stdout is None:  # closed by the caller; the number 1 may be another file by now
        yield
        return
    try:
        sys.stdout.flush()
        ours = os.dup(1)
    except (OSError, ValueError):
        yield
        return
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(ours, 1)
        os.close(ours)

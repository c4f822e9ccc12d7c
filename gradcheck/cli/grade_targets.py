"""`-o` of `gradcheck grade`: the folder for everything, and files in the formats of other programs.

Names, folders and writing; what is written comes from the reporters.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradcheck.record import dataclass

if TYPE_CHECKING:  # `--help` does without numpy
    from gradcheck.model.grading import Assignment, Gradebook, SubmissionResult

EACH = ("gradescope", "classroom")  # one file for every submission
FORMATS = (*EACH, "junit", "canvas", "gradescope-zip")


@dataclass(frozen=True, slots=True)
class GradeTarget:
    """format : "" for the folder that gets everything"""

    format: str
    path: Path

    @classmethod
    def parse(cls, text: str) -> GradeTarget:
        """`out/`, or `junit:grades.xml`. Raises click.BadParameter."""
        name, colon, rest = text.partition(":")
        target = cls(name, Path(rest)) if colon and name in FORMATS else cls("", Path(text))
        path = target.path
        if colon and not target.format and not path.exists() and not name.endswith((".", "/")) and "/" not in name:
            raise click.BadParameter(f"there is no format '{name}'; the formats are {', '.join(FORMATS)}")
        if not rest and target.format:
            raise click.BadParameter(f"'{text}' names no file")
        if target.format == "canvas" and not path.is_file():
            raise click.BadParameter(f"there is no sheet '{path}'; export one from Canvas, it is filled in place")
        if target.format and target.format not in EACH and path.is_dir():
            raise click.BadParameter(f"'{path}' is a folder; name a file")
        if not target.format and path.exists() and not path.is_dir():
            raise click.BadParameter(f"'{path}' is a file; everything goes into a folder")
        if target.format and not path.parent.is_dir():
            raise click.BadParameter(f"there is no folder '{path.parent}' for '{text}'")
        return target


def write_folder(book: Gradebook, folder: Path) -> None:
    """results.json, grades.csv, the overview and a page for every student. Raises click.FileError."""
    from gradcheck.grading.gradebook import render_json
    from gradcheck.reporters.grades import overview, pages
    from gradcheck.reporters.grades.student import view
    from gradcheck.reporters.grades.table import render_csv

    put(folder / "results.json", render_json(book))
    put(folder / "grades.csv", render_csv(book))
    put(folder / "overview.md", overview.render_markdown(book))
    put(folder / "overview.html", overview.render_html(book))
    for result in book.results:
        seen = view(book, result)
        put(folder / "feedback" / f"{result.slug}.md", pages.render_markdown(seen))
        put(folder / "feedback" / f"{result.slug}.html", pages.render_html(seen))


def write_target(target: GradeTarget, book: Gradebook) -> list[str]:
    """Write one of the other formats; returns what is to be said about it. Raises click.FileError, SheetError."""
    if target.format in EACH:
        _write_each(target, book)
    elif target.format == "junit":
        from gradcheck.reporters.grades.junit import render_junit

        put(target.path, render_junit(book))
    elif target.format == "canvas":
        return _fill(target.path, book)
    return []


def write_bundle(path: Path, assignment: Assignment) -> None:
    """The autograder for Gradescope."""
    from gradcheck.reporters.grades.bundle import render_bundle

    put(path, render_bundle(assignment))


def _write_each(target: GradeTarget, book: Gradebook) -> None:
    from gradcheck.reporters.grades.classroom import render_classroom
    from gradcheck.reporters.grades.gradescope import render_gradescope

    render: Callable[[Gradebook, SubmissionResult], str]
    render, suffix = (render_gradescope, ".json") if target.format == "gradescope" else (render_classroom, ".txt")
    is_folder = target.path.is_dir() or len(book.results) != 1
    for result in book.results:
        put(target.path / f"{result.slug}{suffix}" if is_folder else target.path, render(book, result))


def _fill(path: Path, book: Gradebook) -> list[str]:
    from gradcheck.reporters.grades.canvas import SheetError, fill

    try:
        sheet = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise SheetError(f"'{path}' is not UTF-8 text", "export it from Canvas again") from None
    filled = fill(sheet, book)
    put(path, filled.text)
    said = [f"{path}: {filled.rows} of {len(book.results)} submissions filled in"]
    if filled.homeless:
        some = ", ".join(filled.homeless[:5]) + (", ..." if len(filled.homeless) > 5 else "")
        said.append(f"{path}: no row for {some}")
    if filled.worth is not None:
        said.append(f"{path}: the sheet says {filled.worth:g} points possible, the assignment {book.max_points:g}")
    return said


def put(path: Path, content: str | bytes) -> None:
    """Replace a file as a whole: whoever looks sees the old one or the new one. Raises click.FileError."""
    data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        os.replace(beside, path)
    except OSError as error:
        raise click.FileError(str(path), error.strerror or str(error)) from None

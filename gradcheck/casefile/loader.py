"""Files and folders → cases and problems: the one door into the room.

Every mistake of a file is found before any is told, and the good cases of a file with a bad one still come out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gradcheck.casefile.page import Page, UnreadableError, problem_at, problem_of, read_page
from gradcheck.casefile.reading import Heading, Reading
from gradcheck.casefile.tree import compose
from gradcheck.location import Location
from gradcheck.model.case import Case
from gradcheck.model.report import FileProblem
from gradcheck.record import dataclass

SUFFIXES = (".yaml", ".yml")

__all__ = ["Loaded", "load", "problem_at", "problem_of"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the files hold.

    cases : after `defaults` and `sweep`, in file order
    problems : everything wrong with the rest
    doubtful : cases that are not to be checked because of a problem, but may be searched for more
    assignment : what stands under that key, of a single file; None where it has none
    """

    cases: tuple[Case, ...]
    problems: tuple[FileProblem, ...]
    doubtful: tuple[Case, ...] = ()
    assignment: Heading | None = None


def load(paths: Iterable[str | Path]) -> Loaded:
    """Read case files.

    paths : files, or folders: every .yaml and .yml file below them, sorted, hidden folders left out. Locations use the
        names as given.

    Never raises for what stands in a file: that is a problem, as is a missing file, a folder without case files, and a
    file without cases. Problems of a file come in the order of their places.
    """
    cases: list[Case] = []
    problems: list[FileProblem] = []
    doubtful: list[Case] = []
    for given in paths:
        files = list(_files(str(given)))
        if not files:
            message = "this folder holds no case files"
            problems.append(FileProblem(Location(str(given), 1, 1), message, "case files end in .yaml or .yml"))
        for file in files:
            loaded = load_file(file)
            cases.extend(loaded.cases)
            problems.extend(loaded.problems)
            doubtful.extend(loaded.doubtful)
    return Loaded(tuple(cases), tuple(problems), tuple(doubtful))


def load_file(name: str) -> Loaded:
    """The cases and the problems of one file."""
    if name.endswith(".py") and os.path.isfile(name):
        hint = f"gradcheck new {name} writes cases for what it defines"
        return Loaded((), (FileProblem(Location(name, 1, 1), "this is a Python file, not a case file", hint),))
    try:
        page = read_page(Path(name), name)
    except UnreadableError as error:
        return Loaded((), (error.page.problem(error.mistake),))
    return load_page(page)


def load_page(page: Page) -> Loaded:
    """The cases and the problems of a text that stands in `page.file`."""
    reading = Reading(compose(page))
    cases = tuple(reading.cases())
    return Loaded(cases, reading.problems(), tuple(reading.doubtful), reading.assignment)


def _files(given: str) -> Iterator[str]:
    """The path itself, or the case files below it."""
    if not os.path.isdir(given):
        yield given
        return
    for folder, below, names in os.walk(given):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield os.path.join(folder, name)

"""Excerpts: the lines of somebody's file that a finding or an error is about, for reports that show or annotate them.

Reads files; which line is meant was found out by the diagnosis, or by the traceback of an error.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path

from gradcheck.checking.point import Outcome
from gradcheck.model.case import Case, CodeBody
from gradcheck.model.report import Excerpt, Finding

AROUND = 3  # lines before and after the one that is meant
OF_A_CASE = 14  # lines that are shown of a case
WIDEST = 240  # characters of a line
# The end of `Diagnosis.place`: `layers.py:12`, or `affine_backward, layers.py:12`.
_PLACE = re.compile(r"(?:^|, )([^,]+):(\d+)$")


def add_excerpts(case: Case, outcome: Outcome) -> None:
    """Put the lines in question into the error, and into the findings that are no plain pass."""
    error = outcome.error
    if error is not None and error.file is not None and error.line is not None:
        outcome.error = replace(error, source=_around(case, error.file, error.line))
    for number, finding in enumerate(outcome.findings):
        if finding.verdict not in ("pass", "vacuous"):
            outcome.findings[number] = replace(finding, source=_of_finding(case, finding))


def _of_finding(case: Case, finding: Finding) -> Excerpt | None:
    for diagnosis in finding.diagnosis:
        place = _PLACE.search(diagnosis.place)
        found = place and _around(case, place[1], int(place[2]))
        if found:
            return found
    return _of_case(case)


def _around(case: Case, file: str, line: int) -> Excerpt | None:
    """The line of a file of the code, and some around it; None where there is no such line to be read."""
    if not isinstance(case.body, CodeBody):
        return None
    path = case.body.path.parent / file
    first = max(1, line - AROUND)
    lines = _lines(path, first, line + AROUND)
    if len(lines) <= line - first:
        return None
    while not lines[0].strip() and first < line:
        lines, first = lines[1:], first + 1
    while not lines[-1].strip() and first + len(lines) - 1 > line:
        lines = lines[:-1]
    return Excerpt(_named(case, path), line, first, lines)


def _of_case(case: Case) -> Excerpt | None:
    """The beginning of the case in its file, up to the next entry of the list that it stands in."""
    first = case.location.line
    lines = _lines(Path(case.location.file), first, first + OF_A_CASE - 1)
    if not lines:
        return None
    indent = len(lines[0]) - len(lines[0].lstrip())
    for end, line in enumerate(lines[1:], 1):
        depth = len(line) - len(line.lstrip())
        if line.strip() and (depth < indent or (depth == indent and line.lstrip().startswith("- "))):
            lines = lines[:end]
            break
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return Excerpt(case.file, first, first, lines) if lines else None


def _lines(path: Path, first: int, last: int) -> tuple[str, ...]:
    """Some lines of a file, counted from 1; none where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return tuple(line.rstrip("\r\n").expandtabs(4)[:WIDEST] for line in islice(file, first - 1, last))
    except (OSError, ValueError):
        return ()


def _named(case: Case, path: Path) -> str:
    """The file as the caller would name it: beside the case file, by the name that they gave that one."""
    folder = os.path.dirname(case.file)
    try:
        beside = os.path.relpath(path, os.path.abspath(folder or "."))
    except ValueError:  # another drive
        return path.as_posix()
    return Path(os.path.normpath(os.path.join(folder, beside))).as_posix()

"""Who is who: a roster in CSV, and submissions whose names hold somebody's id.

    id,name                         smith_ana_84120_7731_hw1.py      → 84120, Ana Smith
    84120,Ana Smith                 84120.zip, 84120/                → the same

Learning platforms put names and numbers around the id when they hand submissions out; it is found between them.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gradcheck.errors import GradcheckError, did_you_mean
from gradcheck.model.grading import Student

MOST_BYTES = 4 * 2**20
# Titles of the column that tells students apart, in the order in which they are believed; then of the one with names.
IDS = ("id", "student id", "sis login id", "login", "username", "sis user id", "email", "student")
NAMES = ("name", "full name", "student", "student name")


class RosterError(GradcheckError):
    """A roster that cannot be read as one."""


def read_roster(path: Path) -> tuple[Student, ...]:
    """The students of a CSV file with a line of titles. Raises RosterError."""
    try:
        with path.open("rb") as stream:
            text = stream.read(MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise RosterError(f"the roster '{path}' cannot be read as UTF-8 text", "export it as CSV (UTF-8)") from None
    rows = [
        row for row in csv.reader(io.StringIO(text), delimiter=delimiter_of(text)) if any(cell.strip() for cell in row)
    ]
    titles = [cell.strip().casefold() for cell in rows[0]] if rows else []
    id_at = next((titles.index(title) for title in IDS if title in titles), None)
    if id_at is None:
        hint = next(
            (did for title in titles if (did := did_you_mean(title, IDS))), "the first line has titles: id,name"
        )
        raise RosterError(f"the roster '{path}' has no column 'id'", hint)
    name_at = next((titles.index(title) for title in NAMES if title in titles), id_at)
    students = [Student(_cell(row, id_at), _cell(row, name_at) or _cell(row, id_at)) for row in rows[1:]]
    students = [student for student in students if student.id]
    twice = [s.id for i, s in enumerate(students) if _folded(s.id) in {_folded(o.id) for o in students[:i]}]
    if twice:
        raise RosterError(f"the roster '{path}' has '{twice[0]}' twice", "give every student a line of their own")
    return tuple(students)


def delimiter_of(text: str) -> str:
    """What stands between the cells: a comma, a semicolon or a tab, whichever the first line has most of."""
    first = text.split("\n", 1)[0]
    return max(",;\t", key=first.count)


def matched(names: Iterable[str], students: Sequence[Student]) -> Mapping[str, Student]:
    """Submission → student, for the names that hold the id of exactly one."""
    by_id = {_folded(student.id): student for student in students}
    found = {}
    for name in names:
        whole = by_id.get(_folded(name))
        parts = {_folded(part) for part in (*re.split(r"[_\s]+", name), *re.split(r"[^\w@.]+|_", name))}
        hits = {student.id: student for part in parts if (student := by_id.get(part))}
        if whole is not None:
            found[name] = whole
        elif len(hits) == 1:
            found[name] = next(iter(hits.values()))
    return found


def _cell(row: Sequence[str], at: int) -> str:
    return row[at].strip() if at < len(row) else ""


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold().strip()

"""An exported gradebook of Canvas with one column filled in; all else stays as it was exported.

Whoever made up a sheet would make up an assignment, too: Canvas takes an unknown title for a new one. So the sheet is
read, rows are matched by the ids it holds (instructure/canvas-lms, lib/gradebook_importer.rb), and cells replaced.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence

from gradcheck.errors import GradcheckError, did_you_mean
from gradcheck.grading.roster import delimiter_of
from gradcheck.model.grading import Gradebook, SubmissionResult
from gradcheck.record import dataclass

IDS = ("ID", "SIS User ID", "SIS Login ID", "Integration ID", "Student")  # in the order in which Canvas believes them
_TITLE = re.compile(r"(?P<title>.*?)\s*(\((?P<id>\d+)\))?\s*", re.DOTALL)


class SheetError(GradcheckError):
    """A sheet that is none of Canvas's, or has no column for the assignment."""


@dataclass(frozen=True, slots=True)
class Filled:
    """text : the sheet; rows : how many were filled; homeless : submissions that no row is for

    worth : what the sheet says the assignment is worth, where that is not what it is; None where they agree
    """

    text: str
    rows: int
    homeless: tuple[str, ...]
    worth: float | None = None


def fill(sheet: str, book: Gradebook) -> Filled:
    """Write everybody's points into the column of the assignment. Raises SheetError.

    sheet : as exported, with its separators and line ends

    The column is that whose title is the assignment's, with Canvas's number behind it or without. Students who handed
    nothing in keep what is there. Points are written as the sheet writes numbers: with a comma where it has one.
    """
    mark = "\ufeff" if sheet.startswith("\ufeff") else ""
    body = sheet[len(mark) :]
    separator = delimiter_of(body)
    rows = list(csv.reader(io.StringIO(body, newline=""), delimiter=separator))
    titles = rows[0] if rows else []
    if len(titles) < 4 or "Student" not in titles[0] or not any("ID" in title for title in titles[1:]):
        raise SheetError(
            "this is no gradebook that Canvas exported", "export it: Grades, Export, Export Entire Gradebook"
        )
    column = _column(titles, book.title)
    worth = _worth(rows, column)
    by_id = _by_id(book)
    given: set[str] = set()
    comma = separator == ";" and not any(re.fullmatch(r"-?\d+\.\d+", cell.strip()) for row in rows[1:] for cell in row)
    for row in rows[1:]:
        result = next((by_id[key] for key in _keys(titles, row) if key in by_id), None)
        if result is None or len(row) <= column or _is_heading(row):
            continue
        points = f"{result.points:.2f}"
        row[column] = points.replace(".", ",") if comma else points
        given.add(result.submission)
    stream = io.StringIO(newline="")
    ends = "\r\n" if "\r\n" in body else "\n"
    csv.writer(stream, delimiter=separator, lineterminator=ends).writerows(rows)
    homeless = tuple(r.submission for r in book.results if r.submission not in given and _counts(r))
    off = None if worth is None or abs(worth - book.max_points) < 0.005 else worth
    return Filled(mark + stream.getvalue(), len(given), homeless, off)


def _column(titles: Sequence[str], title: str) -> int:
    found = [i for i, cell in enumerate(titles) if _name(cell) == " ".join(title.split()).casefold()]
    if len(found) != 1:
        which = "several columns are" if found else "no column is"
        names = [cell for cell in titles if _TITLE.fullmatch(cell) and _TITLE.fullmatch(cell)["id"]]  # type: ignore[index]  # matched
        hint = did_you_mean(title, names, f"the assignments in it: {', '.join(names[:6]) or 'none'}")
        raise SheetError(f"{which} called '{title}' in the sheet", hint)
    return found[0]


def _name(cell: str) -> str:
    found = _TITLE.fullmatch(cell)
    return " ".join((found["title"] if found else cell).split()).casefold()


def _by_id(book: Gradebook) -> Mapping[str, SubmissionResult]:
    """Everything that a row may know a student by → their result; what fits two is left out."""
    found: dict[str, SubmissionResult] = {}
    twice: set[str] = set()
    for result in book.results:
        if not _counts(result):
            continue
        known = {book.ids.get(result.submission, ""), result.student, result.submission} - {""}
        for key in {_folded(each) for each in known}:
            if key in found:
                twice.add(key)
            found[key] = result
    return {key: result for key, result in found.items() if key not in twice}


def _counts(result: SubmissionResult) -> bool:
    """Whether a submission has a grade; what could not be opened has none yet."""
    return result.status != "refused" and bool(result.checks)


def _keys(titles: Sequence[str], row: Sequence[str]) -> list[str]:
    places = [titles.index(name) for name in IDS if name in titles]
    keys = [_folded(row[at]) for at in places if at < len(row) and row[at].strip()]
    student = row[0] if row else ""
    if "," in student:  # Canvas has "Smith, Ana"
        last, _, first = student.partition(",")
        keys.append(_folded(f"{first} {last}"))
    return keys


def _worth(rows: Sequence[Sequence[str]], column: int) -> float | None:
    for row in rows[1:3]:
        if _is_heading(row) and column < len(row):
            try:
                return float(row[column].strip().replace(",", "."))
            except ValueError:
                return None
    return None


def _is_heading(row: Sequence[str]) -> bool:
    return bool(row) and row[0].strip().casefold() in ("points possible", "")


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()

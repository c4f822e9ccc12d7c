"""`grades.csv`: a line for every submission, for spreadsheets; and what the terminal shows when a class is graded."""

from __future__ import annotations

import csv
import io
from collections import Counter

from gradcheck.model.grading import Gradebook, SubmissionResult
from gradcheck.reporters.escape import clean, in_cell, in_log
from gradcheck.reporters.grades.student import points_text
from gradcheck.reporters.numbers import plural

FIRST = ("student", "points", "max_points", "status")
NAME = 32  # cells of a student's name on a terminal


def render_csv(book: Gradebook) -> str:
    """The grades; where the walls were none, a last column says so in every line.

    A submission without a check (refused) has 0 there.
    """
    stamp_title, stamp_cells = ((), ()) if not book.walls.stamp else (("sandbox",), (in_cell(book.walls.stamp),))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*FIRST, *(in_cell(name) for name in book.checks), *stamp_title])
    for result in book.results:
        points = {mark.name: points_text(mark.points) for mark in result.checks}
        first = [in_cell(result.student), points_text(result.points), points_text(result.max_points), result.status]
        writer.writerow([*first, *(points.get(name, "0") for name in book.checks), *stamp_cells])
    return stream.getvalue()


def render_summary(book: Gradebook, encoding: str = "utf-8") -> str:
    """A line for every submission, and what they add up to."""
    width = min(NAME, max((len(clean(r.student, encoding)) for r in book.results), default=0))
    lines = [_line(result, width, encoding) for result in book.results]
    counts = Counter(result.status.replace("_", " ") for result in book.results)
    told = ", ".join(f"{number} {status}" for status, number in sorted(counts.items(), key=lambda c: (-c[1], c[0])))
    lines += ["", f"{plural(len(book.results), 'submission')}: {told or 'none graded'}"]
    if book.missing:
        lines.append(f"{plural(len(book.missing), 'student')} of the roster handed nothing in")
    if book.waiting:
        lines.append(f"{plural(len(book.waiting), 'submission')} not graded; run the same command again to go on")
    lines.append(f"sandbox: {book.walls.tier}" + (f" ({', '.join(book.walls.layers)})" if book.walls.layers else ""))
    if book.walls.stamp:
        lines.append(book.walls.stamp)
    return "".join(f"{in_log(line, encoding)}\n" for line in lines)


def _line(result: SubmissionResult, width: int, encoding: str) -> str:
    name = clean(result.student, encoding)
    name = name if len(name) <= width else f"{name[: width - 3]}..."
    points = f"{points_text(result.points)} of {points_text(result.max_points)}"
    words = "" if result.status == "graded" else result.status.replace("_", " ")
    more = clean(result.message or "; ".join(result.flags), encoding)
    return f"{name:<{width}}  {points:>12}  {words}{': ' if words and more else ''}{more}".rstrip()

"""`overview.html` and `.md`, for the teacher: which check failed how often and why, and how points are spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gradcheck.model.grading import CheckMark, Gradebook
from gradcheck.record import dataclass
from gradcheck.reporters.escape import in_html, in_markdown
from gradcheck.reporters.grades.pages import page
from gradcheck.reporters.grades.student import points_text
from gradcheck.reporters.numbers import plural

BINS = 10
TITLES = ("check", "mean", "of", "right", "wrong", "not done", "commonest causes")
MOST_SAID = 2  # diagnoses of a check


@dataclass(frozen=True, slots=True)
class CheckTally:
    """name : the teacher's; passed, failed, absent : submissions; said : the commonest causes, with their numbers"""

    name: str
    max_points: float
    mean: float
    passed: int
    failed: int
    absent: int
    said: tuple[tuple[str, int], ...]


def tallies(book: Gradebook) -> list[CheckTally]:
    """How every check went, in the order of the assignment."""
    marks: dict[str, list[CheckMark]] = {}
    for result in book.results:
        for mark in result.checks:
            marks.setdefault(mark.name, []).append(mark)
    return [_tally(name, each) for name, each in marks.items()]


def spread(book: Gradebook) -> list[tuple[str, int]]:
    """Points in ten equal ranges → submissions."""
    width = book.max_points / BINS
    counts = [0] * BINS
    for result in book.results:
        counts[min(BINS - 1, int(result.points / width + 1e-9))] += 1
    return [(f"{points_text(i * width)} to {points_text((i + 1) * width)}", count) for i, count in enumerate(counts)]


def render_markdown(book: Gradebook) -> str:
    lines = [f"# {in_markdown(book.title)}: overview", ""]
    lines += [f"**{in_markdown(book.walls.stamp)}**", ""] if book.walls.stamp else []
    lines += [in_markdown(_head(book)), ""]
    lines += [
        "| check | mean | of | right | wrong | not done | commonest causes |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    lines += [f"| {' | '.join(in_markdown(cell) for cell in _cells(tally))} |" for tally in tallies(book)]
    lines += ["", "| points | submissions |", "|---|---:|"]
    lines += [f"| {span} | {count} |" for span, count in spread(book)]
    for title, names in _lists(book):
        lines += ["", f"## {title}", "", *(f"- {in_markdown(name)}" for name in names)]
    return "\n".join(lines) + "\n"


def render_html(book: Gradebook) -> str:
    parts = [f"<h1>{in_html(book.title)}: overview</h1>"]
    parts += [f'<p class="stamp"><strong>{in_html(book.walls.stamp)}</strong></p>'] if book.walls.stamp else []
    parts.append(f"<p>{in_html(_head(book))}</p>")
    parts.append(_table(TITLES, [_cells(tally) for tally in tallies(book)]))
    most = max((count for _, count in spread(book)), default=0) or 1
    rows = "".join(
        f'<tr><td>{span}</td><td class="n">{count}</td>'
        f'<td><span class="bar" style="width:{round(20 * count / most, 2)}rem"></span></td></tr>'
        for span, count in spread(book)
    )
    parts.append(f'<h2>Points</h2><table><tr><th>points</th><th class="n">submissions</th><th></th></tr>{rows}</table>')
    for title, names in _lists(book):
        parts.append(f"<h2>{title}</h2><ul>" + "".join(f"<li>{in_html(name)}</li>" for name in names) + "</ul>")
    return page(f"{book.title}: overview", parts)


def _head(book: Gradebook) -> str:
    points = sorted(result.points for result in book.results)
    if not points:
        return "nothing was graded"
    half = len(points) // 2
    median = points[half] if len(points) % 2 else (points[half - 1] + points[half]) / 2
    return (
        f"{plural(len(points), 'submission')}; of {points_text(book.max_points)} points the mean is "
        f"{points_text(sum(points) / len(points))}, the median {points_text(median)}; sandbox: {book.walls.tier}"
    )


def _tally(name: str, marks: Sequence[CheckMark]) -> CheckTally:
    causes: Counter[str] = Counter()
    for mark in marks:
        causes.update(dict.fromkeys(_causes(mark), 1))
    said = sorted(causes.items(), key=lambda cause: (-cause[1], cause[0]))[:MOST_SAID]
    return CheckTally(
        name=name,
        max_points=marks[0].max_points,
        mean=sum(mark.points for mark in marks) / len(marks),
        passed=sum(mark.outcome == "pass" for mark in marks),
        failed=sum(mark.outcome in ("fail", "error", "timeout") for mark in marks),
        absent=sum(mark.outcome in ("not_implemented", "not_run") for mark in marks),
        said=tuple(said),
    )


def _causes(mark: CheckMark) -> list[str]:
    """What went wrong in a check, in words that are the same for all who made the same mistake."""
    if mark.error is not None:
        return [f"{mark.error.kind} in {mark.error.during}"]
    causes = []
    for tensor in mark.tensors:
        finding = tensor.finding
        if finding is None or tensor.verdict == "pass":
            continue
        kinds = [diagnosis.kind for diagnosis in finding.diagnosis[:1]]
        causes.append(f"{tensor.tensor}: {kinds[0].replace('_', ' ') if kinds else tensor.verdict}")
    return causes


def _cells(tally: CheckTally) -> list[str]:
    said = "; ".join(f"{cause} ({count})" for cause, count in tally.said)
    numbers = (tally.passed, tally.failed, tally.absent)
    return [tally.name, points_text(tally.mean), points_text(tally.max_points), *map(str, numbers), said]


def _lists(book: Gradebook) -> list[tuple[str, list[str]]]:
    flagged = [f"{r.student}: {flag}" for r in book.results for flag in r.flags]
    refused = [f"{r.student}: {r.message}" for r in book.results if r.message]
    groups = [("To be looked at", flagged), ("Not opened", refused), ("Handed nothing in", list(book.missing)),
              ("Not graded yet", list(book.waiting))]  # fmt: skip
    return [(title, names) for title, names in groups if names]


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        middle = range(1, len(cells) - 1)
        return "".join(
            f"<{tag}{' class=n' if i in middle else ''}>{in_html(cell)}</{tag}>" for i, cell in enumerate(cells)
        )

    return (
        "<table>"
        + "".join(f"<tr>{line(r, 'td' if i else 'th')}</tr>" for i, r in enumerate([titles, *rows]))
        + "</table>"
    )

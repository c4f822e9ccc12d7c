"""The table of elements: for every finding the worst one, claimed beside numeric, in as many columns as fit.

Rows and their verdicts come from `table.py`; here only columns are chosen and numbers aligned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gradcheck.model.report import Finding
from gradcheck.record import dataclass
from gradcheck.reporters.layout import GAP, Cell, Column, Row, Screen, clip, clip_label, total_width
from gradcheck.reporters.numbers import brief, element, pair, shape_text, subscript

NAME_WIDTH = 24  # of a tensor's name and of a shape
LEAST_LABEL = 20  # a case's name is not cut below this; where that is too wide it gets a line of its own


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: a finding of a case, or a case that has none to show.

    name_claim : whether the claim's source is named beside the tensor
    """

    label: str
    sign: str
    sign_style: str
    finding: Finding | None
    verdict: Cell
    name_claim: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """A column and what it takes from an entry."""

    column: Column
    text: Callable[[Entry], str]


def draw_elements(screen: Screen, entries: Sequence[Entry], label_width: int) -> list[str]:
    """The table, or no lines where there are no entries.

    From a wide screen to a narrow one: every column; without the shape; tensor and worst element as one; the case's
    name on a line of its own; without the bound; without the two numbers, which the paragraphs below repeat.
    """
    if not entries:
        return []
    numbers = _aligned_numbers(screen, entries)
    both = {
        id(entry): f"{numeric} {bound}".rstrip() for entry, (_, numeric, bound) in zip(entries, numbers, strict=True)
    }
    bare = {id(entry): numeric for entry, (_, numeric, _) in zip(entries, numbers, strict=True)}
    said = {id(entry): claimed for entry, (claimed, _, _) in zip(entries, numbers, strict=True)}

    tensor = _Part(Column("tensor"), lambda e: _tensor(e, screen))
    shape = _Part(
        Column("shape"), lambda e: clip(shape_text(e.finding.shape), NAME_WIDTH, screen.symbols) if e.finding else ""
    )
    worst = _Part(Column("worst"), lambda e: subscript(e.finding.worst.index) if e.finding and e.finding.worst else "")
    joined = _Part(Column("worst at"), lambda e: _joined(e, screen))
    claimed = _Part(Column("claimed", right=True), lambda e: said[id(e)])
    bounded = _Part(Column(f"numeric {screen.symbols.plus_minus} bound"), lambda e: both[id(e)])
    numeric = _Part(Column("numeric", right=True), lambda e: bare[id(e)].strip())
    error = _Part(Column("rel. error", right=True), _relative_error)

    wide: list[tuple[_Part, ...]] = [
        (tensor, shape, worst, claimed, bounded, error),
        (tensor, worst, claimed, bounded, error),
        (joined, claimed, bounded, error),
    ]
    narrow: list[tuple[_Part, ...]] = [
        (joined, claimed, bounded, error),
        (joined, claimed, numeric, error),
        (joined, error),
    ]
    for parts in wide:
        columns, rows = _body(parts, entries)
        room = screen.width - total_width(columns, rows) - GAP - 2
        if room >= min(LEAST_LABEL, max(Cell(entry.label).width for entry in entries)):
            return _with_labels(screen, columns, rows, entries, min(room, label_width))
    for parts in narrow:
        columns, rows = _body(parts, entries)
        if total_width(columns, rows) + 2 <= screen.width:
            break
    return _stacked(screen, columns, rows, entries)


def _body(parts: Sequence[_Part], entries: Sequence[Entry]) -> tuple[list[Column], list[Row]]:
    """Columns and rows without the case's name."""
    columns = [*(part.column for part in parts), Column("verdict")]
    return columns, [(*(Cell(part.text(entry)) for part in parts), entry.verdict) for entry in entries]


def _with_labels(
    screen: Screen, columns: list[Column], rows: list[Row], entries: Sequence[Entry], room: int
) -> list[str]:
    """The case's name in a column of its own, written once per case."""
    labelled: list[Row] = []
    for entry, row, before in zip(entries, rows, (None, *entries), strict=False):
        is_first = before is None or before.label != entry.label
        label = clip_label(entry.label, room, screen.symbols)
        labelled.append((Cell(label, "", entry.sign, entry.sign_style) if is_first else Cell(""), *row))
    return screen.table([Column("  case"), *columns], labelled)


def _stacked(screen: Screen, columns: list[Column], rows: list[Row], entries: Sequence[Entry]) -> list[str]:
    """The case's name on a line above its rows; a case without findings has its verdict there."""
    columns = [replace(columns[0], header=f"  {columns[0].header}"), *columns[1:]]
    rows = [(replace(row[0], text=f"  {row[0].text}"), *row[1:]) for row in rows]
    header, rule, *lines = screen.table(columns, rows)
    shown = [header, rule]
    for entry, line, before in zip(entries, lines, (None, *entries), strict=False):
        if before is None or before.label != entry.label:
            name = Cell(clip_label(entry.label, screen.width - 2, screen.symbols), "", entry.sign, entry.sign_style)
            verdict = () if entry.finding is not None else (Cell("  "), entry.verdict)
            room = screen.width - 2 - sum(cell.width for cell in verdict)
            shown.append(screen.lines(replace(name, text=clip_label(entry.label, room, screen.symbols)), *verdict))
        if entry.finding is not None:
            shown.append(line)
    return shown


def _tensor(entry: Entry, screen: Screen) -> str:
    if entry.finding is None:
        return ""
    name = clip(entry.finding.tensor, NAME_WIDTH, screen.symbols)
    return f"{name} ({entry.finding.claim})" if entry.name_claim else name


def _joined(entry: Entry, screen: Screen) -> str:
    if entry.finding is None:
        return ""
    name = clip(entry.finding.tensor, NAME_WIDTH, screen.symbols)
    place = element(name, entry.finding.worst.index) if entry.finding.worst else name
    return f"{place} ({entry.finding.claim})" if entry.name_claim else place


def _relative_error(entry: Entry) -> str:
    return brief(entry.finding.worst.relative_error) if entry.finding and entry.finding.worst else ""


def _aligned_numbers(screen: Screen, entries: Sequence[Entry]) -> list[tuple[str, str, str]]:
    """(claimed, numeric, ± bound) of every entry, the numeric ones padded so that the ± stand below each other."""
    numbers = []
    for entry in entries:
        worst = entry.finding.worst if entry.finding else None
        if worst is None:
            numbers.append(("", "", ""))
        else:
            bound = f"{screen.symbols.plus_minus} {brief(worst.bound)}"
            error = 0.0 if entry.finding and entry.finding.verdict == "pass" else worst.relative_error
            numbers.append((*pair(worst.claimed, worst.numeric, error), bound))
    width = max(len(numeric) for _, numeric, _ in numbers)
    return [(claimed, numeric.rjust(width), bound) for claimed, numeric, bound in numbers]

"""The picture of a failing tensor: one character for the relative error of each element, readable without colour.

Draws what the report holds; which elements are wrong was decided by the verdict.
"""

from __future__ import annotations

import math

from gradcheck.model.report import HeatMap

MOST_COLUMNS = 80
MOST_ROWS = 24
MARGIN = 2
# Every character stands for errors up to its limit; a right element is a dot, whatever its error.
SHADES: tuple[tuple[float, str], ...] = (
    (1e-4, "1"),
    (1e-3, "2"),
    (1e-2, "3"),
    (1e-1, "4"),
    (0.5, "5"),
    (math.inf, "#"),
)
RIGHT, UNKNOWN = ".", "?"
LEGEND = ". right  1 <1e-4  2 <1e-3  3 <1e-2  4 <0.1  5 <0.5  # more  ? not decided"


def draw_heat_map(heat: HeatMap, width: int = MOST_COLUMNS) -> list[str]:
    """Lines of at most `width` cells: rows of the tensor's last axis, blocks for the axes before the last two.

    What is too wide or too tall is cut around the first wrong element, and the last line says so. No lines for a single
    number.
    """
    if not heat.shape or len(heat.errors) < 2:
        return []
    width = min(width, MOST_COLUMNS)
    columns = heat.shape[-1]
    rows = len(heat.errors) // columns
    height = heat.shape[-2] if len(heat.shape) > 1 else 1
    room = width - MARGIN - len(str(height)) - 2
    step = 2 if columns * 2 <= room else 1
    shown_columns, shown_rows = min(columns, room // step), min(rows, MOST_ROWS)
    first_row, first_column = divmod(next((i for i, wrong in enumerate(heat.wrong) if wrong), 0), columns)
    top, left = _start(first_row, shown_rows, rows), _start(first_column, shown_columns, columns)
    lines = []
    for row in range(top, top + shown_rows):
        if len(heat.shape) > 2 and (row % height == 0 or row == top):
            lines.append(" " * MARGIN + f"[{', '.join(map(str, _leading(row // height, heat.shape[:-2])))}]")
        start = row * columns + left
        cells = (heat.errors[start : start + shown_columns], heat.wrong[start : start + shown_columns])
        marks = (" " if step == 2 else "").join(map(mark_of, *cells))
        label = str(row % height).rjust(len(str(height))) if len(heat.shape) > 1 else ""
        lines.append(" " * MARGIN + f"{label}  {marks}".rstrip() if label else " " * MARGIN + marks)
    if shown_columns < columns or shown_rows < rows:
        shown = f"rows {_range(top, shown_rows)} of {rows}, columns {_range(left, shown_columns)} of {columns}"
        lines.append(" " * MARGIN + f"({shown})")
    return [*lines, " " * MARGIN + LEGEND]


def mark_of(error: float, is_wrong: bool | None) -> str:
    """The sign of one element: `RIGHT`, `UNKNOWN`, or one of `SHADES`; an error that is no number is the worst."""
    if is_wrong is None:
        return UNKNOWN
    return next((mark for limit, mark in SHADES if error < limit), "#") if is_wrong else RIGHT


def _start(first: int, shown: int, total: int) -> int:
    """Where a cut picture begins, so that the first wrong line is in it."""
    return 0 if first < shown else min(first, total - shown)


def _range(start: int, count: int) -> str:
    return f"{start} to {start + count - 1}"


def _leading(block: int, shape: tuple[int, ...]) -> list[int]:
    index: list[int] = []
    for length in reversed(shape):
        block, place = divmod(block, length)
        index.insert(0, place)
    return index

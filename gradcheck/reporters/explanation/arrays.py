"""Arrays as people read them: small ones whole and aligned, large ones by their corners and their size.

Six significant digits; the same text on every run.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

WHOLE_ROWS, WHOLE_COLUMNS = 6, 8  # the largest matrix that is shown whole
EDGE = 3  # rows and columns at either end of a larger one
MATRICES = 2  # of an array with more axes

Grid = list[list[str]]


def number(value: Any) -> str:
    """`0.1`, `-3`, `1.10606`, `1e-09`, `inf`; a negative zero is a zero."""
    return f"{value + 0.0:.6g}" if isinstance(value, float | np.floating) else f"{value}"


def array_lines(array: NDArray[Any], full: bool = False) -> list[str]:
    """The lines of an array: one for a number or a vector, one per row of a matrix.

    full : nothing is left out, however long it gets
    """
    array = np.asarray(array)
    if array.ndim == 0:
        return [number(array.item())]
    if array.size == 0:
        return [f"empty, shape {array.shape}"]
    if array.ndim == 1:
        return [f"[{', '.join(_row(array, full))}]", *_summary(array, full)]
    if array.ndim == 2:
        return [*_matrix(array, full), *_summary(array, full)]
    lines: list[str] = []
    places = list(product(*map(range, array.shape[:-2])))
    shown = places if full else places[:MATRICES]
    for place in shown:
        lines += [f"[{', '.join(map(str, place))}]", *(f"  {line}" for line in _matrix(array[place], full))]
    if len(shown) < len(places):
        lines.append(f"… {len(places) - len(shown)} more of {len(places)}")
    return [*lines, *_summary(array, full)]


def is_short(array: NDArray[Any]) -> bool:
    """Whether it is shown on one line."""
    return np.ndim(array) == 0 or (np.ndim(array) == 1 and np.size(array) <= WHOLE_COLUMNS)


def _matrix(array: NDArray[Any], full: bool) -> list[str]:
    rows = len(array)
    whole = full or rows <= WHOLE_ROWS
    chosen: Sequence[int | None] = range(rows) if whole else [*range(EDGE), None, rows - 1]
    grid = [None if row is None else _row(array[row], full) for row in chosen]
    widths = [max(len(line[i]) for line in grid if line is not None) for i in range(len(grid[0] or ()))]
    return [
        "…" if line is None else f"[{', '.join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))}]"
        for line in grid
    ]


def _row(row: NDArray[Any], full: bool) -> list[str]:
    if full or row.size <= WHOLE_COLUMNS:
        return [number(value) for value in row.tolist()]
    return [*(number(value) for value in row[:EDGE].tolist()), "…", number(row[-1].item())]


def _summary(array: NDArray[Any], full: bool) -> list[str]:
    """What the left-out numbers are like; nothing where all are shown."""
    few = max(array.shape[:-1], default=1) <= WHOLE_ROWS or array.ndim == 1
    if full or (array.shape[-1] <= WHOLE_COLUMNS and few and np.prod(array.shape[:-2]) <= MATRICES):
        return []
    low, high = number(array.min().item()), number(array.max().item())
    middle = f", root mean square {_rms(array):.3g}" if array.dtype.kind == "f" else ""
    return [f"shape {array.shape}, from {low} to {high}{middle}"]


def _rms(array: NDArray[Any]) -> float:
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.mean(np.square(array))))

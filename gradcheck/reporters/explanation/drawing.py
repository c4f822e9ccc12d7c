"""The graph of an explanation as SVG: inputs on the left, the output on the right, a column per step between.

A value stands in the column behind the last of its arguments, an input right before its first use.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.explanation import Explanation, Vertex
from gradcheck.reporters.escape import in_html
from gradcheck.reporters.explanation import words
from gradcheck.reporters.explanation.arrays import number
from gradcheck.reporters.numbers import shape_text

MOST = 60  # boxes; a larger graph would be a wall paper
MOST_NUMBERS = 4  # of a vector that stands in a box, with three digits each; the tables have all
LETTER, BOX, GAP_X, GAP_Y = 7.3, 54, 42, 18  # pixels: a character of 12 px monospace, a box's height, the gaps


def draw_graph(explanation: Explanation) -> str:
    """The drawing; "" where there are too many boxes."""
    vertices = explanation.vertices
    if not vertices or len(vertices) > MOST:
        return ""
    texts = {v.number: _texts(v) for v in vertices}
    columns = _columns(vertices)
    grid: list[list[int]] = [[] for _ in range(max(columns.values()) + 1)]
    for vertex in vertices:
        grid[columns[vertex.number]].append(vertex.number)
    widths = [max((LETTER * max(map(len, texts[n])) + 16 for n in column), default=0) for column in grid]
    height = max(len(column) for column in grid) * (BOX + GAP_Y) + GAP_Y
    places: dict[int, tuple[float, float, float]] = {}
    left = 8.0
    for column, width in zip(grid, widths, strict=True):
        top = (height - len(column) * (BOX + GAP_Y) + GAP_Y) / 2
        for row, n in enumerate(column):
            places[n] = (left, top + row * (BOX + GAP_Y), width)
        left += width + GAP_X
    edges = [_edge(places[to], places[vertex.number]) for vertex in vertices for to in vertex.arguments if to in places]
    boxes = [_box(places[v.number], texts[v.number]) for v in vertices]
    label = in_html(f"computation graph of {words.title(explanation)}")
    size = f'width="{left - GAP_X + 8:.0f}" height="{height:.0f}"'
    return f'<svg {size} role="img" aria-label="{label}">{"".join(edges)}{"".join(boxes)}</svg>'


def _columns(vertices: tuple[Vertex, ...]) -> dict[int, int]:
    """The column of every vertex."""
    columns: dict[int, int] = {}
    for vertex in vertices:
        before = [columns[i] for i in vertex.arguments if i in columns]
        columns[vertex.number] = max(before) + 1 if before else 0
    for vertex in vertices:
        users = [columns[other.number] for other in vertices if vertex.number in other.arguments]
        if not vertex.arguments and users:
            columns[vertex.number] = min(users) - 1
    return columns


def _texts(vertex: Vertex) -> tuple[str, str, str]:
    gradient = "" if vertex.gradient is None else f"gradient {_short(vertex.gradient)}"
    return words.definition(vertex), f"value {_short(vertex.value)}", gradient


def _short(array: NDArray[Any]) -> str:
    if np.ndim(array) == 0:
        return number(array.item())
    if np.ndim(array) == 1 and 0 < np.size(array) <= MOST_NUMBERS:
        return f"[{', '.join(f'{value:.3g}' for value in array.tolist())}]"
    return f"shape {shape_text(np.shape(array))}"


def _edge(start: tuple[float, float, float], end: tuple[float, float, float]) -> str:
    x1, y1, x2, y2 = start[0] + start[2], start[1] + BOX / 2, end[0], end[1] + BOX / 2
    middle = (x1 + x2) / 2
    return f'<path d="M{x1:.0f} {y1:.0f}C{middle:.0f} {y1:.0f} {middle:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"/>'


def _box(place: tuple[float, float, float], texts: tuple[str, str, str]) -> str:
    x, y, width = place
    lines = "".join(
        f'<text x="{x + 8:.0f}" y="{y + 16 * (i + 1):.0f}"{kind}>{in_html(text)}</text>'
        for i, (text, kind) in enumerate(zip(texts, ("", ' class="value"', ' class="gradient"'), strict=True))
        if text
    )
    return f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{BOX}" rx="6"/>{lines}'

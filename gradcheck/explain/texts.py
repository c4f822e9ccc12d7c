"""How a vertex is written in a line of its own: `q + 2`, `sum(#7, axis=0)`; values without a name are numbers.

Text only, made of the op and its options; what the author wrote may hold several ops and is not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.graph.graph import Constant, Graph, Leaf, Node, Vertex

LONGEST = 40  # characters of an option; longer ones (index arrays, masks) are left out


def is_plain_number(vertex: Vertex) -> bool:
    """Whether it is a number that stands in the text: it is written where it is used, and has no line of its own."""
    return isinstance(vertex, Constant) and vertex.value.size == 1


def labels_of(graph: Graph, shown: Iterable[int]) -> dict[int, str]:
    """What the vertices are called: a name, a single number as it is, or `#1`, `#2`, … in the order they are shown."""
    labels: dict[int, str] = {}
    count = 0
    for index in shown:
        vertex = graph.vertices[index]
        if isinstance(vertex, Constant) and vertex.value.size == 1:
            labels[index] = f"{vertex.value.item():g}"
        elif isinstance(vertex, Leaf | Node) and vertex.name:
            labels[index] = vertex.name
        else:
            count += 1
            labels[index] = f"#{count}"
    return labels


def text_of(graph: Graph, index: int, called: Mapping[int, str]) -> str:
    """How the vertex is computed from its arguments; "" for a leaf, and `constant` for one."""
    vertex = graph.vertices[index]
    if isinstance(vertex, Constant):
        return "constant"
    if not isinstance(vertex, Node):
        return ""
    labels = [called[i] for i in vertex.arguments]
    op = vertex.op
    if op.symbol == "[]":
        return f"{labels[0]}[{_subscript(vertex.options['index'], labels[1:])}]"
    if op.symbol and len(labels) == 2:
        return f"{labels[0]} {op.symbol} {labels[1]}"
    if op.symbol and len(labels) == 1:
        return f"{op.symbol}{labels[0]}"
    if op.name == "square":
        return f"{labels[0]}**2"
    if op.name == "negative":
        return f"-{labels[0]}"
    return f"{op.name}({', '.join([*labels, *_options(vertex.options, op.options)])})"


def _options(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    """Options that are not the default, as far as they are short."""
    shown = []
    for name, value in given.items():
        if isinstance(value, np.ndarray) or value is None:
            continue
        text = f"{name}={_plain(value)}"
        if len(text) <= LONGEST and not (name in defaults and type(defaults[name]) is type(value)
                                         and bool(np.all(defaults[name] == value))):  # fmt: skip
            shown.append(text)
    return shown


def _plain(value: Any) -> str:
    """Python's literal, one axis in a tuple without its brackets."""
    return repr(value[0] if isinstance(value, tuple) and len(value) == 1 else value)


def _subscript(index: tuple[Any, ...], arrays: Sequence[str]) -> str:
    """The inside of the brackets; True stands for the next of the arrays."""
    rest = iter(arrays)
    return ", ".join(next(rest) if part is True else _part(part) for part in index)


def _part(part: Any) -> str:
    if isinstance(part, slice):
        ends = [("" if end is None else str(end)) for end in (part.start, part.stop)]
        return ":".join(ends) + (f":{part.step}" if part.step not in (None, 1) else "")
    return "None" if part is None else str(part)

"""An explanation as a Mermaid flowchart: values and gradients in the nodes, downstream gradients on the edges.

For pages that draw it (GitHub, GitLab, Jupyter); every text is escaped as Mermaid's own entities.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.explanation import Explanation, Vertex
from gradcheck.reporters.escape import clean
from gradcheck.reporters.explanation import words
from gradcheck.reporters.explanation.arrays import array_lines, is_short
from gradcheck.reporters.numbers import shape_text

SAFE = frozenset(" ,.()[]=+-*/@_·²…↦σΣ")


def render_mermaid(explanation: Explanation, *, full: bool = False) -> str:
    """The flowchart, from the inputs above to the output below; ends with a newline."""
    if explanation.code is not None:
        return "".join(f"{line}\n" for line in _code(explanation))
    names = words.called(explanation)
    lines = [f"%% {clean(words.title(explanation))}", "flowchart TD"]
    groups: dict[int, list[Vertex]] = {}
    for vertex in explanation.vertices:
        groups.setdefault(vertex.layer if explanation.kind == "network" else 0, []).append(vertex)
    labels = {norms.number: f"{norms.number} {norms.label}" for norms in explanation.layers}
    for number, vertices in groups.items():
        inside = [f"n{v.number}{_box(v, _node_text(v, v.number == explanation.output, full))}" for v in vertices]
        if number:
            lines += [f'  subgraph layer{number}["{_escaped(labels[number])}"]', *(f"    {i}" for i in inside), "  end"]
        else:
            lines += [f"  {i}" for i in inside]
    for vertex in explanation.vertices:
        shown = {way.argument: way for way in vertex.ways}
        for position, to in enumerate(vertex.arguments):
            if to in names:
                label = f'|"{_escaped(_short(shown[position].downstream))}"|' if position in shown else ""
                lines.append(f"  n{to} -->{label} n{vertex.number}")
    return "".join(f"{line}\n" for line in lines)


def _box(vertex: Vertex, text: str) -> str:
    """A rounded box for an input, a square one for an op."""
    return f'(["{text}"])' if vertex.is_leaf else f'["{text}"]'


def _node_text(vertex: Vertex, is_output: bool, full: bool) -> str:
    value = " ".join(array_lines(vertex.value, full)) if full else _short(vertex.value)
    parts = [words.definition(vertex), f"value {value}"]
    if vertex.gradient is not None:
        gradient = " ".join(array_lines(vertex.gradient, full)) if full else _short(vertex.gradient)
        parts.append(f"gradient {gradient}")
    if is_output:
        parts.append("the output")
    return "<br/>".join(_escaped(part) for part in parts)


def _short(array: NDArray[Any]) -> str:
    """A vector or a number as it is, of anything larger the shape."""
    return array_lines(array)[0] if is_short(array) else f"shape {shape_text(np.shape(array))}"


def _code(explanation: Explanation) -> Iterator[str]:
    """Somebody's code is one box."""
    code = explanation.code
    assert code is not None
    yield f"%% {clean(words.title(explanation))}"
    yield "flowchart TD"
    yield f'  code["{"<br/>".join(_escaped(line) for line in code.statements)}"]'
    for number, tensor in enumerate(code.inputs):
        gradient = next((g for g in code.gradients if g.name == f"d{tensor.name}"), None)
        said = [f"{tensor.name} = {_short(tensor.value)}"]
        said += [f"gradient {_short(gradient.value)}"] if gradient is not None else []
        yield f'  in{number}(["{"<br/>".join(map(_escaped, said))}"]) --> code'
    for number, tensor in enumerate(code.outputs):
        yield f'  code --> out{number}(["{_escaped(f"{tensor.name} = {_short(tensor.value)}")}"])'


def _escaped(text: str) -> str:
    """Mermaid's entities, `#35;` for `#`: no quote, bracket of HTML or keyword comes of a text."""
    return "".join(c if c in SAFE or c.isalnum() else f"#{ord(c)};" for c in clean(text))

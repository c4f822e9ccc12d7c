"""An explanation as text: the values forwards, the gradients backwards, the layers, one step downhill.

Sentences come from `words`, arrays from `arrays`; here they are put on lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from gradcheck.model.explanation import CodeFacts, Explanation, Norms, Tensor, Vertex, Way
from gradcheck.reporters.escape import clean
from gradcheck.reporters.explanation import words
from gradcheck.reporters.explanation.arrays import array_lines, is_short, number
from gradcheck.reporters.layout import Cell, Column, Screen, clip
from gradcheck.reporters.numbers import shape_text
from gradcheck.reporters.symbols import symbols_for
from gradcheck.reporters.view import cleaned

VALUE_COLUMN = 44  # cells for a line of the computation, at most
LABEL = 40  # cells of a layer's name in the table
MOST_ENTRIES = 36  # of a Jacobian that is shown without --full


def render_text(
    explanation: Explanation, *, width: int = 100, color: bool = False, full: bool = False, encoding: str = "utf-8"
) -> str:
    """The explanation as text for people; ends with a newline.

    full : arrays are shown whole
    """
    screen = Screen(width, color, symbols_for(encoding))
    explanation = cleaned(replace(explanation, why=" ".join(explanation.why.split())), encoding)
    blocks = [_head(screen, explanation)]
    if explanation.code is not None:
        blocks += _code(screen, explanation.code, full)
    else:
        blocks += [_forward(screen, explanation, full), _backward(screen, explanation, full)]
        blocks += [_layers(screen, explanation.layers), _descent(screen, explanation, full)]
    blocks.append([line for note in explanation.notes for line in screen.paragraph([f"note: {note}"], 0)])
    lines = "\n\n".join("\n".join(block) for block in blocks if block).split("\n")
    return "".join(f"{_fitted(line, encoding)}\n" for line in lines)


def _fitted(line: str, encoding: str) -> str:
    """The line in characters that the encoding has; the only escapes left are our own colours."""
    return "\x1b[".join(clean(part, encoding) for part in line.split("\x1b["))


def _head(screen: Screen, explanation: Explanation) -> list[str]:
    place = f"  {explanation.file}:{explanation.line}"
    lines = [screen.lines(Cell(words.title(explanation), "bold"), Cell(place, "dim"))]
    return lines + (screen.paragraph([explanation.why], 2, hang=0) if explanation.why else [])


def _heading(screen: Screen, text: str) -> str:
    return screen.lines(Cell(text, "bold"))


def _forward(screen: Screen, explanation: Explanation, full: bool) -> list[str]:
    """One line per value, and more where it is a matrix; in a network under the layers as they are written."""
    lines = [_heading(screen, "Forward: every value from those above it")]
    texts = {vertex.number: words.definition(vertex) for vertex in explanation.vertices}
    column = min(VALUE_COLUMN, max(map(len, texts.values())))
    kinds = max(len(words.kind_words(vertex)) for vertex in explanation.vertices)
    group, labels = 0, {norms.number: norms.label for norms in explanation.layers}
    for vertex in explanation.vertices:
        if explanation.kind == "network" and vertex.layer not in (group, 0):
            group = vertex.layer
            lines.append(screen.lines(Cell(f"  {labels[group]}", "cyan")))
        head = f"  {texts[vertex.number]:<{column}}  {words.kind_words(vertex):<{kinds}}  "
        lines += _with_array(screen, head, vertex.value, full)
    return lines


def _with_array(screen: Screen, head: str, array: NDArray[Any], full: bool) -> list[str]:
    """The array behind the head, its rows below each other; below the head where there is no room."""
    first, *rest = shown = array_lines(array, full)
    if len(head) + max(map(len, shown)) <= screen.width:
        return [f"{head}{first}", *(" " * len(head) + line for line in rest)]
    return [head.rstrip(), *(f"      {line}" for line in shown)]


def _backward(screen: Screen, explanation: Explanation, full: bool) -> list[str]:
    """The ops in reverse, and the inputs, at which the gradients arrive."""
    names = words.called(explanation)
    lines = [_heading(screen, f"Backward: the gradient of {words.loss_words(explanation)}")]
    for vertex in reversed(explanation.vertices):
        if vertex.gradient is not None and not vertex.is_leaf:
            lines += [*_vertex_back(screen, vertex, names, full), ""]
    leaves = [v for v in explanation.vertices if v.gradient is not None and v.is_leaf]
    longest = max((len(vertex.label) for vertex in leaves), default=0)
    if leaves:
        lines.append(_heading(screen, "Gradients of the inputs"))
    for vertex in leaves:
        assert vertex.gradient is not None
        lines += _with_array(screen, f"  {vertex.label:<{longest}}  ", vertex.gradient, full)
        lines += _sum(screen, vertex, names, full)
    return lines


def _vertex_back(screen: Screen, vertex: Vertex, names: dict[int, str], full: bool) -> Iterable[str]:
    """The gradient that arrives at an op, and what becomes of it on the way to each argument."""
    assert vertex.gradient is not None
    yield screen.lines(Cell(f"  {words.definition(vertex)}", "bold"), Cell(f"  {words.kind_words(vertex)}", "dim"))
    yield from _sum(screen, vertex, names, full)
    yield from _with_array(screen, "    upstream ", vertex.gradient, full)
    single = float(vertex.gradient) if vertex.gradient.ndim == 0 else None
    longest = max((len(names[way.to]) for way in vertex.ways), default=0)
    for way in vertex.ways:
        yield from _way(screen, way, f"    to {names[way.to]:<{longest}}  ", single, full)
    for note in vertex.notes:
        yield from screen.paragraph([f"note: {note}"], 4)


def _sum(screen: Screen, vertex: Vertex, names: dict[int, str], full: bool) -> Iterable[str]:
    """How the gradients of several uses add up; nothing where there is one use."""
    if len(vertex.uses) < 2:
        return
    yield from screen.paragraph([words.sum_words(vertex, names)], 4)
    if vertex.value.ndim:
        users = words.users(vertex, names)
        longest = max(map(len, users))
        for use, who in zip(vertex.uses, users, strict=True):
            yield from _with_array(screen, f"      from {who:<{longest}}  ", use.gradient, full)


def _way(screen: Screen, way: Way, head: str, upstream: float | None, full: bool) -> Iterable[str]:
    said = f"{head}{words.local_words(way, upstream)}"
    if words.says_all(way, upstream):
        yield said
        return
    if not words.says_local(way) and (full or way.form == "slopes" or way.size[0] * way.size[1] <= MOST_ENTRIES):
        assert way.local is not None
        yield from _with_array(screen, f"{said} ", way.local, full)
    elif is_short(way.downstream) and len(said) + len(array_lines(way.downstream)[0]) + 13 <= screen.width:
        yield f"{said}, downstream {array_lines(way.downstream)[0]}"
        return
    else:
        yield said
    yield from _with_array(screen, f"{' ' * len(head)}downstream ", way.downstream, full)


def _layers(screen: Screen, layers: Sequence[Norms]) -> list[str]:
    """A table of root mean squares, and the notes below it."""
    if not layers:
        return []
    columns = [Column("   layer"), Column("shape"), Column("activation", right=True),
               Column("gradient", right=True), Column("gradients of its parameters")]  # fmt: skip
    rows = [
        (
            Cell(f"{norms.number:>2} {clip(norms.label, LABEL, screen.symbols)}"),
            Cell(shape_text(norms.shape)),
            Cell(f"{norms.activation:.2e}"),
            Cell("-" if norms.gradient is None else f"{norms.gradient:.2e}"),
            Cell(words.parameters_words(norms)),
        )
        for norms in layers
    ]
    lines = [_heading(screen, "Layers: root mean squares"), *screen.table(columns, rows)]
    for norms in layers:
        for note in norms.notes:
            lines += screen.paragraph([f"note: {note} ", f"(layer {norms.number}, {norms.label})"], 0)
    return lines


def _descent(screen: Screen, explanation: Explanation, full: bool) -> list[str]:
    descent = explanation.descent
    if descent is None:
        return []
    lines = [_heading(screen, f"One step of gradient descent: after = before - {number(descent.lr)} · gradient")]
    if all(moved.after.ndim == 0 for moved in descent.moved):
        columns = [Column("  tensor"), *(Column(name, right=True) for name in ("before", "gradient", "after"))]
        rows = [
            (Cell(f"  {m.name}"), *(Cell(array_lines(a)[0]) for a in (m.before, m.gradient, m.after)))
            for m in descent.moved
        ]
        lines += screen.table(columns, rows)
    else:
        longest = max(len(moved.name) for moved in descent.moved)
        for moved in descent.moved:
            lines += _with_array(screen, f"  {moved.name:<{longest}}  ", moved.after, full)
    for sentence in words.descent_words(descent, words.loss_words(explanation)):
        lines += screen.paragraph([sentence], 2)
    return lines


def _code(screen: Screen, code: CodeFacts, full: bool) -> Iterable[list[str]]:
    yield ["Somebody's code: what goes in and what comes out; its inside is not looked at.",
           *(f"  {line}" for line in code.statements)]  # fmt: skip
    parts: tuple[tuple[str, tuple[Tensor, ...]], ...] = (
        ("Inputs and parameters", code.inputs), ("Outputs", code.outputs),
        ("Upstream gradients, handed to backward", code.upstream),
        ("Gradients, as backward gives them", code.gradients),
    )  # fmt: skip
    for heading, tensors in parts:
        if tensors:
            lines = [_heading(screen, heading)]
            for tensor in tensors:
                head = f"  {tensor.name:<10} {shape_text(tensor.value.shape):<10} "
                lines += _with_array(screen, head, tensor.value, full)
            yield lines

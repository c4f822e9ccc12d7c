"""An explanation as one page of HTML: a drawing of the graph, and the sections of the text; needs nothing beside it.

No script, no network; every text is escaped. The drawing is `drawing`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from numpy.typing import NDArray

from gradcheck.model.explanation import Explanation, Tensor, Vertex
from gradcheck.reporters.escape import in_html
from gradcheck.reporters.explanation import words
from gradcheck.reporters.explanation.arrays import array_lines, number
from gradcheck.reporters.explanation.drawing import draw_graph
from gradcheck.reporters.numbers import shape_text

STYLE = """
:root {
  color-scheme: light dark; --paper: #ffffff; --ink: #1c1f24; --muted: #5b616b; --line: #8a8f98; --soft: #8a8f9833;
  --value: #1f5fbf; --gradient: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181c; --ink: #e7e9ec; --muted: #a9aeb7; --value: #8ab4f8; --gradient: #f28b82; }
}
@media print { :root { --paper: #ffffff; --ink: #000000; --muted: #444444; --value: #1f5fbf; --gradient: #b3261e; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
body { background: var(--paper); color: var(--ink); }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.place { color: var(--muted); } .scroll { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--soft); }
pre, code, td { font-family: ui-monospace, monospace; font-size: .88rem; } pre { margin: 0; }
.value { color: var(--value); } .gradient { color: var(--gradient); }
.note { border-left: 3px solid; padding-left: .6rem; }
svg text { font: 12px ui-monospace, monospace; fill: var(--ink); } svg .value { fill: var(--value); }
svg .gradient { fill: var(--gradient); } svg path { stroke: var(--line); fill: none; }
svg rect { fill: var(--paper); stroke: var(--line); }
@media print { body { max-width: none; margin: 0; } tr, svg { break-inside: avoid; } }
""".strip()


def render_page(explanation: Explanation, *, full: bool = False) -> str:
    """The page; the same explanation gives the same bytes."""
    title = in_html(words.title(explanation))
    body = [
        f"<h1>{title}</h1>",
        f'<p class="place">{in_html(f"{explanation.file}:{explanation.line}")}</p>',
        *([f"<p>{in_html(' '.join(explanation.why.split()))}</p>"] if explanation.why else []),
        *(_code(explanation, full) if explanation.code is not None else _graph(explanation, full)),
        *(f'<p class="note">{in_html(note)}</p>' for note in explanation.notes),
    ]
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title} - gradcheck explain</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n<main>\n"
    )
    return head + "\n".join(body) + "\n</main>\n</body>\n</html>\n"


def _graph(explanation: Explanation, full: bool) -> Iterator[str]:
    drawn = draw_graph(explanation)
    if drawn:
        yield "<h2>The graph</h2>"
        yield '<p>Every box has its <span class="value">value</span> and the <span class="gradient">gradient</span> of '
        yield f"{in_html(words.loss_words(explanation))} with respect to it.</p>"
        yield f'<div class="scroll" tabindex="0" role="region" aria-label="the graph">{drawn}</div>'
    yield "<h2>Forward</h2>"
    rows = [
        (in_html(words.definition(v)), in_html(words.kind_words(v)), _array(v.value, full, "value"))
        for v in explanation.vertices
    ]
    yield _table("values forwards", ("value", "op and shape", "is"), rows)
    yield "<h2>Backward</h2>"
    names = words.called(explanation)
    back = [_back(v, names, full) for v in reversed(explanation.vertices) if v.gradient is not None]
    yield _table("gradients backwards", ("value", "upstream gradient", "how it is passed on"), back)
    if explanation.layers:
        yield "<h2>Layers: root mean squares</h2>"
        yield _table(
            "layers",
            ("layer", "shape", "activation", "gradient", "gradients of its parameters", "notes"),
            [
                (f"{n.number} {in_html(n.label)}", shape_text(n.shape), f"{n.activation:.2e}",
                 "-" if n.gradient is None else f"{n.gradient:.2e}",
                 in_html(words.parameters_words(n)), in_html("; ".join(n.notes)))
                for n in explanation.layers
            ],
        )  # fmt: skip
    yield from _descent(explanation, full)


def _back(vertex: Vertex, names: dict[int, str], full: bool) -> tuple[str, ...]:
    """A row of the backward table."""
    assert vertex.gradient is not None
    single = float(vertex.gradient) if vertex.gradient.ndim == 0 else None
    parts = []
    if len(vertex.uses) > 1:
        parts.append(in_html(words.sum_words(vertex, names)))
        users = zip(vertex.uses, words.users(vertex, names), strict=True)
        parts += [
            f"from {in_html(who)} {_array(u.gradient, full, 'gradient')}" for u, who in users if vertex.value.ndim
        ]
    for way in vertex.ways:
        said = f"to {in_html(names[way.to])}: {in_html(words.local_words(way, single))}"
        if not words.says_local(way) and way.local is not None:
            said += _array(way.local, full, "")
        if not words.says_all(way, single):
            said += f"{'' if said.endswith('</pre>') else ', '}downstream {_array(way.downstream, full, 'gradient')}"
        parts.append(said)
    parts += [f"note: {in_html(note)}" for note in vertex.notes]
    return in_html(words.definition(vertex)), _array(vertex.gradient, full, "gradient"), "<br>".join(parts)


def _descent(explanation: Explanation, full: bool) -> Iterator[str]:
    descent = explanation.descent
    if descent is None:
        return
    yield "<h2>One step of gradient descent</h2>"
    yield f"<p>after = before - {number(descent.lr)} · gradient</p>"
    rows = [
        (in_html(m.name), _array(m.before, full, "value"), _array(m.gradient, full, "gradient"),
         _array(m.after, full, "value"))
        for m in descent.moved
    ]  # fmt: skip
    yield _table("the step", ("tensor", "before", "gradient", "after"), rows)
    for sentence in words.descent_words(descent, words.loss_words(explanation)):
        yield f"<p>{in_html(sentence)}</p>"


def _code(explanation: Explanation, full: bool) -> Iterator[str]:
    code = explanation.code
    assert code is not None
    yield "<p>Somebody's code: what goes in and what comes out; its inside is not looked at.</p>"
    yield f"<pre>{chr(10).join(in_html(line) for line in code.statements)}</pre>"
    parts: Iterable[tuple[str, tuple[Tensor, ...], str]] = (
        ("Inputs and parameters", code.inputs, "value"), ("Outputs", code.outputs, "value"),
        ("Upstream gradients", code.upstream, "gradient"), ("Gradients", code.gradients, "gradient"),
    )  # fmt: skip
    for heading, tensors, kind in parts:
        if tensors:
            yield f"<h2>{heading}</h2>"
            rows = [(in_html(t.name), shape_text(t.value.shape), _array(t.value, full, kind)) for t in tensors]
            yield _table(heading, ("tensor", "shape", "is"), rows)


def _array(array: NDArray[Any], full: bool, kind: str) -> str:
    lines = "\n".join(in_html(line) for line in array_lines(array, full))
    return f'<pre class="{kind}">{lines}</pre>' if kind else f"<pre>{lines}</pre>"


def _table(label: str, headers: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table that a keyboard can scroll; cells are HTML already. label : what a screen reader calls it"""
    head = "".join(f'<th scope="col">{header}</th>' for header in headers)
    body = "\n".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    table = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{table}</div>'

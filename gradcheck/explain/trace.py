"""The trace of a graph: every vertex with its value, its gradient, and how that gradient comes together.

The gradients are `graph.backprop`'s; here they are taken apart into the ways they took.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcheck.explain.layers import Layers
from gradcheck.explain.local import ways_of
from gradcheck.explain.texts import is_plain_number, labels_of, text_of
from gradcheck.graph.backprop import sweep
from gradcheck.graph.graph import Graph, Node, Value
from gradcheck.model.explanation import Use, Vertex, Way
from gradcheck.model.problem import Array


def trace(
    graph: Graph, values: Sequence[Value], upstream: Array, wrt: Sequence[str], layers: Layers
) -> tuple[Vertex, ...]:
    """The vertices that the output depends on, in the order of evaluation; single-number constants are left out.

    values : of all vertices
    upstream : of the output, its shape
    wrt : names of the leaves whose gradient is asked for
    """
    leaves = graph.leaves
    gradients = sweep(graph, values, upstream, [leaves[name] for name in wrt if name in leaves])
    live = sorted(graph.ancestors([graph.output]))
    called = labels_of(graph, live)
    ways: dict[int, tuple[Way, ...]] = {}
    uses: dict[int, list[Use]] = {}
    for index in live:
        vertex, g = graph.vertices[index], gradients[index]
        if not isinstance(vertex, Node) or g is None:
            continue
        wanted = [gradients[i] is not None for i in vertex.arguments]
        labels = [called[i] for i in vertex.arguments]
        arguments = [values[i] for i in vertex.arguments]
        ways[index] = ways_of(vertex, arguments, values[index], g, wanted, labels)
        for way in ways[index]:
            uses.setdefault(way.to, []).append(Use(index, way.argument, way.downstream))
    shown = [i for i in live if not is_plain_number(graph.vertices[i])]
    return tuple(
        Vertex(
            number=index,
            label=called[index],
            op=_op(graph, index),
            text=text_of(graph, index, called),
            arguments=_arguments(graph, index),
            layer=layers.of(index),
            value=np.asarray(values[index]),
            gradient=gradients[index],
            ways=ways.get(index, ()),
            uses=tuple(uses.get(index, ())),
            notes=_notes(graph, values, index, gradients[index]),
        )
        for index in shown
    )


def _arguments(graph: Graph, index: int) -> tuple[int, ...]:
    vertex = graph.vertices[index]
    return vertex.arguments if isinstance(vertex, Node) else ()


def _op(graph: Graph, index: int) -> str:
    vertex = graph.vertices[index]
    return vertex.op.name if isinstance(vertex, Node) else ""


def _notes(graph: Graph, values: Sequence[Value], index: int, gradient: Array | None) -> tuple[str, ...]:
    """A value exactly at a kink has no single slope: which one is taken is said beside the op."""
    vertex = graph.vertices[index]
    if gradient is None or not isinstance(vertex, Node) or vertex.op.kink is None:
        return ()
    arguments = [values[i] for i in vertex.arguments]
    count = int((vertex.op.kink.margin(*arguments, **vertex.options) == 0.0).sum())
    if not count:
        return ()
    which = "stands" if np.size(values[index]) == 1 else f"{count} of {np.size(values[index])} elements stand"
    return (f"{which} exactly at a kink: {vertex.op.kink.at}",)

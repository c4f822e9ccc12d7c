"""Layers: which vertices belong together – those of one layer of a network, or of one line of a function.

Read off the places that every node remembers; nothing is read a second time.
"""

from __future__ import annotations

from collections.abc import Collection

from gradcheck.graph.graph import Graph, Leaf, Node, Place
from gradcheck.record import dataclass


@dataclass(frozen=True, slots=True)
class Layer:
    """label : as written; vertices : its nodes, in order; parameters : leaves that it is the first to use"""

    number: int
    label: str
    vertices: tuple[int, ...]
    parameters: tuple[str, ...]

    @property
    def last(self) -> int:
        """The vertex whose value the layer returns."""
        return self.vertices[-1]


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of a graph, in order."""

    found: tuple[Layer, ...]
    numbers: dict[int, int]

    def of(self, vertex: int) -> int:
        """The number of a vertex's layer; 0 for a leaf or a constant."""
        return self.numbers.get(vertex, 0)


def layers_of(graph: Graph, learnt: Collection[str], *, by_line: bool) -> Layers:
    """Runs of nodes that were written in one place.

    learnt : names of the leaves that count as parameters
    by_line : a whole line of text is one place (functions); else a place is a layer as written (networks)
    """
    live = graph.ancestors([graph.output])
    runs: list[tuple[object, str, list[int]]] = []
    for index in sorted(live):
        vertex = graph.vertices[index]
        if not isinstance(vertex, Node) or vertex.place is None:
            continue
        key, label = _key(vertex.place, by_line)
        if not runs or runs[-1][0] != key:
            again = any(key == other for other, _, _ in runs)
            runs.append((key, f"input added, from {label}" if again else label, []))
        runs[-1][2].append(index)
    found, used = [], set[str]()
    for number, (_, label, vertices) in enumerate(runs, 1):
        names = [
            leaf.name
            for index in vertices
            if isinstance(node := graph.vertices[index], Node)
            for i in node.arguments
            if isinstance(leaf := graph.vertices[i], Leaf) and leaf.name in learnt
        ]
        new = tuple(name for name in dict.fromkeys(names) if name not in used)
        used.update(new)
        found.append(Layer(number, label, tuple(vertices), new))
    return Layers(tuple(found), {index: layer.number for layer in found for index in layer.vertices})


def _key(place: Place, by_line: bool) -> tuple[object, str]:
    """What the nodes of a layer have in common, and the layer as written."""
    text, span = place.source.text, place.span
    if not by_line:
        return (place.source, span), text[span.start : span.end]
    begin = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.start)
    line = text[begin : len(text) if end < 0 else end].strip()
    return (place.source, begin), line

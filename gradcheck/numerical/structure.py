"""Structure: a graph at its point, through which the exact changes of many probes are sent at once.

The walk from a leaf to the output stands here; how a change passes one op is `perturb`'s, which probes go together
`sharing`'s, and what the numbers are worth `schedule`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gradcheck.graph.graph import Graph, Node, Value
from gradcheck.model.problem import Array
from gradcheck.perturb.kinds import propagate
from gradcheck.perturb.move import Move, Parts
from gradcheck.perturb.probes import Probes
from gradcheck.perturb.site import Site
from gradcheck.perturb.tiles import Tiled, written
from gradcheck.perturb.window import simplest

Visit = tuple[int, Node, bool, tuple[int, ...]]  # a node, its index, whether several nodes read it, and the vertices
# that nobody needs after it


class Structure:
    """A graph and the values of its vertices; what is the same for all probes is worked out once and kept."""

    def __init__(self, graph: Graph, values: Sequence[Value]) -> None:
        self.graph, self.values = graph, values
        sizes = [np.size(value) for value in values]
        self.size, self.widest = sum(sizes), max(sizes)
        self._sites: dict[int, Site] = {}
        self._ways: dict[int, tuple[Visit, ...]] = {}

    def change(self, leaf: str, cells: NDArray[np.int64], steps: Array, probes: Probes) -> Move | None:
        """The exact change of the output when one element of a leaf moves by its step; one probe per cell, both signs.

        cells : flat numbers of the elements, shape (K,)
        probes : is told what happened on the way

        Returns: None where nothing arrives.
        """
        start = self.graph.leaves[leaf]
        shape = np.shape(self.values[start])
        places = np.unravel_index(cells, shape) if shape else ()
        window = tuple(simplest(place.reshape(1, -1), size) for place, size in zip(places, shape, strict=True))
        moves: dict[int, Move | Parts | Tiled] = {start: Move(window, steps.reshape((1,) * len(shape) + (-1,)))}
        for index, node, is_shared, finished in self._way(start):
            arriving = [moves.get(argument) for argument in node.arguments]
            if any(move is not None for move in arriving):
                arrived = propagate(self._site(index, node), arriving, probes)
                probes.count_in(arrived)
                if arrived is not None:  # what several nodes read is worked out once
                    moves[index] = written(arrived, probes) if is_shared else arrived
            for vertex in finished:
                moves.pop(vertex, None)
        return written(moves.get(self.graph.output), probes)

    def _site(self, index: int, node: Node) -> Site:
        if index not in self._sites:
            arguments = [np.asarray(self.values[argument]) for argument in node.arguments]
            self._sites[index] = Site(node.op, node.options, arguments, np.asarray(self.values[index]))
        return self._sites[index]

    def _way(self, leaf: int) -> tuple[Visit, ...]:
        """The nodes between a leaf and the output, in order."""
        if leaf not in self._ways:
            live = self.graph.ancestors([self.graph.output])
            reached, last = {leaf}, dict[int, int]()
            nodes, readers = [], Counter[int]()
            for index, vertex in enumerate(self.graph.vertices):
                if index in live and isinstance(vertex, Node) and not reached.isdisjoint(vertex.arguments):
                    reached.add(index)
                    nodes.append((index, vertex))
                    last.update(dict.fromkeys(reached.intersection(vertex.arguments), index))
                    readers.update(vertex.arguments)
            self._ways[leaf] = tuple(
                (i, node, readers[i] > 1, tuple(v for v, end in last.items() if end == i)) for i, node in nodes
            )
        return self._ways[leaf]

"""Where a graph stands exactly at a kink, and the values of the ops there: what a scalar loss hides.

Only forwards are used. What the slopes at such an op are, is measured by `numerical.kinks` through this interface.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gradcheck.graph.graph import Graph, Node, Value
from gradcheck.model.problem import Array, Point


class GraphSwitches:
    """The elements of a graph's values that are outputs of an op exactly at its kink.

    graph, values : a graph and its values at the point
    upstream : shape of the output; phi = upstream · output
    """

    def __init__(self, graph: Graph, values: Sequence[Value], upstream: Array) -> None:
        self.graph, self.values, self.upstream = graph, values, upstream
        self.places: list[tuple[int, NDArray[np.int64]]] = []
        live = graph.ancestors([graph.output])
        for index, vertex in enumerate(graph.vertices):
            if index in live and isinstance(vertex, Node) and vertex.op.kink is not None and vertex.op.kink.slopes:
                arguments = [values[i] for i in vertex.arguments]
                cells = np.flatnonzero(vertex.op.kink.margin(*arguments, **vertex.options) == 0.0)
                if cells.size:
                    self.places.append((index, cells))

    @property
    def count(self) -> int:
        return sum(cells.size for _, cells in self.places)

    def outputs(self, point: Point) -> Array:
        """The values of those elements at a point, shape (count,)."""
        values = self.graph.forward(point)
        return np.concatenate([np.ravel(values[index])[cells] for index, cells in self.places])

    def moved(self, switch: int, distance: float) -> float:
        """The change of phi when one of those elements is moved by itself, everything before it standing still."""
        for index, cells in self.places:
            if switch < cells.size:
                value = np.array(self.values[index], dtype=np.float64)
                value.reshape(-1)[cells[switch]] += distance
                output = self.graph.evaluate_from(self.values, index, value)
                return float((self.upstream * (output - self.values[self.graph.output])).sum())
            switch -= cells.size
        raise IndexError(f"there is no switch {switch}")

"""Builder: grows a graph one op at a time and computes each value at once, so that a mistake is found where it stands.

Expressions and networks write through it; it knows no notation, only ops, indices and places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradcheck.errors import NotationError, ShapeError
from gradcheck.graph.graph import Constant, Graph, Leaf, Node, Place, Value, Vertex
from gradcheck.model.problem import Array
from gradcheck.ops.registry import Op
from gradcheck.record import dataclass, field

FINITE = "it depends on no input, and constants must be finite"
MAX_TOTAL = 100_000_000  # elements of all computed values together: 800 MB


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A graph together with its values at the point it was traced at.

    values : one per vertex
    names : name → index of the vertex, for leaves and everything that the text gave a name
    parameters : the arrays drawn for the parameters of a network, in order; leaves of the graph
    statistics : further leaves, which training would not learn (running means and variances)
    """

    graph: Graph
    values: tuple[Value, ...]
    names: Mapping[str, int]
    parameters: Mapping[str, Array] = field(default_factory=dict)
    statistics: Mapping[str, Array] = field(default_factory=dict)

    @property
    def output(self) -> Value:
        return self.values[self.graph.output]


class Builder:
    """A graph in the making."""

    def __init__(self) -> None:
        self.vertices: list[Vertex] = []
        self.values: list[Value] = []
        self._total = 0

    def leaf(self, name: str, value: ArrayLike) -> int:
        """A new leaf; integers stay integers (targets, indices), everything else becomes float64."""
        array = np.asarray(value)
        return self._append(Leaf(name), array if np.issubdtype(array.dtype, np.integer) else array.astype(np.float64))

    def constant(self, value: ArrayLike) -> int:
        array = np.asarray(value)
        return self._append(Constant(array), array)

    def apply(
        self,
        op: Op,
        arguments: Sequence[int],
        options: Mapping[str, Any],
        place: Place,
        label: str = "",
        name: str = "",
    ) -> int:
        """A new node with its value; constants combine into a constant.

        label : what the text calls the op, in error messages; default its name

        Raises NotationError (ShapeError) at the place where the arguments do not fit.
        """
        label = label or op.name
        values = [self.values[i] for i in arguments]
        try:
            prepared = op.prepare(options, *values)
        except ShapeError as error:
            raise ShapeError(f"'{label}' {error.message}", error.hint, place.source, place.span) from None
        with np.errstate(all="ignore"):
            value = np.asarray(op.forward(*values, **prepared))
        if all(isinstance(self.vertices[i], Constant) for i in arguments):
            return self._constant(value, place)
        self._total += value.size
        if self._total > MAX_TOTAL:
            message = f"the values up to here have {self._total} elements, more than {MAX_TOTAL}"
            raise NotationError(message, "make the inputs smaller", place.source, place.span)
        return self._append(Node(op, tuple(arguments), prepared, place, name), value)

    def name(self, index: int, name: str) -> None:
        """Tell a node what the text calls it; the first name stays."""
        vertex = self.vertices[index]
        if isinstance(vertex, Node) and not vertex.name:
            self.vertices[index] = replace(vertex, name=name)

    def finish(
        self,
        output: int,
        names: Mapping[str, int],
        parameters: Mapping[str, Array] | None = None,
        statistics: Mapping[str, Array] | None = None,
    ) -> Traced:
        """The graph with that output."""
        graph = Graph(tuple(self.vertices), output)
        return Traced(graph, tuple(self.values), dict(names), dict(parameters or {}), dict(statistics or {}))

    def _constant(self, value: NDArray[Any], place: Place) -> int:
        if not np.isfinite(value).all():
            text = place.source.text[place.span.start : place.span.end]
            shown = f"the value of '{text}' is {value}" if not value.ndim else f"'{text}' is not finite everywhere"
            raise NotationError(shown, FINITE, place.source, place.span)
        return self.constant(value)

    def _append(self, vertex: Vertex, value: Value) -> int:
        self.vertices.append(vertex)
        self.values.append(value)
        return len(self.vertices) - 1

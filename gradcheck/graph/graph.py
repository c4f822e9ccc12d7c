"""Graph: a function as a list of ops in the order of evaluation, and its values at a point – forwards only.

Nothing here touches a vjp or a delta rule: the numerical engine needs no more than this. Gradients are `backprop`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.location import SourceText, Span
from gradcheck.model.problem import Array, Point
from gradcheck.ops.registry import Op
from gradcheck.record import dataclass, field

Value = NDArray[Any]
# where the result goes, what is called, and the arguments: one, two, or (third entry) any number of them
Step = tuple[int, Callable[..., Any], int, int, tuple[int, ...] | None]


@dataclass(frozen=True, slots=True)
class Place:
    """The stretch of text that a vertex came from."""

    source: SourceText
    span: Span


@dataclass(frozen=True, slots=True)
class Leaf:
    """A named array of the point."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A value that stands in the text itself."""

    value: Value


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An op applied to earlier vertices.

    arguments : indices of vertices, all smaller than the node's own
    options : as the op's `prepare` left them
    place : where it was written; None for a graph that was built without a text
    name : what the text calls the value, or ""
    """

    op: Op
    arguments: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    place: Place | None = None
    name: str = ""


Vertex = Leaf | Constant | Node


@dataclass(frozen=True, eq=False)
class Graph:
    """Vertices in an order in which each comes after its arguments, and the index of the one that is the output."""

    vertices: tuple[Vertex, ...]
    output: int
    _template: list[Any] = field(init=False, repr=False)
    _leaves: tuple[tuple[int, str], ...] = field(init=False, repr=False)
    _all: tuple[Step, ...] = field(init=False, repr=False)
    _live: tuple[Step, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        nodes = [(index, v) for index, v in enumerate(self.vertices) if isinstance(v, Node)]
        live = self.ancestors([self.output])
        set_once = partial(object.__setattr__, self)
        set_once("_template", [v.value if isinstance(v, Constant) else None for v in self.vertices])
        set_once("_leaves", tuple((index, v.name) for index, v in enumerate(self.vertices) if isinstance(v, Leaf)))
        set_once("_all", tuple(_step(index, node) for index, node in nodes))
        set_once("_live", tuple(_step(index, node) for index, node in nodes if index in live))

    @property
    def leaves(self) -> Mapping[str, int]:
        """The name of every leaf and its index, in the order of the vertices."""
        return {name: index for index, name in self._leaves}

    def evaluate(self, point: Point) -> Array:
        """The output at a point: a float64 array that shares no memory with the point.

        point : array per leaf; more names may be there. Only vertices that the output depends on are computed.
        """
        output = self._run(self._live, point)[self.output]
        # A slice or a reshape of a leaf would change with the point, which the caller is about to move.
        return np.array(output, dtype=np.float64)

    def forward(self, point: Point) -> tuple[Value, ...]:
        """The values of all vertices at a point, in their order."""
        return tuple(self._run(self._all, point))

    def evaluate_from(self, values: Sequence[Value], index: int, value: Value) -> Array:
        """The output when one vertex is given another value and all that does not depend on it stays as it was.

        values : of all vertices, as `forward` gives them
        """
        current: list[Any] = list(values)
        current[index] = value
        changed = {index}
        with np.errstate(all="ignore"):
            for step in self._live:
                target = step[0]
                node = self.vertices[target]
                if target > index and isinstance(node, Node) and changed.intersection(node.arguments):
                    current[target] = node.op.forward(*(current[i] for i in node.arguments), **node.options)
                    changed.add(target)
        return np.array(current[self.output], dtype=np.float64)

    def ancestors(self, wanted: Iterable[int]) -> frozenset[int]:
        """The vertices that the wanted ones depend on, themselves included."""
        found = set(wanted)
        for index in range(len(self.vertices) - 1, -1, -1):
            vertex = self.vertices[index]
            if index in found and isinstance(vertex, Node):
                found.update(vertex.arguments)
        return frozenset(found)

    def _run(self, steps: tuple[Step, ...], point: Point) -> list[Any]:
        values = self._template.copy()
        for index, name in self._leaves:
            values[index] = point[name]
        # Infinity and NaN are judged where they arrive; numpy's warnings about them would only litter the report.
        with np.errstate(all="ignore"):
            for index, function, first, second, several in steps:
                if second >= 0:
                    values[index] = function(values[first], values[second])
                elif several is None:
                    values[index] = function(values[first])
                else:
                    values[index] = function(*[values[argument] for argument in several])
        return values


def _step(index: int, node: Node) -> Step:
    function = partial(node.op.forward, **node.options) if node.options else node.op.forward
    match node.arguments:
        case (only,):
            return index, function, only, -1, None
        case (first, second):
            return index, function, first, second, None
        case several:
            return index, function, -1, -1, several

"""Backpropagation: one reverse sweep over a graph, every op contributing its own vjp rule.

Only order and bookkeeping are here; what a gradient is, is said beside each op.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.graph.graph import Graph, Node, Value
from gradcheck.model.problem import Array


def backprop(graph: Graph, values: Sequence[Value], upstream: NDArray[Any], wrt: Iterable[str]) -> dict[str, Array]:
    """The gradient of Σ upstream·output with respect to the named leaves.

    values : what `graph.forward` returned
    upstream : the output's shape
    wrt : names of leaves

    Returns: float64 array per name, of the leaf's shape; zeros for a leaf that the output does not use.
    Raises ShapeError if a rule returns another shape than its argument's (possible for handwritten layers only).
    """
    leaves = graph.leaves
    wanted = {name: leaves[name] for name in wrt}
    gradients = sweep(graph, values, upstream, wanted.values())
    return {
        name: np.zeros(np.shape(values[i])) if gradients[i] is None else np.array(gradients[i], dtype=np.float64)
        for name, i in wanted.items()
    }


def sweep(graph: Graph, values: Sequence[Value], upstream: NDArray[Any], wanted: Iterable[int]) -> list[Array | None]:
    """The gradient that arrives at every vertex on a way from a wanted one to the output; None at all others."""
    gradients: list[Array | None] = [None] * len(graph.vertices)
    needed = _descendants(graph, wanted)
    if graph.output in needed:
        gradients[graph.output] = np.asarray(upstream, dtype=np.float64).reshape(np.shape(values[graph.output]))
    with np.errstate(all="ignore"):
        for index in range(graph.output, -1, -1):
            vertex, g = graph.vertices[index], gradients[index]
            if g is None or not isinstance(vertex, Node):
                continue
            arguments = [values[i] for i in vertex.arguments]
            for position, i in enumerate(vertex.arguments):
                rule = vertex.op.vjp(position) if i in needed else None
                if rule is not None:
                    part = _of_shape(rule(g, values[index], *arguments, **vertex.options), values[i], vertex, position)
                    before = gradients[i]
                    gradients[i] = part if before is None else before + part
    return gradients


def _descendants(graph: Graph, wanted: Iterable[int]) -> frozenset[int]:
    """The vertices that depend on a wanted one, themselves included."""
    found = set(wanted)
    for index, vertex in enumerate(graph.vertices):
        if isinstance(vertex, Node) and not found.isdisjoint(vertex.arguments):
            found.add(index)
    return frozenset(found)


def _of_shape(part: Array, argument: Value, node: Node, position: int) -> Array:
    # Without this, broadcasting would turn a dropped sum over the batch into a right shape and a wrong number.
    if np.shape(part) == np.shape(argument):
        return part
    error = ShapeError(
        f"the gradient of '{node.op.name}' with respect to '{node.op.arguments[node.op.entry(position)]}' "
        f"has shape {np.shape(part)}, expected {np.shape(argument)}",
        "a gradient has the shape of what it is the gradient of",
    )
    raise error.placed(node.place.source, node.place.span) if node.place else error

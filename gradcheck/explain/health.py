"""Health of layers: how large activations and gradients are, and what that says: saturated, dead, vanishing, exploding.

Sizes are root mean squares, so that layers of different widths compare. A note describes this point and no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.explain.layers import Layer, Layers
from gradcheck.graph.graph import Graph, Node, Value
from gradcheck.model.explanation import Norms
from gradcheck.model.problem import Array

# Ops that are flat far out, and the steepest slope that each has anywhere. Glorot & Bengio 2010, "Understanding the
# difficulty of training deep feedforward neural networks", section 3, watch layers by how far out they are.
STEEPEST: Mapping[str, float] = {
    "sigmoid": 1 / 4, "tanh": 1.0, "softsign": 1.0, "arctan": 1.0, "erf": 2 / np.pi**0.5, "hard_sigmoid": 1 / 6,
    "hardtanh": 1.0,
}  # fmt: skip
FLAT = 0.05  # a slope below this share of the steepest one lets little through: a sigmoid beyond ±4.3
MANY = 0.5  # a share of flat elements worth telling

# Ops that are zero over half a line: a unit there for every example learns nothing (Maas, Hannun & Ng 2013,
# "Rectifier nonlinearities improve neural network acoustic models", section 2).
RECTIFIERS = frozenset(("relu",))
BENDING = frozenset(("leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "mish", "softplus", "hard_swish"))
ACTIVATIONS = frozenset(STEEPEST) | RECTIFIERS | BENDING

FADED = 1e-3  # of the last layer's gradient: a first layer below learns a thousand times slower under one rate


def norms_of(
    graph: Graph, values: Sequence[Value], gradients: Sequence[Array | None], layers: Layers
) -> tuple[Norms, ...]:
    """The sizes of every layer.

    gradients : of all vertices, None where none arrives
    """
    leaves = graph.leaves
    found = []
    for layer in layers.found:
        upstream = gradients[layer.last]
        parameters = [(name, gradients[leaves[name]]) for name in layer.parameters]
        found.append(
            Norms(
                number=layer.number,
                label=layer.label,
                shape=np.shape(values[layer.last]),
                activation=rms(values[layer.last]),
                gradient=None if upstream is None else rms(upstream),
                parameters=tuple((name, rms(g)) for name, g in parameters if g is not None),
                notes=tuple(_notes(graph, values, gradients, layer)),
            )
        )
    return tuple(found)


def flow_notes(norms: Sequence[Norms]) -> tuple[str, ...]:
    """Whether the gradient fades or grows on its way from the last layer with parameters to the first.

    The gradients of the parameters are compared, and where those are alike, the gradients that arrive at the layers:
    activations that grow forwards hide from the parameters that gradients grow backwards.
    """
    learning = [layer for layer in norms if layer.parameters]
    if len(learning) < 2:
        return ()
    first, last = learning[0], learning[-1]
    sizes = [float(np.sqrt(np.mean([size**2 for _, size in layer.parameters]))) for layer in (first, last)]
    names = [" and ".join(name for name, _ in layer.parameters) for layer in (first, last)]
    note = _flow_note(f"the gradient of {names[0]}", f"that of {names[1]}", *sizes)
    if not note and first.gradient is not None and last.gradient is not None:
        arriving = f"the gradient that arrives at layer {first.number}", f"that at layer {last.number}"
        note = _flow_note(*arriving, first.gradient, last.gradient)
    return (note,) if note else ()


def _flow_note(first: str, last: str, size: float, last_size: float) -> str:
    if last_size == 0 or not np.isfinite([size, last_size]).all():
        return ""
    ratio = size / last_size
    if ratio == 0:
        return f"vanishing: {first} is zero, {last} is not"
    if ratio < FADED:
        return f"vanishing: {first} is {ratio:.1e} of {last}"
    return f"exploding: {first} is {ratio:.1e} times {last}" if ratio > 1 / FADED else ""


def has_activations(graph: Graph, layers: Layers) -> bool:
    """Whether at least two layers end in, or hold, an activation."""
    return sum(any(_op(graph, index) in ACTIVATIONS for index in layer.vertices) for layer in layers.found) > 1


def rms(values: NDArray[Any]) -> float:
    """Root mean square; 0 of nothing."""
    array = np.asarray(values, dtype=np.float64)
    if not array.size:
        return 0.0
    largest = float(np.abs(array).max())
    # Scaled, so that neither squares of 1e-200 nor of 1e200 leave the range.
    return largest * float(np.sqrt(np.mean((array / largest) ** 2))) if 0 < largest < np.inf else largest


def _notes(graph: Graph, values: Sequence[Value], gradients: Sequence[Array | None], layer: Layer) -> list[str]:
    notes = []
    for index in layer.vertices:
        node = graph.vertices[index]
        if not isinstance(node, Node) or gradients[index] is None:
            continue
        if node.op.name in STEEPEST:
            notes += _saturated(node, values, index)
        elif node.op.name in RECTIFIERS:
            notes += _dead(node.op.name, np.asarray(values[index]))
    return notes


def _saturated(node: Node, values: Sequence[Value], index: int) -> list[str]:
    rule = node.op.vjp(0)
    assert rule is not None
    y = np.asarray(values[index])
    with np.errstate(all="ignore"):
        slopes = np.asarray(rule(np.ones(y.shape), y, *(values[i] for i in node.arguments), **node.options))
    flat = float(np.mean(np.abs(slopes) < FLAT * STEEPEST[node.op.name])) if slopes.size else 0.0
    if flat < MANY:
        return []
    return [f"saturated {node.op.name} {flat:.0%}: slopes below {FLAT:.0%} of its steepest"]


def _dead(op: str, y: NDArray[Any]) -> list[str]:
    """Units are columns of a batch, channels of pictures, features of sequences; a vector is one example."""
    if not y.size:
        return []
    if y.ndim < 2 or y.shape[0] == 1:
        zeros = int((y == 0).sum())
        return [f"{op} is 0 for {zeros} of {y.size} elements ({zeros / y.size:.0%})"] if zeros else []
    units = 1 if y.ndim == 4 else y.ndim - 1
    silent = (y == 0).all(axis=tuple(axis for axis in range(y.ndim) if axis != units))
    dead = int(silent.sum())
    if not dead:
        return []
    return [f"dead {op} {dead / silent.size:.0%}: {dead} of {silent.size} units are 0 for every example"]


def _op(graph: Graph, index: int) -> str:
    vertex = graph.vertices[index]
    return vertex.op.name if isinstance(vertex, Node) else ""

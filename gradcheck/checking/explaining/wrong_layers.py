"""In a network, the handwritten layer whose own backward is wrong: each is checked by itself, where it stands.

Its input is the one it gets there, its upstream gradient the true one, by differences of all that follows; so neither
a wrong layer after it nor one before it has a part in the answer. Behind a large layer the upstream gradient is a
random one. Read only where something fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcheck.checking.examine import Examination, examine
from gradcheck.errors import GradcheckError
from gradcheck.graph.graph import Node
from gradcheck.model.case import Case, Layer, NetworkBody, Residual
from gradcheck.model.problem import Array, Claim, Point, Problem
from gradcheck.record import dataclass

MOST_ELEMENTS = 1000  # of the value between two layers, of which the true upstream gradient is taken
MOST_EVALUATIONS = 4000  # of one layer by itself; beyond that it is probed along directions
STEP = float(np.finfo(np.float64).eps) ** (1 / 3)  # relative, of a central difference


@dataclass(frozen=True, slots=True, eq=False)
class WrongLayer:
    """A layer whose backward is wrong by itself.

    number : counts all layers from 1, as a reader does; text : as it is written in the file
    problem, examination : the layer alone, and what came out
    """

    number: int
    text: str
    problem: Problem
    examination: Examination


def wrong_layers(case: Case, problem: Problem) -> list[WrongLayer]:
    """The handwritten layers that are wrong by themselves, the first one of the network first."""
    if problem.traced is None or not isinstance(case.body, NetworkBody):
        return []
    graph, values = problem.traced.graph, problem.traced.values
    written = list(_flat(case.body.layers))
    found = []
    for index, vertex in enumerate(graph.vertices):
        if not (isinstance(vertex, Node) and vertex.op.formula.startswith("handwritten")):
            continue
        number = next(
            (n for n, text in enumerate(written, 1) if vertex.place and text == vertex.place.source), len(written)
        )
        text = written[number - 1].text.strip()
        alone = _alone(problem, vertex, index, values, case.seed)
        if alone is None:
            continue
        try:
            examination = examine(alone, seed=case.seed, budget=MOST_EVALUATIONS)
        except GradcheckError:
            continue
        if any(finding.verdict == "fail" for finding in examination.findings):
            found.append(WrongLayer(number, text, alone, examination))
    return found


def _flat(layers: tuple[Layer, ...]) -> Iterator[Any]:
    """All layers in the order in which they are numbered; those of a residual block in its place."""
    for layer in layers:
        if isinstance(layer, Residual):
            yield from _flat(layer.layers)
        else:
            yield layer


def _alone(problem: Problem, vertex: Node, index: int, values: Any, seed: int) -> Problem | None:
    """The layer as a problem of its own; None where its backward cannot be called."""
    x, y = np.asarray(values[vertex.arguments[0]], dtype=np.float64), np.asarray(values[index], dtype=np.float64)
    g = _arriving(problem, index, y) if y.size <= MOST_ELEMENTS else _random(y.shape, seed)
    rule = vertex.op.vjp(0)
    if rule is None:
        return None
    vjp: Callable[..., Any] = rule

    def function(point: Point) -> Array:
        return np.asarray(vertex.op.forward(point["x"]), dtype=np.float64).reshape(-1)

    def gradients(weights: Array) -> dict[str, Any]:
        return {"x": vjp(weights.reshape(y.shape), y, x.copy())}

    try:
        claim = Claim("backward", gradients(g.reshape(-1)), vjp=gradients)
    except GradcheckError:
        return None
    return Problem(
        point={"x": x}, wrt=("x",), function=function, upstream=g.reshape(-1), value=y.reshape(-1), claims=(claim,),
        output_shapes=(y.shape,),
    )  # fmt: skip


def _random(shape: tuple[int, ...], seed: int) -> Array:
    """Sign × uniform[0.5, 1.5), as the upstream gradient of a case is drawn."""
    generator = np.random.default_rng(seed)
    return np.asarray(generator.choice([-1.0, 1.0], shape) * generator.uniform(0.5, 1.5, shape))


def _arriving(problem: Problem, index: int, y: Array) -> Array:
    """The slope of the whole function with respect to the value of one vertex, by central differences."""
    assert problem.traced is not None
    graph, values = problem.traced.graph, problem.traced.values
    g = np.empty(y.size)
    for i in range(y.size):
        ends = []
        for direction in (1.0, -1.0):
            moved = y.copy()
            moved.flat[i] += direction * STEP * max(1.0, abs(float(y.flat[i])))
            output = graph.evaluate_from(values, index, moved).reshape(-1)
            ends.append((float(problem.upstream @ output), float(moved.flat[i])))
        g[i] = (ends[0][0] - ends[1][0]) / (ends[0][1] - ends[1][1])
    return g.reshape(y.shape)

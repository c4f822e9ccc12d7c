"""A case → its explanation: built, traced, its layers measured, one step downhill taken.

Calls the parts of this room in order. Of somebody's code only what goes in and what comes out is told.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcheck.checking.building.build import build
from gradcheck.checking.building.drawing import Built
from gradcheck.checking.one_case import time_limit
from gradcheck.errors import FieldError, did_you_mean
from gradcheck.explain.code import code_facts
from gradcheck.explain.descent import descend
from gradcheck.explain.health import flow_notes, has_activations, norms_of
from gradcheck.explain.layers import layers_of
from gradcheck.explain.trace import trace
from gradcheck.graph.backprop import sweep
from gradcheck.graph.builder import Traced
from gradcheck.model.case import Case, CodeBody, FunctionBody
from gradcheck.model.explanation import Explanation
from gradcheck.model.problem import Point


def explain(case: Case, lr: float, parameters: Sequence[str] | None = None) -> Explanation:
    """The explanation of one case.

    lr : learning rate of the step
    parameters : the tensors that the step moves; None for the parameters of a network, or all that a function is
        differentiated by

    Raises what `build` raises, and FieldError for a parameter that the case does not have.
    """
    with time_limit(case):
        built = build(case)
    with built.held():
        if isinstance(case.body, CodeBody):
            return _of_code(case, built, parameters)
        return _of_graph(case, built, lr, parameters)


def _of_code(case: Case, built: Built, parameters: Sequence[str] | None) -> Explanation:
    if parameters:
        raise FieldError("a case of code is explained without a step", "leave --parameters out")
    loss = "Σ upstream · output" if built.problem.value.size > 1 else ""
    return Explanation(
        case.name, case.file, case.location.line, combination_of(case), case.why or "", "code", loss,
        code=code_facts(built), notes=built.notes(),
    )  # fmt: skip


def _of_graph(case: Case, built: Built, lr: float, parameters: Sequence[str] | None) -> Explanation:
    problem, is_function = built.problem, isinstance(case.body, FunctionBody)
    traced = problem.traced
    assert isinstance(traced, Traced)
    graph, values = traced.graph, traced.values
    learnt = _learnt(traced, problem.wrt, parameters, is_function)
    wrt = tuple(dict.fromkeys((*problem.wrt, *learnt)))
    upstream = problem.upstream.reshape(np.shape(values[graph.output]))
    layers = layers_of(graph, learnt, by_line=is_function)
    gradients = sweep(graph, values, upstream, [graph.leaves[name] for name in wrt])
    arrived = {name: gradients[graph.leaves[name]] for name in learnt}
    norms = norms_of(graph, values, gradients, layers)
    is_layered = not is_function or has_activations(graph, layers)
    remarks = () if is_layered else tuple(f"{note} ({one.label})" for one in norms for note in one.notes)

    def loss(point: Point) -> float:
        return float(np.sum(upstream * graph.evaluate(point)))

    return Explanation(
        name=case.name,
        file=case.file,
        line=case.location.line,
        combination=combination_of(case),
        why=case.why or "",
        kind="function" if is_function else "network",
        loss="" if upstream.shape == () and upstream == 1 else "Σ upstream · output",
        vertices=trace(graph, values, upstream, wrt, layers),
        output=graph.output,
        layers=norms if is_layered else (),
        notes=(*built.notes(), *(flow_notes(norms) if is_layered else remarks)),
        descent=descend(
            loss,
            {name: values[index] for name, index in graph.leaves.items()},
            {name: np.zeros(np.shape(values[graph.leaves[name]])) if g is None else g for name, g in arrived.items()},
            learnt,
            lr,
        ),
    )


def _learnt(traced: Traced, wrt: tuple[str, ...], asked: Sequence[str] | None, is_function: bool) -> tuple[str, ...]:
    """The tensors that a step moves. Raises FieldError for one that does not exist or is made of whole numbers."""
    if asked is None:
        return wrt if is_function else tuple(traced.parameters)
    leaves = traced.graph.leaves
    for name in asked:
        if name not in leaves:
            raise FieldError(
                f"there is no tensor '{name}' to move", did_you_mean(name, leaves, f"known: {', '.join(leaves)}")
            )
        if traced.values[leaves[name]].dtype.kind != "f":
            raise FieldError(f"'{name}' holds whole numbers and cannot be moved", "name another tensor")
    return tuple(dict.fromkeys(asked))


def combination_of(case: Case) -> str:
    """What tells the case from its siblings of a sweep: `N=2, stride=1`, or ""."""
    known = {**case.options, **case.sizes}
    return ", ".join(f"{name}={known[name]}" for name in case.swept if name in known)

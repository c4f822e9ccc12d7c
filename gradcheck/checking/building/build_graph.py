"""The problems of functions and networks: a graph, and what backpropagation, formulas and numbers claim about it.

Reading and tracing are `graph`'s business; here the traced graph meets the rest of its case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.checking.building.drawing import (
    Built,
    Mistakes,
    draw,
    draw_one,
    draw_upstream,
    expected_claims,
    fitting,
    known,
    numbers_of,
    placing,
)
from gradcheck.errors import FieldError, NonFiniteError, ShapeError, raise_all
from gradcheck.graph.backprop import backprop
from gradcheck.graph.branches import GraphSwitches
from gradcheck.graph.builder import Traced
from gradcheck.graph.expression import index_names, trace_formula, trace_program
from gradcheck.location import SourceText
from gradcheck.model.case import Case, FunctionBody, NetworkBody
from gradcheck.model.problem import Array, Claim, Point, Problem


def build_function(case: Case, body: FunctionBody, seed: int) -> Built:
    mistakes = Mistakes()
    whole = index_names(body.text)
    leaves = {
        name: array if name in whole else array.astype(np.float64)
        for name, array in {
            **draw(case, case.inputs, "inputs", seed, mistakes),
            **draw(case, case.constants, "constants", seed, mistakes),
        }.items()
    }
    raise_all(mistakes.found)
    with placing(case, ("function",)):
        traced = trace_program(body.text, leaves, numbers_of(case))
    floats = [name for name in case.inputs if leaves[name].dtype.kind == "f"]
    return _graph_problem(case, traced, leaves, _wrt(case, leaves, tuple(floats)), seed)


def build_network(case: Case, body: NetworkBody, seed: int) -> Built:
    from gradcheck.checking.building.build_layers import LayerReader  # read only where there is a network
    from gradcheck.graph.network import trace_network

    mistakes = Mistakes()
    arrays = draw(case, case.inputs, "inputs", seed, mistakes)
    raise_all(mistakes.found)

    def initialise(name: str, shape: tuple[int, ...], default: str) -> Array:
        spec = body.parameters.get(name, SourceText.of(default))
        return draw_one(case, spec, name, seed, ("parameters", name), shape).astype(np.float64)

    reader = LayerReader(case)
    with placing(case, ("network",)):
        traced = trace_network(body, arrays, sizes=numbers_of(case), initialise=initialise, custom=reader, seed=seed)
    leaves = {name: traced.values[traced.names[name]] for name in (*arrays, *traced.parameters, *traced.statistics)}
    default = [name for name in (*traced.parameters, "x") if leaves[name].dtype.kind == "f"]
    return _graph_problem(case, traced, leaves, _wrt(case, leaves, tuple(default)), seed, reader.notes, reader.held)


def _graph_problem(
    case: Case,
    traced: Traced,
    leaves: Mapping[str, NDArray[Any]],
    wrt: tuple[str, ...],
    seed: int,
    notes: Callable[[], tuple[str, ...]] = tuple,
    held: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Built:
    """The problem of a function or network: our backpropagation, formulas and numbers make claims about its graph."""
    value = np.asarray(traced.output, dtype=np.float64)
    if not np.isfinite(value).all():
        raise NonFiniteError(f"the function is {_first_bad(value)} at the point", "choose other inputs")
    mistakes = Mistakes()
    upstream = np.ones(value.shape)
    with mistakes.collected():
        upstream = draw_upstream(case, value.shape, seed)
    graph = traced.graph

    def function(point: Point) -> Array:
        return graph.evaluate(point).reshape(-1)

    def vjp(weights: Array) -> dict[str, Array]:
        return backprop(graph, traced.values, weights.reshape(value.shape), wrt)

    try:
        claims = [Claim("backprop", vjp(upstream.reshape(-1)), vjp=vjp)]
    except ShapeError as error:  # only a handwritten layer's gradient can have the wrong shape
        claims = [Claim("backprop", {}, broken=error.message)]
    environment = {name: traced.values[index] for name, index in traced.names.items()}
    claims += _formulas(case, {**environment, "upstream": upstream}, leaves, mistakes)
    claims += expected_claims(case, leaves, value, mistakes)
    raise_all(mistakes.found)
    point = {name: leaves[name] for name in graph.leaves if name in leaves}
    point.update({name: leaves[name] for name in wrt})
    problem = Problem(
        point=point,
        wrt=wrt,
        function=function,
        upstream=upstream.reshape(-1),
        value=value.reshape(-1),
        claims=tuple(claims),
        switches=GraphSwitches(graph, traced.values, upstream),
        traced=traced,
        output_shapes=(value.shape,),
    )
    return Built(problem, notes=notes, held=held)


def _formulas(
    case: Case, environment: Mapping[str, Any], leaves: Mapping[str, NDArray[Any]], mistakes: Mistakes
) -> list[Claim]:
    gradients = {}
    for name, text in case.gradient.items():
        with mistakes.collected(), placing(case, ("gradient", name)):
            known(name, leaves, ("gradient", name))
            value = trace_formula(text, environment, numbers_of(case))
            gradients[name] = fitting(value, leaves[name].shape, name, ("gradient", name), "the formula")
    return [Claim("formula", gradients)] if gradients else []


def _wrt(case: Case, leaves: Mapping[str, NDArray[Any]], default: tuple[str, ...]) -> tuple[str, ...]:
    """The tensors to differentiate, checked."""
    if case.wrt is None:
        if not default:
            raise FieldError("there is nothing to differentiate", "give a float input", ())
        return default
    for name in case.wrt:
        known(name, leaves, ("wrt",))
        if leaves[name].dtype.kind != "f":
            raise FieldError(f"'{name}' holds whole numbers used as indices; it has no gradient", "", ("wrt",))
    return case.wrt


def _first_bad(value: Array) -> str:
    bad = value[~np.isfinite(value)]
    return str(bad.reshape(-1)[0])

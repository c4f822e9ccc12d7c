"""Graphs evaluate forwards, with nothing but forwards, and share no memory with the point."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np
import pytest

from gradcheck.graph.backprop import backprop
from gradcheck.graph.builder import Traced
from gradcheck.graph.expression import trace_program
from gradcheck.graph.graph import Constant, Graph, Leaf, Node
from gradcheck.location import SourceText
from gradcheck.ops.registry import get


def traced(text: str, **leaves: Any) -> Traced:
    return trace_program(SourceText.of(text), leaves)


def test_a_graph_is_a_list_of_vertices_in_order() -> None:
    graph = Graph((Leaf("x"), Constant(np.array(3.0)), Node(get("multiply"), (0, 1)), Node(get("exp"), (2,))), 2)
    assert graph.leaves == {"x": 0}
    assert graph.evaluate({"x": np.array(2.0), "unused": np.array(1.0)}) == 6.0
    assert [float(value) for value in graph.forward({"x": np.array(0.0)})] == [0.0, 3.0, 0.0, 1.0]
    assert graph.ancestors([2]) == {0, 1, 2}


def test_evaluation_at_another_point_gives_what_tracing_there_gives() -> None:
    text = "h = tanh(x @ w)\ns = softmax(h, axis=0)\nsum(where(h > 0, h**2, s[0]), axis=1)"
    random = np.random.default_rng(3)
    first, second = ({"x": random.normal(size=(2, 3)), "w": random.normal(size=(3, 4))} for _ in range(2))
    graph = traced(text, **first).graph
    np.testing.assert_array_equal(graph.evaluate(second), traced(text, **second).output)
    np.testing.assert_array_equal(graph.evaluate(first), traced(text, **first).output)
    for value, expected in zip(graph.forward(second), traced(text, **second).values, strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize(
    "text", ["x", "x.T", "x[0]", "reshape(x, -1)", "x[:, None]", "concatenate([x])", "sum(x, axis=())"]
)
def test_the_output_does_not_change_with_the_point(text: str) -> None:
    x = np.ones((2, 3))
    output = traced(text, x=x).graph.evaluate({"x": x})
    x[...] = 7.0
    assert np.all(output == 1.0)


def test_the_output_is_float64_whatever_was_picked() -> None:
    output = traced("i[1:] + 1", i=np.array([1, 2, 3])).graph.evaluate({"i": np.array([1, 2, 3])})
    assert output.dtype == np.float64
    assert output.tolist() == [3.0, 4.0]


def test_what_the_output_does_not_need_is_not_computed() -> None:
    def refuse(x: Any) -> Any:
        raise AssertionError("evaluated")

    dead = Node(dataclasses.replace(get("exp"), forward=refuse), (0,))
    graph = Graph((Leaf("x"), dead, Node(get("sin"), (0,))), 2)
    assert graph.evaluate({"x": np.array(0.0)}) == 0.0
    with pytest.raises(AssertionError, match="evaluated"):
        graph.forward({"x": np.array(0.0)})


def test_overflow_and_invalid_values_pass_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = traced("y = exp(x) - exp(x)\nlog(y) / (x * 0)", x=np.array([1e4, -1.0]))
        assert not np.isfinite(result.graph.evaluate({"x": np.array([1e4, -1.0])})).any()
        backprop(result.graph, result.values, np.ones(2), ["x"])


def without_rules(graph: Graph) -> Graph:
    """The same graph of ops whose every vjp and delta rule raises."""

    def refuse(*args: Any, **options: Any) -> Any:
        raise AssertionError("a rule was used")

    def stripped(vertex: Any) -> Any:
        if not isinstance(vertex, Node):
            return vertex
        refusals = tuple(refuse for _ in vertex.op.vjps)
        return dataclasses.replace(vertex, op=dataclasses.replace(vertex.op, vjps=refusals, deltas=refusals))

    return Graph(tuple(map(stripped, graph.vertices)), graph.output)


def test_the_forward_engine_needs_no_gradient_rule() -> None:
    x = np.random.default_rng(0).normal(size=(3, 4))
    result = traced("h = relu(x @ x.T)\nlogsumexp(h) + max(h) * mean(abs(x)**3)", x=x)
    bare = without_rules(result.graph)
    assert bare.evaluate({"x": x}) == result.graph.evaluate({"x": x})
    with pytest.raises(AssertionError, match="a rule was used"):
        backprop(bare, result.values, np.ones(()), ["x"])


def test_one_vertex_may_be_given_another_value() -> None:
    x = np.array([1.0, 2.0])
    result = traced("h = 3 * x\nk = exp(x)\nsum(h * h) + sum(k)", x=x)
    replaced = result.graph.evaluate_from(result.values, result.names["h"], np.array([0.0, 1.0]))
    np.testing.assert_allclose(replaced, 1.0 + np.exp(x).sum(), rtol=1e-15)
    moved = result.graph.evaluate_from(result.values, result.names["x"], x + 1.0)
    assert moved == result.graph.evaluate({"x": x + 1.0})

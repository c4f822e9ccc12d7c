"""The reverse sweep: order, accumulation over several uses, and zeros for what is not used."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from gradcheck.errors import ShapeError
from gradcheck.graph.backprop import backprop, sweep
from gradcheck.graph.builder import Traced
from gradcheck.graph.expression import trace_program
from gradcheck.graph.graph import Graph, Node
from gradcheck.location import SourceText


def traced(text: str, **leaves: Any) -> Traced:
    return trace_program(SourceText.of(text), leaves)


def gradients(text: str, upstream: Any = None, wrt: list[str] | None = None, **leaves: Any) -> dict[str, Any]:
    result = traced(text, **leaves)
    g = np.ones(result.output.shape) if upstream is None else np.asarray(upstream)
    return {k: v.tolist() for k, v in backprop(result.graph, result.values, g, wrt or list(leaves)).items()}


def test_a_product_of_a_sum_under_squared_error() -> None:
    found = gradients("q = x + y\nf = q * z\n(target - f)**2", x=-2.0, y=5.0, z=-4.0, target=-10.0, wrt=["x", "y", "z"])
    assert found == {"x": 16.0, "y": 16.0, "z": -12.0}


def test_every_use_of_a_value_adds_to_its_gradient() -> None:
    assert gradients("x * x * x + x", x=2.0) == {"x": 13.0}
    assert gradients("h = exp(x)\nh * h - h", x=0.0) == {"x": 1.0}


def test_a_leaf_that_the_output_does_not_use_gets_zeros() -> None:
    assert gradients("dead = exp(y)\n2 * x", x=[1.0, 2.0], y=[3.0]) == {"x": [2.0, 2.0], "y": [0.0]}


def test_what_is_reached_through_conditions_and_indices_alone_gets_zeros() -> None:
    found = gradients("where(c > 0, x, 0) + table[i]", c=1.0, x=2.0, table=[1.0, 5.0], i=np.array(1))
    assert found == {"c": 0.0, "x": 1.0, "table": [0.0, 1.0], "i": 0.0}


def test_the_upstream_gradient_weights_the_outputs() -> None:
    assert gradients("x**2", upstream=[1.0, -0.5], x=[3.0, 4.0]) == {"x": [6.0, -4.0]}


def test_a_flat_upstream_gradient_takes_the_outputs_shape() -> None:
    assert gradients("x * y", upstream=[1.0, 2.0, 3.0, 4.0], x=[[1.0, 1.0], [1.0, 1.0]], y=2.0)["y"] == 10.0


def test_the_output_may_be_a_leaf() -> None:
    assert gradients("x", upstream=[5.0, 6.0], x=[1.0, 2.0]) == {"x": [5.0, 6.0]}


def test_gradients_are_arrays_of_their_own() -> None:
    result = traced("x + y", x=np.ones(2), y=np.ones(2))
    g = np.ones(2)
    found = backprop(result.graph, result.values, g, ["x", "y"])
    found["x"][0] = 9.0
    assert (found["y"].tolist(), g.tolist()) == ([1.0, 1.0], [1.0, 1.0])


def test_the_sweep_tells_what_arrives_at_every_vertex_on_the_way() -> None:
    result = traced("q = x * y\nq * 3", x=2.0, y=4.0)
    arriving = sweep(result.graph, result.values, np.ones(()), [result.names["x"]])
    assert arriving[result.names["q"]] == 3.0
    assert arriving[result.names["x"]] == 12.0
    assert arriving[result.names["y"]] is None  # nobody asked


def test_a_rule_that_returns_another_shape_is_named_at_its_place() -> None:
    result = traced("h = x + b\nsum(h)", x=np.ones((2, 3)), b=np.ones(3))

    def broken(vertex: Any) -> Any:
        if not isinstance(vertex, Node) or vertex.op.name != "add":
            return vertex
        return dataclasses.replace(vertex, op=dataclasses.replace(vertex.op, vjps=(lambda g, y, a, b: g,) * 2))

    graph = Graph(tuple(map(broken, result.graph.vertices)), result.graph.output)
    with pytest.raises(ShapeError) as caught:
        backprop(graph, result.values, np.ones(()), ["x", "b"])
    assert caught.value.message == "the gradient of 'add' with respect to 'b' has shape (2, 3), expected (3,)"
    assert str(caught.value.location) == "<text>:1:5"

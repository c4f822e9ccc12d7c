"""Five cases of the gallery, told step by step: the pages as files, and their numbers against the engine."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gradcheck.explain.explain import explain
from gradcheck.explain.find import find_case
from gradcheck.graph.backprop import sweep
from gradcheck.graph.builder import Traced
from gradcheck.model.explanation import Explanation, Vertex
from gradcheck.reporters.explanation.mermaid import render_mermaid
from gradcheck.reporters.explanation.page import render_page
from gradcheck.reporters.explanation.text import render_text
from tests.golden.helper import check_golden

LESSONS = {
    "apples": ("cases/01_apples_and_oranges.yaml", None),
    "product_of_a_sum": ("cases/03_product_of_a_sum.yaml", None),
    "used_twice": ("cases/02_nodes.yaml::a value used twice collects", None),
    "small_classifier": ("cases/08_small_classifier.yaml::two sigmoid layers, as a network", None),
    "three_layers": (
        "cases/11_published_example.yaml::the right gradients", ("W1", "b1", "W2", "b2", "W3", "b3"),
    ),
}  # fmt: skip


def explained(lesson: str) -> Explanation:
    written, parameters = LESSONS[lesson]
    case, problems = find_case(written)
    assert case is not None
    assert problems == ()
    return explain(case, 0.01, parameters)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_reads_as_it_did(lesson: str) -> None:
    explanation = explained(lesson)
    check_golden(f"explain/{lesson}.txt", render_text(explanation))
    check_golden(f"explain/{lesson}.mmd", render_mermaid(explanation))


def test_the_page_of_the_apples_is_as_it_was() -> None:
    check_golden("explain/apples.html", render_page(explained("apples")))


@pytest.mark.parametrize("lesson", LESSONS)
def test_values_and_gradients_are_the_engines(lesson: str) -> None:
    """The graph is built anew, run forwards and swept backwards; every number told is one of those."""
    from gradcheck.checking.building.build import build

    written, _ = LESSONS[lesson]
    case, _ = find_case(written)
    assert case is not None
    problem = build(case).problem
    traced = problem.traced
    assert isinstance(traced, Traced)
    values = traced.graph.forward({name: traced.values[i] for name, i in traced.graph.leaves.items()})
    upstream = problem.upstream.reshape(np.shape(traced.output))
    gradients = sweep(traced.graph, values, upstream, [traced.graph.leaves[name] for name in problem.wrt])
    explanation = explained(lesson)
    assert explanation.vertices
    for vertex in explanation.vertices:
        np.testing.assert_array_equal(vertex.value, values[vertex.number])
        expected = gradients[vertex.number]
        if vertex.label in problem.wrt or expected is not None:
            assert vertex.gradient is not None
            np.testing.assert_array_equal(vertex.gradient, expected)


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_ways_to_a_value_add_up_to_its_gradient(lesson: str) -> None:
    for vertex in explained(lesson).vertices:
        if vertex.uses:
            total = sum((use.gradient for use in vertex.uses), start=np.zeros(vertex.value.shape))
            np.testing.assert_allclose(total, vertex.gradient, rtol=1e-14)


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_local_gradient_times_the_upstream_gradient_is_the_downstream_gradient(lesson: str) -> None:
    for vertex in explained(lesson).vertices:
        for way in vertex.ways:
            assert vertex.gradient is not None
            np.testing.assert_allclose(by_local(vertex, way.argument), way.downstream, rtol=1e-12, atol=1e-15)


def by_local(vertex: Vertex, argument: int) -> np.ndarray:
    """The downstream gradient as the page tells it: by slopes, summed where it says so, or by the Jacobian."""
    way = next(w for w in vertex.ways if w.argument == argument)
    assert vertex.gradient is not None
    assert way.local is not None
    if way.form == "jacobian":
        return (vertex.gradient.reshape(-1) @ way.local).reshape(way.downstream.shape)
    product = np.asarray(vertex.gradient * way.local)
    return product.sum(axis=way.summed).reshape(way.downstream.shape)


def test_the_numbers_of_the_page_are_those_of_the_explanation() -> None:
    """Read back from the text: the bill's values, gradients and the product on every way."""
    text = render_text(explained("apples"))
    gradients = dict(re.findall(r"^  (\w+) +([-\d.]+)$", text.split("Gradients of the inputs")[1], re.M))
    assert {name: float(value) for name, value in gradients.items()} == {
        "apple_price": 2.2, "apple_count": 110, "orange_price": 3.3, "orange_count": 165, "tax": 650,
    }  # fmt: skip
    products = re.findall(r"downstream ([-\d.]+) · \(?([-\d.]+)\)? = ([-\d.]+)", text)
    assert len(products) == 8
    assert all(float(a) * float(b) == pytest.approx(float(c), rel=1e-5) for a, b, c in products)

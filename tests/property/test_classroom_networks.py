"""Networks full of kinks a little way off: right gradients pass, no kink is blamed, a wrong element is named."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.checking.examine import examine
from gradcheck.graph.backprop import backprop
from gradcheck.graph.builder import Traced
from gradcheck.graph.expression import trace_program
from gradcheck.location import SourceText
from gradcheck.model.problem import Claim, Point, Problem
from gradcheck.model.report import Finding

CLASSIFIER = """
h = relu(x @ W1 + b1)
-mean(sum(log_softmax(h @ W2 + b2) * target, axis=1))
"""
CONVOLUTION = """
a = relu(x[:, patches] @ W1 + b1)
pooled = max(a[:, windows], axis=2)
h = reshape(pooled, (4, 150)) @ W2 + b2
-mean(sum(log_softmax(h) * target, axis=1))
"""


def one_hot(generator: np.random.Generator, rows: int) -> np.ndarray:
    return np.eye(10)[generator.integers(0, 10, rows)]


def classifier() -> tuple[Traced, dict[str, np.ndarray]]:
    """784-100-10 with relu, as in every first course."""
    r = np.random.default_rng(1)
    leaves = {
        "x": r.normal(size=(32, 784)),
        "W1": r.normal(size=(784, 100)) * np.sqrt(2 / 784),
        "b1": 0.1 * r.normal(size=100),
        "W2": r.normal(size=(100, 10)) * np.sqrt(2 / 100),
        "b2": 0.1 * r.normal(size=10),
        "target": one_hot(r, 32),
    }
    return trace_program(SourceText.of(CLASSIFIER), leaves), leaves


def convolutional() -> tuple[Traced, dict[str, np.ndarray]]:
    """5×5 convolution of 14×14 images to 6 maps, relu, 2×2 max-pooling, a dense layer; patches are picked by index."""
    r = np.random.default_rng(2)
    corner = np.add.outer(np.arange(10) * 14, np.arange(10)).reshape(-1)
    inside = np.add.outer(np.arange(5) * 14, np.arange(5)).reshape(-1)
    pool = np.add.outer(np.arange(0, 10, 2) * 10, np.arange(0, 10, 2)).reshape(-1)
    leaves = {
        "x": r.normal(size=(4, 196)),
        "W1": r.normal(size=(25, 6)) * 0.3,
        "b1": 0.1 * r.normal(size=6),
        "W2": r.normal(size=(150, 10)) * 0.1,
        "b2": 0.1 * r.normal(size=10),
        "target": one_hot(r, 4),
        "patches": np.add.outer(corner, inside),
        "windows": np.add.outer(pool, [0, 1, 10, 11]),
    }
    return trace_program(SourceText.of(CONVOLUTION), leaves), leaves


def check(traced: Traced, leaves: dict[str, np.ndarray], name: str, limit: int, spoil: float = 1.0) -> Finding:
    """Check `limit` elements of one tensor, drawn at random; the third of them multiplied by `spoil`."""
    size = leaves[name].size
    cells = np.random.default_rng(3).permutation(size)[:limit]
    claimed = backprop(traced.graph, traced.values, np.ones(()), [name])[name].reshape(-1)[cells]
    claimed[2] *= spoil

    def function(point: Point) -> np.ndarray:
        moved = leaves[name].copy()
        moved.reshape(-1)[cells] = point[name]
        return traced.graph.evaluate({**leaves, name: moved}).reshape(-1)

    point = {name: leaves[name].reshape(-1)[cells].copy()}
    problem = Problem(point, (name,), function, np.ones(1), function(point), (Claim("backprop", {name: claimed}),))
    (found,) = examine(problem).findings
    return found


@pytest.mark.parametrize("network", [classifier, convolutional], ids=lambda make: make.__name__)
@pytest.mark.parametrize("tensor", ["W1", "b1", "W2", "b2"])
def test_right_gradients_pass_and_no_kink_is_blamed(network, tensor):
    found = check(*network(), tensor, 2000)
    assert (found.verdict, set(found.counts)) == ("pass", {"pass"})


@pytest.mark.parametrize("network", [classifier, convolutional], ids=lambda make: make.__name__)
def test_one_element_wrong_by_a_tenth_is_caught_and_named(network):
    traced, leaves = network()
    claimed = backprop(traced.graph, traced.values, np.ones(()), ["W2"])["W2"].reshape(-1)
    assert claimed[np.random.default_rng(3).permutation(claimed.size)[2]] != 0.0
    found = check(traced, leaves, "W2", 2000, spoil=1.1)
    assert (found.verdict, found.wrong) == ("fail", 1)
    assert found.worst is not None
    assert found.worst.index == (2,)
    assert found.worst.relative_error == pytest.approx(1 - 1 / 1.1, rel=1e-4)

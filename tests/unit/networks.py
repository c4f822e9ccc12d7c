"""The classroom network, handwritten: two linear layers, relu between, softmax cross-entropy; a black box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.model.problem import Claim, Problem

SMALL, FULL = (100, 45, 10), (784, 100, 10)  # 5,005 and 79,510 parameters


def network(seed: int, sizes: tuple[int, int, int] = SMALL, batch: int = 64) -> Problem:
    """At random parameters, with the right gradient as its claim."""
    generator = np.random.default_rng(seed)
    inputs, hidden, classes = sizes
    x, target = generator.normal(size=(batch, inputs)), generator.integers(0, classes, batch)
    point = {
        "W1": generator.normal(size=(inputs, hidden)) * np.sqrt(2 / inputs),
        "b1": 0.1 * generator.normal(size=hidden),
        "W2": generator.normal(size=(hidden, classes)) * np.sqrt(2 / hidden),
        "b2": 0.1 * generator.normal(size=classes),
    }

    def forward(p: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        units = np.maximum(x @ p["W1"] + p["b1"], 0)
        scores = units @ p["W2"] + p["b2"]
        scores -= scores.max(axis=1, keepdims=True)
        return units, scores, np.log(np.exp(scores).sum(axis=1))

    def loss(p: Mapping[str, Any]) -> Any:
        _, scores, logs = forward(p)
        return np.array([np.mean(logs - scores[np.arange(batch), target])])

    units, scores, logs = forward(point)
    down = np.exp(scores - logs[:, None])
    down[np.arange(batch), target] -= 1
    down /= batch
    below = down @ point["W2"].T * (units > 0)
    gradients = {"W1": x.T @ below, "b1": below.sum(axis=0), "W2": units.T @ down, "b2": down.sum(axis=0)}
    return Problem(point, tuple(point), loss, np.ones(1), loss(point), (Claim("backward", gradients),))


def spoiled(made: Problem, tensor: str, count: int, factor: float, seed: int) -> Problem:
    """The same network with some elements of the claim about one tensor multiplied; only such as are not zero."""
    gradients = dict(made.claims[0].gradients)
    wrong = gradients[tensor].copy()
    cells = np.random.default_rng(seed).choice(np.flatnonzero(wrong), count, replace=False)
    wrong.reshape(-1)[cells] *= factor
    claim = Claim("backward", {**gradients, tensor: wrong})
    return Problem(made.point, made.wrt, made.function, made.upstream, made.value, (claim,))

"""The two engines share the forwards and nothing else: a wrong rule must never be able to vouch for itself."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.building.build import build
from gradcheck.model.problem import Problem
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.evidence import TensorEvidence
from gradcheck.numerical.noise import measure_noise
from gradcheck.ops.registry import all_ops

CASE = """
cases:
  - name: function
    function: |
      h = tanh(x @ W + b)
      mean((softmax(h) - 0.3)**2) + logsumexp(maximum(h, 0.1))
    inputs: {x: "normal(4, 3)", W: "normal(3, 5)", b: "normal(5)"}
  - name: network
    network:
      - linear(3, 6)
      - relu
      - linear(6, 2)
    loss: softmax_cross_entropy
    inputs:
      x: normal(5, 3)
      target: integers(0, 2, size=5)
"""


def numbers(problem: Problem) -> list[np.ndarray]:
    noise = measure_noise(problem)
    return [TensorEvidence(problem, PlainLoop(problem, noise), noise, name).estimate.value for name in problem.wrt]


@pytest.mark.parametrize("index", [0, 1], ids=["function", "network"])
def test_without_any_vjp_the_numerical_engine_gives_the_same_numbers(index, tmp_path, monkeypatch):
    (tmp_path / "case.yaml").write_text(CASE, encoding="utf-8")
    loaded = load([tmp_path / "case.yaml"])
    assert loaded.problems == ()
    problem = build(loaded.cases[index]).problem
    before = numbers(problem)

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("the numerical engine asked for a gradient rule")

    for op in all_ops().values():
        object.__setattr__(op, "vjps", tuple(refuse for _ in op.vjps))
    after = numbers(problem)
    with pytest.raises(AssertionError, match="asked for a gradient rule"):
        build(loaded.cases[index])
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(autouse=True)
def restored_rules():
    rules = {op.name: op.vjps for op in all_ops().values()}
    yield
    for op in all_ops().values():
        object.__setattr__(op, "vjps", rules[op.name])

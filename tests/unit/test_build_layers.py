"""Handwritten layers inside networks, as the checking room sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gradcheck.casefile.loader import load
from gradcheck.checking.build import build


def test_the_layers_of_a_network_are_held_for_many_evaluations(tmp_path: Path) -> None:
    methods = (
        "    def forward(self, x):\n        return 2 * x\n    def backward(self, dout):\n        return 2 * dout\n"
    )
    (tmp_path / "code.py").write_text(f"class Twice:\n{methods}")
    layers = 'network:\n  - linear(3, 2)\n  - code("code.py:Twice")\nloss: mse\n'
    (tmp_path / "case.yaml").write_text(f"{layers}inputs:\n  x: normal(4, 3)\n  target: normal(4, 2)\n")
    (case,) = load([tmp_path / "case.yaml"]).cases
    built = build(case)
    ours = np.random.get_bit_generator()
    built.problem.function(built.problem.point)
    assert np.random.get_bit_generator() is ours
    with built.held():
        built.problem.function(built.problem.point)
        assert np.random.get_bit_generator() is not ours
    assert np.random.get_bit_generator() is ours

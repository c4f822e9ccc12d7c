"""Handwritten layers inside networks, as the checking room sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.building.build import build
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.model.report import Report

CODE = """
import numpy as np

class Leaky:
    def __init__(self, alpha=0.1):
        self.alpha = alpha
    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.alpha * x)
    def backward(self, dout):
        return np.where(self.x > 0, dout, self.alpha * dout)

class Broken(Leaky):
    def __init__(self):
        self.alpha = 1 / 0

class Scale:
    def __init__(self):
        self.gamma, self.beta = np.array([1.0, 2.0, 3.0]), np.ones(3)
    def forward(self, x):
        return x * self.gamma + self.beta
    def backward(self, dout):
        return dout * self.gamma
"""


def check(folder: Path, layer: str) -> Report:
    (folder / "layers.py").write_text(CODE)
    (folder / "case.yaml").write_text(f"network:\n  - linear(4, 3)\n  - {layer}\ninputs:\n  x: normal(5, 4)\n")
    return run_cases(load([folder / "case.yaml"]), Settings())


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


@pytest.mark.parametrize(
    ("layer", "column", "width", "message", "hint"),
    [
        ('code("layers.py:Leeky", alpha=0.1)', 21, 5, "layers.py has no 'Leeky'", "did you mean 'Leaky'?"),
        ('code("lairs.py:Leaky")', 10, 16, "there is no file 'lairs.py' beside the case file",
         "did you mean 'layers.py'?"),
        (
            'code("layers.py:Leaky", beta=0.1)', 21, 5, "the handwritten layer 'Leaky' takes no 'beta'",
            "name an argument of its constructor, or of the function",
        ),
    ],
)  # fmt: skip
def test_a_layer_that_cannot_be_had_is_told_at_its_name(
    tmp_path: Path, layer: str, column: int, width: int, message: str, hint: str
) -> None:
    (problem,) = check(tmp_path, layer).problems
    assert (problem.location.line, problem.location.column) == (3, column)
    assert problem.excerpt.count("^") + problem.excerpt.count("~") == width
    assert (problem.message, problem.hint) == (message, hint)


def test_a_layer_that_breaks_is_an_error_of_its_author_and_none_of_the_file(tmp_path: Path) -> None:
    report = check(tmp_path, 'code("layers.py:Broken")')
    assert report.problems == ()
    error = report.cases[0].error
    assert error is not None
    assert (error.kind, error.during, error.text) == ("raised", "load", "ZeroDivisionError: division by zero")
    assert (error.file, error.line) == ("layers.py", 15)


def test_arrays_that_a_layer_holds_itself_are_said_to_be_unchecked(tmp_path: Path) -> None:
    (result,) = check(tmp_path, 'code("layers.py:Scale")').cases
    assert result.verdict == "pass"
    assert result.notes == ("'gamma' and 'beta' of 'Scale' are not checked: only its input is",)
    assert check(tmp_path, 'code("layers.py:Leaky")').cases[0].notes == ()

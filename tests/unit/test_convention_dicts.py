"""Parameters in one dict and their gradients in another: bare names find both, and what is lacking is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.model.report import Report

CODE = """
import numpy as np


def cell_forward(x, h0, weights):
    h = np.tanh(x @ weights["U"] + h0 @ weights["V"])
    return h, (x, h0, h, weights)


def cell_backward(dh, cache):
    x, h0, h, weights = cache
    dz = dh * (1 - h**2)
    return {"dx": dz @ weights["U"].T, "dh0": dz @ weights["V"].T, "dU": x.T @ dz, "dV": h0.T @ dz}


def gate_forward(x, gate):
    return x * gate["w"] * gate["factor"], x


def gate_backward(dout, x, gate):
    grads = dict(w=(dout * x * gate["factor"]).sum(axis=0))
    return dout * gate["w"] * gate["factor"], grads


def ridge(params, X, y, reg):
    error = X @ params["W"] + params["b"] - y
    cost = np.sum(error**2) / 2 + reg * np.sum(params["W"] ** 2)
    grads = {}
    grads["W"] = X.T @ error + 2 * reg * params["W"]
    grads["b"] = error.sum(axis=0)
    return cost, grads


def fit(w, b, X, Y):
    error = X @ w + b - Y
    gradients = {"dw": X.T @ error, "db": error.sum()}
    return gradients, np.sum(error**2) / 2


def slope_cost(x, y, w, b):
    return np.mean((w * x + b - y) ** 2) / 2


def slope_gradient(x, y, w, b):
    error = w * x + b - y
    dj_dw = np.sum(error * x)
    dj_db = np.sum(error)
    return dj_dw / len(x), dj_db / len(x)


class Net:
    def __init__(self, inputs, outputs):
        self.params = {"W": np.random.randn(inputs, outputs), "b": np.zeros(outputs)}

    def loss(self, x, t):
        return np.sum((x @ self.params["W"] + self.params["b"] - t) ** 2) / 2

    def gradient(self, x, t):
        error = x @ self.params["W"] + self.params["b"] - t
        grads = {}
        grads["W"], grads["b"] = x.T @ error, error.sum(axis=0)
        return grads
"""
CELL = """
code: layers.py:cell
inputs:
  x: normal(2, 3)
  h0: normal(2, 4)
  U: normal(3, 4)
  V: normal(4, 4)
"""
GATE = """
code: layers.py:gate
options:
  factor: 2.0
inputs:
  x: normal(2, 3)
  w: normal(3)
"""
RIDGE = """
code: layers.py
forward: ridge
options:
  reg: 0.3
inputs:
  W: normal(3, 2)
  b: normal(2)
  X: normal(4, 3)
  y: normal(4, 2)
"""
FIT = """
code: layers.py
forward: fit
inputs:
  w: normal(3)
  b: 0.7
  X: normal(4, 3)
  Y: normal(4)
"""
SLOPE = """
code: layers.py
forward: slope_cost
inputs:
  x: normal(5)
  y: normal(5)
  w: 0.7
  b: -0.3
"""
NET = """
code: layers.py:Net
sizes:
  inputs: 3
  outputs: 2
inputs:
  x: normal(4, 3)
  t: normal(4, 2)
"""


def report(folder: Path, code: str, case: str) -> Report:
    (folder / "layers.py").write_text(code, encoding="utf-8")
    (folder / "case.yaml").write_text(f"name: case\n{case}", encoding="utf-8")
    return run_cases(load([folder / "case.yaml"]), Settings())


@pytest.mark.parametrize(
    ("case", "statements", "tensors"),
    [
        (
            CELL,
            (
                "forward: h, cache = cell_forward(x, h0, dict(U=U, V=V))",
                "backward: grads = cell_backward(dh, cache)",
                "gradient_at: grads",
            ),
            {"x", "h0", "U", "V"},
        ),
        (
            GATE,
            (
                "forward: out, cache = gate_forward(x, dict(w=w, factor=factor))",
                "backward: dx, grads = gate_backward(dout, x, dict(w=w, factor=factor))",
                "gradient_at: grads",
            ),
            {"x", "w"},
        ),
        (
            RIDGE,
            ("forward: cost, grads = ridge(dict(W=W, b=b), X, y, reg)", "gradient_at: grads"),
            {"W", "b"},
        ),
        (
            FIT,
            ("forward: gradients, cache = fit(w, b, X, Y)", "output: cache", "gradient_at: gradients"),
            {"w", "b"},
        ),
        (
            SLOPE,
            ("forward: out = slope_cost(x, y, w, b)", "backward: dw, db = slope_gradient(x, y, w, b)"),
            {"w", "b"},
        ),
        (
            NET,
            (
                "setup: net = Net(inputs, outputs)",
                "forward: out = net.loss(x, t)",
                "backward: grads = net.gradient(x, t)",
                "parameters_at: net.params",
                "gradient_at: grads",
            ),
            {"W", "b"},
        ),
    ],
    ids=["cell", "gate", "ridge", "fit", "slope", "net"],
)
def test_a_bare_name_finds_the_dicts(tmp_path: Path, case: str, statements: tuple[str, ...], tensors: set[str]) -> None:
    (result,) = report(tmp_path, CODE, case).cases
    assert set(result.statements) == set(statements)
    assert {finding.tensor for finding in result.findings} == tensors
    assert result.verdict == "pass"


@pytest.mark.parametrize(
    ("case", "right", "wrong"),
    [
        (CELL, '"dU": x.T @ dz', '"dU": -x.T @ dz'),
        (CELL, '"dh0": dz @', '"dh0": 2 * dz @'),
        (CELL, "(1 - h**2)", "(1 - h)"),
        (GATE, "grads = dict(w=(dout * x * gate", "grads = dict(w=(dout * gate"),
        (GATE, 'return dout * gate["w"] *', "return dout *"),
        (GATE, 'x * gate["factor"]).sum', "x).sum"),
        (RIDGE, '+ 2 * reg * params["W"]', ""),
        (RIDGE, "error.sum(axis=0)\n    return cost", "error.mean(axis=0)\n    return cost"),
        (RIDGE, "X.T @ error +", "X.T @ error -"),
        (FIT, '"dw": X.T @ error', '"dw": X.T @ Y'),
        (FIT, '"db": error.sum()', '"db": error.mean()'),
        (FIT, "np.sum(error**2) / 2\n\n", "np.sum(error**2)\n\n"),
        (SLOPE, "np.sum(error * x)", "np.sum(error)"),
        (SLOPE, "dj_db / len(x)", "dj_db"),
        (SLOPE, "dj_dw = np.sum(error * x)", "dj_dw = np.sum(abs(error) * x)"),
        (NET, "x.T @ error, error.sum", "-x.T @ error, error.sum"),
        (NET, "error.sum(axis=0)\n        return", "error.sum(axis=0) / 2\n        return"),
        (NET, "x.T @ error, error", "2 * x.T @ error, error"),
    ],
)
def test_a_wrong_gradient_in_a_dict_fails(tmp_path: Path, case: str, right: str, wrong: str) -> None:
    assert CODE.count(right) == 1
    (result,) = report(tmp_path, CODE.replace(right, wrong), case).cases
    assert result.verdict == "fail"


@pytest.mark.parametrize(
    ("case", "entry", "note"),
    [
        (CELL, ', "dV": h0.T @ dz', "'V' is not checked: gradient_at holds no gradient of it"),
        (RIDGE, 'grads["b"] = error.sum(axis=0)', "'b' and 'X' are not checked: gradient_at holds no gradient of them"),
    ],
)
def test_a_gradient_that_the_dict_lacks_is_told(tmp_path: Path, case: str, entry: str, note: str) -> None:
    assert CODE.count(entry) == 1
    (result,) = report(tmp_path, CODE.replace(entry, ""), case).cases
    assert note in result.notes


def test_gradients_without_names_are_asked_for(tmp_path: Path) -> None:
    code = "def word_cost(v, U):\n    cost = (U @ v).sum()\n    return cost, U.sum(axis=0), 0 * U + v\n"
    case = "code: layers.py\nforward: word_cost\ninputs:\n  v: normal(3)\n  U: normal(2, 3)\n"
    (problem,) = report(tmp_path, code, case).problems
    assert problem.message == "cannot tell which inputs 2 of the 2 gradients of 'word_cost(v, U)' belong to"
    assert problem.hint == "write it out: forward: cost, d…, d… = word_cost(…)"


def test_a_lone_gradient_is_asked_about_the_parameters_first(tmp_path: Path) -> None:
    code = (
        "def cost(X, y, theta):\n    grad = X.T @ (X @ theta - y)\n    return ((X @ theta - y) ** 2).sum() / 2, grad\n"
    )
    case = "code: layers.py\nforward: cost\ninputs:\n  X: normal(4, 3)\n  y: normal(4)\n  theta: normal(3)\n"
    (problem,) = report(tmp_path, code, case).problems
    assert problem.message == "cannot tell which of 'X', 'theta' the gradient of 'cost(X, y, theta)' belongs to"
    assert problem.hint == "write it out: forward: loss, dtheta = cost(…)"

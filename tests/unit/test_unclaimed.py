"""What takes part in a call and is not checked is said in a note, in whole sentences, and nothing else is."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings

CODE = """
import numpy as np


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class Own:
    def __init__(self, inputs, outputs):
        self.layers = [dict(kernel=np.ones((inputs, outputs)))]
        self.shift = np.zeros(outputs)
        self.momentum = np.zeros(outputs)
        self.slope = 0.5

    def forward(self, x):
        self.x = x
        self.out = self.slope * (x @ self.layers[0]["kernel"]) + self.shift
        return self.out

    def backward(self, dout):
        return self.slope * dout @ self.layers[0]["kernel"].T


class Lazy:
    def __init__(self):
        self.kernel = None

    def forward(self, x):
        if self.kernel is None:
            self.kernel = np.random.normal(size=(x.shape[1], 2))
        return x @ self.kernel

    def backward(self, dout):
        return dout @ self.kernel.T


class Remembering:
    def __init__(self):
        self.h = np.zeros(3)

    def forward(self, x):
        self.h = np.tanh(x + self.h)
        return self.h

    def backward(self, dout):
        return dout * (1 - self.h**2)


class Once(Own):
    def forward(self, x):
        if hasattr(self, "x"):
            raise RuntimeError("called twice")
        return super().forward(x)


class Model:
    def __init__(self):
        self.params = {"W": np.ones((4, 2)), "b": np.ones(2)}

    def loss(self, x, y):
        difference = x @ self.params["W"] + self.params["b"] - y
        return np.sum(difference**2), {"W": 2 * x.T @ difference, "b": 2 * difference.sum(axis=0)}


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def cell_forward(x, w):
    h, c = np.tanh(x @ w), 2 * (x @ w)
    return h, c, (x, w, h)


def cell_backward(dh, cache):
    x, w, h = cache
    dz = dh * (1 - h**2)
    return dz @ w.T, x.T @ dz


def squares(x, y):
    return np.sum((x - y) ** 2), 2 * (x - y)


def weighted(x, y):
    return x * y


def standardised(x, running_mean):
    running_mean += x.mean(axis=0)
    return x - x.mean(axis=0)


def standardised_backward(dout):
    return dout - dout.mean(axis=0)


def halved(x, p):
    if p != 0.5:
        raise ValueError("p must be a half")
    return x * p
"""
LAYER = "setup: layer = Affine(W, b)\nforward: out = layer.forward(x)\nbackward: dx = layer.backward(dout)\n"
X, W, B = "inputs:\n  x: normal(3, 4)\n", "  W: normal(4, 2)\n", "  b: normal(2)\n"
PAIR = "forward: out, cache = affine_forward(x, w, b)\nbackward: {} = affine_backward(dout, cache)\n"
PAIR_INPUTS = f"{X}  w: normal(4, 2)\n{B}"
CELL = f"forward: {{}} = cell_forward(x, w)\nbackward: dx, dw = cell_backward(dh, cache)\n{X}  w: normal(4, 2)\n"


def notes(folder: Path, case: str) -> tuple[str, ...]:
    """The notes of a case, which passes."""
    (folder / "layers.py").write_text(CODE, encoding="utf-8")
    (folder / "case.yaml").write_text(f"name: case\ncode: layers.py\n{textwrap.dedent(case)}", encoding="utf-8")
    report = run_cases(load([folder / "case.yaml"]), Settings())
    assert (report.problems, [case.verdict for case in report.cases]) == ((), ["pass"] * len(report.cases))
    return tuple(note for case in report.cases for note in case.notes)


@pytest.mark.parametrize(
    ("case", "note"),
    [
        (f"{LAYER}{X}{W}{B}", "'W' and 'b' are not checked: no gradient_at says where their gradients are"),
        (
            f"{LAYER}gradient_at:\n  W: layer.dW\n{X}{W}{B}",
            "'b' is not checked: no gradient_at says where its gradient is",
        ),
        (PAIR.format("dx, _, db") + PAIR_INPUTS, "'w' is not checked: no statement assigns 'dw'"),
        (PAIR.format("_, dw, _") + PAIR_INPUTS, "'x' and 'b' are not checked: no statement assigns 'dx' or 'db'"),
        (
            f"forward: out = weighted(x, y)\nbackward: dx = dout * y\n{X}  y: normal(3, 4)\n",
            "'y' is not checked: no statement assigns 'dy'",  # a factor, whatever it is called
        ),
        (
            f"setup: own = Own(4, 2)\nforward: out = own.forward(x)\nbackward: dx = own.backward(dout)\n{X}",
            "'own.layers[0][\"kernel\"]' and 'own.shift' are not checked: "
            "no gradient_at says where their gradients are",
        ),
        (
            f"setup: layer = Lazy()\nforward: out = layer.forward(x)\nbackward: dx = layer.backward(dout)\n{X}",
            "'layer.kernel' is not checked: no gradient_at says where its gradient is",
        ),
        (
            CELL.format("h, c, cache"),
            "gradients through 'c' are not checked: forward returns it, and backward takes neither it nor 'dc'",
        ),
    ],
)
def test_what_nobody_claims_a_gradient_of_is_told(tmp_path: Path, case: str, note: str) -> None:
    assert notes(tmp_path, case) == (note,)


@pytest.mark.parametrize(
    "case",
    [
        PAIR.format("dx, dw, db") + PAIR_INPUTS,
        PAIR.format("dx, _, _") + PAIR_INPUTS + "wrt: x\n",  # said, not forgotten
        f"{LAYER}{X}{W}{B}wrt: [x]\n",
        CELL.format("h, _, cache"),
        f"forward: loss, dx = squares(x, y)\n{X}  y: normal(3, 4)\n",  # the target of a loss
        f"forward: loss, dx = squares(x, y)\n{X}  y: integers(0, 5, size=(3, 4))\n",
        f"forward: out = standardised(x, mean)\nbackward: dx = standardised_backward(dout)\n{X}  mean: normal(4)\n",
        f"forward: out = halved(x, p)\nbackward: dx = dout * p\n{X}  p: 0.5\n",  # it cannot be moved
        "setup: layer = Remembering()\nforward: out = layer.forward(x)\nbackward: dx = layer.backward(dout)\n"
        "inputs:\n  x: normal(2, 3)\nwrt: x\n",
        "setup: net = Model()\nforward: loss, grads = net.loss(x, y)\nparameters_at: net.params\ngradient_at: grads\n"
        f"{X}  y: normal(3, 2)\n",  # the data of a model
        f"setup: own = Once(4, 2)\nforward: out = own.forward(x)\nbackward: dx = own.backward(dout)\n{X}",
    ],
)
def test_nothing_is_told_of_a_call_that_is_checked_whole_or_on_purpose_in_part(tmp_path: Path, case: str) -> None:
    assert [note for note in notes(tmp_path, case) if "not checked" in note] == []


def test_a_state_that_forward_moves_on_is_no_parameter(tmp_path: Path) -> None:
    case = f"setup: layer = Remembering()\nforward: out = layer.forward(x)\nbackward: dx = layer.backward(dout)\n{X}"
    assert notes(tmp_path, case.replace("(3, 4)", "(2, 3)")) == ()


def test_a_long_list_of_tensors_is_cut(tmp_path: Path) -> None:
    names = [f"w{i}" for i in range(8)]
    inputs = "".join(f"  {name}: normal(3, 4)\n" for name in names)
    case = f"forward: out = x * ({' + '.join(names)})\nbackward: dx = dout * ({' + '.join(names)})\n{X}{inputs}"
    gradients = "'dw0' or 'dw1' or 'dw2' or 'dw3' or 'dw4' or 'dw5'"
    told = f"'w0', 'w1', 'w2', 'w3', 'w4' and 3 more are not checked: no statement assigns {gradients}"
    assert notes(tmp_path, case) == (told,)


def test_a_stress_variant_does_not_repeat_what_its_case_has_said(tmp_path: Path) -> None:
    told = "'W' and 'b' are not checked: no gradient_at says where their gradients are"
    assert notes(tmp_path, f"{LAYER}{X}{W}{B}vary: [scale]\n") == (told,)

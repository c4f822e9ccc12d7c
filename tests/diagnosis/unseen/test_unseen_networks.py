"""Networks with six handwritten layers of which one is wrong: that layer is named, whatever is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.checking.one_case import check_case
from gradcheck.checking.settings import Settings
from gradcheck.model.report import CaseResult
from tests.diagnosis.unseen.unseen_suite import case_named

LAYERS = '''
import numpy as np


def bend_forward(x):
    return np.log1p(np.exp(x)), x


def bend_backward(dout, x):
    return dout / (1 + np.exp(-x))


class Share:
    """Softmax over a row."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, d):
        return self.p * (d - (d * self.p).sum(axis=1, keepdims=True))


class Centre:
    def forward(self, x):
        return x - x.mean(axis=0)

    def backward(self, d):
        return d - d.mean(axis=0)


class Total:
    """Running sums along a row."""

    def forward(self, x):
        return np.cumsum(x, axis=1)

    def backward(self, d):
        return np.cumsum(d[:, ::-1], axis=1)[:, ::-1]


def unit_forward(x):
    n = np.sqrt((x * x).sum(axis=1, keepdims=True) + 0.1)
    return x / n, (x, n)


def unit_backward(d, cache):
    x, n = cache
    return d / n - x * (d * x).sum(axis=1, keepdims=True) / n**3


class Gate:
    def __init__(self, slope=1.0):
        self.slope = slope

    def forward(self, x):
        self.x = x
        self.s = 1 / (1 + np.exp(-self.slope * x))
        return x * self.s

    def backward(self, d):
        return d * (self.s + self.slope * self.x * self.s * (1 - self.s))
'''

NETWORK = """
name: six layers
network:
  - linear(3, 4)
  - {0}
  - {1}
  - - linear(4, 4)
    - {2}
  - {3}
  - linear(4, 4)
  - {4}
  - {5}
  - linear(4, 2)
loss: mse
inputs:
  x: normal(3, 3)
  target: normal(3, 2)
"""
PLACES = (2, 3, 5, 6, 8, 9)  # of the layers, as a reader counts
NAMES = ("bend", "Share", "Centre", "Total", "unit", "Gate")

MISTAKES = [
    ("bend", "dout / (1 + np.exp(-x))", "dout / (1 + np.exp(x))"),
    ("bend", "dout / (1 + np.exp(-x))", "dout"),
    ("bend", "dout / (1 + np.exp(-x))", "dout * np.log1p(np.exp(x))"),
    ("bend", "dout / (1 + np.exp(-x))", "1 / (1 + np.exp(-x))"),
    ("Share", "self.p * (d - (d * self.p).sum(axis=1, keepdims=True))", "self.p * (1 - self.p) * d"),
    ("Share", "(d * self.p).sum(axis=1", "(d * self.p).sum(axis=0"),
    ("Share", "(d * self.p).sum(axis=1, keepdims=True))", "d.sum(axis=1, keepdims=True))"),
    ("Centre", "return d - d.mean(axis=0)", "return d"),
    ("Centre", "return d - d.mean(axis=0)", "return d - d.mean(axis=1, keepdims=True)"),
    ("Centre", "return d - d.mean(axis=0)", "return d - d.sum(axis=0)"),
    ("Centre", "return d - d.mean(axis=0)", "return 1.001 * (d - d.mean(axis=0))"),
    ("Total", "np.cumsum(d[:, ::-1], axis=1)[:, ::-1]", "np.cumsum(d, axis=1)"),
    ("Total", "np.cumsum(d[:, ::-1], axis=1)[:, ::-1]", "np.cumsum(d[::-1], axis=0)[::-1]"),
    ("Total", "np.cumsum(d[:, ::-1], axis=1)[:, ::-1]", "np.cumsum(d[:, ::-1], axis=1)"),
    ("unit", "d / n - x * (d * x).sum(axis=1, keepdims=True) / n**3", "d / n"),
    ("unit", "/ n**3", "/ n**2"),
    ("unit", "d / n - x", "d / n + x"),
    ("Gate", "d * (self.s + self.slope * self.x", "d * (self.s + self.x"),
    ("Gate", "self.s * (1 - self.s))", "(1 - self.s))"),
    ("Gate", "return d * (", "return np.clip(d, -0.01, 0.01) * ("),
]  # fmt: skip


@pytest.mark.parametrize(
    ("turn", "mistake"), list(enumerate(MISTAKES)), ids=[f"{name}: {new}" for name, _, new in MISTAKES]
)
def test_of_six_layers_the_wrong_one_is_named(turn: int, mistake: tuple[str, str, str], tmp_path: Path) -> None:
    """Each mistake stands at another place, with other layers before and behind it."""
    name, old, new = mistake
    assert LAYERS.count(old) == 1, old
    (tmp_path / "own.py").write_text(LAYERS.replace(old, new), encoding="utf-8")
    order = [NAMES[(place + turn) % len(NAMES)] for place in range(len(NAMES))]
    written = [f'code("own.py:{layer}"{", slope=1.7" if layer == "Gate" else ""})' for layer in order]
    (tmp_path / "net.yaml").write_text(NETWORK.format(*written), encoding="utf-8")
    result = check_case(case_named(tmp_path / "net.yaml", "six layers"), Settings())
    assert isinstance(result, CaseResult)
    failing = [finding for finding in result.findings if finding.verdict == "fail"]
    assert failing, result.findings
    number = PLACES[order.index(name)]
    for finding in failing:
        assert finding.diagnosis[0].kind == "layer", finding
        assert finding.diagnosis[0].place.startswith(f"layer {number}, "), finding.diagnosis

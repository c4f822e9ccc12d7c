"""Where the numbers leave it open, another run decides: another size, or the penalty off."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.model.report import Diagnosis, Finding

MEAN = """
import numpy as np


def forward(x, w):
    return (x @ w).sum() / len(x)


def backward(dout, x, w):
    return dout * {factor} * np.outer(x.sum(axis=0), np.ones(w.shape[1]))
"""
MEAN_CASE = """
name: mean
code: code.py
forward: out = forward(x, w)
backward: dw = backward(dout, x, w)
inputs:
  x: normal(N, D)
  w: normal(D, C)
sizes:
  N: {n}
  C: {c}
  D: {d}
"""
RIDGE = """
import numpy as np


def forward(X, y, W, reg):
    return ((X @ W - y) ** 2).mean() + reg * (W**2).sum()


def backward(X, y, W, reg):
    return 2 * X.T @ (X @ W - y) / len(y) + {penalty}
"""
RIDGE_CASE = """
name: ridge
code: code.py
forward: loss = forward(X, y, W, reg)
backward: dW = backward(X, y, W, reg)
inputs:
  X: normal(7, 4)
  y: normal(7)
  W: normal(4)
options:
  reg: 0.3
"""


def findings_of(folder: Path, code: str, case: str) -> list[Finding]:
    (folder / "code.py").write_text(code, encoding="utf-8")
    (folder / "case.yaml").write_text(case, encoding="utf-8")
    report = run_cases(load((str(folder / "case.yaml"),)), Settings())
    assert not report.problems
    return [finding for finding in report.cases[0].findings if finding.verdict == "fail"]


def first(folder: Path, code: str, case: str) -> Diagnosis:
    return findings_of(folder, code, case)[0].diagnosis[0]


@pytest.mark.parametrize(
    ("factor", "sizes", "told"),
    [
        # right is 1 / len(x) = 1/N
        ("1 / len(x) / w.shape[1]", (4, 4, 3), "times 1/C, here 0.25 (with N = 5 and C = 6 it is 0.166667)"),
        ("1 / len(x) / len(x)", (4, 4, 3), "times 1/N, here 0.25 (with N = 5 and C = 6 it is 0.2)"),
        ("1", (3, 3, 3), "times N, here 3 (with N = 5 and C = 6 and D = 7 it is 5)"),
        ("w.shape[0] / len(x)", (3, 3, 3), "times D, here 3 (with N = 5 and C = 6 and D = 7 it is 7)"),
        ("2 / len(x)", (2, 3, 5), "times 2 (with N = 6 it is 2); a factor 2 is one too many"),
        ("1", (2, 3, 5), "times N, here 2 (with N = 6 it is 6)"),
    ],
)
def test_another_size_tells_which_constant_it_is(
    factor: str, sizes: tuple[int, int, int], told: str, tmp_path: Path
) -> None:
    n, c, d = sizes
    said = first(tmp_path, MEAN.format(factor=factor), MEAN_CASE.format(n=n, c=c, d=d))
    assert said.kind == "factor"
    assert told in said.text


def test_code_that_cannot_have_another_size_keeps_the_first_name(tmp_path: Path) -> None:
    code = MEAN.format(factor="1 / len(x) / w.shape[1]").replace(
        "    return (x", "    assert len(x) == 4\n    return (x"
    )
    said = first(tmp_path, code, MEAN_CASE.format(n=4, c=4, d=3))
    assert said.text.startswith("every element is the right one times 1/N, here 0.25; is it")


def test_a_loop_that_never_ends_with_another_size_is_left(tmp_path: Path) -> None:
    code = MEAN.format(factor="1 / len(x) / w.shape[1]")
    code = code.replace("    return (x", "    while len(x) != 4:\n        pass\n    return (x")
    said = first(tmp_path, code, MEAN_CASE.format(n=4, c=4, d=3))
    assert said.text.startswith("every element is the right one times 1/N, here 0.25; is it")


@pytest.mark.parametrize(
    ("penalty", "told"),
    [
        ("0 * W", "that is 2·reg: the gradient of the penalty is missing, or a part of it"),
        ("reg * W", "that is reg: the gradient of the penalty is missing, or a part of it"),
        ("4 * reg * W", "or on a tensor that has none"),
    ],
)
def test_a_penalty_is_confirmed_with_the_penalty_off(penalty: str, told: str, tmp_path: Path) -> None:
    said = first(tmp_path, RIDGE.format(penalty=penalty), RIDGE_CASE)
    assert said.kind == "penalty"
    assert said.text.endswith(f"{told}; with reg = 0 nothing is wrong")


def test_what_stays_with_the_penalty_off_is_not_put_down_to_its_strength(tmp_path: Path) -> None:
    """0.6 is 2·reg here, and a number of its own."""
    said = first(tmp_path, RIDGE.format(penalty="2 * reg * W + 0.6 * W"), RIDGE_CASE)
    assert "reg" not in said.text


STALE = """
import numpy as np


class Affine:
    def __init__(self, W):
        self.W, self.dW = W, {start}

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW += self.x.T @ dout
        return dout @ self.W.T
"""
STALE_CASE = """
name: affine
code: code.py
setup: |
  layer = Affine(W){more}
forward: out = layer.forward(x)
backward: dx = layer.backward(dout)
gradient_at:
  W: layer.dW
inputs:
  x: normal(4, 3)
  W: normal(3, 2)
upstream: random
"""


def test_what_is_left_in_an_array_that_is_added_to_is_named(tmp_path: Path) -> None:
    code = STALE.format(start="np.ones_like(W)")
    said = first(tmp_path, code, STALE_CASE.format(more=""))
    advice = "write `self.dW = self.x.T @ dout` in place of `self.dW += self.x.T @ dout`; then the gradient is right"
    assert (said.kind, said.place, said.advice) == ("stale", "code.py:14", advice)
    followed = code.replace("        self.dW += ", "        self.dW = ")
    assert findings_of(tmp_path, followed, STALE_CASE.format(more="")) == []


def test_what_calls_have_added_up_is_counted(tmp_path: Path) -> None:
    """The setup has run a backward before: the gradient of the same upstream gradient is there twice."""
    code = STALE.format(start="np.zeros_like(W)")
    warm = "; layer.backward(np.ones_like(layer.forward(x)))"
    case = STALE_CASE.replace("upstream: random", "upstream: ones").format(more=f"\n{warm.replace('; ', '  ')}")
    failing = findings_of(tmp_path, code, case)
    assert [finding.tensor for finding in failing] == ["W"]
    text = "the gradient has been added up 2 times, and a second backward adds it once more"
    advice = "begin every backward with fresh arrays"
    assert (failing[0].diagnosis[0].text, failing[0].diagnosis[0].advice) == (text, advice)


def test_code_is_asked_a_few_times_only_and_leaves_no_trace(tmp_path: Path) -> None:
    """What an edited run prints or keeps is not in the notes, and two runs give the same report."""
    code = RIDGE.format(penalty="reg * np.tanh(W) * X[0, 0]")
    before, after = code.split("    return 2 * X.T")
    code = f"SEEN = []\n{before}    out = 2 * X.T{after}    if out.shape != W.shape:\n        print('odd')\n"
    code += "        SEEN.append(out.shape)\n    return out + 0 * len(SEEN)\n"
    once = findings_of(tmp_path, code, RIDGE_CASE)
    assert once
    assert once == findings_of(tmp_path, code, RIDGE_CASE)
    report = run_cases(load((str(tmp_path / "case.yaml"),)), Settings())
    assert not any("print" in note or "overwrites" in note for note in report.cases[0].notes)

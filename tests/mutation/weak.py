"""Layers that are right, and cases that would hardly notice if they were not: one sample, ones and zeros as weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gradcheck.casefile.loader import load
from gradcheck.mutation.outcomes import Mutant, MutationReport
from gradcheck.mutation.score import mutate

LAYERS = """\
import numpy as np


def norm_forward(x, gamma, beta):
    mean, variance = x.mean(axis=0), x.var(axis=0)
    normal = (x - mean) / np.sqrt(variance + 1e-5)
    return gamma * normal + beta, (normal, variance, gamma)


def norm_backward(dout, cache):
    normal, variance, gamma = cache
    dnormal = dout * gamma
    dx = (dnormal - dnormal.mean(axis=0) - normal * (dnormal * normal).mean(axis=0)) / np.sqrt(variance + 1e-5)
    return dx, (dout * normal).sum(axis=0), dout.sum(axis=0)


def ridge(W, X, y, reg):
    residual = X @ W - y
    loss = (residual**2).mean() + reg * (W**2).sum()
    dW = 2 * X.T @ residual / len(y) + 2 * reg * W
    return loss, dW


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def scaled_forward(x, mode):
    return (3 * x if mode == "train" else x), mode


def scaled_backward(dout, mode):
    if mode == "train":
        return 3 * dout
    return dout
"""
NORM = """
  - name: a norm that is not trained
    forward: out, cache = norm_forward(x, gamma, beta)
    backward: dx, dgamma, dbeta = norm_backward(dout, cache)
    inputs:
      x: 3*normal(5, 3)
      gamma: ones(3)
      beta: zeros(3)
"""
RIDGE = """
  - name: ridge regression at zero
    forward: loss, dW = ridge(W, X, y, reg)
    inputs:
      W: zeros(3)
      X: normal(4, 3)
      y: normal(4)
    options:
      reg: 0.1
"""
ONE_SAMPLE = """
  - name: one sample
    forward: out, cache = affine_forward(x, w, b)
    backward: dx, dw, db = affine_backward(dout, cache)
    inputs:
      x: normal(N, 3)
      w: normal(3, 2)
      b: normal(2)
    sizes:
      N: 1
"""
ONE_MODE = """
  - name: one mode of two
    forward: out, cache = scaled_forward(x, "train")
    backward: dx = scaled_backward(dout, cache)
    inputs:
      x: normal(2, 3)
"""


def write(folder: Path, *cases: str, code: str = LAYERS) -> Path:
    """A case file with the cases, and the layers beside it."""
    (folder / "layers.py").write_text(code)
    file = folder / "weak.yaml"
    file.write_text("defaults:\n  code: layers.py\ncases:" + "".join(cases))
    return file


def mutated(file: Path, limit: int = 10_000, seed: int = 0) -> MutationReport:
    loaded = load([file])
    assert not loaded.problems
    return mutate(loaded.cases, limit=limit, seed=seed)


def survivors(report: MutationReport, sort: str = "source") -> list[Mutant]:
    return [mutant for mutant in report.mutants if mutant.fate == "survived" and mutant.sort == sort]


def added_lines(mutants: Sequence[Mutant]) -> list[str]:
    """What each mutant writes in place of what stood there."""
    return [line[1:].strip() for m in mutants for line in m.diff.splitlines()[2:] if line.startswith("+")]

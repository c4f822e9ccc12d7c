"""Reports with pictures: real runs of wrong code, beside the hand-made report that has every kind of outcome."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.model.report import Report
from tests.unit.reports import EVERYTHING, PROBLEMS
from tests.unit.sinks import evil_report

CODE = """\
import numpy as np


def conv_forward(x, w):
    out = np.zeros((x.shape[0], w.shape[0], x.shape[2] - w.shape[2] + 1, x.shape[3] - w.shape[3] + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            out[:, :, i, j] = np.einsum("nckl,fckl->nf", x[:, :, i:i + w.shape[2], j:j + w.shape[3]], w)
    return out, (x, w)


def conv_backward(dout, cache):
    x, w = cache
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            dw += np.einsum("nf,nckl->fckl", dout[:, :, i, j], x[:, :, i:i + w.shape[2], j:j + w.shape[3]])
            dx[:, :, i:i + w.shape[2], j:j + w.shape[3]] = np.einsum("nf,fckl->nckl", dout[:, :, i, j], w)
    return dx, dw


def broken_forward(x):
    return x[7], None


def broken_backward(dout, cache):
    return dout
"""

CASES = """\
cases:
  - name: convolution
    why: Windows overlap, so what flows back through them adds up.
    code: conv.py
    forward: out, cache = conv_forward(x, w)
    backward: dx, dw = conv_backward(dout, cache)
    inputs:
      x: normal(2, 2, 4, 4)
      w: normal(3, 2, 3, 3)
  - name: breaks
    code: conv.py
    forward: out, cache = broken_forward(x)
    backward: dx = broken_backward(dout, cache)
    inputs:
      x: normal(3)
  - name: half of it
    function: sum(exp(x))
    inputs:
      x: normal(40)
    gradient:
      x: exp(x) / 2
  - name: a published number
    function: x**3
    inputs:
      x: 2
    expected:
      x: 13
    expect:
      x: fail
  - name: right
    function: sum(x**2)
    inputs:
      x: normal(3, 4)
  - name: at a kink
    function: relu(x)
    inputs:
      x: 0
"""


@cache
def wrong_run() -> Report:
    """What a run of wrong code finds, with the numbers for pictures; the files are gone afterwards."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "conv.py").write_text(CODE)
        (folder / "wrong.yaml").write_text(CASES)
        return run_cases(load((str(folder / "wrong.yaml"),)), Settings(pictures=True))


@cache
def full_report() -> Report:
    """Real findings, every kind of outcome, problems of files, and a case whose texts are all hostile."""
    return Report((*wrong_run().cases, *EVERYTHING, *evil_report("=").cases), PROBLEMS)

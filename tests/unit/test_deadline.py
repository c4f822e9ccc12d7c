"""Code that does not end becomes a timeout of its author's, and the next case is not affected."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.deadline import is_enforced
from gradcheck.checking.settings import Settings
from gradcheck.model.report import CaseResult

CODE = """
def forward(x):
    return (x**2).sum(), x

def endless(x):
    while True:
        try:
            x = x + 0
        except Exception:
            pass

def backward(dout, x):
    return dout * 2 * x

def endless_backward(dout, x):
    while True:
        pass
"""
CASES = """
defaults:
  code: code.py
  timeout: 0.3
  inputs:
    x: normal(3)
cases:
  - name: forward
    forward: out, cache = endless(x)
    backward: dx = backward(dout, cache)
  - name: backward
    forward: out, cache = forward(x)
    backward: dx = endless_backward(dout, cache)
  - name: quick
    forward: out, cache = forward(x)
    backward: dx = backward(dout, cache)
"""


@pytest.fixture
def results(tmp_path: Path) -> dict[str, CaseResult]:
    (tmp_path / "code.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "cases.yaml").write_text(CASES, encoding="utf-8")
    return {case.name: case for case in run_cases(load([tmp_path / "cases.yaml"]), Settings()).cases}


pytestmark = pytest.mark.skipif(not is_enforced(), reason="this system has no timer that interrupts the main thread")


@pytest.mark.parametrize(("name", "lines"), [("forward", range(6, 11)), ("backward", range(16, 19))])
def test_code_that_does_not_end_is_a_timeout_with_its_line(results, name, lines):
    error = results[name].error
    assert error is not None
    assert (error.kind, error.during, error.file) == ("timeout", name, "code.py")
    assert error.text == "your code was not done after 0.3 s"
    assert error.line in lines


def test_the_next_case_is_checked_and_no_timer_is_left(results):
    assert results["quick"].verdict == "pass"
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)

"""Sizes, options and swept names that nothing uses: noted, or refused where every combination would be the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.casefile.loader import load
from gradcheck.casefile.usage import unused_names
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.model.report import Report

CODE = """
import numpy as np


class Scale:
    def __init__(self, factor=2.0):
        self.factor = factor

    def forward(self, x):
        return self.factor * x

    def backward(self, dout):
        return self.factor * dout


def scale_forward(x, scale_param):
    return scale_param["factor"] * x, scale_param["factor"]


def scale_backward(dout, cache):
    return cache * dout
"""
FUNCTION = "function: sum(x**p)\ninputs:\n  x: normal(N)\nsizes:\n  N: 3\noptions:\n  p: 2\n"


def check(folder: Path, case: str) -> Report:
    (folder / "code.py").write_text(CODE, encoding="utf-8")
    (folder / "case.yaml").write_text(case, encoding="utf-8")
    return run_cases(load([folder / "case.yaml"]), Settings())


def notes(report: Report) -> list[tuple[str, ...]]:
    assert report.problems == ()
    return [case.notes for case in report.cases]


def test_what_is_written_and_not_used_is_noted(tmp_path: Path) -> None:
    case = FUNCTION.replace("  N: 3\n", "  N: 3\n  M: 4\n") + "  reg: 0.1\n"
    told = ("nothing in the case uses the size 'M'", "nothing in the case uses the option 'reg'")
    assert notes(check(tmp_path, case)) == [told]


def test_a_sweep_that_changes_nothing_is_a_mistake_of_the_file(tmp_path: Path) -> None:
    report = check(tmp_path, FUNCTION + "sweep:\n  N: [1, 2]\n  pad: [0, 1]\n  how: [a, b]\n")
    assert report.cases == ()
    hint = "let a statement or an array use it, or leave it out of the sweep"
    assert [(p.location.line, p.location.column, p.message, p.hint) for p in report.problems] == [
        (10, 3, "nothing in the case uses 'pad', so every value is the same check", hint),
        (11, 3, "nothing in the case uses 'how', so every value is the same check", hint),
    ]


def test_what_defaults_offer_may_stay_unused(tmp_path: Path) -> None:
    case = (
        "defaults:\n  sizes:\n    N: 3\n    M: 4\n  options:\n    p: 2\n    reg: 0.1\n"
        "cases:\n  - name: one\n    function: sum(x**p)\n    inputs:\n      x: normal(N)\n"
    )
    assert notes(check(tmp_path, case)) == [()]
    swept = case.replace("cases:", "  sweep:\n    pad: [0, 1]\ncases:")
    told = "nothing in the case uses 'pad', which the defaults sweep: every value is the same check"
    assert notes(check(tmp_path, swept)) == [(told,), (told,)]


@pytest.mark.parametrize(
    "case",
    [
        FUNCTION,
        "code: code.py:Scale\ninputs:\n  x: normal(3)\noptions:\n  factor: 3.0\n",
        "code: code.py\nforward: scale_forward\ninputs:\n  x: normal(3)\noptions:\n  factor: 3.0\n",
        "code: code.py\nsetup: layer = Scale(factor=k)\nforward: out = layer.forward(x)\n"
        "backward: dx = layer.backward(dout)\ninputs:\n  x: normal(3)\nscale:\n  x: 1/N\noptions:\n  k: 3.0\nsizes:\n"
        "  N: 1\n",
        "code: code.py\nsetup: layer = Scale()\nforward: out = layer.forward(x)[:n]\n"
        "backward: |\n  dx = np.zeros(3)\n  dx[:n] = layer.backward(dout)\ninputs:\n  x: normal(3)\nsizes:\n  n: 2\n",
        "network:\n  - linear(n, m)\n  - - relu\n    - linear(m, m)\n  - code(\"code.py:Scale\", factor=f)\nloss: mse\n"
        "penalty: l2(reg)\ninputs:\n  x: normal(2, n)\n  target: normal(2, m)\noptions:\n  reg: 0.1\n  f: 2.5\nsizes:\n"
        "  n: 3\n  m: 2\n",
    ],
)  # fmt: skip
def test_every_text_of_a_case_may_use_a_name(tmp_path: Path, case: str) -> None:
    assert notes(check(tmp_path, case)) == [()]


def test_a_name_that_a_statement_only_sets_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text(FUNCTION.replace("sum(x**p)", "|\n  q = x\n  sum(q)"), encoding="utf-8")
    (case,) = load([tmp_path / "case.yaml"]).cases
    assert unused_names(case, case.body) == ("p",)

"""A name in the statements that nothing gives a value is told at its place, with what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.model.report import Report

CODE = """
import numpy as np

SCALE = 2.0


def affine_forward(x, w):
    return x @ w, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout


def cell_forward(x, w):
    h, c = np.tanh(x @ w), x @ w
    return h, c, (x, w, h)


def broken(x, w):
    raise ValueError("never")


class Affine:
    def __init__(self, w):
        self.w = w

    def forward(self, x):
        return x @ self.w

    def backward(self, dout):
        return dout @ self.w.T


def prepare():
    globals()["shift"] = 1.0


def fail():
    raise ValueError("too early to know what setup makes")
"""
PAIR = "forward: out, cache = affine_forward(x, w)\nbackward: dx, dw = affine_backward(dout, cache)\n"
LAYER = "setup: layer = Affine(w)\nforward: out = layer.forward(x)\nbackward: dx = layer.backward(dout)\n"
ELSEWHERE = "a number stands under 'options:', an array under 'inputs:'"


def check(folder: Path, case: str) -> Report:
    (folder / "layers.py").write_text(CODE, encoding="utf-8")
    inputs = "inputs:\n  x: normal(3, 4)\n  w: normal(4, 2)\n"
    (folder / "case.yaml").write_text(f"code: layers.py\n{case}{inputs}", encoding="utf-8")
    return run_cases(load([folder / "case.yaml"]), Settings())


@pytest.mark.parametrize(
    ("case", "place", "message", "hint"),
    [
        (
            PAIR.replace("out, cache =", "out ="),
            (3, 42, "cache"),
            "no statement assigns 'cache', and forward returned 2 values as 'out'",
            "write out, cache = affine_forward(x, w)",
        ),
        (
            "setup: k = 2\n" + PAIR.replace("out, cache =", "out ="),
            (4, 42, "cache"),
            "no statement assigns 'cache', and forward returned 2 values as 'out'",
            "write out, cache = affine_forward(x, w)",
        ),
        (
            "forward: h = cell_forward(x, w)\nbackward: dx, dw = affine_backward(dh, cache)\n",
            (3, 40, "cache"),
            "no statement assigns 'cache', and forward returned 3 values as 'h'",
            "give each of them a name: h, … = cell_forward(x, w)",
        ),
        (
            PAIR.replace("(dout, cache)", "(dout, cashe)"),
            (3, 42, "cashe"),
            "no statement assigns 'cashe', and layers.py has no such name",
            "did you mean 'cache'?",
        ),
        (
            PAIR.replace("out, cache = affine_forward", "out = broken"),
            (3, 42, "cache"),
            "no statement assigns 'cache', and layers.py has no such name",
            ELSEWHERE,
        ),
        (
            LAYER.replace("(w)", "(w * reg)"),
            (2, 27, "reg"),
            "no statement assigns 'reg', and layers.py has no such name",
            ELSEWHERE,
        ),
        (
            PAIR.replace("(x, w)", "(x, scale * w)"),
            (2, 41, "scale"),
            "no statement assigns 'scale', and layers.py has no such name",
            "did you mean 'SCALE'?",
        ),
        (
            LAYER + "gradient_at:\n  w: lyer.dw\n",
            (6, 6, "lyer"),
            "no statement assigns 'lyer', and layers.py has no such name",
            "did you mean 'layer'?",
        ),
        (
            "setup: fail(reg)\n" + PAIR,
            (2, 13, "reg"),
            "no statement assigns 'reg', and layers.py has no such name",
            ELSEWHERE,
        ),
    ],
)
def test_a_name_without_a_value_is_told_at_its_place(
    tmp_path: Path, case: str, place: tuple[int, int, str], message: str, hint: str
) -> None:
    report = check(tmp_path, case)
    assert report.cases == ()
    (problem,) = report.problems
    line, caret = problem.excerpt.split("\n")
    word = line[caret.index("^") : caret.rindex("~") + 1]
    assert (problem.location.line, problem.location.column, word) == place
    assert (problem.message, problem.hint) == (message, hint)


def test_several_are_told_at_once(tmp_path: Path) -> None:
    report = check(tmp_path, "forward: out = x * alpha * SCALE + np.sum(w)\nbackward: dx = dout * beta + alpha\n")
    assert [(problem.location.line, problem.message) for problem in report.problems] == [
        (2, "no statement assigns 'alpha', and layers.py has no such name"),
        (3, "no statement assigns 'beta', and layers.py has no such name"),
    ]


def test_a_function_that_the_file_lacks_is_the_files_affair(tmp_path: Path) -> None:
    report = check(tmp_path, PAIR.replace("affine_forward", "affine_fwd"))
    assert report.problems == ()
    error = report.cases[0].error
    assert error is not None
    assert (error.kind, error.text, error.hint) == (
        "missing", "layers.py has no 'affine_fwd'", "did you mean 'affine_forward'?",
    )  # fmt: skip


def test_a_global_that_setup_makes_is_known_once_it_has_run(tmp_path: Path) -> None:
    made = "setup: prepare()\nforward: out = x + shift\nbackward: dx = dout * 1.0\n"
    assert [p.message for p in check(tmp_path, made).problems] == ["no statement uses the input 'w'"]
    made = made.replace("x + shift", "x + shift + 0 * np.sum(w)")
    assert [case.verdict for case in check(tmp_path, made).cases] == ["pass"]


def test_while_setup_fails_nobody_knows_what_it_would_have_made(tmp_path: Path) -> None:
    case = "setup: fail()\nforward: out = x + shift + 0 * np.sum(w)\nbackward: dx = dout * 1.0\n"
    (result,) = check(tmp_path, case).cases
    assert result.error is not None
    assert result.error.text == "ValueError: too early to know what setup makes"

"""The lines that a finding is about: of the code where a place is known, else of the case, else none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.model.report import CaseResult, Excerpt

LAYER = """\
def square_forward(x):
    return x * x, x


def square_backward(dout, x):
    return dout * x * 3


def late_backward(dout, x):
    return dout * x[9]
"""
CASES = """\
# a comment
defaults:
  code: code/layer.py
cases:
  - name: wrong
    forward: out, cache = square_forward(x)
    backward: dx = square_backward(dout, cache)
    inputs:
      x: [1.5, -2.5]

  - name: raises
    forward: out, cache = square_forward(x)
    backward: dx = late_backward(dout, cache)
    inputs:
      x: [1.5, -2.5]
  - name: a formula
    code: null
    function: x**2
    inputs:
      x: 3.0
    gradient:
      x: x
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cases" / "code").mkdir(parents=True)
    (tmp_path / "cases" / "code" / "layer.py").write_text(LAYER)
    (tmp_path / "cases" / "all.yaml").write_text(CASES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def results(path: str) -> dict[str, CaseResult]:
    return {case.name: case for case in run_cases(load((path,)), Settings()).cases}


def test_a_wrong_backward_is_shown_with_the_lines_around_the_place_of_the_diagnosis(folder: Path) -> None:
    source = results("cases/all.yaml")["wrong"].findings[0].source
    lines = LAYER.splitlines()
    assert source == Excerpt("cases/code/layer.py", 6, 5, (*lines[4:6], "", "", lines[8])[:5])


def test_an_error_is_shown_with_the_line_that_raised(folder: Path) -> None:
    error = results("cases/all.yaml")["raises"].error
    assert error is not None
    assert error.source == Excerpt("cases/code/layer.py", 10, 9, tuple(LAYER.splitlines()[8:]))


def test_a_formula_is_shown_with_its_case_up_to_the_next(folder: Path) -> None:
    finding = next(f for f in results("cases/all.yaml")["a formula"].findings if f.claim == "formula")
    assert finding.source == Excerpt("cases/all.yaml", 16, 16, tuple(CASES.splitlines()[15:]))


def test_the_file_has_the_name_that_the_caller_would_use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "cases")
    found = results("all.yaml")["wrong"].findings[0].source
    assert found is not None
    assert found.file == "code/layer.py"
    away = folder / "elsewhere"
    away.mkdir()
    monkeypatch.chdir(away)
    found = results(os.path.join("..", "cases", "all.yaml"))["wrong"].findings[0].source
    assert found is not None
    assert found.file == "../cases/code/layer.py"


def test_what_is_right_has_no_excerpt(folder: Path) -> None:
    case = results("cases/all.yaml")["a formula"]
    assert [f.source for f in case.findings if f.verdict == "pass"] == [None]


def test_a_file_that_cannot_be_read_any_more_gives_none(folder: Path) -> None:
    loaded = load(("cases/all.yaml",))
    (folder / "cases" / "all.yaml").unlink()
    found = {case.name: case for case in run_cases(loaded, Settings()).cases}
    assert next(f for f in found["a formula"].findings if f.verdict == "fail").source is None

"""Edited runs are counted: the same report in any order and with workers, an end to every loop, nothing left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gradcheck.casefile.loader import load
from gradcheck.checking.building.build import build
from gradcheck.checking.check import run_cases
from gradcheck.checking.examine import examine
from gradcheck.checking.explaining import repairing
from gradcheck.checking.explaining.diagnosing import Gathered
from gradcheck.checking.settings import Settings
from gradcheck.handwritten.line_limit import Lines, TooManyLinesError
from gradcheck.model.report import Finding
from tests.diagnosis.lessons import LESSONS

KINDS = ("transposed", "sum", "variable", "stale", "border", "swapped_gradients", "layer", "factor")
HALVED = """
def halvings(n):
    count = 0
    while n != 1:
        n, count = n // 2, count + 1
    return count


def f(x, n):
    return x * halvings(n)


def backward(dout, x, n):
    return x * halvings(n)
"""
CASE = """
name: halved
code: code.py
forward: out = f(x, n)
backward: dx = backward(dout, x, n)
inputs:
  x: normal(5)
options:
  n: 8
"""


def write_all(folder: Path, kinds: tuple[str, ...]) -> None:
    cases = ["cases:"]
    for lesson in (lesson for lesson in LESSONS if lesson.kind in kinds):
        code, case = lesson.files()
        (folder / f"{lesson.kind}.py").write_text(code, encoding="utf-8")
        lines = case.replace("code.py", f"{lesson.kind}.py").splitlines()
        cases += ["  - " + lines[0], *(f"    {line}" for line in lines[1:])]
    (folder / "cases.yaml").write_text("\n".join(cases) + "\n", encoding="utf-8")


def diagnoses(folder: Path, *options: str) -> dict[str, object]:
    command = [sys.executable, "-m", "gradcheck", "run", "--format", "json", *options, "cases.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert not report["problems"]
    return {case["name"]: case["findings"] for case in report["cases"]}


def test_the_same_is_said_in_any_order_and_with_workers(tmp_path: Path) -> None:
    write_all(tmp_path, KINDS)
    once = diagnoses(tmp_path)
    assert len(once) == len(KINDS)
    assert diagnoses(tmp_path, "--jobs", "2") == once
    text = (tmp_path / "cases.yaml").read_text(encoding="utf-8")
    head, *cases = text.strip().split("\n  - name")
    turned = [head, *reversed(cases)]
    (tmp_path / "cases.yaml").write_text("\n  - name".join(turned) + "\n", encoding="utf-8")
    assert diagnoses(tmp_path) == once


def findings(folder: Path, code: str, case: str) -> tuple[Finding, ...]:
    (folder / "code.py").write_text(code, encoding="utf-8")
    (folder / "case.yaml").write_text(case, encoding="utf-8")
    return run_cases(load((str(folder / "case.yaml"),)), Settings()).cases[0].findings


def test_an_edit_that_makes_a_loop_endless_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`halvings(-n)` never ends, and is tried before the line that is right."""
    ended = []

    class EndedError(TooManyLinesError):
        def __init__(self) -> None:
            super().__init__()
            ended.append(1)

    monkeypatch.setattr("gradcheck.handwritten.line_limit.TooManyLinesError", EndedError)
    (found,) = findings(tmp_path, HALVED, CASE)
    assert ended
    assert found.diagnosis[0].advice.startswith("write `return dout * halvings(n)` in place of")


def test_the_number_of_runs_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each value that has a name, and then edits; what is tried with few runs is tried first with many."""
    (tmp_path / "code.py").write_text(HALVED, encoding="utf-8")
    (tmp_path / "case.yaml").write_text(CASE, encoding="utf-8")
    case = load((str(tmp_path / "case.yaml"),)).cases[0]
    built = build(case)
    examination = examine(built.problem)
    compared = Gathered(case, built, examination, {}).compared("backward")
    ran = repairing.functions_of(built)
    seen = []

    def counted() -> Mapping[str, NDArray[Any]]:
        seen.append(1)
        return built.rerun()

    for most in (1, 5, 20):
        seen.clear()
        repairing.repairs(replace(built, rerun=counted), ran, compared, most)
        assert 0 < len(seen) <= most


def test_a_run_that_is_too_long_to_be_looked_at_is_left_alone(tmp_path: Path) -> None:
    """A loop over elements in plain Python: no line is named, and the mistake is."""
    head, _, _ = HALVED.rpartition("    return x")
    code = f"{head}    for i in range(500_000):\n        pass\n    return 2 * dout * halvings(n)\n"
    (found,) = findings(tmp_path, code, CASE)
    assert [(said.kind, said.place) for said in found.diagnosis] == [("factor", "")]


def test_a_case_with_many_numbers_is_not_tried(tmp_path: Path) -> None:
    case = CASE.replace("normal(5)", f"normal({repairing.MOST_NUMBERS + 1})")
    (found,) = findings(tmp_path, HALVED, case)
    assert all("write `" not in said.advice for said in found.diagnosis)


def test_lines_are_counted_in_their_files_only(tmp_path: Path) -> None:
    file = tmp_path / "loop.py"
    file.write_text("def run(n):\n    for i in range(n):\n        i += 1\n    return n\n", encoding="utf-8")
    names: dict[str, object] = {}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), names)
    run = names["run"]
    lines = Lines(lambda name: name if name == str(file) else None)
    with lines.counted():
        run(10)  # type: ignore[operator]
        np.linalg.norm(np.ones(3))
    assert 20 <= lines.count <= 24  # how often the head of a loop counts is Python's affair
    with pytest.raises(TooManyLinesError), lines.counted(most=100):
        run(10**9)  # type: ignore[operator]
    assert sys.gettrace() is None

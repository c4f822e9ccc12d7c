"""Step curves: measured only when they are asked for, at every step, and without a part in the verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.explaining.curves import MOST_CURVES
from gradcheck.checking.settings import Settings
from gradcheck.model.report import Finding, Report

CUBE = "name: cube\nfunction: sum(x**3)\ninputs:\n  x: [1.5, -2.0, 0.5]\ngradient:\n  x: 3*x**2 + 1\n"


def checked(text: str, folder: Path, *, pictures: bool = True) -> Report:
    (folder / "case.yaml").write_text(text)
    return run_cases(load((str(folder / "case.yaml"),)), Settings(pictures=pictures))


def only(report: Report, claim: str = "formula") -> Finding:
    return next(f for case in report.cases for f in case.findings if f.claim == claim)


def test_the_curve_of_a_cube_is_its_truncation_error(tmp_path: Path) -> None:
    """((x+h)³ − (x−h)³) / 2h = 3x² + h²: at long steps the quotient is off by h² exactly."""
    finding = only(checked(CUBE, tmp_path))
    assert finding.curve is not None
    assert finding.worst is not None
    x = (1.5, -2.0, 0.5)[finding.worst.index[0]]
    for step, slope in zip(finding.curve.steps[:4], finding.curve.slopes[:4], strict=True):
        assert slope - 3 * x**2 == pytest.approx(step**2, rel=1e-6)
    assert len(finding.curve.steps) >= 12
    assert all(b == a / 4 for a, b in zip(finding.curve.steps, finding.curve.steps[1:], strict=False))
    assert finding.curve.chosen in finding.curve.steps


def test_nothing_is_measured_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert only(checked(CUBE, tmp_path, pictures=False)).curve is None


def test_a_right_tensor_has_no_curve(tmp_path: Path) -> None:
    assert only(checked(CUBE, tmp_path), "backprop").curve is None


def test_verdicts_and_costs_are_the_same_with_pictures(tmp_path: Path) -> None:
    with_, without = (checked(CUBE, tmp_path, pictures=pictures).cases[0] for pictures in (True, False))
    plain = tuple(replace(finding, curve=None) for finding in with_.findings)
    assert replace(with_, findings=plain, seconds=0.0) == replace(without, seconds=0.0)


def test_of_many_wrong_tensors_the_first_few_have_one(tmp_path: Path) -> None:
    names = [f"x{n}" for n in range(MOST_CURVES + 3)]
    inputs = "".join(f"  {name}: {number + 1}.5\n" for number, name in enumerate(names))
    formulas = "".join(f"  {name}: {name}\n" for name in names)
    text = f"name: many\nfunction: {' + '.join(f'{n}**2' for n in names)}\ninputs:\n{inputs}gradient:\n{formulas}"
    found = [f for f in checked(text, tmp_path).cases[0].findings if f.verdict == "fail"]
    assert len(found) == len(names)
    assert sum(f.curve is not None for f in found) == MOST_CURVES


def test_code_that_breaks_at_a_long_step_has_no_curve(tmp_path: Path) -> None:
    (tmp_path / "layer.py").write_text(
        "def forward(x):\n    if abs(x[0] - 1.0) > 0.02:\n        raise ValueError('too far')\n    return x**2, x\n\n\n"
        "def backward(dout, x):\n    return 3 * x * dout\n"
    )
    text = (
        "name: narrow\ncode: layer.py\nforward: out, cache = forward(x)\nbackward: dx = backward(dout, cache)\n"
        "inputs:\n  x: [1.0]\n"
    )
    case = checked(text, tmp_path).cases[0]
    assert [(f.verdict, f.curve) for f in case.findings] == [("fail", None)]


def test_a_budget_for_somebodys_code_is_not_exceeded_for_a_picture(tmp_path: Path) -> None:
    (tmp_path / "layer.py").write_text(
        "def forward(x):\n    return x**2, x\n\n\ndef backward(dout, x):\n    return 3 * x * dout\n"
    )
    text = (
        "name: dear\ncode: layer.py\nforward: out, cache = forward(x)\nbackward: dx = backward(dout, cache)\n"
        "inputs:\n  x: [1.0, 2.0]\n"
    )
    assert only(checked(text, tmp_path), "backward").curve is not None
    limited = run_cases(load((str(tmp_path / "case.yaml"),)), Settings(pictures=True, budget=500))
    assert [(f.verdict, f.curve) for f in limited.cases[0].findings] == [("fail", None)]


def test_the_numbers_of_both_sides_are_kept_for_every_element(tmp_path: Path) -> None:
    heat = only(checked(CUBE, tmp_path)).heat
    assert heat is not None
    assert heat.claimed == pytest.approx([3 * x**2 + 1 for x in (1.5, -2.0, 0.5)])
    assert heat.numeric == pytest.approx([3 * x**2 for x in (1.5, -2.0, 0.5)])

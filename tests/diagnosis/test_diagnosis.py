"""The diagnosis: planted mistakes get their own name, failures outside the list get none, and the advice helps."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from itertools import product
from pathlib import Path
from time import perf_counter

import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.model.report import Diagnosis
from gradcheck.verdict.diagnose.kinds import KINDS
from tests.diagnosis import suite
from tests.diagnosis.gallery import SUBJECTS, case_of
from tests.diagnosis.mutants import MUTANTS
from tests.diagnosis.outside import OUTSIDE, SORTS
from tests.diagnosis.plants import PLANTS
from tests.diagnosis.suite import Answer, summary, table

STRIDE = 1 if os.environ.get("SOAK") else 5  # every so many is tried, and all of them by `make diagnose`
WRONG = """
import numpy as np


class Layer:
    def forward(self, x):
        self.x, self.y = x, np.tanh(x)
        return self.y

    def backward(self, dout):
        return {formula}
"""


FORMULAS = ("dout * (1 - self.y)", "2 * dout * (1 - self.y**2)", "dout", "-dout * (1 - self.y**2)")


def assert_named(answers: list[Answer]) -> None:
    shown = f"{summary(answers)}\n{table(answers)}"
    assert all(a.verdict == "fail" for a in answers), shown
    assert sum(a.is_right for a in answers) >= 0.85 * len(answers), shown
    assert sum(a.is_wrong for a in answers) <= 0.05 * len(answers), shown


def replaced(source: str, line: int, text: str) -> str:
    """The source with the statement around a line written anew."""
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    statement = max(around, key=lambda node: node.lineno)
    end = statement.body[0].lineno - 1 if isinstance(statement, ast.For | ast.If | ast.With) else statement.end_lineno
    lines = source.splitlines()
    lines[statement.lineno - 1 : end] = [" " * statement.col_offset + text]
    return "\n".join(lines) + "\n"


def test_the_suite_has_what_it_should_have() -> None:
    assert len(PLANTS) + len(MUTANTS) >= 200
    assert len(MUTANTS) >= 100
    assert len({p.layer for p in PLANTS} | {edit.subject for edit, _ in MUTANTS}) >= 25
    assert Counter(o.sort for o in OUTSIDE) == dict.fromkeys(SORTS, 25)
    assert len({p.name for p in PLANTS}) == len(PLANTS)
    assert {edit.subject for edit, _ in MUTANTS} <= set(SUBJECTS)


def test_planted_arrays_are_called_by_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "PLANTS", PLANTS[::STRIDE])
    assert_named(suite.check_plants())


def test_edited_code_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "MUTANTS", MUTANTS[::STRIDE])
    assert_named(suite.check_mutants())


def test_what_is_no_known_mistake_gets_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "OUTSIDE", OUTSIDE[::STRIDE])
    answers = suite.check_outside()
    assert all(a.verdict == "fail" for a in answers)
    assert sum(a.is_right for a in answers) >= 0.95 * len(answers), table(answers)


def test_every_kind_that_is_said_and_every_label_is_in_the_vocabulary() -> None:
    labels = {kind for p in PLANTS for kind in p.kinds.split()} | {k for _, kinds in MUTANTS for k in kinds.split()}
    assert labels <= set(KINDS)


@pytest.mark.parametrize("number", range(2, len(MUTANTS), STRIDE))
def test_following_the_advice_makes_the_case_pass(number: int, tmp_path: Path) -> None:
    """Where a line is named, the line is written as it says, and nothing else is changed."""
    edit, _ = MUTANTS[number]
    (tmp_path / "code.py").write_text(edit.applied(), encoding="utf-8")
    (tmp_path / "case.yaml").write_text(
        "cases:\n" + case_of("edited", edit.subject, "code.py") + "\n", encoding="utf-8"
    )
    found = run_cases(load((str(tmp_path / "case.yaml"),)), Settings()).cases[0]
    failing = [finding for finding in found.findings if finding.verdict == "fail"]
    lines = {
        (int(d.place.removeprefix("code.py:")), told[1])
        for finding in failing
        for d in finding.diagnosis[:1]
        if (told := re.search("^write `(.*)` in place of", d.advice, re.DOTALL)) is not None
    }
    if not lines:
        assert all(d.advice for finding in failing for d in finding.diagnosis[:1] if d.kind != "pattern")
        return
    source = edit.applied()
    for line, text in lines:
        source = replaced(source, line, text)
    (tmp_path / "code.py").write_text(source, encoding="utf-8")
    again = run_cases(load((str(tmp_path / "case.yaml"),)), Settings()).cases[0]
    assert again.verdict == "pass", again.findings


@pytest.mark.parametrize(
    ("place", "formula"),
    [pair for turn, pair in enumerate(product(range(6), FORMULAS)) if STRIDE == 1 or turn % 3 == 0],
)
def test_of_six_handwritten_layers_the_wrong_one_is_named(place: int, formula: str, tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(WRONG.format(formula="dout * (1 - self.y**2)"), encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG.format(formula=formula), encoding="utf-8")
    layers: list[str] = []
    for number in range(6):
        layers += [f'code("{"wrong" if number == place else "right"}.py:Layer")', "linear(3, 3)"]
    entries = "".join(f"  - {layer}\n" for layer in layers)
    rest = "loss: softmax_cross_entropy\ninputs:\n  x: normal(4, 3)\n  target: [0, 2, 1, 0]\n"
    case = f"name: six\nnetwork:\n{entries}{rest}"
    (tmp_path / "six.yaml").write_text(case, encoding="utf-8")
    result = run_cases(load((str(tmp_path / "six.yaml"),)), Settings()).cases[0]
    failing = [finding for finding in result.findings if finding.verdict == "fail"]
    assert failing
    for finding in failing:
        assert finding.diagnosis[0].kind == "layer"
        assert finding.diagnosis[0].place == f'layer {2 * place + 1}, code("wrong.py:Layer")'


def test_a_large_wrong_layer_is_named_as_well(tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(WRONG.format(formula="dout * (1 - self.y**2)"), encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG.format(formula="dout * (1 - self.y)"), encoding="utf-8")
    layers = ["linear(8, 30)", 'code("right.py:Layer")', "linear(30, 30)", 'code("wrong.py:Layer")', "linear(30, 3)"]
    entries = "".join(f"  - {layer}\n" for layer in layers)
    rest = "loss: softmax_cross_entropy\ninputs:\n  x: normal(40, 8)\n  target: integers(0, 3, size=40)\n"
    (tmp_path / "large.yaml").write_text(f"name: large\nnetwork:\n{entries}{rest}", encoding="utf-8")
    result = run_cases(load((str(tmp_path / "large.yaml"),)), Settings()).cases[0]
    failing = [finding for finding in result.findings if finding.verdict == "fail"]
    assert {finding.tensor for finding in failing} == {"x", "W1", "b1", "W2", "b2"}
    assert {finding.diagnosis[0].place for finding in failing} == {'layer 4, code("wrong.py:Layer")'}


def test_a_lost_power_of_a_formula_is_named(tmp_path: Path) -> None:
    text = "name: cubic\nfunction: 2 * x**3\ninputs:\n  x: [0.5, 1.5, -2]\ngradient:\n  x: 6 * x * upstream\n"
    (tmp_path / "cubic.yaml").write_text(text, encoding="utf-8")
    found = run_cases(load((str(tmp_path / "cubic.yaml"),)), Settings()).cases[0].findings
    said = [d for f in found if f.verdict == "fail" for d in f.diagnosis]
    advice = "d xⁿ/dx = n·xⁿ⁻¹: count the factors of x that are left"
    assert said == [Diagnosis("power", "every element is the right one divided by x", "", advice)]


def test_code_that_writes_files_is_never_run_in_an_edited_form(tmp_path: Path) -> None:
    code = "def square(x):\n    return x**2\n\n\ndef back(dout, x):\n"
    code += "    open('log', 'a').write('.')\n    return dout * x\n"
    (tmp_path / "code.py").write_text(code.replace("'log'", repr(str(tmp_path / "log"))), encoding="utf-8")
    case = (
        "name: square\ncode: code.py\nforward: out = square(x)\nbackward: dx = back(dout, x)\ninputs:\n  x: normal(5)\n"
    )
    (tmp_path / "case.yaml").write_text(case, encoding="utf-8")
    assert run_cases(load((str(tmp_path / "case.yaml"),)), Settings()).cases[0].verdict == "fail"
    assert len((tmp_path / "log").read_text(encoding="utf-8")) < 20


def test_the_time_limit_of_a_case_holds_for_its_edited_runs(tmp_path: Path) -> None:
    """Four hundred runs of a tenth of a second would be forty; what it looks like is told without them."""
    code = "import time\n\n\ndef square(x):\n    return x**2\n\n\n"
    code += "def back(dout, x):\n    time.sleep(0.1)\n    return dout * x * x + 0.1 * dout\n"
    (tmp_path / "code.py").write_text(code, encoding="utf-8")
    case = (
        "name: square\ncode: code.py\nforward: out = square(x)\nbackward: dx = back(dout, x)\ntimeout: 2\n"
        "inputs:\n  x: normal(5)\n"
    )
    (tmp_path / "case.yaml").write_text(case, encoding="utf-8")
    started = perf_counter()
    result = run_cases(load((str(tmp_path / "case.yaml"),)), Settings()).cases[0]
    assert (result.verdict, result.error) == ("fail", None)
    assert perf_counter() - started < 10


def test_the_diagnosis_does_not_count_against_the_time_limit(tmp_path: Path) -> None:
    code = "import time\n\n\ndef square(x):\n    return x**2\n\n\n"
    code += "def back(dout, x):\n    time.sleep(0.02)\n    return dout * x * x\n"
    (tmp_path / "code.py").write_text(code, encoding="utf-8")
    case = (
        "name: square\ncode: code.py\nforward: out = square(x)\nbackward: dx = back(dout, x)\ntimeout: 1\n"
        "inputs:\n  x: normal(5)\n"
    )
    (tmp_path / "case.yaml").write_text(case, encoding="utf-8")
    assert run_cases(load((str(tmp_path / "case.yaml"),)), Settings()).cases[0].verdict == "fail"


def test_a_right_case_does_not_read_the_diagnosis() -> None:
    script = (
        "import sys; from gradcheck.cli import main; sys.argv = ['gradcheck', 'run', 'cases/12_handwritten.yaml']\n"
        "try: main()\n"
        "finally: print([m for m in sys.modules if 'diagnos' in m or 'repair' in m], file=sys.stderr)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith("[]"), done.stderr

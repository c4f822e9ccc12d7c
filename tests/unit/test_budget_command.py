"""`gradcheck run --budget`: what the command prints about a case that is probed, and what it says beforehand."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner, Result

import gradcheck
import gradcheck.checking.announcement
from gradcheck.cli import main
from tests.golden.helper import check_golden

CODE = """
    import numpy as np

    def forward(x, W):
        hidden = np.tanh(x @ W)
        return hidden, (x, W, hidden)

    def backward(dout, cache):
        x, W, hidden = cache
        d = dout * (1 - hidden**2)
        return d @ W.T, x.T @ d

    def one_off(dout, cache):
        dx, dW = backward(dout, cache)
        dW[12, 7] *= 1.01
        return dx, dW

    def twice(dout, cache):
        dx, dW = backward(dout, cache)
        return dx, 2 * dW
"""
CASES = """
    defaults:
      code: layer.py
      forward: out, cache = forward(x, W)
      inputs:
        x: normal(20, 50)
        W: 0.1*normal(50, 30)
    cases:
      - name: right
        backward: dx, dW = backward(dout, cache)
      - name: one element off by 1 %
        backward: dx, dW = one_off(dout, cache)
      - name: a factor two
        backward: dx, dW = twice(dout, cache)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "layer.py").write_text(dedent(CODE), encoding="utf-8")
    (tmp_path / "cases.yaml").write_text(dedent(CASES), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["run", "cases.yaml", *arguments])


@pytest.mark.parametrize("budget", [60, 500])
def test_the_table_says_what_was_probed_and_found(folder: Path, budget: int) -> None:
    result = run("--budget", str(budget))
    assert result.exit_code == 1
    check_golden(f"budget/{budget}.txt", re.sub(r"\d+\.\d\d s$", "0.00 s", result.stdout.rstrip()) + "\n")


def test_the_json_has_the_coverage_of_cases_and_findings(folder: Path) -> None:
    probed = json.loads(run("--budget", "500", "--format", "json").stdout)["cases"]
    assert [case["coverage"] for case in probed] == ["probed"] * 3
    assert [finding["coverage"] for case in probed for finding in case["findings"]] == ["probed"] * 6
    found = probed[1]["findings"][1]
    assert (found["tensor"], found["verdict"], found["wrong"], found["worst"]["index"]) == ("W", "fail", 1, [12, 7])
    assert all(case["evaluations"] <= 500 for case in probed)
    whole = json.loads(run("--format", "json", "-k", "right").stdout)["cases"]
    assert whole[0]["coverage"] == "all"


def test_the_trials_of_a_case_share_its_budget(folder: Path) -> None:
    text = (folder / "cases.yaml").read_text(encoding="utf-8").replace("- name: right", "- name: right\n    trials: 3")
    (folder / "cases.yaml").write_text(text, encoding="utf-8")
    (case,) = json.loads(run("--budget", "180", "--format", "json", "-k", "right").stdout)["cases"]
    assert (case["verdict"], case["coverage"]) == ("pass", "probed")
    assert case["evaluations"] <= 180


def test_a_function_made_of_ops_needs_no_budget(folder: Path) -> None:
    case = "function: sum(tanh(x @ W))\ninputs:\n  x: normal(20, 50)\n  W: normal(50, 30)\n"
    (folder / "cases.yaml").write_text(case, encoding="utf-8")
    (shown,) = json.loads(run("--budget", "60", "--format", "json").stdout)["cases"]
    assert shown["coverage"] == "all"
    assert shown["verdict"] == "pass"


@pytest.mark.parametrize("budget", ["0", "-5", "many"])
def test_a_budget_is_a_number_of_evaluations(folder: Path, budget: str) -> None:
    result = run("--budget", budget)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: invalid value for '--budget': ")


def test_the_cost_is_announced_where_somebody_asked_for_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradcheck.checking.announcement, "WORTH_TELLING", 0.0)
    assert run("-k", "right").stderr == ""
    told = run("-k", "right", "-v").stderr
    assert re.fullmatch(
        r"right: 5,\d\d\d evaluations of somebody's code, about \d+ s; --budget 2000 probes instead\n", told
    )
    assert run("-k", "right", "-v", "--budget", "60").stderr == ""


def test_the_cost_is_announced_on_a_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(gradcheck.checking.announcement, "WORTH_TELLING", 0.0)
    monkeypatch.setattr("sys.stderr", terminal)
    with pytest.raises(SystemExit):
        main(["run", "cases.yaml", "-k", "right", "--color", "never", "-o", "table.txt"])
    assert "right: 5," in terminal.getvalue()


# --- from Python ------------------------------------------------------------------------------------------------------


def test_check_takes_a_budget() -> None:
    x = [0.5 + 0.001 * i for i in range(500)]
    report = gradcheck.check(lambda x: (x**3, x), lambda dout, x: 3 * dout * x**2, [x], budget=80)
    assert report.passed
    assert report.cases[0].coverage == "probed"
    assert report.cases[0].evaluations <= 80
    wrong = gradcheck.check(lambda x: (x**3, x), lambda dout, x: 2 * dout * x**2, [x], budget=80)
    assert wrong.cases[0].verdict == "fail"


def test_check_refuses_a_budget_of_nothing() -> None:
    with pytest.raises(gradcheck.UsageError, match="expected a budget of at least one evaluation, got 0"):
        gradcheck.check(lambda x: x, lambda dout, x: dout, [1.0], budget=0)

"""`gradcheck mutate`: whole outputs, exit codes, formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gradcheck.cli import main
from tests.golden.helper import check_golden
from tests.mutation.weak import NORM, ONE_MODE, ONE_SAMPLE, RIDGE, write


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["mutate", *words])


@pytest.mark.parametrize("width", [60, 100])
def test_the_report_of_weak_cases(folder: Path, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    wrong = ONE_SAMPLE.replace("one sample", "not yet right") + "    expect: fail\n"
    write(folder, NORM, RIDGE, ONE_SAMPLE, ONE_MODE, wrong)
    done = run("weak.yaml", "--limit", "40")
    assert done.exit_code == 0
    assert max(len(line) for line in done.stdout.splitlines() if not line.startswith("    ")) <= width
    check_golden(f"mutation/weak.{width}.txt", done.stdout)


def test_the_report_for_programs(folder: Path) -> None:
    write(folder, RIDGE)
    done = run("weak.yaml", "--limit", "12", "--format", "json")
    assert done.exit_code == 0
    assert run("weak.yaml", "--limit", "12", "--format", "json").stdout == done.stdout
    report = json.loads(done.stdout)
    assert report["schema"] == 1
    (case,) = report["cases"]
    assert case["score"] == report["score"]
    survived = [m for m in case["mutants"] if m["fate"] == "survived"]
    assert report["score"]["survived"] == len(survived) > 0
    assert report["advice"] == [
        {"case": "ridge regression at zero", "add": "vary: [nonzero_bias]", "catches": len(survived)}
    ]
    check_golden("mutation/ridge.json", done.stdout)


def test_a_score_that_is_not_reached_is_exit_code_1(folder: Path) -> None:
    write(folder, RIDGE)
    done = run("weak.yaml", "--min-score", "95")
    assert done.exit_code == 1
    assert "below the 95 % asked for" in done.stdout
    assert run("weak.yaml", "--min-score", "60").exit_code == 0


def test_with_verbose_equivalent_mistakes_are_shown_too(folder: Path) -> None:
    write(folder, ONE_SAMPLE)
    assert "EQUIVALENT" not in run("weak.yaml").stdout
    assert "EQUIVALENT  one sample\n  backward x: float32 rounding" in run("weak.yaml", "-v").stdout


def test_a_file_that_cannot_be_read_is_exit_code_2_and_the_others_are_done(folder: Path) -> None:
    write(folder, ONE_SAMPLE)
    done = run("weak.yaml", "none.yaml", "--limit", "5")
    assert done.exit_code == 2
    assert "none.yaml:1:1: error:" in done.stderr
    assert "noticed" in done.stdout


def test_nothing_to_plant_in_is_exit_code_2(folder: Path) -> None:
    write(folder, ONE_SAMPLE + "    expect: fail\n")
    done = run("weak.yaml")
    assert done.exit_code == 2
    assert "nothing was planted that could change a gradient" in done.stdout


def test_a_keyword_chooses_cases(folder: Path) -> None:
    write(folder, NORM, ONE_SAMPLE)
    done = run("weak.yaml", "-k", "one", "--limit", "5")
    assert "one sample" in done.stdout
    assert "norm" not in done.stdout
    done = run("weak.yaml", "-k", "nobody")
    assert done.exit_code == 2


@pytest.mark.parametrize("words", [["--min-score", "101"], ["--limit", "0"], ["--seed", "-1"], ["--format", "xml"]])
def test_an_option_out_of_range_is_a_message(folder: Path, words: list[str]) -> None:
    write(folder, NORM)
    done = run("weak.yaml", *words)
    assert done.exit_code == 2
    assert "error:" in done.stderr
    assert "Traceback" not in done.output

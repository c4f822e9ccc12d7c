"""Formats on the command line: several at once, told by their suffix, in UTF-8, honest when a run is cut short."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.cli import main
from gradcheck.cli.output import ENCODINGS, FORMATS
from gradcheck.model.report import ExitCode, Report
from gradcheck.reporters.csv import render_csv
from gradcheck.reporters.github import render_github, render_summary
from gradcheck.reporters.html.page import render_html
from gradcheck.reporters.junit import render_junit
from gradcheck.reporters.markdown import render_markdown
from tests.unit.reports import REPORTS

HALF = "name: 損失 ±\nfunction: x**2\ninputs:\n  x: 3\ngradient:\n  x: x\n"


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "half.yaml").write_text(HALF, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
    return "half.yaml"


def test_several_files_are_written_at_once_in_the_format_of_their_suffix(case: str, tmp_path: Path) -> None:
    names = ("r.xml", "r.md", "r.csv", "r.html", "r.json", "r.txt", "markdown:README")
    result = CliRunner().invoke(main, ["run", case, *(part for name in names for part in ("-o", name))])
    assert result.exit_code == 1
    assert result.stdout == (tmp_path / "r.txt").read_text(encoding="utf-8")
    assert ET.parse(tmp_path / "r.xml").getroot().get("failures") == "1"
    assert (tmp_path / "r.md").read_text(encoding="utf-8") == (tmp_path / "README").read_text(encoding="utf-8")
    assert (tmp_path / "r.csv").read_text(encoding="utf-8").startswith("case,file,line")
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["exit"] == 1


def test_pictures_are_measured_only_for_the_page(case: str, tmp_path: Path) -> None:
    CliRunner().invoke(main, ["run", case, "-o", "r.html"])
    assert "the step of the numeric value" in (tmp_path / "r.html").read_text(encoding="utf-8")
    report = run_cases(load((case,)), Settings())
    assert all(finding.curve is None for found in report.cases for finding in found.findings)


@pytest.mark.parametrize("format_", ENCODINGS)
@pytest.mark.parametrize("charset", ["latin-1", "cp1252", "utf-8"])
def test_stdout_is_utf_8_whatever_the_terminal_has(case: str, format_: str, charset: str) -> None:
    result = CliRunner(charset=charset).invoke(main, ["run", case, "--format", format_])
    text = result.stdout_bytes.decode("utf-8")
    assert result.exit_code == 1
    assert "損失 ±" in text
    assert "\r" not in text


def test_every_format_can_be_asked_for_by_name(case: str) -> None:
    for format_ in FORMATS:
        assert CliRunner().invoke(main, ["run", case, "--format", format_]).exit_code == 1


@pytest.mark.parametrize(
    "render", [render_markdown, render_html, render_github, render_summary, render_csv, render_junit]
)
def test_an_interrupted_run_does_not_look_like_a_whole_one(render: Callable[..., str]) -> None:
    report = REPORTS["all_pass"]
    assert "Interrupted: not every case was checked" in render(report, ExitCode.INTERRUPTED).replace("\\", "")
    assert "Interrupted" not in render(report)


def test_an_interrupted_run_is_an_error_to_junit() -> None:
    root = ET.fromstring(render_junit(Report(()), ExitCode.INTERRUPTED))
    assert (root.get("tests"), root.get("errors")) == ("1", "1")

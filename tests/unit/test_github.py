"""Workflow commands of GitHub: on the right line, never more than ten, and nothing in a text becomes one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradcheck.cli import main
from gradcheck.model.report import Diagnosis, Excerpt, Report
from gradcheck.reporters.escape import in_command, in_property
from gradcheck.reporters.github import MOST, render_github, render_summary
from tests.unit import reports
from tests.unit.reports import FAILING, HALF, PASSING, RAISED, REPORTS
from tests.unit.sinks import STARTS, evil_report, from_github

SOURCE = Excerpt("src/layers.py", 12, 11, ("def affine_backward(dout, cache):", "    return dout"))


@pytest.mark.parametrize(
    ("text", "message", "prop"),
    [
        ("50 %: a, b", "50 %25: a, b", "50 %25%3A a%2C b"),
        ("%0A", "%250A", "%250A"),
        ("one\ntwo", "one%0Atwo", "one\\ntwo"),
        ("\r", "\\r", "\\r"),
    ],
)
def test_a_text_is_escaped_as_the_runner_undoes_it(text: str, message: str, prop: str) -> None:
    assert (in_command(text), in_property(text)) == (message, prop)


def test_an_annotation_stands_on_the_line_of_the_backward_or_of_the_case() -> None:
    wrong = replace(HALF, source=SOURCE)
    said, _ = from_github(render_github(Report((replace(FAILING, findings=(wrong, *FAILING.findings[2:])),))))
    assert [message.place for message in said] == ["src/layers.py:12", "cases/mlp.yaml:3"]


def test_an_error_stands_on_the_line_that_raised() -> None:
    assert RAISED.error is not None
    case = replace(RAISED, error=replace(RAISED.error, source=SOURCE))
    assert [message.place for message in from_github(render_github(Report((case,))))[0]] == ["src/layers.py:12"]


def test_a_command_is_written_out() -> None:
    assert render_github(Report((PASSING, FAILING))) == (
        "::error file=cases/mlp.yaml,line=3,title=mlp%2C W1%3A fail%2C shape (3%2C 4)%2C 12 of 12 elements differ::"
        "worst at W1[0, 2]: backward claims 0.4127, numeric 0.8254 ± 2.0e-10, relative error 5.0e-01 (limit 1.0e-06)"
        "%0Alikely: claimed is half of numeric everywhere; a factor 2 is lost (d x²/dx = 2x?)\n"
        "::error file=cases/mlp.yaml,line=3,title=mlp%2C b1%3A fail%2C shape (4%2C)%2C 1 of 4 elements differs::"
        "worst at b1[1]: backward claims 1.000010, numeric 1.000000 ± 3.0e-11, relative error 1.0e-05 (limit 1.0e-06)\n"
        "2 cases: 1 fail, 1 pass\n"
    )


def test_what_is_undecided_is_a_warning() -> None:
    text = render_github(REPORTS["undecided"])
    assert [line.split(" ")[0] for line in text.splitlines()[:-1]] == ["::warning", "::warning"]


def test_there_are_ten_at_most_the_worst_first_and_the_rest_is_counted() -> None:
    said, rest = from_github(render_github(REPORTS["everything"]))
    assert len(said) == MOST
    assert said[0].title == "problem in a case file"
    assert said[2].title == "layer that breaks: error"
    assert rest[0] == "6 more messages; the summary of the job has them all"


def test_a_mistake_that_a_smaller_combination_shows_is_not_told_again() -> None:
    told = Report((FAILING, replace(FAILING, name="mlp, larger", smallest=False)))
    assert len(from_github(render_github(told))[0]) == 2


@pytest.mark.parametrize("start", STARTS)
def test_no_text_becomes_a_command(start: str) -> None:
    lines = render_github(evil_report(start)).splitlines()
    assert [line.startswith("::error file=") for line in lines] == [True, *[False] * (len(lines) - 1)]
    for line in lines[1:]:
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def test_the_advice_is_part_of_the_message() -> None:
    wrong = replace(HALF, diagnosis=(Diagnosis("sign", "a sign is wrong", "layers.py:12", "write `-x`"),))
    text = render_github(Report((replace(FAILING, findings=(wrong,)),)))
    assert "likely: a sign is wrong (layers.py:12). Next: write `-x`" in text


@pytest.fixture
def case(tmp_path: Path) -> str:
    file = tmp_path / "square.yaml"
    file.write_text("name: square\nfunction: x**2\ninputs:\n  x: 3\ngradient:\n  x: x\n")
    return str(file)


def test_the_summary_of_the_job_is_added_to_its_file(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("what an earlier command wrote\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = CliRunner().invoke(main, ["run", case, "--format", "github"])
    assert result.exit_code == 1
    assert result.stdout.startswith("::error file=")
    before, heading, _, outcome, *_ = summary.read_text().split("\n")
    assert (before, heading, outcome) == ("what an earlier command wrote", "# gradcheck", "**1 case\\: 1 fail**")


def test_another_format_leaves_the_summary_alone(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    CliRunner().invoke(main, ["run", case])
    assert not (tmp_path / "summary.md").exists()


def test_a_summary_that_cannot_be_written_is_an_error(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "no" / "summary.md"))
    result = CliRunner().invoke(main, ["run", case, "--format", "github"])
    assert result.exit_code == 2
    assert "could not open file" in result.stderr


def test_the_summary_is_the_report_in_markdown() -> None:
    assert render_summary(reports.REPORTS["one_fail"]).startswith("# gradcheck\n\n**3 cases\\: 1 fail, 2 pass**\n")

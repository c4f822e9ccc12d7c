"""`gradcheck run` from the outside: streams, files, options, exit codes – with what is checked made by hand."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import gradcheck.casefile.loader
import gradcheck.checking.check
from gradcheck import __version__
from gradcheck.casefile.loader import Loaded
from gradcheck.checking.check import RunInterruptedError
from gradcheck.checking.settings import Settings
from gradcheck.cli import COMMANDS, main
from gradcheck.cli.output import Page, Target, has_color, width_of
from gradcheck.location import Location, SourceText
from gradcheck.model.case import Case, FunctionBody
from gradcheck.model.report import Report
from gradcheck.reporters.json import render_json
from gradcheck.reporters.table import render_table
from tests.unit import reports


class Checker:
    """Stands in for the rooms between the files and the report, and remembers what it was asked."""

    def __init__(self) -> None:
        self.report = reports.REPORTS["all_pass"]
        self.interrupt_after: int | None = None
        self.settings = Settings()
        self.checked: tuple[str, ...] = ()

    def load(self, paths: tuple[str, ...]) -> Loaded:
        cases = tuple(
            Case(r.name, Location(r.file, r.line, 1), FunctionBody(SourceText.of("x"))) for r in self.report.cases
        )
        return Loaded(cases, self.report.problems)

    def run(self, loaded: Loaded, settings: Settings, *others: object, **named: object) -> Report:
        self.settings = settings
        self.checked = tuple(case.name for case in loaded.cases)
        if self.interrupt_after is not None:
            raise RunInterruptedError(replace(self.report, cases=self.report.cases[: self.interrupt_after]))
        return replace(self.report, strict=settings.strict)


@pytest.fixture
def checker(monkeypatch: pytest.MonkeyPatch) -> Checker:
    made = Checker()
    monkeypatch.setattr(gradcheck.casefile.loader, "load", made.load)
    monkeypatch.setattr(gradcheck.checking.check, "run_cases", made.run)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return made


def run(*arguments: str, charset: str = "utf-8") -> Result:
    return CliRunner(charset=charset).invoke(main, ["run", "cases", *arguments])


@pytest.mark.parametrize(
    ("name", "code"),
    [("all_pass", 0), ("one_fail", 1), ("everything", 2), ("undecided", 3), ("problems_only", 2)],
)
def test_the_exit_code_is_the_reports(checker: Checker, name: str, code: int) -> None:
    checker.report = reports.REPORTS[name]
    assert run().exit_code == code


def test_results_go_to_stdout_and_problems_to_stderr(checker: Checker) -> None:
    checker.report = reports.REPORTS["everything"]
    result = run()
    assert result.stdout == render_table(checker.report)
    assert result.stderr == (
        "cases/softmax.yaml:14:15: error: unknown function 'sigmod'\n"
        "        loss: sum(sigmod(x @ W))\n"
        "                  ^~~~~~\n"
        "  did you mean 'sigmoid'?\n"
        "\n"
        "cases/none.yaml:1:1: error: no such file\n"
        "\n"
    )


def test_json_goes_to_stdout_with_the_exit_code_of_the_process(checker: Checker) -> None:
    checker.report = reports.REPORTS["one_fail"]
    result = run("--format", "json")
    assert result.stdout == render_json(checker.report)
    assert json.loads(result.stdout)["exit"] == result.exit_code == 1
    assert result.stderr == ""


def test_verbose_colour_and_width_reach_the_table(checker: Checker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    assert run("-v").stdout == render_table(checker.report, width=72, verbose=True)
    assert run("--color", "always").stdout == render_table(checker.report, width=72, color=True)
    assert run("--color", "never").stdout == render_table(checker.report, width=72)


def test_options_become_settings(checker: Checker) -> None:
    run("--rtol", "1e-4", "--seed", "7", "-x", "--strict", "-k", "affine")
    assert checker.settings == Settings(
        rtol=1e-4, seed=7, keyword="affine", exit_first=True, strict=True, is_brief=True
    )
    run("-v")
    assert checker.settings == Settings()
    run("--format", "json")
    assert checker.settings == Settings()
    run()
    assert checker.settings == Settings(is_brief=True)


def test_a_keyword_selects_cases(checker: Checker) -> None:
    run("-k", "affine or apples")
    assert checker.checked == ("apples and oranges", "affine", "affine", "affine")


def test_a_keyword_that_matches_nothing_is_an_error_that_helps(checker: Checker) -> None:
    result = run("-k", "small clasifier")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        "error: -k 'small clasifier' does not match any of the 8 cases\n  did you mean 'small classifier'?\n"
    )


def test_no_case_at_all_is_an_error(checker: Checker) -> None:
    checker.report = reports.REPORTS["empty"]
    result = run()
    assert result.exit_code == 2
    assert result.stderr == "error: no case was found\n  name case files, or folders that hold some\n"


@pytest.mark.parametrize("arguments", [["-o", "report.json"], ["-o", "json:report.txt"], ["-o", "REPORT.JSON"]])
def test_a_report_is_written_in_the_format_named_or_that_of_the_suffix(
    checker: Checker, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.stdout == render_table(checker.report)
    assert [file.read_text() for file in tmp_path.iterdir()] == [render_json(checker.report)]


def test_several_reports_are_written_plain_whatever_the_terminal(checker: Checker, tmp_path: Path) -> None:
    run("-o", f"{tmp_path}/a.json", "-o", f"table:{tmp_path}/b", "--color", "always", "-v")
    assert (tmp_path / "a.json").read_text() == render_json(checker.report)
    assert (tmp_path / "b").read_text() == render_table(checker.report, verbose=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "a.pdf"], "the format of 'a.pdf' is not known; write one of 'table:a.pdf', 'json:a.pdf'"),
        (["-o", "no/where.json"], "there is no folder 'no' for 'no/where.json'"),
        (["-o", "json:"], "'json:' is not the name of a file"),
        (["-o", "json:."], "'json:.' is not the name of a file"),
        (["-o", "a.json", "-o", "json:a.json"], "'a.json' is named twice"),
        (["--rtol", "nan"], "expected a number over 0 and at most 1, got 'nan'"),
        (["--rtol", "-1"], "expected a number over 0 and at most 1, got '-1.0'"),
        (["--seed", "-1"], "error: invalid value for '--seed': -1 is not in the range x>=0."),
        (["--format", "pdf"], "'pdf' is not one of 'table', 'json', 'junit', 'github', 'markdown', 'csv', 'html'."),
        (["--nonsense"], "error: no such option"),
        (["--nonsense"], "\n  see: main run --help\n"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_options_is_named_and_nothing_runs(
    checker: Checker, arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert checker.checked == ()


def test_a_file_that_cannot_be_written_is_an_error_after_the_results(checker: Checker, tmp_path: Path) -> None:
    (tmp_path / "taken.json").symlink_to(tmp_path / "missing" / "elsewhere.json")
    result = run("-o", f"{tmp_path}/taken.json")
    assert result.exit_code == 2
    assert result.stdout == render_table(checker.report)
    assert result.stderr == f"error: could not open file '{tmp_path}/taken.json': No such file or directory\n"


def test_an_interrupted_run_shows_what_is_known(checker: Checker) -> None:
    checker.interrupt_after = 2
    result = run("--format", "json")
    assert result.exit_code == 130
    document = json.loads(result.stdout)
    assert [case["name"] for case in document["cases"]] == ["small classifier", "apples and oranges"]
    assert document["exit"] == 130
    assert result.stderr == "interrupted: 2 of 8 cases checked\n"


def test_a_run_that_stops_early_says_so(checker: Checker) -> None:
    checker.report = Report((reports.FAILING,))
    result = run("-x")
    assert result.exit_code == 1
    assert result.stderr == "stopped at the first surprise: 1 of 1 case checked\n"


def test_a_mistake_of_ours_is_no_traceback(checker: Checker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADCHECK_TRACEBACK", raising=False)

    def fall(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero\x1b[2J")

    monkeypatch.setattr(gradcheck.checking.check, "run_cases", fall)
    result = run()
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        "internal error: ZeroDivisionError: division by zero\\x1b[2J\n"
        "  this is a mistake in gradcheck; GRADCHECK_TRACEBACK=1 shows where, please report it\n"
    )


@pytest.mark.parametrize("charset", ["ascii", "latin-1", "cp1252"])
def test_a_poor_output_gets_what_it_can_show(checker: Checker, charset: str) -> None:
    checker.report = reports.REPORTS["everything"]
    result = run(charset=charset)
    assert result.exit_code == 2
    assert result.stdout_bytes.decode(charset) == render_table(checker.report, encoding=charset)


def test_the_commands_are_listed_and_a_forgotten_one_is_offered() -> None:
    runner = CliRunner()
    listed = runner.invoke(main, ["--help"]).stdout
    assert all(f"\n  {name} " in listed for name in COMMANDS)
    forgotten = runner.invoke(main, ["cases/mlp.yaml"])
    assert forgotten.exit_code == 2
    assert forgotten.stderr == (
        "error: no such command 'cases/mlp.yaml'. Did you mean: gradcheck run cases/mlp.yaml\n  see: main --help\n"
    )
    python = runner.invoke(main, [__file__])
    assert python.stderr == (
        f"error: no such command '{__file__}'. Did you mean: gradcheck new {__file__}\n  see: main --help\n"
    )
    assert runner.invoke(main, ["--version"]).stdout == f"gradcheck, version {__version__}\n"
    assert runner.invoke(main, ["run"]).stderr == "error: missing argument 'CASES...'.\n  see: main run --help\n"
    assert runner.invoke(main, []).exit_code == 2


class Stream(io.StringIO):
    def __init__(self, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


@pytest.mark.parametrize(
    ("is_terminal", "choice", "environment", "colored"),
    [
        (True, "auto", {}, True),
        (False, "auto", {}, False),
        (True, "auto", {"NO_COLOR": "1"}, False),
        (True, "auto", {"NO_COLOR": ""}, True),
        (True, "auto", {"TERM": "dumb"}, False),
        (False, "auto", {"FORCE_COLOR": "1"}, True),
        (True, "auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (True, "always", {"NO_COLOR": "1"}, True),
        (False, "always", {}, True),
        (True, "never", {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_follows_the_option_then_the_variables_then_the_terminal(
    is_terminal: bool, choice: str, environment: dict[str, str], colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert has_color(Stream(is_terminal), choice) is colored


@pytest.mark.parametrize(
    ("columns", "width"), [("72", 72), ("", 100), ("0", 100), ("12", 40), ("wide", 100), ("²", 100), ("9" * 30, 100)]
)
def test_the_width_is_columns_or_the_usual_one(columns: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert width_of(Stream(is_terminal=False)) == width
    assert width_of(Stream(is_terminal=True)) == width  # a terminal without a descriptor cannot be asked


def test_a_page_is_what_the_stream_says() -> None:
    assert Page.of(io.TextIOWrapper(io.BytesIO(), encoding="latin-1"), "never").encoding == "latin-1"


def test_a_windows_path_is_no_format() -> None:
    assert Target.parse("C:report.json") == Target("json", Path("C:report.json"))


@pytest.fixture
def square(tmp_path: Path) -> str:
    file = tmp_path / "square.yaml"
    file.write_text("name: square\nfunction: x**2\ninputs:\n  x: 3\n")
    return str(file)


def process(shell: str, square: str) -> subprocess.CompletedProcess[str]:
    """The command in a shell, with $RUN standing for `gradcheck run` of a right case."""
    run = f"'{sys.executable}' -m gradcheck run '{square}'"
    return subprocess.run(["bash", "-c", shell.replace("$RUN", run)], capture_output=True, text=True, check=False)


def test_a_reader_who_leaves_early_is_no_error(square: str) -> None:
    done = process("$RUN | true; exit ${PIPESTATUS[0]}", square)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_stdout_is_no_error(square: str) -> None:
    done = process("$RUN >&-", square)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_an_error_and_not_a_wrong_gradient(square: str) -> None:
    done = process("$RUN > /dev/full", square)
    assert done.returncode == 2
    assert done.stderr == "error: the report could not be written: No space left on device\n"

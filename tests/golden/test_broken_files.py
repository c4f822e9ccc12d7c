"""Broken case files as a user meets them: `gradcheck run FILE` exits 2 and says where, what, why and what to do.

The files stand in tests/broken, what is said about them in golden/broken; files that are hardly text are made here.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from helper import check_golden

from gradcheck.cli import main

FOLDER = Path(__file__).parents[1] / "broken"
FILES = sorted(FOLDER.glob("*.yaml"))
CASE = b"name: a case\nfunction: x**2\ninputs:\n  x: 3.0\n"
MADE: dict[str, bytes] = {
    "nul": CASE.replace(b"a case", b"a\x00case"),
    "bell": CASE.replace(b"a case", b"a\x07case"),
    "line_separator": CASE.replace(b"a case", "a\u2028case".encode()),
    "not_utf8": CASE.replace(b"a case", "größe".encode("latin-1")),
    "utf16": CASE.decode().encode("utf-16"),
    "empty": b"",
    "blank": b"\n \n\n",
    "too_large": CASE + b"# " + b"x" * 300_000,
    "million_brackets": b"[" * 1_000_000,
    "many_brackets": b"a: " + b"[" * 200_000,
    "many_braces": b"{" * 200_000,
    "brackets_on_lines": b"[\n" * 100_000,
    "many_dashes": b"- " * 100_000,
    "many_question_marks": b"? " * 100_000,
    "many_values": b"a: [" + b"1, " * 50_000 + b"]",
    "many_keys": b"".join(b"k%d: 1\n" % i for i in range(5_000)),
    "many_documents": b"---\n" * 60_000,
    "many_anchors": b"- &a b\n" * 30_000,
    "many_tags": b"- !!str a\n" * 20_000,
    "many_open_calls": b"a: [" + b"f(a, " * 5_000 + b"]",
    "long_number": CASE.replace(b"3.0", b"1" * 200_000),
    "long_key": CASE + b"k" * 100_000 + b": 1\n",
    "long_text": CASE.replace(b"x**2", b"x + " * 20_000 + b"x"),
    "large_exponent": CASE.replace(b"3.0", b"1e" + b"9" * 300),
}


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `gradcheck run`."""
    result = CliRunner().invoke(main, ["run", "--color", "never", *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def beside_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages name files as they were given, so every run starts in the same place."""
    monkeypatch.chdir(FOLDER.parent)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_broken_file_is_told_of_with_place_cause_and_advice(file: Path) -> None:
    code, _, told = run(f"broken/{file.name}")
    assert code == 2
    assert "internal error" not in told
    check_golden(f"broken/{file.stem}.txt", told)


@pytest.mark.parametrize("name", MADE)
def test_a_file_that_is_hardly_text_is_told_of_with_place_cause_and_advice(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{name}.yaml").write_bytes(MADE[name])
    monkeypatch.chdir(tmp_path)
    code, _, told = run(f"{name}.yaml")
    assert code == 2
    assert "internal error" not in told
    check_golden(f"broken/{name}.txt", told)


def test_there_are_more_than_forty_broken_files() -> None:
    assert len(FILES) + len(MADE) > 40


def test_every_golden_text_belongs_to_a_file() -> None:
    texts = {path.stem for path in (Path(__file__).parent / "broken").glob("*.txt")}
    assert texts == {path.stem for path in FILES} | set(MADE)


def test_the_good_cases_of_a_broken_file_are_checked() -> None:
    code, table, _ = run("broken/comma_in_flow.yaml", "../cases/04_power_rule.yaml")
    assert code == 2
    assert "4 pass" in table or "pass" in table


def test_a_missing_file_and_an_empty_folder_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "notes.txt").write_text("no case\n")
    code, _, told = run("missing.yaml", "nothing")
    assert code == 2
    assert told == (
        "missing.yaml:1:1: error: there is no such file\n"
        "  check the path\n\n"
        "nothing:1:1: error: this folder holds no case files\n"
        "  case files end in .yaml or .yml\n\n"
    )


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs a device without an end")
def test_a_device_without_an_end_is_refused() -> None:
    code, _, told = run("/dev/zero")
    assert code == 2
    assert told == (
        "/dev/zero:1:1: error: this is not a regular file\n  name a case file or a folder of case files\n\n"
    )

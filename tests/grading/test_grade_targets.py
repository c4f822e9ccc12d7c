"""`-o FORMAT:PATH` of `gradcheck grade`: what is written beside everything else, and what cannot be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gradcheck.grading.journal import FILE
from tests.grading.commands import grade


def test_other_formats_are_written_beside(hw: Path) -> None:
    (hw / "sheet.csv").write_text("Student,ID,SIS Login ID,Section,a (1)\nPoints Possible,,,,5\nAna,1,ana,s,\n")
    (hw / "grades").mkdir()
    result = grade(
        hw, "-o", f"gradescope:{hw / 'grades'}", "-o", f"junit:{hw / 'j.xml'}", "-o", f"canvas:{hw / 'sheet.csv'}",
        "-o", f"classroom:{hw / 'grades'}",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert sorted(path.suffix for path in (hw / "grades").iterdir()) == [".json"] * 3 + [".txt"] * 3
    assert (hw / "j.xml").read_text().count("<testsuite ") == 3
    assert "Ana,1,ana,s,2.00\n" in (hw / "sheet.csv").read_text()
    assert result.stderr.split("\n")[:3] == [
        f"{hw / 'sheet.csv'}: 1 of 3 submissions filled in",
        f"{hw / 'sheet.csv'}: no row for ben, cy",
        f"{hw / 'sheet.csv'}: the sheet says 5 points possible, the assignment 2",
    ]
    assert not (hw / FILE).exists()


def test_one_submission_is_written_to_the_file_itself(hw: Path) -> None:
    shutil.copy(hw / "subs" / "ben.py", hw / "student.py")
    (hw / "one").mkdir()
    shutil.copy(hw / "subs" / "ben.py", hw / "one" / "student.py")
    result = grade(hw, "--single", "-o", f"gradescope:{hw / 'results.json'}", submissions="one")
    assert result.exit_code == 0, result.output
    assert json.loads((hw / "results.json").read_text())["score"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "a", "-o", "b"], "two folders for everything"),
        (["-o", "excel:x"], "there is no format 'excel'"),
        (["-o", "canvas:none.csv"], "there is no sheet 'none.csv'"),
        (["-o", "junit:"], "'junit:' names no file"),
        (["-o", "junit:/no/such/x.xml"], "there is no folder '/no/such'"),
        (["-o", "hw.yaml"], "'hw.yaml' is a file; everything goes into a folder"),
        ([], "missing option '-o'"),
    ],
)
def test_what_cannot_be_written_is_told_before_anybody_is_graded(
    hw: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(hw)
    result = grade(hw, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_an_autograder_is_written_without_submissions(hw: Path) -> None:
    result = grade(hw, "-o", f"gradescope-zip:{hw / 'auto.zip'}", submissions="")
    assert result.exit_code == 0, result.output
    assert (hw / "auto.zip").read_bytes()[:2] == b"PK"

"""`gradcheck grade` from the outside: what it writes, what it says, its exit codes – with a stand-in for the box."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import gradcheck.cli.grade
import gradcheck.grading.run
from gradcheck.cli import main
from gradcheck.errors import UnsafeError
from gradcheck.grading.journal import FILE
from gradcheck.grading.marking import Marker
from gradcheck.model.grading import Submission, SubmissionResult
from gradcheck.sandbox.terms import Tier
from tests.grading.commands import grade
from tests.grading.helpers import EXAMPLE, HOMEWORK, REFERENCE


def test_everything_is_written_and_everybody_has_a_result(hw: Path) -> None:
    result = grade(hw, "-o", str(hw / "out"))
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "ana        2 of 2\n"
        "ben        1 of 2\n"
        "cy         0 of 2  error\n"
        "\n"
        "3 submissions: 2 graded, 1 error\n"
        "sandbox: medium (walls)\n"
    )
    assert result.stderr == ""
    names = sorted(path.name for path in (hw / "out").iterdir())
    assert names == ["feedback", "grades.csv", FILE, "overview.html", "overview.md", "results.json"]
    assert len(list((hw / "out" / "feedback").iterdir())) == 6
    rows = list(csv.reader((hw / "out" / "grades.csv").read_text().splitlines()))
    assert [row[:4] for row in rows[1:]] == [
        ["ana", "2", "2", "graded"], ["ben", "1", "2", "graded"], ["cy", "0", "2", "error"]
    ]  # fmt: skip


def watch(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of those who are graded from now on."""
    marked: list[str] = []
    mark = Marker.mark

    def watched(self: Marker, one: Submission) -> SubmissionResult:
        if one.name != "reference":
            marked.append(one.name)
        return mark(self, one)

    monkeypatch.setattr(Marker, "mark", watched)
    return marked


def test_a_second_run_grades_nothing_twice_and_writes_the_same(hw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grade(hw, "-o", str(hw / "out"))
    first = (hw / "out" / "results.json").read_bytes()
    marked = watch(monkeypatch)
    assert grade(hw, "-o", str(hw / "out")).exit_code == 0
    assert marked == []
    assert (hw / "out" / "results.json").read_bytes() == first


def test_only_what_changed_is_graded_again(hw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grade(hw, "-o", str(hw / "out"))
    (hw / "subs" / "cy.py").write_text(REFERENCE)
    marked = watch(monkeypatch)
    assert "cy         2 of 2\n" in grade(hw, "-o", str(hw / "out")).stdout
    assert marked == ["cy"]
    marked.clear()
    grade(hw, "-o", str(hw / "out"), "--fresh")
    assert marked == ["ana", "ben", "cy"]


def test_a_mistake_of_ours_stops_nobody_and_is_tried_again(hw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = Marker.mark

    def broken(self: Marker, one: Submission) -> SubmissionResult:
        if one.name == "ben":
            raise ZeroDivisionError("ours")
        return mark(self, one)

    monkeypatch.setattr(Marker, "mark", broken)
    result = grade(hw, "-o", str(hw / "out"))
    assert result.exit_code == 0
    said = "error: the grader failed here, which is no fault of the submission: ZeroDivisionError: ours"
    assert f"ben        0 of 2  {said}" in result.stdout
    page = next((hw / "out" / "feedback").glob("ben-*.md")).read_text()
    assert "your submission is not graded yet" in page
    assert "ZeroDivisionError" not in page
    monkeypatch.setattr(Marker, "mark", mark)
    assert "ben        1 of 2\n" in grade(hw, "-o", str(hw / "out")).stdout


def test_ctrl_c_ends_with_what_is_known(hw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = Marker.mark

    def interrupted(self: Marker, one: Submission) -> SubmissionResult:
        if one.name == "cy":
            raise KeyboardInterrupt
        return mark(self, one)

    monkeypatch.setattr(Marker, "mark", interrupted)
    result = grade(hw, "-o", str(hw / "out"))
    assert result.exit_code == 130
    assert "1 submission not graded; run the same command again to go on" in result.stdout
    data = json.loads((hw / "out" / "results.json").read_text())
    assert data["waiting"] == ["cy"]
    assert [entry["submission"] for entry in data["results"]] == ["ana", "ben"]


def test_without_walls_nothing_is_graded(hw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> Tier:
        raise UnsafeError("no sandbox of tier medium or better (strong: no; medium: no)", "do this\nor that")

    monkeypatch.setattr(gradcheck.grading.run, "choose_tier", none)
    result = grade(hw, "-o", str(hw / "out"))
    assert result.exit_code == 4
    assert result.stderr.split("\n")[:3] == [
        "error: no sandbox of tier medium or better (strong: no; medium: no)", "do this", "or that"
    ]  # fmt: skip
    assert not (hw / "out").exists()


def test_a_weaker_tier_has_to_be_allowed_and_is_stamped(hw: Path) -> None:
    assert grade(hw, "-o", str(hw / "out"), "--sandbox", "limits").exit_code == 4
    result = grade(
        hw, "-o", str(hw / "out"), "--sandbox", "limits", "--allow-unsandboxed", "-o", f"junit:{hw / 'j.xml'}"
    )
    assert result.exit_code == 0
    said = "sandbox: NONE - these results are not tamper-resistant"
    texts = [path.read_text() for path in (hw / "out").rglob("*") if path.is_file() and path.name != FILE]
    texts += [(hw / "j.xml").read_text(), result.stdout]
    assert len(texts) == 12
    assert all(said in text.replace("\\", "") for text in texts)


def test_a_reference_that_is_wrong_grades_nobody(hw: Path) -> None:
    (hw / "reference.py").write_text(REFERENCE.replace("x.T @ dz", "2 * x.T @ dz"))
    result = grade(hw, "-o", str(hw / "out"))
    assert result.exit_code == 2
    assert "hw.yaml:6:16: error: the reference is no measure of 'open': w is wrong: it claims" in result.stderr
    assert not (hw / "out").exists()


def test_a_reference_that_the_box_does_not_take_grades_nobody(hw: Path) -> None:
    """It runs here, and would not run there: then it is not the submissions that are wrong."""
    (hw / "reference.py").write_text(
        REFERENCE + "\nif __file__.endswith('student.py'):\n    raise ImportError('no scipy')\n"
    )
    result = grade(hw, "-o", str(hw / "out"))
    assert result.exit_code == 2
    assert "hw.yaml:6:16: error: the reference gets 0 of 1 points in the box: ImportError: no scipy" in result.stderr


def test_a_reference_may_have_neighbours(hw: Path) -> None:
    (hw / "tools.py").write_text("ONE = 1\n")
    (hw / "reference.py").write_text("from tools import ONE\n" + REFERENCE)
    assert "ana        2 of 2\n" in grade(hw, "-o", str(hw / "out")).stdout


def test_a_broken_homework_is_told_with_its_place(hw: Path) -> None:
    (hw / "hw.yaml").write_text("assignment: {titel: a}\ncases: []\n")
    result = grade(hw, "-o", str(hw / "out"))
    assert result.exit_code == 2
    assert "hw.yaml:1:14: error: unknown key 'titel'" in result.stderr


def test_a_roster_says_who_is_who(hw: Path) -> None:
    text = (hw / "hw.yaml").read_text().replace("  title: a\n", "  title: a\n  roster: roster.csv\n")
    (hw / "hw.yaml").write_text(text)
    (hw / "roster.csv").write_text("id,name\nana,Ana Smith\nzoe,Zoe\n")
    result = grade(hw, "-o", str(hw / "out"))
    assert "Ana Smith        2 of 2\n" in result.stdout
    assert "1 student of the roster handed nothing in\n" in result.stdout


def test_two_submissions_of_one_student_are_both_kept_and_noted(hw: Path) -> None:
    (hw / "hw.yaml").write_text((hw / "hw.yaml").read_text().replace("  title: a\n", "  title: a\n  roster: r.csv\n"))
    (hw / "r.csv").write_text("id,name\nana,Ana Smith\n")
    shutil.copy(hw / "subs" / "ben.py", hw / "subs" / "ana_late.py")
    assert grade(hw, "-o", str(hw / "out")).exit_code == 0
    results = json.loads((hw / "out" / "results.json").read_text())["results"]
    said = {result["submission"]: result["notes"] for result in results if result["student"] == "Ana Smith"}
    assert list(said) == ["ana", "ana_late"]
    assert all(notes == ["another submission is this student's, too"] for notes in said.values())


def test_the_notes_of_the_reference_are_told(hw: Path) -> None:
    text = (hw / "hw.yaml").read_text().replace("  - name: secret", "    vary: nonzero_bias\n  - name: secret")
    (hw / "hw.yaml").write_text(text)
    assert "note: open: the variant nonzero_bias is left out: " in grade(hw, "-o", str(hw / "out")).stderr


def test_what_an_earlier_run_has_left_among_the_submissions_is_no_submission(hw: Path) -> None:
    first = grade(hw, "-o", str(hw / "subs" / "out")).stdout
    assert grade(hw, "-o", str(hw / "subs" / "out")).stdout == first


def test_nothing_to_grade_is_told(hw: Path) -> None:
    assert "there are no submissions to grade" in grade(hw, "-o", str(hw / "out"), submissions="").stderr
    assert "there is no" in grade(hw, "-o", str(hw / "out"), submissions="none").stderr


def test_the_order_of_the_folder_changes_nothing(hw: Path) -> None:
    grade(hw, "-o", str(hw / "one"))
    for name in ("ana", "ben", "cy"):
        (hw / "again").mkdir(exist_ok=True)
        shutil.copy(hw / "subs" / f"{name}.py", hw / "again" / f"{name}.py")
    paths = [str(hw / "again" / f"{name}.py") for name in ("cy", "ben", "ana")]
    CliRunner().invoke(main, ["grade", str(hw / "hw.yaml"), *paths, "-o", str(hw / "two")])
    assert timeless(hw / "one") == timeless(hw / "two")


def timeless(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "results.json").read_text())
    for result in data["results"]:
        result["seconds"] = 0.0
    return data


def test_the_example_lies_where_the_readme_says() -> None:
    assert HOMEWORK.parent == EXAMPLE
    assert {path.name for path in (EXAMPLE / "submissions").iterdir()} == {
        "claims_equality", "empty", "exits", "peeks_at_frames", "perfect", "returns_zeros", "writes_results", "wrong_db"
    }  # fmt: skip

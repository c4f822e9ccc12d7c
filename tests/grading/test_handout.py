"""A handout is what students may see, as its author wrote it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gradcheck.cli import main
from gradcheck.grading.assignment import read_assignment
from gradcheck.grading.handout import HandoutError, handout
from tests.grading.helpers import EXAMPLE, HOMEWORK, case, homework


def made(folder: Path, cases: str, head: str = "  title: a\n") -> str:
    assignment = homework(folder, cases, head=head)
    return handout(assignment, Path(assignment.file).read_text()).text


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_the_example_is_handed_out_as_it_was_written() -> None:
    assignment, _ = read_assignment(str(HOMEWORK))
    assert assignment is not None
    text = handout(assignment, HOMEWORK.read_text()).text
    assert text.startswith("# Comments of the teacher stay in the handout, those inside hidden cases do not.\n")
    for word in ("secret", "reference", "points", "hidden: ", "feedback", "Nobody but the teacher", "must not"):
        assert word not in text
    for line in ("  - name: affine layer", "      x: normal(N, 4)", "      N: [1, 5]", "    parameters_at: net.params"):
        assert f"{line}\n" in text
    assert text.endswith("      labels: integers(0, 3, size=5)\n")


def test_comments_of_visible_cases_survive_and_those_of_hidden_ones_do_not(tmp_path: Path) -> None:
    visible = case("a", "    points: 2  # generous\n    # about the tags\n    tags: [one]\n\n  # in front of b\n")
    hidden = case("h", "    hidden: true\n    # inside\n    points: 3\n")
    text = made(tmp_path, visible + case("b") + "  # in front of the hidden one\n" + hidden + case("c"))
    assert "# about the tags" in text
    assert "# in front of b" in text
    assert not any(word in text for word in ("inside", "in front of the hidden", "generous", "points", "reference"))
    assert [line for line in text.split("\n") if "name:" in line] == [f"  - name: {name}" for name in "abc"]


def test_what_only_teachers_set_is_taken_out_of_the_head(tmp_path: Path) -> None:
    head = "  title: a\n  secret: swordfish\n  budget: 500\n  feedback: where\n"
    text = made(tmp_path, case("a"), head)
    assert "swordfish" not in text
    assert text.startswith("assignment:\n  title: a\ncases:\n")


def test_a_handout_can_be_read_again_and_run(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "hw")
    result = run("handout", str(tmp_path / "hw" / "hw.yaml"), "-o", str(tmp_path / "public"))
    assert result.exit_code == 0
    assert result.stdout.split() == [str(tmp_path / "public" / name) for name in ("hw.yaml", "two_layer.py")]
    assert sorted(path.name for path in (tmp_path / "public").iterdir()) == ["hw.yaml", "two_layer.py"]
    shutil.copy(EXAMPLE / "submissions" / "perfect" / "two_layer.py", tmp_path / "public" / "two_layer.py")
    result = run("run", str(tmp_path / "public" / "hw.yaml"))
    assert result.exit_code == 0, result.output
    assert "5 cases: 5 pass" in result.stdout


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "hw.yaml").write_text("mine")
    result = run("handout", str(HOMEWORK), "-o", str(tmp_path))
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert (tmp_path / "hw.yaml").read_text() == "mine"


def test_a_name_that_would_leak_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HandoutError, match="'h' would still be in the handout"):
        made(tmp_path, case("a", "    why: see h\n") + case("h", "    hidden: true\n"))


def test_the_name_of_the_reference_in_a_comment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HandoutError, match=r"'reference\.py' would still be in the handout"):
        made(tmp_path, case("a", "    tags: [x]  # see reference.py\n"))


def test_a_file_of_hidden_cases_only_cannot_be_handed_out(tmp_path: Path) -> None:
    with pytest.raises(HandoutError, match="every case is hidden"):
        made(tmp_path, case("a", "    hidden: true\n"))


def test_a_broken_homework_is_told(tmp_path: Path) -> None:
    (tmp_path / "hw.yaml").write_text("cases: 3\n")
    result = run("handout", str(tmp_path / "hw.yaml"), "-o", str(tmp_path / "public"))
    assert result.exit_code == 2
    assert "hw.yaml:1:1: error: expected a list of cases" in result.stderr

"""Every kind of mistake as its author meets it: the whole message is a golden file, and following it helps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.model.report import Report
from gradcheck.reporters.feedback import LEVELS, told_of_case
from gradcheck.reporters.table import render_table
from gradcheck.verdict.diagnose.kinds import KINDS
from tests.diagnosis.lessons import LESSONS, Lesson
from tests.golden.helper import check_golden

BY_NAME = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.kind)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, in which the files have the names that a report shows."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(lesson: Lesson, code: str | None = None) -> Report:
    own, case = lesson.files()
    Path("code.py").write_text(own if code is None else code, encoding="utf-8")
    Path("case.yaml").write_text(case, encoding="utf-8")
    report = run_cases(load(("case.yaml",)), Settings())
    assert not report.problems
    return report


def test_there_is_a_lesson_for_every_kind() -> None:
    assert [lesson.kind for lesson in LESSONS if lesson.kind not in KINDS] == []
    assert {lesson.kind for lesson in LESSONS} == set(KINDS)


@BY_NAME
def test_the_message_is_the_one_that_was_read(lesson: Lesson, here: Path) -> None:
    report = checked(lesson)
    result = report.cases[0]
    failing = [f for f in result.findings if f.verdict == "fail"]
    assert failing
    assert [f.diagnosis[0].kind for f in failing] == [lesson.kind] * len(failing)
    levels = [
        f"feedback: {level}\n" + "".join(f"  {line}\n" for line in told_of_case(result, level)) for level in LEVELS
    ]
    check_golden(f"diagnosis/{lesson.kind}.txt", paragraphs(report) + "\n" + blurred("\n".join(levels)))


def paragraphs(report: Report) -> str:
    """What is said of each failing finding, picture included."""
    text = render_table(report, width=100, verbose=True)
    return blurred(text[text.index("FAIL") : text.rindex("1 case: ")])


def blurred(text: str) -> str:
    """Without the bounds of the slopes: they are another subject, and may become better."""
    return re.sub(r"± \d\.\de-\d+", "± …", text)


@BY_NAME
def test_following_the_advice_makes_the_case_pass(lesson: Lesson, here: Path) -> None:
    """Where the advice is a line, the line is written as it says; else somebody has followed it by hand."""
    said = next(d for f in checked(lesson).cases[0].findings for d in f.diagnosis)
    written = re.search(r"^write `(.*)` in place of", said.advice, re.DOTALL)
    if lesson.kind == "digits":
        case = lesson.files()[1].replace("[2.46, -0.62, 5.43]", "[2.46912, -0.6283, 5.43656]")
        Path("case.yaml").write_text(case, encoding="utf-8")
        assert run_cases(load(("case.yaml",)), Settings()).cases[0].verdict == "pass"
        return
    followed = lesson.followed()
    assert checked(lesson, followed).cases[0].verdict == ("kink" if lesson.kind == "ties" else "pass")
    if written is not None:
        lines = lesson.files()[0].splitlines()
        number = int(said.place.rpartition(":")[2]) - 1
        lines[number] = re.match(r"\s*", lines[number])[0] + written[1]  # type: ignore[index]
        assert checked(lesson, "\n".join(lines) + "\n").cases[0].verdict == "pass"


def test_no_message_has_a_word_that_nobody_explains() -> None:
    """Words of the trade stand in messages with their gloss, or not at all."""
    glossed = {"Jacobian": "the table of all slopes"}
    for file in sorted((Path(__file__).parents[1] / "golden" / "diagnosis").glob("*.txt")):
        text = " ".join(file.read_text(encoding="utf-8").split())
        for word in (
            "cotangent",
            "primal",
            "pullback",
            "vjp",
            "jvp",
            "contraction",
            "residual",
            "einsum",
            "broadcasted",
        ):
            assert word not in text, (file.name, word)
        for word, gloss in glossed.items():
            assert word not in text or gloss in text, (file.name, word)


def test_readme_shows_what_is_said_of_the_transposed_matrix_of_the_gallery(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    text = (root / "cases" / "13_five_mistakes.yaml").read_text(encoding="utf-8")
    start, end = text.index("- name: a transposed matrix"), text.index("  - name: a missing activation")
    case = "  " + text[start:end].partition("    expect:")[0]
    code = root / "cases" / "handwritten" / "mistakes.py"
    (tmp_path / "mistakes.py").write_text(code.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "case.yaml").write_text(f"defaults:\n  code: mistakes.py\ncases:\n{case}", encoding="utf-8")
    drawn = paragraphs(run_cases(load((str(tmp_path / "case.yaml"),)), Settings()))
    block = drawn[: drawn.index("not decided")] + "not decided\n"
    assert f"```text\n{block}```" in blurred((root / "README.md").read_text(encoding="utf-8"))

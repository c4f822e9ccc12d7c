"""Every output is what its readers accept, and says what the gradebook says."""

from __future__ import annotations

import base64
import csv
import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from gradcheck.grading.assignment import read_assignment
from gradcheck.grading.gradebook import gradebook, render_json, schema
from gradcheck.model.grading import CheckMark, Gradebook, Student, SubmissionResult, Walls
from gradcheck.reporters.grades import classroom, gradescope, overview, pages
from gradcheck.reporters.grades.junit import render_junit
from gradcheck.reporters.grades.student import points_text, view
from gradcheck.reporters.grades.table import render_csv, render_summary
from tests.grading.helpers import HOMEWORK, WALLS, example, marker, mistakes

NAMES = ("perfect", "empty", "wrong_db", "returns_zeros")
NONE = Walls("limits", ("resource limits",), is_safe=False)

VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
TEXT, NUMBER = {"type": "string"}, {"type": "number"}
# gradescope/autograder_samples, docs/specs.md; there is no official schema.
GRADESCOPE = {
    "type": "object", "additionalProperties": False,
    "properties": {
        "score": NUMBER, "execution_time": {"type": "number", "minimum": 0}, "output": TEXT, "output_format": FORMAT,
        "test_output_format": FORMAT, "test_name_format": FORMAT, "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY, "extra_data": {"type": "object"},
        "tests": {"type": "array", "items": {"type": "object", "additionalProperties": False, "properties": {
            "score": NUMBER, "max_score": NUMBER, "status": {"enum": ["passed", "failed"]}, "name": TEXT,
            "name_format": FORMAT, "number": TEXT, "output": TEXT, "output_format": FORMAT,
            "tags": {"type": "array", "items": TEXT}, "visibility": VISIBILITY, "extra_data": {"type": "object"}}}},
    },
    "anyOf": [{"required": ["score"]}, {"required": ["tests"]}],
}  # fmt: skip
# junit-10.xsd of jenkinsci/xunit-plugin: the attributes of every element, those that it must have first.
JUNIT = {
    "testsuites": ((), ("name", "time", "tests", "failures", "errors")),
    "testsuite": (("name", "tests", "failures", "errors"),
                  ("time", "skipped", "group", "timestamp", "hostname", "id", "package", "file", "log", "url")),
    "properties": ((), ()),
    "property": (("name", "value"), ()),
    "testcase": (("name",), ("time", "classname", "group")),
    "failure": ((), ("type", "message")), "error": ((), ("type", "message")), "skipped": ((), ("type", "message")),
}  # fmt: skip
INSIDE = {
    "testsuites": {"testsuite"}, "testsuite": {"properties", "testcase"}, "properties": {"property"},
    "testcase": {"failure", "error", "skipped"},
}  # fmt: skip


@pytest.fixture(scope="module")
def book() -> Gradebook:
    assignment, _ = read_assignment(str(HOMEWORK))
    assert assignment is not None
    one = marker(assignment)
    results = [one.mark(example(name, assignment)) for name in NAMES]
    refused = SubmissionResult("locked", "locked", "locked-1", "0", "refused", 0.0, 18.0, message="it is a link")
    late = replace(
        results[0], submission="slow", student="slow", slug="slow-1", status="timeout", points=1.0,
        checks=(
            CheckMark("affine layer", "affine layer", False, "timeout", 0.0, 5.0),
            CheckMark("relu", "relu", False, "pass", 1.0, 1.0),
            CheckMark("softmax loss", "softmax loss", False, "not_run", 0.0, 2.0),
        ),
    )  # fmt: skip
    students = [Student("perfect", "Ana Smith"), Student("absent", "Zoe")]
    return gradebook(assignment, WALLS, [*results, refused, late], students)


def of(book: Gradebook, name: str) -> SubmissionResult:
    return next(result for result in book.results if result.submission == name)


def test_results_json_is_valid_by_its_own_schema(book: Gradebook) -> None:
    data = json.loads(render_json(book))
    assert mistakes(schema(), data) == []
    assert data["schema"] == 1
    assert data["stamp"] == ""
    assert [result["submission"] for result in data["results"]] == sorted([*NAMES, "locked", "slow"])
    assert data["missing"] == ["Zoe"]
    assert of(book, "perfect").student == "Ana Smith"


@pytest.mark.parametrize("change", [{"schema": 2}, {"results": {}}, {"title": 3}, {"more": 1}])
def test_the_schema_refuses_what_is_no_gradebook(book: Gradebook, change: dict[str, object]) -> None:
    assert mistakes(schema(), {**json.loads(render_json(book)), **change})


def test_grades_csv_has_the_four_columns_first_and_a_column_for_every_check(book: Gradebook) -> None:
    rows = list(csv.reader(io.StringIO(render_csv(book))))
    assert rows[0] == [
        "student", "points", "max_points", "status", "affine layer", "relu", "softmax loss", "whole network",
        "affine layer of a secret shape", "network of a secret width",
    ]  # fmt: skip
    by_name = {row[0]: row[1:] for row in rows[1:]}
    assert by_name["Ana Smith"] == ["18", "18", "graded", "5", "1", "2", "4", "3", "3"]
    assert by_name["wrong_db"] == ["11.5", "18", "graded", "3", "1", "2", "2", "2", "1.5"]
    assert by_name["empty"] == ["0", "18", "not_implemented", *["0"] * 6]
    assert by_name["locked"] == ["0", "18", "refused", *["0"] * 6]


def test_the_summary_has_a_line_for_everybody(book: Gradebook) -> None:
    text = render_summary(book)
    assert "Ana Smith          18 of 18\n" in text
    assert "empty               0 of 18  not implemented\n" in text
    assert "locked              0 of 18  refused: it is a link\n" in text
    assert "6 submissions: 3 graded, 1 not implemented, 1 refused, 1 timeout\n" in text
    assert "1 student of the roster handed nothing in\n" in text
    assert text.endswith("sandbox: medium (user, seccomp)\n")


def test_gradescope_gets_what_it_accepts(book: Gradebook) -> None:
    for result in book.results:
        data = json.loads(gradescope.render_gradescope(book, result))
        assert mistakes(GRADESCOPE, data) == []
        assert data["score"] == result.points
        assert sum(test["score"] for test in data["tests"]) == pytest.approx(result.points)
        assert data["tests"]
    wrong = gradescope.project(book, of(book, "wrong_db"))
    assert [test["status"] for test in wrong["tests"]] == ["failed", "passed", "passed", "failed", "failed", "failed"]
    assert wrong["tests"][0]["max_score"] == 5.0
    assert "b: fail, 3 of 3 elements differ, N=5 (-2)" in wrong["tests"][0]["output"]


@pytest.mark.parametrize("change", [{"tests": [{"status": "pass"}]}, {"score": "3"}, {"grade": 3}])
def test_the_gradescope_schema_refuses_what_gradescope_does(book: Gradebook, change: dict[str, object]) -> None:
    assert mistakes(GRADESCOPE, {**gradescope.project(book, book.results[0]), **change})


def test_classroom_gets_one_line_with_a_json_in_base64(book: Gradebook) -> None:
    for result in book.results:
        text = classroom.render_classroom(book, result)
        assert text.startswith("result=")
        assert text.count("\n") == 1
        data = json.loads(base64.b64decode(text[len("result=") :]))
        assert data["version"] == 1
        assert data["max_score"] == 18.0
        assert all(isinstance(test["score"], float) for test in data["tests"])
        assert sum(test["score"] for test in data["tests"]) == pytest.approx(result.points)
    statuses = {name: classroom.project(book, of(book, name))["status"] for name in ("perfect", "wrong_db", "locked")}
    assert statuses == {"perfect": "pass", "wrong_db": "fail", "locked": "error"}


def test_junit_keeps_to_the_strict_dialect(book: Gradebook) -> None:
    root = ET.fromstring(render_junit(book))
    names = []
    for element in root.iter():
        must, may = JUNIT[element.tag]
        assert set(must) <= set(element.keys()) <= {*must, *may}
        assert {child.tag for child in element} <= INSIDE.get(element.tag, set())
        if element.get("time"):
            assert len(element.attrib["time"].partition(".")[2]) <= 3
        if element.tag == "testcase":
            assert len(element) <= 1
            names.append((element.get("classname"), element.get("name")))
        for word, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"), ("tests", "testcase")):
            if element.get(word):
                assert int(element.attrib[word]) == len(list(element.iter(tag)))
    assert len(set(names)) == len(names)
    assert {p.get("value") for p in root.iter("property") if p.get("name") == "gradcheck.sandbox"} == {"medium"}
    slow = next(suite for suite in root if suite.get("name") == "slow-1")
    assert [[child.tag for child in test] for test in slow.iter("testcase")] == [["error"], [], ["skipped"]]
    wrong = next(failure for failure in root.iter("failure") if "3 of 3 elements differ" in (failure.text or ""))
    assert wrong.get("type") == "GradientMismatch"


def test_the_overview_counts_checks_causes_and_points(book: Gradebook) -> None:
    affine = overview.tallies(book)[0]
    assert (affine.name, affine.passed, affine.failed, affine.absent) == ("affine layer", 1, 3, 1)
    assert affine.mean == pytest.approx((5 + 0 + 3 + 0 + 0) / 5)
    assert ("b: factor", 1) in [said for tally in overview.tallies(book) for said in tally.said]
    assert [count for _, count in overview.spread(book)] == [4, 0, 0, 0, 0, 0, 1, 0, 0, 1]
    assert "Zoe" in overview.render_html(book)
    assert "Zoe" in overview.render_markdown(book)


def test_a_page_says_what_was_lost_and_why(book: Gradebook) -> None:
    text = pages.render_markdown(view(book, of(book, "wrong_db")))
    assert "**11.5 of 18 points**" in text
    assert "## affine layer: not passed, 3 of 5" in text
    assert "    b: fail, 3 of 3 elements differ, N=5 (-2)" in text
    assert "1/N" in text
    assert "numeric" not in text  # the right numbers are not told at this level
    assert "not implemented" in pages.render_markdown(view(book, of(book, "empty")))
    assert "your submission could not be opened: it is a link" in pages.render_html(view(book, of(book, "locked")))


@pytest.mark.parametrize(
    ("level", "says", "hides"),
    [
        ("none", ["11.5 of 18"], ["affine", "elements", "1/N", "numeric"]),
        ("where", ["affine", "3 of 3 elements differ"], ["1/N", "numeric"]),
        ("what", ["affine", "3 of 3 elements differ", "1/N"], ["numeric"]),
        ("full", ["affine", "3 of 3 elements differ", "1/N", "numeric"], []),
    ],
)
def test_feedback_keeps_to_its_level(book: Gradebook, level: str, says: list[str], hides: list[str]) -> None:
    told = replace(book, feedback=level)  # type: ignore[arg-type]
    for page in student_outputs(told, "wrong_db"):
        assert all(word in page for word in says), (level, page)
        assert not any(word in page for word in hides), (level, page)


def student_outputs(book: Gradebook, name: str) -> list[str]:
    result = of(book, name)
    seen = view(book, result)
    return [
        pages.render_html(seen),
        json.dumps(gradescope.project(book, result)).replace("11.5", "11.5 of 18"),
        json.dumps(classroom.project(book, result)) + "11.5 of 18",
    ]


def test_without_walls_every_output_says_so(book: Gradebook) -> None:
    bare = replace(book, walls=NONE)
    said = "sandbox: NONE - these results are not tamper-resistant"
    result = of(bare, "wrong_db")
    seen = view(bare, result)
    texts = [
        render_json(bare), render_csv(bare), render_summary(bare), overview.render_html(bare),
        pages.render_html(seen), gradescope.render_gradescope(bare, result), render_junit(bare),
        json.dumps(classroom.project(bare, result)), overview.render_markdown(bare).replace("\\", ""),
        pages.render_markdown(seen).replace("\\", ""),
    ]  # fmt: skip
    assert all(said in text for text in texts)
    assert not any("tamper" in text for text in (render_json(book), render_csv(book), render_junit(book)))


@pytest.mark.parametrize(("points", "text"), [(0.0, "0"), (2.0, "2"), (1.5, "1.5"), (1 / 3, "0.333"), (10.0, "10")])
def test_points_are_written_as_people_write_them(points: float, text: str) -> None:
    assert points_text(points) == text

"""A gradebook that Canvas exported comes back with one column filled in, and nothing else changed."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from gradcheck.model.grading import CheckMark, Gradebook, SubmissionResult
from gradcheck.reporters.grades.canvas import SheetError, fill
from tests.grading.helpers import WALLS

CHECKS = (CheckMark("c", "c", False, "pass", 1.0, 2.0),)


def result(name: str, points: float, student: str = "", status: str = "graded") -> SubmissionResult:
    checks = () if status == "refused" else CHECKS
    return SubmissionResult(name, student or name, name, "0", status, points, 2.0, checks)  # type: ignore[arg-type]


def book(*results: SubmissionResult, ids: dict[str, str] | None = None) -> Gradebook:
    return Gradebook("HW 1: Layers", "hw.yaml", "0", "what", 2.0, {"c": 2.0}, WALLS, results, ids=ids or {})


ENGLISH = (
    "Student,ID,SIS User ID,SIS Login ID,Section,HW 1: Layers (4711),HW 2 (4712),Current Score\r\n"
    "    Points Possible,,,,,2.00,10.00,(read only)\r\n"
    '"Smith, Ana",101,u84120,ana,Class 1,,7.50,75.0\r\n'
    '"O\'Neil, ""Bo"" J.",102,u84121,bo,Class 1,EX,,0.0\r\n'
    '"Wong, Ben",103,u84122,b.wong,"Class 1, and 2",1.25,=1+1,50.0\r\n'
    '"Student, Test",104,,,Class 1,,,\r\n'
)


def test_points_are_filled_in_and_everything_else_stays() -> None:
    filled = fill(ENGLISH, book(result("ana", 1.5), result("B.Wong", 2.0)))
    assert filled.rows == 2
    assert filled.homeless == ()
    assert filled.worth is None
    before, after = (list(csv.reader(io.StringIO(text, newline=""))) for text in (ENGLISH, filled.text))
    changed = [(i, j) for i, row in enumerate(before) for j, cell in enumerate(row) if after[i][j] != cell]
    assert changed == [(2, 5), (4, 5)]
    assert (after[2][5], after[4][5]) == ("1.50", "2.00")
    assert filled.text == ENGLISH.replace("Class 1,,7.50", "Class 1,1.50,7.50").replace(",1.25,=1", ",2.00,=1")


@pytest.mark.parametrize("key", ["101", "u84120", "ana", "ANA", "Ana Smith", "Smith, Ana"])
def test_a_row_is_found_by_any_id_that_canvas_knows(key: str) -> None:
    assert ",1.50,7.50," in fill(ENGLISH, book(result(key, 1.5))).text
    assert ",1.50,7.50," in fill(ENGLISH, book(result("x_1", 1.5), ids={"x_1": key})).text
    assert ",1.50,7.50," in fill(ENGLISH, book(result("x_1", 1.5, student=key))).text


def test_who_handed_nothing_in_or_could_not_be_opened_keeps_what_is_there() -> None:
    filled = fill(ENGLISH, book(result("bo", 0.0, status="refused")))
    assert filled.text == ENGLISH
    assert filled.rows == 0


def test_submissions_without_a_row_are_told() -> None:
    assert fill(ENGLISH, book(result("nobody", 1.0), result("ana", 1.0))).homeless == ("nobody",)


def test_what_fits_two_students_is_left_to_a_person() -> None:
    filled = fill(ENGLISH, book(result("ana", 1.0), replace(result("ANA", 2.0), slug="other")))
    assert filled.text == ENGLISH
    assert set(filled.homeless) == {"ana", "ANA"}


def test_a_sheet_of_another_locale_keeps_its_separators_and_its_comma() -> None:
    german = (
        "\ufeffStudent;ID;SIS Login ID;Section;HW 1: Layers (4711);Note\n"
        "Points Possible;;;;2,00;\n"
        "Müller, Änne;101;aenne;Kurs;;12,5\n"
    )
    filled = fill(german, book(result("aenne", 1.5)))
    assert filled.text == german.replace("Kurs;;", "Kurs;1,50;")
    assert filled.worth is None


def test_a_semicolon_with_points_keeps_points() -> None:
    sheet = "Student;ID;SIS Login ID;Section;HW 1: Layers (4711)\nPoints Possible;;;;2.00\nA;1;ana;s;\n"
    assert fill(sheet, book(result("ana", 1.5))).text == sheet.replace("ana;s;", "ana;s;1.50")


def test_a_sheet_without_a_row_of_points_possible_is_one_too() -> None:
    sheet = "Student,ID,SIS Login ID,Section,HW 1: Layers\nA,1,ana,s,\n"
    assert fill(sheet, book(result("ana", 1.0))).text == sheet.replace("ana,s,", "ana,s,1.00")


def test_other_points_possible_are_told() -> None:
    assert fill(ENGLISH.replace(",2.00,10.00", ",5.00,10.00"), book(result("ana", 1.0))).worth == 5.0


@pytest.mark.parametrize(
    ("sheet", "said", "hint"),
    [
        ("id,name\n1,a\n", "this is no gradebook that Canvas exported", "export it: Grades, Export"),
        ("", "this is no gradebook that Canvas exported", "export it: Grades, Export"),
        (ENGLISH.replace("HW 1: Layers", "HW 1: Layer"), "no column is called 'HW 1: Layers' in the sheet",
         "did you mean 'HW 1: Layer (4711)'?"),
        (ENGLISH.replace("HW 2 (4712)", "HW 1: Layers (4712)"), "several columns are called 'HW 1: Layers'", ""),
    ],
)  # fmt: skip
def test_a_sheet_that_cannot_be_filled_is_told_and_no_column_is_made_up(sheet: str, said: str, hint: str) -> None:
    with pytest.raises(SheetError) as raised:
        fill(sheet, book(result("ana", 1.0)))
    assert raised.value.message.startswith(said)
    assert raised.value.hint.startswith(hint)


def test_filling_twice_is_filling_once() -> None:
    once = fill(ENGLISH, book(result("ana", 1.5))).text
    assert fill(once, book(result("ana", 1.5))).text == once

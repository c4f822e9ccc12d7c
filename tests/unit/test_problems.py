"""Errors say where, what, why, and what to do – in one grammar."""

from __future__ import annotations

import pytest

from gradcheck.location import Location, excerpt
from gradcheck.model.report import FileProblem
from gradcheck.reporters.problems import render_problem


def problem(line: str = "", column: int = 1, width: int = 1, **fields: str) -> FileProblem:
    drawn = excerpt(line, column, width) if line else ""
    return FileProblem(
        Location(fields.get("file", "cases/softmax.yaml"), 14, column),
        fields.get("message", "unknown function 'sigmod'"),
        fields.get("hint", "did you mean 'sigmoid'?"),
        drawn,
    )


def test_a_problem_has_its_place_its_excerpt_its_caret_and_its_hint() -> None:
    assert render_problem(problem("    loss: sum(sigmod(x @ W))", 15, 6)) == (
        "cases/softmax.yaml:14:15: error: unknown function 'sigmod'\n"
        "        loss: sum(sigmod(x @ W))\n"
        "                  ^~~~~~\n"
        "  did you mean 'sigmoid'?\n"
    )


def test_a_problem_without_excerpt_and_hint_is_one_line() -> None:
    assert render_problem(problem(hint="")) == "cases/softmax.yaml:14:1: error: unknown function 'sigmod'\n"


def test_every_line_of_a_hint_is_indented() -> None:
    assert render_problem(problem(hint="write it so:\n  x: 1")) == (
        "cases/softmax.yaml:14:1: error: unknown function 'sigmod'\n  write it so:\n    x: 1\n"
    )


@pytest.mark.parametrize(
    ("line", "column", "width", "caret"),
    [
        ("损失: sigmod(x)", 5, 6, "          ^~~~~~"),  # two wide characters before the caret take four cells
        ("e\u0301: sigmod(x)", 5, 6, "       ^~~~~~"),  # a combining accent takes none
        ("f: 损失", 4, 2, "       ^~~~"),  # and what is marked may be wide itself
        ("f: 损", 4, 1, "       ^"),
    ],
)
def test_the_caret_stands_under_what_it_marks_on_a_screen(line: str, column: int, width: int, caret: str) -> None:
    shown = render_problem(problem(line, column, width, hint="")).split("\n")
    assert shown[1:3] == [f"    {line}", caret]


def test_the_caret_is_moved_by_what_had_to_be_escaped() -> None:
    made = FileProblem(Location("a.yaml", 1, 3), "bad", "", "\u202ea b\n  ^")
    assert render_problem(made) == "a.yaml:1:3: error: bad\n    \\u202ea b\n           ^\n"


def test_a_hostile_message_stays_on_its_line() -> None:
    shown = render_problem(problem(message="got '\x1b[2J\n'", file="a\nb.yaml", hint="\x07"))
    assert shown == "a\\nb.yaml:14:1: error: got '\\x1b[2J\\n'\n  \\x07\n"


def test_an_ascii_output_gets_ascii() -> None:
    assert render_problem(problem("y ± 1", 3, 1, hint="write ±"), encoding="ascii") == (
        "cases/softmax.yaml:14:3: error: unknown function 'sigmod'\n    y +- 1\n      ^\n  write +-\n"
    )


def test_colour_marks_the_word_and_changes_nothing_else() -> None:
    shown = render_problem(problem("f: 1", 4), color=True)
    plain = render_problem(problem("f: 1", 4))
    assert "\x1b[1;31merror:\x1b[0m" in shown
    assert shown.replace("\x1b[1;31m", "").replace("\x1b[1m", "").replace("\x1b[0m", "") == plain

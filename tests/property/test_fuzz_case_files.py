"""Damaged case files: whatever is deleted, doubled or swapped in a gallery file, the answer is cases or problems.

Reading and building only: handwritten code that a damaged file names is not run here.
"""

from __future__ import annotations

import faulthandler
import os
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gradcheck.casefile.loader import load_page
from gradcheck.casefile.page import Page
from gradcheck.checking.building.build import build
from gradcheck.errors import FieldError, NonFiniteError, NotationError, SeveralErrors
from gradcheck.model.case import Case, CodeBody, NetworkBody
from gradcheck.model.report import FileProblem

ROOT = Path(__file__).parents[2]
GALLERY = sorted((ROOT / "cases").glob("*.yaml"))
ROUNDS = 100_000 if os.environ.get("SOAK") else 2_000
PATIENCE = 60  # seconds until a file counts as hanging; a watchdog, not a measurement
SYNTAX = "[]{}()'\"|>&*!%@`#:,-?=+.\\ \t\n0e_~<é\u200b\x00"  # what YAML and the notation give a meaning to


def delete_characters(text: str, chance: random.Random) -> str:
    start = chance.randrange(len(text))
    return text[:start] + text[start + chance.randint(1, 8) :]


def double_characters(text: str, chance: random.Random) -> str:
    start = chance.randrange(len(text))
    piece = text[start : start + chance.randint(1, 8)]
    return text[:start] + piece * chance.randint(2, 4) + text[start + len(piece) :]


def swap_characters(text: str, chance: random.Random) -> str:
    a, b = sorted(chance.sample(range(len(text)), 2))
    return text[:a] + text[b] + text[a + 1 : b] + text[a] + text[b + 1 :]


def insert_syntax(text: str, chance: random.Random) -> str:
    start = chance.randrange(len(text))
    return text[:start] + chance.choice(SYNTAX) * chance.randint(1, 3) + text[start:]


def delete_lines(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    start = chance.randrange(len(lines))
    return "".join(lines[:start] + lines[start + chance.randint(1, 3) :])


def double_lines(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    start = chance.randrange(len(lines))
    return "".join(lines[: start + 1] + lines[start : start + chance.randint(1, 3)] + lines[start + 1 :])


def swap_lines(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    a, b = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return "".join(lines)


def indent_line(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    row = chance.randrange(len(lines))
    lines[row] = " " + lines[row] if chance.random() < 0.5 else lines[row][1:]
    return "".join(lines)


DAMAGES: tuple[Callable[[str, random.Random], str], ...] = (
    delete_characters,
    double_characters,
    swap_characters,
    insert_syntax,
    delete_lines,
    double_lines,
    swap_lines,
    indent_line,
)


def damaged(text: str, chance: random.Random) -> str:
    """The text with one to three damages."""
    for _ in range(chance.randint(1, 3)):
        text = chance.choice(DAMAGES)(text, chance) or "\n"
    return text


@pytest.fixture
def watchdog() -> Iterator[None]:
    """Ends the process with a stack trace where one file takes forever."""
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize("file", GALLERY, ids=lambda file: file.stem)
@pytest.mark.usefixtures("watchdog")
def test_a_damaged_case_file_gives_cases_or_placed_problems_and_never_a_traceback(file: Path) -> None:
    """The damage depends on the file and the round alone: a failure names the round, and the round repeats it."""
    text = file.read_text(encoding="utf-8")
    for number in range(ROUNDS // len(GALLERY) + 1):
        broken = damaged(text, random.Random(f"{file.name}:{number}"))
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        try:
            loaded = load_page(Page.of(broken, str(file)))
            for problem in loaded.problems:
                assert_placed(problem, broken)
            assert loaded.cases or loaded.problems
            for case in loaded.cases:
                build_it(case)
        except Exception as error:
            raise AssertionError(f"round {number} of {file.name}:\n{broken}") from error


def assert_placed(problem: FileProblem, text: str) -> None:
    """A problem has words, and stands at a character of the file or just behind a line."""
    lines = text.split("\n")
    assert problem.message
    assert problem.hint
    assert 1 <= problem.location.line <= len(lines)
    assert 1 <= problem.location.column <= len(lines[problem.location.line - 1]) + 1
    if problem.excerpt:
        line, caret = problem.excerpt.split("\n")
        assert caret.strip(" ").startswith("^")
        assert len(caret) <= max(len(line), caret.index("^") + 1)


def build_it(case: Case) -> None:
    """What the later rooms may say of a case that could be read: an error of ours, and no other."""
    layers = case.body.layers if isinstance(case.body, NetworkBody) else ()
    if isinstance(case.body, CodeBody) or "code" in str(layers):
        return
    with suppress(NotationError, FieldError, SeveralErrors, NonFiniteError):
        build(case)

"""YAML events to nodes: places, limits, and everything that case files leave out of YAML."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.casefile.nodes import Fields, Items, Scalar
from gradcheck.casefile.page import MAX_BYTES, Page, UnreadableError, problem_at, problem_of, read_page
from gradcheck.casefile.scalars import plain_value, written_number
from gradcheck.casefile.texts import source_text
from gradcheck.casefile.tree import MAX_DEPTH, MAX_NODES, compose
from gradcheck.errors import GradcheckError, NotationError
from gradcheck.location import Location, SourceText, Span


def value(text: str, *path: str) -> Scalar:
    """The scalar at a path of a text that has no mistakes."""
    tree = compose(Page.of(text, "f.yaml"))
    assert tree.mistakes == ()
    node = tree.root
    for step in path:
        assert isinstance(node, Fields)
        node = node.get(step)
    assert isinstance(node, Scalar)
    return node


def mistakes(text: str) -> list[str]:
    page = Page.of(text, "f.yaml")
    return [f"{p.location}: {p.message}" for p in (page.problem(m) for m in compose(page).mistakes)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("FALSE", False), ("yes", "yes"), ("no", "no"),
        ("on", "on"), ("y", "y"), ("1", 1), ("-12", -12), ("+3", 3), ("012", 12), ("0o17", 15), ("0x1F", 31),
        ("1e-6", 1e-6), ("1.5E+3", 1500.0), (".5", 0.5), ("1.", 1.0), ("-.inf", float("-inf")), ("1_000", "1_000"),
        ("12:30", "12:30"), ("2024-01-01", "2024-01-01"), ("1e", "1e"), (".", "."), ("-", "-"), ("0b1", "0b1"),
        ("١", "١"), ("1 2", "1 2"),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(text: str, expected: object) -> None:
    found = plain_value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_nan_is_a_number() -> None:
    assert plain_value(".NaN") != plain_value(".NaN")


@pytest.mark.parametrize(
    ("text", "half_unit", "digits"),
    [
        ("22.19", 0.005, 4), ("22.1900", 0.00005, 6), ("1.5e-3", 0.00005, 2), ("0.050", 0.0005, 2), ("-3.0", 0.05, 2),
        ("100.", 0.5, 3), ("1e5", 5e4, 1), ("1e-6", 5e-7, 1), ("0.00", 0.005, 2), ("0.", 0.5, 1), ("7", 0.0, 0),
        ("0x10", 0.0, 0), ("1e-400", 0.0, 1), (".5", 0.05, 1),
    ],
)  # fmt: skip
def test_a_number_claims_the_digits_it_is_written_with(text: str, half_unit: float, digits: int) -> None:
    written = written_number(text)
    assert written is not None
    assert written.half_unit == pytest.approx(half_unit, rel=1e-12)
    assert written.digits == digits


def test_quoted_numbers_are_texts() -> None:
    assert value("a: '1'", "a").value == "1"
    assert value('a: "1e-6"', "a").value == "1e-6"
    assert value("a: |\n  1\n", "a").value == "1\n"


@pytest.mark.parametrize(
    ("text", "word", "line", "column"),
    [
        ("a: x + WORD", "WORD", 1, 8),
        ("a: 'x + WORD'", "WORD", 1, 9),
        ("a: '  x + WORD'", "WORD", 1, 11),
        ('a: "x + WORD"', "WORD", 1, 9),
        ("a: 'it''s WORD'", "WORD", 1, 11),
        ('a: "tab\\t\\u0041 WORD"', "WORD", 1, 17),
        ("a: one\n  two\n  WORD", "WORD", 3, 3),
        ("a: 'one\n  two\n\n  WORD'", "WORD", 4, 3),
        ('a: "one \\\n  two\n  WORD"', "WORD", 3, 3),
        ("a: |\n  one\n  two WORD\n", "WORD", 3, 7),
        ("a: |\n\n  one\n\n    two WORD\n", "WORD", 5, 9),
        ("a: |2-\n    one\n  WORD\n", "WORD", 3, 3),
        ("a: >\n  one\n  two\n\n  WORD\n", "WORD", 5, 3),
        ("a: >-\n  one\n    two\n  WORD", "WORD", 4, 3),
        ("a:\n  - b: {c: [x, WORD]}", "WORD", 2, 16),
    ],
)
def test_every_character_of_a_text_knows_its_place(text: str, word: str, line: int, column: int) -> None:
    tree = compose(Page.of(text, "f.yaml"))
    assert tree.mistakes == ()
    node = tree.root
    while not isinstance(node, Scalar):
        assert isinstance(node, Fields | Items)
        node = node.pairs[-1][1] if isinstance(node, Fields) else node.nodes[-1]
    source = source_text(node)
    assert source.locate(source.text.index(word)) == Location("f.yaml", line, column)


def test_windows_line_ends_and_a_byte_order_mark_change_no_place(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb:\r\n  c: WORD\r\n")
    tree = compose(read_page(path, "a.yaml"))
    assert isinstance(tree.root, Fields)
    node = tree.root.get("b")
    assert isinstance(node, Fields)
    word = node.get("c")
    assert word is not None
    assert tree.page.location(word.span.start) == Location("a.yaml", 3, 6)
    assert tree.root.pairs[0][0].text == "a"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: {x: f(1, 2), y: 3}",
         ["f.yaml:1:8: a comma ends a value inside '{ }' and '[ ]', so 'f(1, 2)' falls apart"]),
        ("a: [f(1, (2, 3)), 4]",
         ["f.yaml:1:5: a comma ends a value inside '{ }' and '[ ]', so 'f(1, (2, 3))' falls apart"]),
        ("a: {f(1, 2): 3}", ["f.yaml:1:5: a comma ends a value inside '{ }' and '[ ]', so 'f(1, 2)' falls apart"]),
        ("a: {x: f(1, b: 2), y: 1}",
         ["f.yaml:1:8: a comma ends a value inside '{ }' and '[ ]', so 'f(1, b: 2)' falls apart"]),
        ("a: {x: 'f(1', y: 2}", []),
        ("a: [f(1), (2)]", []),
    ],
)  # fmt: skip
def test_a_value_torn_by_a_comma_is_one_mistake(text: str, expected: list[str]) -> None:
    assert mistakes(text) == expected


def test_values_beside_a_torn_one_stay() -> None:
    root = compose(Page.of("a: {x: f(1, 2), y: 3}")).root
    assert isinstance(root, Fields)
    inner = root.get("a")
    assert isinstance(inner, Fields)
    y = inner.get("y")
    assert isinstance(y, Scalar)
    assert y.value == 3


def test_of_two_equal_keys_the_first_is_kept() -> None:
    tree = compose(Page.of("a: 1\na: 2", "f.yaml"))
    assert [m.message for m in tree.mistakes] == ["the key 'a' stands here a second time"]
    assert isinstance(tree.root, Fields)
    first = tree.root.get("a")
    assert isinstance(first, Scalar)
    assert first.value == 1


def test_each_piece_of_foreign_yaml_is_told_of_once_and_the_rest_is_read() -> None:
    assert mistakes("a: &x 1\nb: *x\nc: [*x, *x]\nd: !t 2") == [
        "f.yaml:1:4: '&x' is an anchor, and case files have none",
        "f.yaml:2:4: '*x' is an alias, and case files have none",
        "f.yaml:4:4: '!t' is a tag, and case files have none",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), f"more than {MAX_DEPTH} lists or mappings within each other"),
        ("- " * 300 + "a", f"more than {MAX_DEPTH} lists or mappings within each other"),
        ("[" * 100_000, "more than 200 brackets within each other"),
        ("a: [" + "1, " * MAX_NODES + "]", f"the file holds more than {MAX_NODES} values"),
        ("a: 1\n---\nb: 2", "a second document begins here, a case file holds one"),
        ("%YAML 1.2\n---\na: 1", "'%YAML 1.2' is a directive, and case files have none"),
        ("a: 'b", "a quote is opened here and never closed"),
        ("a:\n\t- b", "a tab stands where YAML allows spaces only"),
        ("a: [1, 2", "a '[' is not closed"),
        ("a: {b: 1", "a '{' is not closed"),
        ("a: - b", "a '-' followed by a space begins a list item, not allowed here"),
        ("- a\nb: c", "a key stands among list items"),
        ('a: "\\UFFFFFFFF"', "an escape stands for no character"),
        ("a: `b`", "a text cannot begin with a backtick"),
    ],
)
def test_what_cannot_be_read_further_is_the_one_mistake(text: str, expected: str) -> None:
    tree = compose(Page.of(text))
    assert tree.root is None
    assert [m.message for m in tree.mistakes] == [expected]


def test_as_many_brackets_as_the_limit_are_read() -> None:
    assert compose(Page.of("[" * MAX_DEPTH + "]" * MAX_DEPTH)).mistakes == ()


@pytest.mark.parametrize("escape", ["\\0", "\\e", "\\L", "\\ud800", "\\r"])
def test_escapes_that_stand_for_no_text_are_refused(escape: str) -> None:
    (found,) = compose(Page.of(f'a: "x{escape}"')).mistakes
    assert found.message.startswith("an escape stands for the character U+")


def test_an_empty_place_stands_behind_its_key() -> None:
    assert value("a:\nb: 1", "a").span == Span(1, 2)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(UnreadableError, match="the file is larger than 256 KiB"):
        read_page(path, "a.yaml")
    path.write_bytes(b"#" * MAX_BYTES)
    assert len(read_page(path, "a.yaml").text) == MAX_BYTES


def test_an_error_of_a_later_room_gets_its_place_and_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: a\nfunction: sum(sigmod(x))\n")
    node = compose(read_page(path, str(path))).root
    assert isinstance(node, Fields)
    text = node.get("function")
    assert isinstance(text, Scalar)
    problem = problem_of(NotationError("unknown function", "look it up", source_text(text), Span(4, 10)))
    assert problem.location == Location(str(path), 2, 15)
    assert problem.excerpt == "function: sum(sigmod(x))\n              ^~~~~~"
    at = problem_at(problem.location, "unknown function", "look it up")
    assert at == problem


def test_an_error_of_a_text_without_a_file_shows_the_text() -> None:
    error = NotationError("no", "yes", SourceText.of("a\nbc + d", "nowhere"), Span(2, 4))
    assert problem_of(error).excerpt == "bc + d\n^~"


def test_an_error_without_a_place_stands_where_the_caller_says() -> None:
    where = Location("nowhere.yaml", 3, 1)
    assert problem_of(GradcheckError("no"), where).location == where
    with pytest.raises(ValueError, match="an error without a place: no"):
        problem_of(GradcheckError("no"))

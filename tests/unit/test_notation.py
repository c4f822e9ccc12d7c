"""The one small language: what it reads, and what it refuses, with the place."""

from __future__ import annotations

import pytest

from gradcheck.errors import NotationError
from gradcheck.location import Location, SourceText, Span
from gradcheck.notation import (
    Attribute,
    Binary,
    Call,
    Constant,
    Mapping,
    Name,
    Number,
    Sequence,
    Slice,
    Subscript,
    Text,
    Unary,
    names_in,
    parse_expression,
    parse_statements,
    walk,
)


def read(text: str) -> object:
    return parse_expression(SourceText.of(text))


def refused(text: str) -> tuple[str, str, str]:
    """Message, hint, and the underlined characters."""
    with pytest.raises(NotationError) as caught:
        parse_statements(SourceText.of(text))
    span = caught.value.span
    assert span is not None
    return caught.value.message, caught.value.hint, text[span.start : span.end]


def test_arithmetic_becomes_a_tree_with_spans() -> None:
    assert read("-x*2") == Binary(Span(0, 4), "*", Unary(Span(0, 2), "-", Name(Span(1, 2), "x")), Number(Span(3, 4), 2))


def test_calls_keep_positional_and_named_arguments() -> None:
    call = read("f(x, axis=0)")
    assert call == Call(
        Span(0, 12), Name(Span(0, 1), "f"), (Name(Span(2, 3), "x"),), (("axis", Number(Span(10, 11), 0)),)
    )


def test_attributes_subscripts_slices_and_texts_are_read() -> None:
    assert read("a.b") == Attribute(Span(0, 3), Name(Span(0, 1), "a"), "b")
    index = Slice(Span(2, 4), Number(Span(2, 3), 1), None, None)
    assert read("a[1:]") == Subscript(Span(0, 5), Name(Span(0, 1), "a"), index)
    assert read("'t'") == Text(Span(0, 3), "t")
    assert read("None") == Constant(Span(0, 4), None)
    assert read("{'k': 1}") == Mapping(Span(0, 8), ((Text(Span(1, 4), "k"), Number(Span(6, 7), 1)),))
    assert read("[1]") == Sequence(Span(0, 3), (Number(Span(1, 2), 1),), False)


def test_a_comparison_is_a_binary_operation() -> None:
    assert read("x <= 1") == Binary(Span(0, 6), "<=", Name(Span(0, 1), "x"), Number(Span(5, 6), 1))


def test_spans_count_characters_and_not_bytes() -> None:
    assert read("'größe' + x").right == Name(Span(10, 11), "x")  # type: ignore[attr-defined]


def test_statements_have_targets_or_none() -> None:
    first, second = parse_statements(SourceText.of("out, cache = f(x)\nout"))
    assert isinstance(first.target, Sequence)
    assert first.span == Span(0, 17)
    assert second.target is None
    assert second.value == Name(Span(18, 21), "out")


def test_names_come_in_the_order_written_and_once() -> None:
    assert names_in(parse_expression(SourceText.of("f(b, a, k=b) + c[a]"))) == ("f", "b", "a", "c")


def test_walking_visits_everything_below() -> None:
    tree = parse_expression(SourceText.of("f(-x, [1, {'a': y[0:n]}]).z"))
    assert [n.id for n in walk(tree) if isinstance(n, Name)] == ["f", "x", "y", "n"]


def test_an_error_stands_at_its_place_in_the_file() -> None:
    source = SourceText("a\nb +", (Location("c.yaml", 7, 3), Location("c.yaml", 8, 3)))
    with pytest.raises(NotationError) as caught:
        parse_statements(source)
    assert str(caught.value.location) == "c.yaml:8:5"


@pytest.mark.parametrize(
    ("text", "message", "hint", "place"),
    [
        ("", "expected an expression, got nothing", "write a value here", ""),
        ("# x", "expected an expression, got a comment", "write a value here", "# x"),
        ("x^2", "'^' is not part of the notation", "a power is written '**'", "x^2"),
        ("~x", "'~' is not part of the notation", "use numbers, names, calls and + - * / ** @", "~x"),
        ("1 < x < 2", "a chain of comparisons is not part of the notation",
         "use numbers, names, calls and + - * / ** @", "1 < x < 2"),
        ("lambda: 1", "'lambda' is not part of the notation", "use numbers, names, calls and + - * / ** @",
         "lambda: 1"),
        ("[i for i in x]", "a comprehension is not part of the notation",
         "use numbers, names, calls and + - * / ** @", "[i for i in x]"),
        ("1j", "this kind of constant is not part of the notation", "use numbers, names, calls and + - * / ** @", "1j"),
        ("x += 1", "'+=' is not part of the notation", "write x = x + …", "x += 1"),
        ("x: int = 1", "an annotation is not part of the notation", "write name = value", "x: int = 1"),
        ("x = y = 1", "only one '=' is allowed in a line", "split it into two lines", "x = y = 1"),
        ("import os", "'import' statements are not allowed", "write assignments and values only", "import"),
        ("f(*a)", "'*' before an argument is not part of the notation", "write the arguments out", "*a"),
        ("f(**a)", "'**' before an argument is not part of the notation", "write name=value", "a"),
        ("f(a=1, a=2)", "'a' is given twice", "write it once", "a=2"),
        ("x.__class__", "names with a leading underscore are not allowed: '__class__'", "use a public name",
         "__class__"),
        ("_x", "names with a leading underscore are not allowed: '_x'", "use a public name", "_x"),
        ("f(_k=1)", "names with a leading underscore are not allowed: '_k'", "use a public name", "_k=1"),
        ("1e999", "this number is too large for a float64", "the largest is about 1.8e308", "1e999"),
        ("x +\xa0y", "the character U+00A0 is not part of the notation", "remove it", "\xa0"),
        ("x\r+ y", "the character U+000D is not part of the notation", "remove it", "\r"),
        ("x +", "syntax error: this cannot be read from here on", "check brackets, commas and operators", "+"),
        ("f(x", "syntax error: '(' was never closed", "check brackets, commas and operators", "("),
        ("a\n  b", "syntax error: unexpected indent", "begin every line in the same column", " "),
        ("9" * 5000, "syntax error: a number has too many digits", "a float64 has 17 digits", "9"),
        ("(" * 61 + ")" * 61, "more than 60 brackets within each other", "write it more simply", "("),
        ("x" * 20_001, "the text has 20001 characters, more than 20000", "shorten it", "x"),
        ("-" * 19_000 + "1", "this text cannot be read as an expression", "write it more simply", "-"),
        ("1" + "+1" * 300, "more than 200 operations within each other", "split it into several lines",
         "1" + "+1" * 99),
    ],
)  # fmt: skip
def test_what_is_not_on_the_list_is_refused_with_its_place(text: str, message: str, hint: str, place: str) -> None:
    assert refused(text) == (message, hint, place)


def test_a_lone_underscore_is_a_name() -> None:
    statement = parse_statements(SourceText.of("_, y = f(x)"))[0]
    assert names_in(statement.target) == ("_", "y")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["x = 1", "x\ny"])
def test_an_expression_is_one_value(text: str) -> None:
    with pytest.raises(NotationError, match="expected one expression, got a statement"):
        read(text)

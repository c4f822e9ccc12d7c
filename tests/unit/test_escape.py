"""Nothing in a text from elsewhere may move the cursor, colour or reorder a report."""

from __future__ import annotations

import re
import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.reporters.escape import can_encode, clean, clean_lines, in_cell, in_html, in_log, in_markdown, in_xml

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two-layer net (2, 3)", "two-layer net (2, 3)"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("one\ntwo\r\nthree\tfour", "one\\ntwo\\r\\nthree\\tfour"),
        ("nul \x00, delete \x7f, C1 \x9b2J, next line \x85", "nul \\x00, delete \\x7f, C1 \\x9b2J, next line \\x85"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2066isolated\u2069 \u200e \u200f", "\\u2066isolated\\u2069 \\u200e \\u200f"),
        ("line\u2028paragraph\u2029", "line\\u2028paragraph\\u2029"),
        ("zero\u200bwidth \ufeff", "zero\\u200bwidth \\ufeff"),
        ("lone \udc80 surrogate", "lone \\udc80 surrogate"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("private \ue000", "private \\ue000"),
        ("[red]markup stays[/red]", "[red]markup stays[/red]"),
        ("损失 é ∂x ± ✓", "损失 é ∂x ± ✓"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_what_is_not_plainly_visible_is_written_as_an_escape(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("text", "encoding", "shown"),
    [
        ("0.8 ± 1e-9", "ascii", "0.8 +- 1e-9"),
        ("d x²/dx → 2×x…", "ascii", "d x^2/dx -> 2xx..."),
        ("±", "cp1252", "±"),
        ("✓ ± λ", "cp1252", "v ± \\u03bb"),
        ("损 é", "latin-1", "\\u635f é"),
        ("損 é", "no such encoding", "\\u640d \\xe9"),
    ],
)
def test_what_the_output_cannot_hold_is_spelled_or_escaped(text: str, encoding: str, shown: str) -> None:
    assert clean(text, encoding) == shown


def test_lines_are_made_safe_one_by_one() -> None:
    assert clean_lines("first\r\n\x1b[2Jsecond\n\n") == ["first", "\\x1b[2Jsecond"]
    assert clean_lines("") == []
    assert clean_lines(" \n") == []


@given(ANY_TEXT, st.sampled_from(["utf-8", "ascii", "latin-1", "cp1252"]))
def test_a_clean_text_is_one_printable_line_of_the_encoding(text: str, encoding: str) -> None:
    shown = clean(text, encoding)
    assert can_encode(shown, encoding)
    assert len(shown.splitlines()) <= 1
    hidden = {c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")}
    assert hidden <= set("\u200c\u200d")


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", "\\::error::x"),
        ("  ::add-mask::x", "\\  ::add-mask::x"),
        ("a ::error::x", "a ::error::x"),
        ("a ##[group]x", "a ## [group]x"),
        ("\x1b[1m", "\\x1b[1m"),
    ],
)
def test_a_log_of_a_ci_system_gets_no_command(text: str, shown: str) -> None:
    assert in_log(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), (" =1", "' =1"), ("＝1", "'＝1"),
        ("Ana", "Ana"), ("", ""), ("a=1", "a=1"), ("\t=1", "\\t=1"),
    ],
)  # fmt: skip
def test_a_cell_is_never_a_formula(text: str, shown: str) -> None:
    assert in_cell(text) == shown


@given(ANY_TEXT)
def test_html_xml_and_markdown_hold_any_text_and_no_markup(text: str) -> None:
    for shown in (in_html(text), in_xml(text)):
        assert not set(shown) & set("<>\"'")
    assert ElementTree.fromstring(f"<a b='{in_xml(text)}'>{in_xml(text)}</a>").text in (clean(text), None)
    assert re.sub(r"\\([!-/:-@[-`{-~])", r"\1", in_markdown(text)) == clean(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[<*_`\[|]", in_markdown(text))

"""Nothing in a text from elsewhere may move the cursor, colour or reorder a report."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.reporters.escape import can_encode, clean, clean_lines

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

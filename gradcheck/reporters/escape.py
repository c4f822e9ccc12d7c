"""Makes any text safe to show: nothing in a name or an exception may move the cursor, colour or reorder a report.

Text in, text out, one function for each kind of place that text goes to: a line of a terminal, Markdown, HTML, XML, a
cell of a table. Which text goes where, and how it is laid out, is the reporters' business.
"""

from __future__ import annotations

import html
import re
import unicodedata

# Format characters that join letters: harmless, and words of Persian or Hindi fall apart without them.
_JOINERS = "\u200c\u200d"
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

# What our own sentences use, for an output that has no such characters.
_PLAIN = {
    "±": "+-", "×": "x", "·": "*", "–": "-", "—": "-", "−": "-", "…": "...", "✓": "v", "✗": "x", "→": "->", "←": "<-",
    "≤": "<=", "≥": ">=", "≠": "!=", "∂": "d", "Δ": "delta ", "∞": "inf", "²": "^2", "³": "^3", "½": "1/2", "ᵀ": "^T",
    "⁺": "+", "⁻": "-", "ᵢ": "_i", "ε": "eps", "μ": "mu", "σ": "sigma", "‘": "'", "’": "'", "“": '"', "”": '"',
}  # fmt: skip


_MARKDOWN = re.compile(r"[\\`*_{}\[\]()<>#+\-.!|~&@:$^=\"']")
# The wide forms count as the narrow ones in East Asian editions.
_FORMULAS = frozenset("=+-@＝＋－＠")


def clean(text: str, encoding: str = "utf-8") -> str:
    """One line of text with everything that is not plainly visible written as an escape (`\\n`, `\\x1b`, `\\u202e`).

    That takes in control characters, bidirectional overrides, other invisible format characters, line separators,
    lone surrogates and characters of no agreed meaning. What `encoding` cannot hold is spelled in ASCII where there is
    a usual way (± → +-) and escaped where there is none.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(c if _is_visible(c) else _escaped(c) for c in text)
    return shown if can_encode(shown, encoding) else "".join(_fitted(c, encoding) for c in shown)


def clean_lines(text: str, encoding: str = "utf-8") -> list[str]:
    """The lines of a text, each made safe; no lines for an empty text."""
    return [clean(line.rstrip("\r"), encoding) for line in text.rstrip("\n").split("\n")] if text.strip() else []


def in_log(text: str, encoding: str = "utf-8") -> str:
    """One line of text for a stream that a CI system may read: no command of its own comes of it.

    GitHub's runner takes a line that begins with `::` for one, whatever spaces stand before it, and `##[` anywhere
    (actions/runner, ActionCommand.cs).
    """
    shown = clean(text, encoding).replace("##[", "## [")
    return f"\\{shown}" if shown.lstrip().startswith("::") else shown


def in_markdown(text: str) -> str:
    """One line of text that Markdown shows as it is: no emphasis, link, image, heading, table or HTML comes of it.

    Every ASCII punctuation character that CommonMark gives a meaning to (section 2.4) gets a backslash, and so do `@`,
    `#` and `:` of GitHub's mentions, issues and bare addresses, which would reach out of the page.
    """
    return _MARKDOWN.sub(r"\\\g<0>", clean(text))


def in_html(text: str) -> str:
    """One line of text for HTML, inside an element or a quoted attribute."""
    return html.escape(clean(text))


def in_xml(text: str) -> str:
    """One line of text for XML 1.0, inside an element or a quoted attribute; no character is left that it forbids."""
    return html.escape(clean(text)).replace("&#x27;", "&apos;")


def in_cell(text: str) -> str:
    """One line of text for a cell of a table: a spreadsheet takes it for text, whatever it begins with.

    A formula begins with one of `= + - @`, after spaces, too; the apostrophe before it is what spreadsheets themselves
    put there (OWASP, CSV Injection). A tab or a line break is escaped already.
    """
    shown = clean(text)
    return f"'{shown}" if shown.lstrip()[:1] in _FORMULAS else shown


def in_command(text: str) -> str:
    """A text for the message of a workflow command of GitHub; its line breaks are kept, each line is made safe.

    `%`, then the line ends (actions/toolkit, core/src/command.ts, escapeData).
    """
    return "%0A".join(clean(line).replace("%", "%25") for line in text.split("\n"))


def in_property(text: str) -> str:
    """One line of text for a property of a workflow command (escapeProperty, as above)."""
    return in_command(clean(text)).replace(":", "%3A").replace(",", "%2C")


def can_encode(text: str, encoding: str) -> bool:
    """Whether an output of this encoding can hold the text; an encoding that Python does not know counts as ASCII."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    except LookupError:
        return text.isascii()
    return True


def _is_visible(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in _HIDDEN


def _escaped(character: str) -> str:
    """The character as Python would write it in a string."""
    code = ord(character)
    if code < 0x100:
        return _SHORT.get(character) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _fitted(character: str, encoding: str) -> str:
    return character if can_encode(character, encoding) else _PLAIN.get(character) or _escaped(character)

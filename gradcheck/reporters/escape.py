"""Makes any text safe to show: nothing in a name or an exception may move the cursor, colour or reorder a report.

Text in, text out; where it goes and how it is laid out is the reporters' business.
"""

from __future__ import annotations

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

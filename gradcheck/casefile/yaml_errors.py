"""The YAML reader's errors in our words: what an author did there, and what to write instead.

Only errors after which nothing more can be read; what is YAML but no case is told by `tree` and `fields`.
"""

from __future__ import annotations

import re

from gradcheck.casefile.page import Mistake, Page
from gradcheck.location import Span

_BLOCK = "put the text into quotes, or below the key behind a '|'"
_INDENT = "begin keys of one mapping in the same column"
_QUOTE = "a quote is opened here and never closed"
_ESCAPE = "write '\\\\' for a backslash, or use single quotes"

# Part of the reader's text → our cause, our next step. The first that fits is taken.
_WORDS: tuple[tuple[str, str, str], ...] = (
    ("mapping values are not allowed", "a ':' followed by a space or a line end means 'key: value', not allowed here",
     _BLOCK),
    (r"character '\t' that cannot start", "a tab stands where YAML allows spaces only", "indent with spaces"),
    ("character '%' that cannot start", "a text cannot begin with '%'", _BLOCK),
    ("character '@' that cannot start", "a text cannot begin with '@'", _BLOCK),
    ("character '`' that cannot start", "a text cannot begin with a backtick", _BLOCK),
    ("could not find expected ':'", "this line is no key: those end in ':' and are short",
     "write 'key: value', or indent the text that the line continues"),
    ("sequence entries are not allowed", "a '-' followed by a space begins a list item, not allowed here", _BLOCK),
    ("mapping keys are not allowed", "a '?' followed by a space begins a key, not allowed here", _BLOCK),
    ("unexpected end of stream", _QUOTE, "close it, or put the text below the key behind a '|'"),
    ("unexpected document separator", _QUOTE, "close it, or put the text below the key behind a '|'"),
    ("unknown escape character", "a backslash in double quotes begins an escape, and this one is unknown", _ESCAPE),
    ("expected escape sequence", "an escape in double quotes is cut short", _ESCAPE),
    ("but found '<block mapping start>'", "this line is indented further than the one it belongs to", _INDENT),
    ("but found '<block sequence start>'", "this list is indented further than what it belongs to", _INDENT),
    ("but found '<block end>'", "a value is missing here", "write a value behind the ':' or the '-'"),
    ("expected <block end>, but found '-'", "a list item stands among keys", "indent the list below its key"),
    ("expected <block end>, but found '?'", "a key stands among list items", "indent the key below a '-'"),
    ("expected <block end>", "the value ended before this", _BLOCK),
    ("expected ',' or ']'", "a '[' is not closed", "close it, or quote the text that has the bracket"),
    ("expected ',' or '}'", "a '{' is not closed", "close it, or quote the text that has the bracket"),
    ("expected the node content", "expected a value", "write a value, or quote the text"),
    ("chr() arg not in range", "an escape stands for no character", "the last one is '\\\\U0010FFFF'"),
    ("too large to convert", "an escape stands for no character", "the last one is '\\\\U0010FFFF'"),
    ("special characters", "this character cannot be read", "remove it"),
    ("block scalar", "the text below '|' or '>' is not indented evenly", "begin its lines in the same column"),
    ("indentation indicator", "only '|', '|-', '|+' and '>' may stand here", "put the text below, indented"),
    ("document start", "the document ended before this", "remove the line '...' above"),
    ("document end marker", "the document ended before this", "remove the line '...' above"),
    ("alphabetic or numeric character", "a text cannot begin with '*' or '&'", _BLOCK),
    ("tag", "a text cannot begin with '!'", _BLOCK),
    ("directive", "a directive stands here, and case files have none", "remove the line; case files are YAML 1.2"),
)  # fmt: skip


def in_our_words(error: Exception, page: Page) -> Mistake:
    """The mistake behind an exception of the YAML reader, with the place that the author has to mend."""
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "")
    context = str(getattr(error, "context", None) or "")
    offset = _index(error, "problem_mark", _index(error, "context_mark", max(0, page.text.find("\\U"))))
    told = f"{context} {problem}" if problem else str(error)
    for part, message, hint in _WORDS:
        if part in told:
            if "quoted scalar" in context and message == _QUOTE:
                offset = _index(error, "context_mark", offset)  # the quote, not the end of the file
            if "'key: value'" in message and ": " not in page.text[page.line_start(offset) : offset]:
                message = "this line is a key, but what stands above it is no mapping"
                hint = "begin it in the column of the keys around it, or end the line above with ':'"
                offset = page.line_start(offset)
                offset += len(page.text[offset:]) - len(page.text[offset:].lstrip(" "))
            if "is not closed" in message:
                return _unclosed(error, page, offset, message, hint)
            return _mistake(page, offset, message, hint)
    return _mistake(page, offset, "this is not YAML 1.2", _BLOCK)


def _unclosed(error: Exception, page: Page, offset: int, message: str, hint: str) -> Mistake:
    """Point at the bracket; where another bracket or a quote got in the way, at that."""
    found = re.search(r"but got '(.*)'", str(getattr(error, "problem", "")))
    if found and found[1] in ("[", "{", ":", "<scalar>"):
        shown = "a quote" if found[1] == "<scalar>" else f"'{found[1]}'"
        return _mistake(page, offset, f"expected ',' or the closing bracket, got {shown}",
                        "put the whole text into quotes")  # fmt: skip
    return _mistake(page, _index(error, "context_mark", offset), message, hint)


def _index(error: Exception, mark: str, otherwise: int) -> int:
    return int(getattr(getattr(error, mark, None), "index", otherwise))


def _mistake(page: Page, offset: int, message: str, hint: str) -> Mistake:
    """At the end of the file, and of a line, the last character says more than the emptiness behind it."""
    while offset > 0 and (offset >= len(page.text) or page.text[offset] == "\n"):
        offset -= 1
    return Mistake(Span(offset, offset + 1), message, hint)

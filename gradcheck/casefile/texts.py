"""A scalar of a case file → a text whose every character knows its place in the file.

Quotes, escapes, folded lines and the indentation of blocks move characters; this is where that is made good.
"""

from __future__ import annotations

from gradcheck.casefile.nodes import Scalar
from gradcheck.location import Location, SourceText

_ESCAPED = {"x": 4, "u": 6, "U": 10}  # characters that an escape takes; all others take two


def source_text(scalar: Scalar) -> SourceText:
    """The text of a scalar with its places; blanks at the beginning are left out."""
    page, text = scalar.page, scalar.text.lstrip(" ") if scalar.style in ("", "'", '"') else scalar.text
    offsets = _offsets(scalar, text)
    starts: list[Location] = []
    jumps: list[tuple[int, Location]] = []
    begin = True
    for i, offset in enumerate(offsets):
        if begin:
            starts.append(page.location(offset))
        elif offset != offsets[i - 1] + 1:
            jumps.append((i, page.location(offset)))
        begin = text[i] == "\n"
    if begin:  # an empty text, or an empty last line
        starts.append(page.location(scalar.span.end if offsets else scalar.span.start))
    return SourceText(text, tuple(starts), tuple(jumps))


def _offsets(scalar: Scalar, text: str) -> range | list[int]:
    """Where each character of the text stands on the page."""
    raw = scalar.page.text[scalar.span.start : scalar.span.end]
    quote = 1 if scalar.style in ("'", '"') else 0
    lead = len(raw[quote:]) - len(raw[quote:].lstrip(" "))
    if not scalar.style or (quote and "\n" not in raw):
        first = scalar.span.start + quote + lead
        if scalar.page.text.startswith(text, first):  # as it stands: nothing was folded, nothing escaped
            return range(first, first + len(text))
    if scalar.style == "|":
        return _of_block(scalar, text, raw)
    return _of_folded(scalar, text, raw)


def _of_block(scalar: Scalar, text: str, raw: str) -> list[int]:
    """Line by line: the text's lines are the page's, without the indentation."""
    offsets: list[int] = []
    place = scalar.span.start + raw.find("\n") + 1
    page = scalar.page.text
    for line in text.split("\n"):
        end = page.find("\n", place)
        end = len(page) if end < 0 else end
        first = max(place, end - len(line)) if line else end
        offsets.extend(range(first, first + len(line) + 1))
        place = min(end + 1, len(page))
    return offsets[: len(text)]


def _of_folded(scalar: Scalar, text: str, raw: str) -> list[int]:
    """Side by side: whatever is no blank stands in both, in the same order; escapes stand for one character."""
    offsets: list[int] = []
    at = 1 if scalar.style in ("'", '"') else (raw.find("\n") + 1 if scalar.style == ">" else 0)
    for character in text:
        while at < len(raw) and raw[at] in " \t\n" and character not in " \t\n":
            at += 1
        if scalar.style == '"':
            while raw.startswith("\\\n", at):  # an escaped line end stands for nothing
                at = at + 2 + len(raw[at + 2 :]) - len(raw[at + 2 :].lstrip(" \t\n"))
        offsets.append(scalar.span.start + min(at, len(raw) - 1))
        if scalar.style == '"' and raw.startswith("\\", at):
            at += _ESCAPED.get(raw[at + 1 : at + 2], 2)
        elif scalar.style == "'" and raw.startswith("''", at):
            at += 2
        elif at < len(raw) and (raw[at] not in " \t\n" or character in " \t\n"):
            at += 1
    return offsets

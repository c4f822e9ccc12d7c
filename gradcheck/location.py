"""Where a piece of text stands in a file, down to the character.

Turns offsets into lines and columns and draws the caret; what is wrong there is said by `errors.py`.
"""

from __future__ import annotations

from bisect import bisect_right

from gradcheck.record import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a `SourceText`, in characters: [start, end)."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The stretch from the beginning of this one to the end of the other."""
        return Span(self.start, other.end)


@dataclass(frozen=True, slots=True)
class SourceText:
    """A piece of text that remembers where each of its lines begins in a file.

    text : the characters, as the reader of the file understood them
    starts : for every line of `text`, the Location of its first character
    jumps : (offset, Location) pairs, sorted: further characters where text and file part within a line (an escape,
        a line of the file that was folded into the one before)
    """

    text: str
    starts: tuple[Location, ...]
    jumps: tuple[tuple[int, Location], ...] = ()

    def locate(self, offset: int) -> Location:
        """The place of one character of the text; lines beyond `starts` count on from the last known one."""
        row = self.text.count("\n", 0, offset)
        begin = self.text.rfind("\n", 0, offset) + 1
        column = offset - begin
        jump = bisect_right(self.jumps, offset, key=lambda pair: pair[0]) - 1
        if jump >= 0 and self.jumps[jump][0] >= begin:
            origin, start = self.jumps[jump]
            return Location(start.file, start.line, start.column + offset - origin)
        if row < len(self.starts):
            start = self.starts[row]
            return Location(start.file, start.line, start.column + column)
        last = self.starts[-1]
        return Location(last.file, last.line + row - len(self.starts) + 1, column + 1)

    @classmethod
    def of(cls, text: str, file: str = "<text>") -> SourceText:
        """A text that stands at the beginning of a (made-up) file."""
        return cls(text, tuple(Location(file, i + 1, 1) for i in range(text.count("\n") + 1)))


def excerpt(line: str, column: int, width: int = 1, limit: int = 100) -> str:
    """The source line with a caret below it, cut to `limit` characters around the caret.

    column counts from 1; a width over 1 draws `^~~~`. Characters that are not printable are shown as `·`.
    """
    begin = 0 if column <= limit - 20 else column - limit // 2
    cut = line.rstrip("\r\n")[begin : begin + limit].expandtabs(1)
    piece = "".join(c if c.isprintable() else "·" for c in cut).rstrip()
    place = column - 1 - begin
    room = max(1, len(piece) - place)
    mark = "^" + "~" * (min(max(width, 1), room) - 1)
    return f"{piece}\n{' ' * place}{mark}"


def line_starts(text: str) -> list[int]:
    """The offset of the first character of every line."""
    return [0] + [i + 1 for i, character in enumerate(text) if character == "\n"]


def row_of(starts: list[int], offset: int) -> int:
    """The index of the line that holds an offset, given `line_starts`."""
    return bisect_right(starts, offset) - 1

"""A case file as text: read within limits, every character with its line and column, mistakes with an excerpt.

Knows nothing of YAML or of cases; `tree` gives the characters their structure.
"""

from __future__ import annotations

import re
from pathlib import Path

from gradcheck.errors import GradcheckError, NotationError
from gradcheck.location import Location, SourceText, Span, excerpt, line_starts, row_of
from gradcheck.model.report import FileProblem
from gradcheck.record import dataclass, field

# The YAML reader takes about 20 µs per value and 1 µs per character: a file at both limits (the other one is
# MAX_NODES in tree.py) is refused or read within a second on a slow machine. Larger data belongs in an .npz file.
MAX_BYTES = 256 * 1024

# What a text file never holds: control characters, halves of surrogate pairs, non-characters, and the two line
# separators that some programs count as line ends and others do not.
UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")

_WORD = re.compile(r"[\w.]+")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a stretch of a page: the cause, and one next step."""

    span: Span
    message: str
    hint: str = ""


class UnreadableError(GradcheckError):
    """A file that cannot be read as text; `mistake` says where and why."""

    def __init__(self, page: Page, mistake: Mistake) -> None:
        super().__init__(mistake.message, mistake.hint)
        self.page = page
        self.mistake = mistake


@dataclass(frozen=True, slots=True)
class Page:
    """The characters of one file; line ends are `\\n`, whatever they were.

    file : the name as the user gave it
    """

    file: str
    text: str
    starts: list[int] = field(repr=False, compare=False)

    @classmethod
    def of(cls, text: str, file: str = "<text>") -> Page:
        """A page of text that is at hand already."""
        return cls(file, text, line_starts(text))

    def location(self, offset: int) -> Location:
        """The place of a character; the end of the text has a place too."""
        row = row_of(self.starts, min(offset, len(self.text)))
        return Location(self.file, row + 1, min(offset, len(self.text)) - self.starts[row] + 1)

    def place_of(self, mistake: Mistake | NotationError) -> Location:
        """Where a mistake of this page begins."""
        if isinstance(mistake, Mistake):
            return self.location(mistake.span.start)
        return mistake.location or self.location(0)

    def problem(self, mistake: Mistake | NotationError) -> FileProblem:
        """The mistake with its place and the line it stands in."""
        location, width = self.place_of(mistake), 1
        if isinstance(mistake, Mistake):
            width = mistake.span.end - mistake.span.start
        elif mistake.source is not None and mistake.span is not None:
            width = _width(mistake.source, mistake.span)
        return FileProblem(
            location, mistake.message, mistake.hint, _excerpt(self.line(location.line), location.column, width)
        )

    def line_start(self, offset: int) -> int:
        """Where the line of a character begins."""
        return self.starts[row_of(self.starts, min(offset, len(self.text)))]

    def line(self, number: int) -> str:
        """The characters of a line, counted from 1; "" beyond the end."""
        if number > len(self.starts):
            return ""
        end = self.starts[number] - 1 if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : end]


def read_page(path: Path, name: str) -> Page:
    """Read a file as UTF-8 text of at most `MAX_BYTES`.

    path : the file; name : what messages call it

    Raises UnreadableError where the file is missing, too large or not text; the error has the place.
    """
    blank = Page.of("", name)

    def refuse(message: str, hint: str, page: Page = blank, start: int = 0) -> UnreadableError:
        return UnreadableError(page, Mistake(Span(start, start + 1), message, hint))

    try:
        if not path.is_file():  # a folder, a pipe that would block, a device that never ends
            raise (
                refuse("there is no such file", "check the path")
                if not path.exists()
                else refuse("this is not a regular file", "name a case file or a folder of case files")
            )
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise refuse(f"the file cannot be read: {_reason(error)}", "check the path and its permissions") from None
    if len(data) > MAX_BYTES:
        raise refuse(
            f"the file is larger than {MAX_BYTES // 1024} KiB",
            "keep large arrays in an .npz file beside it: x: data.npz:x",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = Page.of(_unix_lines(data[: error.start].decode("utf-8-sig", "replace")), name)
        byte = data[error.start]
        raise refuse(
            f"the file is not UTF-8: byte 0x{byte:02x} cannot be read", "save it as UTF-8", before, len(before.text)
        ) from None
    page = Page.of(_unix_lines(text), name)
    if found := UNREADABLE.search(page.text):
        raise refuse(
            f"the file holds the character U+{ord(found[0]):04X}, which is no text",
            "remove it; in a quoted text an escape can stand for it",
            page,
            found.start(),
        )
    return page


def problem_of(error: GradcheckError, where: Location | None = None) -> FileProblem:
    """Turn an error into a problem of its file, with the excerpt.

    error : a NotationError knows its own place; any other stands at `where`
    where : the place to fall back to

    Raises ValueError where neither has a place: a bug of the caller.
    """
    source: SourceText | None = None
    location, width = where, 1
    if isinstance(error, NotationError) and error.source is not None and error.span is not None:
        source, location, width = error.source, error.location, _width(error.source, error.span)
    if location is None:
        raise ValueError(f"an error without a place: {error.message}")
    line = _line(location)
    if line is None:  # a made-up file: the text itself is all there is
        lines = source.text.split("\n") if source is not None else []
        row = location.line - source.starts[0].line if source is not None else 0
        line = " " * (source.starts[row].column - 1) + lines[row] if source and 0 <= row < len(source.starts) else ""
    return FileProblem(location, error.message, error.hint, _excerpt(line, location.column, width))


def problem_at(location: Location, message: str, hint: str = "") -> FileProblem:
    """A problem of a file that exists, with the excerpt; the word at the place is underlined."""
    line = _line(location) or ""
    word = _WORD.match(line, location.column - 1)
    return FileProblem(location, message, hint, _excerpt(line, location.column, len(word[0]) if word else 1))


def _line(location: Location) -> str | None:
    """The line of a file; None where it cannot be read."""
    try:
        return read_page(Path(location.file), location.file).line(location.line)
    except UnreadableError:
        return None


def _width(source: SourceText, span: Span) -> int:
    """How many characters of the first line of a stretch belong to it."""
    first = source.locate(span.start)
    last = source.locate(max(span.start, span.end - 1))
    return last.column - first.column + 1 if last.line == first.line else 10_000  # to the end of the line


def _excerpt(line: str, column: int, width: int) -> str:
    if not line.strip():
        return ""
    indent = min(len(line) - len(line.lstrip(" ")), column - 1)
    return excerpt(line[indent:], column - indent, width)


def _reason(error: Exception) -> str:
    return (error.strerror or "unknown reason").lower() if isinstance(error, OSError) else "the name is not a path"


def _unix_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")

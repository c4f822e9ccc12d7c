"""The exceptions of gradcheck: each says where, what, why, and what to do next.

Only `cli` prints them and turns them into exit codes; everywhere else they are raised and passed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from gradcheck.location import Location, SourceText, Span


class GradcheckError(Exception):
    """The root of everything that gradcheck raises on purpose.

    message : the cause, lower case, one line
    hint : one next step, or ""
    statements : the calls that were being run, where a shorthand stood for them
    """

    statements: tuple[str, ...] = ()

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes, whatever their `__init__` takes."""
        return _revived, (type(self), self.args, self.__dict__)


def _revived(kind: type[GradcheckError], args: tuple[Any, ...], state: dict[str, Any]) -> GradcheckError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class NotationError(GradcheckError):
    """A text in the case files' small language that cannot be read, or that means nothing.

    Raised without a place where the text is not at hand (an op that sees shapes only); `placed` adds it.
    """

    def __init__(
        self, message: str, hint: str = "", source: SourceText | None = None, span: Span | None = None
    ) -> None:
        super().__init__(message, hint)
        self.source = source
        self.span = span

    def placed(self, source: SourceText, span: Span) -> NotationError:
        """The same error with its place; a place that is known already stays."""
        if self.source is not None:
            return self
        return type(self)(self.message, self.hint, source, span)

    @property
    def location(self) -> Location | None:
        if self.source is None or self.span is None:
            return None
        return self.source.locate(self.span.start)


class ShapeError(NotationError):
    """Shapes, axes or options that do not fit an op; the message names the shapes that were seen."""


class FieldError(GradcheckError):
    """A field of a case that does not fit the rest of it; `path` leads to it, as in `Case.at(*path)`."""

    def __init__(self, message: str, hint: str = "", path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message, hint)
        self.path = path


class SeveralErrors(GradcheckError):  # noqa: N818 – it is several errors, not one
    """Several mistakes found in one reading, in the order of the text; never fewer than two."""

    def __init__(self, errors: Iterable[GradcheckError]) -> None:
        self.errors = tuple(errors)
        super().__init__(f"{len(self.errors)} mistakes, the first: {self.errors[0].message}", self.errors[0].hint)


class UserCodeError(GradcheckError):
    """Somebody's code broke: it raised, lacks a name, is unfinished, or gave something that is no array.

    kind : raised | missing | unfinished | invalid | timeout
    during : load | forward | backward
    file, line : the deepest place inside the user's files, or None
    """

    def __init__(
        self, kind: str, during: str, message: str, file: str | None = None, line: int | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint)
        self.kind, self.during, self.file, self.line = kind, during, file, line


class NonFiniteError(GradcheckError):
    """The function itself is not finite where a derivative was asked for."""


class UnsafeError(GradcheckError):
    """Somebody's code would have to run without walls that hold; the grader refuses (exit code 4)."""


class InternalError(GradcheckError):
    """gradcheck caught itself in a contradiction: a bug of ours, never a verdict."""


def raise_all(errors: Iterable[GradcheckError]) -> None:
    """Raise what was found: nothing, the one error itself, or SeveralErrors."""
    found = tuple(errors)
    if len(found) == 1:
        raise found[0]
    if found:
        raise SeveralErrors(found)


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint that offers the closest of the known words, or `otherwise` where none is close."""
    words = list(known)
    same = [candidate for candidate in words if _letters(candidate) == _letters(word)]
    close = same or get_close_matches(word, words, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else otherwise


def called_here(word: str, other_names: Mapping[str, str]) -> str:
    """Our name for what others call a word, or ""; capitals and underscores do not matter, as in CrossEntropyLoss."""
    return next((ours for other, ours in other_names.items() if _letters(other) == _letters(word)), "")


def _letters(word: str) -> str:
    return word.replace("_", "").casefold()

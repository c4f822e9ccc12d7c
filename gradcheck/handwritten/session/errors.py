"""What can go wrong with somebody's code, in one exception; and the words for it that do not depend on where it broke.

Finding the place in their files is `code.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .interrupts import is_from_outside

MAX_TEXT = 500  # characters of somebody's exception text that are passed on
UNFINISHED = frozenset(
    {type(None), type(Ellipsis), type(NotImplemented)}
)  # what a function returns before it is written


class CodeError(Exception):
    """Somebody's code broke; never a bug of ours and never a verdict.

    kind : raised | missing | unfinished | invalid
    during : load | forward | backward
    text : the cause, one line
    file, line : the deepest place inside the user's files (relative to the folder of the code), or None
    hint : one next step, or ""
    statements : the calls that were being run, where a shorthand stood for them
    """

    statements: tuple[str, ...] = ()

    def __init__(
        self, kind: str, during: str, text: str, file: str | None = None, line: int | None = None, hint: str = ""
    ) -> None:
        super().__init__(text)
        self.kind, self.during, self.text = kind, during, text
        self.file, self.line, self.hint = file, line, hint

    def __str__(self) -> str:
        place = "" if self.file is None else f", {self.file}" + ("" if self.line is None else f":{self.line}")
        return f"{self.kind} in {self.during}{place}: {self.text}"


class LackError(Exception):
    """A statement asked for something that is not there; `Code.running` makes a CodeError of it."""

    def __init__(self, text: str, hint: str = "", kind: str = "missing") -> None:
        super().__init__(text)
        self.text, self.hint, self.kind = text, hint, kind


def is_unfinished(value: Any) -> bool:
    """Whether a value stands for work not done yet: None, `...` or NotImplemented."""
    return type(value) in UNFINISHED


def suggestion(word: str, known: Iterable[str]) -> str:
    """A hint that offers the closest public name, or the names there are."""
    from difflib import get_close_matches  # only where something is wrong already

    public = sorted({name for name in known if name.isidentifier() and not name.startswith("_")})
    close = get_close_matches(word, public, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"there is: {', '.join(public[:12])}{', …' if len(public) > 12 else ''}" if public else ""


def text_of(error: BaseException) -> str:
    """Class and message of an exception in one line of bounded length."""
    # The class's own name, and the split of `str`: each of them may have been replaced by theirs.
    name = type.__dict__["__name__"].__get__(type(error))
    try:
        said = str(error.msg if isinstance(error, SyntaxError) else error)
        text = " ".join(str.split(said))[:MAX_TEXT]
    except BaseException as inner:  # a __str__ of theirs, which may call exit, too
        if is_from_outside(inner):
            raise
        text = ""
    if isinstance(error, SystemExit):
        return f"SystemExit: the code called exit({'' if text == 'None' else text})"
    return f"{name}: {text}" if text else name

"""Which cases a keyword expression means: `-k "mse and not outlier"`.

Text in, predicate out; loading and checking the cases is left to others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from gradcheck.errors import GradcheckError, did_you_mean
from gradcheck.model.case import Case

Matcher = Callable[[str], bool]

MAX_TOKENS = 200  # keeps the reader's recursion harmless

_TOKEN = re.compile(r"""\s*(?:([()])|"([^"]*)"|'([^']*)'|([^\s()"']+))""")


class KeywordError(GradcheckError):
    """A keyword expression that cannot be read."""


class NothingSelectedError(GradcheckError):
    """There is no case to check."""

    @classmethod
    def among(cls, cases: Sequence[Case], keyword: str | None) -> NothingSelectedError:
        """Why none of these cases is left: there were none, or the keyword matches none of them."""
        if not cases or keyword is None:
            return cls("no case was found", "name case files, or folders that hold some")
        number = "the one case" if len(cases) == 1 else f"any of the {len(cases)} cases"
        hint = did_you_mean(keyword, [case.name for case in cases], f"the first is called '{cases[0].name}'")
        return cls(f"-k '{keyword[:80]}' does not match {number}", hint)


def select(cases: Iterable[Case], keyword: str | None) -> tuple[Case, ...]:
    """The cases that the expression matches, in their order; all of them where there is no expression.

    A word matches a case that has it in its name, its file or one of its tags, upper and lower case alike. `and`, `or`,
    `not` and brackets combine words, `not` binding closest; words side by side are one text, spaces included, and
    quotes keep an `and` from being read as an operator.

    Raises KeywordError where the expression cannot be read.
    """
    if keyword is None:
        return tuple(cases)
    matches = parse_keyword(keyword)
    return tuple(case for case in cases if matches("\n".join((case.name, case.file, *case.tags)).casefold()))


def parse_keyword(text: str) -> Matcher:
    """A predicate of case-folded text. Raises KeywordError where the expression cannot be read."""
    reader = _Reader(text)
    matcher = reader.alternatives()
    if reader.rest:
        raise reader.error(f"expected 'and' or 'or', got '{reader.rest[0][1]}'")
    return matcher


class _Reader:
    """Tokens are pairs (kind, text): an operator or bracket stands for itself, everything else is a `word`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.rest: list[tuple[str, str]] = []
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if found is None:
                raise self.error("a quote is not closed")
            place = found.end()
            bracket, double, single, plain = found.groups()
            token = bracket or plain
            if token in ("(", ")", "and", "or", "not"):
                self.rest.append((token, token))
            else:
                self.rest.append(("word", next(t for t in (double, single, plain) if t is not None)))
        if len(self.rest) > MAX_TOKENS:
            raise self.error(f"it has {len(self.rest)} words, more than {MAX_TOKENS}")

    def error(self, cause: str) -> KeywordError:
        return KeywordError(
            f"-k '{self.text[:80]}' cannot be read: {cause}",
            "write words joined by 'and', 'or', 'not' and brackets; quote a text that holds one of them",
        )

    def take(self, kind: str) -> str | None:
        """The next token if it is of this kind."""
        return self.rest.pop(0)[1] if self.rest and self.rest[0][0] == kind else None

    def alternatives(self) -> Matcher:
        parts = [self.requirements()]
        while self.take("or"):
            parts.append(self.requirements())
        return parts[0] if len(parts) == 1 else lambda text: any(part(text) for part in parts)

    def requirements(self) -> Matcher:
        parts = [self.condition()]
        while self.take("and"):
            parts.append(self.condition())
        return parts[0] if len(parts) == 1 else lambda text: all(part(text) for part in parts)

    def condition(self) -> Matcher:
        negated = False
        while self.take("not"):
            negated = not negated
        inner = self.operand()
        return (lambda text: not inner(text)) if negated else inner

    def operand(self) -> Matcher:
        if self.take("("):
            inner = self.alternatives()
            if not self.take(")"):
                raise self.error("a bracket is not closed")
            return inner
        words = []
        while (word := self.take("word")) is not None:
            words.append(word)
        if not words:
            raise self.error(f"expected a word, got {repr(self.rest[0][1]) if self.rest else 'nothing'}")
        wanted = " ".join(words).casefold()
        return lambda text: wanted in text

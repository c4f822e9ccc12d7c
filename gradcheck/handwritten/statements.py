"""The lines of a call in two forms: plain lists for `session/`, and the names that each line reads and sets.

What the names stand for – inputs, outputs, gradients – is decided in `calls.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gradcheck.errors import NotationError
from gradcheck.handwritten.session import BUILTINS
from gradcheck.location import SourceText, Span
from gradcheck.notation import (
    Attribute,
    Binary,
    Call,
    Constant,
    Name,
    Node,
    Number,
    Sequence,
    Slice,
    Statement,
    Subscript,
    Text,
    Unary,
    parse_statements,
    walk,
)

Plain = list[Any]  # one node: ["name", "x"], ["attribute", base, "dW"], … as `session/expressions.py` reads it


@dataclass(frozen=True, slots=True)
class Lines:
    """The statements of one phase (setup, forward or backward); nothing written is no statements."""

    source: SourceText
    statements: tuple[Statement, ...]

    @property
    def assigned(self) -> dict[str, Span]:
        """Names that the statements set, each with the place of its first assignment."""
        found: dict[str, Span] = {}
        for statement in self.statements:
            for name in _assigned(statement.target):
                found.setdefault(name.id, name.span)
        return found

    @property
    def read(self) -> list[Name]:
        """Every reading of a name, in the order written."""
        return [name for statement in self.statements for name in reads_of(statement)]

    def unknown(self, known: Iterable[str]) -> list[Name]:
        """Readings of names that are neither known nor set by an earlier statement."""
        defined, found = set(known), []
        for statement in self.statements:
            found += [name for name in reads_of(statement) if name.id not in defined]
            defined |= {name.id for name in _assigned(statement.target)}
        return found

    @property
    def called(self) -> set[str]:
        """Names that are called like functions."""
        nodes = (node for statement in self.statements for node in walk(statement.value))
        return {node.function.id for node in nodes if isinstance(node, Call) and isinstance(node.function, Name)}

    def plain(self) -> list[dict[str, Any]]:
        """The statements as data: target (or None), value, and the text of what is called, for messages."""
        return [
            {
                "target": None if s.target is None else plain(s.target, self.source),
                "value": plain(s.value, self.source),
                "called": _called(s.value, self.source),
            }
            for s in self.statements
        ]


def lines_of(source: SourceText | None) -> Lines:
    """Read the statements of one phase. Raises NotationError with its place."""
    if source is None:
        return Lines(SourceText.of(""), ())
    lines = Lines(source, parse_statements(source))
    for name in lines.read:
        if name.id == "_":
            raise NotationError("'_' drops a value, it has none", "give the value a name", source, name.span)
    return lines


def plain(node: Node, source: SourceText, before: list[Plain] | None = None) -> Plain:
    """One expression as nested lists.

    before : where `before(e)` is allowed, the list that its arguments are appended to; elsewhere None
    Raises NotationError for a `before` that is not allowed or has not exactly one argument.
    """

    def below(inner: Node) -> Plain:
        return plain(inner, source, before)

    match node:
        case Number() | Text() | Constant():
            return ["value", node.value]
        case Name():
            return ["name", node.id]
        case Attribute():
            return ["attribute", below(node.base), node.name]
        case Subscript():
            return ["item", below(node.base), below(node.index)]
        case Slice():
            return ["slice", *(None if part is None else below(part) for part in (node.start, node.stop, node.step))]
        case Call(function=Name(id="before"), arguments=arguments, keywords=()):
            if before is None or len(arguments) != 1:
                hint = "write it in gradient_at: {W: before(layer.W) - layer.W}"
                raise NotationError("'before' takes one value, in 'gradient_at' only", hint, source, node.span)
            before.append(plain(arguments[0], source))
            return ["before", len(before) - 1]
        case Call():
            keywords = [["keyword", key, below(value)] for key, value in node.keywords]
            return ["call", below(node.function), [below(argument) for argument in node.arguments], keywords]
        case Unary():
            return ["unary", node.operator, below(node.operand)]
        case Binary():
            return ["binary", node.operator, below(node.left), below(node.right)]
        case Sequence():
            return ["tuple" if node.is_tuple else "list", [below(item) for item in node.items]]
        case _:
            return ["dict", [[below(key), below(value)] for key, value in node.items]]


def reads_of(statement: Statement) -> list[Name]:
    """Names that one statement reads: in its value, and under the attributes and items it sets."""
    found = [node for node in walk(statement.value) if isinstance(node, Name)]
    for target in _targets(statement.target):
        if not isinstance(target, Name):
            found += [node for node in walk(target) if isinstance(node, Name)]
    return found


def unresolved(names: Iterable[Name]) -> list[str]:
    """The names that only the loaded code can know, each once."""
    return list(dict.fromkeys(name.id for name in names if name.id not in BUILTINS))


def _assigned(target: Node | None) -> Iterator[Name]:
    yield from (part for part in _targets(target) if isinstance(part, Name) and part.id != "_")


def _targets(target: Node | None) -> Iterator[Node]:
    if isinstance(target, Sequence):
        for item in target.items:
            yield from _targets(item)
    elif target is not None:
        yield target


def _called(value: Node, source: SourceText) -> str:
    node = value.function if isinstance(value, Call) else value
    text = source.text[node.span.start : node.span.end]
    return text if len(text) <= 60 else text[:59] + "…"

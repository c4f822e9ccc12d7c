"""The syntax tree of the notation: frozen nodes with the stretch of text that each was read from, and a walk over them.

How a text becomes a tree is `parser.py`'s; what the names mean is said by whoever asked for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck.location import Span
from gradcheck.record import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    span: Span
    value: int | float


@dataclass(frozen=True, slots=True)
class Text:
    span: Span
    value: str


@dataclass(frozen=True, slots=True)
class Constant:
    """`True`, `False` or `None`."""

    span: Span
    value: bool | None


@dataclass(frozen=True, slots=True)
class Name:
    span: Span
    id: str


@dataclass(frozen=True, slots=True)
class Attribute:
    span: Span
    base: Node
    name: str


@dataclass(frozen=True, slots=True)
class Slice:
    span: Span
    start: Node | None
    stop: Node | None
    step: Node | None


@dataclass(frozen=True, slots=True)
class Subscript:
    """`base[index]`; several indices are a Sequence."""

    span: Span
    base: Node
    index: Node


@dataclass(frozen=True, slots=True)
class Call:
    span: Span
    function: Node
    arguments: tuple[Node, ...]
    keywords: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Unary:
    span: Span
    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic (`+ - * / // % ** @`) or one comparison (`< <= > >= == !=`)."""

    span: Span
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list or a tuple."""

    span: Span
    items: tuple[Node, ...]
    is_tuple: bool


@dataclass(frozen=True, slots=True)
class Mapping:
    span: Span
    items: tuple[tuple[Node, Node], ...]


Node = Number | Text | Constant | Name | Attribute | Slice | Subscript | Call | Unary | Binary | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Statement:
    """One line: `targets = value`, or a bare value (target None).

    target : a Name, an Attribute, a Subscript or a Sequence of those
    """

    span: Span
    target: Node | None
    value: Node


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in the order written."""
    yield node
    for child in _children(node):
        yield from walk(child)


def names_in(node: Node) -> tuple[str, ...]:
    """Every bare name that occurs, in the order written, each once; called functions included."""
    return tuple(dict.fromkeys(n.id for n in walk(node) if isinstance(n, Name)))


def _children(node: Node) -> list[Node]:
    match node:
        case Attribute():
            return [node.base]
        case Slice():
            return [n for n in (node.start, node.stop, node.step) if n is not None]
        case Subscript():
            return [node.base, node.index]
        case Call():
            return [node.function, *node.arguments, *(value for _, value in node.keywords)]
        case Unary():
            return [node.operand]
        case Binary():
            return [node.left, node.right]
        case Sequence():
            return list(node.items)
        case Mapping():
            return [n for pair in node.items for n in pair]
        case _:
            return []

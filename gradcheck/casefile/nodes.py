"""The nodes of a case file's tree: scalars, lists and mappings, each with its place on the page.

`tree` makes them, `readers` and `values` make sense of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck.casefile.page import Page
from gradcheck.casefile.scalars import plain_value
from gradcheck.location import Span
from gradcheck.record import dataclass, field


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text or a number as written.

    text : what YAML makes of it, without quotes and escapes
    style : "" (plain), "'", '"', "|" or ">"
    """

    page: Page = field(repr=False, compare=False)
    span: Span
    text: str
    style: str = ""

    @property
    def value(self) -> bool | int | float | str | None:
        """By the core schema of YAML 1.2; whatever is quoted or a block is a text."""
        return self.text if self.style else plain_value(self.text)


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    page: Page = field(repr=False, compare=False)
    span: Span
    nodes: tuple[Node, ...]
    flow: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping; every key is a text and occurs once."""

    page: Page = field(repr=False, compare=False)
    span: Span
    pairs: tuple[tuple[Scalar, Node], ...]
    flow: bool = False
    _index: dict[str, tuple[Scalar, Node]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {pair[0].text: pair for pair in self.pairs})

    def get(self, name: str) -> Node | None:
        """The value of a key, or None."""
        pair = self._index.get(name)
        return pair[1] if pair else None

    def key(self, name: str) -> Scalar | None:
        """The key itself, for its place."""
        pair = self._index.get(name)
        return pair[0] if pair else None


@dataclass(frozen=True, slots=True)
class Broken:
    """A value whose mistake has been told already; readers pass over it."""

    page: Page = field(repr=False, compare=False)
    span: Span


Node = Scalar | Items | Fields | Broken


def values_below(node: Node) -> Iterator[Node]:
    """The node and everything below it, keys excepted."""
    yield node
    match node:
        case Items():
            for child in node.nodes:
                yield from values_below(child)
        case Fields():
            for _, child in node.pairs:
                yield from values_below(child)

"""Finds values that a comma tore apart: for YAML, `{x: normal(4, 3)}` has the keys `x` (normal(4) and `3)` (nothing).

Only inside `{ }` and `[ ]`, where a comma ends a value; the sentence about it is said in `tree`.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck.casefile.nodes import Broken, Node, Scalar
from gradcheck.location import Span

MAX_PIECES = 100  # that a torn value is looked for in; without it, a file of open brackets takes quadratic time


def without_torn(entries: Sequence[Node], *, is_mapping: bool) -> tuple[list[Node], list[Span]]:
    """The entries of a flow collection with every torn value as one `Broken` node, and where those stand.

    entries : keys and values in turns where it is a mapping
    """
    kept: list[Node] = []
    spans: list[Span] = []
    i = 0
    while i < len(entries):
        last = _end_of_torn(entries, i)
        if last is None:
            kept.append(entries[i])
            i += 1
            continue
        spans.append(entries[i].span.to(entries[last].span))
        kept.append(Broken(entries[i].page, spans[-1]))
        i = last + 1
        if is_mapping and len(kept) % 2 != i % 2:
            i += 1  # the last torn piece was a key; its value, nothing, goes with it
    return kept, spans


def _end_of_torn(entries: Sequence[Node], first: int) -> int | None:
    """The index of the entry that closes the round bracket which entry `first` leaves open; None where it does not."""
    depth = _open_brackets(entries[first])
    if depth <= 0:
        return None
    for i in range(first + 1, min(len(entries), first + MAX_PIECES)):
        depth += _open_brackets(entries[i])
        if depth <= 0:
            return i
    return None


def _open_brackets(node: Node) -> int:
    if not isinstance(node, Scalar) or node.style:
        return 0
    return node.text.count("(") - node.text.count(")")

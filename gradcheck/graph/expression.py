"""Programs and formulas of case files: lines of assignments → a graph, every mistake in them reported at once.

Lines and names are handled here; what one line means is `tracer`'s. Nothing is given to Python's evaluator.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from gradcheck.errors import NotationError, raise_all
from gradcheck.graph.builder import Builder, Traced
from gradcheck.graph.functions import COMPOSED
from gradcheck.graph.scalars import is_number
from gradcheck.graph.tracer import Item, Ref, Tracer
from gradcheck.graph.vocabulary import METHODS, unknown_words
from gradcheck.location import SourceText
from gradcheck.model.problem import Array
from gradcheck.notation import (
    Attribute,
    Call,
    Name,
    Node,
    Sequence,
    Statement,
    Subscript,
    names_in,
    parse_statements,
    walk,
)
from gradcheck.ops.registry import all_ops


def trace_program(
    source: SourceText, leaves: Mapping[str, ArrayLike], sizes: Mapping[str, int | float] | None = None
) -> Traced:
    """The graph of a program: `name = value` or `a, b = values` per line, the last value is the output.

    leaves : inputs and constants by name; integer arrays stay integer, everything else is float64
    sizes : names that stand for plain numbers, which may be axes, lengths and slices

    Raises NotationError, or SeveralErrors with all of them in the order of the text. A line that uses a name whose own
    line was wrong is passed over: its mistake is known already.
    """
    builder = Builder()
    names: dict[str, Item] = dict(sizes or {})
    names.update({name: Ref(builder.leaf(name, value)) for name, value in leaves.items()})
    program = _Program(builder, source, names)
    *lines, last = parse_statements(source)
    for line in lines:
        program.read(line)
    output = program.read_last(last)
    raise_all(program.errors)
    # A plain number that has a name is no vertex yet; formulas may want it too.
    indices = {name: item.index for name, item in names.items() if isinstance(item, Ref)}
    for name, item in program.named.items():
        if isinstance(item, Ref) or is_number(item):
            indices[name] = item.index if isinstance(item, Ref) else builder.constant(float(item))
    return builder.finish(output, indices)


def trace_formula(
    source: SourceText, environment: Mapping[str, ArrayLike], sizes: Mapping[str, int | float] | None = None
) -> Array:
    """The value of a formula that was derived by hand.

    environment : every name that it may use and its value, `upstream` included
    sizes : as in `trace_program`

    Returns: float64 array of whatever shape the formula has. Raises as `trace_program`.
    """
    return np.array(trace_program(source, environment, sizes).output, dtype=np.float64)


def index_names(source: SourceText) -> frozenset[str]:
    """The names that a program uses as an index or as class numbers: their arrays must stay integer."""
    found: set[str] = set()
    for line in parse_statements(source):
        for node in walk(line.value):
            for part in _whole_parts(node):
                found.update(n.id for n in walk(part) if isinstance(n, Name))
    return frozenset(found)


def _whole_parts(node: Node) -> list[Node]:
    """The pieces of a node that have to be whole numbers."""
    if isinstance(node, Subscript):
        return list(node.index.items) if isinstance(node.index, Sequence) else [node.index]
    if not isinstance(node, Call):
        return []
    word, arguments = "", node.arguments
    if isinstance(node.function, Name):
        word = node.function.id
    elif isinstance(node.function, Attribute):
        word, arguments = METHODS.get(node.function.name, ""), (node.function.base, *node.arguments)
    if word in COMPOSED:
        places, wanted = COMPOSED[word].places, COMPOSED[word].classes
    elif word in all_ops():
        op = all_ops()[word]
        places, wanted = op.places, frozenset(op.arguments[i] for i in op.whole)
    else:
        return []
    by_position = dict(zip(places, arguments, strict=False))
    return [part for name, part in {**by_position, **dict(node.keywords)}.items() if name in wanted]


_WRONG = object()


class _Program:
    """The lines read so far: what the names mean, what was wrong, and which names went wrong with it."""

    def __init__(self, builder: Builder, source: SourceText, given: Mapping[str, Item]) -> None:
        self.builder = builder
        self.source = source
        self.given = given
        self.named: dict[str, Item] = {}
        self.lost: dict[str, None] = {}
        self.errors: list[NotationError] = []

    def read(self, line: Statement) -> Item:
        """Trace one line and remember its names; returns what it stands for, or _WRONG."""
        targets = self._targets(line)
        item = self._value(line)
        parts = [item]
        if isinstance(line.target, Sequence):
            parts = self._taken_apart(item, line.target, line.value)
            item = item if targets and _WRONG not in parts else _WRONG
        for target, part in zip(targets, parts, strict=False):
            if part is _WRONG:
                self.lost[target] = None
                continue
            self.named[target] = part
            self.lost.pop(target, None)
            if isinstance(part, Ref):
                self.builder.name(part.index, target)
        return item

    def read_last(self, line: Statement) -> int:
        """The same for the line that is the output, which has to be an array; returns its vertex, -1 if it is wrong."""
        item = self.read(line)
        try:
            return -1 if item is _WRONG else self._tracer().as_array(item, line.value.span)
        except NotationError as error:
            self.errors.append(error)
            return -1

    def _value(self, line: Statement) -> Item:
        """What the line's expression stands for; _WRONG where it, or a line that it builds on, is."""
        unknown = unknown_words(line.value, [*self._known(), *self.lost], self.source)
        self.errors += unknown
        if unknown or any(name in self.lost for name in names_in(line.value)):
            return _WRONG
        try:
            return self._tracer().value(line.value)
        except NotationError as error:
            self.errors.append(error)
            return _WRONG

    def _tracer(self) -> Tracer:
        return Tracer(self.builder, self.source, self._known())

    def _known(self) -> dict[str, Item]:
        return {**self.given, **self.named}

    def _targets(self, line: Statement) -> list[str]:
        """The names that the line defines; none for a bare value, or where something else is on the left."""
        if line.target is None:
            return []
        written = line.target.items if isinstance(line.target, Sequence) else (line.target,)
        names = []
        for target in written:
            if not isinstance(target, Name):
                self._complain("expected one name on the left of '='", "write q = x + y", target)
            elif target.id in self.given:
                self._complain(f"'{target.id}' has a value already", "choose another name", target)
            else:
                names.append(target.id)
        return names if len(names) == len(written) else []

    def _taken_apart(self, item: Item, targets: Sequence, value: Node) -> list[Item]:
        """The items of a list, one for each name on the left; all _WRONG, and the error remembered, if not so many."""
        if isinstance(item, tuple) and len(item) == len(targets.items):
            return list(item)
        names = f"{len(targets.items)} names on the left of '='"
        if isinstance(item, tuple):
            self._complain(f"{names} and {len(item)} values on the right", "give every value one name", value)
        elif item is not _WRONG:
            self._complain(f"{names} and one value on the right", "take it apart: split(x, 2), or x[0] and x[1]", value)
        return [_WRONG] * len(targets.items)

    def _complain(self, message: str, hint: str, node: Node) -> None:
        self.errors.append(NotationError(message, hint, self.source, node.span))

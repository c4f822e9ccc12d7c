"""Programs and formulas of case files: lines of assignments → a graph, every mistake in them reported at once.

Lines and names are handled here; what one line means is `tracer`'s. Nothing is given to Python's evaluator.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from gradcheck.errors import NotationError, raise_all
from gradcheck.graph.builder import Builder, Traced
from gradcheck.graph.composed import LOSSES
from gradcheck.graph.scalars import is_number
from gradcheck.graph.tracer import Item, Ref, Tracer
from gradcheck.graph.vocabulary import unknown_words
from gradcheck.location import SourceText
from gradcheck.model.problem import Array
from gradcheck.notation import Call, Name, Node, Sequence, Statement, Subscript, names_in, parse_statements, walk


def trace_program(
    source: SourceText, leaves: Mapping[str, ArrayLike], sizes: Mapping[str, int | float] | None = None
) -> Traced:
    """The graph of a program: `name = value` per line, the last value is the output.

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
    if isinstance(node, Call) and isinstance(node.function, Name) and node.function.id in LOSSES:
        loss = LOSSES[node.function.id]
        by_position = dict(zip(loss.parameters, node.arguments, strict=False))
        return [part for name, part in {**by_position, **dict(node.keywords)}.items() if name in loss.classes]
    return []


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
        """Trace one line and remember its name; returns what it stands for, or _WRONG."""
        target = self._target(line)
        item = self._value(line)
        if target and item is _WRONG:
            self.lost[target] = None
        elif target:
            self.named[target] = item
            self.lost.pop(target, None)
            if isinstance(item, Ref):
                self.builder.name(item.index, target)
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

    def _target(self, line: Statement) -> str:
        """The name that the line defines, or "" for a bare value."""
        if line.target is None:
            return ""
        if not isinstance(line.target, Name):
            self._complain("expected one name on the left of '='", "write q = x + y", line.target)
            return ""
        if line.target.id in self.given:
            self._complain(f"'{line.target.id}' has a value already", "choose another name", line.target)
            return ""
        return line.target.id

    def _complain(self, message: str, hint: str, node: Node) -> None:
        self.errors.append(NotationError(message, hint, self.source, node.span))

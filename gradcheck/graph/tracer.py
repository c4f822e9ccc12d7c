"""Tracer: reads one syntax tree over named values and writes the ops it means into a Builder.

What may be called is `vocabulary`'s, how arguments are matched with parameters `calls`'; assignments and the order of
lines are `expression`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from gradcheck.errors import NotationError, ShapeError
from gradcheck.graph.builder import FINITE, Builder
from gradcheck.graph.calls import Given, bind, bind_composed
from gradcheck.graph.composed import Composed
from gradcheck.graph.functions import COMPOSED
from gradcheck.graph.graph import Place
from gradcheck.graph.scalars import bounded, combine, is_number
from gradcheck.graph.subscripts import entry_of, slice_of
from gradcheck.graph.vocabulary import ATTRIBUTES, MAKERS, METHODS, NUMBERS, methods_hint
from gradcheck.location import SourceText, Span
from gradcheck.notation import (
    Attribute,
    Binary,
    Call,
    Constant,
    Name,
    Node,
    Number,
    Slice,
    Subscript,
    Text,
    Unary,
    parse_statements,
)
from gradcheck.notation import Mapping as Pairs
from gradcheck.notation import Sequence as Listed
from gradcheck.ops.registry import Op, all_ops, get
from gradcheck.record import dataclass

OPERATORS: Mapping[str, Op] = {op.symbol: op for op in all_ops().values() if op.symbol}


@dataclass(frozen=True, slots=True)
class Ref:
    """An array of the graph; everything else that a tree may stand for is a plain Python value."""

    index: int


Item = Any  # Ref | int | float | bool | None | str | tuple of Items


class Tracer:
    """Evaluates trees of one text.

    names : what names stand for; read only
    inside : the place of a call whose formula this text is; errors and nodes get that place instead of their own
    """

    def __init__(
        self, builder: Builder, source: SourceText, names: Mapping[str, Item], inside: Place | None = None
    ) -> None:
        self.builder = builder
        self.source = source
        self.names = names
        self.inside = inside

    def value(self, tree: Node) -> Item:
        """What the tree stands for. Raises NotationError with its place."""
        match tree:
            case Number():
                return bounded(tree.value)
            case Text() | Constant():
                return tree.value
            case Name():
                return self.names[tree.id] if tree.id in self.names else NUMBERS[tree.id]
            case Attribute():
                return self._attribute(self.value(tree.base), tree)
            case Subscript():
                return self._subscript(self.value(tree.base), tree)
            case Call():
                return self._call(tree)
            case Unary():
                return self._unary(self.value(tree.operand), tree)
            case Binary():
                return self._binary(self.value(tree.left), self.value(tree.right), tree)
            case Listed():
                return tuple(self.value(item) for item in tree.items)
            case Slice():
                raise self.error("a ':' belongs into square brackets", "write x[1:3]", tree.span)
            case Pairs():
                raise self.error("expected a number or an array, got a mapping", "write numbers or names", tree.span)

    def array(self, tree: Node) -> int:
        """The tree's value as a vertex of the graph."""
        return self.as_array(self.value(tree), tree.span)

    def as_array(self, item: Item, span: Span, whole: bool = False) -> int:
        """A vertex for an item; literals become float64 constants, unless whole numbers are to stay whole."""
        if isinstance(item, Ref):
            return item.index
        if _holds_ref(item):
            raise self.error("a list of arrays is no array", "join them: concatenate([a, b], axis=0)", span)
        try:
            array = np.asarray(item)
        except (ValueError, OverflowError):
            raise self.error("the rows of this list have different lengths", "make them equally long", span) from None
        if array.dtype.kind not in "iufb":
            kind = "a text" if array.dtype.kind == "U" else f"'{item}'"
            raise self.error(f"expected a number or an array, got {kind}", "write numbers or names", span)
        if not np.isfinite(array).all():
            raise self.error(f"an array cannot hold {item}", "constants must be finite; -1e9 hides a logit too", span)
        return self.builder.constant(array if whole and array.dtype.kind == "i" else array.astype(np.float64))

    def apply(self, op: Op, arguments: Sequence[int], options: Mapping[str, Any], span: Span, label: str = "") -> Ref:
        """The op on vertices."""
        return Ref(self.builder.apply(op, arguments, options, self.place(span), label))

    def place(self, span: Span) -> Place:
        return self.inside or Place(self.source, span)

    def error(self, message: str, hint: str, span: Span) -> NotationError:
        place = self.place(span)
        return NotationError(message, hint, place.source, place.span)

    def _attribute(self, base: Item, tree: Attribute) -> Item:
        if not isinstance(base, Ref):
            raise self.error(f"only arrays have attributes, not '{base}'", "write x.shape[0]", tree.span)
        array = self.builder.values[base.index]
        match tree.name:
            case "T":
                return self.apply(get("transpose"), [base.index], {"axes": None}, tree.span)
            case "shape":
                return array.shape
            case "size":
                return array.size
            case "ndim":
                return array.ndim
        known = f"arrays have {', '.join('.' + name for name in ATTRIBUTES)} and .{'(), .'.join(METHODS)}()"
        raise self.error(f"unknown attribute '{tree.name}'", known, Span(tree.span.end - len(tree.name), tree.span.end))

    def _unary(self, operand: Item, tree: Unary) -> Item:
        if tree.operator == "+":
            return operand
        if is_number(operand):
            return -operand
        return self.apply(get("negative"), [self.as_array(operand, tree.operand.span)], {}, tree.span, "-")

    def _binary(self, left: Item, right: Item, tree: Binary) -> Item:
        operator = tree.operator
        if is_number(left) and is_number(right):
            number = combine(operator, left, right)
            if number is not None:
                if not isfinite(number):
                    raise self._not_finite(number, tree.span)
                return number
        if operator not in OPERATORS:
            hint = "it is for whole numbers such as x.shape[0]"
            raise self.error(f"'{operator}' does not work on arrays", hint, tree.span)
        whole = self._is_whole(left) or self._is_whole(right)
        first = self.as_array(left, tree.left.span, whole)
        if operator == "**" and is_number(right) and right == 2:
            return self.apply(get("square"), [first], {}, tree.span, operator)
        second = self.as_array(right, tree.right.span, whole)
        return self.apply(OPERATORS[operator], [first, second], {}, tree.span, operator)

    def _is_whole(self, item: Item) -> bool:
        return isinstance(item, Ref) and np.issubdtype(self.builder.values[item.index].dtype, np.integer)

    def _subscript(self, base: Item, tree: Subscript) -> Item:
        parts = tree.index.items if isinstance(tree.index, Listed) and tree.index.is_tuple else (tree.index,)
        if isinstance(base, tuple):
            return entry_of(base, parts, tree.index.span, self.value, self.error)
        if not isinstance(base, Ref):
            raise self.error("only arrays and shapes have elements", "write x[0]", tree.span)
        index: list[Any] = []
        arrays = [base.index]
        for part in parts:
            item = slice_of(part, self.value, self.error) if isinstance(part, Slice) else self.value(part)
            if isinstance(item, slice) or item is None or (isinstance(item, int) and not isinstance(item, bool)):
                index.append(item)
            elif isinstance(item, Ref | tuple):
                index.append(True)
                arrays.append(self.as_array(item, part.span, whole=True))
            else:
                raise self.error(f"expected a whole number or a slice, got {item!r}", "write x[0] or x[1:3]", part.span)
        label = self.source.text[tree.span.start : tree.span.end]
        return self.apply(get("index"), arrays, {"index": tuple(index)}, tree.span, label)

    def _call(self, tree: Call) -> Item:
        given = Given(
            tuple((self.value(argument), argument.span) for argument in tree.arguments),
            tuple((name, self.value(argument), argument.span) for name, argument in tree.keywords),
            tree.span,
        )
        if isinstance(tree.function, Attribute):
            word, receiver = tree.function.name, self.value(tree.function.base)
            if not isinstance(receiver, Ref) or word not in METHODS:
                span = Span(tree.function.span.end - len(word), tree.function.span.end)
                raise self.error(f"unknown method '{word}'", methods_hint(word), span)
            word = METHODS[word]
            given = Given(((receiver, tree.function.base.span), *given.positional), given.named, given.span)
        else:
            word = tree.function.id if isinstance(tree.function, Name) else ""
        if word in MAKERS:
            return self._make(word, given)
        if word in COMPOSED:
            return self._compose(COMPOSED[word], given)
        op = get(word)
        arguments, options = bind(op, given, self.error)
        for name, option in options.items():
            if _holds_ref(option):
                larger = (
                    f"for two arrays there is {word}imum(a, b)" if word in ("max", "min") else f"write {op.signature}"
                )
                raise self.error(f"'{name}' of '{word}' must be known in advance, got an array", larger, given.span)
        arrays = [self.as_array(item, span, op.entry(i) in op.whole) for i, (item, span) in enumerate(arguments)]
        if op.outputs is None:
            return self.apply(op, arrays, options, given.span)
        try:
            count = op.outputs(options, *(self.builder.values[i] for i in arrays))
        except ShapeError as error:
            raise self.error(f"'{word}' {error.message}", error.hint, given.span) from None
        return tuple(self.apply(op, arrays, {**options, "output": i}, given.span) for i in range(count))

    def _make(self, word: str, given: Given) -> Ref:
        sizes = [item for item, _ in given.positional]
        if len(sizes) == 1 and isinstance(sizes[0], tuple):
            sizes = list(sizes[0])
        if given.named or not sizes or not all(type(n) is int and n >= 0 for n in sizes):
            raise self.error(f"'{word}' takes whole numbers known in advance", f"write {word}(x.shape[0])", given.span)
        if word in ("arange", "eye") and len(sizes) != 1:
            raise self.error(f"'{word}' takes one number, got {len(sizes)}", f"write {word}(3)", given.span)
        try:
            return Ref(self.builder.constant(MAKERS[word](*sizes)))
        except ShapeError as error:
            raise self.error(f"'{word}' {error.message}", error.hint, given.span) from None

    def _compose(self, composed: Composed, given: Given) -> Ref:
        bound, options = bind_composed(composed, given, self.error)
        arrays = {
            name: Ref(self.as_array(item, span, whole=name in composed.classes)) for name, (item, span) in bound.items()
        }
        return compose(self.builder, composed, arrays, options, self.place(given.span))

    def _not_finite(self, number: float, span: Span) -> NotationError:
        text = self.source.text[span.start : span.end]
        return self.error(f"the value of '{text}' is {number}", FINITE, span)


def compose(
    builder: Builder, composed: Composed, arrays: Mapping[str, Ref], options: Mapping[str, Any], place: Place
) -> Ref:
    """The value of a composed function; errors get the place of the call."""
    values = {name: builder.values[ref.index] for name, ref in arrays.items()}
    try:
        formula = composed.text(values, options)
    except ShapeError as error:
        raise ShapeError(f"'{composed.name}' {error.message}", error.hint, place.source, place.span) from None
    return trace_inside(builder, formula, {**arrays, **options}, place)


def trace_inside(builder: Builder, formula: str, names: Mapping[str, Item], place: Place) -> Ref:
    """The value of one of our own formulas; every node and every error gets the place of whoever called it."""
    source = SourceText.of(formula)
    known = dict(names)
    tracer = Tracer(builder, source, known, place)
    *lines, last = parse_statements(source)
    for line in lines:
        item = tracer.value(line.value)
        if isinstance(line.target, Name):
            known[line.target.id] = item
        elif isinstance(line.target, Listed):
            known.update(zip((part.id for part in line.target.items if isinstance(part, Name)), item, strict=True))
    return Ref(tracer.array(last.value))


def _holds_ref(item: Item) -> bool:
    return isinstance(item, Ref) or (isinstance(item, tuple) and any(_holds_ref(part) for part in item))

"""The plan of a network: its texts read and checked against the tables, before any array exists.

Every mistake of the texts is found in one reading; what the layers do to arrays is `network`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from gradcheck.errors import NotationError, ShapeError, did_you_mean
from gradcheck.graph.builder import Builder
from gradcheck.graph.calls import arguments_in_words
from gradcheck.graph.composed import LOSSES, PENALTIES
from gradcheck.graph.graph import Place
from gradcheck.graph.layers import LAYERS, LayerKind, Parameter
from gradcheck.graph.scalars import is_number
from gradcheck.graph.tracer import Tracer
from gradcheck.graph.vocabulary import unknown_words
from gradcheck.location import SourceText, Span
from gradcheck.model.case import Layer, NetworkBody, Residual
from gradcheck.notation import Call, Name, Node, parse_expression
from gradcheck.ops.broadcasting import limited
from gradcheck.record import dataclass

Sizes = Mapping[str, int | float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """One layer.

    number : counts all layers from 1, as a reader does
    kind, settings : which layer, and its arguments; None and empty for a handwritten one
    order : counts the layers that have parameters from 1: the number in W1, b1
    """

    number: int
    call: Call
    place: Place
    kind: LayerKind | None
    settings: Mapping[str, Any]
    parameters: tuple[Parameter, ...]
    order: int

    @property
    def text(self) -> str:
        return self.place.source.text.strip()

    def name_of(self, parameter: Parameter) -> str:
        return f"{parameter.name}{self.order}"


@dataclass(frozen=True, slots=True)
class Block:
    """A residual block: the output of its layers is added to its input."""

    layers: tuple[Step | Block, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Loss:
    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Penalty:
    """formula : over `strength` and one weight `W`"""

    formula: str
    strength: float
    place: Place


@dataclass(frozen=True, slots=True)
class Plan:
    """What was read; where `errors` is not empty, the rest may have gaps."""

    layers: tuple[Step | Block, ...]
    loss: Loss | None
    penalty: Penalty | None
    errors: tuple[NotationError, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All layers, in order, those of residual blocks included."""
        return tuple(_flat(self.layers))


def read_plan(body: NetworkBody, sizes: Sizes) -> Plan:
    """Read the texts of a network.

    sizes : what names stand for in them
    """
    reader = _Reader(sizes)
    layers = reader.layers(body.layers)
    loss = reader.attempt(reader.loss, body.loss)
    penalty = reader.attempt(reader.penalty, body.penalty)
    if body.penalty is not None and body.loss is None:
        span = Span(0, len(body.penalty.text.rstrip()))
        message = "a penalty is added to a loss, and there is none"
        reader.errors.append(NotationError(message, "write loss: mse", body.penalty, span))
    return Plan(layers, loss, penalty, tuple(reader.errors))


class _Reader:
    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.errors: list[NotationError] = []
        self.number = 0
        self.order = 0

    def layers(self, written: tuple[Layer, ...]) -> tuple[Step | Block, ...]:
        found: list[Step | Block] = []
        for layer in written:
            if isinstance(layer, Residual):
                inner = self.layers(layer.layers)
                if inner:
                    found.append(Block(inner, inner[0].place))
            elif (step := self.attempt(self.step, layer)) is not None:
                found.append(step)
        return tuple(found)

    def attempt(self, read: Callable[[SourceText], T], source: SourceText | None) -> T | None:
        """What `read` makes of a text; None, and the error remembered, where it is wrong."""
        try:
            return None if source is None else read(source)
        except NotationError as error:
            self.errors.append(error)
            return None

    def step(self, source: SourceText) -> Step:
        self.number += 1
        call, word = self.call(source, "layer")
        place = Place(source, call.span)
        if word == "code":
            return Step(self.number, call, place, None, {}, (), 0)
        if word not in LAYERS:
            known = (*LAYERS, "code")
            raise _unknown("layer", word, known, Place(source, call.function.span))
        kind = LAYERS[word]
        settings = self.settings(kind, call, source)
        parameters = kind.parameters(settings)
        for parameter in parameters:
            try:
                limited(parameter.shape)
            except ShapeError as error:
                message = f"'{parameter.name}' of '{word}' {error.message}"
                raise NotationError(message, error.hint, source, call.span) from None
        self.order += bool(parameters)
        return Step(self.number, call, place, kind, settings, parameters, self.order)

    def settings(self, kind: LayerKind, call: Call, source: SourceText) -> dict[str, Any]:
        """The arguments of a layer by name."""
        places = (*kind.sizes, *kind.options)
        write = f"write {kind.signature}"
        if len(call.arguments) > len(places):
            at_most = "at most " if places else ""
            message = f"'{kind.name}' takes {at_most}{arguments_in_words(len(places))}, got {len(call.arguments)}"
            raise NotationError(message, write, source, call.span)
        trees = dict(zip(places, call.arguments, strict=False))
        for name, tree in call.keywords:
            if name not in places:
                hint = did_you_mean(name, places, write)
                raise NotationError(f"'{kind.name}' has no option '{name}'", hint, source, tree.span)
            if name in trees:
                raise NotationError(f"'{name}' of '{kind.name}' is given twice", write, source, tree.span)
            trees[name] = tree
        missing = [f"'{name}'" for name in kind.sizes if name not in trees]
        if missing:
            raise NotationError(f"'{kind.name}' needs {' and '.join(missing)}", write, source, call.span)
        settings = {**kind.options, **{name: self.plain(tree, source) for name, tree in trees.items()}}
        for name in kind.sizes:
            if not isinstance(settings[name], int) or settings[name] < 1:
                message = f"expected a positive whole number as '{name}', got {settings[name]!r}"
                raise NotationError(message, write, source, trees[name].span)
        for name, default in kind.options.items():
            if type(settings[name]) is not type(default):
                message = f"expected a value like {default!r} as '{name}', got {settings[name]!r}"
                raise NotationError(message, write, source, trees[name].span)
        return settings

    def loss(self, source: SourceText) -> Loss:
        call, word = self.call(source, "loss")
        if word not in LOSSES:
            raise _unknown("loss", word, LOSSES, Place(source, call.function.span))
        if call.arguments or call.keywords:
            message = f"'{word}' takes no arguments here: it compares the output with 'target'"
            raise NotationError(message, f"write {word}", source, call.span)
        return Loss(word, Place(source, call.span))

    def penalty(self, source: SourceText) -> Penalty:
        call, word = self.call(source, "penalty")
        if word not in PENALTIES:
            raise _unknown("penalty", word, PENALTIES, Place(source, call.function.span))
        if len(call.arguments) != 1 or call.keywords:
            raise NotationError(f"'{word}' takes one number", f"write {word}(0.01)", source, call.span)
        strength = self.plain(call.arguments[0], source)
        if not is_number(strength):
            message = f"expected a number as strength, got {strength!r}"
            raise NotationError(message, f"write {word}(0.01)", source, call.arguments[0].span)
        formula = PENALTIES[word].formula
        assert isinstance(formula, str)
        return Penalty(formula, float(strength), Place(source, call.span))

    def call(self, source: SourceText, what: str) -> tuple[Call, str]:
        """The text as a call; a bare name is a call without arguments."""
        tree = parse_expression(source)
        if isinstance(tree, Name):
            tree = Call(tree.span, tree, (), ())
        if not isinstance(tree, Call) or not isinstance(tree.function, Name):
            hint = {"layer": "write linear(4, 3) or relu", "loss": "write mse"}.get(what, "write l2(0.01)")
            raise NotationError(f"expected a {what}, got '{source.text.strip()}'", hint, source, tree.span)
        return tree, tree.function.id

    def plain(self, tree: Node, source: SourceText) -> Any:
        """A number, a truth value or a text, written with sizes and literals only."""
        unknown = unknown_words(tree, self.sizes, source)
        if unknown:
            raise unknown[0]
        return Tracer(Builder(), source, self.sizes).value(tree)


def _unknown(what: str, word: str, known: Mapping[str, Any] | tuple[str, ...], place: Place) -> NotationError:
    hint = did_you_mean(word, known, f"known: {', '.join(known)}")
    return NotationError(f"unknown {what} '{word}'", hint, place.source, place.span)


def _flat(layers: tuple[Step | Block, ...]) -> Iterator[Step]:
    for layer in layers:
        if isinstance(layer, Step):
            yield layer
        else:
            yield from _flat(layer.layers)

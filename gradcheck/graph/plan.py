"""The plan of a network: its texts read and checked against the tables, before any array exists.

Every mistake of the texts is found in one reading; what the layers do to arrays is `network`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from gradcheck.errors import NotationError, ShapeError, called_here, did_you_mean
from gradcheck.graph.builder import Builder
from gradcheck.graph.calls import arguments_in_words
from gradcheck.graph.graph import Place
from gradcheck.graph.layers import INSTEAD, LAYERS, OTHER_NAMES, Argument, ArgumentError, LayerKind, Parameter
from gradcheck.graph.terms import Term, read_loss, read_penalties
from gradcheck.graph.tracer import Ref, Tracer
from gradcheck.graph.vocabulary import unknown_words
from gradcheck.location import SourceText, Span
from gradcheck.model.case import Layer, NetworkBody, Residual
from gradcheck.notation import Attribute, Call, Name, Node, parse_expression
from gradcheck.ops.broadcasting import limited
from gradcheck.ops.registry import REQUIRED
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
class Plan:
    """What was read; where `errors` is not empty, the rest may have gaps."""

    layers: tuple[Step | Block, ...]
    loss: Term | None
    penalties: tuple[Term, ...]
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
    loss = reader.attempt(lambda source: read_loss(source, sizes), body.loss)
    penalties = reader.attempt(lambda source: read_penalties(source, sizes), body.penalty) or ()
    if body.penalty is not None and body.loss is None:
        span = Span(0, len(body.penalty.text.rstrip()))
        message = "a penalty is added to a loss, and there is none"
        reader.errors.append(NotationError(message, "write loss: mse", body.penalty, span))
    return Plan(layers, loss, penalties, tuple(reader.errors))


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
            else:
                found += self.attempt(self.step, layer) or ()
        return tuple(found)

    def attempt(self, read: Callable[[SourceText], T], source: SourceText | None) -> T | None:
        """What `read` makes of a text; None, and the error remembered, where it is wrong."""
        try:
            return None if source is None else read(source)
        except NotationError as error:
            self.errors.append(error)
            return None

    def step(self, source: SourceText) -> tuple[Step | Block, ...]:
        """One layer; or several, where it stands for a block of them."""
        self.number += 1
        call, word = self.call(source)
        place = Place(source, call.span)
        if word == "code":
            return (Step(self.number, call, place, None, {}, (), 0),)
        if word not in LAYERS:
            where = Place(source, call.function.span)
            raise NotationError(f"unknown layer '{word}'", _instead_of(word), source, where.span)
        kind = LAYERS[word]
        settings, places = self.settings(kind, call, source)
        try:
            return self.made(kind, settings, call, place)
        except ArgumentError as error:
            message = f"'{error.argument}' of '{word}' {error.message}"
            raise NotationError(message, error.hint, source, places.get(error.argument, call.span)) from None

    def made(self, kind: LayerKind, settings: Mapping[str, Any], call: Call, place: Place) -> tuple[Step | Block, ...]:
        """The layer of a kind with its parameters, or the layers that it is made of, all of them at its place."""
        if kind.parts is not None:
            return self.parts(kind.parts(settings), call, place)
        parameters = kind.parameters(settings)
        for parameter in parameters:
            try:
                limited(parameter.shape)
            except ShapeError as error:
                message = f"'{parameter.name}' of '{kind.name}' {error.message}"
                raise NotationError(message, error.hint, place.source, place.span) from None
        self.order += bool(parameters)
        return (Step(self.number, call, place, kind, settings, parameters, self.order),)

    def parts(self, parts: tuple[Any, ...], call: Call, place: Place) -> tuple[Step | Block, ...]:
        """Parts as a kind tells them: (name, settings) for a layer, a tuple of parts for a residual block."""
        found: list[Step | Block] = []
        for part in parts:
            if isinstance(part[0], str):
                name, settings = part
                found += self.made(LAYERS[name], LAYERS[name].complete(settings), call, place)
            else:
                found.append(Block(self.parts(part, call, place), place))
        return tuple(found)

    def settings(self, kind: LayerKind, call: Call, source: SourceText) -> tuple[dict[str, Any], dict[str, Span]]:
        """The arguments of a layer by name, as its formula wants them, and where they stand."""
        known = {argument.name: argument for argument in kind.arguments}
        write = f"write {kind.signature}"
        if len(call.arguments) > len(known):
            at_most = "at most " if known else ""
            message = f"'{kind.name}' takes {at_most}{arguments_in_words(len(known))}, got {len(call.arguments)}"
            raise NotationError(message, write, source, call.span)
        trees = dict(zip(known, call.arguments, strict=False))
        for name, tree in call.keywords:
            if name not in known:
                hint = did_you_mean(name, known, write)
                raise NotationError(f"'{kind.name}' has no option '{name}'", hint, source, tree.span)
            if name in trees:
                raise NotationError(f"'{name}' of '{kind.name}' is given twice", write, source, tree.span)
            trees[name] = tree
        missing = [f"'{name}'" for name, a in known.items() if a.default is REQUIRED and name not in trees]
        if missing:
            raise NotationError(f"'{kind.name}' needs {' and '.join(missing)}", write, source, call.span)
        given = {name: self.plain(known[name], tree, source) for name, tree in trees.items()}
        for name, value in given.items():
            form = known[name].form
            if not form.holds(value):
                message = f"expected {form.expected} as '{name}', got {value!r}"
                raise NotationError(message, write, source, trees[name].span)
        return kind.complete(given), {name: tree.span for name, tree in trees.items()}

    def call(self, source: SourceText) -> tuple[Call, str]:
        """The text as a call; a bare name is a call without arguments."""
        tree = parse_expression(source)
        if isinstance(tree, Name):
            tree = Call(tree.span, tree, (), ())
        if not isinstance(tree, Call) or not isinstance(tree.function, Name):
            message = f"expected a layer, got '{source.text.strip()}'"
            hint = "write linear(4, 3) or relu"
            if isinstance(tree, Call) and isinstance(tree.function, Attribute):  # nn.Linear(4, 3)
                hint = f"layers are written without a module; {_instead_of(tree.function.name)}"
            raise NotationError(message, hint, source, tree.span)
        return tree, tree.function.id

    def plain(self, argument: Argument, tree: Node, source: SourceText) -> Any:
        """A number, a truth value or a text, written with sizes and literals only."""
        if isinstance(tree, Name) and isinstance(argument.default, str) and tree.id not in self.sizes:
            hint = f"a text is written in quotes: {argument.name}='{tree.id}'"
            raise NotationError(f"unknown name '{tree.id}'", hint, source, tree.span)
        unknown = unknown_words(tree, self.sizes, source)
        if unknown:
            raise unknown[0]
        value = Tracer(Builder(), source, self.sizes).value(tree)
        if any(isinstance(part, Ref) for part in (value if isinstance(value, tuple) else (value,))):
            message = f"expected a plain value as '{argument.name}', got an array"
            raise NotationError(message, "write numbers; arrays belong under 'parameters:'", source, tree.span)
        return value


def _flat(layers: tuple[Step | Block, ...]) -> Iterator[Step]:
    for layer in layers:
        if isinstance(layer, Step):
            yield layer
        else:
            yield from _flat(layer.layers)


def _instead_of(word: str) -> str:
    """What to write where no layer is called so."""
    if ours := called_here(word, OTHER_NAMES):
        return f"it is called '{ours}' here: {LAYERS[ours].signature}"
    return called_here(word, INSTEAD) or did_you_mean(word, (*LAYERS, "code"), "gradcheck ops lists the layers")

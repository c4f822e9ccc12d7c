"""The loss and the penalty of a network: their texts read and checked, and their formulas put on top of a graph.

What they compute is said in `losses` and `penalties`, which weights are penalised in `layers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gradcheck.errors import NotationError, called_here, did_you_mean
from gradcheck.graph.builder import Builder
from gradcheck.graph.calls import Given, bind_composed
from gradcheck.graph.composed import Composed
from gradcheck.graph.graph import Place
from gradcheck.graph.losses import LOSSES
from gradcheck.graph.losses import OTHER_NAMES as OTHER_LOSSES
from gradcheck.graph.losses.each import PAIR
from gradcheck.graph.penalties import OTHER_NAMES as OTHER_PENALTIES
from gradcheck.graph.penalties import PENALTIES, WEIGHT
from gradcheck.graph.tracer import Item, Ref, Tracer, compose, trace_inside
from gradcheck.graph.vocabulary import unknown_words
from gradcheck.location import SourceText
from gradcheck.notation import Attribute, Binary, Call, Name, Node, names_in, parse_expression
from gradcheck.record import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A loss, or one penalty.

    arrays, options : what was given beside the arrays that the network supplies
    """

    composed: Composed
    arrays: Mapping[str, Item]
    options: Mapping[str, Any]
    place: Place

    @property
    def name(self) -> str:
        return self.composed.name


def read_loss(source: SourceText, sizes: Mapping[str, int | float]) -> Term:
    """`mse`, `huber(delta=0.5)`. Raises NotationError at the word that is wrong."""
    tree = parse_expression(source)
    call = _call(tree, source, "a loss", "write mse")
    loss = _known(call, LOSSES, OTHER_LOSSES, "loss", source)
    if loss.parameters != PAIR:
        message = f"'{loss.name}' does not compare an output with a 'target': it takes {_listed(loss.parameters)}"
        raise NotationError(message, f"in a function, write {loss.signature}", source, call.span)
    for argument in (*call.arguments, *(value for _, value in call.keywords)):
        if any(name in ("x", "output", *PAIR) and name not in sizes for name in names_in(argument)):
            message = f"'{loss.name}' is told only its options here: it compares the output with 'target'"
            raise NotationError(message, f"write {loss.signature_without(PAIR)}", source, argument.span)
    return _term(loss, call, PAIR, source, sizes)


def read_penalties(source: SourceText, sizes: Mapping[str, int | float]) -> tuple[Term, ...]:
    """`l2(0.01)`, or several as a sum: `l1(0.001) + l2(0.01)`. Raises NotationError at the word that is wrong."""
    parts, rest = [], [parse_expression(source)]
    while rest:
        tree = rest.pop(0)
        if isinstance(tree, Binary) and tree.operator == "+":
            rest = [tree.left, tree.right, *rest]
        else:
            parts.append(tree)
    found = []
    for tree in parts:
        call = _call(tree, source, "a penalty", "write l2(0.01), or several as a sum: l1(0.001) + l2(0.01)")
        penalty = _known(call, PENALTIES, OTHER_PENALTIES, "penalty", source)
        found.append(_term(penalty, call, WEIGHT, source, sizes))
    return tuple(found)


def add_terms(
    builder: Builder, output: int, target: int, weights: Iterable[int], loss: Term, penalties: Iterable[Term]
) -> int:
    """The vertex of the loss of an output, plus the penalties of the weights. Raises NotationError."""
    total = compose(
        builder,
        loss.composed,
        {"prediction": Ref(output), "target": Ref(target), **_arrays(builder, loss)},
        loss.options,
        loss.place,
    )
    several = builder.values[total.index].shape
    for penalty in penalties:
        if several:
            message = f"a penalty is added to one number, and the loss is an array of shape {several}"
            hint = "leave reduction='none' out, or the penalty"
            raise NotationError(message, hint, penalty.place.source, penalty.place.span)
        for weight in weights:
            term = compose(builder, penalty.composed, {"W": Ref(weight)}, penalty.options, penalty.place)
            total = trace_inside(builder, "loss + term", {"loss": total, "term": term}, penalty.place)
    return total.index


def _arrays(builder: Builder, term: Term) -> dict[str, Ref]:
    """The arrays that stand in the text, as constants of the graph."""
    return {name: Ref(builder.constant(np.asarray(item, np.float64))) for name, item in term.arrays.items()}


def _call(tree: Node, source: SourceText, what: str, hint: str) -> Call:
    """The tree as a call; a bare name is a call without arguments."""
    if isinstance(tree, Name):
        return Call(tree.span, tree, (), ())
    if not isinstance(tree, Call) or not isinstance(tree.function, Name):
        shown = source.text[tree.span.start : tree.span.end]
        if isinstance(tree, Call) and isinstance(tree.function, Attribute):  # nn.MSELoss()
            hint = f"write it without a module: {tree.function.name}"
        raise NotationError(f"expected {what}, got '{shown}'", hint, source, tree.span)
    return tree


def _known(
    call: Call, table: Mapping[str, Composed], others: Mapping[str, str], what: str, source: SourceText
) -> Composed:
    assert isinstance(call.function, Name)
    word = call.function.id
    if word in table:
        return table[word]
    if ours := called_here(word, others):
        hint = f"it is called '{ours}' here"
    else:
        hint = did_you_mean(word, table, f"known: {', '.join(table)}" if len(table) < 6 else "see: gradcheck ops")
    raise NotationError(f"unknown {what} '{word}'", hint, source, call.function.span)


def _term(
    composed: Composed, call: Call, supplied: tuple[str, ...], source: SourceText, sizes: Mapping[str, int | float]
) -> Term:
    unknown = unknown_words(call, sizes, source, {composed.name: composed})
    if unknown:
        raise unknown[0]
    tracer = Tracer(Builder(), source, sizes)
    given = Given(
        tuple((tracer.value(argument), argument.span) for argument in call.arguments),
        tuple((name, tracer.value(argument), argument.span) for name, argument in call.keywords),
        call.span,
    )
    arrays, options = bind_composed(composed, given, tracer.error, supplied)
    # Read once as an array here, where a mistake in it still knows its place.
    plain = {name: tracer.builder.values[tracer.as_array(item, span)] for name, (item, span) in arrays.items()}
    return Term(composed, plain, options, Place(source, call.span))


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"

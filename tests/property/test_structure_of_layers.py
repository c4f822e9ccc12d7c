"""The structure engine on every layer, and on every op alone: the same changes as the plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck.errors import ShapeError
from gradcheck.graph.builder import Builder, Traced
from gradcheck.graph.graph import Place
from gradcheck.graph.layers import LAYERS
from gradcheck.graph.tracer import Ref, trace_inside
from gradcheck.location import SourceText, Span
from gradcheck.ops.registry import Op, Sample
from tests.property.applications import sample_id, samples_of_all_ops
from tests.property.drawn_layers import layers
from tests.property.random_graphs import RandomGraph, problem_of
from tests.property.test_structure_engine import BUDGETS, CLOSE, Compared

MOST = 60  # elements of a tensor that are probed
PLACE = Place(SourceText.of("op"), Span(0, 2))
AFTER = ("y", "sum(tanh(y))", "logsumexp(y * y)")


def agree(traced: Traced, text: str, seed: int = 0) -> None:
    graph = Compared(RandomGraph(traced, problem_of(traced), text), seed, MOST)
    for budget in BUDGETS:
        for tensor, ours in graph.answers(budget):
            assert graph.off(tensor, ours) <= CLOSE, graph.about(tensor, budget)


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=4, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_layer_changes_as_by_the_plain_loop(name: str, data: st.DataObject) -> None:
    drawn = data.draw(layers(name))
    traced = drawn.traced()
    if problem_of(traced).wrt:
        agree(traced, drawn.text)


def graph_of(op: Op, sample: Sample, before: str, after: str) -> Traced:
    """The op between two formulas; x stands for every float argument, y for the value.

    Raises ShapeError where the op refuses what `before` makes of its arguments.
    """
    builder = Builder()
    leaves = {f"x{i}": builder.leaf(f"x{i}", argument) for i, argument in enumerate(sample.arguments)}
    arguments = []
    for index, argument in zip(leaves.values(), sample.arguments, strict=True):
        mixes = before if argument.dtype.kind == "f" and (argument.ndim or "@" not in before) else "x"
        mixer = builder.constant(np.eye(argument.shape[-1]) + 0.05) if argument.ndim else index
        arguments.append(trace_inside(builder, mixes, {"x": Ref(index), "A": Ref(mixer)}, PLACE).index)
    options = {**op.options, **sample.options}
    value = builder.apply(op, arguments, options, PLACE)
    end = trace_inside(builder, after, {"y": Ref(value)}, PLACE)
    return builder.finish(end.index, leaves)


@pytest.mark.parametrize(("op", "sample"), samples_of_all_ops(), ids=sample_id)
def test_an_op_alone_changes_as_by_the_plain_loop(op: Op, sample: Sample) -> None:
    """Behind a product by 1 and behind one by a matrix, before nothing and before smooth functions."""
    for number, (before, after) in enumerate([("x", AFTER[0]), ("x * 1.0", AFTER[1]), ("x @ A", AFTER[2])]):
        try:
            traced = graph_of(op, sample, before, after)
        except ShapeError:  # a condition is 0 or 1, a matrix has to be regular
            continue
        if np.isfinite(np.asarray(traced.output)).all():
            agree(traced, f"{before} > {op.name} > {after}", number)

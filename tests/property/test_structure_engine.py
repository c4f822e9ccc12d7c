"""The structure engine is the plain loop: on random graphs, for steps of any size, every element and both signs.

With steps of up to a half nothing that is linearised, dropped or misplaced can agree with two evaluations.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pytest

from gradcheck.graph.graph import Graph, Node
from gradcheck.numerical.difference import PlainLoop, Response
from gradcheck.numerical.schedule import StructureEngine
from gradcheck.numerical.structure import Structure
from gradcheck.ops.registry import Op, all_ops
from gradcheck.perturb import kinds, tiles
from tests.property.applications import Array
from tests.property.as_if_large import count_as_large
from tests.property.planted_rules import PLANTS, Plant
from tests.property.random_blocks import FORMULAS
from tests.property.random_graphs import RandomGraph, random_graph, some_noise

LONG = bool(os.environ.get("SOAK"))
COUNT = 3000 if LONG else 150
BATCH = 5  # graphs per test
BUDGETS = (2**8, 2**12, 2**18)
CLOSE = 1e-11  # × max(1, |f|, |Δf|)
SEEN = 1e-12  # a change of an output that is no rounding
BLURRED = 1e-9  # how near to its switch a moved op may be for rounding to decide on which side it is

batches = pytest.mark.parametrize("start", range(0, COUNT, BATCH))
fewer_batches = pytest.mark.parametrize("start", range(0, COUNT // 5, BATCH))


class Compared:
    """A random graph, and what the plain loop says about all elements of its float leaves, or the first ones."""

    def __init__(self, graph: RandomGraph, seed: int, most: int = 1_000) -> None:
        self.graph, self.problem, self.seed = graph, graph.problem, seed
        self.noise = some_noise(graph.problem)
        self.loop = PlainLoop(graph.problem, self.noise)
        self.size = max(1.0, float(np.abs(graph.problem.upstream * graph.problem.value).sum()))
        random = np.random.default_rng([seed, 1])
        sizes = {tensor: min(most, graph.problem.point[tensor].size) for tensor in graph.problem.wrt}
        self.steps = {t: 10.0 ** random.uniform(-3.0, np.log10(0.5), n) for t, n in sizes.items()}
        self.loops = {t: self.loop.respond(t, np.arange(steps.size), steps) for t, steps in self.steps.items()}

    def answers(self, budget: int, change_op: Callable[[Op], Op] | None = None) -> Iterator[tuple[str, Response]]:
        """The engine's responses, tensor by tensor; with other ops, if asked for."""
        traced = self.graph.traced
        vertices = tuple(
            replace(v, op=change_op(v.op)) if change_op and isinstance(v, Node) else v for v in traced.graph.vertices
        )
        structure = Structure(Graph(vertices, traced.graph.output), traced.values)
        engine = StructureEngine(self.loop, structure, budget, least=0)
        for tensor, steps in self.steps.items():
            yield tensor, engine.respond(tensor, np.arange(steps.size), steps)

    def off(self, tensor: str, ours: Response) -> float:
        """The largest difference of any change, relative to max(1, |f|, |Δf|); infinite where only one is finite."""
        theirs, off = self.loops[tensor], 0.0
        for mine, other in ((ours.ahead, theirs.ahead), (ours.behind, theirs.behind)):
            known = np.isfinite(other)
            if (np.isfinite(mine) != known).any():
                return float("inf")
            relative = np.abs(mine - other)[known] / np.maximum(self.size, np.abs(other[known]))
            off = max(off, float(np.max(relative, initial=0.0)))
        return off

    def about(self, tensor: str, budget: int) -> str:
        return f"graph {self.seed}, budget {budget}, {tensor}\n{self.graph.text}"

    def moved(self, tensor: str, cell: int) -> Iterator[dict[str, Array]]:
        """The points of both probes of an element."""
        for step in (self.steps[tensor][cell], -self.steps[tensor][cell]):
            x = self.problem.point[tensor].copy()
            x.reshape(-1)[cell] += step
            yield {**self.problem.point, tensor: x}


@lru_cache(maxsize=COUNT if not LONG else BATCH)
def graph_number(seed: int) -> Compared:
    return Compared(random_graph(seed), seed)


def compared(start: int) -> Iterator[Compared]:
    return map(graph_number, range(start, start + BATCH))


@batches
def test_the_changes_are_those_of_the_plain_loop(start: int) -> None:
    for graph in compared(start):
        for budget in BUDGETS:
            for tensor, ours in graph.answers(budget):
                assert graph.off(tensor, ours) <= CLOSE, graph.about(tensor, budget)


@fewer_batches
def test_slopes_and_distances_are_those_of_the_plain_loop(start: int) -> None:
    for graph in compared(start):
        for tensor, ours in graph.answers(BUDGETS[1]):
            theirs, steps = graph.loops[tensor], graph.steps[tensor]
            known = np.isfinite(theirs.ahead) & np.isfinite(theirs.behind)
            np.testing.assert_allclose(ours.up, theirs.up, rtol=1e-11)
            np.testing.assert_allclose(ours.down, theirs.down, rtol=1e-11)
            for mine, other in ((ours.low, theirs.low), (ours.high, theirs.high)):
                off = np.abs((mine - other) * steps)[known]
                assert (off <= CLOSE * np.maximum(graph.size, np.abs(other * steps)[known])).all(), graph.about(
                    tensor, 0
                )


@fewer_batches
def test_noise_is_that_of_the_outputs_that_moved(start: int) -> None:
    """Unless the engine knows its rounding better. Whether an output moved by rounding alone, the two may differ."""
    for graph in compared(start):
        most = graph.noise.of(np.ones(graph.problem.value.shape, bool))
        for tensor, ours in graph.answers(BUDGETS[1]):
            for cell in np.flatnonzero(~ours.exact & np.isfinite(ours.ahead + ours.behind)):
                changes = np.abs([graph.loop.changes(point) for point in graph.moved(tensor, int(cell))])
                least = graph.noise.of(np.logical_or.reduce(changes > SEEN * graph.size))
                assert least * (1.0 - 1e-9) <= ours.noise[cell] <= most * (1.0 + 1e-9), graph.about(tensor, 0)


@fewer_batches
def test_a_change_is_as_exact_as_the_engine_says(start: int) -> None:
    for graph in compared(start):
        for tensor, ours in graph.answers(BUDGETS[2]):
            off = np.abs(ours.ahead - graph.loops[tensor].ahead)[ours.exact]
            assert (off <= ours.noise[ours.exact] + 1e-13 * graph.size).all(), graph.about(tensor, 0)


def switched(graph: Compared, tensor: str, cell: int) -> tuple[bool, bool]:
    """Whether a probe took an op on the way to the output to another branch; and whether rounding decides that."""
    whole = graph.graph.traced.graph
    live = whole.ancestors([whole.output])
    nodes = [v for i, v in enumerate(whole.vertices) if i in live and isinstance(v, Node) and v.op.kink is not None]
    crossed = blurred = False
    for point in graph.moved(tensor, cell):
        with np.errstate(all="ignore"):
            there = whole.forward(point)
            for node in nodes:
                assert node.op.kink is not None
                here = node.op.kink.branch(*(graph.graph.traced.values[i] for i in node.arguments), **node.options)
                arguments = [there[i] for i in node.arguments]
                other = here != node.op.kink.branch(*arguments, **node.options)
                near = node.op.kink.margin(*arguments, **node.options) < BLURRED
                crossed |= bool((other & ~near).any())
                blurred |= bool(near.any())
    return crossed, blurred


@batches
def test_kinks_that_are_crossed_are_noticed_and_no_others(start: int) -> None:
    for graph in compared(start):
        expected = {t: [switched(graph, t, cell) for cell in range(graph.steps[t].size)] for t in graph.steps}
        for budget in BUDGETS[:: 1 if LONG else 2]:
            for tensor, ours in graph.answers(budget):
                for told, (crossed, blurred) in zip(ours.crossed, expected[tensor], strict=True):
                    assert told == crossed or (blurred and not crossed), graph.about(tensor, budget)


@cache
def ops_of(seed: int) -> frozenset[str]:
    return frozenset(random_graph(seed).ops)


def without_rules(op: Op) -> Op:
    return replace(op, deltas=(), twins=(), factored=None, series=None, ranked=None)


def one_by_one(op: Op) -> Op:
    return replace(without_rules(op), kind="unknown")


@fewer_batches
@pytest.mark.parametrize("change", [without_rules, one_by_one], ids=lambda change: change.__name__)
def test_rules_and_kinds_change_nothing_but_the_speed(start: int, change: Callable[[Op], Op]) -> None:
    for graph in compared(start):
        for tensor, ours in graph.answers(BUDGETS[1], change):
            assert graph.off(tensor, ours) <= CLOSE, graph.about(tensor, BUDGETS[1])


@pytest.fixture
def every_array_counts_as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    count_as_large(monkeypatch)


@batches
@pytest.mark.usefixtures("every_array_counts_as_large")
@pytest.mark.parametrize("change", [None, without_rules], ids=["as they are", "without rules"])
def test_large_arrays_change_as_small_ones_do(start: int, change: Callable[[Op], Op] | None) -> None:
    for graph in compared(start):
        for tensor, ours in graph.answers(BUDGETS[1], change):
            assert graph.off(tensor, ours) <= CLOSE, graph.about(tensor, BUDGETS[1])


def test_random_graphs_go_through_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through all that knows them: they are begun, passed on by every kind, taken in by a sum, and written."""
    monkeypatch.setattr(tiles, "LARGE", 1)
    met = Counter[str]()
    for name in ("begun", "_through_elementwise", "_through_product", "_taken_in", "_widened"):
        monkeypatch.setattr(tiles, name, counted(met, name, getattr(tiles, name)))
    monkeypatch.setattr(kinds, "begun", tiles.begun)
    for seed in range(COUNT):
        for change in (None, without_rules):
            for _ in graph_number(seed).answers(BUDGETS[1], change):
                pass
    assert min(met.values()) >= 3
    assert len(met) == 5


def counted(met: Counter[str], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def telling(*given: Any) -> Any:
        result = function(*given)
        met[name] += result is not None
        return result

    return telling


@pytest.mark.parametrize("plant", PLANTS, ids=str)
def test_a_linearised_rule_is_caught(plant: Plant) -> None:
    """Replaced wherever the op stands; some graph with the op tells."""
    for seed in range(3 * len(FORMULAS)):
        if plant.op.name in ops_of(seed):
            whole = graph_number(seed)
            if any(
                not whole.off(tensor, ours) <= CLOSE
                for budget in BUDGETS[:2]
                for tensor, ours in whole.answers(budget, plant.linearised)
            ):
                return
    pytest.fail(f"no graph shows that a rule of '{plant.op.name}' is linear")


def test_every_op_stands_in_some_graph() -> None:
    assert set[str]().union(*map(ops_of, range(COUNT))) == set(all_ops())

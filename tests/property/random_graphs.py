"""Random graphs of a few blocks, written through the public path: formulas over named arrays.

What a block is, `random_blocks` says; here they are put together, and numbers are kept of order one, so that rounding
in a graph stays small beside what is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.graph.builder import Builder, Traced
from gradcheck.graph.graph import Node, Place
from gradcheck.graph.tracer import Ref, trace_inside
from gradcheck.location import SourceText, Span
from gradcheck.model.problem import Point, Problem
from gradcheck.numerical.noise import Noise
from tests.property.applications import Array, upstream

LARGE = 4.0  # values beyond are scaled down before the next block
STRIDE = 101  # through the formulas: a prime, so that neighbours have different ones
SMALL, WIDE = (4, 5), (8, 9)  # of the matrix that is handed from block to block
WIDE_ONES = 8  # one graph in so many is wide


class Sketch:
    """A graph in the making, and what was written so far, for whoever has to read a failure."""

    def __init__(self, random: np.random.Generator, due: Sequence[str] = (), most: tuple[int, int] = SMALL) -> None:
        self.random, self.builder, self.due, self.most = random, Builder(), due, most
        self.lines: list[str] = []
        self.leaves: dict[str, Ref] = {}

    def leaf(self, *shape: int, low: float = -1.0, high: float = 1.0) -> Ref:
        """A new leaf with numbers between two others; sometimes one that is there already: shared parameters."""
        known = [r for r in self.leaves.values() if self.shape(r) == shape and self.value(r).dtype.kind == "f"]
        if known and (low, high) == (-1.0, 1.0) and self.random.random() < 0.2:
            return known[int(self.random.integers(len(known)))]
        return self._leaf(self.random.uniform(low, high, shape))

    def whole(self, below: int, *shape: int) -> Ref:
        """A new leaf with whole numbers from 0; some stand in it twice."""
        return self._leaf(self.random.integers(0, below, shape))

    def write(self, text: str, **names: Any) -> Ref:
        """What a formula means."""
        place = Place(SourceText.of(text), Span(0, len(text)))
        result = trace_inside(self.builder, text, names, place)
        said = ", ".join(f"{n}={f'v{v.index}' if isinstance(v, Ref) else v}" for n, v in names.items())
        self.lines.append(f"v{result.index} {self.shape(result)} = {text}    with {said}")
        return result

    def one_of(self, *choices: Any) -> Any:
        """One that is due, else any."""
        choices = tuple(choice for choice in choices if choice in self.due) or choices
        return choices[int(self.random.integers(len(choices)))]

    def value(self, ref: Ref) -> Array:
        return np.asarray(self.builder.values[ref.index])

    def shape(self, ref: Ref) -> tuple[int, ...]:
        return tuple(self.value(ref).shape)

    def matrix(self, x: Ref) -> Ref:
        """The same numbers, or some of them, as a small matrix of numbers of order one."""
        shape = self.shape(x)
        if not shape:
            x = self.write("x * p", x=x, p=self.leaf(2, 3))
        elif len(shape) != 2:
            rows = shape[0] if len(shape) > 1 else 1
            x = self.write("reshape(x, (rows, rest))", x=x, rows=rows, rest=prod(shape) // rows)
        if any(n > most for n, most in zip(self.shape(x), self.most, strict=True)):
            x = self.write("x[:rows, :columns]", x=x, rows=self.most[0], columns=self.most[1])
        size = float(np.abs(self.value(x)).max())
        return self.write("x * c", x=x, c=LARGE / (2.0 * size)) if size > LARGE else x

    def _leaf(self, value: Array) -> Ref:
        name = f"p{len(self.leaves)}"
        self.leaves[name] = Ref(self.builder.leaf(name, value))
        self.lines.append(f"v{self.leaves[name].index} {value.shape} = {name}")
        return self.leaves[name]


@dataclass(frozen=True)
class RandomGraph:
    """A graph at a point, as a problem, and its text."""

    traced: Traced
    problem: Problem
    text: str

    @property
    def ops(self) -> set[str]:
        return {v.op.name for v in self.traced.graph.vertices if isinstance(v, Node)}


def random_graph(seed: int) -> RandomGraph:
    """Two to seven blocks, and an output that is a number or an array. Every formula of the blocks has its turn."""
    from tests.property.random_blocks import BLOCKS, ENDS, FORMULAS

    random = np.random.default_rng([2026, seed])
    blocks, due = zip(*(FORMULAS[turn * STRIDE % len(FORMULAS)] for turn in (2 * seed, 2 * seed + 1)), strict=True)
    most = SMALL if seed % WIDE_ONES else WIDE
    sketch = Sketch(random, due, most)
    x = sketch.leaf(*(int(random.integers(1, n + 1)) for n in most))
    others = [sketch.one_of(*BLOCKS) for _ in range(int(random.integers(0, 6)))]
    for number in random.permutation(2 + len(others)):
        x = sketch.matrix([*blocks, *others][number](sketch, x))
    return finished(sketch, sketch.one_of(*ENDS)(sketch, x))


def finished(sketch: Sketch, end: Ref) -> RandomGraph:
    traced = sketch.builder.finish(end.index, {name: ref.index for name, ref in sketch.leaves.items()})
    return RandomGraph(traced, problem_of(traced), "\n".join(sketch.lines))


def problem_of(traced: Traced) -> Problem:
    """The problem of a graph, with signed weights on its outputs, and every float leaf in question."""
    value = np.asarray(traced.output, dtype=np.float64)
    graph = traced.graph
    point = {name: np.asarray(traced.values[index]) for name, index in graph.leaves.items()}

    def function(point: Point) -> NDArray[np.float64]:
        return graph.evaluate(point).reshape(-1)

    wrt = tuple(name for name, leaf in point.items() if leaf.dtype.kind == "f" and leaf.size)
    weights = upstream((value.size,), seed=value.size)
    return Problem(point, wrt, function, weights, value.reshape(-1), (), traced=traced)


def some_noise(problem: Problem) -> Noise:
    """A noise that differs from output to output, so that it shows whose was counted."""
    shares = 1e-16 * np.random.default_rng(problem.value.size).uniform(1.0, 3.0, problem.value.shape)
    total = float(np.sqrt(np.sum(shares**2)))
    return Noise(absolute=total, relative=1e-16, outputs=shares, spread=0.0, single=False, evaluations=0)

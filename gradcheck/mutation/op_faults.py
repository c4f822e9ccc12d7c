"""Every op with one of its gradient rules damaged: a problem per op, and the gradients that the wrong rule gives.

The rules are damaged where they stand, and our own backpropagation is run with them: what is tested is the whole way
from a rule to a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.graph.backprop import backprop
from gradcheck.graph.branches import GraphSwitches
from gradcheck.graph.builder import Traced
from gradcheck.graph.graph import Graph, Leaf, Node
from gradcheck.model.problem import Claim, Point, Problem
from gradcheck.mutation.judge import is_same
from gradcheck.ops.registry import Op, Sample

Rule = Callable[..., Any]
MARGIN = 1e-3  # how far a sample has to be from the op's kinks for its slopes to be the ones that the rules give


def flipped_sign(rule: Rule) -> Rule:
    return lambda *args, **options: -rule(*args, **options)


def doubled(rule: Rule) -> Rule:
    return lambda *args, **options: 2.0 * rule(*args, **options)


def transposed(rule: Rule) -> Rule:
    """The right numbers in the wrong places."""

    def wrong(*args: Any, **options: Any) -> NDArray[Any]:
        right = np.asarray(rule(*args, **options))
        return right.T.reshape(right.shape)

    return wrong


def without_sum(rule: Rule) -> Rule:
    """Where an argument was repeated, the gradient of one repetition instead of their sum."""

    def one_of(g: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
        g = g[(0,) * (g.ndim - like.ndim)]
        return np.asarray(g[tuple(slice(0, 1) if n == 1 else slice(None) for n in like.shape)])

    def wrong(*args: Any, **options: Any) -> Any:
        names = getattr(rule, "__globals__", {})
        if "unbroadcast" not in names:
            return rule(*args, **options)
        before = names["unbroadcast"]
        names["unbroadcast"] = one_of
        try:
            return rule(*args, **options)
        finally:
            names["unbroadcast"] = before

    return wrong


def without_upstream(rule: Rule) -> Rule:
    """The local gradient, as if nothing came from above."""
    return lambda g, *args, **options: rule(np.ones_like(g), *args, **options)


def one_more(rule: Rule) -> Rule:
    return lambda *args, **options: rule(*args, **options) + 1.0


FAULTS: Mapping[str, Callable[[Rule], Rule]] = {
    "flipped sign": flipped_sign,
    "doubled": doubled,
    "transposed": transposed,
    "without the sum": without_sum,
    "without the upstream gradient": without_upstream,
    "one more": one_more,
}


class Applied:
    """An op on the arguments of one of its samples, as the problem that a case would pose."""

    def __init__(self, op: Op, sample: Sample) -> None:
        self.op = op
        arguments = [
            np.asarray(a) if np.asarray(a).dtype.kind in "iub" else np.array(a, float) for a in sample.arguments
        ]
        self.names = tuple(f"x{i}" for i in range(len(arguments)))
        self.point = dict(zip(self.names, arguments, strict=True))
        self.options = dict(op.prepare({**op.options, **sample.options}, *arguments))
        self.arguments = arguments
        self._graph = self._graph_of(op)
        self._values = self._graph.forward(self.point)
        self._value = np.asarray(self._values[-1], dtype=np.float64)
        random = np.random.default_rng(0)
        shape = self._value.shape
        self._upstream = random.choice([-1.0, 1.0], size=shape) * random.uniform(0.5, 1.5, size=shape)

    @property
    def is_telling(self) -> bool:
        """Whether there are slopes, and no kink close by, between whose slopes a wrong one could hide."""
        if not self._value.size or not np.isfinite(self._value).all():
            return False
        if self.op.kink is None:
            return True
        return float(np.min(self.op.kink.margin(*self.arguments, **self.options), initial=np.inf)) > MARGIN

    @property
    def problem(self) -> Problem:
        graph, shape = self._graph, self._value.shape

        def function(point: Point) -> NDArray[Any]:
            return graph.evaluate(point).reshape(-1)

        def vjp(weights: NDArray[Any]) -> dict[str, NDArray[Any]]:
            return backprop(graph, self._values, weights.reshape(shape), self.wrt)

        traced = Traced(graph, self._values, {name: i for i, name in enumerate(self.names)})
        return Problem(
            point=self.point,
            wrt=self.wrt,
            function=function,
            upstream=self._upstream.reshape(-1),
            value=self._value.reshape(-1),
            claims=(Claim("backprop", vjp(self._upstream.reshape(-1)), vjp=vjp),),
            switches=GraphSwitches(graph, self._values, self._upstream),
            traced=traced,
            output_shapes=(shape,),
        )

    @property
    def wrt(self) -> tuple[str, ...]:
        return tuple(
            name
            for position, name in enumerate(self.names)
            if self.op.vjp(position) is not None and self.point[name].dtype.kind == "f"
        )

    def damaged(self) -> Iterator[tuple[int, str, dict[str, NDArray[Any]]]]:
        """(entry among the rules, fault, gradients) for every fault that changes a gradient."""
        right = backprop(self._graph, self._values, self._upstream, self.wrt)
        entries = dict.fromkeys(self.op.entry(self.names.index(name)) for name in self.wrt)
        for entry in entries:
            rule = self.op.vjps[entry]
            assert rule is not None
            for name, fault in FAULTS.items():
                rules = tuple(fault(rule) if i == entry else other for i, other in enumerate(self.op.vjps))
                graph = self._graph_of(replace(self.op, vjps=rules))
                wrong = backprop(graph, self._values, self._upstream, self.wrt)
                if not all(is_same(right[tensor], wrong[tensor]) for tensor in self.wrt):
                    yield entry, name, wrong

    def _graph_of(self, op: Op) -> Graph:
        leaves = [Leaf(name) for name in self.names]
        return Graph((*leaves, Node(op, tuple(range(len(leaves))), self.options)), len(leaves))

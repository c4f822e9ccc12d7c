"""Which probes share a pass: every element once, units together where that is cheaper, no array beyond the budget."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from gradcheck.graph.expression import trace_program
from gradcheck.location import SourceText
from gradcheck.numerical.sharing import passes, ways_to_share
from gradcheck.numerical.structure import Structure
from gradcheck.perturb.probes import Probes

X = np.random.default_rng(5).normal(size=(24, 24))
BUDGET = 2**13
ARRAYS = 24  # of the largest size may live at the same time: arguments, values, their changes, what a rule writes


def structure(text: str, **leaves: np.ndarray) -> Structure:
    traced = trace_program(SourceText.of(text), leaves)
    return Structure(traced.graph, traced.values)


TEXTS = [
    "logsumexp(x)", "max(x)", "norm(x)", "var(x)", "prod(x * 0.1)", "cumsum(x, axis=1)[:, -1]",
    "softmax(x, axis=0)[0, 0]",
    "trace(x)", "logsumexp(x @ x)", 'einsum("ij,ij->", x, x)', "sort(x)[:, 0]", "normalise(x)[0]", "sum(relu(x @ x.T))",
    "logdet(x @ x.T + eye(24))",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_no_pass_writes_more_than_the_budget_allows(text: str) -> None:
    """Also where an op has to open what came in narrow: all probes at once would take 576 × 576 numbers or more."""
    whole = structure(text, x=X)
    cells, steps = np.arange(X.size), np.full(X.size, 1e-3)
    tracemalloc.start()
    for chosen in passes(ways_to_share(whole, "x", BUDGET), cells):
        with np.errstate(all="ignore"):
            whole.change("x", cells[chosen], steps[chosen], Probes(chosen.size))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most <= ARRAYS * BUDGET * 8


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("count", [1, 7, 576])
def test_every_element_has_one_pass(text: str, count: int) -> None:
    cells = np.random.default_rng(count).permutation(X.size)[:count]
    seen = np.concatenate(list(passes(ways_to_share(structure(text, x=X), "x", BUDGET), cells)))
    assert sorted(seen.tolist()) == list(range(count))


def test_the_weights_of_a_unit_share_a_pass() -> None:
    whole = structure("sum(tanh(tanh(x @ W) @ x))", x=X, W=X)
    (apart, _) = ways_to_share(whole, "W", BUDGET)
    assert apart.pinned == (1,)
    groups = list(passes(ways_to_share(whole, "W", BUDGET), np.arange(X.size)))
    assert all(np.unique(chosen % 24).size == 1 for chosen in groups)

"""The structure engine where graphs end: no axes, no elements, infinities, poles, leaves that do not matter."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from gradcheck.errors import InternalError
from gradcheck.graph.expression import trace_program
from gradcheck.location import SourceText
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.schedule import StructureEngine
from gradcheck.numerical.structure import Structure
from tests.property.as_if_large import count_as_large
from tests.property.random_graphs import problem_of, some_noise

R = np.random.default_rng(0)
X, Y, W = R.normal(size=(3, 4)), R.normal(size=(3, 4)), R.normal(size=(4, 2))
HIDDEN = np.where(np.tri(3) > 0, 0.0, -np.inf)
ZERO, ONE = np.zeros((3, 4)), np.array(0.7)
NOTHING = np.zeros((0, 3))
PICKS, COLUMN = np.array([0, 0, 2]), np.array([[1], [0], [1]])

GRAPHS: list[tuple[str, dict[str, Any]]] = [
    ("s", {"s": ONE}), ("s * s", {"s": ONE}), ("sum(x) * s + s", {"x": X, "s": ONE}),
    ("reshape(s, (1, 1)) @ ones(1, 3)", {"s": ONE}), ("x.T", {"x": X}),
    ("y * 2", {"x": X, "y": Y}), ("sum(x * 0.0) + y", {"x": X, "y": Y}), ("sum(x[:, :0]) + y[0]", {"x": X, "y": Y}),
    ("sum(relu(x[:0])) + y[0]", {"x": X, "y": Y}), ("concatenate([x[:0], y], axis=0) @ W", {"x": X, "y": Y, "W": W}),
    ("x[:, :0] @ z + x[:, :3]", {"x": X, "z": NOTHING}), ("outer(x[:0], y)[:, 0] + y[0, 0]", {"x": X, "y": Y}),
    ("softmax(x @ x.T + m, axis=-1) @ x", {"x": X, "m": HIDDEN}), ("max(x @ x.T + m, axis=-1)", {"x": X, "m": HIDDEN}),
    ("exp(0.1 * (x @ x.T) + m)", {"x": X, "m": HIDDEN}), ("maximum(x @ x.T + m, -1.0)", {"x": X, "m": HIDDEN}),
    ("log_softmax(x @ x.T + m)[:, 0]", {"x": X, "m": HIDDEN}), ("minimum(x @ x.T, -m)", {"x": X, "m": HIDDEN}),
    ("logsumexp(where(c, x @ x.T, m), axis=-1)", {"x": X, "m": np.full((3, 3), -np.inf), "c": np.tri(3)}),
    ("1 / x", {"x": X}), ("log(x)", {"x": np.abs(X)}), ("sqrt(x)", {"x": np.abs(X)}),
    ("x ** y", {"x": np.abs(X), "y": Y}),
    ("cholesky(x)", {"x": np.eye(3) + 0.1}), ("logdet(x)", {"x": np.eye(3)}),
    ("relu(x)", {"x": ZERO}), ("abs(x) + sign(x)", {"x": ZERO}), ("max(x, axis=1)", {"x": ZERO}),
    ("sort(x)", {"x": ZERO}),
    ("norm(x)", {"x": ZERO}), ("norm(x, ord=1, axis=0)", {"x": ZERO}), ("std(x, axis=0)", {"x": ZERO}),
    ("maximum(x, y)", {"x": ZERO, "y": ZERO}),
    ("x[i]", {"x": X, "i": PICKS}), ("x * i", {"x": X, "i": COLUMN}), ("where(i, x, 0 * x)", {"x": X, "i": COLUMN}),
    ("gelu(s)", {"s": ONE}), ("sum(gelu(x[:0])) + y[0]", {"x": X, "y": Y}),
    ("gelu(x @ x.T + m)", {"x": X, "m": HIDDEN}),
    ("gelu(x)[:, 0] + silu(x[0, 0])", {"x": X}), ("cumsum(gelu(x) @ W, axis=0)", {"x": X, "W": W}),
    ("where(x > 0, x * y, y)", {"x": X, "y": Y}), ("where(x > x[:, ::-1], x, 2 * x)", {"x": X}),
]  # fmt: skip


def engines(text: str, leaves: dict[str, Any]) -> tuple[StructureEngine, PlainLoop]:
    traced = trace_program(SourceText.of(text), leaves)
    problem = problem_of(traced)
    loop = PlainLoop(problem, some_noise(problem))
    return StructureEngine(loop, Structure(traced.graph, traced.values), 2**12, least=0), loop


@pytest.mark.parametrize(("text", "leaves"), GRAPHS, ids=[text for text, _ in GRAPHS])
@pytest.mark.parametrize("step", [1e-3, 0.25, 1.5])
@pytest.mark.parametrize("is_large", [False, True], ids=["small", "as if large"])
def test_the_edges_of_a_graph_are_those_of_the_plain_loop(
    text: str, leaves: dict[str, Any], step: float, is_large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_large:
        count_as_large(monkeypatch)
    engine, loop = engines(text, leaves)
    for tensor in (name for name in loop.problem.wrt if np.isfinite(leaves[name]).all()):
        size = loop.problem.point[tensor].size
        ours, theirs = (e.respond(tensor, np.arange(size), np.full(size, step)) for e in (engine, loop))
        np.testing.assert_allclose(ours.ahead, theirs.ahead, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(ours.behind, theirs.behind, rtol=1e-11, atol=1e-11)


def test_a_mask_of_the_largest_element_stays_as_it_is_while_that_one_stays() -> None:
    """x and max(x) move by the very same number; rounding must not tell them apart."""
    engine, _ = engines("x == max(x, axis=1, keepdims=True)", {"x": X})
    response = engine.respond("x", np.arange(12), np.full(12, 1e-3))
    assert not np.any([response.ahead, response.behind])


def test_no_element_needs_no_pass() -> None:
    engine, _ = engines("sum(x)", {"x": X})
    assert engine.respond("x", np.zeros(0, np.int64), np.zeros(0)).ahead.size == 0


def test_steps_too_small_to_move_an_element_are_told_as_the_plain_loop_does() -> None:
    engine, _ = engines("sum(tanh(x))", {"x": np.array([1.0, 1e30])})
    response = engine.respond("x", np.arange(2), np.array([1e-3, 1e-3]))
    assert np.isfinite(response.ahead).tolist() == [True, False]
    assert response.up.tolist() == [1e-3, 0.0]


def test_slopes_as_large_as_numbers_go_are_no_reason_for_a_warning() -> None:
    engine, loop = engines("sum(exp(x))", {"x": np.array([1.0, 600.0])})
    ours, theirs = (e.respond("x", np.arange(2), np.full(2, 0.125)) for e in (engine, loop))
    np.testing.assert_allclose(ours.ahead[1], theirs.ahead[1], rtol=1e-12)


def test_the_plain_loop_is_asked_where_an_engine_does_not_pay() -> None:
    engine, loop = engines("sum(tanh(x))", {"x": X})
    engine.least = 10_000
    response = engine.respond("x", np.arange(12), np.full(12, 1e-3))
    assert response.crossed.size == 0
    assert loop.evaluations == 24


def test_an_engine_that_is_wrong_by_one_percent_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    traced = trace_program(SourceText.of("sum(tanh(x @ W)**2)"), {"x": X, "W": W})
    problem = problem_of(traced)
    structure = Structure(traced.graph, traced.values)
    engine = StructureEngine(PlainLoop(problem, some_noise(problem)), structure, least=0)
    engine.respond("W", np.arange(8), np.full(8, 1e-4))
    engine.spot_check("W", seed=0)
    right = StructureEngine._pass

    def wrong(self: StructureEngine, *given: object) -> np.ndarray:
        rows = right(self, *given)  # type: ignore[arg-type]
        rows[:2] *= 1.01
        return rows

    monkeypatch.setattr(StructureEngine, "_pass", wrong)
    with pytest.raises(InternalError, match="two engines disagree about the changes of 'W' at the elements"):
        engine.spot_check("W", seed=0)


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("sum(gelu(tanh(x @ c) @ d))", {"x": (1, 400), "c": (400, 2), "d": (2, 4096)}),
        ("sum(gelu(relu(x @ c) @ d))", {"x": (16, 300), "c": (300, 4), "d": (4, 512)}),
        ("sum(gelu(x * c) @ d)", {"x": (128, 1), "c": (128, 128), "d": (128, 2)}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_pass_holds_a_few_budgets_however_few_numbers_stand_before_the_large_ones(
    text: str, shapes: dict[str, tuple[int, ...]]
) -> None:
    random, budget = np.random.default_rng(1), 2**16
    traced = trace_program(SourceText.of(text), {name: random.normal(size=shape) for name, shape in shapes.items()})
    problem = problem_of(traced)
    engine = StructureEngine(
        PlainLoop(problem, some_noise(problem)), Structure(traced.graph, traced.values), budget, least=0
    )
    for tensor in ("x", "c"):
        size = problem.point[tensor].size
        tracemalloc.start()
        engine.respond(tensor, np.arange(size), np.full(size, 1e-3))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 32 * 8 * budget


def test_what_two_steps_that_differ_by_little_tell_apart_is_not_always_rounding() -> None:
    """Over many oscillations slopes have nothing to do with each other, and say nothing of the engine's exactness."""
    engine, loop = engines("sin(c * x)", {"x": X, "c": np.array(1e8)})
    cells, steps = np.arange(12), np.full(12, 2.0**-17)
    told, plain = engine.respond("x", cells, steps), loop.respond("x", cells, steps)
    assert not told.exact.any()
    assert np.allclose(told.noise, plain.noise)
    engine, _ = engines("sin(c * x)", {"x": X, "c": np.array(1e3)})
    assert engine.respond("x", cells, steps).exact.all()

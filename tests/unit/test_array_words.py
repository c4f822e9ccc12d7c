"""Words for ops on arrays, as a case file writes them: what they are worth, and how every wrong use is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.graph.backprop import backprop
from gradcheck.graph.builder import Builder
from gradcheck.graph.expression import index_names, trace_program
from gradcheck.graph.graph import Node, Place
from gradcheck.graph.tracer import Ref, trace_inside
from gradcheck.location import SourceText, Span
from gradcheck.ops.registry import all_ops, get
from tests.golden.helper import check_golden
from tests.unit.test_expression import LEAVES, I, W, X, mistakes

S = np.array([[0.6, -1.1, 0.35], [1.45, -0.8, 2.05], [-0.2, 0.95, -1.75]])
B = np.arange(24.0).reshape(2, 3, 4)
P = S @ S.T + np.eye(3)
V = np.array([0.7, -1.3, 0.4])
NAMES = {**LEAVES, "m": S, "b": B, "p": P, "v": V}


def value(text: str) -> Any:
    return trace_program(SourceText.of(text), NAMES).output


VALUES: list[tuple[str, Any]] = [
    # shapes
    ("ravel(b)", B.ravel()),
    ("b.flatten()", B.ravel()),
    ("squeeze(b[:, None, :1], axis=(1, 2))", B[:, 0, :]),
    ("x[None].squeeze()", X),
    ("expand_dims(x, (0, -1))", X[None, :, :, None]),
    ("b.swapaxes(0, -1)", B.swapaxes(0, -1)),
    ("moveaxis(b, (0, 1), (-1, 0))", np.moveaxis(B, (0, 1), (-1, 0))),
    ("stack([x, 2 * x], axis=-1)", np.stack([X, 2 * X], axis=-1)),
    ("stack((s, 1, 2))", [3.0, 1.0, 2.0]),
    ("split(x, 3, axis=1)[-1]", X[:, 2:]),
    ("split(b, [1, 1, 3], axis=2)[2]", B[:, :, 1:3]),
    ("flip(b)", B[::-1, ::-1, ::-1]),
    ("flip(x, axis=-1)", X[:, ::-1]),
    ("roll(x, 2)", np.roll(X, 2)),
    ("roll(b, (1, -1), axis=(0, 2))", np.roll(B, (1, -1), axis=(0, 2))),
    ("tile(x, 2)", np.tile(X, 2)),
    ("tile(v, (2, 1, 2))", np.tile(V, (2, 1, 2))),
    ("tile(x, 2, 1)", np.tile(X, (2, 1))),
    ("x.repeat(2)", np.repeat(X, 2)),
    ("repeat(x, [2, 0, 1], axis=1)", np.repeat(X, [2, 0, 1], axis=1)),
    ("broadcast_to(v, (2, 3))", np.broadcast_to(V, (2, 3))),
    ("broadcast_to(v, 2, 3)", np.broadcast_to(V, (2, 3))),
    ("pad(x, 1)", np.pad(X, 1)),
    ("pad(v, (2, 0), constant_values=-1)", np.pad(V, (2, 0), constant_values=-1)),
    ("pad(b, ((0, 0), (1, 2), (5, 0)), mode='reflect')", np.pad(B, ((0, 0), (1, 2), (5, 0)), mode="reflect")),
    ("pad(x, [[1, 0], [2]], mode='wrap')", np.pad(X, ((1, 0), (2, 2)), mode="wrap")),
    ("diag(v)", np.diag(V)),
    ("diag(x, k=1)", np.diag(X, k=1)),
    ("diag(v, -2)", np.diag(V, -2)),
    ("tril(m) + triu(m, k=1)", S),
    # picks
    ("take(x, i, axis=1)", X[:, I]),
    ("x.take([0, -1, 0])", X.ravel()[[0, -1, 0]]),
    ("take_along_axis(x, [[2], [0]], axis=1)", X[[0, 1], [2, 0]][:, None]),
    ("gather(x, 0, [[1, 0, 1]])", X[[1, 0, 1], [0, 1, 2]][None]),
    ("gather(x, axis=1, index=[[2, 2]])", X[:1, [2, 2]]),
    ("embedding(i, w)", W[I]),
    ("embedding([[0, 2], [2, 2]], W=w)", W[[[0, 2], [2, 2]]]),
    # reductions, scans, sorting
    ("prod(x, axis=0)", X.prod(0)),
    ("x.var()", X.var()),
    ("var(x, axis=-1, ddof=1)", X.var(-1, ddof=1)),
    ("x.std(1, keepdims=True)", X.std(1, keepdims=True)),
    ("norm(x)", np.linalg.norm(X)),
    ("norm(x, 1)", np.abs(X).sum()),
    ("norm(x, inf, axis=0)", np.abs(X).max(0)),
    ("norm(x, ord=2, axis=1, keepdims=True)", np.linalg.norm(X, axis=1, keepdims=True)),
    ("cumsum(v)", V.cumsum()),
    ("x.cumprod(axis=1)", X.cumprod(1)),
    ("sort(x)", np.sort(X)),
    ("sort(x, axis=0)", np.sort(X, axis=0)),
    ("topk(x, 2)", np.sort(X)[:, :0:-1]),
    ("topk(x, k=1, axis=0)", X.max(0, keepdims=True)),
    # linear algebra
    ("dot(x, w)", X @ W),
    ("x.dot(w)", X @ W),
    ("dot(s, x)", 3 * X),
    ("dot(b, b.swapaxes(1, 2))", np.dot(B, B.swapaxes(1, 2))),
    ("outer(v, x)", np.outer(V, X)),
    ("einsum('ij,jk->ik', x, w)", X @ W),
    ("einsum('ij,jk', x, w)", X @ W),
    ("einsum('ba', x)", X.T),
    ("einsum('ii', m)", np.trace(S)),
    ("einsum('bij, ik -> bkj', b, p)", np.einsum("bij,ik->bkj", B, P)),
    ("einsum('i,i,i->', v, v, [1, 2, 3])", (V * V * [1, 2, 3]).sum()),
    ("trace(m)", np.trace(S)),
    ("b.trace(axis1=1, axis2=2)", np.trace(B, axis1=1, axis2=2)),
    ("det(m)", np.linalg.det(S)),
    ("logdet(p)", np.log(np.linalg.det(P))),
    ("inv(m) @ m", np.eye(3)),
    ("solve(m, v)", np.linalg.solve(S, V)),
    ("m @ solve(m, w)", W),
    ("cholesky(p)", np.linalg.cholesky(P)),
    # names that hold several values
    ("a, c, d = split(v, 3)\na + 10 * c + 100 * d", [V[0] + 10 * V[1] + 100 * V[2]]),
    ("N, D = x.shape\nx * D / N", X * 1.5),
    ("first, _ = split(x, [1])\nfirst", X[:1]),
    ("parts = split(x, 2)\nparts[1] - parts[0]", X[1:] - X[:1]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[text for text, _ in VALUES])
def test_a_program_is_worth_what_numpy_says(text: str, expected: Any) -> None:
    assert np.shape(value(text)) == np.shape(expected)
    np.testing.assert_allclose(value(text), expected, rtol=1e-13, atol=1e-14)


def test_each_part_of_a_split_is_a_node_with_a_name() -> None:
    result = trace_program(SourceText.of("a, c = split(x, [1], axis=1)\nsum(a) * sum(c**2)"), NAMES)
    a, c = (result.graph.vertices[result.names[name]] for name in "ac")
    assert isinstance(a, Node)
    assert isinstance(c, Node)
    assert (a.name, a.op.name, c.name, c.op.name) == ("a", "split", "c", "split")
    gradient = backprop(result.graph, result.values, np.array(1.0), ["x"])["x"]
    expected = np.concatenate([np.full((2, 1), (X[:, 1:] ** 2).sum()), 2 * X[:, :1].sum() * X[:, 1:]], axis=1)
    np.testing.assert_allclose(gradient, expected)


def test_our_own_formulas_may_name_several_values_too() -> None:
    builder = Builder()
    x = Ref(builder.leaf("x", X))
    source = SourceText.of("gates(x)")
    y = trace_inside(builder, "a, b, c = split(x, 3, axis=1)\na * b + c", {"x": x}, Place(source, Span(0, 8)))
    np.testing.assert_allclose(builder.values[y.index], X[:, :1] * X[:, 1:2] + X[:, 2:])


def test_the_names_that_have_to_be_whole_numbers_are_found() -> None:
    source = SourceText.of(
        "a = embedding(ids, W) + take(x, c, axis=0)\nd = x.take(e) + gather(x, 1, f) + take_along_axis(g, indices=h)"
    )
    assert index_names(source) >= {"ids", "c", "e", "f", "h"}
    assert not index_names(source) & {"a", "d", "W", "x", "g"}


MISTAKES = [
    # shapes
    "squeeze(x, axis=0)", "expand_dims(x, 3)", "expand_dims(x, (0, 0))", "expand_dims(x, 'a')", "swapaxes(x, 0, 2)",
    "moveaxis(x, (0, 1), 0)", "moveaxis(x, (0, 0), (0, 1))", "moveaxis(x, None, 0)", "stack([])", "stack([x, w])",
    "stack([x, x], axis=3)", "stack([x, x], axis=(0, 1))", "stack(x)", "split(x, 4, axis=1)", "split(x, 0)",
    "split(x, [2, 1], axis=1)", "split(x, [4], axis=1)", "split(x, 0.5)", "split(x, 2, axis=2)", "split(x, 2)[2]",
    "split(x, 3, 1, output=0)", "split(x, 2)", "flip(x, axis=2)", "roll(x, 0.5)", "roll(x, (1, 2))",
    "roll(x, (1, 2, 3), axis=(0, 1))", "roll(x, 1, axis=(1, 1))", "roll(x, 1, axis=())",
    "tile(x, -1)", "tile(x, 10**8)", "tile(x, x)",
    "repeat(x, (1, 2))", "repeat(x, (1, 2), axis=1)", "repeat(x, -1, axis=1)", "broadcast_to(x, (3, 2))",
    "broadcast_to(x, 3)", "broadcast_to(x, (2, -1))", "pad(x, -1)", "pad(x, (1, 2, 3))",
    "pad(b, ((1, 1), (1, 1)))", "pad(x, 1, mode='mirror')", "pad(x, 1, mode=reflect)", "pad(x, 1, constant_values='a')",
    "pad(x[:0], 1, mode='edge')", "pad(x, 10**5)", "diag(b)", "diag(x, k=0.5)", "diag(x, k=4)", "diag(zeros(10000))",
    "tril(v)", "triu(x, k='a')",
    # picks
    "take(x, s)", "take(x, [0, 2], axis=0)", "take(x, 6)", "take(x, [0, 1], axis=2)", "take_along_axis(x, i, axis=1)",
    "take_along_axis(x, [[3]], axis=1)", "take_along_axis(x, [[0], [0], [0]], axis=1)", "gather(x, 1, i)",
    "gather(x, 1, [[0], [0], [0]])", "gather(x, 1, [[-1]])", "gather(x, i)", "gather(x, [[0]], dim=1)",
    "gather(x, index=[[0]], dim=1)", "embedding(w, i)", "embedding(i, v)", "embedding([3], w)", "embedding([-1], w)",
    "embedding([0], w[:0])",
    # reductions, scans, sorting
    "prod(x, axis=2)", "var(x, ddof=6)", "var(x[:, :1], axis=1, ddof=1)", "var(x[:0])", "std(x, ddof=-1)",
    "std(x, ddof=True)", "var(x, correction=1)", "norm(x, 3)", "norm(x, 'fro')", "norm(x[:0], inf)",
    "norm(x, ord=1, keepdims=2)", "cumsum(x)", "cumprod(x, axis=2)", "cumsum(s)", "sort(x, axis=None)", "sort(s)",
    "topk(x, 4)", "topk(x, 0)", "topk(x, 1.0)", "topk(x[:0], 1, axis=0)", "topk(x)",
    # linear algebra
    "dot(x, x)", "dot(w, b)", "outer(zeros(5000), zeros(5000))", "einsum('ij,jk->ik', x)", "einsum('ij,jk->ik', x, x)",
    "einsum('ijk->i', x)", "einsum('ij->ik', x)", "einsum('ij->ii', x)", "einsum('...j->j', x)", "einsum('i1->i', x)",
    "einsum('ij->i->j', x)", "einsum(x, 'ij->ji')", "einsum('ij')", "einsum('a,b,c,d->', b, b, b, b)",
    "einsum('abc,def,ghi,jkl,mno,pqr,stu->', b, b, b, b, b, b, b)", "einsum('a,b->ab', zeros(5000), zeros(5000))",
    "einsum(',,,,,,,,,,,,,,,,', s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s)",
    "expand_dims(x, (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14))",
    "x[" + "None, " * 16 + "0]", "reshape(x, (6, " + "1, " * 16 + "))",
    "einsum('ii->i', x)", "trace(v)", "trace(b, axis1=1, axis2=1)", "trace(x, offset=0.5)", "det(x)", "det(v)",
    "logdet(-p)", "logdet(m @ m.T - p)", "inv(x)", "inv(ones(3, 3) * s)", "inv(stack([m, 0 * m]))", "solve(x, v)",
    "solve(m, x)", "solve(m, s)", "solve(zeros(3, 3) * s, v)", "cholesky(m)", "cholesky(b)", "cholesky(stack([p, -p]))",
    # names that hold several values
    "a, c = x", "a, c = split(x, 3, axis=1)", "a, c = x.shape[0]\na + 1", "(a, 2), c = split(x, 2)",
    "a, x = split(x, 2)", "a, b[0] = split(x, 2)",
    # words of other libraries
    "x.exp()", "x.view(3, 2)", "x.fill(1)", "T(x)", "cat([x, x])", "unsqueeze(x, 0)", "argmax(x)", "x.argmax()",
    "sum(x, dim=0)", "x * inf", "x * -inf", "x * [1, inf]", "inf * 2 * x",
]  # fmt: skip


def test_a_mistake_is_told_with_its_place_its_cause_and_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.test_expression.LEAVES", NAMES)
    check_golden("expression/array_ops.txt", "\n\n".join(error for text in MISTAKES for error in mistakes(text)) + "\n")


def test_signatures_say_how_a_call_is_written() -> None:
    assert get("einsum").signature == "einsum(subscripts, *operands)"
    assert get("gather").signature == "gather(x, axis, index)"
    assert get("stack").signature == "stack([a, …], axis=0)"
    assert get("tile").signature == "tile(x, *reps)"
    assert get("embedding").signature == "embedding(ids, W)"
    assert all(op.places for op in all_ops().values())

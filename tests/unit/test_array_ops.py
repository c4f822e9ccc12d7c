"""Ops that move, reduce, sort and decompose arrays: their digits, their kinks, and matrices without an inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.ops.registry import Op, Sample, get, sample
from tests.property.applications import Application, sample_id, samples_of_all_ops, upstream
from tests.property.differences import agrees

S = np.array([[0.6, -1.1, 0.35], [1.45, -0.8, 2.05], [-0.2, 0.95, -1.75]])
P = S @ S.T + np.eye(3)
V = np.array([0.7, -1.3, 0.4])

LAYOUTS = [(op, given) for op, given in samples_of_all_ops() if op.kind == "layout" and len(op.vjps) == len(op.linear)]


@pytest.mark.parametrize(("op", "given"), LAYOUTS, ids=sample_id)
def test_a_layout_op_tells_of_numbered_elements_where_each_one_went(op: Op, given: Sample) -> None:
    """Each output is one element of an argument, or a constant that no argument moves."""
    application = Application.of(op, given)
    starts = np.cumsum([0, *(a.size for a in given.arguments)])
    pairs = zip(starts, given.arguments, strict=False)
    numbers = [start + np.arange(1.0, a.size + 1).reshape(a.shape) for start, a in pairs]
    filled = application.value(tuple(np.zeros(a.shape) for a in given.arguments))
    sources = (application.value(tuple(numbers)) - filled).astype(int)
    elements = np.concatenate([[0.0], *(a.ravel() for a in given.arguments)])
    assert np.array_equal(application.value(), elements[sources] + filled)


def test_the_gradient_of_a_product_needs_no_division() -> None:
    for x, expected in (
        ([2.0, 0.0, 3.0], [0.0, 6.0, 0.0]),
        ([2.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        ([1e200, 1e-250, 1e200], [1e-50, np.inf, 1e-50]),
    ):
        application = Application.of(get("prod"), sample(np.array(x)))
        np.testing.assert_allclose(application.gradient(0, np.array(1.0)), expected, rtol=1e-15)
    application = Application.of(get("cumprod"), sample(np.array([2.0, 0.0, 3.0, 5.0]), axis=0))
    gradient = application.gradient(0, np.array([1.0, 10.0, 100.0, 1000.0]))
    np.testing.assert_array_equal(gradient, [1.0, 2 * 10.0 + 6 * 100.0 + 30 * 1000.0, 0.0, 0.0])


@pytest.mark.parametrize("scale", [1e-200, 1e-310, 1e200])
def test_the_euclidean_norm_of_tiny_and_huge_numbers_neither_vanishes_nor_overflows(scale: float) -> None:
    application = Application.of(get("norm"), sample(scale * np.array([[3.0, 4.0], [-6.0, 8.0]]), axis=1))
    np.testing.assert_allclose(application.value() / scale, [5.0, 10.0], rtol=1e-12)
    np.testing.assert_allclose(application.gradient(0, np.ones(2)), [[0.6, 0.8], [-0.6, 0.8]], rtol=1e-12)


def test_equal_numbers_have_exactly_no_spread() -> None:
    application = Application.of(get("std"), sample(np.full((2, 7), 0.1), axis=1))
    assert not np.any(application.value())
    assert not np.any(application.gradient(0, np.ones(2)))
    assert not np.any(application.margins())


def test_the_variance_beside_a_large_mean_keeps_its_digits() -> None:
    x = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(get("var").forward(1e9 + x, (0,), False, 0), x.var(), rtol=1e-14)


# -- kinks ------------------------------------------------------------------------------------------------------------

TIED = [
    ("sort", sample(np.array([2.0, 1.0, 2.0, 5.0])), [2.5, 1.0, 2.5, 4.0]),
    ("sort", sample(np.array([[3.0, 3.0, 3.0]])), [2.0, 2.0, 2.0]),
    ("topk", sample(np.array([2.0, 1.0, 2.0, 5.0]), k=2), [1.0, 0.0, 1.0, 1.0]),
    ("topk", sample(np.array([2.0, 5.0, 2.0, 5.0]), k=3), [1.5, 1.5, 1.5, 1.5]),
    ("norm", sample(np.array([0.0, -2.0, 3.0]), ord=1), [0.0, -1.0, 1.0]),
    ("norm", sample(np.zeros(3)), [0.0, 0.0, 0.0]),
    ("norm", sample(np.array([3.0, -3.0, 1.0]), ord=np.inf), [0.5, -0.5, 0.0]),
    ("norm", sample(np.zeros(2), ord=np.inf), [0.0, 0.0]),
    ("std", sample(np.full(4, 1.7)), [0.0, 0.0, 0.0, 0.0]),
    ("std", sample(np.full(4, 1.7), ddof=1), [0.0, 0.0, 0.0, 0.0]),
]


@pytest.mark.parametrize(("name", "given", "expected"), TIED)
def test_the_gradient_at_a_kink_is_the_documented_one(name: str, given: Sample, expected: list[float]) -> None:
    application = Application.of(get(name), given)
    assert application.margin() == 0.0
    g = np.arange(1.0, application.value().size + 1).reshape(application.value().shape)
    np.testing.assert_allclose(application.gradient(0, g).ravel(), expected, rtol=1e-15)


@pytest.mark.parametrize(("name", "given"), [(name, given) for name, given, _ in TIED])
def test_the_slopes_at_a_kink_are_those_on_either_side(name: str, given: Sample) -> None:
    """For sort and topk there is one slope per place; the other ops have one place."""
    application = Application.of(get(name), given)
    kink = application.op.kink
    assert kink is not None
    assert kink.slopes[0] is not None
    (x,), places = application.arguments, application.value().size
    pair = kink.slopes[0](x, **application.options)
    left, right = (np.broadcast_to(side.reshape(x.size, -1), (x.size, places)) for side in pair)
    h = 2.0**-20
    for j in range(x.size):
        for told, direction in ((left, -1.0), (right, 1.0)):
            change = np.zeros(x.shape)
            change.flat[j] = direction * h
            difference = (application.value(application.moved(0, change)) - application.value()).ravel()
            np.testing.assert_allclose(told[j], difference / (direction * h), rtol=1e-9, atol=1e-12)
    assert np.any(left != right)


@pytest.mark.parametrize(
    ("name", "given", "margins"),
    [
        ("sort", sample(np.array([[4.0, 1.0, 2.0]])), [[0.5, 0.5, 1.0]]),
        ("topk", sample(np.array([4.0, 1.0, 2.0]), k=2), [1.0, 0.5]),
        ("topk", sample(np.array([4.0, 1.0, 2.0]), k=1), [1.0]),
        ("norm", sample(np.array([[4.0, -1.0], [0.0, 2.0]]), ord=1, axis=1), [1.0, 0.0]),
        ("norm", sample(np.array([[4.0, -1.0], [0.0, 2.0]]), axis=1), [4.0, 2.0]),
        ("norm", sample(np.array([[4.0, -1.0], [2.0, -2.0]]), ord=np.inf, axis=1), [1.5, 0.0]),
        ("norm", sample(np.array([[-4.0], [0.0]]), ord=np.inf, axis=1, keepdims=True), [[4.0], [0.0]]),
        ("std", sample(np.array([[4.0, 1.0, 2.0], [3.0, 3.0, 3.0]]), axis=1), [1.5, 0.0]),
        ("std", sample(np.array([[4.0], [3.0]]), axis=1), [np.inf, np.inf]),
    ],
)  # fmt: skip
def test_the_margin_is_how_far_all_elements_may_move(name: str, given: Sample, margins: list[Any]) -> None:
    assert Application.of(get(name), given).margins().tolist() == margins


@pytest.mark.parametrize(("name", "middle"), [("norm", [0.0, 0.0]), ("std", [1.5, -1.25])])
def test_a_kink_in_one_point_is_met_by_moves_of_the_margin_and_by_no_smaller(name: str, middle: list[float]) -> None:
    """No direction drawn at random meets such a point, so the way straight to it is taken."""
    x = np.array([[4.0, -1.0, 0.5], [-3.0, 0.5, 0.25]])
    application = Application.of(get(name), sample(x, axis=1))
    margins = application.margins()
    before = application.branches()
    for part, left in ((0.999, True), (1.0, False)):
        allowed = part * margins[:, None]
        moved = application.at((x + np.clip(np.array(middle)[:, None] - x, -allowed, allowed),))
        assert np.array_equal(moved.branches(), before) == left


# -- linear algebra ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x",
    [
        np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [5.0, 7.0, 9.0]]),
        np.outer(V, V - 2.0),
        np.zeros((3, 3)),
        np.array([[1e-8, 2.0], [0.0, 1e8]]),
    ],
    ids=["rank two", "rank one", "zero", "badly scaled"],
)  # fmt: skip
def test_the_gradient_of_a_determinant_is_its_cofactors_also_without_an_inverse(x: np.ndarray) -> None:
    """torch answers 0 here for rank two; the cofactors are determinants of what is left without one row and column."""
    n = len(x)
    cofactors = [
        [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(x, i, 0), j, 1)) for j in range(n)] for i in range(n)
    ]
    gradient = Application.of(get("det"), sample(x)).gradient(0, np.array(1.0))
    np.testing.assert_allclose(gradient, cofactors, rtol=1e-13, atol=1e-14 * np.abs(x).max() ** (n - 1))


def test_where_a_value_does_not_exist_at_a_point_nearby_it_is_nan_and_the_others_stay() -> None:
    several = np.stack([S, np.ones((3, 3))])
    assert np.isnan(get("inv").forward(several, rank=3)[1]).all()
    np.testing.assert_allclose(get("inv").forward(several, rank=3)[0], np.linalg.inv(S))
    assert np.isnan(get("solve").forward(several, V, ranks=(3, 1))).tolist() == [[False] * 3, [True] * 3]
    assert np.isnan(get("cholesky").forward(np.stack([-P, P]), rank=3)).all(axis=(1, 2)).tolist() == [True, False]
    assert np.isnan(get("inv").forward(np.zeros((2, 2)), rank=2)).all()
    assert np.isnan(get("logdet").forward(np.diag([1.0, -1.0]), rank=2))
    assert get("logdet").forward(np.ones((2, 2)), rank=2) == -np.inf
    nan = np.full((2, 2), np.nan)
    assert np.isnan(Application.of(get("det"), sample(nan)).gradient(0, np.array(1.0))).all()


def test_cholesky_reads_both_halves_alike() -> None:
    uneven = P + np.array([[0.0, 0.2, 0.0], [-0.2, 0.0, 0.1], [0.0, -0.1, 0.0]])
    np.testing.assert_allclose(get("cholesky").forward(uneven, rank=2), np.linalg.cholesky(P), rtol=1e-14)
    gradient = Application.of(get("cholesky"), sample(P)).gradient(0, upstream((3, 3)))
    np.testing.assert_array_equal(gradient, gradient.T)


@pytest.mark.parametrize("name", ["det", "logdet", "inv", "cholesky"])
def test_a_rule_holds_for_larger_matrices_too(name: str) -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(2, 6, 6))
    application = Application.of(get(name), sample(x @ x.swapaxes(1, 2) / 6 + 0.5 * np.eye(6)))
    assert agrees(application, 0, upstream(application.value().shape))


def test_a_long_product_of_many_terms_is_contracted_in_a_good_order() -> None:
    a, b, c = (np.random.default_rng(i).normal(size=(30, 30)) for i in range(3))
    application = Application.of(get("einsum"), sample(a, b, c, subscripts="ij,jk,kl->il"))
    assert application.options["order"] is not False
    np.testing.assert_allclose(application.value(), a @ b @ c, rtol=1e-10)
    g = upstream((30, 30))
    np.testing.assert_allclose(application.gradient(1, g), a.T @ g @ c.T, rtol=1e-10, atol=1e-11)

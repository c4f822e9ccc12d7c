"""Contraction: a moved column of the left factor is a change of low rank, windows of the right one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.ops.registry import get
from gradcheck.perturb.contraction import contraction, is_product_of_matrices
from gradcheck.perturb.move import Move
from gradcheck.perturb.site import Site

RANDOM = np.random.default_rng(4)
A, B = RANDOM.normal(size=(3, 5)), RANDOM.normal(size=(5, 4))
MANY = RANDOM.normal(size=(2, 3, 5))
PROBES = 6


def site(a: Any, b: Any, name: str = "matmul") -> Site:
    op = get(name)
    return Site(op, op.prepare({}, a, b), [a, b], np.asarray(op.forward(a, b)))


def steps(*shape: int) -> Any:
    return RANDOM.normal(size=(*shape, PROBES))


def test_a_moved_column_on_the_left_stays_factored() -> None:
    d = steps(3, 1)
    moved = contraction(site(A, B), Move((None, slice(2, 3)), d), None)
    assert moved.directions is not None
    assert moved.directions.tolist() == B[2:3].T.tolist()
    np.testing.assert_allclose(moved.full, np.einsum("ijk,jn->ink", d, B[2:3]))


def test_a_moved_row_on_the_left_moves_one_row() -> None:
    moved = contraction(site(A, B), Move((slice(1, 2), None), steps(1, 5)), None)
    assert moved.window == (slice(1, 2), None)
    assert moved.directions is None  # five directions for four columns are no saving


def test_a_moved_column_on_the_right_moves_that_column() -> None:
    d = steps(5, 1)
    moved = contraction(site(A, B), None, Move((None, slice(3, 4)), d))
    assert moved.window == (None, slice(3, 4))
    np.testing.assert_allclose(moved.full, np.einsum("ij,jnk->ink", A, d))


def test_a_moved_row_on_the_right_meets_one_column_on_the_left() -> None:
    d = steps(1, 4)
    moved = contraction(site(A, B), None, Move((slice(2, 3), None), d))
    np.testing.assert_allclose(moved.full, A[:, 2:3, None] * d)


def test_every_probe_may_move_a_column_of_its_own() -> None:
    table, d = RANDOM.integers(0, 5, (1, PROBES)), steps(3, 1)
    moved = contraction(site(A, B), Move((None, table), d), None)
    np.testing.assert_allclose(moved.full, d * B[table[0]].T[None])


def test_directions_of_the_left_factor_are_multiplied_by_the_right_one() -> None:
    directions, d = RANDOM.normal(size=(5, 2)), steps(3, 2)
    moved = contraction(site(A, B), Move((None, None), d, directions=directions), None)
    np.testing.assert_allclose(moved.full, np.einsum("nr,irk->ink", B.T @ directions, d))


def test_directions_of_the_right_factor_last() -> None:
    directions, d = RANDOM.normal(size=(4, 1)), steps(5, 1)
    moved = contraction(site(A, B), None, Move((None, None), d, directions=directions))
    assert moved.directions is directions
    np.testing.assert_allclose(moved.full, np.einsum("ij,nr,jrk->ink", A, directions, d))


def test_directions_do_not_survive_that_rows_of_their_own_are_opened() -> None:
    table = np.stack([RANDOM.permutation(5)[:2] for _ in range(PROBES)], axis=1)
    directions, d = RANDOM.normal(size=(4, 1)), steps(2, 1)
    moved = contraction(site(A, B), None, Move((table, None), d, directions=directions))
    expected = [np.einsum("ij,nr,jr->in", A[:, table[:, k]], directions, d[..., k]) for k in range(PROBES)]
    np.testing.assert_allclose(moved.full, np.stack(expected, axis=-1))


def test_what_both_factors_change_together_is_counted() -> None:
    d, e = steps(3, 5), steps(5, 4)
    moved = contraction(site(A, B), Move((None, None), d), Move((None, None), e))
    assert not moved.odd
    signs = np.concatenate([d, -d], -1), np.concatenate([e, -e], -1)
    expected = [(A + p) @ (B + q) - A @ B for p, q in zip(*(np.moveaxis(s, -1, 0) for s in signs), strict=True)]
    np.testing.assert_allclose(moved.full, np.stack(expected, axis=-1), atol=1e-13)


@pytest.mark.parametrize(
    ("a", "b"), [(A[0], B), (A, B[:, 0]), (A[0], B[:, 0]), (MANY, B), (A, MANY.swapaxes(1, 2)), (MANY[:, None], B)]
)
@pytest.mark.parametrize("side", [0, 1])
def test_vectors_and_batches_are_multiplied_as_numpy_does(a: Any, b: Any, side: int) -> None:
    argument = (a, b)[side]
    move = Move((None,) * argument.ndim, steps(*argument.shape))
    moved = contraction(site(a, b), *(move if i == side else None for i in range(2)))
    assert len(moved.window) == np.matmul(a, b).ndim
    for k in range(PROBES):
        changed = [x + move.data[..., k] if i == side else x for i, x in enumerate((a, b))]
        np.testing.assert_allclose(moved.full[..., k], np.matmul(*changed) - np.matmul(a, b), atol=1e-13)


def test_dot_is_a_product_of_matrices_unless_its_axes_say_otherwise() -> None:
    assert is_product_of_matrices(site(MANY, B, "dot"))
    assert is_product_of_matrices(site(A[0], B[:, 0], "dot"))
    assert not is_product_of_matrices(site(A, MANY.swapaxes(1, 2), "dot"))
    assert not is_product_of_matrices(site(np.array(2.0), A, "dot"))
    assert not is_product_of_matrices(site(A, B, "outer"))

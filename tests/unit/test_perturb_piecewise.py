"""Piecewise ops: linear within the margin, rows that cannot move left out, switches noticed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.ops.registry import get
from gradcheck.perturb.kinds import propagate
from gradcheck.perturb.move import Move
from gradcheck.perturb.probes import Probes
from gradcheck.perturb.site import Site

X = np.array([[1.0, -2.0], [-3.0, -1.0], [-1.0, -4.0]])


def sent(name: str, moves: list[Move | None], *arguments: Any, probes: Probes, **options: Any) -> Move | None:
    op = get(name)
    given = [np.asarray(argument, dtype=np.float64) for argument in arguments]
    prepared = op.prepare({**op.options, **options}, *given)
    return propagate(Site(op, prepared, given, np.asarray(op.forward(*given, **prepared))), moves, probes)


def everywhere(*steps: float) -> Move:
    """All of X moves by the step of each probe."""
    return Move((None, None), np.broadcast_to(np.array(steps), (*X.shape, len(steps))))


def test_within_the_margin_both_signs_stay_twins() -> None:
    moved = sent("leaky_relu", [everywhere(0.5, 0.25)], X, probes=Probes(2), negative_slope=0.1)
    assert moved is not None
    assert moved.odd
    np.testing.assert_allclose(moved.full[..., 0], np.where(X > 0, 0.5, 0.05))


def test_rows_that_cannot_move_leave_the_window() -> None:
    moved = sent("relu", [everywhere(0.5)], X, probes=Probes(1))
    assert moved is not None
    assert moved.window == (slice(0, 1), None)


def test_in_a_trial_they_stay() -> None:
    moved = sent("relu", [everywhere(0.5)], X, probes=Probes(1, is_trial=True))
    assert moved is not None
    assert moved.window == (None, None)


def test_nothing_moves_where_all_are_flat() -> None:
    assert sent("relu", [everywhere(0.5)], -np.abs(X), probes=Probes(1)) is None


def test_a_probe_that_takes_an_element_over_a_switch_is_remembered_and_exact() -> None:
    probes = Probes(3)
    moved = sent("relu", [everywhere(0.5, 1.5, 2.5)], X, probes=probes)
    assert moved is not None
    assert not moved.odd
    assert probes.crossed.tolist() == [False, True, True]
    full = moved.seen_through((None, None), X.shape)
    for k, step in enumerate([0.5, 1.5, 2.5, -0.5, -1.5, -2.5]):
        np.testing.assert_allclose(full[..., k], np.maximum(X + step, 0.0) - np.maximum(X, 0.0))


def test_exactly_at_a_switch_every_step_crosses() -> None:
    probes = Probes(1)
    moved = sent("abs", [everywhere(0.25)], np.zeros_like(X), probes=probes)
    assert moved is not None
    assert (moved.full == 0.25).all()
    assert probes.crossed.tolist() == [True]


def test_a_jump_is_a_change_although_the_slope_is_zero() -> None:
    probes = Probes(2)
    moved = sent("sign", [everywhere(0.5, 1.5)], X, probes=probes)
    assert moved is not None
    assert moved.seen_through((None, None), X.shape)[..., 1].tolist() == [[0, 0], [0, 2], [2, 0]]
    assert probes.crossed.tolist() == [False, True]


def test_two_arguments_that_move_alike_do_not_cross() -> None:
    """Compared once, after both have moved: in between, states are seen that never exist."""
    probes = Probes(1)
    moved = sent("maximum", [everywhere(5.0), everywhere(5.0)], X, X - 1.0, probes=probes)
    assert moved is not None
    np.testing.assert_allclose(moved.full, 5.0 * np.array([1.0, -1.0]) * np.ones((*X.shape, 2)))
    assert not probes.crossed.any()


def test_an_argument_that_is_repeated_moves_all_its_places() -> None:
    row = Move((slice(1, 2),), np.array([[2.5]]))
    probes = Probes(1)
    moved = sent("maximum", [None, row], X, np.array([0.0, -3.0]), probes=probes)
    assert moved is not None
    expected = np.maximum(X, [0.0, -0.5]) - np.maximum(X, [0.0, -3.0])
    np.testing.assert_allclose(moved.seen_through((None, None), X.shape)[..., 0], expected)
    assert probes.crossed.tolist() == [True]


@pytest.mark.parametrize(("x", "moves"), [(0.3, True), (-0.3, False)])
def test_a_number_without_axes_passes(x: float, moves: bool) -> None:
    moved = sent("relu", [Move((), np.array([0.1]))], np.array(x), probes=Probes(1))
    assert (moved is not None) == moves


def test_a_curved_piece_is_never_taken_for_a_line() -> None:
    moved = sent("selu", [everywhere(0.5)], X, probes=Probes(1))
    assert moved is not None
    assert not moved.odd
    assert abs(moved.full[1, 0].sum()) > 1e-3  # on a line the two signs would cancel


def test_every_sorted_place_moves_with_the_element_that_stands_there() -> None:
    probes = Probes(2)
    column = Move((None, slice(0, 1)), np.broadcast_to([0.5, 2.5], (3, 1, 2)))
    moved = sent("sort", [column], X, probes=probes, axis=1)
    assert moved is not None
    for k, step in enumerate([0.5, 2.5, -0.5, -2.5]):
        there = np.sort(X + np.array([step, 0.0]), axis=1)
        np.testing.assert_allclose(moved.seen_through((None, None), X.shape)[..., k], there - np.sort(X, axis=1))
    assert probes.crossed.tolist() == [False, True]


def test_the_change_of_a_largest_element_is_exactly_its_own() -> None:
    tiny = 1e-18
    moved = sent("max", [Move((None, None), np.full((*X.shape, 1), tiny))], np.zeros_like(X), probes=Probes(1), axis=1)
    assert moved is not None
    assert (moved.full == [tiny, -tiny]).all()

"""Layout: where elements went is read off the op, and windows pass group by group of axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.ops.registry import get
from gradcheck.perturb.layout import layout, read_groups
from gradcheck.perturb.move import Move
from gradcheck.perturb.probes import Probes
from gradcheck.perturb.site import Site
from gradcheck.perturb.window import is_table

X = np.arange(24.0).reshape(2, 3, 4)
ROW = np.array([[0.5, 0.25]])  # two probes


def site(name: str, *arguments: Any, **options: Any) -> Site:
    op = get(name)
    given = [np.asarray(argument) for argument in arguments]
    prepared = op.prepare({**op.options, **options}, *given)
    return Site(op, prepared, given, np.asarray(op.forward(*given, **prepared)))


def groups(*args: Any, **options: Any) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [(group.inputs, group.outputs) for group in read_groups(site(*args, **options), 0)]


def test_a_transposition_ties_every_axis_to_one_of_the_output() -> None:
    assert groups("transpose", X, axes=(2, 0, 1)) == [((0,), (1,)), ((1,), (2,)), ((2,), (0,))]


def test_merged_axes_are_one_group_and_the_others_stay_apart() -> None:
    assert groups("reshape", X, shape=(6, 4)) == [((0, 1), (0,)), ((2,), (1,))]


def test_a_split_axis_goes_to_several() -> None:
    assert groups("reshape", X, shape=(2, 3, 2, 2)) == [((0,), (0,)), ((1,), (1,)), ((2,), (2, 3))]


def test_a_diagonal_depends_on_both_axes_although_no_row_shows_two_places() -> None:
    assert groups("diag", X[0, 0]) == [((0,), (0, 1))]


def test_windows_tie_one_axis_to_the_windows_and_to_the_places_inside() -> None:
    assert groups("windows", X, size=2) == [((0,), (0,)), ((1,), (1,)), ((2,), (2, 3))]


def sent(which: Site, move: Move, position: int = 0) -> Move | None:
    return layout(which, position, move, Probes(move.probes))


def test_a_range_stays_a_range() -> None:
    moved = sent(site("reshape", X, shape=(6, 4)), Move((slice(1, 2), None, slice(2, 3)), np.ones((1, 3, 1, 2))))
    assert moved is not None
    assert moved.window == (slice(3, 6), slice(2, 3))
    assert moved.data.shape == (3, 1, 2)


def test_every_probe_keeps_its_own_place() -> None:
    table = np.array([[0, 2]])
    moved = sent(site("transpose", X), Move((slice(0, 1), table, slice(3, 4)), ROW.reshape(1, 1, 1, 2)))
    assert moved is not None
    assert moved.window[0] == slice(3, 4)
    assert moved.window[1].tolist() == [[0, 2]]
    assert moved.data.ravel().tolist() == [0.5, 0.25]


def test_places_of_their_own_are_opened_where_an_element_is_shown_twice() -> None:
    moved = sent(site("tile", X[0, 0], reps=2), Move((np.array([[0, 2]]),), ROW))
    assert moved is not None
    assert not any(map(is_table, moved.window))
    assert moved.full[..., 0].tolist() == [0.5, 0, 0, 0, 0.5, 0, 0, 0]
    assert moved.full[..., 1].tolist() == [0, 0, 0.25, 0, 0, 0, 0.25, 0]


def test_what_is_left_out_does_not_move() -> None:
    rest = site("index", X, index=(slice(None), slice(1, None)))
    assert sent(rest, Move((None, slice(0, 1), None), np.ones((2, 1, 4, 1)))) is None


def test_padding_stands_still() -> None:
    moved = sent(site("pad", X[0, 0], pad_width=((1, 2),), constant_values=-3.0), Move((None,), np.ones((4, 1))))
    assert moved is not None
    assert moved.window == (slice(1, 5),)


def test_padding_with_minus_infinity_stands_still() -> None:
    padded = site("pad", X[0, 0], pad_width=1, constant_values=float("-inf"))
    assert [group.shown.tolist() for group in read_groups(padded, 0)] == [[False, True, True, True, True, False]]


def test_holes_inside_a_window_are_zero() -> None:
    moved = sent(site("diag", X[0, 0]), Move((None,), np.ones((4, 1))))
    assert moved is not None
    assert moved.full[..., 0].tolist() == np.eye(4).tolist()


def test_of_joined_arrays_only_the_stretch_of_the_moved_one_moves() -> None:
    moved = sent(site("concatenate", X[0], X[1]), Move((None, slice(1, 2)), np.ones((3, 1, 1))), position=1)
    assert moved is not None
    assert moved.window == (slice(3, 6), slice(1, 2))


def test_few_places_of_a_factored_change_are_multiplied_out_alone() -> None:
    directions, coefficients = np.arange(8.0).reshape(4, 2), np.array([[[1.0, 2.0], [3.0, -1.0]]])
    factored = Move((slice(1, 2), None), coefficients, directions=directions)
    moved = sent(site("index", X[0], index=(slice(None), 2)), factored)
    assert moved is not None
    assert moved.window == (slice(1, 2),)
    assert moved.data.tolist() == [(directions @ coefficients[0])[2].tolist()]


@pytest.mark.parametrize("odd", [True, False])
def test_both_signs_stay_what_they_are(odd: bool) -> None:
    moved = sent(site("flip", X[0, 0], axis=0), Move((slice(0, 1),), np.array([[1.0, -1.0]]), odd))
    assert moved is not None
    assert (moved.window, moved.odd) == ((slice(3, 4),), odd)

"""Windows: entries in their simplest form, values picked inside them, changes seen through wider ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.perturb.window import doubled, framed, hull, is_table, length, lengths, pick, places, same, simplest

VALUE = np.arange(12.0).reshape(3, 4)
LIST = np.array([2, 0])
TABLE = np.array([[0, 2, 1]])  # one place for each of three probes
WIDE_TABLE = np.array([[0, 2], [3, 1]])  # two places for each of two probes


@pytest.mark.parametrize(
    ("entry", "expected"),
    [(None, [0, 1, 2, 3]), (slice(1, 3), [1, 2]), (LIST, [2, 0]), (TABLE, [[0, 2, 1]])],
)
def test_an_entry_names_its_places(entry: Any, expected: Any) -> None:
    assert places(entry, 4).tolist() == expected
    assert length(entry, 4) == len(expected)
    assert is_table(entry) == (entry is TABLE)


def test_lengths_are_those_of_the_entries() -> None:
    assert lengths((None, slice(1, 3), LIST, TABLE), (5, 4, 4, 4)) == (5, 2, 2, 1)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (np.array([[2, 2, 2]]), slice(2, 3)),  # all probes have the same place
        (np.array([[1, 1], [2, 2]]), slice(1, 3)),
        (np.array([1, 2, 3]), slice(1, 4)),
        (np.array([0, 1, 2, 3]), None),
        (slice(0, 4), None),
        (slice(0, 3), slice(0, 3)),
        (None, None),
    ],
)
def test_an_entry_becomes_a_run_or_the_whole_axis_where_it_can(entry: Any, expected: Any) -> None:
    assert simplest(entry, 4) == expected


@pytest.mark.parametrize("entry", [LIST, TABLE, WIDE_TABLE, np.array([0, 2])])
def test_what_is_no_run_stays_as_it_is(entry: Any) -> None:
    assert simplest(entry, 4) is entry


def test_equal_columns_become_a_list() -> None:
    assert simplest(np.array([[2, 2], [0, 0]]), 4).tolist() == [2, 0]


def test_entries_are_the_same_where_they_name_the_same_places() -> None:
    assert same(slice(1, 2), slice(1, 2))
    assert same(LIST, LIST.copy())
    assert same(None, None)
    assert not same(LIST, TABLE)
    assert not same(slice(1, 3), np.array([1, 2]))
    assert not same(None, slice(0, 1))


def test_only_tables_become_twice_as_wide_for_both_signs() -> None:
    entries = doubled((None, slice(0, 1), LIST, TABLE))
    assert entries[:3] == (None, slice(0, 1), LIST)
    assert entries[3].tolist() == [[0, 2, 1, 0, 2, 1]]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([slice(1, 2), slice(3, 4)], slice(1, 4)),
        ([slice(1, 2), slice(1, 2)], slice(1, 2)),
        ([slice(1, 2), None], None),
        ([LIST, slice(1, 2)], None),
        ([TABLE, LIST], None),
    ],
)
def test_a_hull_holds_all_places(entries: Any, expected: Any) -> None:
    assert hull(entries) == expected


def test_equal_lists_and_tables_are_their_own_hull() -> None:
    assert hull([LIST, LIST.copy()]) is LIST
    assert hull([TABLE, TABLE.copy()]) is TABLE


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ((None, None), VALUE[..., None]),
        ((slice(1, 3), LIST), VALUE[1:3][:, LIST][..., None]),
        ((TABLE, slice(1, 2)), VALUE[TABLE[0], 1].reshape(1, 1, 3)),
        ((LIST, TABLE), np.stack([VALUE[LIST, j] for j in (0, 2, 1)], axis=-1)[:, None]),
        ((TABLE, TABLE), VALUE[[0, 2, 1], [0, 2, 1]].reshape(1, 1, 3)),
    ],
)
def test_a_value_is_picked_inside_a_window_with_the_probes_behind(window: Any, expected: Any) -> None:
    picked = pick(VALUE, window)
    assert picked.shape == expected.shape
    assert (picked == expected).all()


def test_a_table_of_several_places_picks_them_for_every_probe() -> None:
    assert (pick(VALUE, (None, WIDE_TABLE)) == VALUE[:, WIDE_TABLE]).all()


def test_the_same_window_is_handed_through() -> None:
    data = np.ones((1, 2, 5))
    assert framed(data, (slice(1, 2), LIST), (slice(1, 2), LIST.copy()), (3, 4)) is data


def test_a_change_is_zero_where_its_window_does_not_reach() -> None:
    data = np.array([[[7.0, 8.0, 9.0]]])
    through = framed(data, (slice(1, 2), TABLE), (slice(0, 2), None), (3, 4))
    assert through.shape == (2, 4, 3)
    assert [through[1, 0, 0], through[1, 2, 1], through[1, 1, 2]] == [7.0, 8.0, 9.0]
    assert through.sum() == 24.0


def test_a_list_is_found_inside_a_range() -> None:
    data = np.array([[1.0], [2.0]])
    assert framed(data, (np.array([3, 1]),), (slice(1, 4),), (5,))[:, 0].tolist() == [2.0, 0.0, 1.0]

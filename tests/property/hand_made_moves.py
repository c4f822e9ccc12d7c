"""Moves made by hand – every sort of window, both signs or one, with directions or without – and what they must do.

The reference shares nothing with `perturb` but the op's forward: whole arrays, one probe after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.perturb.kinds import propagate
from gradcheck.perturb.move import Move, Parts
from gradcheck.perturb.probes import Probes
from gradcheck.perturb.site import Site
from gradcheck.perturb.window import is_table, lengths, places, simplest
from tests.property.applications import Application, Array, pool

Moves = Sequence[Move | Parts | None]
Window = tuple[Any, ...]


@dataclass(frozen=True)
class Outcome:
    """What an op answered to moves of its arguments, and which probes are said to have crossed a switch."""

    move: Move | Parts | None
    crossed: Array
    by_delta: bool


def drawn_window(random: np.random.Generator, shape: tuple[int, ...], count: int) -> Window:
    """Every axis whole, or a range, a list, or a table."""
    return tuple(simplest(_entry(random, size, count), size) for size in shape)


def _entry(random: np.random.Generator, size: int, count: int) -> Any:
    width = int(random.integers(1, size + 1)) if size else 0
    match random.integers(4) if size else 0:
        case 0:
            return None
        case 1:
            start = int(random.integers(0, size - width + 1))
            return slice(start, start + width)
        case 2:
            return random.permutation(size)[:width]
        case _:
            width = 1 if random.random() < 0.5 else width
            return np.stack([random.permutation(size)[:width] for _ in range(count)], axis=1)


def drawn_move(
    random: np.random.Generator, application: Application, position: int, count: int, odd: bool, size: float
) -> Move:
    """A move of one argument: steps of that size, some of them 0."""
    x = application.arguments[position]
    window = drawn_window(random, x.shape, count)
    if is_condition(application, position):
        flips = (1.0 - 2.0 * x)[..., None] * (random.random((*x.shape, 2 * count)) < 0.5)
        return Move((None,) * x.ndim, flips, odd=False)
    columns = count if odd else 2 * count
    window = window if odd else tuple(np.tile(e, 2) if is_table(e) else e for e in window)
    directions = None
    inner = lengths(window, x.shape)
    if x.ndim and x.shape[-1] and random.random() < 0.35:  # factored: the last axis is whole
        window, rank = (*window[:-1], None), int(random.integers(1, 3))
        leading = lengths(window, x.shape)[:-1]
        front = tuple(n if random.random() < 0.5 else 1 for n in leading) if random.random() < 0.5 else ()
        directions = random.uniform(-1.0, 1.0, (*front, x.shape[-1], rank))
        inner = (*leading, rank)
    data = size * random.uniform(-1.0, 1.0, (*inner, columns)) * (random.random((*inner, columns)) < 0.8)
    return Move(window, data, odd, directions)


def drawn_parts(
    random: np.random.Generator, application: Application, position: int, count: int, size: float
) -> Move | Parts:
    """The same in two parts, each in a window of its own."""
    if is_condition(application, position):  # it has no half of a change
        return drawn_move(random, application, position, count, True, size)
    odd, even = (drawn_move(random, application, position, count, True, size) for _ in range(2))
    return Parts(odd, even, application.arguments[position].shape)


def is_condition(application: Application, position: int) -> bool:
    """Whether an argument may only be 0 or 1."""
    return bool(np.isin(pool(application.op, position), (0.0, 1.0)).all())


def sent(application: Application, moves: Moves, count: int, is_trial: bool = False) -> Outcome:
    """The moves, sent through the op."""
    site = Site(application.op, application.options, application.arguments, application.value())
    probes = Probes(count, is_trial)
    with np.errstate(all="ignore"):
        arrived = propagate(site, moves, probes)
    return Outcome(arrived, probes.crossed.astype(bool), probes.by_delta)


def dense(move: Move | Parts, shape: tuple[int, ...], count: int) -> Array:
    """The move on the whole value, both signs: shape + (2·count,). By plain indexing, probe by probe."""
    if isinstance(move, Parts):
        odd, even = (dense(part, shape, count)[..., :count] for part in (move.odd, move.even))
        return np.concatenate([even + odd, even - odd], axis=-1)
    inside = move.data if move.directions is None else _multiplied(move.directions, move.data)
    assert inside.shape[:-1] == lengths(move.window, shape)
    assert inside.shape[-1] == (count if move.odd else 2 * count)
    whole = np.zeros((*shape, inside.shape[-1]))
    for k in range(inside.shape[-1]):
        where: list[Any] = []
        for entry, size in zip(move.window, shape, strict=True):
            listed = places(entry, size)
            listed = listed[:, k] if listed.ndim == 2 else listed
            assert len(set(listed.tolist())) == len(listed), "a place is named twice"
            assert all(0 <= place < size for place in listed)
            where.append(listed)
        whole[(*np.ix_(*where), k) if where else (k,)] = inside[..., k]
    return np.concatenate([whole, -whole], axis=-1) if move.odd else whole


def _multiplied(directions: Array, data: Array) -> Array:
    product: Array = np.einsum("...nr,...rk->...nk", directions, data)
    return product


def by_evaluation(application: Application, moves: Moves, count: int) -> tuple[Array, Array]:
    """The change of the value under every probe, both signs, and which probes switched a branch; whole arrays."""
    changes = [
        None if m is None else dense(m, a.shape, count) for m, a in zip(moves, application.arguments, strict=True)
    ]
    value = application.value()
    result = np.empty((*value.shape, 2 * count))
    crossed: Array = np.zeros(2 * count, bool)
    for k in range(2 * count):
        arguments = tuple(
            a if d is None else a + d[..., k] for a, d in zip(application.arguments, changes, strict=True)
        )
        moved = application.at(arguments)
        with np.errstate(all="ignore"):
            result[..., k] = moved.value() - value
            if application.op.kink is not None:
                crossed[k] = bool((moved.branches() != application.branches()).any())
    return result, np.logical_or.reduce(crossed.reshape(2, count))

"""Move: the exact finite change of one value under K probes – not a derivative.

A probe moves one element of one leaf by a step. Outside of its window a value stays what it is; inside, the change
is an array whose last axis counts the probes. The formulation is finite-difference propagation by exact rules per op.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcheck.perturb.probes import AnyMove
from gradcheck.perturb.window import Array, Shape, Window, doubled, framed, hull
from gradcheck.record import dataclass, field

LARGE = 1 << 13  # numbers of a product: below, calls are what costs


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """What moves of one value, and by how much.

    window : where, one entry per axis of the value
    data : the change inside the window, then the probes: shape (…window, K)
    odd : data is the change for +step alone, and that for −step is its negative. Else the first half of the probes
        are the positive steps, the second half the negative ones
    directions : None, or shape (…, n, r) for a last axis of n whole places: the change is `directions @ data`, data
        then has r coefficients in the place of the last axis. Leading axes broadcast with those of data
    """

    window: Window
    data: Array
    odd: bool = True
    directions: Array | None = None
    _full: list[Array] = field(default_factory=list, init=False, repr=False)

    @property
    def probes(self) -> int:
        return int(self.data.shape[-1])

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return self.data.size

    @property
    def held(self) -> int:
        return self.data.size

    @property
    def full(self) -> Array:
        """The change inside the window with its directions multiplied out, which is done once."""
        if self.directions is None:
            return self.data
        if not self._full:
            self._full.append(multiplied_out(self.directions, self.data))
        return self._full[0]

    def plain(self) -> Move:
        """The same move without directions."""
        return self if self.directions is None else Move(self.window, self.full, self.odd)

    def both(self) -> Move:
        """The same move with both signs written out: twice as many probes."""
        if not self.odd:
            return self
        data = np.empty((*self.data.shape[:-1], 2 * self.probes))
        data[..., : self.probes] = self.data
        np.negative(self.data, out=data[..., self.probes :])
        return Move(doubled(self.window), data, False, self.directions)

    def seen_through(self, frame: Window, shape: Shape) -> Array:
        """The change inside a wider window, zero where nothing moves."""
        return framed(self.full, self.window, frame, shape)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """A move whose change is known in two parts: ahead it is even + odd, behind even − odd.

    odd, even : the parts, of K columns each, both written as moves are whose change behind is the negative; a linear op
        takes them one by one, and need not know
    shape : of the value
    """

    odd: Move
    even: Move
    shape: Shape

    @property
    def window(self) -> Window:
        return self.odd.window

    @property
    def size(self) -> int:
        return self.odd.size + self.even.size

    @property
    def held(self) -> int:
        return self.size

    def both(self) -> Move:
        """The move with both signs written out."""
        window = hull_of([self.odd, self.even])
        odd, even = (part.seen_through(window, self.shape) for part in (self.odd, self.even))
        return Move(doubled(window), np.concatenate([even + odd, even - odd], axis=-1), odd=False)


def multiplied_out(directions: Array, data: Array) -> Array:
    """directions @ data."""
    if directions.shape[-1] > 1:
        return np.asarray(np.matmul(directions, data))
    if directions.shape[-2] * data.size < LARGE:
        return np.asarray(directions * data)
    # Not of a single column: numpy keeps such products from the linear algebra, which is several times faster.
    w, u = (np.concatenate([a, np.zeros_like(a)], axis=axis) for a, axis in ((directions, -1), (data, -2)))
    return np.asarray(np.matmul(w, u))


def summed(moves: Sequence[Move], shape: Shape) -> Move:
    """Several changes of one value that happen together, in the window that holds them all."""
    if len(moves) == 1:
        return moves[0]
    if not all(move.odd for move in moves):
        moves = [move.both() for move in moves]
    window = hull_of(moves)
    first, *others = (move.seen_through(window, shape) for move in moves)
    total = sum(others, first)
    return Move(window, total, moves[0].odd)


def hull_of(moves: Sequence[AnyMove]) -> Window:
    """The window that holds those of all."""
    if len(moves) == 1:
        return moves[0].window
    return tuple(hull(entries) for entries in zip(*(move.window for move in moves), strict=True))

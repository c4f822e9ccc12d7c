"""Probes: what a batch of probes remembers on its way through the graph."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from gradcheck.perturb.window import Array, Window, is_table
from gradcheck.record import dataclass, field


class AnyMove(Protocol):
    """A move: where, of how many numbers, and how many of them exist at one time."""

    @property
    def window(self) -> Window: ...
    @property
    def size(self) -> int: ...
    @property
    def held(self) -> int: ...


@dataclass(slots=True, eq=False)
class Probes:
    """K probes of one leaf.

    count : K; after a nonlinear op twice as many columns travel, one for each sign
    is_trial : whether what is written is counted, for the cost model; then rows that cannot move stay in the window
    crossed : probes that took an op over a switch, shape (K,)
    by_delta : every op had an exact rule for its change: no value was subtracted from another
    by_kind : every op was passed as its kind says; none was evaluated as a whole
    elements : how many numbers were written on the way in a trial
    widest : the largest of the arrays among them
    calls : how many ops were passed
    """

    count: int
    is_trial: bool = False
    crossed: Array = field(init=False)
    by_delta: bool = True
    by_kind: bool = True
    elements: int = 0
    widest: int = 0
    calls: int = 0

    def __post_init__(self) -> None:
        self.crossed = np.zeros(self.count, bool)

    def cross(self, flags: Any) -> None:
        """Remember flags of shape (K,) or, for both signs, (2K,)."""
        self.crossed |= flags.reshape(-1, self.count).any(axis=0)

    def count_in(self, move: AnyMove | None) -> None:
        if not self.is_trial:
            return
        self.calls += 1
        if move is not None:
            # Where probes have places of their own, what stands still has to be picked for each of them.
            self.elements += move.size * (2 if any(map(is_table, move.window)) else 1)
            self.widest = max(self.widest, move.held)

    def count_opened(self, data: Array) -> None:
        """An op had to write an argument's change in a wider window than it came in, and maybe than it goes out."""
        self.elements += data.size
        self.widest = max(self.widest, data.size)

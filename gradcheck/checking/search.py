"""Search for the wrong elements of a tensor whose claim does not add up: ever smaller parts of it are moved together.

A part whose sum is right needs no look; of the two halves of a part only one is measured, the other's discrepancy is
what remains. And where the wrong element of a part stands is read off in a single step, if there is only one: along the
same move with weights that rise from ½ to 3⁄2, its discrepancy changes by the weight of its place. How exactly that is
known, the bounds of both slopes say; several wrong elements are told apart by halving.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.problem import Array
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.evidence import TensorEvidence
from gradcheck.numerical.noise import Noise
from gradcheck.numerical.probe import Slope, TensorProbe
from gradcheck.record import dataclass
from gradcheck.verdict.probing import SPREAD

CONFIRM = 8  # evaluations that confirm one element
UNLIKELY = 0.1  # expected coincidences, below which an element is confirmed without a glance
PATIENCE = 96  # evaluations without a wrong element, after which a claim that might pass is searched no further

Cells = NDArray[np.int64]


class Purse:
    """What is left of a budget: evaluations of the function."""

    def __init__(self, budget: int, noise: Noise, loop: PlainLoop) -> None:
        self.budget, self.loop, self.spent = budget, loop, noise.evaluations

    def left(self) -> int:
        return self.budget - self.spent - self.loop.evaluations

    def holds(self, evaluations: int) -> bool:
        return self.left() >= evaluations


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Some elements, by how much their claims do not add up, and how exactly that is known.

    has_several : more than one of them is wrong
    """

    cells: Cells
    off: float
    bound: float
    has_several: bool = False


class Search:
    """The search for the wrong elements of one claim along one direction.

    evidence : measures the elements that are found
    claimed, allowed, usual : flat; what the claim says, by how much it may be off, and by how much right code is
    move, whole : the direction, and its slope
    """

    def __init__(
        self,
        probe: TensorProbe,
        evidence: TensorEvidence,
        claimed: Array,
        allowed: Array,
        usual: Array,
        move: Array,
        whole: Slope,
        purse: Purse,
    ) -> None:
        self.probe, self.evidence, self.purse = probe, evidence, purse
        self.claimed, self.allowed, self.usual = claimed, allowed, usual
        self.move, self.whole = move, whole
        self.hits: list[int] = []
        self.ended = False

    def run(self, off: float, known: Cells, *, is_patient: bool) -> None:
        """Find elements, and measure each by the ladder; `hits` are those that differ by more than right ones do.

        off : discrepancy of the whole direction
        known : elements that were measured already; what they contribute is taken off first
        is_patient : whether to go on however long nothing is found: something is wrong for certain
        """
        rest = np.setdiff1d(np.arange(self.move.size), known)
        for cell in known:
            off -= self._contribution(int(cell))[0]
        parts = [_Part(rest, off, self.whole.bound)]
        since = self.purse.left()
        while parts:
            parts.sort(key=self._clarity)
            part = parts.pop()
            if part.cells.size == 0 or self._clarity(part) <= 1.0:
                continue
            if self.purse.left() < 2 + CONFIRM:
                self.ended = True
                return
            found = len(self.hits)
            parts += self._divided(part)
            if len(self.hits) > found:
                since = self.purse.left()
            elif not is_patient and since - self.purse.left() > PATIENCE:
                return

    def _clarity(self, part: _Part) -> float:
        """The discrepancy of a part in units of what right code and the bound explain."""
        usual = SPREAD * float(np.linalg.norm(self.usual[part.cells] * self.whole.path[part.cells]))
        size = usual + part.bound
        return abs(part.off) / size if size > 0.0 else float(part.off != 0.0) * np.inf

    def _divided(self, part: _Part) -> list[_Part]:
        """The part, in smaller ones whose discrepancies are known; without the elements that were found."""
        cells = part.cells
        if cells.size == 1:
            self._measure(int(cells[0]))
            return []
        if not part.has_several:
            near, chance = self._where_one_would_be(part)
            if near.size == 1:
                return [self._without(part, int(near[0]), chance)]
            if 0 < near.size <= cells.size // 4:
                inside, outside = self._split(part, near)
                is_all = abs(outside.off) <= outside.bound
                return [inside] if is_all else [inside, _Part(outside.cells, outside.off, outside.bound, True)]
        return list(self._split(part, cells[: cells.size // 2]))

    def _split(self, part: _Part, cells: Cells) -> tuple[_Part, _Part]:
        """Some elements of a part, measured together, and the others with what remains; two evaluations."""
        off, bound = self._off(cells, np.ones(cells.size))
        others = np.setdiff1d(part.cells, cells, assume_unique=True)
        return _Part(cells, off, bound), _Part(others, part.off - off, part.bound + bound)

    def _where_one_would_be(self, part: _Part) -> tuple[Cells, float]:
        """The elements at which a single mistake would explain the discrepancy along rising weights, too; and how many
        several mistakes would leave by chance."""
        weights = np.linspace(0.5, 1.5, part.cells.size)
        off, bound = self._off(part.cells, weights)
        weight = off / part.off
        unsure = (bound + abs(weight) * part.bound) / abs(part.off)
        near = np.abs(weights - weight) <= unsure
        return part.cells[near], 2.0 * unsure * (part.cells.size - 1)

    def _without(self, part: _Part, cell: int, chance: float) -> _Part:
        """The part without an element that may explain it; glanced at first, where that may be a coincidence."""
        if not np.isfinite(self.evidence.arrays["bound"][cell]) and chance >= UNLIKELY:
            relative = self.whole.bound / max(abs(self.whole.value), self.whole.bound)
            self.evidence.glance(np.array([cell]), min(relative, 1e-3), 0.0)
        off, bound = self._contribution(cell)
        if chance < UNLIKELY or abs(off) > bound + part.bound:
            self._measure(cell)
            off, bound = self._contribution(cell)
        left, reach = part.off - off, part.bound + bound
        # Something is left where several elements looked like one.
        return _Part(part.cells[part.cells != cell], left, reach, abs(left) > reach)

    def _measure(self, cell: int) -> None:
        self.evidence.confirm(np.array([cell]))
        value, bound = (float(self.evidence.arrays[name][cell]) for name in ("value", "bound"))
        if not abs(value - self.claimed[cell]) <= bound + self.allowed[cell]:
            self.hits.append(cell)

    def _contribution(self, cell: int) -> tuple[float, float]:
        """What an element adds to the discrepancy, and how exactly that is known; nothing, if it was not measured."""
        value, bound = (float(self.evidence.arrays[name][cell]) for name in ("value", "bound"))
        path = float(self.whole.path[cell])
        off = (value - float(self.claimed[cell])) * path
        return (off, bound * abs(path)) if np.isfinite(off) and np.isfinite(bound) else (0.0, 0.0)

    def _off(self, cells: Cells, weights: Array) -> tuple[float, float]:
        """By how much the claims of some elements do not add up, and how exactly that is known; two evaluations."""
        move: Array = np.zeros(self.move.size)
        move[cells] = self.move[cells] * weights
        slope = self.probe.part(move, self.whole)
        claimed = float((self.claimed[cells] * slope.path[cells]).sum())
        return slope.value - claimed, slope.bound

"""Sharing: which probes go through the graph together, decided by trial – no op declares anything for it.

Two probes that differ along an axis of their leaf are sent through; where they make each other's windows wider, or
need places of their own, it may be better to keep probes apart that differ there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gradcheck.numerical.structure import Structure
from gradcheck.perturb.probes import Probes
from gradcheck.record import dataclass

CALL = 2e-5  # seconds that passing one op costs, however little it computes
ELEMENT = 2e-9  # seconds per number that is written
LOOP = 4e-9  # seconds per place of a value that is written, for however many probes
WIDER = 1.15  # × the numbers per probe: two probes that cost as much more are better kept apart
STEP = 1e-6

Cells = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sharing:
    """A way of putting the probes of a tensor into passes, and what it costs.

    shape : of the tensor
    pinned : axes along which all probes of a pass have the same place
    calls : ops that a pass runs through
    elements : numbers written per probe
    probes : how many fit into a pass
    """

    shape: tuple[int, ...]
    pinned: tuple[int, ...]
    calls: int
    elements: float
    probes: int

    def units(self, cells: Cells) -> tuple[Cells, Cells]:
        """Positions in `cells` in an order in which those of a unit, with the same pinned places, stand together; and
        where in that order each unit begins, and the last one ends."""
        if not self.pinned:
            return np.arange(cells.size), np.array([0, cells.size])
        places = np.unravel_index(cells, self.shape)
        unit = np.ravel_multi_index([places[a] for a in self.pinned], [self.shape[a] for a in self.pinned])
        unit = unit.astype(np.min_scalar_type(int(unit.max(initial=0))))  # short numbers are sorted fast
        order = np.argsort(unit, kind="stable")
        unit = unit[order]
        return order, np.concatenate([[0], np.flatnonzero(unit[1:] != unit[:-1]) + 1, [cells.size]])

    def seconds(self, bounds: Cells) -> float:
        """What passes for units with these bounds are expected to take."""
        passes = float(np.ceil(np.diff(bounds) / self.probes).sum())
        return passes * (self.calls * CALL + self.elements * LOOP) + float(bounds[-1]) * self.elements * ELEMENT


def ways_to_share(structure: Structure, leaf: str, budget: int) -> tuple[Sharing, ...]:
    """All probes together; and, where some axes make a pass dearer, those with the same places along these, or some.

    budget : numbers in the largest array of a pass
    """
    shape = np.shape(structure.values[structure.graph.leaves[leaf]])
    middle = tuple(n // 2 for n in shape)

    @cache  # with one dear axis, the last trial is one that was made before
    def trial(*places: tuple[int, ...]) -> tuple[int, float, int]:
        """Ops passed, numbers per probe, and how many probes fit."""
        cells = np.array([np.ravel_multi_index(place, shape) if shape else 0 for place in places])
        probes = Probes(cells.size, is_trial=True)
        with np.errstate(all="ignore"):
            structure.change(leaf, cells, np.full(cells.size, STEP), probes)
        return probes.calls, probes.elements / cells.size, max(1, budget * cells.size // max(1, probes.widest))

    _, elements, fitting = trial(middle)
    dear = []
    for axis, n in enumerate(shape):
        if n > 1:
            _, each, fits = trial(middle, _beside(middle, [axis], shape))
            if each > WIDER * elements or WIDER * fits < fitting:
                dear.append(axis)
    # Together, apart along all dear axes, or, of two, along one: whose trial was made before.
    pinned = [tuple(dear), *([()] if dear else []), *([(axis,) for axis in dear] if len(dear) == 2 else [])]
    return tuple(
        Sharing(shape, axes, *trial(*_places(middle, [a for a in dear if a not in axes], shape))) for axes in pinned
    )


def passes(ways: Sequence[Sharing], cells: Cells) -> Iterator[Cells]:
    """Positions in `cells`, in groups that share a pass, in the cheapest of the ways."""
    candidates = [(way, *way.units(cells)) for way in ways]
    best, order, bounds = min(candidates, key=lambda candidate: candidate[0].seconds(candidate[2]))
    for start, end in pairwise(bounds.tolist()):
        # Passes of equal size: a last one with a single probe would cost as much as a full one.
        count = -(-(end - start) // best.probes)
        cuts = [start + (end - start) * number // count for number in range(count + 1)]
        yield from (order[first:last] for first, last in pairwise(cuts))


def _places(middle: tuple[int, ...], axes: Sequence[int], shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The places of a trial of probes that differ along some axes."""
    return [middle, _beside(middle, axes, shape)] if axes else [middle]


def _beside(place: tuple[int, ...], axes: Sequence[int], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The place next to another one along some axes."""
    return tuple((i - 1 if i else 1) if a in axes else i for a, (i, n) in enumerate(zip(place, shape, strict=True)))

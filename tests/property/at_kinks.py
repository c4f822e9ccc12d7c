"""Points exactly at a switch of an op, found by what its kink tells, and switches found without asking it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck.errors import ShapeError
from gradcheck.ops.registry import Op, Sample, all_ops
from tests.property.applications import Application, Array, pool

GRID = np.linspace(-6.1, 5.9, 241)
JUMP = 0.01  # between neighbours: worth a closer look
POLE = 1e4  # beyond, it is no jump but a pole


def switching() -> list[Op]:
    """The ops that have a kink, those whose value jumps included."""
    return [op for op in all_ops().values() if op.kink is not None]


def points_at_kinks(op: Op) -> list[Application]:
    """Points where an element is exactly at a switch: samples with one element moved there, or all elements 0.

    One for each of the op's branches that stands at a switch. Samples whose arguments have one shape come first, so
    that slopes can be compared element by element.
    """
    found: dict[int, Application] = {}
    for sample in sorted(op.samples, key=lambda sample: len({a.shape for a in sample.arguments})):
        for candidate in _candidates(Application.of(op, sample)):
            at_switch = candidate.margins() == 0.0
            if at_switch.any():
                found.setdefault(int(candidate.branches()[at_switch][0]), candidate)
    assert found, f"no switch of '{op.name}' is reached from its samples"
    return list(found.values())


def at_kinks(ops: list[Op]) -> list[tuple[Op, Application]]:
    """The same of several ops, as pytest parameters."""
    return [(op, point) for op in ops for point in points_at_kinks(op)]


def _candidates(application: Application) -> Iterator[Application]:
    distances = np.unique(application.margins())
    for position, x in enumerate(application.arguments):
        for index in np.ndindex(x.shape):
            # Both of two may move, so that a margin is half of what separates them.
            for part in (1.0, -1.0, 2.0, -2.0):
                for distance in distances[np.isfinite(distances)]:
                    change = np.zeros(x.shape)
                    change[index] = np.round(x[index] + part * distance, 9) - x[index]
                    yield application.at(application.moved(position, change))
    yield application.at(tuple(np.zeros_like(a) for a in application.arguments))


def seen_switches(op: Op, sample: Sample, position: int) -> list[Application]:
    """The op at all places of a line on which its value or its slope jumps as one argument of an elementwise op moves.

    The other arguments stay, first all at the least, then all at the largest of their samples' numbers.
    """
    found = []
    for extreme in (np.min, np.max):
        rest = [float(extreme(pool(op, i))) for i in range(len(sample.arguments))]

        def at(x: Array, rest: list[float] = rest) -> Application:
            arguments = (x if i == position else np.full(x.shape, number) for i, number in enumerate(rest))
            return Application.of(op, Sample(tuple(arguments), sample.options))

        def look(x: Array, at: Callable[[Array], Application] = at) -> Array:
            application = at(x)
            slopes = [application.gradient(p, np.ones(x.shape)) for p in application.differentiable()]
            return np.stack([application.value(), *slopes])

        line = np.union1d(GRID, rest)
        try:
            found += [at(place[None]) for place in _jumps(line, look)]
        except ShapeError:  # an argument that is not free to move, as a condition
            return []
    return found


def _jumps(line: Array, look: Callable[[Array], Array]) -> Array:
    """The places between neighbours on a line where a jump stays as they come closer, to 1e-9; poles are none."""
    low, high = line[:-1], line[1:]
    for _ in range(28):
        middle = 0.5 * (low + high)
        first, second, third = look(low), look(middle), look(high)
        left = np.max(np.abs(first - second), axis=0) >= np.max(np.abs(second - third), axis=0)
        low, high = np.where(left, low, middle), np.where(left, middle, high)
    one, other = look(low), look(high)
    jumps = np.max(np.abs(one - other), axis=0) > JUMP
    poles = np.max(np.abs(one), axis=0) + np.max(np.abs(other), axis=0) > POLE
    return 0.5 * (low + high)[jumps & ~poles]

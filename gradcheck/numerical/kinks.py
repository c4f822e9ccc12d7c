"""More about elements at a kink: what the function does when they move together, and what it does nearby.

An interval per element accepts more than the truth: for max(2, 1, 2) both (1, 0, 1) and (0, 0, 0). Moving the tied
elements together tells those apart. And it accepts less where an output sums over many kinks, some up and some down:
inside our own graphs each of them is measured by itself, of a black box the slopes at points nearby are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.problem import Array, Point, Problem, Switches
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.noise import Noise
from gradcheck.numerical.steps import element_scales
from gradcheck.record import dataclass

MARGIN = 1e-3  # of an interval's width: what differences with one fixed step leave open at its ends
NEARBY = 1e-3  # displacement of the points nearby, relative to the scale of each element
MET_OFTEN = 3  # times that a slope must have been met to count as one of the two ends of a range
SAME = 0.02  # of the range's width: slopes this close to each other are the same one


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """Some elements of some tensors, and how far each moves per unit of length.

    moves : tensor name → array of the tensor's shape, zero for elements that stay
    """

    moves: Mapping[str, Array]

    @property
    def count(self) -> int:
        """How many elements move."""
        return sum(int((move != 0).sum()) for move in self.moves.values())

    def step(self, point: Point, exponent: int) -> float:
        """A power of two: 2^exponent of the least scale among the elements that move, or a little less."""
        scales = [element_scales(np.asarray(point[name]))[move != 0] for name, move in self.moves.items()]
        return float(2.0 ** (np.floor(np.log2(np.concatenate(scales).min())) + exponent))

    def moved(self, point: Point, distance: float) -> dict[str, NDArray[Any]]:
        """The point, moved by a distance along the direction."""
        moved = {name: (point[name] + distance * move).astype(point[name].dtype) for name, move in self.moves.items()}
        return {**point, **moved}


@dataclass(frozen=True, slots=True)
class SlopeRange:
    """Slopes of phi along a direction that count as right.

    low, high : their interval, every output by itself and then summed
    bound : how exactly its ends are known
    band : how far outside of the interval nothing can be said
    """

    low: float
    high: float
    bound: float = 0.0
    band: float = 0.0

    def joined(self, other: SlopeRange) -> SlopeRange:
        """Both together; how sure the ends are is what the other knows."""
        bound = max(self.bound, other.bound)
        return SlopeRange(min(self.low, other.low), max(self.high, other.high), bound, other.band)


def one_element(x: NDArray[Any], tensor: str, cell: int) -> Direction:
    """The direction in which a single element moves."""
    move: Array = np.zeros(x.shape)
    move.reshape(-1)[cell] = 1.0
    return Direction({tensor: move})


def directions(point: Point, cells: Mapping[str, NDArray[np.int64]], seed: int) -> tuple[Direction, ...]:
    """Ways to move the cells of some tensors together: all ahead, with random signs, and twice by random lengths.

    Equal moves leave ties as they are; of several ties among the cells, unequal ones tell which is claimed too much.
    """
    generator = np.random.default_rng([seed, sum(own.size for own in cells.values())])
    result = []
    for is_signed, shortest, longest in ((False, 1.0, 1.0), (True, 1.0, 1.0), (True, 0.5, 1.5), (True, 0.5, 1.5)):
        moves: dict[str, Array] = {name: np.zeros(np.asarray(point[name]).shape) for name in cells}
        for name, own in cells.items():
            signs = generator.choice([-1.0, 1.0], own.size) if is_signed else 1.0
            moves[name].reshape(-1)[own] = signs * generator.uniform(shortest, longest, own.size)
        result.append(Direction(moves))
    return tuple(result)


def slopes_at(problem: Problem, loop: PlainLoop, noise: Noise, direction: Direction) -> SlopeRange | None:
    """The slopes ahead and behind along a direction; None where the function is not finite. Four evaluations."""
    step = direction.step(problem.point, -13)
    ends = []
    for distance in (step, step / 4.0):
        slopes = [loop.changes(direction.moved(problem.point, d)) / d for d in (distance, -distance)]
        ends.append((float(np.minimum(*slopes).sum()), float(np.maximum(*slopes).sum())))
    (wide_low, wide_high), (low, high) = ends
    bound = max(abs(wide_low - low), abs(wide_high - high)) + 8.0 * noise.absolute / step
    return SlopeRange(low, high, bound) if np.isfinite(bound) else None


def slopes_nearby(problem: Problem, loop: PlainLoop, direction: Direction, count: int, seed: int) -> SlopeRange | None:
    """The range of central slopes along a direction at `count` points displaced in all inputs. Two evaluations a point.

    Where an output sums over many kinks, its slopes on both sides of the point span less than the slopes around it, and
    a handful of points may not meet its extremes. An end that was met again and again is one; beyond others nothing is
    said within half the range. None where the function is finite at no point.
    """
    generator = np.random.default_rng([seed, count])
    scales = {name: element_scales(np.asarray(problem.point[name])) for name in problem.wrt}
    step = direction.step(problem.point, 0) * NEARBY / 64.0
    found = []
    for _ in range(count):
        displaced = {
            name: problem.point[name] + NEARBY * scale * generator.uniform(-1.0, 1.0, scale.shape)
            for name, scale in scales.items()
        }
        near = {**problem.point, **displaced}
        change = loop.changes(direction.moved(near, step)) - loop.changes(direction.moved(near, -step))
        if np.isfinite(change).all():
            found.append(change / (2.0 * step))
    if not found:
        return None
    slopes = np.array(found)
    low, high = slopes.min(axis=0), slopes.max(axis=0)
    width = high - low
    often = [(np.abs(slopes - end) <= SAME * width).sum(axis=0) >= MET_OFTEN for end in (low, high)]
    band = float(np.where(often[0] & often[1], 0.0, 0.5 * width).sum())
    return SlopeRange(float(low.sum()), float(high.sum()), 0.0, band)


class SwitchSlopes:
    """The slopes of phi with every kink inside a graph taken either way.

    With one value u at a kink, phi's slope in x is rest + λ·s: λ the sensitivity of phi to u, s the slope of u in x,
    which has one value on each side. All values at kinks contribute the interval that their own two sides span.
    """

    def __init__(self, problem: Problem, switches: Switches, loop: PlainLoop) -> None:
        self.problem, self.switches, self.loop = problem, switches, loop
        self.base = switches.outputs(problem.point)
        scale = float(element_scales(self.base).max())
        self.step = 2.0 ** (np.floor(np.log2(scale)) - 20)
        ahead, behind = np.empty(switches.count), np.empty(switches.count)
        for switch in range(switches.count):
            ahead[switch] = switches.moved(switch, self.step) / self.step
            behind[switch] = -switches.moved(switch, -self.step) / self.step
        loop.evaluations += 2 * switches.count
        self.sensitivity = np.minimum(ahead, behind), np.maximum(ahead, behind)

    def interval(self, tensor: str, cell: int, central: float) -> tuple[float, float]:
        """Every slope in one element that a choice of sides can give. Two evaluations.

        central : the element's central slope, which has the middle of each side's contribution in it
        """
        x = np.asarray(self.problem.point[tensor])
        step = 2.0 ** (np.floor(np.log2(float(element_scales(x).reshape(-1)[cell]))) - 20)
        sides = []
        for distance in (step, -step):
            moved = x.copy()
            moved.reshape(-1)[cell] += distance
            sides.append((self.switches.outputs({**self.problem.point, tensor: moved}) - self.base) / distance)
        self.loop.evaluations += 2
        products = np.array([weight * side for weight in self.sensitivity for side in sides])
        rest = central - float(products.mean(axis=0).sum())
        low, high = rest + float(products.min(axis=0).sum()), rest + float(products.max(axis=0).sum())
        margin = MARGIN * (high - low)
        return low - margin, high + margin

"""Slopes along many elements at once: a whole tensor moved together along signed random weights, or a part of it.

One slope and its bound, by the error model of the ladder. What a claim should add up to along the same way, and what
follows where it does not, is decided elsewhere: no number here depends on a claim.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradcheck.model.problem import Array, Problem
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.evidence import start_exponent
from gradcheck.numerical.noise import Noise
from gradcheck.numerical.steps import element_scales
from gradcheck.record import dataclass

# Weights are ± uniform[0.5, 1.5): with plain signs two equal mistakes cancel half of the time, and a weight next to
# zero would hide its element.
LEAST_WEIGHT, MOST_WEIGHT = 0.5, 1.5
FIRST = 2  # log2 of the first step of a slope, relative to the best one of smooth functions; the next are 4 × shorter
LEVELS = 7  # steps at most: a third and more only where the first two disagree
ROUGH = 8.0  # × the noise: a bound above it may get better with a shorter step


@dataclass(frozen=True, slots=True, eq=False)
class Slope:
    """The slope of phi along a move, (phi(x + t·d) − phi(x − t·d)) / 2t.

    value, bound : the slope and how far it may be off; infinite where the function is not finite
    low, high : per output the interval of the slopes ahead and behind, summed
    path : the way really travelled by every element, (x⁺ − x⁻) / 2t, flat; its product with a claim is what the claim
        says about the slope
    step : the t of `value`
    noise : the part of the bound that is noise of the function
    gap : how far the slopes ahead and behind are apart
    moved : whether phi changed by more than its noise
    is_bent : whether they stay apart however short the step: a kink at the point
    """

    value: float
    bound: float
    low: float
    high: float
    path: Array
    step: float
    noise: float
    gap: float
    moved: bool
    is_bent: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    step: float
    central: float
    low: float
    high: float
    path: Array
    error: float
    hidden: float
    moved: bool

    @property
    def gap(self) -> float:
        return self.high - self.low


class TensorProbe:
    """Moves elements of one tensor together; two evaluations for every step.

    loop : evaluates and counts
    seed : of the random weights
    """

    def __init__(self, problem: Problem, loop: PlainLoop, noise: Noise, tensor: str, seed: int = 0) -> None:
        self.problem, self.loop, self.noise, self.tensor, self.seed = problem, loop, noise, tensor, seed
        self.x = np.asarray(problem.point[tensor])
        self.scale = element_scales(self.x).reshape(-1)
        self.step = 2.0 ** start_exponent(noise, problem.epsilon)

    def direction(self, number: int, *, is_relative: bool = False) -> Array:
        """The number-th random move of all elements, flat: ± uniform[0.5, 1.5) of each one's scale.

        is_relative : of its own size, where that is not zero: for functions that end close to small elements
        """
        own = np.abs(self.x.reshape(-1)).astype(np.float64)
        scale = np.where(own > 0.0, own, self.scale) if is_relative else self.scale
        generator = np.random.default_rng([self.seed, self.x.size, number])
        signs = generator.choice([-1.0, 1.0], self.x.size)
        return np.asarray(scale * signs * generator.uniform(LEAST_WEIGHT, MOST_WEIGHT, self.x.size))

    def slope(self, move: Array, may_go_on: Callable[[], bool] = lambda: True) -> Slope:
        """The slope along a move, measured with two steps; with some shorter ones where those leave it rough.

        As for single elements, |D(4t) − D(t)| bounds the truncation error of D(t). A kink on the way, between the point
        and x ± t·d, is seen in the slopes ahead and behind: those of a smooth function come four times closer to each
        other, and what they lack to that bounds what the kink adds.

        move : flat, 0 for elements that stay
        may_go_on : asked before every further step
        """
        levels = [self._level(move, 2.0**FIRST * self.step)]
        best: Slope | None = None
        while best is None or (best.bound > ROUGH * best.noise and len(levels) < LEVELS and may_go_on()):
            levels.append(self._level(move, levels[-1].step / 4.0))
            slope = _slope(*levels[-2:])
            best = slope if best is None or slope.bound < best.bound else best
        return best

    def part(self, move: Array, like: Slope) -> Slope:
        """The slope along a part of a move whose slope is known, by one step of the same length.

        Its truncation error is taken for no larger than that of the whole, and what the slopes on its two sides are
        apart more than twice those of the whole for the work of a kink. A hit is measured by itself in any case.
        """
        level = self._level(move, like.step)
        kink = max(0.0, level.gap - 2.0 * like.gap - level.hidden)
        bound = max(0.0, like.bound - like.noise) + kink + level.error
        return _as_slope(level, bound, is_bent=like.is_bent)

    def _level(self, move: Array, step: float) -> _Level:
        way = (step * move).reshape(self.x.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            ahead, behind = (self.x + way).astype(self.x.dtype), (self.x - way).astype(self.x.dtype)
            path = (ahead.astype(np.float64) - behind.astype(np.float64)).reshape(-1) / (2.0 * step)
            plus = self.loop.changes({**self.problem.point, self.tensor: ahead})
            minus = self.loop.changes({**self.problem.point, self.tensor: behind})
            sides = plus / step, -minus / step
            low, high = float(np.minimum(*sides).sum()), float(np.maximum(*sides).sum())
            central = float((plus - minus).sum()) / (2.0 * step)
            size = max(abs(float(plus.sum())), abs(float(minus.sum())))
        own = (plus != 0.0) | (minus != 0.0)
        # What stood still hides its noise as well: all of it counts here, where every output may depend on the tensor.
        error = 2.0 * (self.noise.absolute + 0.5 * self.problem.epsilon * size) / step
        hidden = 4.0 * float(self.noise.outputs[own].sum()) / step + 2.0 * error
        is_moved = bool(size > 2.0 * self.noise.absolute)
        return _Level(step, central, low, high, path, error, hidden, is_moved)


def _slope(longer: _Level, shorter: _Level) -> Slope:
    """The slope by the shorter of two steps that lie a factor 4 apart."""
    kink = max(0.0, shorter.gap - longer.gap / 4.0 - shorter.hidden)
    bound = abs(longer.central - shorter.central) + kink + shorter.error
    is_bent = shorter.gap > longer.gap / 2.0 + 2.0 * shorter.hidden
    return _as_slope(shorter, bound, is_bent=is_bent, moved=longer.moved or shorter.moved)


def _as_slope(level: _Level, bound: float, *, is_bent: bool, moved: bool = False) -> Slope:
    is_known = bool(np.isfinite(level.central) and np.isfinite(bound))
    return Slope(
        level.central if is_known else float("nan"), bound if is_known else float("inf"), level.low, level.high,
        level.path, level.step, level.error, level.gap, level.moved or moved, is_bent and is_known,
    )  # fmt: skip

"""How exactly the function can be evaluated at all: rounding, measured noise, run-to-run spread, low precision inside.

One measurement serves a whole problem; how it enters the error of a difference is said in `ladder`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.problem import Array, Problem
from gradcheck.numerical.steps import element_scales, median
from gradcheck.record import dataclass

FINE_SPACINGS = (-36, -28)  # log2 of the spacing of the samples, relative to each element
WIDE_SPACINGS = (-22, -20)  # for the staircase of float32; what differs between the two is curvature, not noise
# Where nothing moved, or moved without a trace of noise: half precision inside, or a value that is the small remainder
# of larger ones (a saturated loss) and lies on their grid.
COARSE_SPACINGS = (-17, -14, -11, -9)
SMALL_VALUE = 1e-6  # a value that may be such a remainder
SAMPLES = 12  # per spacing, beside the point itself
ORDERS = (3, 4, 5)  # of the differences: noise has the same size in all of them, what is smooth fades with the order
STRAIGHT = 0.1  # values that differ by more than this part of themselves are taken for slope or a pole, not for noise
CONFIDENCE = 3.0  # standard deviations
SINGLE = float(np.finfo(np.float32).eps)
MOST_OUTPUTS = 4096  # measured one by one; of more outputs an even selection speaks for all


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """The error of one evaluation of phi = upstream · f.

    absolute : bound on the noise of one evaluation (three standard deviations, or the rounding floor)
    relative : the same, divided by the size of the terms that make up phi
    outputs : the share of each output, shape (m,); their squares add up to that of `absolute`
    spread : the largest difference between evaluations at the very same point
    single : the outputs carry no more digits than a float32 holds
    evaluations : what the measurement cost
    """

    absolute: float
    relative: float
    outputs: Array
    spread: float
    single: bool
    evaluations: int

    def of(self, outputs: NDArray[np.bool_]) -> float:
        """The noise of one evaluation of some of the outputs (mask of shape (m,))."""
        if not 0.0 < self.absolute < np.inf:
            return self.absolute
        shares = self.outputs[outputs] / self.absolute
        return self.absolute * math.sqrt(float(np.dot(shares, shares)))


def measure_noise(problem: Problem, seed: int = 0, *, is_brief: bool = False) -> Noise:
    """Measure the noise of phi, and of each output, along one random line through the point.

    High differences of neighbouring values remove what is smooth and leave noise (Moré and Wild, "Estimating
    computational noise", 2011). Instead of their mean square the median is taken: one kink inside the line moves a mean
    by its whole height, and a median not at all. The samples are irregularly spaced: what repeats itself at their
    distance would look smooth. The noise of code that rounds to float32 is a staircase, invisible below its width; so
    wide spacings are sampled, too, and believed where a narrower one confirms them; not of a function that is made of
    our own ops in float64, unless the outputs are float32 numbers all the same.

    is_brief : every evaluation counts: the wide spacings are left out for any function
    """
    weights, value = problem.upstream, problem.value
    terms = weights * value
    every = slice(None, None, -(-value.size // MOST_OUTPUTS) or 1)
    runs = [problem.function(problem.point) for _ in range(2)]
    lines = _Lines(problem, every, seed)
    sigma = np.maximum(*(lines.noise(spacing) for spacing in FINE_SPACINGS))
    if _is_single(lines.seen) or not (is_brief or _is_made_in_float64(problem)):
        sigma = np.maximum(sigma, np.minimum(*(lines.noise(spacing) for spacing in WIDE_SPACINGS)))
    is_remainder = 0.0 < _length(terms) < SMALL_VALUE and lines.still > lines.evaluations / 2
    if not (lines.moved and sigma[0] > 0.0) or is_remainder:
        coarse = [lines.noise(spacing) for spacing in COARSE_SPACINGS]
        sigma = np.maximum.reduce([sigma, *(np.minimum(*pair) for pair in pairwise(coarse))])
    spread = np.zeros(value.shape)
    for run in runs:
        if np.isfinite(run).all():
            spread = np.fmax(spread, np.abs(weights * (run - value)))
    total_spread = max((abs(float(weights @ (run - value))) for run in runs if np.isfinite(run).all()), default=0.0)

    if is_remainder:  # it stands on the grid of numbers near one, whose step is not seen in a value that stands still
        sigma[0] = max(sigma[0], 2.0**-51 * _length(weights) / CONFIDENCE)

    # A scalar's staircase may be so wide that all spacings miss its steps; that it is one shows in the numbers.
    single = _is_single(lines.seen)
    rounding = 0.5 * (SINGLE if single else min(problem.epsilon, _precision(lines.seen)))
    outputs = np.fmax(rounding * np.abs(terms), CONFIDENCE * spread)
    outputs[every] = np.fmax(outputs[every], CONFIDENCE * sigma[1:])
    measured = np.abs(terms[every]) > 0
    if measured.any():  # a handful of samples can flatter a single output: none is better than the typical one
        typical = median(sigma[1:][measured] / np.abs(terms[every][measured]))
        outputs = np.fmax(outputs, CONFIDENCE * typical * np.abs(terms))
    absolute = max(_length(outputs), CONFIDENCE * float(sigma[0]), CONFIDENCE * total_spread)
    if absolute > _length(outputs) > 0.0:  # noise that the outputs have in common
        outputs = outputs * (absolute / _length(outputs))
    # A value that happens to be near zero says nothing about the size of the function; its slope does.
    size = _length(terms)
    if lines.distance > 0.0:
        size = max(size, (lines.change - 2.0 * absolute) / lines.distance)
    relative = absolute / size if size > 0 else 0.0
    return Noise(absolute, float(relative), outputs, total_spread, single, lines.evaluations + 2)


def _is_made_in_float64(problem: Problem) -> bool:
    """Whether nothing inside can round to fewer digits: no code of somebody's, no float32 tensor."""
    if problem.traced is None:
        return False
    kinds = {getattr(getattr(vertex, "op", None), "kind", "") for vertex in problem.traced.graph.vertices}
    return "unknown" not in kinds and not any(
        value.dtype in (np.float16, np.float32) for value in problem.point.values()
    )


class _Lines:
    """Samples along one line through the point, and what their differences say.

    every : the outputs that are looked at
    places : where on the line the samples are, in whole units
    moved : whether any sample differed from the value at the point
    still : how many did not
    seen : the outputs of every sample
    change, distance : how much phi changed between the ends of the line sampled last, and the longest way that any
        element went, relative to its size
    """

    def __init__(self, problem: Problem, every: slice, seed: int) -> None:
        self.problem, self.every = problem, every
        generator = np.random.default_rng([seed, 0x6E6F697365])
        self.direction = _direction(problem, generator)
        shortest = min((problem.point[name].dtype.itemsize for name in problem.wrt), default=8)
        gaps = generator.integers(*((4, 13) if shortest >= 4 else (1, 4)), size=SAMPLES)  # the steps of half are long
        self.places = np.concatenate([[0], np.cumsum(gaps)])
        self.unit = 1.0 / float(gaps.mean())
        self.seen = [problem.value[every]]
        self.moved, self.still = False, 0
        self.change, self.distance = 0.0, 0.0
        self.evaluations = 0

    def noise(self, exponent: int) -> Array:
        """Standard deviation of the noise of phi, and behind it of every output, at the spacing 2^exponent."""
        weights, value, every = self.problem.upstream, self.problem.value, self.every
        table = np.zeros((SAMPLES + 1, value[every].size + 1))
        self.distance = 0.0
        moves = {name: self._move(name, step, self.unit * 2.0**exponent) for name, step in self.direction.items()}
        with np.errstate(all="ignore"):
            for row, place in enumerate(self.places[1:].tolist(), start=1):
                sample = self._sample(place, moves)
                change = weights * (sample - value)
                table[row, 0], table[row, 1:] = change.sum(), change[every]
                self.seen.append(sample[every])
                self.still += not np.any(self.seen[-1] != self.seen[0])
            self.evaluations += SAMPLES
            self.change = float(np.nan_to_num(abs(table[-1, 0])))
            self.moved = self.still < self.evaluations
            sigma = _noise_of(table, self.places)
            if exponent != min(FINE_SPACINGS):
                size = np.concatenate([[_length(weights * value)], np.abs((weights * value)[every])])
                sigma[~(np.ptp(table, axis=0) <= STRAIGHT * (size + np.abs(table).max(axis=0)))] = 0.0
        return sigma

    def _move(self, name: str, step: Array, unit: float) -> Array:
        """By how much a tensor moves from one place on the line to the next."""
        x, size = self.problem.point[name], np.abs(step)
        wanted = unit * size
        # Whole numbers of ulps: otherwise the moves are rounded, and that would look like noise of the function.
        # Beside zero, where an ulp is next to nothing, those of the step itself do.
        ulp = np.spacing(np.maximum(2 * np.abs(x), wanted.astype(x.dtype, copy=False))).astype(np.float64, copy=False)
        move = np.asarray(wanted / ulp)
        np.rint(move, out=move)
        np.maximum(move, 1.0, out=move)
        move *= ulp
        self.distance = max(self.distance, float(self.places[-1] * np.max(move / size, initial=0.0)))
        np.copysign(move, step, out=move)
        return move

    def _sample(self, place: int, moves: Mapping[str, Array]) -> Array:
        """The outputs that many places along the line."""
        point = self.problem.point
        moved = {}
        for name, move in moves.items():
            there = np.asarray(place * move)
            there += point[name]
            moved[name] = there.astype(point[name].dtype, copy=False)
        return self.problem.function({**point, **moved})


def _direction(problem: Problem, generator: np.random.Generator) -> dict[str, Array]:
    """For every tensor a move of each element by its own size, with random signs and lengths."""
    direction = {}
    for name in problem.wrt:
        x = problem.point[name].astype(np.float64)
        own = np.abs(x)
        if not own.all():
            own = np.where(own > 0.0, own, element_scales(problem.point[name]))
        direction[name] = own * generator.uniform(0.5, 1.0, x.shape) * generator.choice([-1.0, 1.0], x.shape)
    return direction


def _noise_of(values: Array, places: NDArray[np.int64]) -> Array:
    """Standard deviation of the noise in each column of values at some places; 0 where one of them is not finite.

    The least over the orders of median |divided difference| / 0.6745, each divided difference scaled to unit variance.
    """
    finite = np.isfinite(values).all(axis=0)
    values = np.where(finite, values, 0.0)
    estimates = []
    for weights in _divided_differences(tuple(places.tolist())):
        differences = np.sort(np.abs(weights @ values), axis=0)
        estimates.append(differences[(differences.shape[0] - 1) // 2] / 0.6745)
    result: Array = np.min(estimates, axis=0)
    return result


@lru_cache(maxsize=16)  # the places are drawn from the seed of the case, which most cases leave as it is
def _divided_differences(places: tuple[int, ...]) -> list[Array]:
    """For each of ORDERS rows of weights, each taking the difference of `order` + 1 neighbours and of unit length."""
    tables = []
    for order in ORDERS:
        rows = np.zeros((len(places) - order, len(places)))
        for first, row in enumerate(rows):
            near = np.array(places[first : first + order + 1])
            apart = near[:, None] - near[None, :] + np.eye(order + 1)
            weights = 1.0 / apart.prod(axis=1)
            row[first : first + order + 1] = weights / np.linalg.norm(weights)
        tables.append(rows)
    return tables


def _length(values: Array) -> float:
    """Euclidean norm without overflow: values of 1e200 are values, too."""
    largest = float(np.abs(values).max(initial=0.0))
    if not 0.0 < largest < np.inf:
        return largest
    return largest * float(np.linalg.norm(values / largest))


def _precision(outputs: list[Array]) -> float:
    """Machine epsilon of the shortest precision that holds every output seen."""
    values = np.concatenate([np.ravel(output) for output in outputs])
    values = values[np.isfinite(values)]
    with np.errstate(all="ignore"):
        for short in (np.float16, np.float32):
            if np.array_equal(values.astype(short).astype(np.float64), values):
                return float(np.finfo(short).eps)
    return float(np.finfo(np.float64).eps)


def _is_single(outputs: list[Array]) -> bool:
    """Whether every output seen is a float32 number, and at least one needs all the digits of one."""
    values = np.concatenate([np.ravel(output) for output in outputs])
    values = values[np.isfinite(values) & (np.abs(values) < 1e38) & (np.abs(values) > 1e-37)]
    short = values.astype(np.float32).astype(np.float64)
    if values.size == 0 or np.any(short != values):
        return False
    mantissa = np.frexp(values)[0] * 2**12
    return bool(np.any(mantissa != np.round(mantissa)))

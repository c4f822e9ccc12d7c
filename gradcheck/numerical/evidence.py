"""The evidence about one tensor: a few elements climb the ladder, all are screened with two evaluations each.

The pilots' ladders choose the step of the screen and set its truncation bound. Which screened elements climb, too, is
asked for from outside (`refine`), element by element; no number here depends on a claim.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.evidence import Estimate, Quality, Reason
from gradcheck.model.problem import Array, Problem
from gradcheck.numerical.difference import Responder
from gradcheck.numerical.ladder import ORDER, PILOT_ORDER, Ladder, highest_order
from gradcheck.numerical.noise import Noise
from gradcheck.numerical.outcome import GRID, Outcome
from gradcheck.numerical.steps import LARGEST_STEP, element_scales, power_of_two

PILOTS = 8
LAST_DIGIT_OF_ONE = 2.0**-52
SAFETY = 8.0  # × the largest relative |D(h) − D(h/4)| of the pilots bounds the truncation error of screened elements
ALL_CLIMB = 16  # tensors up to this size are not screened at all
BENT = 0.05  # one-sided slopes further apart than this, relative to the slope, send an element up the ladder
VAGUE = 1e-5  # relative bound above which an element next to zero, or to an edge of the domain, gets shorter steps
CONFIRMING = 4  # levels of the ladder that are enough to call an element wrong twice
CLIMB, NOISE = 12, 50  # evaluations: of a usual ladder, and of a measurement of the noise
FARTHER = 4  # order of the longer steps of elements that a screen leaves hidden by noise
UNEVEN = 100.0  # pilots whose truncation errors differ by more than this: every element measures its own


class TensorEvidence:
    """What differences say about one tensor, refined on demand.

    responder : answers probes; the plain loop, or an engine that returns the same numbers faster
    seed : of the choice of the pilots
    is_sampled : nothing is measured but what `glance` and `refine` ask for; the other elements count as not checked
    """

    def __init__(
        self, problem: Problem, responder: Responder, noise: Noise, tensor: str, seed: int = 0, is_sampled: bool = False
    ) -> None:
        self.responder, self.noise, self.tensor = responder, noise, tensor
        self.epsilon = problem.epsilon
        self.x = np.asarray(problem.point[tensor]).reshape(-1)
        self.shape = np.asarray(problem.point[tensor]).shape
        self.scale = element_scales(self.x)
        self.start = start_exponent(noise, self.epsilon)
        self.arrays = _blank(self.x.size)
        self.climbed = np.zeros(self.x.size, bool)
        self.most = 0.0  # the largest change of phi that any probe of the tensor made
        self.shared = 0
        if is_sampled:
            self.arrays["checked"][:] = False
            self.arrays["quality"][:] = Quality.UNRESOLVED
            for name in ("bound", "second_bound"):
                self.arrays[name][:] = np.inf
            return
        every = np.arange(self.x.size)
        if self.x.size <= ALL_CLIMB:
            self._climb(every)
        else:
            self._screen(every, seed)

    @property
    def estimate(self) -> Estimate:
        """What is known by now, in the tensor's shape."""
        shaped = {name: array.reshape(self.shape).copy() for name, array in self.arrays.items()}
        if self.most <= GRID:
            # Where the value is the small remainder of numbers near one, as of a saturated loss, their last digit hides
            # that much of the slope of what stood still, however small the value's own last digit is.
            hidden = LAST_DIGIT_OF_ONE / (LARGEST_STEP * self.scale) * self.arrays["flat"]
            for name in ("bound", "second_bound"):
                shaped[name] = np.maximum(shaped[name], hidden.reshape(self.shape))
        return Estimate(**shaped, shared=self.shared)

    def refine(self, wanted: NDArray[np.bool_]) -> None:
        """Let the wanted elements (tensor's shape) climb the ladder, unless they have."""
        cells = np.flatnonzero(wanted.reshape(-1) & ~self.climbed)
        if cells.size:
            self._climb(cells)

    def confirm(self, cells: NDArray[np.int64]) -> None:
        """Measure some elements by the first levels of the ladder, which hold two triples; eight evaluations each."""
        ladder = self._ladder(cells)
        ladder.climb_all(self.responder, ORDER[:CONFIRMING])
        self._finish(ladder)
        self.climbed[cells] = False  # those that stay undecided may climb the rest

    def glance(self, cells: NDArray[np.int64], relative: float, typical: float) -> None:
        """Screen some elements with two evaluations each.

        relative, typical : truncation error of a slope, relative to its size plus the typical one of the tensor
        """
        self._screen_level(cells, 0, relative, typical, False)

    def look_farther(self, cells: NDArray[np.int64]) -> None:
        """Four evaluations each at two longer steps, where there is less noise; kept where they bound the slope better.

        For elements so small that the noise of a screen hides them.
        """
        order = min(FARTHER, highest_order(self.start))
        if order < 1:
            return
        before = {name: array[cells].copy() for name, array in self.arrays.items()}
        self._screen_level(cells, order, 0.0, 0.0, True)
        worse = ~(self.arrays["bound"][cells] < before["bound"])
        for name, array in self.arrays.items():
            if name != "evaluations":
                array[cells[worse]] = before[name][worse]

    def widen(self, cell: int, low: float, high: float, band: float) -> None:
        """At a kink: slopes seen nearby count as right, too, and up to `band` beyond them nothing can be said."""
        self.arrays["low"][cell] = min(self.arrays["low"][cell], low)
        self.arrays["high"][cell] = max(self.arrays["high"][cell], high)
        self.arrays["band"][cell] = band
        value = self.arrays["value"][cell]
        self.arrays["bound"][cell] = max(self.arrays["high"][cell] - value, value - self.arrays["low"][cell])

    def doubt(self, cells: NDArray[np.int64]) -> None:
        """Differences settle for long steps, and on something else for short ones."""
        self.arrays["quality"][cells] = Quality.UNRESOLVED
        self.arrays["reason"][cells] = Reason.TWO_SCALES

    # -- the ladder ---------------------------------------------------------------------------------------------

    def _climb(self, cells: NDArray[np.int64]) -> None:
        ladder = self._ladder(cells)
        ladder.climb(self.responder)
        self._finish(ladder)

    def _ladder(self, cells: NDArray[np.int64]) -> Ladder:
        x = self.x[cells].astype(np.float64)
        return Ladder(self.tensor, cells, x, self.scale[cells], self.start, self.noise, self.epsilon)

    def _finish(self, ladder: Ladder) -> Outcome:
        outcome = ladder.outcome()
        vague = ~(outcome.bound <= VAGUE * np.abs(outcome.value)) & ~outcome.flat
        if vague.any():
            ladder.climb_near_zero(self.responder, vague)
            ladder.climb_down(self.responder, vague)
            outcome = ladder.outcome()
        self._note_change(ladder)
        for field in fields(Outcome):
            self.arrays[field.name][ladder.cells] = getattr(outcome, field.name)
        self.arrays["evaluations"][ladder.cells] += ladder.evaluations
        self.arrays["checked"][ladder.cells] = True
        self.climbed[ladder.cells] = True
        return outcome

    def _note_change(self, ladder: Ladder) -> None:
        changes = np.abs([ladder.ahead, ladder.behind]) * np.array(ladder.steps)
        self.most = max(self.most, float(np.max(changes, initial=0.0, where=np.isfinite(changes))))

    # -- the screen ---------------------------------------------------------------------------------------------

    def _screen(self, every: NDArray[np.int64], seed: int) -> None:
        pilots = _pilots(np.abs(self.x), seed)
        ladder, outcome = self._climb_pilots(pilots)
        order, relative, typical, uneven = _best_level(ladder, outcome)
        rest = every[~self.climbed]
        if not np.isfinite(relative):  # the pilots say nothing: choose others, among the elements that did move
            live = rest[self._screen_level(rest, 0, 0.0, 0.0, False)]
            if live.size == 0:
                return
            second = live[_pilots(np.abs(self.arrays["value"][live]), seed + 1)]
            ladder, outcome = self._climb_pilots(second)
            order, relative, typical, uneven = _best_level(ladder, outcome)
            rest = every[~self.climbed]
        self._screen_level(rest, order, relative, typical, uneven)

    def _climb_pilots(self, cells: NDArray[np.int64]) -> tuple[Ladder, Outcome]:
        ladder = self._ladder(cells)
        ladder.climb_all(self.responder, PILOT_ORDER)
        ladder.climb(self.responder, ORDER[len(PILOT_ORDER) :])
        return ladder, self._finish(ladder)

    def _screen_level(
        self, cells: NDArray[np.int64], order: int, relative: float, typical: float, uneven: bool
    ) -> NDArray[np.bool_]:
        """Two evaluations for each cell (four where the pilots are uneven); returns which of them moved phi."""
        steps = power_of_two(self.scale[cells], self.start + 2 * order)
        ladder = self._ladder(cells)
        ladder.level(self.responder, steps, np.ones(cells.size, bool))
        if uneven:
            ladder.level(self.responder, steps / 4.0, np.ones(cells.size, bool))
        central, error = ladder.central[-1], ladder.error()[-1]
        with np.errstate(invalid="ignore"):
            own = np.abs(ladder.central[0] - central)
            truncation = own if uneven else relative * (np.abs(central) + typical)
            bound = truncation + error
            gap = ladder.high[-1] - ladder.low[-1]
            straight = (gap <= BENT * np.maximum(np.abs(central), typical) + 4.0 * error) & ~ladder.crossed
        known = np.isfinite(central) & np.isfinite(bound)
        update = {
            "value": central,
            "bound": np.where(known, bound, np.inf),
            "second": central,
            "second_bound": np.where(known, bound, np.inf),
            "step": steps,
            "low": central - bound,
            "high": central + bound,
            "reach": np.nan_to_num(np.fmax(np.abs(ladder.ahead[-1]), np.abs(ladder.behind[-1]))),
            "quality": np.where(known & straight, Quality.SCREENED, Quality.SUSPECT),
            "reason": np.where(known, Reason.NONE, Reason.DOMAIN),
            "flat": ~ladder.moved[0] & ~ladder.moved[-1] & known,
            "checked": np.ones(cells.size, bool),
        }
        for name, column in update.items():
            self.arrays[name][cells] = column
        self.arrays["evaluations"][cells] += ladder.evaluations
        self._note_change(ladder)
        return ladder.moved[-1]


def expected_evaluations(problem: Problem) -> int:
    """About how many evaluations it takes to check every element of every tensor: two each, and the ladders of some."""
    sizes = [np.size(problem.point[name]) for name in problem.wrt]
    ladders = sum(CLIMB * min(size, PILOTS if size > ALL_CLIMB else size) for size in sizes)
    return NOISE + ladders + sum(2 * size for size in sizes if size > ALL_CLIMB)


def start_exponent(noise: Noise, epsilon: float) -> int:
    """log2 of the first step, relative to the scale: the cube root of the relative noise balances both errors."""
    relative = max(noise.relative, epsilon)
    return int(np.clip(np.round(np.log2(relative) / 3.0), -17, -4))


def _blank(size: int) -> dict[str, NDArray[Any]]:
    floats = ("value", "bound", "second", "second_bound", "step", "low", "high", "band", "reach")
    arrays: dict[str, NDArray[Any]] = {name: np.zeros(size) for name in floats}
    arrays["quality"] = np.zeros(size, np.int8)
    arrays["reason"] = np.zeros(size, np.int8)
    arrays["flat"] = np.zeros(size, np.bool_)
    arrays["evaluations"] = np.zeros(size, np.int64)
    arrays["checked"] = np.ones(size, np.bool_)
    return arrays


def _pilots(size: Array, seed: int) -> NDArray[np.int64]:
    """The largest, the smallest, the first, the last and some at random: positions in `size`, sorted, each once."""
    chosen = {0, size.size - 1, int(np.argmax(size)), int(np.argmin(size))}
    for position in np.random.default_rng([seed, size.size]).permutation(size.size):
        if len(chosen) >= min(PILOTS, size.size):
            break
        chosen.add(int(position))
    return np.array(sorted(chosen))


def _rms(values: Array) -> float:
    """Root mean square, without overflow."""
    largest = float(np.abs(values).max())
    return largest * float(np.sqrt(np.mean((values / largest) ** 2))) if 0.0 < largest < np.inf else largest


def _best_level(ladder: Ladder, outcome: Outcome) -> tuple[int, float, float, bool]:
    """The level that serves the pilots best: its order, its relative truncation error (× SAFETY), the typical slope.

    The last is whether the pilots' truncation errors are too uneven to speak for other elements. Without a resolved
    pilot the error is infinite.
    """
    resolved = (outcome.quality == Quality.MEASURED) & ~outcome.flat
    if not resolved.any():
        return 0, np.inf, 0.0, False
    typical = _rms(outcome.value[resolved])
    errors = ladder.error()
    best = (np.inf, 0, np.inf, False)
    for row, order in enumerate(PILOT_ORDER):
        if order - 1 not in PILOT_ORDER or np.any(~(ladder.steps[row] <= LARGEST_STEP * ladder.scale)):
            continue
        below = PILOT_ORDER.index(order - 1)
        inside = resolved & np.isfinite(ladder.central[row]) & np.isfinite(ladder.central[below])
        if not inside.any():  # next to the edge of the domain a pilot speaks for nobody but itself
            continue
        value = outcome.value[inside]
        apart = np.abs(ladder.central[row] - ladder.central[below])[inside]
        error = errors[row][inside]
        off = np.abs(ladder.central[row][inside] - value)
        with np.errstate(invalid="ignore", divide="ignore"):
            total = float(np.max((np.maximum(apart, off) + error) / (np.abs(value) + typical)))
            truncation = float(np.max(np.maximum(apart, off) / (np.abs(value) + typical)))
        if total < best[0]:
            seen = np.maximum(apart, error)
            uneven = bool(seen.max() > UNEVEN * seen.min()) if seen.min() > 0 else bool(seen.max() > 0)
            best = (total, order, SAFETY * truncation, uneven)
    return best[1], best[2], typical, best[3]

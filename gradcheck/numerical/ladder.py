"""A ladder of steps for each element: which levels are climbed, in which order, and how noisy each of them is.

The levels know nothing of any claim. Which elements climb is decided by `evidence`, what the levels say by `outcome`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.evidence import Quality
from gradcheck.model.problem import Array
from gradcheck.numerical.difference import Responder
from gradcheck.numerical.noise import Noise
from gradcheck.numerical.outcome import Levels, summarise
from gradcheck.numerical.steps import LARGEST_STEP, power_of_two
from gradcheck.record import dataclass, field

# Order of the levels, as exponents of 4 around the starting step: first down (a triple), then up against noise, then
# further down against kinks and curvature. 16 levels are 32 evaluations.
ORDER = (0, -1, -2, 1, 2, -3, 3, -4, 4, -5, 5, -6, 6, -7, 7, -8)
PILOT_ORDER = ORDER[:6]  # the levels that every pilot element climbs
EDGE_ORDER = (-9, -10, -11, -12)  # where the function ends close to the point; such elements skip the longest steps
EDGE_TOP = 2  # the highest order that they climb
NEAR_ZERO_ORDER = (-3, -4, -5, -6)  # around |x_i| itself, for elements far smaller than their tensor
SMALL_ELEMENT = 2.0**-10  # |x_i| / scale below which an element gets the levels around |x_i|, too
ENOUGH = 1e-7  # relative bound at which an element stops climbing


@dataclass(slots=True, eq=False)
class Ladder:
    """The levels of K elements, in the order they were climbed; rows are levels, columns elements.

    scale : natural length of each element, shape (K,)
    start : exponent of 2 of the first level, relative to the scale
    crossed : elements that some level took over a switch of an op, as far as that is known
    """

    tensor: str
    cells: NDArray[np.int64]
    x: Array
    scale: Array
    start: int
    noise: Noise
    epsilon: float
    steps: list[Array] = field(default_factory=list)
    central: list[Array] = field(default_factory=list)
    ahead: list[Array] = field(default_factory=list)
    behind: list[Array] = field(default_factory=list)
    low: list[Array] = field(default_factory=list)
    high: list[Array] = field(default_factory=list)
    distance: list[Array] = field(default_factory=list)
    rounding: list[Array] = field(default_factory=list)
    stirred: list[Array] = field(default_factory=list)
    exact: list[NDArray[np.bool_]] = field(default_factory=list)
    moved: list[NDArray[np.bool_]] = field(default_factory=list)
    evaluations: NDArray[np.int64] = field(init=False)
    crossed: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.evaluations = np.zeros(self.cells.size, np.int64)
        self.crossed = np.zeros(self.cells.size, np.bool_)

    def climb(self, responder: Responder, orders: Iterable[int] = ORDER, *, stop: bool = True) -> None:
        """Add levels until every element is settled (`stop`) or all levels are used."""
        active = np.ones(self.cells.size, bool)
        for order in orders:
            steps = power_of_two(self.scale, self.start + 2 * order)
            wanted = active & (steps <= LARGEST_STEP * self.scale)
            self.level(responder, steps, wanted & ~self.at_edge() if order > EDGE_TOP else wanted)
            if stop and len(self.steps) >= 4:
                active = active & ~self.settled()
                if not active.any():
                    return

    def climb_down(self, responder: Responder, active: NDArray[np.bool_]) -> None:
        """Shorter steps still, for elements next to the edge of the function's domain."""
        active = active & self.at_edge()
        for order in EDGE_ORDER:
            if active.any():
                self.level(responder, power_of_two(self.scale, self.start + 2 * order), active)

    def at_edge(self) -> NDArray[np.bool_]:
        """Elements that moved to where the function is not finite."""
        lost: NDArray[np.bool_] = np.isfinite(np.array(self.steps)) & ~np.isfinite(np.array(self.central))
        return np.asarray(lost.any(axis=0))

    def climb_near_zero(self, responder: Responder, active: NDArray[np.bool_]) -> None:
        """Levels around |x_i|: the nearest kink or domain edge of a tiny element is often zero itself.

        They continue the element's own ladder, a factor 4 apart from its other levels, none twice.
        """
        own = np.abs(self.x)
        active = active & (own > 0) & (own < SMALL_ELEMENT * self.scale)
        first = power_of_two(self.scale, self.start)
        with np.errstate(divide="ignore"):
            offset = np.floor(np.log2(own / first) / 2.0)
        for order in NEAR_ZERO_ORDER:
            steps = np.where(active, first * 4.0 ** (np.where(active, offset, 0.0) + order), np.nan)
            fresh = active & ~(np.array(self.steps) == steps).any(axis=0)
            if fresh.any():
                self.level(responder, steps, fresh)

    def level(self, responder: Responder, steps: Array, active: NDArray[np.bool_]) -> None:
        """Probe the active elements once more, each with its own step."""
        stores = (self.steps, self.central, self.ahead, self.behind, self.low, self.high,
                  self.distance, self.rounding, self.stirred)  # fmt: skip
        rows = [np.full(self.cells.size, np.nan) for _ in stores]
        moved, exact = np.zeros(self.cells.size, bool), np.zeros(self.cells.size, bool)
        chosen = np.flatnonzero(active)
        if chosen.size:
            response = responder.respond(self.tensor, self.cells[chosen], steps[chosen])
            did = response.up > 0
            size = np.fmax(np.abs(response.ahead), np.abs(response.behind))
            distance, rounding = 0.5 * (response.up + response.down), 0.5 * self.epsilon * np.nan_to_num(size)
            columns = (steps[chosen], response.central, response.slope_ahead, response.slope_behind,
                       response.low, response.high, distance, rounding, response.noise)  # fmt: skip
            for row, column in zip(rows, columns, strict=True):
                row[chosen] = np.where(did, column, np.nan)
            with np.errstate(invalid="ignore"):
                moved[chosen] = size > 2.0 * (response.noise + rounding)
            self.evaluations[chosen] += 2 * did
            if response.crossed.size:
                self.crossed[chosen] |= response.crossed
            if response.exact.size:
                exact[chosen] = response.exact
        for store, row in zip(stores, rows, strict=True):
            store.append(row)
        self.moved.append(moved)
        self.exact.append(exact)

    def levels(self) -> Levels:
        """All levels, sorted."""
        order = np.argsort(-np.nan_to_num(np.array(self.steps), nan=-1.0), axis=0, kind="stable")
        rows = (self.steps, self.central, self.ahead, self.behind, self.low, self.high, list(self.error()))
        steps, central, ahead, behind, low, high, error = (np.take_along_axis(np.array(r), order, axis=0) for r in rows)
        moved = np.take_along_axis(np.array(self.moved), order, axis=0)
        return Levels(steps, central, ahead, behind, low, high, error, moved)

    def error(self) -> Array:
        """Noise of every central difference, shape (levels, K).

        Only the outputs that depend on an element have noise to add. Which ones do is seen at the longest step: what an
        output that stood still there may hide is at most its noise over that step, however short the level's own is.
        A change that was not taken from evaluations has its own noise at every level, and hides none.
        """
        distance, rounding, exact = np.array(self.distance), np.array(self.rounding), np.array(self.exact)
        own = np.nan_to_num(np.array(self.stirred))
        stirred = np.where(exact, 0.0, own).max(axis=0)
        share = np.minimum(stirred / self.noise.absolute, 1.0) if self.noise.absolute > 0.0 else np.ones(stirred.shape)
        still = np.where(exact, 0.0, self.noise.absolute * np.sqrt(1.0 - share**2))
        longest = np.nan_to_num(distance).max(axis=0)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            result: Array = 2.0 * (np.where(exact, own, stirred) + rounding) / distance + still / longest
        return np.where(np.isfinite(distance), result, np.nan)

    def settled(self) -> NDArray[np.bool_]:
        """Elements that two triples agree on, so well that more levels would not change a verdict."""
        outcome = summarise(self.levels())
        with np.errstate(invalid="ignore"):
            result: NDArray[np.bool_] = (outcome.quality == Quality.MEASURED) & (
                np.maximum(outcome.bound, outcome.second_bound) <= ENOUGH * np.abs(outcome.value)
            )
        return result

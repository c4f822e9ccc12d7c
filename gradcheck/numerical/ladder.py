"""A ladder of steps for each element: which levels are climbed, in which order, and how noisy each of them is.

The levels know nothing of any claim. Which elements climb is decided by `evidence`, what the levels say by `outcome`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.evidence import Quality
from gradcheck.model.problem import Array
from gradcheck.numerical.difference import Responder, Response
from gradcheck.numerical.noise import Noise
from gradcheck.numerical.outcome import Levels, Outcome, summarise
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
ENOUGH_LEVELS = 4  # two triples: the fewest that can settle an element
EVERY = slice(None)
ENOUGH = 1e-7  # relative bound at which an element stops climbing
AT_FLOOR = 4.0  # × the least noise of any level: such a bound cannot become much better


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
    _outcome: Outcome | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.evaluations = np.zeros(self.cells.size, np.int64)
        self.crossed = np.zeros(self.cells.size, np.bool_)

    def climb_all(self, responder: Responder, orders: Iterable[int] = ORDER) -> None:
        """Add the levels for every element, many in one request: that is answered faster than one after the other."""
        for is_long, group in groupby(orders, lambda order: order > EDGE_TOP):
            steps = [power_of_two(self.scale, self.start + 2 * order) for order in group]
            allowed = ~self.at_edge() if is_long else np.ones(self.cells.size, bool)
            chosen = [np.flatnonzero(allowed & (each <= LARGEST_STEP * self.scale)) for each in steps]
            lengths = np.concatenate([each[places] for each, places in zip(steps, chosen, strict=True)])
            response = responder.respond(self.tensor, self.cells[np.concatenate(chosen)], lengths)
            begin = 0
            for each, places in zip(steps, chosen, strict=True):
                self._add(each, places, response.part(slice(begin, begin + places.size)))
                begin += places.size

    def climb(self, responder: Responder, orders: Iterable[int] = ORDER) -> None:
        """Add levels until every element is settled or all levels are used."""
        active, far = np.ones(self.cells.size, bool), np.zeros(self.cells.size, bool)
        known = np.full(self.cells.size, np.inf)  # bounds that two triples agree on
        top = min(max(ORDER), highest_order(self.start))
        orders = list(orders)
        together = 1 if self.steps else ENOUGH_LEVELS  # with fewer, nothing is settled
        for group in (orders[:together], *([order] for order in orders[together:])):
            order = group[-1]
            if len(group) > 1:
                self.climb_all(responder, group)
            else:
                self._climb_one(responder, order, active & ~far if order == top else active, known)
            if len(self.steps) >= ENOUGH_LEVELS:
                settled, known[active] = self.settled(active)
                active[active] = ~settled
                still = active & ~far & self.stands_still()
                if top > order and still.any():
                    # What nothing moved so far is asked with the longest step at once: if that does not move it either,
                    # the levels between have nothing to add.
                    self.level(responder, power_of_two(self.scale, self.start + 2 * top), still)
                    far |= still
                    active &= ~(still & self.stands_still())
                if not active.any():
                    return

    def _climb_one(self, responder: Responder, order: int, active: NDArray[np.bool_], known: Array) -> None:
        steps = power_of_two(self.scale, self.start + 2 * order)
        wanted = active & (steps <= LARGEST_STEP * self.scale)
        if order < ORDER[2]:  # a level that is noisier than what is known adds nothing
            wanted &= ~(self._expected_error(order) > known)
        self.level(responder, steps, wanted & ~self.at_edge() if order > EDGE_TOP else wanted)

    def _expected_error(self, order: int) -> Array:
        """Noise at a level further down, from how it grew on the first three."""
        first, _, third = self.error()[:3]
        with np.errstate(invalid="ignore", divide="ignore"):
            result: Array = third * (third / first) ** (0.5 * (ORDER[2] - order))
        return result

    def climb_down(self, responder: Responder, active: NDArray[np.bool_]) -> None:
        """Shorter steps still, for elements next to the edge of the function's domain."""
        active = active & self.at_edge()
        for order in EDGE_ORDER:
            if active.any():
                self.level(responder, power_of_two(self.scale, self.start + 2 * order), active)

    def stands_still(self) -> NDArray[np.bool_]:
        """Elements that no step moved phi with, and none took to where the function is not finite."""
        changes = np.fmax(np.abs(self.ahead), np.abs(self.behind))
        return np.asarray(~(changes > 0.0).any(axis=0) & ~self.at_edge())

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
        chosen = np.flatnonzero(active)
        self._add(steps, chosen, responder.respond(self.tensor, self.cells[chosen], steps[chosen]))

    def _add(self, steps: Array, chosen: NDArray[np.int64], response: Response) -> None:
        """A new row of every table, with what a level found about the chosen elements."""
        stores = (self.steps, self.central, self.ahead, self.behind, self.low, self.high,
                  self.distance, self.rounding, self.stirred)  # fmt: skip
        here = EVERY if chosen.size == self.cells.size else chosen
        moved, exact = np.zeros(self.cells.size, bool), np.zeros(self.cells.size, bool)
        did = response.up > 0
        size = np.fmax(np.abs(response.ahead), np.abs(response.behind))
        distance, rounding = 0.5 * (response.up + response.down), 0.5 * self.epsilon * _known(size)
        rows = [steps[here], response.central, response.slope_ahead, response.slope_behind,
                response.low, response.high, distance, rounding, response.noise]  # fmt: skip
        if here is not EVERY or not did.all():
            places = chosen[did]
            for number, column in enumerate(rows):
                rows[number] = np.full(self.cells.size, np.nan)
                rows[number][places] = column[did]
        with np.errstate(invalid="ignore"):
            moved[here] = size > 2.0 * (response.noise + rounding)
        self.evaluations[here] += 2 * did
        if response.crossed.size:
            self.crossed[here] |= response.crossed
        if response.exact.size:
            exact[here] = response.exact
        for store, row in zip(stores, rows, strict=True):
            store.append(row)
        self.moved.append(moved)
        self.exact.append(exact)
        self._outcome = None

    def levels(self, chosen: NDArray[np.bool_] | slice = EVERY) -> Levels:
        """All levels of the chosen elements, sorted."""
        known = (self.steps, self.central, self.ahead, self.behind, self.low, self.high, self.error(), self.moved)
        rows = np.array(known, np.float64)[..., chosen]
        order = np.argsort(np.where(np.isnan(rows[0]), 1.0, -rows[0]), axis=0, kind="stable")
        steps, central, ahead, behind, low, high, error, moved = np.take_along_axis(rows, order[None], axis=1)
        return Levels(steps, central, ahead, behind, low, high, error, moved != 0.0)

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
        longest = _known(distance).max(axis=0)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            result: Array = 2.0 * (np.where(exact, own, stirred) + rounding) / distance + still / longest
        return np.where(np.isfinite(distance), result, np.nan)

    def outcome(self) -> Outcome:
        """What the levels climbed so far say."""
        if self._outcome is None:
            self._outcome = summarise(self.levels())
        return self._outcome

    def settled(self, active: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Array]:
        """Of the active elements, whether two triples agree so well that more levels would not change a verdict, and
        the bounds that they agree on, ∞ for none."""
        levels = self.levels(active)
        outcome = summarise(levels)
        if active.all():
            self._outcome = outcome
        bound = np.where(outcome.quality == Quality.MEASURED, np.maximum(outcome.bound, outcome.second_bound), np.inf)
        with np.errstate(invalid="ignore"):
            is_sharp = bound <= ENOUGH * np.abs(outcome.value)
            # The noise of an exact change grows with the step: where it rules, no other level knows more.
            least, most = np.fmin.reduce(levels.error, axis=0), np.fmax.reduce(levels.error, axis=0)
            is_exact = np.array(self.exact)[:, active].all(axis=0)
            is_floor = is_exact & (most <= 2.0 * least) & (bound <= AT_FLOOR * least)
        return is_sharp | is_floor, bound


def highest_order(start: int) -> int:
    """Of the longest step that is allowed, on a ladder whose first level is 2^start of the scale."""
    return int((np.log2(LARGEST_STEP) - start) // 2)


def _known(values: Array) -> Array:
    """Zero for what was not probed."""
    result: Array = np.where(np.isnan(values), 0.0, values)
    return result

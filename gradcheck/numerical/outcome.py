"""What the levels of a ladder agree on: a slope, a bound, and whether the function is smooth there.

How the levels were climbed is `ladder`'s business, and what follows for a claim that of `verdict`.

Levels lie a factor 4 apart. For three neighbours A, B, C with differences D_A, D_B, D_C the central difference D_C is
believed when the levels converge, |D_B − D_C| ≤ |D_A − D_B| / 4 + noise, and the two one-sided slopes close up with
the step, J_C ≤ J_B / 2 + noise. Its bound is |D_B − D_C| + noise: the truncation error of D_C is a fifteenth of that.
D_B may be believed then, too, with |D_A − D_B| + noise: where noise rules, the longer step is the better one. And where
the function stands still on all three, its slope is at most what noise hides over the longest of them.
A kink next to the point keeps J from closing, noise keeps D from converging, so neither is mistaken for a slope.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.evidence import Quality, Reason
from gradcheck.model.problem import Array
from gradcheck.record import dataclass

GRID = 2.0**-40  # what a remainder of numbers near one changes by while only their last digits change


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """The levels of K elements, from the longest steps to the shortest; arrays (levels, K), NaN where not probed.

    error : noise of each central difference
    moved : whether phi changed by more than its noise
    steps : as asked for; the other fields are those of `Response`, slopes instead of changes
    """

    steps: Array
    central: Array
    ahead: Array
    behind: Array
    low: Array
    high: Array
    error: Array
    moved: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a ladder says about K elements; arrays of shape (K,). Fields as in `Estimate`."""

    value: Array
    bound: Array
    second: Array
    second_bound: Array
    step: Array
    low: Array
    high: Array
    reach: Array
    quality: NDArray[np.int8]
    reason: NDArray[np.int8]
    flat: NDArray[np.bool_]


def summarise(levels: Levels) -> Outcome:
    """Read slopes, bounds and kinks off the levels climbed so far."""
    steps, ahead, behind, low, high = levels.steps, levels.ahead, levels.behind, levels.low, levels.high
    central, one_sided = _with_one_sided(levels.central, ahead, behind, steps)
    error = np.where(one_sided, 6.0 * levels.error, levels.error)
    jump = np.where(one_sided, 0.0, np.abs(ahead - behind))
    vouched = _triples(steps, central, jump, error, levels.moved)
    bounds = vouched.min(axis=0)
    first, second, bound, other_bound = _two_best(vouched)
    columns = np.arange(steps.shape[1])

    def pick(levels: Array, rows: NDArray[np.int64]) -> Array:
        chosen: Array = np.where(rows >= 0, levels[np.maximum(rows, 0), columns], np.nan)
        return chosen

    value, other = pick(central, first), pick(central, second)
    quality = np.where(first < 0, Quality.UNRESOLVED, np.where(second < 0, Quality.SUSPECT, Quality.MEASURED))
    reason = np.full(steps.shape[1], Reason.NONE, np.int8)
    apart = _two_plateaus(central, bounds, value, bound)
    kink, jump, kink_low, kink_high, kink_step = _kinks(steps, ahead, behind, low, high, error)
    with np.errstate(invalid="ignore"):
        # Below a kink's step noise may close any gap; only a slope sharper than the gap was measured beside the kink.
        kink &= (first < 0) | (kink_step <= pick(steps, first)) | (bound > (kink_high - kink_low) / 8.0)
    unresolved = (first < 0) | apart | kink
    step = pick(steps, first)
    if unresolved.any():
        reason[unresolved] = _reasons(central, error, value)[unresolved]
        reason[apart] = Reason.TWO_SCALES
        reason[kink] = Reason.KINK
        reason[jump & (first < 0)] = Reason.JUMP
        quality = np.where(unresolved, Quality.UNRESOLVED, quality)
        fallback, fallback_step = _fallback(steps, central, error)
        value, step = np.where(first < 0, fallback, value), np.where(first < 0, fallback_step, step)
        value = np.where(kink, 0.5 * (kink_low + kink_high), value)
        bound = np.where(kink, 0.5 * (kink_high - kink_low), bound)
    reach = np.fmax(np.abs(ahead), np.abs(behind), where=np.isfinite(ahead), out=np.zeros(ahead.shape)).max(axis=0)
    hidden = _hidden_by_a_grid(steps, ahead, behind, value)
    bound = np.where(hidden, reach, bound)
    quality = np.where(hidden, Quality.SUSPECT, quality)
    reason[hidden] = Reason.NOISE
    flat = np.asarray(~levels.moved.any(axis=0) & np.isfinite(central).any(axis=0)) & ~hidden
    # A function that never moved has slope zero, to the noise over the longest step.
    longest = np.min(np.where(np.isfinite(central), error, np.inf), axis=0)
    value, bound = np.where(flat, 0.0, value), np.where(flat, longest, bound)
    quality = np.where(flat, Quality.MEASURED, quality).astype(np.int8)
    reason[flat] = Reason.NONE
    return Outcome(
        value=value,
        bound=np.where(np.isfinite(bound), bound, np.inf),
        second=np.where(flat | (second < 0), value, other),
        second_bound=np.where(flat, longest, np.where((second < 0) | hidden, np.inf, other_bound)),
        step=np.nan_to_num(step),
        low=np.where(kink, kink_low, value - bound),
        high=np.where(kink, kink_high, value + bound),
        reach=reach,
        quality=quality,
        reason=reason,
        flat=flat,
    )


def _hidden_by_a_grid(steps: Array, ahead: Array, behind: Array, value: Array) -> NDArray[np.bool_]:
    """Elements whose slope of zero is no evidence: short steps change nothing, long ones a few roundings of 1.

    So behaves a saturated loss, the remainder of numbers near one: it stands still between two points of their grid.
    """
    if value.all():
        return np.zeros(value.shape, bool)
    with np.errstate(invalid="ignore"):
        change = np.fmax(np.abs(ahead), np.abs(behind)) * steps
        stands = (change == 0.0).any(axis=0)
        most = np.max(np.where(np.isfinite(change), change, 0.0), axis=0)
    result: NDArray[np.bool_] = (value == 0.0) & stands & (most > 0.0) & (most <= GRID)
    return result


def _with_one_sided(central: Array, ahead: Array, behind: Array, steps: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Where only one side is finite: second-order one-sided differences, (4 P(h/4) − P(h)) / 3, of neighbours."""
    result, one_sided = central.copy(), np.zeros(central.shape, bool)
    finite_ahead, finite_behind = np.isfinite(ahead), np.isfinite(behind)
    if central.shape[0] < 2 or np.array_equal(finite_ahead, finite_behind):
        return result, one_sided
    for side, alone in ((ahead, finite_ahead & ~finite_behind), (behind, finite_behind & ~finite_ahead)):
        neighbours = alone[1:] & alone[:-1] & (np.abs(steps[:-1] / steps[1:] - 4.0) < 1.0)
        rows = np.zeros(central.shape, bool)
        rows[1:] = neighbours
        improved = np.zeros(central.shape)
        improved[1:] = (4.0 * side[1:] - side[:-1]) / 3.0
        result = np.where(rows, improved, result)
        one_sided |= rows
    return result, one_sided


def _triples(steps: Array, central: Array, jump: Array, error: Array, moved: NDArray[np.bool_]) -> Array:
    """Bounds that triples of neighbouring levels vouch for, shape (3, levels, K); inf where they do not.

    Entry [p, r] is about level r, as the p-th from below in the triple that ends at level r + p.
    """
    vouched = np.full((3, *central.shape), np.inf)
    if central.shape[0] < 3:
        return vouched
    with np.errstate(invalid="ignore", divide="ignore"):
        neighbours = (np.abs(steps[:-2] / steps[1:-1] - 4.0) < 1.0) & (np.abs(steps[1:-1] / steps[2:] - 4.0) < 1.0)
        upper, lower = np.abs(central[:-2] - central[1:-1]), np.abs(central[1:-1] - central[2:])
        noise = error[1:-1] + error[2:]
        converges = lower <= upper / 4.0 + noise
        closes = jump[2:] <= jump[1:-1] / 2.0 + 2.0 * noise
        believed = neighbours & converges & closes
        stands_still = believed & ~(moved[:-2] | moved[1:-1] | moved[2:])
        vouched[0, 2:] = np.where(believed, lower + error[2:], np.inf)
        vouched[1, 1:-1] = np.where(believed, upper + error[1:-1], np.inf)
        vouched[2, :-2] = np.where(stands_still, np.abs(central[:-2]) + error[:-2], np.inf)
    return vouched


def _two_best(vouched: Array) -> tuple[NDArray[np.int64], NDArray[np.int64], Array, Array]:
    """The two levels with the least bounds, −1 where there is none, and their bounds.

    They are vouched for by different triples: two levels that only one and the same triple knows are one measurement.
    """
    places, levels, columns = vouched.shape
    place, level = np.divmod(np.arange(places * levels), levels)
    flat = vouched.reshape(places * levels, columns)
    best = np.argmin(flat, axis=0)
    same = (level[:, None] == level[best]) | ((level + place)[:, None] == (level + place)[best])
    others = np.where(same, np.inf, flat)
    next_best = np.argmin(others, axis=0)
    bound, other_bound = (np.take_along_axis(a, row[None], axis=0)[0] for a, row in ((flat, best), (others, next_best)))
    first = np.where(np.isfinite(bound), level[best], -1)
    second = np.where(np.isfinite(other_bound), level[next_best], -1)
    return first, second, bound, other_bound


def _two_plateaus(central: Array, bounds: Array, value: Array, bound: Array) -> NDArray[np.bool_]:
    """Whether differences settle sharply, on two neighbours, and somewhere else, too, further apart than the bounds: on
    two others, or where the bound is least. Differences over many oscillations are small, and so are theirs: some
    settle by chance, and their bounds are less than those of the slope itself.
    """
    if central.shape[0] < 2:
        return np.zeros(central.shape[1], bool)
    with np.errstate(invalid="ignore"):
        settled = np.isfinite(bounds[1:] + bounds[:-1])
        settled &= np.abs(central[1:] - central[:-1]) <= bounds[1:] + bounds[:-1]
        sharp = settled & (bounds[1:] <= 1e-3 * np.abs(central[1:]))
        low = np.where(sharp, central[1:] + 4.0 * bounds[1:], np.inf).min(axis=0)
        high = np.where(sharp, central[1:] - 4.0 * bounds[1:], -np.inf).max(axis=0)
        best = np.isfinite(value) & np.isfinite(bound)
        low = np.fmin(low, np.where(best, value + 4.0 * bound, np.inf))
        high = np.fmax(high, np.where(best, value - 4.0 * bound, -np.inf))
    result: NDArray[np.bool_] = low < high
    return result


def _kinks(
    steps: Array, ahead: Array, behind: Array, low: Array, high: Array, error: Array
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Array, Array, Array]:
    """Kinks and jumps at the point: whether, the interval of slopes of a kink, and the step it was seen with.

    A kink: on the three smallest levels that stand clear of the noise the one-sided slopes differ (per output, summed)
    by as much as before, and each has settled; the interval is that of the level that knows it best. A jump: the slopes
    grow by 1/h.
    """
    columns = steps.shape[1]
    kink, jump = np.zeros(columns, bool), np.zeros(columns, bool)
    at_low, at_high, at_step = np.full(columns, np.nan), np.full(columns, np.nan), np.full(columns, np.nan)
    if steps.shape[0] < 3:
        return kink, jump, at_low, at_high, at_step
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = high - low
        clear = np.isfinite(gap) & (gap > 8.0 * error)
        neighbours = (np.abs(steps[:-2] / steps[1:-1] - 4.0) < 1.0) & (np.abs(steps[1:-1] / steps[2:] - 4.0) < 1.0)
        together = clear[:-2] & clear[1:-1] & clear[2:] & neighbours
        still = np.maximum.reduce([np.abs(side[2:] - side[1:-1]) for side in (low, high)])
        before = np.maximum.reduce([np.abs(side[1:-1] - side[:-2]) for side in (low, high)])
        steady = (still <= 0.05 * gap[2:] + error[2:]) & (before <= 0.2 * gap[2:] + error[1:-1])
        size = np.fmax(np.abs(ahead), np.abs(behind))
        strong = (size[:-2] > 8.0 * error[:-2]) & (size[2:] > 8.0 * error[2:]) & neighbours
        growing = (size[2:] >= 3.0 * size[1:-1]) & (size[1:-1] >= 3.0 * size[:-2])
        unsure = still + error[2:]
    if not (together.any() or strong.any()):
        return kink, jump, at_low, at_high, at_step
    best = np.full(columns, np.inf)
    for row in range(together.shape[0]):  # from the largest steps down: what the smallest clear levels say, wins
        seen = together[row]
        kink = np.where(seen, steady[row], kink)
        jump = np.where(strong[row], growing[row], jump)
        best = np.where(seen & ~steady[row], np.inf, best)
        at_step = np.where(seen & steady[row], steps[row + 2], at_step)
        better = seen & steady[row] & (unsure[row] < best)
        best = np.where(better, unsure[row], best)
        at_low = np.where(better, low[row + 2] - unsure[row], at_low)
        at_high = np.where(better, high[row + 2] + unsure[row], at_high)
    return kink, jump, at_low, at_high, at_step


def _reasons(central: Array, error: Array, value: Array) -> NDArray[np.int8]:
    """Why no level can be believed."""
    finite = np.isfinite(central)
    size = np.nanmax(np.where(finite, np.abs(central), 0.0), axis=0)
    quietest = np.min(np.where(finite, error, np.inf), axis=0)
    reason = np.full(central.shape[1], Reason.OSCILLATION, np.int8)
    reason[quietest > 1e-3 * size] = Reason.NOISE
    reason[finite.sum(axis=0) < 3] = Reason.DOMAIN
    reason[~np.isfinite(error).any(axis=0)] = Reason.STEP
    return reason


def _fallback(steps: Array, central: Array, error: Array) -> tuple[Array, Array]:
    """The best that can be shown where no triple is believed: the level that differs least from the one above it."""
    with np.errstate(invalid="ignore"):
        spread = np.full(central.shape, np.inf)
        spread[1:] = np.abs(central[1:] - central[:-1]) + error[1:]
        spread = np.where(np.isfinite(spread), spread, np.inf)
    row = np.argmin(spread, axis=0)
    columns = np.arange(central.shape[1])
    return central[row, columns], steps[row, columns]

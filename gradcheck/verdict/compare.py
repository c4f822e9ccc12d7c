"""The one place where an error meets a limit: one claim, one estimate, a word for every element.

For an element with claim c and evidence n ± E, and tol = rtol·max(|c|, |n|), or half a unit of the last digit where c
was written as a decimal:

    pass          |c − n| ≤ tol + E, and E small enough to mean something: E ≤ rho·max(|c|, |n|) (resolved by itself),
                  or E ≤ rho_tensor·max|n| of the tensor (a small element, counted and said), or c and n are both zero
                  to a bound that is small beside what the function does around the point (flat, or stationary)
    fail          |c − n| > tol + 4E, by two independent measurements; or c is not finite
    kink          the slope jumps at the point and c lies within the jump
    inconclusive  everything between: at the edge of what the evidence can tell apart

Which relative error and which resolution a report shows is computed here, too, and nowhere else.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.evidence import Estimate, Quality, Reason
from gradcheck.model.problem import Array
from gradcheck.record import dataclass

FLOOR_SHARE = 0.25  # of an element: where the floor of a coarse type is more of it, nothing is said of it by itself
CONFIRM = 4.0  # × the bound: what lies between one and four bounds is inconclusive by construction


class Word(IntEnum):
    """The verdict on one element."""

    PASS = 0
    FAIL = 1
    KINK = 2
    INCONCLUSIVE = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """What is asked of a claim, by the precision it was computed with.

    rtol : relative error that is allowed beside the bound
    rho : an element is resolved when its bound is at most this part of it
    rho_tensor : the same for elements too small to be resolved, relative to the tensor's largest slope
    floor : error that is allowed beside rtol, relative to the tensor's largest slope: what rounding leaves of a sum
    """

    rtol: float
    rho: float
    rho_tensor: float
    floor: float = 0.0


# float64: mistakes of 3e-6 exist (an eps left out of a norm's backward), right code agrees to 1e-10 and better.
DOUBLE = Limits(rtol=1e-6, rho=1e-3, rho_tensor=1e-7)
# float32 has 6e-8 per operation; gradients of small networks agree to some 1e-5, single elements to 1e-3.
SINGLE = Limits(rtol=1e-3, rho=5e-2, rho_tensor=1e-3)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The verdict on each element of a tensor; arrays of the tensor's shape.

    words : Word codes
    relative_error : |c − n| / max(|c|, |n|), 0 where both are 0, inf where c is not finite
    allowed : the relative error up to which the element would have passed
    resolved : the element's own bound is small beside it
    zero : slope and claim are both zero within a bound that means something
    """

    words: NDArray[np.int8]
    relative_error: Array
    allowed: Array
    resolved: NDArray[np.bool_]
    zero: NDArray[np.bool_]
    resolution: float | None


def relative_error(claimed: Array, numeric: Array) -> Array:
    """|c − n| / max(|c|, |n|); 0 when both are 0, infinite when either is not finite."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        size = np.maximum(np.abs(claimed), np.abs(numeric))
        error = np.where(size > 0, np.abs(claimed / size - numeric / size), 0.0)
    return np.where(np.isfinite(claimed) & np.isfinite(numeric), error, np.inf)


def compare(
    claimed: Array,
    estimate: Estimate,
    limits: Limits,
    half_unit: Array | None = None,
    confirmed: bool = False,
) -> Comparison:
    """Judge every element of a claim.

    claimed : float64 array, shape of the estimate; may hold NaN and infinities
    half_unit : how much the written digits leave open, same shape
    confirmed : elements of the tensor that were measured twice are wrong, and none of them contradicted its screen:
        then a screened element may fail, too
    """
    numeric, bound = estimate.value, estimate.bound
    at_kink = estimate.reason == Reason.KINK
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        size = np.maximum(np.abs(claimed), np.abs(numeric))
        largest = float(np.max(np.abs(numeric), initial=0.0, where=np.isfinite(numeric)))
        slack = limits.rtol * size + limits.floor * largest
        if half_unit is not None:
            slack = np.where(half_unit > 0, half_unit, slack)
        off = np.abs(claimed - numeric)
        within = off <= slack + bound
        resolved = (bound <= limits.rho * size) & (limits.floor * largest <= FLOOR_SHARE * size)
        small = bound <= limits.rho_tensor * largest
        still = estimate.flat | (bound <= limits.rho_tensor * estimate.reach)
        zero = still & (np.abs(numeric) <= bound) & (np.abs(claimed) <= bound)
        beyond = off > slack + CONFIRM * bound
        beyond_twice = beyond & (np.abs(claimed - estimate.second) > slack + CONFIRM * estimate.second_bound)
        outside = np.maximum(estimate.low - claimed, claimed - estimate.high)
        inside_kink = outside <= slack
        beyond_kink = outside > CONFIRM * slack + estimate.band
        reach = np.where(at_kink, 0.5 * (estimate.high - estimate.low), bound)
        allowed = np.where(size > 0, (slack + reach) / size, limits.rtol)
    known = np.isfinite(numeric) & np.isfinite(bound)
    measured = estimate.quality == Quality.MEASURED
    by_screen = (estimate.quality == Quality.SCREENED) & confirmed
    words = np.full(claimed.shape, Word.INCONCLUSIVE, np.int8)
    words[known & (measured | by_screen) & beyond_twice] = Word.FAIL
    believed = known & (estimate.quality != Quality.UNRESOLVED)
    words[believed & within & (resolved | small | zero)] = Word.PASS
    words[at_kink & inside_kink] = Word.KINK
    words[at_kink & beyond_kink] = Word.FAIL
    words[~np.isfinite(claimed)] = Word.FAIL
    return Comparison(
        words=words,
        relative_error=relative_error(claimed, numeric),
        allowed=allowed,
        resolved=resolved & believed,
        zero=zero,
        resolution=_resolution(slack, bound, size, (words == Word.PASS) & resolved),
    )


def unsettled(comparison: Comparison, estimate: Estimate) -> NDArray[np.bool_]:
    """Elements that deserve a closer look: screened and undecided, or bent; none that is wrong already."""
    undecided = (estimate.quality == Quality.SCREENED) & (comparison.words != Word.PASS)
    bent = estimate.quality == Quality.SUSPECT
    result: NDArray[np.bool_] = (undecided | bent) & (comparison.words != Word.FAIL)
    return result


def faintness(claimed: Array, estimate: Estimate, comparison: Comparison, limits: Limits) -> Array:
    """How weakly a passed, screened element is supported: its bound in units of the allowed error, 0 if that is fine.

    Fine means that the bound confirms to better than a quarter of the tolerance.
    """
    size = np.maximum(np.abs(claimed), np.abs(estimate.value))
    with np.errstate(invalid="ignore", divide="ignore"):
        weakness = np.where(size > 0, CONFIRM * estimate.bound / (limits.rtol * size), 0.0)
    screened = (estimate.quality == Quality.SCREENED) & (comparison.words == Word.PASS) & ~comparison.zero
    return np.where(screened & (weakness > 1.0), weakness, 0.0)


def _resolution(slack: Array, bound: Array, size: Array, counted: NDArray[np.bool_]) -> float | None:
    """The largest relative mistake that could have been missed: max of (tol + 4E) / max(|c|, |n|)."""
    counted = counted & (size > 0)
    if not counted.any():
        return None
    return float(((slack[counted] + CONFIRM * bound[counted]) / size[counted]).max())

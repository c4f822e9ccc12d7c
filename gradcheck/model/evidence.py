"""Estimate: what differences say about one tensor's gradient, element by element, with a bound on each number."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.problem import Array
from gradcheck.record import dataclass


class Quality(IntEnum):
    """How far an element's evidence reaches; the order is that of the work that went into it."""

    SCREENED = 0  # two evaluations; the bound rests on the tensor's probed elements
    MEASURED = 1  # the whole ladder agreed with itself, on two independent triples
    SUSPECT = 2  # a single measurement, or a screened one that looks bent; may support a claim, may not convict it
    UNRESOLVED = 3  # no two steps of the ladder agree: see `reason`


class Reason(IntEnum):
    """Why an element could not be resolved."""

    NONE = 0
    NOISE = 1  # rounding or noise of the function hides the slope
    DOMAIN = 2  # the function is not finite on both sides of the point
    OSCILLATION = 3  # differences never settle
    TWO_SCALES = 4  # differences settle twice, at different values
    KINK = 5  # the slope jumps at the point
    JUMP = 6  # the value jumps at the point
    STEP = 7  # the smallest step that moves x is too large


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Numeric derivatives of phi = upstream · f with respect to every element of one tensor (arrays of its shape).

    value : central difference, in units of phi / x
    bound : |value − true slope| is at most this: truncation + round-off + measured noise; inf where nothing is known
    second, second_bound : the same from other steps of the ladder: no claim is called wrong by one measurement alone
    step : the h that `value` was taken with; 0 where not probed
    low, high : at a kink the interval of slopes that count as right (per output, summed); elsewhere value ∓ bound
    band : at a kink, how far outside of the interval nothing can be said
    reach : the largest one-sided slope met on the way; beside it a bound can be small although the slope is zero
    quality, reason : Quality and Reason codes
    flat : no probe of the element moved the function beyond its noise
    evaluations : function evaluations spent on the element; those that serve the whole tensor are in `shared`
    checked : elements that were probed at all (False under a budget)
    """

    value: Array
    bound: Array
    second: Array
    second_bound: Array
    step: Array
    low: Array
    high: Array
    band: Array
    reach: Array
    quality: NDArray[np.int8]
    reason: NDArray[np.int8]
    flat: NDArray[np.bool_]
    evaluations: NDArray[np.int64]
    checked: NDArray[np.bool_]
    shared: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def total_evaluations(self) -> int:
        return int(self.evaluations.sum()) + self.shared

"""Which limits a claim is judged by: those of the precision it was really computed with, not of the one it declares."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.problem import Array
from gradcheck.numerical.steps import median
from gradcheck.verdict.compare import DOUBLE, SINGLE, Limits

COARSEST_RHO, COARSEST_RHO_TENSOR = 0.25, 0.05  # half precision; a pass on less would mean nothing
FLOAT32_NOTE = "computed in float32: judged to about 3 digits"
HALF_NOTE = "computed in half precision: judged to 1 or 2 digits"
SINGLE_EPSILON = float(np.finfo(np.float32).eps)


def is_single(claimed: NDArray[Any]) -> bool:
    """Whether an array holds float32 (or float16) numbers, by its dtype or because no element needs more digits."""
    if claimed.dtype.kind == "f" and claimed.dtype.itemsize < 8:
        return True
    if claimed.dtype.kind != "f":
        return False
    values = claimed[np.isfinite(claimed) & (np.abs(claimed) < 1e38)]
    with np.errstate(under="ignore"):
        if np.any(values.astype(np.float32).astype(np.float64) != values):
            return False
    mantissa = np.frexp(values)[0] * 2**12
    # Numbers like 0, 1 or 0.25 are float32 numbers, too; only a long mantissa says how it came about.
    return bool(np.any(mantissa != np.round(mantissa)))


def has_single_errors(claimed: Array, numeric: Array, bound: Array) -> bool:
    """Whether a claim is off the way float32 arithmetic is: nearly everywhere, by about 1e-7 of the largest element.

    A mistake in few elements leaves the others exact, a systematic one of 3e-6 is larger than that: neither looks so.
    """
    with np.errstate(invalid="ignore"):
        known = np.isfinite(claimed) & np.isfinite(bound) & np.isfinite(numeric)
        if known.sum() < 4:
            return False
        largest = float(np.abs(numeric[known]).max())
        off = np.abs(claimed - numeric)[known]
        exceeds = off > bound[known]
    typical = median(off[exceeds]) if exceeds.mean() >= 0.5 else 0.0
    return typical > 2e-9 * largest and float(off.max()) <= 4e-7 * largest


def _is_within_double(claimed: Array, numeric: Array, bound: Array) -> bool:
    """Whether a claim needs no excuse: every element is within the limits of float64."""
    with np.errstate(invalid="ignore"):
        size = np.maximum(np.abs(claimed), np.abs(numeric))
        return bool((np.abs(claimed - numeric) <= DOUBLE.rtol * size + bound).all())


def limits_for(
    claimed: NDArray[Any] | None,
    single_evidence: bool,
    relative_noise: float,
    rtol: float | None,
    numeric: Array,
    bound: Array,
    epsilon: float = 0.0,
) -> tuple[Limits, tuple[str, ...]]:
    """The limits for one claim about one tensor, and the notes that go with them.

    claimed : None for numbers written by hand, which have digits, not a precision
    single_evidence : the function itself works in float32
    relative_noise : of one evaluation of the function
    rtol : the case's own, which replaces the default one
    epsilon : machine epsilon of the type that the claim was declared to be computed in; 0 where nobody said
    """
    single_claim = False
    if claimed is not None:
        values = claimed.astype(np.float64)
        excused = not _is_within_double(values, numeric, bound) and has_single_errors(values, numeric, bound)
        single_claim = is_single(claimed) or excused
    limits = SINGLE if single_evidence or single_claim else DOUBLE
    notes = (FLOAT32_NOTE,) if limits is SINGLE else ()
    if claimed is not None and epsilon > 2.0 * SINGLE_EPSILON:
        limits, notes = half_limits(epsilon), (HALF_NOTE,)
    limits = _reachable(limits, relative_noise)
    return (limits if rtol is None else replace(limits, rtol=rtol)), notes


def half_limits(epsilon: float) -> Limits:
    """Limits for gradients that were computed in float16 or bfloat16, from the machine epsilon of the type.

    A handful of roundings of half an epsilon each, and beside that one rounding of the terms of a sum, which may be as
    large as the tensor's largest element. bfloat16 has 8e-3: 6 %, and 1.6 % of the largest.
    """
    return Limits(rtol=8.0 * epsilon, rho=SINGLE.rho, rho_tensor=SINGLE.rho_tensor, floor=2.0 * epsilon)


def _reachable(limits: Limits, relative_noise: float) -> Limits:
    """The same limits, without asking for bounds that the noise of the function puts out of reach.

    A central difference of a function with relative noise e is good to about e^(2/3) at a step of e^(1/3): that much is
    asked of the tensor's largest slope, and of single elements what is left of them at that step.
    """
    return replace(
        limits,
        rho=min(max(limits.rho, 2.0 * relative_noise ** (1 / 3)), COARSEST_RHO),
        rho_tensor=min(max(limits.rho_tensor, 10.0 * relative_noise ** (2 / 3)), COARSEST_RHO_TENSOR),
    )

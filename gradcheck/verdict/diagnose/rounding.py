"""Rules about digits: a gradient that was computed in a coarser type, or written down with too few digits."""

from __future__ import annotations

import numpy as np

from gradcheck.model.problem import Array
from gradcheck.verdict.diagnose.evidence import Evidence
from gradcheck.verdict.diagnose.suspicion import Suspicion

BITS = {"float16": 11, "bfloat16": 8, "float32": 24}
LEAST = 3


def digits(evidence: Evidence) -> Suspicion | None:
    """All numbers end after a few decimals, and are wrong by less than one of the last."""
    subject = evidence.subject
    if not subject.has_right_shape or not np.isfinite(subject.claimed).all() or not subject.residual.any():
        return None
    c, off = subject.claimed, np.abs(subject.residual)
    for places in range(1, 9):
        unit = 10.0**-places
        scaled = c / unit
        if np.abs(scaled - np.round(scaled)).max(initial=0.0) > 1e-7 * max(1.0, float(np.abs(scaled).max(initial=0.0))):
            continue
        if off.max(initial=0.0) > 1.01 * unit or float(np.abs(subject.numeric).max(initial=0.0)) < 10 * unit:
            return None
        if c.size < LEAST and evidence.source != "expected":
            return None
        if off.max() <= 0.51 * unit:
            return Suspicion("digits", f"the numbers are rounded to {places} decimals; write more of them", 10)
        cut = "cut off" if (np.abs(c) <= np.abs(subject.numeric) + 1e-9).all() else "not rounded right"
        return Suspicion("digits", f"the numbers are {cut} after {places} decimals; the last one should be rounded", 10)
    return None


def precision(evidence: Evidence) -> Suspicion | None:
    """Every number fits into a coarser type, and is off by about what that type rounds away."""
    subject = evidence.subject
    if not subject.has_right_shape or not np.isfinite(subject.claimed).all():
        return None
    c = subject.claimed
    telling = c[(c * 64 != np.round(c * 64))]
    if telling.size < LEAST:
        return None
    off = float(np.abs(subject.residual).max(initial=0.0))
    for name, bits in sorted(BITS.items(), key=lambda item: item[1]):
        room = 64 * 2.0**-bits if bits < 20 else 1e-2
        if _fits(telling, bits) and off <= room * subject.scale:
            text = f"every number is one that {name} can hold, and off by rounding: the gradient was computed in {name}"
            return Suspicion("precision", text, 8)
    return None


def _fits(values: Array, bits: int) -> bool:
    """Whether every value has at most so many significant bits."""
    mantissa, _ = np.frexp(values)
    scaled = mantissa * 2.0**bits
    return bool((scaled == np.round(scaled)).all())

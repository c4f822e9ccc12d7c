"""Where no rule fits: what can be seen of the wrong elements, in plain words."""

from __future__ import annotations

import numpy as np

from gradcheck.verdict.diagnose.evidence import Evidence
from gradcheck.verdict.diagnose.suspicion import Suspicion


def pattern(evidence: Evidence) -> Suspicion | None:
    """`wrong in column 3 only`, `right in the last row only`, `3 single elements`, `no pattern`."""
    subject = evidence.subject
    if not subject.has_right_shape or subject.primal.ndim == 0 or not subject.fails:
        return None
    wrong = subject.wrong
    if wrong.size < 2:
        return None
    for axis in range(wrong.ndim):
        name = _axis_name(axis, wrong.ndim)
        lines = np.moveaxis(wrong, axis, 0).reshape(wrong.shape[axis], -1)
        bad = np.flatnonzero(lines.any(1))
        if len(lines) > 2 and len(bad) == 1:
            return Suspicion("pattern", f"wrong in {name} {bad[0]} only", 0.5)
        if len(lines) > 2 and len(bad) == len(lines) - 1:
            good = next(i for i in range(len(lines)) if i not in bad)
            return Suspicion("pattern", f"right in {name} {good} only", 0.5) if lines[bad].all() else None
    count, total = int(wrong.sum()), wrong.size
    if count == total:
        return Suspicion("pattern", "every element is wrong, and none of the known mistakes fits", 0.1)
    if count <= max(2, total // 10):
        places = ", ".join(str([int(i) for i in place]) for place in np.argwhere(wrong)[:3])
        return Suspicion("pattern", f"wrong in {count} of {total} elements only: {places}", 0.3)
    return Suspicion(
        "pattern", f"{count} of {total} elements are wrong, here and there; none of the known mistakes fits", 0.1
    )


def _axis_name(axis: int, ndim: int) -> str:
    if ndim == 1:
        return "element"
    if ndim == 2:
        return ("row", "column")[axis]
    return f"axis {axis}, place"

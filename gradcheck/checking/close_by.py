"""Claims that differences contradict, looked at once more where a derivative is defined: at the shortest steps.

A difference measures over a length. Where a function oscillates within it, differences settle on the slope of what it
oscillates about, and to them the oscillation is noise. Of two elements that say the same at long steps one may be a
mistake and one be right, so that nothing is decided – but by a claim that short steps do not know either.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.evidence import Quality
from gradcheck.model.problem import Array, Problem
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.evidence import TensorEvidence
from gradcheck.numerical.noise import Noise, is_made_in_float64
from gradcheck.numerical.steps import power_of_two

SHORT = (-29, -33, -37, -41, -45)  # log2 of the steps, relative to the element's scale
SEVERAL = 4  # elements of a tensor that speak for all
NOISY = 1000.0  # × the rounding of a value: only beside more noise than this may a slope be hidden
ROUNDING = 4.0  # × the machine epsilon and the size of the value: what is left of noise at the shortest steps
NEAR = 0.05  # of what is between claim and evidence: so near has the slope close by to be, and as well be known


def doubt_slopes_of_oscillations(
    problem: Problem, loop: PlainLoop, noise: Noise, evidence: TensorEvidence, claimed: Array, wrong: NDArray[np.bool_]
) -> bool:
    """Take back the evidence about wrong elements whose claims are the slopes close by; of all, if several are looked
    at and all of them are. Returns whether any was taken back.

    claimed, wrong : shape of the tensor
    """
    rounding = ROUNDING * problem.epsilon * float(np.abs(problem.upstream * problem.value).sum())
    estimate = evidence.estimate
    known = wrong & np.isfinite(claimed) & (estimate.quality != Quality.UNRESOLVED)
    cells = np.flatnonzero(known)
    if not cells.size or not noise.absolute > NOISY * rounding:
        return False
    off = np.abs(claimed - estimate.value).reshape(-1)[cells]
    far = cells[off >= 0.5 * off.max()]
    chosen = far[np.argsort(-np.abs(claimed.reshape(-1)[far]), kind="stable")[:SEVERAL]]  # the steepest show most
    agreed = _slope_close_by(
        problem, loop, evidence, claimed.reshape(-1)[chosen], estimate.value.reshape(-1)[chosen], chosen, rounding
    )
    evidence.doubt(cells if agreed.all() else chosen[agreed])
    return bool(agreed.any())


def _slope_close_by(
    problem: Problem,
    loop: PlainLoop,
    evidence: TensorEvidence,
    claimed: Array,
    value: Array,
    cells: NDArray[np.int64],
    rounding: float,
) -> NDArray[np.bool_]:
    """Whether the slopes at two neighbouring short steps are the claimed ones, and well told from the value.

    A function that stands still there has no slope to show: it may round inside, unless all of it is known.
    """
    is_known = is_made_in_float64(problem)
    agreed, before = np.zeros(cells.size, bool), np.zeros(cells.size, bool)
    apart = np.abs(claimed - value)
    for exponent in SHORT:
        steps = power_of_two(evidence.scale[cells], exponent)
        response = loop.respond(evidence.tensor, cells, steps)
        moves = is_known | ((response.ahead != 0.0) & (response.behind != 0.0))
        with np.errstate(invalid="ignore"):
            here = (rounding / steps <= NEAR * apart) & (np.abs(response.central - claimed) <= NEAR * apart) & moves
        agreed |= here & before
        before = here
    return agreed

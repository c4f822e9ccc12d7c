"""Claims that differences contradict, looked at once more where a derivative is defined: at the shortest steps.

A difference measures over a length. Where a function oscillates within it, differences settle on the slope of what it
oscillates about, and to them the oscillation is noise. The derivative is the slope below the oscillation: there
differences are next to it, and leave it by four times as much when the step is doubled, as those of a smooth function
do. A staircase, as rounding makes one, does not: its steps leave a slope at once, or show none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.evidence import Quality
from gradcheck.model.problem import Array, Problem
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.evidence import TensorEvidence
from gradcheck.numerical.noise import Noise
from gradcheck.numerical.steps import power_of_two

SHORT = range(-45, -15, 2)  # log2 of the steps, relative to the element's scale
SEVERAL = 4  # elements of a tensor that speak for all
NOISY = 1000.0  # × the rounding of a value: only beside more noise than this may a slope be hidden
ROUNDING = 4.0  # × the machine epsilon and the size of the value: what is left of noise at the shortest steps
# Of what is between claim and evidence: a way off that shows, and is still a beginning. One of two neighbours among the
# steps is there.
LEAST, MOST = 0.005, 0.1
SURE = 0.0005  # of the same: how well a slope has to be known
TWICE = (2.0, 8.0)  # how much farther off a step of twice the length may be; four times, but for what follows


def doubt_slopes_of_oscillations(
    problem: Problem, loop: PlainLoop, noise: Noise, evidence: TensorEvidence, claimed: Array, wrong: NDArray[np.bool_]
) -> bool:
    """Take back the evidence about wrong elements whose claims are the slopes close by; of all, if several are looked
    at and all of them are. Returns whether any was taken back.

    claimed, wrong : shape of the tensor
    """
    rounding = ROUNDING * problem.epsilon * float(np.abs(problem.upstream * problem.value).sum())
    if not (wrong.any() and noise.absolute > NOISY * rounding):
        return False
    estimate = evidence.estimate
    cells = np.flatnonzero(wrong & np.isfinite(claimed) & (estimate.quality != Quality.UNRESOLVED))
    if not cells.size:
        return False
    off = np.abs(claimed - estimate.value).reshape(-1)[cells]
    far = cells[off >= 0.5 * off.max()]
    chosen = far[np.argsort(-np.abs(claimed.reshape(-1)[far]), kind="stable")[:SEVERAL]]  # the steepest show most
    look = _Look(loop, evidence, chosen, claimed.reshape(-1)[chosen], rounding)
    agreed = look.bends_away(np.abs(look.claimed - estimate.value.reshape(-1)[chosen]))
    evidence.doubt(cells if agreed.all() else chosen[agreed])
    return bool(agreed.any())


class _Look:
    """Differences at short steps of some elements, beside their claims; arrays of shape (K,)."""

    def __init__(
        self, loop: PlainLoop, evidence: TensorEvidence, cells: NDArray[np.int64], claimed: Array, rounding: float
    ) -> None:
        self.loop, self.evidence, self.cells, self.claimed, self.rounding = loop, evidence, cells, claimed, rounding

    def bends_away(self, apart: Array) -> NDArray[np.bool_]:
        """Whether differences begin at the claim and leave it as those of a smooth function do.

        apart : how far the claims are from the evidence
        """
        steps, here = np.zeros(self.cells.size), np.zeros(self.cells.size)
        is_open = np.ones(self.cells.size, bool)
        for exponent in SHORT:
            tried = power_of_two(self.evidence.scale[self.cells], exponent)
            off = self._off(is_open, tried)
            with np.errstate(invalid="ignore"):
                is_sure = is_open & (self.rounding / tried <= SURE * apart)
                begins = is_sure & (np.abs(off) >= LEAST * apart) & (np.abs(off) <= MOST * apart)
                is_open &= ~(is_sure & (np.abs(off) >= LEAST * apart))
            steps, here = np.where(begins, tried, steps), np.where(begins, off, here)
            if not is_open.any():
                break
        found = steps > 0.0
        shorter, longer = self._off(found, 0.5 * steps), self._off(found, 2.0 * steps)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios = np.array([here / shorter, longer / here])
            smooth = (ratios >= TWICE[0]) & (ratios <= TWICE[1])
        return np.asarray(found & smooth.all(axis=0))

    def _off(self, wanted: NDArray[np.bool_], steps: Array) -> Array:
        """Difference minus claim; NaN where it is not wanted."""
        off = np.full(self.cells.size, np.nan)
        if wanted.any():
            response = self.loop.respond(self.evidence.tensor, self.cells[wanted], steps[wanted])
            off[wanted] = response.central - self.claimed[wanted]
        return off

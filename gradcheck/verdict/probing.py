"""What is said of a tensor whose elements were moved together: whether a claim adds up to the slope, and what hides.

The claim's slope along a path p is Σ cᵢ·pᵢ. The elements of a right claim are off by what is allowed to each of them,
at most; the signs of p are random, so together they are off by that in quadrature. Elements that were measured by
themselves have their words from `compare`; here both become one finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.case import Verdict
from gradcheck.model.evidence import Estimate
from gradcheck.model.problem import Array
from gradcheck.model.report import Coverage, Finding
from gradcheck.record import dataclass
from gradcheck.verdict.compare import CONFIRM, Comparison, Limits, Word

SPREAD = 3.0  # × the quadrature sum: what right elements with random signs stay below
USUAL = 1e-3  # of rtol: right code is off by less. Beyond it a tensor is searched, although it may pass
REASONS = {
    Word.FAIL: "along a random direction the claims add up to {claimed:.6g}, the slope is {numeric:.6g} ± {bound:.1e}",
    Word.INCONCLUSIVE: "moved together, the elements say nothing: a slope of {numeric:.3g} ± {bound:.1e}",
    Word.KINK: "the slope jumps at the point; the claims add up to a number between the slopes on both sides",
}


@dataclass(frozen=True, slots=True)
class Sum:
    """A claim and the evidence along one direction.

    claimed, numeric, bound : Σ cᵢ·pᵢ, the slope, and how far that may be off
    low, high : the interval of the slopes on the two sides
    allowed : by how much a right claim may be off
    usual : by how much right code is
    size : √Σ (cᵢ·pᵢ)², what a claim of this size adds up to, give or take
    moved : whether the function changed at all
    is_bent : whether the two sides stay apart
    """

    claimed: float
    numeric: float
    bound: float
    low: float
    high: float
    allowed: float
    usual: float
    size: float
    moved: bool
    is_bent: bool

    @property
    def off(self) -> float:
        return self.numeric - self.claimed


@dataclass(frozen=True, slots=True)
class Sight:
    """What the directions say about one claim about one tensor.

    word : of the elements that were not measured by themselves
    seen : the sum that says so
    resolution : see `resolution_of`; None where nothing can be seen
    directions : how many there were
    ended : the budget was spent before the search was over
    """

    word: Word
    seen: Sum
    resolution: float | None
    directions: int
    ended: bool = False


def allowances(claimed: Array, limits: Limits, half_unit: Array | None) -> tuple[Array, Array]:
    """By how much each element may be off, and by how much that of right code is; the shape of the claim."""
    size = np.where(np.isfinite(claimed), np.abs(claimed), 0.0)
    allowed = limits.rtol * size + limits.floor * float(size.max(initial=0.0))
    usual = USUAL * limits.rtol * size + limits.floor * float(size.max(initial=0.0))
    if half_unit is not None:
        written = half_unit > 0
        allowed, usual = np.where(written, half_unit, allowed), np.where(written, half_unit, usual)
    return allowed, usual


def is_quiet(seen: Sum) -> bool:
    """Whether a claim adds up as exactly as right code does: then no element needs to be looked for."""
    return abs(seen.off) <= seen.usual + seen.bound


def word_of(sums: Sequence[Sum], limits: Limits) -> tuple[Word, Sum]:
    """What several directions say, and the one that says it; each has its own random weights.

    Wrong is what is wrong twice, by twice of what is allowed and four bounds, at no kink. Of one direction that
    disagrees and one that does not nothing is concluded.
    """
    words = [_word(seen, limits) for seen in sums]
    if len(sums) > 1 and words.count(Word.FAIL) == len(sums):
        return Word.FAIL, sums[0]
    order = (Word.FAIL, Word.INCONCLUSIVE, Word.KINK, Word.PASS)
    worst = min(range(len(sums)), key=lambda i: order.index(words[i]))
    return (Word.INCONCLUSIVE if words[worst] is Word.FAIL else words[worst]), sums[worst]


def _word(seen: Sum, limits: Limits) -> Word:
    if not np.isfinite(seen.bound + seen.claimed):
        return Word.INCONCLUSIVE
    within = abs(seen.off) <= seen.allowed + seen.bound
    if seen.is_bent and seen.low - seen.allowed <= seen.claimed <= seen.high + seen.allowed:
        return Word.PASS if within and seen.bound <= limits.rho * seen.size else Word.KINK
    if within:
        is_zero = seen.size == 0.0 and not seen.moved
        return (
            Word.PASS if is_zero or seen.bound <= limits.rho * max(seen.size, abs(seen.numeric)) else Word.INCONCLUSIVE
        )
    is_beyond = abs(seen.off) > 2.0 * seen.allowed + CONFIRM * seen.bound
    return Word.FAIL if is_beyond and not seen.is_bent else Word.INCONCLUSIVE


def resolution_of(seen: Sum, path: Array, claimed: Array, limits: Limits) -> float | None:
    """The largest mistake of one element that a direction could have missed, relative to a typical element's claim.

    A mistake e of element i shifts the sum by e·pᵢ, and shows beyond what is allowed and twice the bound. None where
    the claims are all zero, or nothing moved: there is no size to compare with.
    """
    known, moved = claimed[np.isfinite(claimed)], np.abs(path[path != 0.0])
    largest = float(np.abs(known).max(initial=0.0))
    if largest == 0.0 or moved.size == 0 or not np.isfinite(seen.bound):
        return None
    typical = largest * float(np.sqrt(np.mean((known / largest) ** 2)))
    hidden = (seen.usual if is_quiet(seen) else seen.allowed) + 2.0 * seen.bound
    return max(limits.rtol, hidden / (float(moved.min()) * typical))


def counted(claimed: Array, estimate: Estimate, comparison: Comparison) -> NDArray[np.bool_]:
    """Elements that count as checked: measured, and not merely unresolved – what agrees within a bound that is too wide
    to mean anything speaks neither for the claim nor against it, and the direction has seen the element, too."""
    with np.errstate(invalid="ignore"):
        near = np.abs(claimed - estimate.value) <= estimate.bound
    undecided = comparison.words == Word.INCONCLUSIVE
    measured = estimate.checked & ~(undecided & (near | ~np.isfinite(estimate.value)))
    result: NDArray[np.bool_] = measured | ~np.isfinite(claimed)  # those need no evidence
    return result


def probed(found: Finding, sight: Sight, size: int) -> Finding:
    """A finding about the elements that were measured, completed by what the directions say about the others.

    size : elements of the tensor
    """
    if found.checked == size:
        return found
    verdict, reason = _verdict(found, sight)
    coverage: Coverage = "probed" if np.isfinite(sight.seen.bound) else "sampled"
    hidden = sight.resolution if sight.word is Word.PASS else None
    resolution = max((r for r in (found.resolution, hidden) if r is not None), default=None)
    # Where the sum is wrong and no element was found, none can be shown.
    shown = found if verdict == found.verdict else replace(found, worst=None, limit=None)
    return replace(
        shown,
        verdict=verdict,
        reason=reason,
        coverage=coverage,
        resolution=resolution,
        notes=(*found.notes, _note(found, sight, size)),
    )


def _verdict(found: Finding, sight: Sight) -> tuple[Verdict, str]:
    """The graver of what single elements and the sums say; a sum that moved refutes `vacuous`."""
    if found.verdict in ("fail", "inconclusive"):
        return found.verdict, found.reason
    words: dict[Word, Verdict] = {Word.FAIL: "fail", Word.INCONCLUSIVE: "inconclusive", Word.KINK: "kink"}
    if sight.word in words:
        seen = sight.seen
        told = REASONS[sight.word].format(claimed=seen.claimed, numeric=seen.numeric, bound=seen.bound)
        return words[sight.word], told + _hint(sight)
    if found.verdict == "vacuous" or not found.counts:
        if not sight.seen.moved and sight.seen.size == 0.0:
            return "vacuous", "no probe moved the function beyond its noise, and the claim is zero: nothing was tested"
        return "pass", ""
    return found.verdict, found.reason


def _hint(sight: Sight) -> str:
    if sight.word is Word.KINK:
        return ""
    return "; a larger budget finds the elements" if sight.ended else ""


def _note(found: Finding, sight: Sight, size: int) -> str:
    """What was looked at, and what could have been missed."""
    elements = f"{found.checked:,} of {size:,} elements by themselves"
    if (sight.word is Word.FAIL and found.verdict != "fail") or not np.isfinite(sight.seen.off):
        return f"probed: {elements}"
    if found.verdict == "fail" and sight.ended:
        return f"probed: {elements}; the budget ended before all wrong elements were found"
    if found.verdict == "fail" and sight.word is not Word.PASS:
        return f"probed: {elements}; the others, moved together, do not add up either"
    together = f"{'the others' if found.verdict == 'fail' else 'all'} together along a random direction"
    if sight.resolution is None or sight.word is not Word.PASS:
        return f"probed: {elements}, {together}"
    missed = f"a mistake in a single other element below {sight.resolution:.1e} of a typical one"
    return f"probed: {elements}, {together}; could have missed {missed}"

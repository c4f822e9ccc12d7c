"""Claims on their way to findings: well-formed or not, by which limits, what was compared, what came of it.

Which numbers are measured, and in which order, is decided in `examine` and `probing`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.evidence import Estimate, Quality
from gradcheck.model.problem import Array, Claim, Problem
from gradcheck.model.report import Finding
from gradcheck.numerical.noise import Noise
from gradcheck.record import dataclass, field
from gradcheck.verdict.aggregate import finding, malformed
from gradcheck.verdict.compare import Comparison, Limits, Word, compare
from gradcheck.verdict.precision import limits_for

OUTPUTS = ("value", "out")  # claims about the output itself: a number written down, a forward graded by a reference


@dataclass(slots=True, eq=False)
class Subject:
    """One claim about one tensor on its way to a finding.

    confirmed : so many elements are wrong by two measurements that screened ones may be called wrong, too
    accepted : flat numbers of the elements whose claim lies within a kink
    against : what contradicts those, taken together
    """

    claim: Claim
    tensor: str
    claimed: Array
    limits: Limits
    notes: tuple[str, ...]
    comparison: Comparison
    confirmed: bool = False
    accepted: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    against: str = ""

    def compare_with(self, estimate: Estimate) -> None:
        half_unit = self.claim.half_unit.get(self.tensor)
        self.comparison = compare(self.claimed, estimate, self.limits, half_unit, self.confirmed)


def subject_of(
    problem: Problem, claim: Claim, tensor: str, estimate: Estimate, noise: Noise, rtol: float | None
) -> Subject:
    raw = np.asarray(claim.gradients[tensor])
    shape = problem.point[tensor].shape
    notes: tuple[str, ...] = ()
    if raw.shape != shape:
        notes = (f"shape {raw.shape} taken for {shape}",)
    claimed = raw.astype(np.float64).reshape(shape)
    single = noise.single or problem.epsilon > 1e-10
    computed = None if tensor in claim.half_unit else raw.reshape(shape)
    limits, more = limits_for(computed, single, noise.relative, rtol, estimate.value, estimate.bound, claim.epsilon)
    comparison = compare(claimed, estimate, limits, claim.half_unit.get(tensor))
    return Subject(claim, tensor, claimed, limits, notes + more, comparison)


def finding_of(subject: Subject, estimate: Estimate) -> Finding:
    notes = subject.notes
    if subject.tensor in subject.claim.half_unit:
        notes = (*notes, *_coarse_note(subject))
    result = finding(subject.claim.source, subject.tensor, subject.claimed, estimate, subject.comparison, notes)
    if subject.against and result.verdict in ("kink", "pass"):
        # No single element is wrong, only their sum: an element's error beside its limit would say the opposite.
        tied = result.counts.get("kink", 0)
        result = replace(result, verdict="fail", wrong=tied, worst=None, limit=None, reason=subject.against)
    return result


def _coarse_note(subject: Subject) -> tuple[str, ...]:
    """A number written so coarsely that it would hide a mistake of 1 % says so, and still passes."""
    half_unit, digits = subject.claim.half_unit[subject.tensor], subject.claim.digits[subject.tensor]
    with np.errstate(invalid="ignore"):
        coarse = (half_unit > 0.01 * np.abs(subject.claimed)) & (subject.comparison.words == Word.PASS)
    if not coarse.any():
        return ()
    least = int(digits[coarse].min())
    return (f"agrees to the {least} digit{'' if least == 1 else 's'} written",)


def well_formed(problem: Problem, tensor: str) -> tuple[list[Claim], list[Finding]]:
    """Claims about the tensor that are real arrays of its shape, and findings about those that are not."""
    sound, broken = [], []
    shape = problem.point[tensor].shape
    for claim in problem.claims:
        if claim.broken:
            broken.append(malformed(claim.source, tensor, shape, claim.broken))
        if tensor not in claim.gradients:
            continue
        raw = np.asarray(claim.gradients[tensor])
        if raw.dtype.kind == "c":
            broken.append(malformed(claim.source, tensor, shape, "the gradient is complex; expected real numbers"))
        elif raw.dtype.kind not in "fiub":
            broken.append(malformed(claim.source, tensor, shape, "the gradient is not an array of numbers"))
        elif raw.shape != shape and (
            raw.size != problem.point[tensor].size or _squeezed(raw.shape) != _squeezed(shape)
        ):
            broken.append(
                malformed(claim.source, tensor, shape, f"the gradient has shape {raw.shape}; expected {shape}")
            )
        else:
            sound.append(claim)
    return sound, broken


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def output_findings(problem: Problem, noise: Noise, rtol: float | None) -> list[Finding]:
    """About the claims that say something of the output itself."""
    return [
        _output_finding(problem, claim, name, noise, rtol)
        for claim in problem.claims
        for name in OUTPUTS
        if name in claim.gradients
    ]


def _output_finding(problem: Problem, claim: Claim, name: str, noise: Noise, rtol: float | None) -> Finding:
    """A claim about the output itself: the evidence is the function's value, good to its noise."""
    claimed = np.asarray(claim.gradients[name], dtype=np.float64)
    if claimed.size != problem.value.size:
        reason = f"the output has shape {claimed.shape}; expected {problem.value.size} elements"
        return malformed(claim.source, name, claimed.shape, reason)
    value = problem.value.reshape(claimed.shape)
    bound = 8.0 * problem.epsilon * np.abs(value) + noise.absolute / max(1.0, float(value.size) ** 0.5)
    estimate = exact_estimate(value, bound)
    limits, notes = limits_for(None, noise.single, 0.0, rtol, value, bound)
    comparison = compare(claimed, estimate, limits, claim.half_unit.get(name))
    subject = Subject(claim, name, claimed, limits, notes, comparison)
    return finding_of(subject, estimate)


def exact_estimate(value: Array, bound: Array) -> Estimate:
    """Evidence that is no difference: a value known to a bound."""
    shape, zeros = value.shape, np.zeros(value.shape)
    return Estimate(
        value=value,
        bound=bound,
        second=value,
        second_bound=bound,
        step=zeros,
        low=value - bound,
        high=value + bound,
        band=zeros,
        reach=zeros,
        quality=np.full(shape, Quality.MEASURED, np.int8),
        reason=np.zeros(shape, np.int8),
        flat=np.zeros(shape, bool),
        evaluations=np.zeros(shape, np.int64),
        checked=np.ones(shape, bool),
    )

"""One problem, examined: evidence is gathered, claims are compared with it, and doubtful elements looked at again.

The order of the work is decided here; what a number is worth is said by `numerical`, what it means by `verdict`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.checking.at_kinks import tied_claims, widen_intervals
from gradcheck.model.evidence import Estimate, Quality, Reason
from gradcheck.model.problem import Array, Claim, Problem
from gradcheck.model.report import Finding
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.evidence import TensorEvidence
from gradcheck.numerical.noise import Noise, measure_noise
from gradcheck.record import dataclass, field
from gradcheck.verdict.aggregate import finding, malformed
from gradcheck.verdict.compare import Comparison, Limits, Word, compare, faintness, unsettled
from gradcheck.verdict.precision import limits_for

OUTPUTS = ("value", "out")  # claims about the output itself: a number written down, a forward graded by a reference
CONVICT = 256  # elements of a failing tensor that are measured twice; the others are then judged by their screen
WEAK = 16  # and 0.5 % of a tensor: elements that passed on weak evidence and are measured again


@dataclass(frozen=True, slots=True)
class Examination:
    findings: tuple[Finding, ...]
    evaluations: int
    noise: Noise


@dataclass(slots=True, eq=False)
class _Subject:
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


def examine(problem: Problem, *, rtol: float | None = None, seed: int = 0) -> Examination:
    """Check every claim of a problem about every tensor in `wrt`.

    rtol : relative error allowed; None takes the default of the precision that the numbers were computed with
    seed : of every random choice that is made on the way
    """
    noise = measure_noise(problem, seed)
    loop = PlainLoop(problem, noise)
    findings = [
        _output_finding(problem, claim, name, noise, rtol)
        for claim in problem.claims
        for name in OUTPUTS
        if name in claim.gradients
    ]
    examined: list[tuple[list[Finding], list[_Subject], Estimate | None]] = []
    for tensor in problem.wrt:
        if problem.point[tensor].size == 0:
            continue
        sound, broken = _well_formed(problem, tensor)
        subjects, estimate = _examine_tensor(problem, loop, noise, tensor, sound, rtol, seed) if sound else ([], None)
        examined.append((broken, subjects, estimate))
    _look_across_tensors(problem, loop, noise, [s for _, subjects, _ in examined for s in subjects], seed)
    for broken, subjects, estimate in examined:
        findings += broken
        if estimate is not None:
            findings += [_finding(subject, estimate) for subject in subjects]
    return Examination(tuple(findings), loop.evaluations + noise.evaluations, noise)


def _examine_tensor(
    problem: Problem,
    loop: PlainLoop,
    noise: Noise,
    tensor: str,
    claims: Sequence[Claim],
    rtol: float | None,
    seed: int,
) -> tuple[list[_Subject], Estimate]:
    evidence = TensorEvidence(problem, loop, noise, tensor, seed)
    subjects = [_subject(problem, claim, tensor, evidence.estimate, noise, rtol) for claim in claims]
    for _ in range(2):  # the second round is for elements that the first one put in a new light
        wanted = np.zeros(evidence.shape, bool)
        for subject in subjects:
            wanted |= _doubtful(subject, evidence.estimate)
        if not wanted.any():
            break
        evidence.refine(wanted)
        for subject in subjects:
            _confirm(subject, evidence)
    for subject in subjects:
        _look_at_kinks(problem, loop, noise, evidence, subject, seed)
    return subjects, evidence.estimate


def _subject(
    problem: Problem, claim: Claim, tensor: str, estimate: Estimate, noise: Noise, rtol: float | None
) -> _Subject:
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
    return _Subject(claim, tensor, claimed, limits, notes + more, comparison)


def _doubtful(subject: _Subject, estimate: Estimate) -> NDArray[np.bool_]:
    """Elements to measure again, so many that the cost per element of a large tensor stays at two evaluations.

    All that did not pass, but of many wrong ones only the clearest and the faintest; of those that passed on weak
    evidence the weakest.
    """
    doubtful = unsettled(subject.comparison, estimate)
    wrong = doubtful & (subject.comparison.words == Word.INCONCLUSIVE) & (estimate.quality == Quality.SCREENED)
    if int(wrong.sum()) > CONVICT:
        cells = np.flatnonzero(wrong)
        ranked = cells[np.argsort(subject.comparison.relative_error.reshape(-1)[cells], kind="stable")]
        doubtful.reshape(-1)[ranked[CONVICT // 2 : -CONVICT // 2]] = False
    weak = faintness(subject.claimed, estimate, subject.comparison, subject.limits).reshape(-1)
    weakest = np.argsort(-weak, kind="stable")[: WEAK + weak.size // 200]
    doubtful.reshape(-1)[weakest[weak[weakest] > 0]] = True
    return doubtful


def _confirm(subject: _Subject, evidence: TensorEvidence) -> None:
    """Compare again; once several elements are wrong by two measurements, screened ones may be called wrong, too."""
    estimate = evidence.estimate
    subject.compare_with(estimate)
    climbed = evidence.climbed.reshape(estimate.shape)
    convicted = int((subject.comparison.words[climbed] == Word.FAIL).sum())
    if convicted >= CONVICT // 2:
        subject.confirmed = True
        subject.compare_with(estimate)


def _look_at_kinks(
    problem: Problem, loop: PlainLoop, noise: Noise, evidence: TensorEvidence, subject: _Subject, seed: int
) -> None:
    """Where elements are at a kink, an interval for each is not enough: see `checking.at_kinks`."""
    at_kink = evidence.estimate.reason == Reason.KINK
    outside = np.flatnonzero(at_kink & (subject.comparison.words != Word.KINK) & np.isfinite(subject.claimed))
    if outside.size:
        outside = outside[np.argsort(-subject.comparison.relative_error.reshape(-1)[outside], kind="stable")]
        widen_intervals(problem, loop, evidence, subject.claimed, outside, seed)
        subject.compare_with(evidence.estimate)
    subject.accepted = np.flatnonzero(at_kink & (subject.comparison.words == Word.KINK))
    if subject.accepted.size >= 2:
        tensor = subject.tensor
        subject.against = tied_claims(problem, loop, noise, {tensor: subject.claimed}, {tensor: subject.accepted}, seed)


def _look_across_tensors(
    problem: Problem, loop: PlainLoop, noise: Noise, subjects: Sequence[_Subject], seed: int
) -> None:
    """Elements of different tensors may be tied, too: max(a, b) at a = b."""
    for claim in problem.claims:
        tied = [subject for subject in subjects if subject.claim is claim and subject.accepted.size]
        if len(tied) < 2 or any(subject.against for subject in tied):
            continue
        claimed = {subject.tensor: subject.claimed for subject in tied}
        against = tied_claims(problem, loop, noise, claimed, {s.tensor: s.accepted for s in tied}, seed)
        for subject in tied:
            subject.against = against


def _finding(subject: _Subject, estimate: Estimate) -> Finding:
    notes = subject.notes
    if subject.tensor in subject.claim.half_unit:
        notes = (*notes, *_coarse_note(subject))
    result = finding(subject.claim.source, subject.tensor, subject.claimed, estimate, subject.comparison, notes)
    if subject.against and result.verdict in ("kink", "pass"):
        # No single element is wrong, only their sum: an element's error beside its limit would say the opposite.
        tied = result.counts.get("kink", 0)
        result = replace(result, verdict="fail", wrong=tied, worst=None, limit=None, reason=subject.against)
    return result


def _coarse_note(subject: _Subject) -> tuple[str, ...]:
    """A number written so coarsely that it would hide a mistake of 1 % says so, and still passes."""
    half_unit, digits = subject.claim.half_unit[subject.tensor], subject.claim.digits[subject.tensor]
    with np.errstate(invalid="ignore"):
        coarse = (half_unit > 0.01 * np.abs(subject.claimed)) & (subject.comparison.words == Word.PASS)
    if not coarse.any():
        return ()
    least = int(digits[coarse].min())
    return (f"agrees to the {least} digit{'' if least == 1 else 's'} written",)


def _well_formed(problem: Problem, tensor: str) -> tuple[list[Claim], list[Finding]]:
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
    subject = _Subject(claim, name, claimed, limits, notes, comparison)
    return _finding(subject, estimate)


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

"""One problem, examined: evidence is gathered, claims are compared with it, and doubtful elements looked at again.

The order of the work is decided here; what a number is worth is said by `numerical`, what it means by `verdict`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gradcheck.checking.at_kinks import tied_claims, widen_intervals
from gradcheck.checking.close_by import doubt_slopes_of_oscillations
from gradcheck.checking.subjects import Subject, finding_of, output_findings, subject_of, well_formed
from gradcheck.model.evidence import Estimate, Quality, Reason
from gradcheck.model.problem import Claim, Problem
from gradcheck.model.report import Finding
from gradcheck.numerical.difference import PlainLoop, Responder
from gradcheck.numerical.evidence import TensorEvidence, expected_evaluations
from gradcheck.numerical.noise import Noise, measure_noise
from gradcheck.numerical.portions import Work
from gradcheck.numerical.schedule import engine_for
from gradcheck.record import dataclass
from gradcheck.verdict.compare import Word, faintness, unsettled

TIMED = 3  # evaluations whose time is taken; they add nothing to the evidence
CONVICT = 256  # elements of a failing tensor that are measured twice; the others are then judged by their screen
WEAK = 16  # and 0.5 % of a tensor: elements that passed on weak evidence and are measured again


class Known(Protocol):
    """Evidence about a function at a point, gathered for more than one examination of claims about it.

    noise : of the function there
    """

    @property
    def noise(self) -> Noise: ...

    def evidence(self, problem: Problem, responder: Responder, tensor: str, seed: int) -> TensorEvidence:
        """What is known about a tensor, for this examination to refine."""


@dataclass(frozen=True, slots=True)
class Examination:
    findings: tuple[Finding, ...]
    evaluations: int
    noise: Noise
    notes: tuple[str, ...] = ()
    compared: tuple[tuple[Subject, Estimate], ...] = ()  # what a diagnosis looks at, where something fails


def examine(
    problem: Problem,
    *,
    rtol: float | None = None,
    seed: int = 0,
    budget: int | None = None,
    on_cost: Callable[[int, float], None] | None = None,
    work: Work | None = None,
    known: Known | None = None,
) -> Examination:
    """Check every claim of a problem about every tensor in `wrt`.

    rtol : relative error allowed; None takes the default of the precision that the numbers were computed with
    seed : of every random choice that is made on the way
    budget : evaluations of somebody's code; where checking every element takes more, see `probing`. None: no limit.
        A function made of ops has an engine that needs none
    on_cost : is told how many evaluations and seconds a black box will take, before the long part of them begins
    work : what works off the engine's probes; None to do it here, one after the other
    known : evidence that need not be gathered again; a probed case (`budget`) has no use for it
    """
    if budget is not None and problem.traced is None and expected_evaluations(problem) > budget:
        from gradcheck.checking.probing import examine_within  # most runs have no budget

        return examine_within(problem, budget, rtol=rtol, seed=seed)
    noise = measure_noise(problem, seed) if known is None else known.noise
    if on_cost is not None and problem.traced is None:
        evaluations = expected_evaluations(problem)
        on_cost(evaluations, evaluations * _seconds(problem))
    loop = PlainLoop(problem, noise)
    engine = engine_for(problem, loop, work)
    findings = output_findings(problem, noise, rtol)
    examined: list[tuple[list[Finding], list[Subject], Estimate | None]] = []
    for tensor in problem.wrt:
        if problem.point[tensor].size == 0:
            continue
        sound, broken = well_formed(problem, tensor)
        subjects: list[Subject] = []
        estimate = None
        if sound:
            gathered = known and known.evidence(problem, engine, tensor, seed)
            evidence = gathered or TensorEvidence(problem, engine, noise, tensor, seed)
            subjects, estimate = _examine_tensor(problem, loop, engine, noise, evidence, sound, rtol, seed)
        examined.append((broken, subjects, estimate))
    _look_across_tensors(problem, loop, noise, [s for _, subjects, _ in examined for s in subjects], seed)
    for broken, subjects, estimate in examined:
        findings += broken
        if estimate is not None:
            findings += [finding_of(subject, estimate) for subject in subjects]
    compared = tuple((s, estimate) for _, subjects, estimate in examined if estimate is not None for s in subjects)
    return Examination(tuple(findings), loop.evaluations + noise.evaluations, noise, compared=compared)


def _seconds(problem: Problem) -> float:
    """What one evaluation takes, the fastest of a few: the slower ones had to wait for something else."""
    taken = []
    for _ in range(TIMED):
        started = perf_counter()
        problem.function(problem.point)
        taken.append(perf_counter() - started)
    return min(taken)


def _examine_tensor(
    problem: Problem,
    loop: PlainLoop,
    engine: Responder,
    noise: Noise,
    evidence: TensorEvidence,
    claims: Sequence[Claim],
    rtol: float | None,
    seed: int,
) -> tuple[list[Subject], Estimate]:
    tensor = evidence.tensor
    subjects = [subject_of(problem, claim, tensor, evidence.estimate, noise, rtol) for claim in claims]
    for is_first in (True, False):  # the second round is for elements that the first one put in a new light
        wanted = np.zeros(evidence.shape, bool)
        for subject in subjects:
            wanted |= _doubtful(subject, evidence.estimate)
            if is_first:
                wanted |= _weakest(subject, evidence.estimate)
        if not wanted.any():
            break
        evidence.refine(wanted)
        for subject in subjects:
            _confirm(subject, evidence)
    for subject in subjects:
        _look_at_kinks(problem, loop, noise, evidence, subject, seed)
        wrong = subject.comparison.words == Word.FAIL
        if doubt_slopes_of_oscillations(problem, loop, noise, evidence, subject.claimed, wrong):
            subject.compare_with(evidence.estimate)
    engine.spot_check(tensor, seed)
    return subjects, evidence.estimate


def _doubtful(subject: Subject, estimate: Estimate) -> NDArray[np.bool_]:
    """Elements to measure again: those that did not pass, but of many wrong ones only the clearest and the faintest."""
    doubtful = unsettled(subject.comparison, estimate)
    wrong = doubtful & (subject.comparison.words == Word.INCONCLUSIVE) & (estimate.quality == Quality.SCREENED)
    if int(wrong.sum()) > CONVICT:
        cells = np.flatnonzero(wrong)
        ranked = cells[np.argsort(subject.comparison.relative_error.reshape(-1)[cells], kind="stable")]
        doubtful.reshape(-1)[ranked[CONVICT // 2 : -CONVICT // 2]] = False
    return doubtful


def _weakest(subject: Subject, estimate: Estimate) -> NDArray[np.bool_]:
    """Of the elements that passed on weak evidence the weakest, so many that the cost of a large tensor stays at two
    evaluations per element."""
    weak = faintness(subject.claimed, estimate, subject.comparison, subject.limits).reshape(-1)
    weakest = np.argsort(-weak, kind="stable")[: WEAK + weak.size // 200]
    wanted = np.zeros(weak.size, bool)
    wanted[weakest[weak[weakest] > 0]] = True
    return wanted.reshape(estimate.shape)


def _confirm(subject: Subject, evidence: TensorEvidence) -> None:
    """Compare again; once several elements are wrong by two measurements, screened ones may be called wrong, too."""
    estimate = evidence.estimate
    subject.compare_with(estimate)
    climbed = evidence.climbed.reshape(estimate.shape)
    convicted = int((subject.comparison.words[climbed] == Word.FAIL).sum())
    if convicted >= CONVICT // 2:
        subject.confirmed = True
        subject.compare_with(estimate)


def _look_at_kinks(
    problem: Problem, loop: PlainLoop, noise: Noise, evidence: TensorEvidence, subject: Subject, seed: int
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
    problem: Problem, loop: PlainLoop, noise: Noise, subjects: Sequence[Subject], seed: int
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

"""A question: one random point of one case, with all that the parent knows about it and the submission never sees.

Arrays, upstream gradient and differences come from the reference alone; a submission gets the arrays and is asked for
outputs and gradients. What its answers are worth is decided in `answers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.checking.building.build import build
from gradcheck.checking.examine import Examination, Known, examine
from gradcheck.errors import FieldError
from gradcheck.handwritten.calls import make_plan
from gradcheck.model.case import Case, CodeBody
from gradcheck.model.problem import Array, Claim, Problem, Source
from gradcheck.model.report import Finding
from gradcheck.numerical.difference import Responder
from gradcheck.numerical.evidence import TensorEvidence, expected_evaluations
from gradcheck.numerical.noise import Noise, measure_noise
from gradcheck.record import dataclass, field

OWN: Source = "formula"  # what the claim of the reference about itself is called
SHARPEST_MISS = 1e-3  # a reference whose check could miss a larger mistake is no measure of others


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The evidence about one tensor, as data: see `TensorEvidence`."""

    arrays: Mapping[str, NDArray[Any]]
    climbed: NDArray[np.bool_]
    most: float
    shared: int


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The evidence about the reference at one point; serves any number of submissions, each with a copy of its own.

    What one submission makes us look at again is not seen by the next, so that the order in which they are graded
    changes nothing. Implements `checking.examine.Known`.
    """

    noise: Noise
    tensors: Mapping[str, Kept]

    def evidence(self, problem: Problem, responder: Responder, tensor: str, seed: int) -> TensorEvidence:
        made = TensorEvidence(problem, responder, self.noise, tensor, seed, is_sampled=True)
        kept = self.tensors[tensor]
        made.arrays = {name: array.copy() for name, array in kept.arrays.items()}
        made.climbed, made.most, made.shared = kept.climbed.copy(), kept.most, kept.shared
        return made


class Gathering:
    """Gathers evidence during one examination, and keeps it. Implements `checking.examine.Known`."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.noise = measure_noise(problem, seed)
        self._tensors: dict[str, TensorEvidence] = {}

    def evidence(self, problem: Problem, responder: Responder, tensor: str, seed: int) -> TensorEvidence:
        self._tensors[tensor] = made = TensorEvidence(problem, responder, self.noise, tensor, seed)
        return made

    def kept(self) -> Evidence:
        return Evidence(
            self.noise,
            {name: Kept(dict(e.arrays), e.climbed, e.most, e.shared) for name, e in self._tensors.items()},
        )


class UnsoundError(Exception):
    """A point at which the reference is no measure of others, by chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """case : with the seed that was drawn from, and the reference's statements written out

    problem : the reference's forward at the point; no claims
    plan : the calls, for a session of the submission
    upstream : one array for each output that backward takes an upstream gradient of
    analytic : the reference's own gradients
    known : the evidence; None where the case is probed within a budget
    is_drawn : for one submission alone; nobody has looked yet whether the reference is sound at this point
    held : a context for many evaluations in a row
    """

    case: Case
    problem: Problem
    plan: Mapping[str, Any]
    upstream: tuple[Array, ...]
    analytic: Mapping[str, NDArray[Any]]
    known: Known | None = None
    budget: int | None = None
    is_drawn: bool = False
    held: Callable[[], AbstractContextManager[None]] = nullcontext

    @property
    def inputs(self) -> dict[str, NDArray[Any]]:
        return {name: self.problem.point[name] for name in self.case.inputs}

    @property
    def size(self) -> int:
        """Elements of all gradients."""
        return sum(self.problem.point[name].size for name in self.problem.wrt)

    def judged(self, gradients: Mapping[str, NDArray[Any]]) -> tuple[Finding, ...]:
        """What is to be said about somebody's gradients here, and about `out`, where it is among them.

        Raises UnsoundError where the point was drawn for them and the reference is no measure there.
        """
        claim = Claim("backward", gradients, epsilon=self.problem.epsilon)
        if not self.is_drawn:
            return self.examined(replace(self.problem, claims=(claim,)))[0]
        own = Claim(OWN, self.analytic, epsilon=self.problem.epsilon)
        # One examination of both: its evaluations are those of the reference, and serve two claims as well as one.
        found, examination = self.examined(replace(self.problem, claims=(claim, own)))
        if _flaws(self, [finding for finding in found if finding.claim == OWN], examination):
            raise UnsoundError
        theirs = tuple(finding for finding in found if finding.claim != OWN)
        if self.budget is not None and any(finding.verdict == "inconclusive" for finding in theirs):
            theirs = replace(self, budget=None).examined(replace(self.problem, claims=(claim,)))[0]
        return theirs

    def examined(self, problem: Problem) -> tuple[tuple[Finding, ...], Examination]:
        """Findings about the claims of a problem with this question's function, and the examination itself."""
        with self.held():
            examination = examine(
                problem, rtol=self.case.rtol, seed=self.case.seed, budget=self.budget, known=self.known
            )
        return examination.findings, examination


@dataclass(frozen=True, slots=True, eq=False)
class Soundness:
    """Whether a reference is a measure of others at one point.

    evidence : None where the case is probed
    flaws : what is wrong with it, a sentence each
    """

    evidence: Evidence | None
    flaws: tuple[str, ...] = field(default=())


def pose(
    case: Case, trial: int = 0, *, evidence: Evidence | None = None, budget: int | None = None, is_drawn: bool = False
) -> Question:
    """Open the reference at the trial-th point of a case.

    evidence : that of an earlier look at the same point
    is_drawn : see Question
    Raises what `build` raises; the code that breaks is the reference.
    """
    body = case.body
    assert isinstance(body, CodeBody)
    assert body.reference is not None
    trusted = replace(case, body=replace(body, path=body.reference, reference=None), expected={}, gradient={})
    built = build(trusted, trial)
    written_out = built.body
    assert isinstance(written_out, CodeBody)
    if written_out.arrays is not None:
        message = f"the reference computes with {written_out.arrays}; the box has numpy and the standard library"
        raise FieldError(message, "let it take and return numpy arrays", ("reference",))
    problem, claim = built.problem, built.problem.claims[0]
    plan = make_plan(replace(trusted, body=written_out), written_out)
    # One gradient that is not written yet does not cost the others their points.
    plan["optional"] = list(dict.fromkeys((*plan["optional"], *problem.wrt)))
    trusted = replace(trusted, body=written_out)
    ends = np.cumsum([int(np.prod(shape)) for shape in problem.output_shapes])
    pieces = np.split(problem.upstream, ends[:-1])
    takes_upstream = built.code is not None and built.code.takes_upstream
    upstream = [p.reshape(shape) for p, shape in zip(pieces, problem.output_shapes, strict=True)]
    is_probed = budget is not None and expected_evaluations(problem) > budget
    return Question(
        case=trusted,
        problem=replace(problem, claims=()),
        plan=plan,
        upstream=tuple(upstream) if takes_upstream else (),
        analytic={name: np.asarray(claim.gradients[name]) for name in problem.wrt if name in claim.gradients},
        known=None if is_probed else evidence,
        budget=budget if is_probed else None,
        is_drawn=is_drawn,
        held=built.held,
    )


def look_at(question: Question) -> Soundness:
    """Grade the reference by its own differences, and keep them."""
    claim = Claim("backward", question.analytic, epsilon=question.problem.epsilon)
    problem = replace(question.problem, claims=(claim,))
    gathering = None if question.budget is not None else Gathering(problem, question.case.seed)
    findings, examination = replace(question, known=gathering).examined(problem)
    flaws = _flaws(question, findings, examination)
    return Soundness(None if gathering is None else gathering.kept(), flaws)


def _flaws(question: Question, findings: Sequence[Finding], examination: Examination) -> tuple[str, ...]:
    """What is wrong with a reference, by the findings about its own gradients; a sentence each."""
    flaws = [_flaw(finding, question) for finding in findings if finding.verdict != "pass"]
    flaws += [
        f"{f.tensor}: a mistake of {f.resolution:.1e} could be missed, and {SHARPEST_MISS:g} is the most"
        for f in findings
        if f.verdict == "pass" and f.resolution is not None and not f.resolution <= SHARPEST_MISS
    ]
    flaws += [f"{name}: its gradient is zero" for name, array in question.analytic.items() if not np.any(array)]
    lacking = [name for name in question.problem.wrt if name not in question.analytic]
    flaws += [f"{name}: the reference gives no gradient" for name in lacking]
    if examination.noise.spread > 0:
        flaws.append("two evaluations at the same point differ")
    return tuple(dict.fromkeys(flaws))


def _flaw(finding: Finding, question: Question) -> str:
    worst = finding.worst
    if finding.verdict == "fail" and worst is not None:
        return (
            f"{finding.tensor} is wrong: it claims {worst.claimed:.6g} and differences give {worst.numeric:.6g} "
            f"(seed {question.case.seed})"
        )
    return (
        f"{finding.tensor} is {finding.verdict}: {finding.reason}" if finding.reason else f"{finding.tensor} is wrong"
    )

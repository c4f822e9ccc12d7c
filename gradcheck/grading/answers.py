"""What a submission answers to a question, and what is to be said about it: its forward, and every gradient.

Arrays come out of the box and are judged by `verdict`, against differences of the reference; nothing that the
submission computes has a part in how it is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gradcheck.checking.building.drawing import Built
from gradcheck.checking.building.translate import translating
from gradcheck.checking.examine import examine
from gradcheck.checking.explaining.diagnosing import diagnosed
from gradcheck.errors import GradcheckError, UserCodeError
from gradcheck.grading.questions import Question
from gradcheck.grading.reference import FORWARD
from gradcheck.handwritten.session import CodeError
from gradcheck.model.problem import Array, Claim, Point
from gradcheck.model.report import Finding
from gradcheck.record import dataclass
from gradcheck.sandbox.terms import BoxError
from gradcheck.verdict.aggregate import PRECEDENCE, malformed

OWN_BUDGET = 400  # evaluations of a submission's own forward, to see whether its backward is right for it
AGAIN = "a second call gives other numbers; both must be right"


class Session(Protocol):
    """A plan on a submission's code; in the box, or – in tests – here."""

    def open(self, arrays: Mapping[str, Any], /) -> dict[str, Any]: ...
    def forward(self, point: Mapping[str, Any], /) -> list[Any]: ...
    def gradients(self, point: Mapping[str, Any], upstream: list[Any] | None = None, /) -> dict[str, Any]: ...
    def cpu_seconds(self) -> float: ...


Sessions = Callable[[Mapping[str, Any]], Session]  # plan → session


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """point : what the session was given; seconds : of the processor, for one forward, and for one with backward"""

    point: Mapping[str, NDArray[Any]]
    outputs: tuple[NDArray[Any], ...]
    gradients: Mapping[str, NDArray[Any]]
    seconds: tuple[float, float] = (0.0, 0.0)


def ask(question: Question, sessions: Sessions) -> tuple[tuple[Answers, ...], Session]:
    """The answers to a question, asked three times: who answers right only now and then does not answer right.

    The second time backward comes first, so that no count of calls has it right for all by being odd, or even.
    Raises CodeError, BoxError.
    """
    session = sessions(question.plan)
    point = _point(question, session)
    first = _asked(question, session, point)
    reversed_ = _asked(question, session, point, is_reversed=True)
    return (first, reversed_, _asked(question, session, point)), session


def _point(question: Question, session: Session) -> dict[str, NDArray[Any]]:
    """The inputs, and the reference's values for the parameters of the submission's own objects."""
    own, wanted = session.open(question.inputs), question.problem.point
    for name, value in wanted.items():
        if name in question.inputs:
            continue
        if name not in own:
            raise CodeError("missing", "load", f"there is no parameter '{name}'")
        if np.shape(own[name]) != value.shape:
            text = f"the parameter '{name}' has shape {np.shape(own[name])}, expected {value.shape}"
            raise CodeError("invalid", "load", text)
    return {**own, **wanted}


def _asked(
    question: Question, session: Session, point: Mapping[str, NDArray[Any]], *, is_reversed: bool = False
) -> Answers:
    if is_reversed:
        gradients = session.gradients(point, list(question.upstream))
        return Answers(point, tuple(np.asarray(o) for o in session.forward(point)), gradients)
    started = session.cpu_seconds()
    outputs = session.forward(point)
    between = session.cpu_seconds()
    gradients = session.gradients(point, list(question.upstream))
    seconds = (between - started, session.cpu_seconds() - between)
    return Answers(point, tuple(np.asarray(o) for o in outputs), gradients, seconds)


def findings(question: Question, answers: Sequence[Answers], *, is_explained: bool) -> tuple[Finding, ...]:
    """One for the forward and for every gradient; of several calls the graver one.

    is_explained : with what a wrong one looks like
    """
    first, *others = answers
    found = _findings(question, first, is_explained)
    for other in others:
        if _same(first, other):
            continue
        again = {finding.tensor: finding for finding in _findings(question, other, is_explained)}
        found = tuple(graver(old, replace(f, notes=(*f.notes, AGAIN))) for old in found if (f := again[old.tensor]))
    return found


def graver(a: Finding, b: Finding) -> Finding:
    """Of two findings about the same tensor the one with the stronger word, the first where they are equal."""
    return b if PRECEDENCE.index(b.verdict) < PRECEDENCE.index(a.verdict) else a


def _findings(question: Question, answers: Answers, is_explained: bool) -> tuple[Finding, ...]:
    problem, sound, broken = question.problem, dict[str, NDArray[Any]](), list[Finding]()
    output = _output(question, answers.outputs)
    if isinstance(output, Finding):
        broken.append(output)
    else:
        sound[FORWARD] = output
    for tensor in problem.wrt:
        shape = problem.point[tensor].shape
        if tensor not in answers.gradients:
            reason = "backward gives no gradient of it"
            broken.append(Finding("backward", tensor, shape, "error", reason=reason))
            continue
        raw = np.asarray(answers.gradients[tensor])
        if raw.shape != shape and question.case.same_size and raw.size == problem.point[tensor].size:
            raw = raw.reshape(shape)
        if raw.dtype == np.float16:  # as right as its few digits are, which is not what was asked for
            reason = "the gradient is float16; expected float64, or float32"
            broken.append(malformed("backward", tensor, shape, reason))
        elif raw.shape != shape:
            reason = f"the gradient has shape {raw.shape}; expected {shape}"
            broken.append(malformed("backward", tensor, shape, reason))
        else:
            sound[tensor] = raw
    judged = list(question.judged(sound)) if sound else []
    if is_explained and any(finding.verdict == "fail" for finding in judged):
        judged = _explained(question, sound)
    found = {finding.tensor: finding for finding in (*judged, *broken)}
    return tuple(replace(found[name], heat=None) for name in (FORWARD, *problem.wrt) if name in found)


def _explained(question: Question, gradients: Mapping[str, NDArray[Any]]) -> list[Finding]:
    claim = Claim("backward", gradients, epsilon=question.problem.epsilon)
    problem = replace(question.problem, claims=(claim,))
    found, examination = question.examined(problem)
    # Without its code: what would make the numbers right is looked for in the numbers alone.
    return diagnosed(question.case, Built(problem), examination, found, {"backward": {}})


def _output(question: Question, outputs: tuple[NDArray[Any], ...]) -> NDArray[Any] | Finding:
    """All outputs as one claim, in the reference's form; or the finding that they cannot be compared."""
    shapes = question.problem.output_shapes
    got = tuple(output.shape for output in outputs)
    sizes = [int(np.prod(shape)) for shape in shapes]
    is_near = question.case.same_size and [output.size for output in outputs] == sizes
    if got != shapes and not is_near:
        said, expected = (", ".join(map(str, each)) or "nothing" for each in (got, shapes))
        return malformed("backward", FORWARD, shapes[0], f"forward gives shape {said}; expected {expected}")
    if any(output.dtype.kind not in "fiub" for output in outputs):
        return malformed("backward", FORWARD, shapes[0], "forward gives no real numbers")
    joined = np.concatenate([output.reshape(-1) for output in outputs])
    return joined.reshape(shapes[0]) if len(shapes) == 1 else joined


def _same(first: Answers, second: Answers) -> bool:
    return (
        first.gradients.keys() == second.gradients.keys()
        and len(first.outputs) == len(second.outputs)
        and all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first.outputs, second.outputs, strict=True))
        and all(np.array_equal(g, second.gradients[n], equal_nan=True) for n, g in first.gradients.items())
    )


def is_right_for_itself(question: Question, answers: Answers, session: Session, seconds: float) -> bool:
    """Whether a backward is right for the submission's own forward, whatever that computes. Worth no points.

    seconds : that may be spent on it
    Raises BoxError.
    """
    started = perf_counter()

    def own(point: Point) -> Array:
        if perf_counter() - started > seconds:
            raise UserCodeError("timeout", "forward", "that takes too long")
        outputs = session.forward({**answers.point, **point})
        return np.concatenate([np.asarray(output, np.float64).reshape(-1) for output in outputs])

    value = np.concatenate([np.asarray(output, np.float64).reshape(-1) for output in answers.outputs])
    if value.shape != question.problem.value.shape or not np.isfinite(value).all():
        return False
    claim = Claim("backward", answers.gradients, epsilon=question.problem.epsilon)
    problem = replace(question.problem, function=translating(own), value=value, claims=(claim,), batch=None)
    try:
        examination = examine(problem, rtol=question.case.rtol, seed=question.case.seed, budget=OWN_BUDGET)
    except BoxError:
        raise
    except GradcheckError:
        return False
    return all(finding.verdict == "pass" for finding in examination.findings) and bool(examination.findings)

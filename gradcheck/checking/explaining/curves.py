"""Step curves: the central differences of a worst element at every step of the ladder, for a picture of the evidence.

No verdict hangs on these numbers, and their evaluations are not counted among those of the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gradcheck.checking.deadline import deadline
from gradcheck.checking.examine import Examination
from gradcheck.errors import GradcheckError
from gradcheck.model.case import Case, CodeBody
from gradcheck.model.evidence import Estimate
from gradcheck.model.problem import Problem
from gradcheck.model.report import Finding, StepCurve
from gradcheck.numerical.difference import PlainLoop, Responder
from gradcheck.numerical.evidence import start_exponent
from gradcheck.numerical.ladder import Ladder
from gradcheck.numerical.noise import Noise
from gradcheck.numerical.schedule import engine_for
from gradcheck.numerical.steps import element_scales

MOST_CURVES = 8  # of one point of a case; a network of fifty layers shows the same mistake in each of them


def with_curves(case: Case, problem: Problem, examination: Examination, findings: Sequence[Finding]) -> list[Finding]:
    """The findings; of those that do not pass, the first few with the step curve of their worst element.

    case : whose time limit holds for every curve by itself
    """
    responder = engine_for(problem, PlainLoop(problem, examination.noise))
    estimates = {(s.claim.source, s.tensor): estimate for s, estimate in examination.compared}
    made: list[Finding] = []
    left = MOST_CURVES
    for finding in findings:
        estimate = estimates.get((finding.claim, finding.tensor))
        if estimate is None or finding.worst is None or finding.verdict == "pass" or not left:
            made.append(finding)
            continue
        left -= 1
        seconds, folder = (case.timeout, case.body.path.parent) if isinstance(case.body, CodeBody) else (None, Path())
        try:
            with deadline(seconds, folder):
                curve = _curve(problem, responder, examination.noise, finding.tensor, finding.worst.index, estimate)
        except GradcheckError:  # at a long step somebody's code may break, or not come to an end
            curve = None
        made.append(replace(finding, curve=curve))
    return made


def _curve(
    problem: Problem, responder: Responder, noise: Noise, tensor: str, index: tuple[int, ...], estimate: Estimate
) -> StepCurve | None:
    """None where the function is nowhere finite on both sides."""
    x = np.asarray(problem.point[tensor])
    cell = int(np.ravel_multi_index(index, x.shape)) if index else 0
    flat, cells = x.reshape(-1), np.array([cell])
    start = start_exponent(noise, problem.epsilon)
    own = flat[cells].astype(np.float64)
    ladder = Ladder(tensor, cells, own, element_scales(flat)[cells], start, noise, problem.epsilon)
    ladder.climb_all(responder)
    levels = ladder.levels()
    known = np.isfinite(levels.central[:, 0])
    if not known.any():
        return None
    steps, slopes, error = (a[known, 0].tolist() for a in (levels.steps, levels.central, levels.error))
    return StepCurve(tuple(steps), tuple(slopes), tuple(error), float(estimate.step.reshape(-1)[cell]))

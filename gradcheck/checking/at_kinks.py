"""A closer look at elements that stand at a kink, where an interval for each of them says too little or too much.

Too little where an output sums over many kinks, too much where elements are tied; what is measured, and how, is said in
`numerical.kinks`, what follows from it in `verdict`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.problem import Array, Problem
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.evidence import TensorEvidence
from gradcheck.numerical.kinks import (
    Direction,
    SlopeRange,
    SwitchSlopes,
    directions,
    one_element,
    slopes_at,
    slopes_nearby,
)
from gradcheck.numerical.noise import Noise
from gradcheck.verdict.ties import contradiction

NEARBY_CELLS = 16  # elements of a tensor for which points nearby are looked at; about the others nothing is said
NEARBY_POINTS = (16, 64)  # the second only where the first few leave it open
MAX_SWITCHES = 4096  # kinks inside a graph that are measured one by one


def widen_intervals(
    problem: Problem,
    loop: PlainLoop,
    evidence: TensorEvidence,
    claimed: Array,
    cells: NDArray[np.int64],
    seed: int,
) -> None:
    """Look for slopes that the cells' own intervals leave out: inside the graph, or at points nearby."""
    switches = problem.switches
    if switches is not None and 0 < switches.count <= MAX_SWITCHES:
        slopes = SwitchSlopes(problem, switches, loop)
        central = evidence.estimate.value.reshape(-1)
        for cell in cells:
            evidence.widen(int(cell), *slopes.interval(evidence.tensor, int(cell), float(central[cell])), 0.0)
        return
    x = np.asarray(problem.point[evidence.tensor])
    for cell in cells[:NEARBY_CELLS]:
        nearby = _nearby(problem, loop, one_element(x, evidence.tensor, int(cell)), claimed.reshape(-1)[cell], seed)
        if nearby is not None:
            evidence.widen(int(cell), nearby.low, nearby.high, nearby.band)
    for cell in cells[NEARBY_CELLS:]:
        evidence.widen(int(cell), np.inf, -np.inf, np.inf)


def tied_claims(
    problem: Problem,
    loop: PlainLoop,
    noise: Noise,
    claimed: Mapping[str, Array],
    cells: Mapping[str, NDArray[np.int64]],
    seed: int,
) -> str:
    """What contradicts the claims about some elements at a kink once they move together; "" if nothing does.

    claimed, cells : by the name of the tensor
    """
    for direction in directions(problem.point, cells, seed):
        slopes = slopes_at(problem, loop, noise, direction)
        if slopes is None or not contradiction(claimed, direction, slopes):
            continue
        total = sum(float((claimed[name] * move).sum()) for name, move in direction.moves.items())
        nearby = _nearby(problem, loop, direction, total, seed)
        if nearby is None:
            continue
        against = contradiction(claimed, direction, slopes.joined(nearby))
        if against:
            return against
    return ""


def _nearby(problem: Problem, loop: PlainLoop, direction: Direction, claimed: float, seed: int) -> SlopeRange | None:
    """Slopes at as many points nearby as it takes to find the claimed one among them, or both ends of their range."""
    found = None
    for count in NEARBY_POINTS:
        found = slopes_nearby(problem, loop, direction, count, seed)
        if found is None or found.band == 0.0 or found.low <= claimed <= found.high:
            break
    return found

"""Claims about elements at a kink, taken together: what they add up to must be a slope of the function.

The evidence comes from `numerical.kinks`; single elements are judged in `compare`.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradcheck.model.problem import Array
from gradcheck.numerical.kinks import Direction, SlopeRange
from gradcheck.verdict.compare import CONFIRM, DOUBLE


def contradiction(claimed: Mapping[str, Array], direction: Direction, slopes: SlopeRange) -> str:
    """What is wrong with the sum of the claims along a direction; "" where nothing is.

    claimed : tensor name → claimed gradient; only those that the direction moves are looked at
    """
    total = sum(float((claimed[name] * move).sum()) for name, move in direction.moves.items())
    limit = CONFIRM * slopes.bound + DOUBLE.rtol * max(abs(slopes.low), abs(slopes.high)) + slopes.band
    if slopes.low - limit <= total <= slopes.high + limit:
        return ""
    jumps = slopes.high - slopes.low > CONFIRM * slopes.bound
    seen = f"slopes from {slopes.low:.6g} to {slopes.high:.6g}" if jumps else f"slope {slopes.low:.6g}"
    where = f" of {' and '.join(direction.moves)}" if len(direction.moves) > 1 else ""
    return (
        f"the gradients of the {direction.count} tied elements{where} add up to {total:.6g}; "
        f"moved together they have {seen}"
    )

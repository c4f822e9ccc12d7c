"""What a long case is going to cost, in one line, told before the long part of it begins.

Where the line goes, and whether anybody wants to read it, is the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable

Announce = Callable[[str], None]
OnCost = Callable[[int, float], None]  # evaluations and seconds that are expected
WORTH_TELLING = 3.0  # seconds; who waits longer than that wants to know for how long
PROBING = 2000  # a budget to propose: enough to find a handful of wrong elements among a million


def announcement(name: str, evaluations: int, seconds: float, budget: int | None = None) -> str | None:
    """`affine: 159,020 evaluations of somebody's code, about 38 s; --budget 2000 probes instead`; None for short ones.

    name : of the case
    evaluations, seconds : expected, as `examine` tells its `on_cost`
    budget : the one that is given, and was enough; then none is proposed
    """
    if not seconds >= WORTH_TELLING:
        return None
    told = f"{name}: {evaluations:,} evaluations of somebody's code, about {_duration(seconds)}"
    return told if budget is not None or evaluations <= PROBING else f"{told}; --budget {PROBING} probes instead"


def told_costs(name: str, budget: int | None, announce: Announce | None) -> OnCost | None:
    """What tells `announce` about a case that is going to be long; None where nobody wants to know."""
    if announce is None:
        return None

    def on_cost(evaluations: int, seconds: float) -> None:
        told = announcement(name, evaluations, seconds, budget)
        if told is not None:
            announce(told)

    return on_cost


def _duration(seconds: float) -> str:
    """`38 s`, `12 min`, `3 h`: two digits are more than an expectation is worth."""
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2.0 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"

"""What a wrong gradient looks like: one rule per known mistake, ranked, silent when unsure.

Pure functions of `Evidence`; where another run is needed to be sure, a suspicion says which. Read only where a
finding fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gradcheck.model.report import Diagnosis
from gradcheck.verdict.diagnose import (
    arrangement,
    calls,
    derivatives,
    normalisation,
    penalties,
    regions,
    rounding,
    scaling,
    sums,
)
from gradcheck.verdict.diagnose.evidence import Compared, Evidence
from gradcheck.verdict.diagnose.kinds import KINDS
from gradcheck.verdict.diagnose.pattern import pattern
from gradcheck.verdict.diagnose.suspicion import Rule, Suspicion

__all__ = ["MOST", "RULES", "Compared", "Evidence", "Suspicion", "diagnose", "repaired", "suspicions"]

MOST = 2  # diagnoses that are shown
REPAIR = 10.6  # a change that makes the gradient right says more than its shape, and less than a named constant
PART = 6.0  # and one that makes only some of the gradients right
ANY = frozenset(("term", "variable", "operator"))  # kinds of a change that say nothing about its meaning
ABOUT = frozenset(("penalty", "power", "last_step", "border"))
TOLD = frozenset(("accumulation", "activation", "axis"))  # what the rule says of these explains more than their gloss
FAINT = 0.7  # of the first one's weight: what weighs less is not worth a second sentence

RULES: tuple[Rule, ...] = (
    sums.upstream,
    scaling.zero,
    scaling.sign,
    arrangement.swapped_gradients,
    scaling.factor,
    calls.stale,
    scaling.power,
    scaling.clipped,
    sums.overwritten,
    penalties.penalty,
    arrangement.transposed,
    arrangement.axes,
    arrangement.flipped,
    arrangement.forwards,
    arrangement.shift,
    arrangement.cut,
    sums.missing_sum,
    sums.wrong_axis,
    derivatives.softmax,
    derivatives.dropout,
    derivatives.activation,
    normalisation.eps,
    normalisation.path,
    sums.accumulation,
    regions.negative,
    regions.ties,
    regions.one_class,
    regions.last_step,
    regions.unmasked,
    regions.constant,
    regions.border,
    rounding.digits,
    rounding.precision,
)


def suspicions(evidence: Evidence) -> list[Suspicion]:
    """What every rule says that says anything, the weightiest first; of equals the earlier in `RULES`."""
    if not evidence.subject.primal.size:
        return []
    with np.errstate(all="ignore"):  # what overflows is like nothing else, and no rule takes it for a match
        found = [suspicion for rule in RULES if (suspicion := rule(evidence)) is not None]
    return sorted(found, key=lambda s: -s.weight)


def repaired(kind: str, place: str, before: str, after: str, *, is_whole: bool = True) -> Suspicion:
    """What a small change of the code that makes the gradient right says about the mistake.

    is_whole : whether all gradients are right then; one that mends a part of them may do so by chance
    """
    advice = f"write `{after}` in place of `{before}`; then the gradient is right"
    return Suspicion(kind, KINDS[kind].gloss, REPAIR if is_whole else PART, place, advice)


def _settled(found: list[Suspicion], tried: Callable[[Mapping[str, float]], Evidence | None]) -> list[Suspicion]:
    """The weightiest suspicion after the run that it asks for, if it asks for one; the next one where it is refuted."""
    if not found or found[0].settle is None:
        return found
    other = tried(found[0].trial)
    with np.errstate(all="ignore"):
        left = found[0] if other is None else found[0].settle(other)
    return sorted([*([] if left is None else [left]), *found[1:]], key=lambda s: -s.weight)


def _with_repair(found: Sequence[Suspicion], mended: Sequence[Suspicion]) -> list[Suspicion]:
    """What the numbers say and the change that mends it, the weightier first.

    Where the change is of a sort that any mistake may be (another variable, one factor more), and the numbers say what
    it is about, they give the name, and the change gives the line.
    """
    if mended and found and mended[0].kind in ANY and found[0].kind in ABOUT and mended[0].weight == REPAIR:
        first = replace(found[0], weight=REPAIR, place=mended[0].place, advice=mended[0].advice)
        return [first, *found[1:]]
    agreeing = next((s for s in found if mended and s.kind == mended[0].kind), None)
    if (
        agreeing is not None and agreeing.kind in TOLD and mended[0].weight == REPAIR
    ):  # the sentence of the one, the line of the other
        both = replace(mended[0], text=agreeing.text)
        return [both, *(s for s in found if s is not agreeing)]
    return sorted([*found, *mended], key=lambda s: -s.weight)


def diagnose(
    evidence: Evidence,
    mended: Callable[[], Sequence[Suspicion]] = tuple,
    tried: Callable[[Mapping[str, float]], Evidence | None] = lambda numbers: None,
) -> tuple[Diagnosis, ...]:
    """At most two likely mistakes; where no rule fits, the pattern in plain words.

    mended : finds the changes of the code that make this gradient right, the likeliest first; asked only where the
        numbers do not say it better
    tried : the evidence with other sizes and options, by name; None where the case cannot have them
    """
    found = _settled(suspicions(evidence), tried)
    if not found or found[0].weight <= REPAIR:
        found = _with_repair(found, mended()[:1])
    if not found:
        seen = pattern(evidence)
        return () if seen is None else (Diagnosis(seen.kind, seen.text),)
    kept: dict[str, Suspicion] = {}
    for suspicion in found:
        if suspicion.weight >= FAINT * found[0].weight:
            kept.setdefault(suspicion.kind, suspicion)
    first, *rest = list(kept.values())[:MOST]
    said = Diagnosis(first.kind, first.text, first.place, first.advice or KINDS[first.kind].advice)
    return (said, *(Diagnosis(s.kind, s.text, s.place, s.advice) for s in rest))

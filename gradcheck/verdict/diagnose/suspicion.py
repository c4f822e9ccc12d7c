"""Suspicion: what a rule returns – a kind, the sentence for it, and how much it weighs beside others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gradcheck.record import dataclass, field
from gradcheck.verdict.diagnose.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Suspicion:
    """kind : a word of `kinds.KINDS`

    text : what the numbers show, in a sentence
    weight : the heavier is told first; rules that ask for more agreement weigh more
    place, advice : where to look and the next step, where they are known better than by the kind
    trial : sizes and options with which another run would tell more, by name; empty where nothing is open
    settle : what is left of the suspicion when the evidence of that run is known; None where it is refuted
    """

    kind: str
    text: str
    weight: float = 1.0
    place: str = ""
    advice: str = ""
    trial: Mapping[str, float] = field(default_factory=dict)
    settle: Callable[[Evidence], Suspicion | None] | None = None


Rule = Callable[[Evidence], Suspicion | None]

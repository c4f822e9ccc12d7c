"""The rule about calls: what is left of an earlier one.

The session calls every backward twice, and notes a difference.
"""

from __future__ import annotations

from gradcheck.verdict.diagnose.evidence import Evidence
from gradcheck.verdict.diagnose.scaling import ratio
from gradcheck.verdict.diagnose.suspicion import Suspicion

DIFFERS = "a second backward gives another gradient of"  # the beginning of the session's note


def stale(evidence: Evidence) -> Suspicion | None:
    """The same backward gives something else when it is called once more."""
    name = f"'{evidence.subject.tensor}'"
    if name not in _said(evidence):
        return None
    others = [other for other in evidence.others.values() if f"'{other.tensor}'" in _said(evidence)]
    if any(not other.fails for other in others):
        return None  # that one is added up as well, and right
    k = ratio(evidence.subject)
    if k is not None and k > 1.5 and abs(k - round(k)) < 1e-5:
        text = f"the gradient has been added up {round(k)} times, and a second backward adds it once more"
        return Suspicion("stale", text, 11)
    text = "a second backward gives another gradient: something that is left from the call before is in it"
    return Suspicion("stale", text, 6)


def _said(evidence: Evidence) -> str:
    """The notes about it, with the names of the tensors in them."""
    return " ".join(note for note in evidence.notes if note.startswith(DIFFERS))

"""The few characters beyond ASCII that reports draw with, and what stands in for them where an output has none.

Signs only; text that comes from elsewhere goes through `escape.py`.
"""

from __future__ import annotations

from dataclasses import fields

from gradcheck.record import dataclass
from gradcheck.reporters.escape import can_encode


@dataclass(frozen=True, slots=True)
class Symbols:
    """All but `ellipsis` are one cell wide in Unicode; the ASCII ones may be wider."""

    good: str = "✓"
    bad: str = "✗"
    doubtful: str = "?"
    broken: str = "!"
    plus_minus: str = "±"
    dot: str = "·"
    rule: str = "─"
    ellipsis: str = "…"


UNICODE = Symbols()
ASCII = Symbols(good=" ", bad="x", plus_minus="+-", dot="|", rule="-", ellipsis="...")


def symbols_for(encoding: str) -> Symbols:
    """The full set where the encoding has every character of it, otherwise ASCII throughout: never a mixture."""
    return UNICODE if can_encode("".join(getattr(UNICODE, f.name) for f in fields(UNICODE)), encoding) else ASCII

"""Which function is the backward of another one, by their names: `relu_backward` of `relu_forward`, `dmse` of `mse`.

Names alone, by the tables; whether the two fit together is seen when they are called.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from gradcheck.handwritten.conventions.tables import NAMING, PARTNER_WORDS, PREFIXES, SUFFIXES
from gradcheck.handwritten.outline import FunctionOutline


def partner_of(name: str, functions: Mapping[str, FunctionOutline]) -> str | None:
    """The backward of a function: by the end of its name, by its beginning, by a word anywhere in it."""
    if name == "fwd" and "bwd" in functions:
        return "bwd"
    for end, partner_end in SUFFIXES:
        if name.endswith(end) and (found := name.removesuffix(end) + partner_end) in functions:
            return found if found != name else None
    for start, partner_start in PREFIXES:
        if name.startswith(start) and (found := partner_start + name.removeprefix(start)) in functions:
            return found if found != name else None
    returns = functions[name].returns
    for forward, backward, takes_one in PARTNER_WORDS:
        is_one = returns is None or len(returns) == 1  # `loss, grads = f(…)` needs nobody to differentiate it
        if takes_one and not is_one:
            continue
        about = _about(name, forward, forward)
        found_here = [f for f in functions if about is not None and f != name and _about(f, backward, forward) == about]
        if len(found_here) == 1:
            return found_here[0]
    return None


def forward_of(name: str, forwards: Collection[str]) -> str | None:
    """The forward that a further backward is about: `norm_forward` for `norm_backward_alt`; of several the nearest."""
    found: dict[str, int] = {}
    for forward, backward, takes_one in PARTNER_WORDS:
        about = None if takes_one else _about(name, backward, forward)
        for other in forwards if about is not None else ():
            theirs = _about(other, forward, forward)
            if theirs and about and about[: len(theirs)] == theirs:
                found[other] = len(theirs)
    return max(found, key=lambda other: found[other], default=None)


def _about(name: str, marks: Collection[str], silent: Collection[str]) -> tuple[str, ...] | None:
    """The words of a name without those that say which of the two it is; None where it has no such word."""
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)
    low = [word.lower() for word in words]
    if not set(low) & set(marks):
        return None
    return tuple(word for word in low if word not in {*marks, *silent, *NAMING})

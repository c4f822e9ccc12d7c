"""Which tier to grade in: the strongest whose walls were seen to hold, and never one weaker than is required."""

from __future__ import annotations

import sys
from functools import cache

from gradcheck.errors import UnsafeError
from gradcheck.sandbox.remedies import NOT_LINUX, remedy
from gradcheck.sandbox.terms import Tier
from gradcheck.sandbox.tiers import LACKS, LAYERS, MEDIUM, STRONG, TIERS


def choose_tier(required: str = MEDIUM, asked: str | None = None) -> Tier:
    """The strongest tier that holds here, or the one asked for; seen to hold, by a child that tries to get out.

    required : "medium", or "limits" where the user allows grading without a sandbox
    asked : "strong" | "medium" | "limits", or None for the strongest; never weaker than required
    Raises UnsafeError (exit code 4) with the reason per tier and the remedy.
    """
    for word in (required, asked or required):
        if word not in TIERS:
            raise UnsafeError(f"there is no tier '{word}'", f"tiers are {', '.join(TIERS)}")
    if asked is not None and TIERS.index(asked) > TIERS.index(required):
        hint = "--allow-unsandboxed allows it, and every output will say so"
        raise UnsafeError(f"tier '{asked}' is weaker than the required '{required}'", hint)
    reasons = []
    for name in [asked] if asked else TIERS[: TIERS.index(required) + 1]:
        found = try_tier(name)
        if isinstance(found, Tier):
            return found
        reasons.append(f"{name}: {found}")
    wanted = asked or required
    message = f"no sandbox of tier {wanted}{'' if wanted == STRONG or asked else ' or better'} ({'; '.join(reasons)})"
    raise UnsafeError(message, remedy(wanted))


@cache
def try_tier(name: str) -> Tier | str:
    """The tier, where its walls were seen to hold in this process's life; else the reason why there is none."""
    if sys.platform != "linux":
        return NOT_LINUX
    from gradcheck.sandbox.proof import holes  # brings in what exists on Linux only

    try:
        found = holes(name)
    except UnsafeError as error:
        return error.message
    if found:
        return f"the walls have holes: {', '.join(found)}"
    return Tier(name, LAYERS[name], LACKS[name])

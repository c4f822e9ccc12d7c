"""Tries the walls of a tier before anybody relies on them: a box of our own attempts what none may do.

That a layer exists is no proof that it holds: an emulated kernel may ignore a filter, a mount may lead around a rule.
"""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

from gradcheck.sandbox.box import Box
from gradcheck.sandbox.probe import LOOPBACK
from gradcheck.sandbox.terms import BoxError, Limits, Tier
from gradcheck.sandbox.tiers import LIMITS, STRONG

# What stops an attempt: it is not permitted, not there for this process, or there is no room for it.
STOPPED = {"EPERM", "EACCES", "ENOSYS", "ENOMEM"}
# Of a file it is as good that there is none, or that nothing can be written where it is.
STOPPED_FILES = {*STOPPED, "ENOENT", "EROFS"}
FILES = {
    "seeing that a file is there", "reading a file outside", "listing a folder outside", "writing a file outside",
    "making a file", "making a temporary file", "a switch of the kernel", "memory of the grader",
}  # fmt: skip
OF_STRONG = "seeing that a file is there"  # what only a file tree of its own hides
OF_LIMITS = ("memory without end",)  # all that the tier `limits` promises

TRIAL = Limits(seconds=20.0, memory=256 << 20)


def holes(name: str) -> list[str]:
    """The attempts that were not stopped in a box of this tier, "…: what happened"; none where its walls hold.

    Raises UnsafeError where there is no such box.
    """
    wanted = OF_LIMITS if name == LIMITS else ()
    try:
        tried = attempts(name, wanted)
    except BoxError as error:
        return [f"the trial broke off: {error.message}"]
    if not tried:
        return ["the trial said nothing"]
    if name != STRONG:
        tried.pop(OF_STRONG, None)
    return [f"{attempt} ({by or 'done'})" for attempt, by in tried.items() if not _is_stopped(attempt, by)]


def attempts(name: str, wanted: tuple[str, ...] = ()) -> dict[str, str]:
    """Attempt → the error that stopped it, "" where nothing did. Raises UnsafeError, BoxError."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as listener:
        os.chmod(folder, 0o777)  # whatever keeps the box out, it is not this
        canary = Path(folder, "canary")
        canary.write_text("canary")
        os.chmod(canary, 0o666)
        listener.bind((LOOPBACK, 0))
        listener.listen()
        targets = {
            "canary": str(canary), "folder": folder, "port": listener.getsockname()[1], "parent": os.getpid(),
            "memory": 2 * TRIAL.memory,
        }  # fmt: skip
        with Box(Tier(name, ()), TRIAL) as box:
            reply, _ = box.request("probe", {"targets": targets, "wanted": list(wanted)})
    tried: dict[str, str] = reply["tried"]
    return tried


def _is_stopped(attempt: str, by: str) -> bool:
    if attempt == "a thread":
        return by == "RuntimeError"
    return by in (STOPPED_FILES if attempt in FILES else STOPPED)

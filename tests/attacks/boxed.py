"""What the tests of the box share: a plan, one question to a file of hostile source, a look at the host afterwards."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.handwritten.calls import make_plan
from gradcheck.model.case import CodeBody
from gradcheck.sandbox import zygote
from gradcheck.sandbox.box import Box, Limits, Tier, open_box
from gradcheck.sandbox.tiers.identity import FIRST_UID, UIDS
from tests.handwritten_examples.table import case_of

X = np.arange(1.0, 4.0)
PAIR = {"forward": "out, cache = f(x)", "backward": "dx = g(dout, cache)"}
HONEST = b"def f(x):\n    return 3 * x, x\ndef g(dout, cache):\n    return 3 * dout\n"
QUICK = Limits(seconds=10.0, cpu=30, memory=256 << 20, output=1 << 16, reply=1 << 20)


# Writes to whatever is open: the channel must be among it.
EVERYWHERE = """
import os as _os
def everywhere(data):
    for fd in range(3, 64):
        try: _os.write(fd, data)
        except OSError: pass
"""


def plan(keys: Mapping[str, Any] = PAIR, arrays: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The plan of a pair of functions f and g of one array x."""
    case = case_of(dict(keys), arrays or {"x": X}, Path("layers.py"))
    assert isinstance(case.body, CodeBody)
    return make_plan(case, case.body)


def forward(box: Box) -> list[Any]:
    """Outputs at X."""
    session = box.session(plan())
    session.open({"x": X})
    return session.forward({"x": X})


def answers(box: Box) -> tuple[list[Any], dict[str, Any]]:
    """Outputs and gradients at X, with an upstream gradient of ones."""
    session = box.session(plan())
    session.open({"x": X})
    return session.forward({"x": X}), session.gradients({"x": X}, [np.ones(3)])


def ask(tier: Tier, source: str | bytes, limits: Limits = QUICK, **files: str) -> tuple[list[Any], dict[str, Any]]:
    """What a file answers in a box of its own. Raises CodeError, BoxError."""
    given = {"layers.py": source.encode() if isinstance(source, str) else source}
    given.update({f"{name}.py": text.encode() for name, text in files.items()})
    with open_box(tier, given, limits) as box:
        return answers(box)


def host() -> dict[str, Any]:
    """What nobody in a box may change about this process and its machine."""
    kinds = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
    switches = [Path("/proc/sys/kernel/core_pattern"), Path("/proc/sys/kernel/hostname"), Path("/proc/mounts")]
    return {
        "limits": [resource.getrlimit(kind) for kind in kinds],
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "processors": os.sched_getaffinity(0),
        "switches": [path.read_text() for path in switches if os.access(path, os.R_OK)],
        "mailboxes": [path.read_text() for path in sorted(Path("/proc/sysvipc").glob("*"))],
        "descriptors": sorted(os.listdir("/proc/self/fd")),
    }


def left(known: set[int] = frozenset(), seconds: float = 5.0) -> set[int]:  # type: ignore[assignment]
    """Processes of boxes and keepers that are there still, once they have had some time to go, without known ones."""
    end = time.monotonic() + seconds
    while (found := processes() - known) and time.monotonic() < end:
        time.sleep(0.01)
    return found


def processes() -> set[int]:
    """Boxes and keepers of this grader, and whatever has the user of a box and nobody to keep it."""
    ours = {each._process.pid for each in zygote._zygotes.values()}
    table = {pid: parent for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if (parent := _parent(pid))}
    kept = {pid for pid in table if "gradcheck.sandbox.warm" in _command(pid)}  # other graders have theirs
    below = {pid for pid, parent in table.items() if parent in ours or table.get(parent) in ours}
    return below | {pid for pid in table if FIRST_UID <= _uid(pid) < FIRST_UID + UIDS and table[pid] not in kept}


def _parent(pid: int) -> int:
    """0 for a process that is gone, or dead and not yet waited for."""
    try:
        words = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if words[0] in "ZX" else int(words[1])


def _uid(pid: int) -> int:
    try:
        return int(Path("/proc", str(pid), "status").read_text().partition("Uid:")[2].split()[0])
    except (OSError, IndexError):
        return -1


def _command(pid: int) -> str:
    """What it was started as; a fork has that of whoever forked it."""
    try:
        return Path("/proc", str(pid), "cmdline").read_text(errors="replace")
    except OSError:
        return "gone"

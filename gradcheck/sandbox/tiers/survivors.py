"""That nothing is left of a box: it dies with its keeper, and the keeper ends whatever the box has started."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from . import kernel

ROUNDS, PAUSE = 200, 0.005  # a second in all; what forks faster than that is held by RLIMIT_NPROC

_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36


def adopt_orphans() -> None:
    """Processes below this one whose parent ends become its own children. Raises OSError."""
    kernel.prctl(_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """To be called after every change of user, which undoes it. Raises OSError.

    parent : as this process sees it: 0 across the border of a pid namespace
    """
    kernel.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it has died meanwhile
        os._exit(1)


def end_all_children() -> None:
    """Kill and wait until nothing is left below this process; orphans become its children, and are met again."""
    for _ in range(ROUNDS):
        for number in (signal.SIGSTOP, signal.SIGKILL):  # who stands still starts no others meanwhile
            for process in _below(os.getpid()):
                with suppress(ProcessLookupError):
                    os.kill(process, number)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(PAUSE)


def _below(process: int) -> list[int]:
    """Its children, and theirs, as far as they can be seen: a box in a world of its own is all of it."""
    found = []
    with suppress(OSError), open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
        for child in map(int, file.read().split()):
            found += [child, *_below(child)]
    return found

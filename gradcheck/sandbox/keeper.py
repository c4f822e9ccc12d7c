"""One box and the process that keeps it: forks it, ends it when the grader says so or is gone, and tells how it ended.

The keeper stands outside the walls and never looks at what the box says. Standard library only.
"""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

from . import channel
from .child import serve
from .tiers import survivors
from .walls import Walls

MOST_DESCRIPTORS = 1 << 20


def keep(walls: Walls, limits: Mapping[str, Any], requests: int, answers: int, prints: int, line: int) -> NoReturn:
    """In the keeper: never returns.

    requests, answers, prints : pipes of the box; line : socket to the grader, whose end means the end of the box
    """
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        grader = socket.socket(fileno=line)
        walls.around_one()
        keeper = os.getpid()
        box = os.fork()
        if box == 0:
            _become_box(walls, limits, keeper, requests, answers, prints)
        for descriptor in (requests, answers, prints):
            os.close(descriptor)
        grader.send(channel.STARTED.pack(box))
        _wait(box, grader)
        _, ended, usage = os.wait4(box, 0)
        survivors.end_all_children()
        with suppress(OSError):
            grader.send(channel.ENDED.pack(ended, usage.ru_utime + usage.ru_stime))
        status = 0
    finally:
        os._exit(status)


def _wait(box: int, grader: socket.socket) -> None:
    """Until the box has ended, or the grader wants it to."""
    handle = os.pidfd_open(box)
    watched = select.poll()
    watched.register(handle, select.POLLIN)
    watched.register(grader, select.POLLIN | select.POLLHUP)
    ready = [descriptor for descriptor, _ in watched.poll()]
    if handle not in ready:
        os.kill(box, signal.SIGKILL)
    os.close(handle)


def _become_box(
    walls: Walls, limits: Mapping[str, Any], keeper: int, requests: int, answers: int, prints: int
) -> NoReturn:
    """In the box: put the walls up, say so, and serve; never returns."""
    try:
        os.setsid()
        os.dup2(prints, 1)
        os.dup2(prints, 2)
        _close_all_but({0, 1, 2, requests, answers, *walls.descriptors})
        try:
            walls.close(limits, keeper)
        except Exception as error:
            channel.send(
                answers, channel.frame(channel.ERROR, 0, {"text": getattr(error, "strerror", None) or str(error)})
            )
            os._exit(1)
        channel.send(answers, channel.frame(channel.READY, 0, {}))
        serve(requests, answers)
    finally:
        os._exit(0)


def _close_all_but(kept: set[int]) -> None:
    start = 0
    for descriptor in sorted(kept):
        if start < descriptor:  # of an empty range the interpreter makes an endless one
            os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, MOST_DESCRIPTORS)

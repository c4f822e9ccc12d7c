"""Opens boxes: one child process each, in which a stranger's Python runs, and from which only arrays come back.

    tier = choose_tier("medium")
    with open_box(tier, {"layers.py": source}, Limits(seconds=2.0)) as box:
        session = box.session(plan)                         # the plan that `handwritten/calls.py` made
        problem = Handwritten(case, session, arrays, statements)

A session in a box is asked like one here (`handwritten/session/session.py`). How the walls are built is the business of
`tiers/`, what a frame looks like that of `channel.py`, how a number is judged that of others.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from gradcheck.errors import UnsafeError
from gradcheck.sandbox import channel
from gradcheck.sandbox.boxed_session import BoxedSession
from gradcheck.sandbox.channel import (
    ANSWER,
    ENDED,
    ERROR,
    OUT_OF_MEMORY,
    READY,
    REQUEST,
    STARTED,
    MalformedError,
    Named,
)
from gradcheck.sandbox.choice import choose_tier
from gradcheck.sandbox.conversation import Conversation, GoneError, LateError, LoudError
from gradcheck.sandbox.descriptions import code_error
from gradcheck.sandbox.terms import (
    BROKEN_CHANNEL,
    CRASHED,
    FLOODED,
    MEBIBYTE,
    MEMORY,
    TIMEOUT,
    BoxError,
    Limits,
    Tier,
)
from gradcheck.sandbox.zygote import zygote_of

__all__ = ["Box", "BoxError", "BoxedSession", "Limits", "Tier", "choose_tier", "open_box"]

START = 30.0  # seconds for a fork and its walls, on a machine that is busy
GRACE = 1.0  # seconds until a box whose channel is closed has ended, if it does
END = 10.0  # seconds for the kernel to take a killed process away

Reply = tuple[dict[str, Any], Named]


def open_box(tier: Tier, files: Mapping[str, bytes], limits: Limits | None = None) -> Box:
    """A box that knows some Python files and nothing else of the submission.

    files : path relative to the submission ("layers.py", "nets/tools.py") → source; importable by those names, after
        the standard library and numpy. The first is the code of a plan that names no other
    Raises UnsafeError where the walls could not be put up.
    """
    box = Box(tier, limits or Limits())
    try:
        box.request("files", {}, [(name, np.frombuffer(source, np.uint8)) for name, source in files.items()])
    except BaseException:
        box.close()
        raise
    box.files = tuple(files)
    return box


class Box:
    """One child process; a context manager. Not for several threads at a time, but each thread may have its own.

    Whatever ends it (a BoxError, `close`) ends it for good: then every session in it raises the same BoxError again.

    files : the paths of the submission's files
    """

    def __init__(self, tier: Tier, limits: Limits) -> None:
        self.tier, self.limits = tier, limits
        self.files: tuple[str, ...] = ()
        self._ending: BoxError | None = None
        self._number = 0
        self._cpu = 0.0
        theirs_in, requests = os.pipe()
        answers, theirs_out = os.pipe()
        prints, theirs_prints = os.pipe()
        self._keeper, theirs_line = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._conversation = Conversation(requests, answers, prints, limits)
        try:
            with theirs_line:
                given = (theirs_in, theirs_out, theirs_prints, theirs_line.fileno())
                try:
                    zygote_of(tier.name).order(limits, given)
                finally:
                    for descriptor in given[:3]:
                        os.close(descriptor)
            self._pid = self._started()
        except OSError as error:
            self.close()
            raise UnsafeError(f"no box of tier {tier.name} could be started: {error}") from None
        except BaseException:
            self.close()
            raise

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._ending is None

    @property
    def printed(self) -> bytes:
        """What it has printed so far, at most limits.output bytes: hostile text, for the teacher only."""
        return bytes(self._conversation.printed)

    def session(self, plan: Mapping[str, Any], file: str | None = None) -> BoxedSession:
        """Load a file of the submission anew and prepare a plan on it.

        file : one of the files of the box; None for the first
        Raises CodeError (during load), BoxError.
        """
        return BoxedSession(self, plan, self.files[0] if file is None else file)

    def cpu_seconds(self) -> float:
        """Processor time that the box has used so far, by the kernel's account and not by its own."""
        if self.is_alive:
            with suppress(OSError):  # it has just ended
                self._cpu = time.clock_gettime((~self._pid << 3) | 2)  # CPUCLOCK_SCHED of the kernel's posix-timers.h
        return self._cpu

    def waited_seconds(self) -> float:
        """Time that the box has stood in line for a processor, which is the machine's affair; 0 where nobody counts."""
        try:
            with open(f"/proc/{self._pid}/schedstat", encoding="ascii") as file:
                return int(file.read().split()[1]) * 1e-9
        except (OSError, ValueError, IndexError):
            return 0.0

    def request(self, ask: str, header: Mapping[str, Any], arrays: Iterable[tuple[str, Any]] = ()) -> Reply:
        """One request to the child, its answer checked for form. Raises CodeError, BoxError."""
        during = {"forward": "forward", "survey": "forward", "gradients": "backward"}.get(ask, "load")
        if self._ending is not None:
            raise self._ending
        self._number += 1
        pieces = channel.frame(REQUEST, self._number, {"ask": ask, **header}, arrays)
        kind, reply, named = self._answer(pieces, self.limits.seconds, during)
        if kind == ERROR:
            raise code_error(reply, during, self.files)
        return reply, named

    def refuse(self, reason: str, during: str) -> BoxError:
        """End the box for an answer that has the form of one and cannot be true; the error to raise."""
        return self._end(BoxError(BROKEN_CHANNEL, f"what came back is no answer: {reason}", during))

    def close(self) -> None:
        """Kill the box and whatever it has started; returns when all of it is gone."""
        self._end(BoxError(CRASHED, "the box is closed"))

    def __enter__(self) -> Box:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _started(self) -> int:
        """Wait until the walls stand; returns the number of the process. Raises UnsafeError."""
        self._keeper.settimeout(START)
        told = self._keeper.recv(STARTED.size)
        try:
            head, header, _ = self._conversation.ask((), START)
        except (GoneError, LateError, LoudError, MalformedError):
            raise UnsafeError(f"no box of tier {self.tier.name} could be started: it ended at once") from None
        if head.kind != READY or len(told) != STARTED.size:
            raise UnsafeError(str(header.get("text")))
        return int(STARTED.unpack(told)[0])

    def _answer(self, pieces: Iterable[bytes], seconds: float, during: str) -> tuple[int, dict[str, Any], Named]:
        """The frame that answers a request. Raises BoxError, and then the box has ended."""
        try:
            head, header, body = self._conversation.ask(pieces, seconds, self.waited_seconds)
            if head.number != self._number or head.kind not in (ANSWER, ERROR):
                raise MalformedError("it answers something else")
            return head.kind, header, channel.read_arrays(header, body)
        except LateError:
            ending = BoxError(TIMEOUT, f"no answer within {seconds:g} s", during)
        except LoudError as error:
            ending = BoxError(FLOODED, str(error), during)
        except MalformedError as error:
            ending = BoxError(BROKEN_CHANNEL, f"what came back is no answer: {error}", during)
        except GoneError:
            ending = BoxError(CRASHED, "", during)
        raise self._end(ending)

    def _end(self, ending: BoxError) -> BoxError:
        """Take the box away, for the reason given; where it has gone by itself, for the one that its keeper tells."""
        if self._ending is not None:
            return self._ending
        by_itself = b"" if ending.message else self._heard(GRACE)
        with suppress(OSError):
            self._keeper.shutdown(socket.SHUT_WR)
        told = by_itself or self._heard(END)
        self._keeper.close()
        status, used = ENDED.unpack(told) if len(told) == ENDED.size else (0, self._cpu)
        self._cpu = used
        with suppress(LoudError):
            self._conversation.listen()
        self._conversation.close()
        if not ending.message:
            ending.kind, ending.message = _told(status, used, self.limits)
            if not by_itself:
                ending.kind, ending.message = BROKEN_CHANNEL, "it closed its end of the channel"
            ending.args = (ending.message,)
        self._ending = ending
        return ending

    def _heard(self, seconds: float) -> bytes:
        """How the box has ended, told by its keeper; nothing where that takes longer."""
        self._keeper.settimeout(seconds)
        try:
            return self._keeper.recv(ENDED.size)
        except OSError:
            return b""


def _told(status: int, used: float, limits: Limits) -> tuple[str, str]:
    """Kind and message of an end that the box has come to by itself."""
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number == signal.SIGXCPU or used >= limits.cpu:
        return TIMEOUT, f"it used its {limits.cpu} s of processor time"
    if number:
        return CRASHED, f"the process was killed by {signal.Signals(number).name}"
    if os.WEXITSTATUS(status) == OUT_OF_MEMORY:
        return MEMORY, f"it used its {limits.memory / MEBIBYTE:g} MiB of memory"
    return CRASHED, f"the process ended itself, exit code {os.WEXITSTATUS(status)}"

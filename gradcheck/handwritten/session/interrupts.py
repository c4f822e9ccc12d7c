"""Ctrl-C, told from a KeyboardInterrupt that somebody's code raises: the one ends the run, the other is their error.

Nothing is installed by itself; whoever runs code for a person enters `watched`.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_depth = 0  # blocks of `watched` within each other


class Interrupt(KeyboardInterrupt):
    """Somebody outside wants the code to stop: a person at the keyboard, or a time that is up."""


@contextmanager
def watched() -> Iterator[None]:
    """While the block runs, Ctrl-C raises an Interrupt, and any other KeyboardInterrupt is known to be the code's.

    Code that catches the Interrupt goes on, but only to the end of the block. A handler that the caller has put there
    is called first; where Ctrl-C is not Python's own affair, or not this thread's, it cannot raise anything here.

    Raises Interrupt.
    """
    global _depth
    before = signal.getsignal(signal.SIGINT)
    is_ours = callable(before) and threading.current_thread() is threading.main_thread()
    is_pressed = False

    def ring(signum: int, frame: FrameType | None) -> None:
        nonlocal is_pressed
        try:
            if callable(before):
                before(signum, frame)
        except KeyboardInterrupt:
            is_pressed = True
            raise Interrupt from None

    if is_ours:
        signal.signal(signal.SIGINT, ring)
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if is_ours:
            signal.signal(signal.SIGINT, before)
        if is_pressed:
            raise Interrupt


def is_from_outside(error: BaseException) -> bool:
    """Whether an exception that came out of somebody's code is none of theirs.

    Where nobody watches, a KeyboardInterrupt may be a person's, and is taken for one.
    """
    return isinstance(error, Interrupt) or (isinstance(error, KeyboardInterrupt) and not _depth)

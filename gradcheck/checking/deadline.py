"""A time limit for somebody's code: an endless loop becomes an error of theirs, with the line it was in.

Works where the system has timers that interrupt the main thread (Linux, macOS); elsewhere the limit is not enforced.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType

from gradcheck.errors import UserCodeError
from gradcheck.handwritten.session.interrupts import Interrupt


class _TimeIsUpError(Interrupt):
    """An interrupt: neither `except Exception` in somebody's code nor the session takes it for an error of the code."""


@contextmanager
def deadline(seconds: float | None, folder: Path) -> Iterator[None]:
    """Let the block run for at most so many seconds.

    folder : where the code under test lies, to name the file and line it was in

    Raises UserCodeError (timeout).
    """
    if seconds is None or not is_enforced():
        yield
        return

    def ring(signum: int, frame: FrameType | None) -> None:
        raise _TimeIsUpError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _TimeIsUpError as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise _timeout(seconds, folder, error.__traceback__) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def clock_stopped() -> Iterator[None]:
    """What is done in the block does not count against a deadline: the verdict is known, and stays."""
    if not is_enforced():
        yield
        return
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        if left > 0:
            signal.setitimer(signal.ITIMER_REAL, left)


def is_enforced() -> bool:
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


def _timeout(seconds: float, folder: Path, trace: TracebackType | None) -> UserCodeError:
    during, file, line = "load", None, None
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_name in ("forward", "outputs"):
            during = "forward"
        elif code.co_name in ("gradients", "vjp"):
            during = "backward"
        path = Path(code.co_filename)
        if path.is_absolute() and path.is_relative_to(folder):
            file, line = str(path.relative_to(folder)), trace.tb_lineno
        trace = trace.tb_next
    hint = "raise 'timeout', make the arrays smaller, or look for a loop that does not end"
    return UserCodeError("timeout", during, f"your code was not done after {seconds:g} s", file, line, hint)

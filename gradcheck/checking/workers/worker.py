"""A worker process: reads calls on its standard input, answers on its standard output, ends when the input does.

`executors.py` is the other end. Calls run in the main thread, where time limits work as they do in a run without
workers; what they print goes to stderr, and what they read is empty.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
import threading
from queue import SimpleQueue
from typing import IO, Any

_LENGTH = struct.Struct("<Q")
GONE = 3  # exit code of a worker whose owner has gone while it was at work


def send(stream: IO[bytes], message: bytes) -> None:
    """One message, its length before it."""
    stream.write(_LENGTH.pack(len(message)))
    stream.write(message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes:
    """The next message. Raises EOFError where the stream ends before it does."""
    head = stream.read(_LENGTH.size)
    message = stream.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
    if len(head) < _LENGTH.size or len(message) < _LENGTH.unpack(head)[0]:
        raise EOFError
    return message


def carried_out(message: bytes) -> bytes:
    """The outcome of a pickled call (function, args, kwargs), pickled: (True, result) or (False, exception)."""
    try:
        function, args, kwargs = pickle.loads(message)
        outcome: tuple[bool, Any] = True, function(*args, **kwargs)
    except BaseException as error:
        outcome = False, error
    try:
        return pickle.dumps(outcome)
    except Exception as error:
        return pickle.dumps((False, TypeError(f"the outcome of a worker cannot be sent: {error}")))


def main() -> None:
    """Serve until the owner is gone, however it went."""
    calls, answers = _own_streams()
    inbox: SimpleQueue[bytes | None] = SimpleQueue()
    is_busy = threading.Event()

    def listen() -> None:
        try:
            while True:
                inbox.put(receive(calls))
        except (EOFError, OSError):
            if is_busy.is_set():  # nobody waits for the answer any more, and the code may never come to an end
                os._exit(GONE)
            inbox.put(None)

    threading.Thread(target=listen, daemon=True).start()
    while (message := inbox.get()) is not None:
        is_busy.set()
        answer = carried_out(message)
        is_busy.clear()
        try:
            send(answers, answer)
        except OSError:
            break
    sys.stderr.flush()
    os._exit(0)  # threads of somebody's code may not want to end


def _own_streams() -> tuple[IO[bytes], IO[bytes]]:
    """The two ends of the pipe, taken away from the numbers 0 and 1 that somebody's code may use."""
    calls, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return calls, answers

"""One request and its answer, over pipes to a process that may say anything, or nothing, or never stop.

Every wait has a deadline and every length a bound; what is printed meanwhile is collected up to a limit. What an answer
means is the business of those who asked.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from gradcheck.sandbox import channel
from gradcheck.sandbox.channel import HEAD, Head, MalformedError
from gradcheck.sandbox.terms import Limits

CHUNK = 1 << 16
MOST_WAITING = 7.0  # times its own time, for which the other end may have waited for a processor

Received = tuple[Head, dict[str, Any], bytearray]


class LateError(Exception):
    """The deadline has passed."""


class GoneError(Exception):
    """The other end is closed."""


class LoudError(Exception):
    """More was said than is allowed; the text says what."""


class Conversation:
    """The grader's ends of the pipes, which nothing can block.

    requests, answers, prints : descriptors, closed by `close`
    printed : what was printed, as far as it is within the limit
    """

    def __init__(self, requests: int, answers: int, prints: int, limits: Limits) -> None:
        self.requests, self.answers, self.prints, self.limits = requests, answers, prints, limits
        self.printed = bytearray()
        self._open = {requests, answers, prints}
        for descriptor in self._open:
            os.set_blocking(descriptor, False)

    def ask(self, pieces: Iterable[bytes], seconds: float, waited: Callable[[], float] = lambda: 0.0) -> Received:
        """Send a frame and wait for the next one. No pieces: only wait.

        waited : seconds for which the other end has stood in line for a processor until now; they do not count
        Raises LateError, GoneError, LoudError, MalformedError.
        """
        deadline = _Deadline(seconds, waited)
        waiting = [memoryview(piece) for piece in pieces if piece]
        if waiting and self._is_ready(self.answers):
            self._refuse_early()
        answer = _Answer(self.limits.reply)
        while not answer.is_whole:
            ready = self._poll(bool(waiting), deadline)
            if self.prints in ready:
                self.listen()
            if self.answers in ready and not answer.take(self.answers):
                self.listen()
                raise GoneError
            if self.requests in ready and waiting:
                self._write(waiting)
        self.listen()
        assert answer.head is not None
        return answer.head, answer.header, answer.body

    def listen(self) -> None:
        """Take what was printed until now. Raises LoudError."""
        while self.prints in self._open:
            try:
                data = os.read(self.prints, CHUNK)
            except BlockingIOError:
                return
            if not data:
                self._close(self.prints)
                return
            room = self.limits.output - len(self.printed)
            self.printed += data[:room]
            if len(data) > room:
                raise LoudError(f"it printed more than {_size(self.limits.output)}")

    def close(self) -> None:
        for descriptor in tuple(self._open):
            self._close(descriptor)

    def _close(self, descriptor: int) -> None:
        self._open.discard(descriptor)
        os.close(descriptor)

    def _refuse_early(self) -> None:
        if not os.read(self.answers, 1):
            raise GoneError
        raise MalformedError("it came before it was asked for")

    def _write(self, waiting: list[memoryview]) -> None:
        try:
            sent = os.write(self.requests, waiting[0])
        except BlockingIOError:
            return
        except BrokenPipeError:
            raise GoneError from None
        waiting[0] = waiting[0][sent:]
        if not waiting[0]:
            waiting.pop(0)

    def _is_ready(self, descriptor: int) -> bool:
        return bool(select.select([descriptor], [], [], 0)[0])

    def _poll(self, has_more: bool, deadline: _Deadline) -> set[int]:
        left = deadline.left()
        watched = select.poll()
        for descriptor in self._open - {self.requests}:
            watched.register(descriptor, select.POLLIN)
        if has_more:
            watched.register(self.requests, select.POLLOUT)
        # A time that is up says nothing about what has arrived before: it may be this process that was kept waiting.
        ready = {descriptor for descriptor, _ in watched.poll(left * 1e3 + 1 if left > 0 else 0)}
        if left <= 0 and self.answers not in ready:
            with suppress(LoudError):
                self.listen()
            raise LateError
        return ready


class _Deadline:
    """The end of a time, put off by as long as the other end was kept from working: see `Conversation.ask`."""

    def __init__(self, seconds: float, waited: Callable[[], float]) -> None:
        self._waited, self._before = waited, waited()
        self._end = time.monotonic() + seconds
        self._most = MOST_WAITING * seconds

    def left(self) -> float:
        left = self._end - time.monotonic()
        return left if left > 0 else left + min(self._waited() - self._before, self._most)


class _Answer:
    """A frame that arrives piece by piece; nothing is allocated for a length that was not bounded first."""

    def __init__(self, max_body: int) -> None:
        self.max_body = max_body
        self.head: Head | None = None
        self.header: dict[str, Any] = {}
        self.body = bytearray()
        self.is_whole = False
        self._part, self._filled = bytearray(HEAD.size), 0

    def take(self, descriptor: int) -> bool:
        """Read what is there; False at the end of the pipe. Raises MalformedError, LoudError."""
        try:
            got = os.readv(descriptor, [memoryview(self._part)[self._filled :]])
        except BlockingIOError:
            return True
        self._filled += got
        while self._filled == len(self._part) and not self.is_whole:
            self._next()
        return got > 0

    def _next(self) -> None:
        if self.head is None:
            self.head = channel.read_head(bytes(self._part))
            if self.head.body > self.max_body:
                raise LoudError(f"it answered with {_size(self.head.body)}, more than {_size(self.max_body)}")
            self._part, self._filled = bytearray(self.head.header), 0
        elif not self.header:
            self.header = channel.read_header(bytes(self._part))
            if not self.header:
                raise MalformedError("its header is empty")
            self.body = self._part = bytearray(self.head.body)
            self._filled = 0
        else:
            self.is_whole = True


def _size(count: int) -> str:
    return f"{count / 2**20:.4g} MiB" if count >= 2**20 else f"{count} bytes"

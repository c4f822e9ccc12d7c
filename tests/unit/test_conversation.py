"""Asking over pipes: whatever the other end does or leaves undone, the answer or the reason is there in time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest

from gradcheck.sandbox import channel
from gradcheck.sandbox.channel import ANSWER, HEAD, MAGIC, MalformedError
from gradcheck.sandbox.conversation import Conversation, GoneError, LateError, LoudError
from gradcheck.sandbox.terms import Limits

SECONDS = 5.0
LIMITS = Limits(output=1 << 16, reply=1 << 20)
ANSWERED = b"".join(channel.frame(ANSWER, 1, {"a": 1}, [("x", np.arange(3.0))]))
LARGE = [b"x" * (4 << 20)]  # no pipe holds it


class Other:
    """The other end; `does` runs in a thread of its own."""

    def __init__(self) -> None:
        self.requests, requests = os.pipe()
        answers, self.answers = os.pipe()
        prints, self.prints = os.pipe()
        self.conversation = Conversation(requests, answers, prints, LIMITS)
        self._ends = {self.requests, self.answers, self.prints}
        self._thread: threading.Thread | None = None

    def does(self, work: Callable[[Other], object]) -> Conversation:
        self._thread = threading.Thread(target=self._guarded, args=(work,))
        self._thread.start()
        return self.conversation

    def _guarded(self, work: Callable[[Other], object]) -> None:
        with suppress(OSError):  # the grader has hung up
            work(self)

    def reads(self, size: int) -> None:
        while size:
            size -= len(os.read(self.requests, min(size, 1 << 16)))

    def close(self, *ends: int) -> None:
        for end in ends or tuple(self._ends):
            self._ends.discard(end)
            os.close(end)

    def end(self) -> None:
        self.conversation.close()
        if self._thread is not None:
            self._thread.join()
        self.close()


@pytest.fixture
def other() -> Iterator[Other]:
    made = Other()
    yield made
    made.end()


def test_a_large_request_meets_one_who_reads_slowly(other: Other) -> None:
    talk = other.does(lambda end: (end.reads(len(LARGE[0])), channel.send(end.answers, [ANSWERED])))
    head, header, body = talk.ask(LARGE, SECONDS)
    ((name, array),) = channel.read_arrays(header, body)
    assert (head.number, name, array.tolist()) == (1, "x", [0.0, 1.0, 2.0])


def test_one_who_prints_before_he_reads_blocks_nobody(other: Other) -> None:
    def work(end: Other) -> None:
        os.write(end.prints, b"p" * 60_000)
        end.reads(len(LARGE[0]))
        os.write(end.prints, b"p" * 5_000)
        channel.send(end.answers, [ANSWERED[:7], ANSWERED[7:40], ANSWERED[40:]])

    assert other.does(work).ask(LARGE, SECONDS)[1]["a"] == 1
    assert other.conversation.printed == b"p" * 65_000


@pytest.mark.parametrize("asked", [[b"ask"], LARGE], ids=["small", "large"])
def test_one_who_does_nothing_is_late(asked: list[bytes], other: Other) -> None:
    start = time.monotonic()
    with pytest.raises(LateError):
        other.conversation.ask(asked, 0.1)
    assert 0.1 <= time.monotonic() - start < SECONDS


def test_one_who_drips_is_late_all_the_same(other: Other) -> None:
    def work(end: Other) -> None:
        end.reads(3)
        for i in range(len(ANSWERED)):
            os.write(end.answers, ANSWERED[i : i + 1])
            time.sleep(0.02)

    with pytest.raises(LateError):
        other.does(work).ask([b"ask"], 0.2)


def test_standing_in_line_for_a_processor_makes_nobody_late(other: Other) -> None:
    """As long as it waited, and no longer: a busy machine is nobody's loop."""
    waits = iter([5.0, 5.3])  # before, and at the end of the time

    def work(end: Other) -> None:
        end.reads(3)
        time.sleep(0.25)
        channel.send(end.answers, [ANSWERED])

    assert other.does(work).ask([b"ask"], 0.1, lambda: next(waits, 5.3))[1]["a"] == 1
    start = time.monotonic()
    with pytest.raises(LateError):
        other.conversation.ask([], 0.1, lambda: time.monotonic() * 10.0)
    assert 0.8 <= time.monotonic() - start < SECONDS


def test_what_has_arrived_in_time_is_not_late_because_we_are(other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0])
    monkeypatch.setattr("gradcheck.sandbox.conversation.time", SimpleNamespace(monotonic=lambda: next(now, 99.0)))
    os.write(other.answers, ANSWERED)
    assert other.conversation.ask((), 0.1)[1]["a"] == 1


@pytest.mark.parametrize("said", [b"", ANSWERED[:5], ANSWERED[:-1]], ids=["nothing", "a part", "all but the end"])
def test_one_who_hangs_up_is_gone(said: bytes, other: Other) -> None:
    talk = other.does(lambda end: (end.reads(3), os.write(end.answers, said), end.close(end.answers)))
    with pytest.raises(GoneError):
        talk.ask([b"ask"], SECONDS)


def test_one_who_stops_reading_is_gone(other: Other) -> None:
    other.close(other.requests)
    with pytest.raises(GoneError):
        other.conversation.ask([b"ask"], SECONDS)


def test_who_prints_too_much_is_too_loud(other: Other) -> None:
    def work(end: Other) -> None:
        while True:
            os.write(end.prints, b"p" * 4096)

    with pytest.raises(LoudError, match="printed more than 65536 bytes"):
        other.does(work).ask([b"ask"], SECONDS)
    assert len(other.conversation.printed) == LIMITS.output


def test_who_announces_too_much_is_too_loud_before_a_byte_of_it_is_read(other: Other) -> None:
    announced = HEAD.pack(MAGIC, ANSWER, 2, 2**40, 1) + b"{}"
    talk = other.does(lambda end: (end.reads(3), os.write(end.answers, announced)))
    with pytest.raises(LoudError, match="more than 1 MiB"):
        talk.ask([b"ask"], SECONDS)


def test_an_answer_before_the_question_is_refused(other: Other) -> None:
    os.write(other.answers, ANSWERED)
    with pytest.raises(MalformedError, match="before it was asked for"):
        other.conversation.ask([b"ask"], SECONDS)


def test_an_empty_header_is_refused(other: Other) -> None:
    os.write(other.answers, HEAD.pack(MAGIC, ANSWER, 2, 0, 1) + b"{}")
    with pytest.raises(MalformedError, match="empty"):
        other.conversation.ask((), SECONDS)


def test_closed_prints_are_no_end(other: Other) -> None:
    other.close(other.prints)
    os.write(other.answers, ANSWERED)
    assert other.conversation.ask((), SECONDS)[0].number == 1

"""Parts of a request are put together in their places, whoever answered them; helpers are asked where that pays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np
import pytest

from gradcheck.model.problem import Array
from gradcheck.numerical.noise import Noise, measure_noise
from gradcheck.numerical.portions import AGAIN, FIRST, Request, Work, cuts_of
from tests.unit.points import problem

NOISE = measure_noise(problem(lambda x: x, x=[1.0]))


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Helping:
    """Answers in another order than asked, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, float]] = []

    def answers(self, request: Request, noise: Noise, seconds: float) -> Iterator[tuple[int, int, Array]]:
        self.asked.append((request.parts, seconds))
        cuts = cuts_of(request.parts, seconds, 3, 1.0).tolist()
        for first, last in reversed(list(pairwise(cuts))):
            yield first, last, columns(request.portion(first, last))


class Listening:
    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def cases(self, done: int, total: int) -> None: ...
    def case(self, name: str) -> None: ...
    def plan(self, probes: Mapping[str, int], costs: Mapping[str, float]) -> None: ...
    def probed(self, tensor: str, probes: int) -> None:
        self.told.append((tensor, probes))


def columns(request: Request) -> Array:
    """Two rows that tell which cells were meant, and that the bounds of a portion begin at 0 and end at its size."""
    assert (request.bounds[0], request.bounds[-1]) == (
        0,
        request.cells.size == request.steps.size and request.cells.size,
    )
    return np.array([request.cells * 10.0, request.steps])


def request(parts: int, size: int = 3) -> Request:
    cells = np.arange(parts * size)[::-1].copy()
    return Request("W", cells, cells / 7.0, np.arange(parts + 1) * size)


def gathered(work: Work, clock: Clock, parts: int, seconds: float, size: int = 3) -> Request:
    """Let the parts be answered, each taking so long here; returns the request after a look at the answer."""
    asked = request(parts, size)

    def answer(portion: Request) -> Array:
        clock.now += seconds * portion.parts
        return columns(portion)

    found = work.gather(asked, answer, NOISE)
    assert np.array_equal(found, [asked.cells * 10.0, asked.steps])
    return asked


@pytest.mark.parametrize("parts", [1, 2, 7, 100])
def test_without_helpers_all_is_answered_here(parts: int) -> None:
    listener, clock = Listening(), Clock()
    gathered(Work(progress=listener, clock=clock), clock, parts, 0.001)
    assert sum(probes for _, probes in listener.told) == 3 * parts


def test_helpers_are_not_asked_for_what_is_done_in_no_time() -> None:
    helpers, clock = Helping(), Clock()
    gathered(Work(helpers, clock=clock), clock, 100, 0.5 * FIRST / 100)
    assert helpers.asked == []


def test_helpers_get_the_rest_of_a_long_request_and_its_rate() -> None:
    helpers, clock, listener = Helping(), Clock(), Listening()
    gathered(Work(helpers, listener, clock=clock), clock, 100, 0.1)
    assert helpers.asked == [(99, pytest.approx(0.1))]
    assert sum(probes for _, probes in listener.told) == 300


def test_once_they_are_there_helpers_get_short_requests_too_at_once() -> None:
    helpers, clock = Helping(), Clock()
    work = Work(helpers, clock=clock)
    gathered(work, clock, 100, 0.1)
    gathered(work, clock, 4, 0.1)
    assert helpers.asked[1] == (4, pytest.approx(0.1))


def test_what_takes_less_than_a_message_stays_here() -> None:
    helpers, clock = Helping(), Clock()
    work = Work(helpers, clock=clock)
    gathered(work, clock, 1000, 2 * FIRST / 1000)
    asked = len(helpers.asked)
    gathered(work, clock, 3, AGAIN / 10)
    assert asked == 1
    assert len(helpers.asked) == 1


def test_many_short_requests_bring_in_helpers_in_the_end() -> None:
    helpers, clock = Helping(), Clock()
    work = Work(helpers, clock=clock)
    for _ in range(20):
        gathered(work, clock, 2, 0.1)
    assert clock.now < FIRST + 0.5
    assert len(helpers.asked) >= 10


def test_the_first_of_many_parts_is_measured_afresh() -> None:
    helpers, clock = Helping(), Clock()
    work = Work(helpers, clock=clock)
    gathered(work, clock, 2, 0.001)
    gathered(work, clock, 500, 0.2)
    assert helpers.asked == [(499, pytest.approx(0.2))]


def test_what_is_left_to_helpers_is_never_answered_here() -> None:
    helpers, clock = Helping(), Clock()
    gathered(Work(helpers, is_left=True, clock=clock), clock, 50, 1e9)
    assert clock.now == 0.0
    assert sum(parts for parts, _ in helpers.asked) == 50


@pytest.mark.parametrize(
    ("parts", "seconds", "helpers", "most", "portions"),
    [
        (10, 0.001, 4, 0.25, 4),
        (3, 0.001, 4, 0.25, 3),
        (1000, 0.01, 2, 0.25, 40),
        (5, 9.0, 2, 0.25, 5),
        (7, 0.0, 1, 1, 1),
    ],
)
def test_a_request_is_cut_into_equal_portions(
    parts: int, seconds: float, helpers: int, most: float, portions: int
) -> None:
    cuts = cuts_of(parts, seconds, helpers, most)
    assert (cuts[0], cuts[-1], cuts.size - 1) == (0, parts, portions)
    assert np.ptp(np.diff(cuts)) <= 1

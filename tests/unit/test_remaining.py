"""The time left of an examination, with a clock that is told what time it is."""

from __future__ import annotations

import pytest

from gradcheck.checking.workers.remaining import Remaining
from gradcheck.cli.progress import duration

SIZES = {"W1": 784_000, "b1": 1000, "W2": 400_000, "b2": 400, "W3": 4000, "b3": 10}
COSTS = {"W1": 60.0, "b1": 0.1, "W2": 25.0, "b2": 0.1, "W3": 0.4, "b3": 0.01}


class Examined:
    """An examination that takes its time: pilots that are dear, a screen, and some elements taken up again.

    paces : seconds that a unit of cost really takes, per tensor
    """

    def __init__(self, paces: dict[str, float], sizes: dict[str, int] = SIZES, costs: dict[str, float] = COSTS) -> None:
        self.now, self.paces, self.sizes, self.costs = 0.0, paces, sizes, costs
        self.remaining = Remaining(lambda: self.now)
        self.seen: list[tuple[float, float | None]] = []

    def portion(self, tensor: str, probes: int, dearer: float = 1.0) -> None:
        each = self.paces[tensor] * self.costs[tensor] / self.sizes[tensor]
        self.now += probes * each * dearer
        self.remaining.probed(tensor, probes)
        self.seen.append((self.now, self.remaining.left()))

    def run(self) -> Examined:
        self.remaining.plan(self.sizes, self.costs)
        for tensor, size in self.sizes.items():
            for _ in range(10):
                self.portion(tensor, 8, dearer=3.0)
            for start in range(0, size, 2000):
                self.portion(tensor, min(2000, size - start))
            for _ in range(8):
                self.portion(tensor, size // 1000 + 16, dearer=2.0)
        return self

    def errors(self, after: float = 0.2) -> list[float]:
        """Relative errors of the time left, from a share of the whole time on; a hundredth of it is no error."""
        return [
            max(0.0, abs(left - (self.now - then)) - 0.01 * self.now) / (self.now - then)
            for then, left in self.seen
            if left is not None and after * self.now < then < self.now
        ]


@pytest.mark.parametrize("first", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("second", [0.8, 1.0, 1.25])
def test_from_a_fifth_on_the_time_left_is_known_within_three_tenths(first: float, second: float) -> None:
    """Whatever a unit of cost takes, and however little the tensors' paces agree."""
    paces = dict.fromkeys(SIZES, first * second) | {"W1": first}
    errors = Examined(paces).run().errors()
    assert len(errors) > 100
    assert max(errors) < 0.3


def test_of_two_paces_that_differ_much_the_tensors_own_is_believed_once_it_is_known() -> None:
    paces = dict.fromkeys(SIZES, 2.0) | {"W1": 1.0}
    examined = Examined(paces).run()
    begun = 60.0 * 1.1 / examined.now
    assert max(examined.errors(after=begun + 0.1)) < 0.3


def test_counting_elements_alone_would_be_wrong() -> None:
    """A tensor of cheap elements behind one of dear ones: this is what the costs are for."""
    sizes, costs = {"W1": 100_000, "W2": 100_000}, {"W1": 50.0, "W2": 1.0}
    examined = Examined(dict.fromkeys(sizes, 1.0), sizes, costs).run()
    assert max(examined.errors()) < 0.3
    at_half = next(left for then, left in examined.seen if then > 0.5 * examined.now)
    assert at_half is not None
    assert at_half < 0.6 * examined.now  # by elements it would be three quarters of all


def test_before_the_first_probe_nothing_is_known() -> None:
    remaining = Remaining(lambda: 5.0)
    assert remaining.left() is None
    assert remaining.elements() == (0, 0)
    remaining.plan({"x": 10}, {"x": 1.0})
    assert remaining.left() is None
    assert remaining.elements() == (0, 10)


def test_time_that_passes_without_a_word_is_taken_off() -> None:
    times = iter([0.0, 0.0, 10.0, 10.0, 11.0])
    remaining = Remaining(lambda: next(times))
    remaining.plan({"x": 100}, {"x": 1.0})
    remaining.probed("x", 50)
    first, second = remaining.left(), remaining.left()
    assert first is not None
    assert second is not None
    assert first - second == pytest.approx(1.0)


def test_elements_are_counted_once() -> None:
    remaining = Remaining(lambda: 0.0)
    remaining.plan({"x": 100, "y": 40}, {"x": 1.0, "y": 1.0})
    remaining.probed("x", 21)
    assert remaining.elements() == (21, 140)
    remaining.probed("x", 400)
    assert remaining.elements() == (100, 140)
    remaining.probed("y", 1)
    assert remaining.elements() == (101, 140)
    remaining.probed("y", 500)
    assert remaining.elements() == (140, 140)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (205, "3 min 20 s"), (1234, "20 min"), (7500, "2 h 5 min")],
)
def test_a_duration_has_two_figures(seconds: float, text: str) -> None:
    assert duration(seconds) == text

"""Time left: how long an examination will still take, from what its tensors should cost and what they did cost.

Costs are foretold only up to a factor, and that factor differs from tensor to tensor; both are learned on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter

MORE = 1.02  # × the time for one probe per element: some are taken up again. Until a tensor has told better
KNOWN = 0.02  # share of a tensor that must be done before its own pace is believed


class Remaining:
    """Is told of probes (see `Progress`), and answers how far they are.

    clock : returns seconds
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self.clock = clock
        self.plan({}, {})

    def plan(self, probes: Mapping[str, int], costs: Mapping[str, float]) -> None:
        """A new examination begins."""
        self.probes, self.costs = probes, costs
        self.done = dict.fromkeys(probes, 0)
        self.seconds = dict.fromkeys(probes, 0.0)
        self.screened = dict.fromkeys(probes, 0.0)  # seconds until every element had a probe
        self.current = ""
        self.last = self.clock()

    def probed(self, tensor: str, probes: int) -> None:
        """So many more probes of a tensor were answered, since the last ones."""
        now = self.clock()
        self.current = tensor
        self.done[tensor] += probes
        self.seconds[tensor] += now - self.last
        if self.done[tensor] <= self.probes[tensor]:
            self.screened[tensor] = self.seconds[tensor]
        self.last = now

    def left(self) -> float | None:
        """Seconds; None where nothing is known yet.

        What the current tensor still needs at its own pace, and the cost of the others at the pace of all so far.
        """
        if not self.current or not self.seconds[self.current]:
            return None
        tensors = list(self.probes)
        place = tensors.index(self.current)
        known = self.seconds[self.current] + self._left_of_current(tensors[:place])
        pace = (known + self._sum(self.seconds, tensors[:place])) / self._sum(self.costs, tensors[: place + 1])
        rest = known - self.seconds[self.current] + pace * self._sum(self.costs, tensors[place + 1 :])
        return max(0.0, rest - (self.clock() - self.last))

    def _left_of_current(self, finished: list[str]) -> float:
        spent, share = self.seconds[self.current], self.done[self.current] / max(1, self.probes[self.current])
        screened = self._sum(self.screened, finished)
        more = self._sum(self.seconds, finished) / screened if screened > spent else MORE
        if share >= 1.0:
            return max(0.0, self.screened[self.current] * more - spent)
        if share < KNOWN and finished:
            pace = self._sum(self.seconds, finished) / self._sum(self.costs, finished)
            return pace * self.costs[self.current] * (1.0 - share)
        return spent * (more / share - 1.0)

    def elements(self) -> tuple[int, int]:
        """How many elements are done, and of how many."""
        begun = list(self.probes).index(self.current) if self.current else 0
        behind = sum(list(self.probes.values())[:begun])
        of_current = min(self.done[self.current], self.probes[self.current]) if self.current else 0
        return behind + of_current, sum(self.probes.values())

    @staticmethod
    def _sum(figures: Mapping[str, float], tensors: list[str]) -> float:
        return sum(figures[tensor] for tensor in tensors)

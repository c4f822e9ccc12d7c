"""Portions: the independent parts of a request to an engine, worked off here or, where that pays, by others.

A part is answered by the same call wherever it is answered: who does it has no influence on any number. Who the others
are (processes, a cluster) is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.problem import Array
from gradcheck.model.progress import Progress
from gradcheck.numerical.difference import PlainLoop, Response
from gradcheck.numerical.noise import Noise
from gradcheck.record import dataclass

FIRST = 1.0  # seconds of work left that bring in others for the first time; starting them takes a quarter of it
AGAIN = 0.02  # the same once they are there: a message takes a millisecond
FEW = 64  # parts
QUICK = 0.05  # seconds; portions double until they take that long, so that somebody who waits is told often enough


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """Probes of one tensor: flat element numbers and steps, shape (K,), and where its indivisible parts begin and end.

    bounds : shape (parts + 1,), from 0 to K
    """

    tensor: str
    cells: NDArray[np.int64]
    steps: Array
    bounds: NDArray[np.int64]

    @property
    def parts(self) -> int:
        return self.bounds.size - 1

    def portion(self, first: int, last: int) -> Request:
        """Some parts of it, the last one excluded."""
        begin, end = self.bounds[first], self.bounds[last]
        return Request(self.tensor, self.cells[begin:end], self.steps[begin:end], self.bounds[first : last + 1] - begin)


Answer = Callable[[Request], Array]  # one column per probe


class Helpers(Protocol):
    """Others who can answer."""

    def answers(self, request: Request, noise: Noise, seconds: float) -> Iterator[tuple[int, int, Array]]:
        """(first part, last part, answer) of all portions, in any order.

        noise : of the problem's function, as it was measured
        seconds : that one part takes
        """


class Work:
    """Works off the requests of one examination, tells how far it is, and brings in helpers where that pays.

    helpers : None to do everything here
    is_left : whether everything is left to the helpers: somebody's code may end the process that runs it
    """

    def __init__(
        self,
        helpers: Helpers | None = None,
        progress: Progress | None = None,
        *,
        is_left: bool = False,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.helpers, self.progress, self.is_left, self.clock = helpers, progress, is_left, clock
        self.spent, self.is_warm = 0.0, False
        self.rates: dict[str, float] = {}  # tensor → seconds that one part took here

    def plan(self, probes: Mapping[str, int], cost: Callable[[str], float]) -> None:
        """Tell what is to come; `cost` of a tensor is asked for only where somebody listens."""
        if self.progress is not None:
            self.progress.plan(probes, {tensor: cost(tensor) for tensor in probes})

    def gather(self, request: Request, answer: Answer, noise: Noise) -> Array:
        """The answer to a request, put together from those to its parts; shape (rows, K)."""
        found: Array | None = None
        done, size = 0, 1
        while done < request.parts:
            began, before = self.clock(), done
            is_shared = self._pays(request, done)
            portion = request.portion(done, request.parts if is_shared else min(done + size, request.parts))
            if self.helpers is not None and (is_shared or self.is_left):
                pieces = self.helpers.answers(portion, noise, self.rates.get(request.tensor, 0.0))
            else:
                pieces = iter([(0, portion.parts, answer(portion))])
            for first, last, piece in pieces:
                begin, end = request.bounds[before + first], request.bounds[before + last]
                found = np.empty((piece.shape[0], request.cells.size)) if found is None else found
                found[:, begin:end] = piece
                done += last - first
                if self.progress is not None:
                    self.progress.probed(request.tensor, int(end - begin))
            took = self.clock() - began
            self.spent += took
            self.is_warm |= is_shared
            if not is_shared:
                self.rates[request.tensor] = took / portion.parts
                size *= 2 if took < QUICK else 1
        assert found is not None
        return found

    def _pays(self, request: Request, done: int) -> bool:
        """Whether helpers are worth a message, by what a part took before."""
        left, rate = request.parts - done, self.rates.get(request.tensor)
        if self.helpers is None or rate is None or left < 2 or (not done and left > FEW):
            return False  # of many parts the first is measured afresh
        return rate * left > (AGAIN if self.is_warm or self.spent > FIRST else FIRST)


class SharedLoop:
    """A plain loop whose probes are parts of a `Work`."""

    def __init__(self, loop: PlainLoop, work: Work) -> None:
        self.loop, self.work = loop, work

    def respond(self, tensor: str, cells: NDArray[np.int64], steps: Array) -> Response:
        """The same as the loop's own."""
        if cells.size == 0:
            return self.loop.respond(tensor, cells, steps)
        before = self.loop.evaluations
        request = Request(tensor, cells, steps, np.arange(cells.size + 1))
        response = Response(*self.work.gather(request, self.answer, self.loop.noise))
        self.loop.evaluations = before + 2 * int((response.up > 0.0).sum())
        return response

    def spot_check(self, tensor: str, seed: int) -> None:
        """Nothing to compare: this is the plain loop."""

    def answer(self, request: Request) -> Array:
        """Rows as in a Response, its first seven."""
        response = self.loop.respond(request.tensor, request.cells, request.steps)
        return np.array(
            [response.ahead, response.behind, response.up, response.down, response.low, response.high, response.noise]
        )


def cuts_of(parts: int, seconds: float, helpers: int, most: float) -> NDArray[np.int64]:
    """Where a request is cut for helpers: equal portions, at least one each, none over `most` seconds.

    Returns: shape (portions + 1,), from 0 to parts.
    """
    portions = min(parts, max(helpers, int(np.ceil(parts * seconds / most))))
    return np.arange(portions + 1) * parts // portions

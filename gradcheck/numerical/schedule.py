"""The structure engine: the same differences as the plain loop, for all elements of a tensor in a few passes.

Its changes carry the rounding of the changes themselves, not of the function's value: how much that is, is measured.
Where it does not pay, or where a rule meets the edge of a domain, the plain loop answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import InternalError
from gradcheck.model.problem import Array, Problem
from gradcheck.numerical.difference import PlainLoop, Responder, Response
from gradcheck.numerical.memory import keep_what_is_freed
from gradcheck.numerical.portions import Request, SharedLoop, Work
from gradcheck.numerical.sharing import CALL, Sharing, passes, ways_to_share
from gradcheck.numerical.steps import element_scales, is_usable, power_of_two
from gradcheck.numerical.structure import Structure
from gradcheck.perturb.move import Move
from gradcheck.perturb.probes import Probes
from gradcheck.perturb.window import pick
from gradcheck.record import dataclass

BUDGET = 1 << 19  # numbers in the largest array of a pass: 4 MB. Caches are smaller, but calls cost more than misses
TRIALS = 4  # × the budget: such a pass costs less than a few that are planned by trials
TOO_SMALL = 20_000  # probes × numbers in the graph; below, the plain loop is as fast
FAR, NEARER = -3, -9  # log2 of the steps of a spot check, relative to the element's scale
AGREES = 1e-9  # × the function and its change: what two engines may differ by, both being rounded
TOGETHER = 4096  # probes; with fewer, those that measure the rounding are sent along: a pass of their own costs more
SAMPLED = 24  # elements whose changes are taken twice, with steps that differ by little, to measure the rounding
MEASURED_AT = -17  # log2 of those steps, relative to the element's scale
APART = 1.0 + 2.0**-12  # between the two steps: curvature shows 2⁻¹² times less than in a difference, rounding as much
SAFETY = 8.0  # × the largest rounding met in the sample
EVALUATED, SUBTRACTED, BY_RULES = 0.0, 0.5, 1.0  # ways through the ops: one was evaluated as a whole; values of one
# that has no rule were subtracted; each had an exact rule for its change
LEAST, MOST = (
    2.0**-50,
    2.0**-20,
)  # relative rounding; below, none is believed, and above, it is none: the function bends


@dataclass(frozen=True, slots=True)
class Rounding:
    """How exactly the engine knows a change of phi: within absolute + relative · (|change| + typical · step).

    absolute : 0 where every op has an exact rule; of an op without one, two values are subtracted
    """

    relative: float
    typical: float
    absolute: float


class StructureEngine:
    """Answers probes by exact finite changes through the graph.

    loop : its count of evaluations grows by those that it would have needed
    budget : numbers in the largest array of a pass; bounds the memory
    least : probes × numbers in the graph below which the plain loop is asked
    work : what works off the passes of a request; None to do it here, one after the other
    """

    def __init__(
        self,
        loop: PlainLoop,
        structure: Structure,
        budget: int = BUDGET,
        least: int = TOO_SMALL,
        work: Work | None = None,
    ) -> None:
        self.loop, self.problem, self.noise, self.work = loop, loop.problem, loop.noise, work
        self.structure, self.budget, self.least = structure, budget, least
        self._ways: dict[str, tuple[Sharing, ...]] = {}
        self._used: set[str] = set()
        self._roundings: dict[str, Rounding | None] = {}
        self._known_scales: dict[str, Array] = {}
        keep_what_is_freed()

    def respond(self, tensor: str, cells: NDArray[np.int64], steps: Array) -> Response:
        """Probe the given elements: the same as `PlainLoop.respond`, with smaller rounding errors."""
        if cells.size * self.structure.size < self.least:
            return self.loop.respond(tensor, cells, steps)
        usable = is_usable(self.problem.point[tensor].reshape(-1)[cells], steps)
        probed = np.flatnonzero(usable)
        if probed.size == cells.size:
            out = self._first(tensor, cells, steps)
        else:
            out = np.full((7, cells.size), np.nan)
            out[:, probed] = self._first(tensor, cells[probed], steps[probed])
        self.loop.evaluations += 2 * probed.size
        # Changes are taken of the steps themselves, not of x ± h as rounded: they are what was travelled.
        distance = np.where(usable, steps, 0.0)
        ahead, behind, low, high, noise, crossed, ways = out
        exact = ways >= SUBTRACTED
        if exact.any():
            rounding = self._roundings[tensor]
            size = np.fmax(np.abs(ahead), np.abs(behind))
            exact &= rounding is not None
            if rounding is not None:
                own = rounding.absolute + rounding.relative * (size + rounding.typical * steps)
                noise = np.where(exact, own, noise)
        lost = probed[~np.isfinite(ahead[probed] + behind[probed])]
        if lost.size:  # next to the edge of a domain a rule may see what the function does not
            own = self.loop.respond(tensor, cells[lost], steps[lost])
            for ours, plain in zip((ahead, behind, low, high, noise), _columns(own), strict=True):
                ours[lost] = plain
            exact[lost] = False
            self.loop.evaluations -= 2 * lost.size
        return Response(ahead, behind, distance, distance, low, high, noise, crossed == 1.0, exact)

    def spot_check(self, tensor: str, seed: int) -> None:
        """Compare two elements with the plain loop, moved so far that a rule that is only nearly right would show.

        Raises InternalError where they differ far away and nearer, too: a broken engine is no evidence. By one distance
        alone nobody is convicted: where a value is 0 but for rounding, rounding decides which way a step function goes.
        Nothing to do where the engine was not used.
        """
        if tensor not in self._used:
            return
        x = self.problem.point[tensor]
        cells = np.random.default_rng([seed, x.size]).choice(x.size, min(2, x.size), replace=False)
        if self._disagrees(tensor, cells, FAR).any() and self._disagrees(tensor, cells, NEARER).any():
            raise InternalError(
                f"two engines disagree about the changes of '{tensor}' at the elements {cells.tolist()}",
                "this is a mistake of gradcheck; please report the case",
            )

    def _disagrees(self, tensor: str, cells: NDArray[np.int64], exponent: int) -> NDArray[np.bool_]:
        """Which probes the plain loop answers differently; those that cross a switch near by are left out."""
        steps = power_of_two(self._scales(tensor)[cells], exponent)
        ours, crossed = np.split(self._probe(tensor, cells, steps)[[0, 1, 5]], [2])
        plain = self.loop.respond(tensor, cells, steps)
        theirs = np.array([plain.ahead, plain.behind])
        # The loop's own rounding at a point that far away may exceed that at this one.
        size = np.abs(theirs) + float(np.abs(self.problem.upstream * self.problem.value).sum())
        off = np.abs(ours - theirs) > AGREES * size + 64.0 * self.noise.absolute
        known = np.isfinite(ours) & np.isfinite(theirs) & ((crossed == 0.0) | (exponent == FAR))
        return np.asarray(known & off)

    def _scales(self, tensor: str) -> Array:
        if tensor not in self._known_scales:
            self._known_scales[tensor] = element_scales(self.problem.point[tensor]).reshape(-1)
        return self._known_scales[tensor]

    def _probe(self, tensor: str, cells: NDArray[np.int64], steps: Array) -> Array:
        """Rows ahead, behind, low, high, noise, crossed – as in a Response – and the way it went."""
        if not cells.size:
            return np.empty((7, 0))
        groups = list(self._passes(tensor, cells))
        order, ends = np.concatenate(groups), np.cumsum([0, *(chosen.size for chosen in groups)])
        request = Request(tensor, cells[order], steps[order], ends)
        if self.work is None:
            answer = self.answer(request)
        else:
            answer = self.work.gather(request, self.answer, self.noise)
            self._used.add(tensor)
        out = np.empty_like(answer)
        out[:, order] = answer
        return out

    def answer(self, request: Request) -> Array:
        """Columns of `_probe`, one pass for each part of the request."""
        out = np.empty((7, request.cells.size))
        for i, j in pairwise(request.bounds.tolist()):
            out[:, i:j] = self._pass(request.tensor, request.cells[i:j], request.steps[i:j])
        return out

    def cost(self, tensor: str) -> float:
        """Seconds that one probe of every element is expected to take, right between tensors if not by the clock."""
        size = self.problem.point[tensor].size
        if self._fits(size):
            return CALL * len(self.structure.graph.vertices)
        if tensor not in self._ways:
            self._ways[tensor] = ways_to_share(self.structure, tensor, self.budget)
        return min(way.seconds(way.units(np.arange(size))[1]) for way in self._ways[tensor])

    def _passes(self, tensor: str, cells: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        if tensor not in self._ways:
            if self._fits(cells.size):
                return iter([np.arange(cells.size)])
            self._ways[tensor] = ways_to_share(self.structure, tensor, self.budget)
        return passes(self._ways[tensor], cells)

    def _fits(self, count: int) -> bool:
        """Whether probes go together whatever they share: trials, to plan more passes, would take as long as some."""
        return 2 * count * self.structure.widest <= TRIALS * self.budget

    def _pass(self, tensor: str, cells: NDArray[np.int64], steps: Array) -> Array:
        """The same for probes that share a pass."""
        probes, way = Probes(cells.size), np.empty(cells.size)
        self._used.add(tensor)
        with np.errstate(all="ignore"):
            arrived = self.structure.change(tensor, cells, steps, probes)
            way[:] = BY_RULES if probes.by_delta else SUBTRACTED if probes.by_kind else EVALUATED
            if arrived is None:
                return np.array([*np.zeros((5, cells.size)), probes.crossed, way])
            ahead, behind, low = self._projected(arrived, probes.count)
            # Of two numbers the smaller and the larger add up to both.
            low, high = low / steps, (ahead - behind - low) / steps
            noise = self._noise_of_evaluations(arrived, probes.count)
            return np.array([ahead, behind, low, high, noise, probes.crossed, way])

    def _projected(self, arrived: Move, count: int) -> tuple[Array, Array, Array]:
        """Changes of phi ahead and behind, and Σ of the smaller of the two sides' changes, output by output."""
        shape = np.shape(self.structure.values[self.structure.graph.output])
        axes = tuple(range(len(shape)))
        weighted = pick(self.problem.upstream.reshape(shape), arrived.window) * arrived.full
        if arrived.odd:
            ahead = weighted.sum(axis=axes)
            return ahead, -ahead, ahead
        plus, minus = weighted[..., :count], weighted[..., count:]
        return plus.sum(axis=axes), minus.sum(axis=axes), np.minimum(plus, -minus).sum(axis=axes)

    def _noise_of_evaluations(self, arrived: Move, count: int) -> Array:
        """As the plain loop has it: of one evaluation of the outputs that a probe moved."""
        if not 0.0 < self.noise.absolute < np.inf:
            return np.full(count, self.noise.absolute)
        shape = np.shape(self.structure.values[self.structure.graph.output])
        shares = pick(self.noise.outputs.reshape(shape), arrived.window)[..., :count]
        moved = arrived.full[..., :count] != 0.0
        if not arrived.odd:
            moved = moved | (arrived.full[..., count:] != 0.0)
        result: Array = np.sqrt((np.square(shares) * moved).sum(axis=tuple(range(len(shape)))))
        return result

    def _first(self, tensor: str, cells: NDArray[np.int64], steps: Array) -> Array:
        """Columns of `_probe`. The first request for a tensor also takes some slopes twice, with steps that differ by
        little: what differs is rounding."""
        if tensor in self._roundings:
            return self._probe(tensor, cells, steps)
        x = self.problem.point[tensor]
        sample = _sample(x)
        lengths = power_of_two(self._scales(tensor)[sample], MEASURED_AT)
        twice, lengths_twice = np.tile(sample, 2), np.concatenate([lengths, lengths * APART])
        if cells.size < TOGETHER:
            out = self._probe(tensor, np.concatenate([cells, twice]), np.concatenate([steps, lengths_twice]))
            out, sampled = out[:, : cells.size], out[:, cells.size :]
        else:
            out, sampled = self._probe(tensor, cells, steps), self._probe(tensor, twice, lengths_twice)
        ahead, behind, _, _, _, crossed, ways = sampled
        with np.errstate(all="ignore"):
            slopes = ((ahead - behind) / (2.0 * lengths_twice)).reshape(2, -1)
        smooth = np.isfinite(slopes).all(axis=0) & (crossed.reshape(2, -1) == 0.0).all(axis=0)
        lengths = np.where(ways[: sample.size] == BY_RULES, 0.0, lengths)
        self._roundings[tensor] = _rounding_of(slopes[:, smooth], lengths[smooth])
        return out


def _sample(x: NDArray[np.floating]) -> NDArray[np.int64]:
    """Flat numbers of some elements: a grid of random places, so that many are at the same one along any axis and may
    share a pass; and the largest."""
    generator, each = np.random.default_rng(x.size), max(2, round(SAMPLED ** (1.0 / max(1, x.ndim))))
    grid = np.ix_(*(generator.choice(n, min(each, n), replace=False) for n in x.shape))
    cells = np.arange(x.size).reshape(x.shape)[grid]
    return np.array(sorted({*cells.reshape(-1).tolist(), int(np.abs(x).argmax())}))


def _rounding_of(slopes: Array, lengths: Array) -> Rounding | None:
    """From pairs of slopes, shape (2, n), that would be equal but for rounding; None where it cannot be rounding alone.

    lengths : the steps where values were subtracted on the way, 0 where none were
    """
    with np.errstate(over="ignore"):
        typical = float(np.sqrt(np.mean(np.square(slopes[0])))) if slopes.size else 0.0
    if not 0.0 < typical < np.inf:
        return None
    off = np.abs(slopes[0] - slopes[1]) / (np.abs(slopes[0]) + typical)
    if off.max() > MOST:
        return None
    absolute = float((np.abs(slopes[0] - slopes[1]) * lengths).max())
    return Rounding(max(LEAST, SAFETY * float(off.max())), typical, SAFETY * absolute)


def _columns(response: Response) -> tuple[Array, ...]:
    return response.ahead, response.behind, response.low, response.high, response.noise


def engine_for(problem: Problem, loop: PlainLoop, work: Work | None = None) -> Responder:
    """What answers probes fastest: the structure engine for a function made of ops, the plain loop for a black box.

    work : what works off the parts of their requests; None to do it here, one after the other
    """
    sizes = {tensor: problem.point[tensor].size for tensor in problem.wrt}
    if problem.traced is None:
        if work is None:
            return loop
        work.plan(sizes, lambda tensor: float(sizes[tensor]))
        return SharedLoop(loop, work)
    engine = StructureEngine(loop, Structure(problem.traced.graph, problem.traced.values), work=work)
    if work is not None:
        work.plan(sizes, engine.cost)
    return engine

"""The plain loop: move one element, evaluate, take the difference – the evidence that every other engine must equal.

It returns changes of phi = upstream · f and one-sided slopes; what they are worth is decided by `ladder`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.problem import Array, Point, Problem
from gradcheck.numerical.noise import Noise
from gradcheck.numerical.steps import Moves, move
from gradcheck.record import dataclass, field

BATCH = 1 << 20  # numbers in the arrays of a batch: 8 MB


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """What phi did under K probes, all arrays of shape (K,); NaN where the function is not finite or x did not move.

    ahead, behind : phi(x + h) − phi(x) and phi(x − h) − phi(x), summed from the changes of the outputs
    up, down : distances really travelled, ≥ 0
    low, high : sum over the outputs k of the smaller and the larger of w_k·(slope ahead) and w_k·(slope behind)
    noise : of one evaluation of the outputs that the probe moved
    crossed : whether a probe is known to have taken an op over a switch; empty where nobody can know
    exact : whether the noise is that of the change itself and not of evaluations: then outputs that stand still hide
        nothing; empty for none
    """

    ahead: Array
    behind: Array
    up: Array
    down: Array
    low: Array
    high: Array
    noise: Array
    crossed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    exact: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))

    def part(self, probes: slice) -> Response:
        """What it says about some of the probes."""
        return Response(*(getattr(self, each.name)[probes] for each in fields(self)))

    @property
    def central(self) -> Array:
        """(phi(x⁺) − phi(x⁻)) / (x⁺ − x⁻): divided by the distance really travelled, which is rarely exactly 2h."""
        with np.errstate(invalid="ignore", divide="ignore"):
            result: Array = (self.ahead - self.behind) / (self.up + self.down)
        return result

    @property
    def slope_ahead(self) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            result: Array = self.ahead / self.up
        return result

    @property
    def slope_behind(self) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            result: Array = -self.behind / self.down
        return result


class Responder(Protocol):
    """An engine that answers probes: leaf `tensor`, flat element numbers `cells`, one step for each."""

    def respond(self, tensor: str, cells: NDArray[np.int64], steps: Array) -> Response: ...

    def spot_check(self, tensor: str, seed: int) -> None:
        """Raise InternalError unless two elements come out as by the plain loop."""


class PlainLoop:
    """Two evaluations of the function per probe, one after the other, or many in one call.

    problem : the point and the function; the point is never changed, every evaluation gets its own copy of the tensor
    noise : how exactly each output is known
    """

    def __init__(self, problem: Problem, noise: Noise) -> None:
        self.problem, self.noise = problem, noise
        self.evaluations = 0

    def respond(self, tensor: str, cells: NDArray[np.int64], steps: Array) -> Response:
        """Probe the given elements; two evaluations each, none where x does not move."""
        x = self.problem.point[tensor]
        moves = move(x.reshape(-1)[cells], steps)
        out = np.full((7, cells.size), np.nan)
        out[2], out[3] = moves.up, moves.down
        upstream = self.problem.upstream
        with np.errstate(all="ignore"):
            for k, plus, minus in self._changes(tensor, cells, moves):
                out[0, k], out[1, k] = _project(upstream, plus), _project(upstream, minus)
                out[4, k], out[5, k] = _interval(upstream, plus, moves.up[k], minus, moves.down[k])
                out[6, k] = self.noise.of((plus != 0.0) | (minus != 0.0))
        return Response(*out)

    def spot_check(self, tensor: str, seed: int) -> None:
        """Nothing to compare: this is the plain loop."""

    def changes(self, point: Point) -> Array:
        """What every output contributes to phi at another point, minus what it does here; shape (m,)."""
        self.evaluations += 1
        with np.errstate(all="ignore"):
            result: Array = self.problem.upstream * (self.problem.function(point) - self.problem.value)
        return result

    def _changes(self, tensor: str, cells: NDArray[np.int64], moves: Moves) -> Iterator[tuple[int, Array, Array]]:
        """(number, change ahead, change behind) of every probe that moves x."""
        probes = np.flatnonzero(moves.up != 0.0)
        if self.problem.batch is None:
            for k in probes.tolist():
                ahead = self._change(tensor, int(cells[k]), moves.ahead[k])
                yield k, ahead, self._change(tensor, int(cells[k]), moves.behind[k])
            return
        numbers = sum(np.size(array) for array in self.problem.point.values()) + self.problem.value.size
        most = max(1, BATCH // (2 * numbers))
        for start in range(0, probes.size, most):
            chosen = probes[start : start + most]
            values = np.concatenate([moves.ahead[chosen], moves.behind[chosen]])
            changes = self._change_all(self.problem.batch, tensor, np.tile(cells[chosen], 2), values)
            yield from zip(chosen.tolist(), changes[: chosen.size], changes[chosen.size :], strict=True)

    def _change_all(
        self, batch: Callable[[Point], Array], tensor: str, cells: NDArray[np.int64], values: NDArray[np.floating]
    ) -> Array:
        """Changes of the outputs, one row per moved copy; all copies and the point itself in a single call."""
        count = cells.size + 1
        points = {name: np.broadcast_to(x, (count, *np.shape(x))) for name, x in self.problem.point.items()}
        moved = points[tensor].copy()
        moved.reshape(count, -1)[np.arange(1, count), cells] = values
        self.evaluations += count
        outputs = batch({**points, tensor: moved})
        result: Array = outputs[1:] - outputs[0]
        return result

    def _change(self, tensor: str, cell: int, value: np.floating) -> Array:
        moved = self.problem.point[tensor].copy()
        moved.reshape(-1)[cell] = value
        self.evaluations += 1
        result: Array = self.problem.function({**self.problem.point, tensor: moved}) - self.problem.value
        return result


def _project(upstream: Array, change: Array) -> float:
    """upstream · change; NaN where any output that counts is not finite."""
    result = float(upstream @ change)
    return result if math.isfinite(result) else math.nan


def _interval(upstream: Array, ahead: Array, up: float, behind: Array, down: float) -> tuple[float, float]:
    """Per output the interval of its two one-sided slopes, weighted and summed."""
    right, left = upstream * ahead / up, -upstream * behind / down
    return float(np.minimum(right, left).sum()), float(np.maximum(right, left).sum())

"""The structure engine beside the plain loop on one workload, in turns within one fresh process; prints JSON.

Every element of every parameter is probed, planning included, by an engine that has seen nothing before. Where the
plain loop would take long it probes a random sample, scaled by elements over sample.

    python tests/benchmarks/engines.py w3 [number of worker processes, started for each round]
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
from time import perf_counter

import numpy as np
from workloads import TEXTS, case_of

from gradcheck.checking.building.build import build
from gradcheck.checking.workers.executors import Processes
from gradcheck.checking.workers.spread import work_of
from gradcheck.model.case import Case
from gradcheck.model.problem import Array, Problem
from gradcheck.numerical.difference import PlainLoop, Responder
from gradcheck.numerical.noise import measure_noise
from gradcheck.numerical.portions import Work
from gradcheck.numerical.schedule import StructureEngine
from gradcheck.numerical.structure import Structure

STEP = 1e-5  # the classic choice, for both engines alike
PATIENCE = 2.0  # seconds that the plain loop may take in a round; beyond, it is sampled
BUDGETED = 6.0  # seconds of rounds in one process
MOST_ROUNDS = 7
NORM_FLOOR = 1e-300  # instead of a norm of zero


def main() -> None:
    name, jobs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print(json.dumps(measured(case_of(name, TEXTS[name]), jobs)))


def measured(case: Case, jobs: int) -> dict[str, float]:
    """Seconds of both engines for all elements, medians over rounds; distances to the exact gradient; memory."""
    problem = build(case).problem
    noise = measure_noise(problem)
    loop = PlainLoop(problem, noise)
    sizes = {tensor: problem.point[tensor].size for tensor in problem.wrt}
    total = sum(sizes.values())
    sample = _sample(loop, sizes)
    exact = problem.claims[0].gradients
    ours: list[float] = []
    plain: list[float] = []
    began = perf_counter()
    while len(ours) < MOST_ROUNDS and (not ours or perf_counter() - began < BUDGETED):
        workers = Processes(jobs) if jobs > 1 else None
        engine = _Counted(problem, loop, None if workers is None else work_of(workers, None)(case, 0))
        seconds, sampled = 0.0, 0.0
        off, right, loop_off, loop_right, crossed = [], [], [], [], 0
        for tensor, cells in sample.items():  # in turns, so that a busy minute hits both alike
            seconds -= perf_counter()
            answer = engine.engine.respond(tensor, np.arange(sizes[tensor]), np.full(sizes[tensor], STEP))
            seconds += perf_counter()
            sampled -= perf_counter()
            theirs = loop.respond(tensor, cells, np.full(cells.size, STEP))
            sampled += perf_counter()
            truth = exact[tensor].reshape(-1)
            smooth = ~answer.crossed if answer.crossed.size else np.ones(truth.size, bool)
            crossed += int((~smooth).sum())
            off.append((answer.central - truth)[smooth])
            right.append(truth[smooth])
            loop_off.append((theirs.central - truth[cells])[smooth[cells]])
            loop_right.append(truth[cells][smooth[cells]])
        if workers is not None:
            workers.shutdown()
        ours.append(seconds)
        plain.append(sampled * total / sum(cells.size for cells in sample.values()))
    return {
        "elements": total,
        "sampled": sum(cells.size for cells in sample.values()),
        "rounds": len(ours),
        "engine_seconds": statistics.median(ours),
        "plain_seconds": statistics.median(plain),
        "ratio": statistics.median(p / o for p, o in zip(plain, ours, strict=True)),
        "passes": engine.passes,
        "evaluations": 2 * total,
        "peak_mib": _peak(),
        "crossed": crossed,
        "engine_distance": _distance(off, right),
        "plain_distance": _distance(loop_off, loop_right),
    }


class _Counted:
    """A fresh engine, and how many passes through the graph it took in this process."""

    def __init__(self, problem: Problem, loop: PlainLoop, work: Work | None) -> None:
        assert problem.traced is not None
        structure = Structure(problem.traced.graph, problem.traced.values)
        self.passes, change = 0, structure.change

        def counted(*given: object) -> object:
            self.passes += 1
            return change(*given)  # type: ignore[arg-type]

        structure.change = counted  # type: ignore[assignment, method-assign]
        self.engine: Responder = StructureEngine(loop, structure, work=work)


def _sample(loop: PlainLoop, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Elements for the plain loop: all, or as many of each tensor as fit into its time."""
    tensor = max(sizes, key=lambda name: sizes[name])
    few = np.arange(min(8, sizes[tensor]))
    loop.respond(tensor, few, np.full(few.size, STEP))  # the first calls are slower
    started = perf_counter()
    loop.respond(tensor, few, np.full(few.size, STEP))
    each = (perf_counter() - started) / few.size
    share = min(1.0, PATIENCE / (each * sum(sizes.values())))
    random = np.random.default_rng(0)
    return {
        name: np.sort(random.choice(size, max(1, min(size, round(share * size))), replace=False))
        for name, size in sizes.items()
    }


def _distance(off: list[Array], right: list[Array]) -> float:
    """‖numeric − exact‖ / ‖exact‖ over all tensors together."""
    return float(np.linalg.norm(np.concatenate(off)) / max(NORM_FLOOR, float(np.linalg.norm(np.concatenate(right)))))


def _peak() -> float:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()

"""Whole processes and growth: what a user waits for, and how the time per element grows with a network.

python tests/benchmarks/whole.py growth
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
from workloads import MLP, ROOT, TEXTS, case_file, problem_of

ONE_LINE = "name: square\nfunction: x**2\ninputs:\n  x: 3\n"
ROUNDS = 7
ENDINGS = (0, 3)  # attention has a bias that moves nothing: W5 says so, and ends with 3
WIDTHS = (50, 100, 200, 400)
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def environment() -> dict[str, str]:
    """Byte code on disk, as an installed package has it, and one thread for the linear algebra of everybody."""
    return {name: v for name, v in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | ONE_THREAD


def timed(command: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak MiB of a process that has to end well."""
    started = perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in ENDINGS:
        sys.exit(f"'{' '.join(command)}' ended with {process.returncode}")
    return seconds, usage.ru_maxrss / 1024


def run(case: Path, *options: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "gradcheck", "run", str(case), *options)


def in_turns(
    commands: dict[str, tuple[str, ...]], rounds: int = ROUNDS, warm_up: int = 1
) -> dict[str, dict[str, float]]:
    """Median seconds and peak MiB of each command; the first rounds, which fill caches, are not counted."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for number in range(rounds + warm_up):
        for name, command in commands.items():
            result = timed(command)
            if number >= warm_up:
                taken[name].append(result)
    return {
        name: {
            "seconds": statistics.median(seconds for seconds, _ in results),
            "peak_mib": max(peak for _, peak in results),
        }
        for name, results in taken.items()
    }


def processes() -> dict[str, dict[str, float]]:
    """The classroom network beside a case of one line."""
    return in_turns({
        "one line": run(case_file("one-line", ONE_LINE)),
        "w3": run(case_file("w3", TEXTS["w3"])),
    })  # fmt: skip


def cores() -> dict[str, dict[str, float]]:
    """W5 on one core and on two; each is long enough to be run once."""
    case = case_file("w5", TEXTS["w5"])
    return in_turns({jobs: run(case, "--jobs", jobs) for jobs in ("1", "2")}, rounds=1, warm_up=0)


def growth() -> dict[str, float]:
    """Microseconds per element of W3 with other hidden widths, medians of rounds in which all widths take turns."""
    from gradcheck.numerical.difference import PlainLoop
    from gradcheck.numerical.noise import measure_noise
    from gradcheck.numerical.schedule import engine_for

    problems = {
        width: problem_of(f"mlp-{width}", MLP.format(inputs=784, hidden=width, outputs=10, batch=64))
        for width in WIDTHS
    }
    noises = {width: measure_noise(problem) for width, problem in problems.items()}
    taken: dict[int, list[float]] = {width: [] for width in WIDTHS}
    for number in range(ROUNDS + 1):
        for width, problem in problems.items():
            engine = engine_for(problem, PlainLoop(problem, noises[width]))
            sizes = {tensor: problem.point[tensor].size for tensor in problem.wrt}
            started = perf_counter()
            for tensor, size in sizes.items():
                engine.respond(tensor, np.arange(size), np.full(size, 1e-5))
            if number:
                taken[width].append(1e6 * (perf_counter() - started) / sum(sizes.values()))
    return {str(width): statistics.median(times) for width, times in taken.items()}


if __name__ == "__main__":
    print(json.dumps({"growth": growth, "processes": processes, "cores": cores}[sys.argv[1]]()))

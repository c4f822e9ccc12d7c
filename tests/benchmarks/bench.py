"""Speed on the workloads W1 to W6: our engine, the plain loop, other checkers, whole processes, growth.

Everything is measured in fresh processes with one thread of linear algebra, and judged by ratios within one run. Prints
tables in Markdown, then which of the promised numbers hold; writes them all to build/bench.json.

    python tests/benchmarks/bench.py [w3 …]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import checkers
import whole
from workloads import FOLDER, TEXTS

HERE = Path(__file__).parent
PROCESSES = 5  # fresh ones per workload, of which the median counts
FEWER = {"w5": 1, "w4": 3, "w3": 3}  # where one takes long
LIMIT = 60  # seconds that another checker may take
Results = dict[str, Any]

AT_LEAST = {"w2": 7.0, "w3": 350.0, "w4": 220.0, "w5": 5.5, "w6": 30.0}  # × the plain loop, one core
CLOSE = {"w3": 1e-10}  # largest norm-wise distance to the exact gradient
EXTRA_SECONDS = 0.2  # of a whole run of W3 over one of a single line
WHOLE_RATIO = 100.0  # × the plain loop, for the whole process
WHOLE_MEMORY = 150.0  # MiB
TWO_CORES = 10.0  # × the plain loop, W5, the engine with two workers, their start included
FLAT = 1.3  # largest over smallest time per element, as the hidden layer grows


def main() -> None:
    chosen = _chosen(sys.argv[1:])
    results: Results = {"engines": {}, "checkers": {}}
    for name in chosen:
        results["engines"][name] = _engine(name)
        if name == "w3":  # beside the plain loop that it is compared with: a machine does not stay as fast as it was
            results["processes"] = _child("whole.py", "processes")
    _print(engine_table(results["engines"]))
    for name in chosen:
        results["checkers"][name] = {checker: _checker(name, checker) for checker in checkers.CHECKERS}
    _print(checker_table(results["checkers"]))
    if "w3" in chosen:
        results["growth"] = _child("whole.py", "growth")
        _print(whole_table(results))
    if "w5" in chosen:
        results["two cores"] = _child("engines.py", "w5", "2")
        results["cores"] = _child("whole.py", "cores")
        _print(core_table(results))
    promises = list(judged(results))
    _print(f"{'' if met else 'FALLS SHORT: '}{text}" for met, text in promises)
    results["promises"] = [{"met": met, "text": text} for met, text in promises]
    FOLDER.mkdir(parents=True, exist_ok=True)
    target = FOLDER.parent / "bench.json"
    target.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"all numbers: {target.relative_to(Path.cwd()) if target.is_relative_to(Path.cwd()) else target}")


def _chosen(words: Sequence[str]) -> list[str]:
    """The workloads that the words begin the names of; all without a word."""
    lowered = [word.lower() for word in words]
    for word in lowered:
        if not any(name.startswith(word) for name in TEXTS):
            sys.exit(f"there is no workload '{word}'; there are {', '.join(TEXTS)}")
    return [name for name in TEXTS if not lowered or any(name.startswith(word) for word in lowered)]


def _engine(name: str) -> Results:
    """Medians over fresh processes; distances and memory are the worst of them."""
    runs = [_child("engines.py", name) for _ in range(FEWER.get(name, PROCESSES))]
    medians = {key: statistics.median(run[key] for run in runs) for key in ("engine_seconds", "plain_seconds", "ratio")}
    worst = {key: max(run[key] for run in runs) for key in ("peak_mib", "engine_distance", "plain_distance")}
    return {**runs[0], **medians, **worst, "processes": len(runs)}


def _checker(name: str, checker: str) -> Results:
    """What another checker took, or why there is no number."""
    if find_spec(checkers.CHECKERS[checker][0]) is None:
        return {"missing": "not installed"}
    try:
        return _child("checkers.py", name, checker, limit=LIMIT)
    except subprocess.TimeoutExpired:
        return {"missing": f"over {LIMIT} s"}


def _child(script: str, *arguments: str, limit: float | None = None) -> Results:
    """What a script of this folder prints as JSON."""
    command = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(command, env=whole.environment(), capture_output=True, text=True, check=False, timeout=limit)
    if done.returncode != 0:
        sys.exit(f"'{' '.join(command)}' ended with {done.returncode}:\n{done.stderr}")
    result: Results = json.loads(done.stdout)
    return result


# -- tables --


def engine_table(engines: Mapping[str, Results]) -> Iterable[str]:
    columns = (
        "elements", "plain loop", "gradcheck", "ratio", "passes", "memory", "distance: plain", "ours", "kinks",
    )  # fmt: skip
    yield _row("", *columns)
    yield _row(*["---"] * (len(columns) + 1))
    for name, row in engines.items():
        sampled = "" if row["sampled"] == row["elements"] else f" (from {row['sampled']:,})"
        yield _row(
            name.upper(), f"{row['elements']:,}", f"{_time(row['plain_seconds'])}{sampled}",
            _time(row["engine_seconds"]), f"{_ratio(row['ratio'])}×", f"{row['passes']:,}",
            f"{row['peak_mib']:.0f} MiB", f"{row['plain_distance']:.0e}", f"{row['engine_distance']:.0e}",
            row["crossed"],
        )  # fmt: skip


def checker_table(found: Mapping[str, Mapping[str, Results]]) -> Iterable[str]:
    """A row per checker; "FAILS" where it rejects the gradient, which is right."""
    yield _row("", *(name.upper() for name in found))
    yield _row(*["---"] * (len(found) + 1))
    for checker in checkers.CHECKERS:
        yield _row(checker, *(_cell(rows[checker]) for rows in found.values()))


def _cell(row: Results) -> str:
    if "missing" in row:
        return str(row["missing"])
    notes = [] if row["checked"] == row["elements"] else [f"from {row['checked']:,}"]
    notes += [] if row["passes"] else ["FAILS"]
    return _time(row["seconds"]) + (f" ({', '.join(notes)})" if notes else "")


def whole_table(results: Results) -> Iterable[str]:
    yield "| | |"
    yield "|---|---|"
    for name, row in results["processes"].items():
        yield _row(f"`gradcheck run`, {name}", f"{_time(row['seconds'])}, {row['peak_mib']:.0f} MiB")
    for width, each in results["growth"].items():
        yield _row(f"784-{width}-10", f"{each:.2f} µs per element")


def core_table(results: Results) -> Iterable[str]:
    """The one workload that is worth a second core."""
    yield "| | | × the plain loop |"
    yield "|---|---|---|"
    row = results["two cores"]
    yield _row("w5 with two workers, their start included", _time(row["engine_seconds"]), _ratio(row["ratio"]))
    for jobs, row in results["cores"].items():
        ratio = results["engines"]["w5"]["plain_seconds"] / row["seconds"]
        yield _row(f"`gradcheck run --jobs {jobs}`, w5", _time(row["seconds"]), _ratio(ratio))


def judged(results: Results) -> Iterable[tuple[bool, str]]:
    """Whether each promised number holds, and the sentence that says so."""
    for name, row in results["engines"].items():
        if name in AT_LEAST:
            least = AT_LEAST[name]
            yield row["ratio"] >= least, f"{name.upper()}: {_ratio(least)}× asked, {_ratio(row['ratio'])}× measured"
        limit = min(row["plain_distance"], CLOSE.get(name, 1.0))
        text = f"{name.upper()}: distance of {limit:.0e} allowed, {row['engine_distance']:.0e} measured"
        yield row["engine_distance"] <= limit, text
    if "processes" in results:
        small, large = results["processes"]["one line"], results["processes"]["w3"]
        extra = large["seconds"] - small["seconds"]
        yield extra <= EXTRA_SECONDS, f"run of W3: {EXTRA_SECONDS} s over one line allowed, {extra:.2f} s measured"
        ratio = results["engines"]["w3"]["plain_seconds"] / large["seconds"]
        yield ratio >= WHOLE_RATIO, f"run of W3: {WHOLE_RATIO:.0f}× the plain loop asked, {ratio:.0f}× measured"
        memory = large["peak_mib"]
        yield memory <= WHOLE_MEMORY, f"run of W3: {WHOLE_MEMORY:.0f} MiB allowed, {memory:.0f} MiB measured"
    if "cores" in results:
        ratio = results["two cores"]["ratio"]
        yield ratio >= TWO_CORES, f"W5 on two cores: {_ratio(TWO_CORES)}× asked, {_ratio(ratio)}× measured"
    if "growth" in results:
        times = results["growth"].values()
        spread = max(times) / min(times)
        yield spread <= FLAT, f"growth: time per element within {FLAT}× allowed, {spread:.2f}× measured"


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _ratio(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _time(seconds: float) -> str:
    if seconds >= 1.0:
        return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:,.0f} s"
    return f"{1e3 * seconds:.3g} ms"


def _print(lines: Iterable[str]) -> None:
    print("\n".join(lines), end="\n\n", flush=True)


if __name__ == "__main__":
    main()

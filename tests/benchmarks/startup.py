"""How long the command takes beside its own imports: ratios within one run, for one machine says nothing about another.

Prints a table, and with --json the same as JSON; it judges nothing. The contract: one small case takes at most
1.35 × its imports, the gallery under 3 seconds.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).parents[2]
IMPORTS = "import numpy, click, rich.table, ruamel.yaml; from pydantic import BaseModel"
SMALL = "name: square\nfunction: x**2\ninputs:\n  x: 3\ngradient:\n  x: 2*x\n"
ROUNDS = 11  # the median of eleven is steady to some 2 % on a quiet machine


def commands(case: Path) -> dict[str, list[str]]:
    """Name → argument list; the first is what the others are compared with."""
    python = sys.executable
    gallery = [str(file) for file in sorted((ROOT / "cases").glob("*.yaml"))]
    return {
        "its imports": [python, "-c", IMPORTS],
        "one small case": [python, "-m", "gradcheck", "run", str(case)],
        "one small case, as JSON": [python, "-m", "gradcheck", "run", "--format", "json", str(case)],
        "gradcheck --version": [python, "-m", "gradcheck", "--version"],
        "python -c pass": [python, "-c", "pass"],
        "the gallery": [python, "-m", "gradcheck", "run", *gallery],
    }


def measure(named: Mapping[str, Sequence[str]], rounds: int) -> dict[str, float]:
    """Median seconds of every command in fresh processes, taken in turns so that a busy minute hits all alike."""
    # An installed package has its byte code on disk; without that, compiling would be all that is measured.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    seconds: dict[str, list[float]] = {name: [] for name in named}
    for number in range(rounds + 1):
        for name, command in named.items():
            started = perf_counter()
            done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, env=environment)
            if done.returncode != 0:
                sys.exit(f"'{name}' ended with {done.returncode}:\n{done.stderr.decode()}")
            if number:  # the first round fills the caches of files and byte code
                seconds[name].append(perf_counter() - started)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder) / "square.yaml"
        case.write_text(SMALL)
        medians = measure(commands(case), ROUNDS)
    unit = next(iter(medians.values()))
    if "--json" in sys.argv[1:]:
        rows = {name: {"seconds": taken, "ratio": taken / unit} for name, taken in medians.items()}
        print(json.dumps(rows, indent=2))
        return
    width = max(map(len, medians))
    print(f"{'':{width}}       ms  × imports")
    for name, taken in medians.items():
        print(f"{name:{width}}  {1000 * taken:7.1f}  {taken / unit:9.2f}")


if __name__ == "__main__":
    main()

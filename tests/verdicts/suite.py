"""Runs a verdict suite (pairs whose right answer is known beforehand) through the command line and counts mistakes.

A suite is a module with `CASES`, a list of (name, truth, inputs), and `<name>_forward`, `<name>_backward`.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

HERE = Path(__file__).parent
SUITES = ("hardcases", "more_hardcases")
# What each truth allows. `vacuous` is an honest answer about an unused input or a constant output.
ALLOWED = {
    "right": {"pass", "vacuous"},
    "wrong": {"fail"},
    "kink-right": {"kink"},
    "kink-wrong": {"fail"},
    "error": {"error", "fail"},
}


@dataclass(frozen=True)
class Answer:
    name: str
    truth: str
    verdict: str
    evaluations: int
    elements: int

    @property
    def is_false_fail(self) -> bool:
        return self.truth in ("right", "kink-right") and self.verdict in ("fail", "error")

    @property
    def is_false_pass(self) -> bool:
        flagged = ALLOWED[self.truth] | {"inconclusive", "error"}
        return self.truth in ("wrong", "kink-wrong", "error") and self.verdict not in flagged

    @property
    def is_undecided(self) -> bool:
        return self.verdict == "inconclusive"

    @property
    def is_as_hoped(self) -> bool:
        return self.verdict in ALLOWED[self.truth]


def load_suite(name: str) -> ModuleType:
    """The module of a suite, by file, so that it needs no package."""
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_suite(name: str, only: str = "", most: int | None = None) -> list[Answer]:
    """Write the suite as case files, run `gradcheck run` on them in one process, and read its JSON.

    only : of the pairs whose name has this in it
    most : of the pairs with at most so many elements
    """
    module = load_suite(name)
    small = (entry for entry in module.CASES if most is None or sum(int(np.size(x)) for x in entry[2]) <= most)
    cases = [entry for entry in small if only in entry[0]]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / f"{name}.py").write_text((HERE / f"{name}.py").read_text(encoding="utf-8"), encoding="utf-8")
        lines = ["cases:"]
        for case, _, inputs in cases:
            names = [f"x{i}" for i in range(len(inputs))]
            np.savez(root / f"{case}.npz", **dict(zip(names, inputs, strict=True)))
            gradients = ", ".join(f"d{n}" for n in names)
            lines += [
                f"  - name: {case}",
                f"    code: {name}.py",
                f"    forward: out, cache = {case}_forward({', '.join(names)})",
                f"    backward: {gradients} = {case}_backward(dout, cache)",
                "    inputs:",
                *(f"      {n}: {case}.npz:{n}" for n in names),
            ]
        (root / "suite.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "gradcheck", "run", "--format", "json", "suite.yaml"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        report = json.loads(done.stdout)
    assert not report["problems"], report["problems"]
    sizes = {case: sum(int(np.size(x)) for x in inputs) for case, _, inputs in cases}
    truths = {case: truth for case, truth, _ in cases}
    return [
        Answer(c["name"], truths[c["name"]], c["verdict"], c["evaluations"], sizes[c["name"]]) for c in report["cases"]
    ]


def table(answers: list[Answer]) -> str:
    """Counts of verdicts per truth, and the mistakes by name."""
    words = ("pass", "fail", "kink", "inconclusive", "vacuous", "error")
    counts = Counter((answer.truth, answer.verdict) for answer in answers)
    lines = [f"{'truth':<12}" + "".join(f"{word:>14}" for word in words)]
    lines += [f"{truth:<12}" + "".join(f"{counts[truth, word] or '·':>14}" for word in words) for truth in ALLOWED]
    undecided = sum(answer.is_undecided for answer in answers)
    lines += [
        "",
        f"{len(answers)} pairs: {sum(a.is_false_fail for a in answers)} false fails, "
        f"{sum(a.is_false_pass for a in answers)} false passes, "
        f"{undecided} inconclusive ({100 * undecided / max(1, len(answers)):.1f} %)",
    ]
    lines += [f"  not as hoped: {a.name} is {a.truth}, got {a.verdict}" for a in answers if not a.is_as_hoped]
    return "\n".join(lines)

"""One case as written, with all that a run makes of it: the benches where nothing is wrong, and further configurations.

What can be planted in it is known here; what comes of it is `score`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from gradcheck.errors import GradcheckError
from gradcheck.model.case import Case
from gradcheck.model.problem import Source
from gradcheck.mutation.bench import Bench, benches
from gradcheck.mutation.outcomes import Skipped
from gradcheck.mutation.plants import PLANTS
from gradcheck.mutation.probes import probes
from gradcheck.mutation.source import Key
from gradcheck.record import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """A mistake to be planted in an array."""

    plant: str
    source: Source
    tensor: str


class Subject:
    """One case as written, with its combinations and variants: the benches on which nothing is wrong.

    name : as reports have it; benches : in the order of the case; skipped : the others, and why
    """

    def __init__(self, cases: Sequence[Case]) -> None:
        self.case, self.name = cases[0], cases[0].name
        self.benches: list[Bench] = []
        self.skipped: list[Skipped] = []
        self.found: list[str] = []
        self._values: dict[str, list[Any]] = {}
        for case in cases:
            for name, value in {**case.sizes, **case.options}.items():
                known = self._values.setdefault(name, [])
                known += [value] if value not in known else []
        for case, bench in benches(cases):
            reason = _not_right(case, bench)
            if isinstance(bench, Bench) and not reason:
                self.benches.append(bench)
                if bench.judge.verdict == "vacuous":
                    untested = [f.tensor for f in bench.judge.examination.findings if f.verdict == "vacuous"]
                    self.found.append(
                        f"nothing is tested of {', '.join(dict.fromkeys(untested))}: its gradient is zero"
                    )
            elif case.variant is None:
                label = bench.label if isinstance(bench, Bench) else ""
                self.skipped.append(Skipped(f"{self.name} [{label}]" if label else self.name, reason))

    @cached_property
    def probes(self) -> list[tuple[str, Bench]]:
        """The other configurations that the code takes, with the advice that each stands for."""
        found: list[tuple[str, Bench]] = []
        written = next((b.case for b in self.benches if b.case.variant is None), None)
        for probe in () if written is None else probes(written, self._values):
            try:
                found.append((probe.advice, Bench(probe.case)))
            except GradcheckError:
                continue  # the code, or the case, does not take it
        return found

    def trusted(self, bench: Bench, advice: str) -> bool:
        """Whether the code as it is passes on a further configuration; where it does not, that is worth saying."""
        # A length that is changed alone may make another function of it: gamma of (1, C) as (2, C), say.
        if bench.judge.verdict == "fail" and advice.startswith(("vary", "sweep")):
            remark = f"wrong as it is with {advice}"
            if remark not in self.found:
                self.found.append(remark)
        return bench.judge.is_right

    def plans(self) -> Iterator[tuple[str, list[Plan]]]:
        """What can be planted in each claim about each tensor, on one bench at least.

        Our own backpropagation makes no mistakes of theirs: it serves where nobody else claims anything.
        """
        claims = dict.fromkeys(c.source for bench in self.benches for c in bench.built.problem.claims)
        for source in [source for source in claims if source != "backprop"] or claims:
            for tensor in dict.fromkeys(t for bench in self.benches for t in bench.built.problem.wrt):
                possible = [Plan(name, source, tensor) for name in PLANTS if self._can_be(name, source, tensor)]
                if possible:
                    yield f"{source} {tensor}", possible

    def _can_be(self, plant: str, source: Source, tensor: str) -> bool:
        return any(bench.can_plant(plant, source, tensor) for bench in self.benches)

    def functions(self) -> dict[Key, set[int]]:
        """The functions of somebody's that the benches run."""
        found: dict[Key, set[int]] = {}
        for bench in self.benches:
            for key, inner in bench.ran.inner.items():
                found.setdefault(key, set()).update(inner)
        return found


def _not_right(case: Case, bench: Bench | GradcheckError) -> str:
    """Why nothing is planted; "" where something can be."""
    if case.expect.verdict not in (None, "pass", "kink") or case.expect.tensors:
        return "it is not expected to pass"
    if isinstance(bench, GradcheckError):
        return f"it does not run: {bench.message}"
    return "" if bench.judge.is_right else f"it does not pass as it is: {bench.judge.verdict}"

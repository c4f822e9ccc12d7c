"""Runs the planted mistakes and the failures outside the list, and counts how often the right kind comes first."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.casefile.loader import load
from gradcheck.checking.building.drawing import Built
from gradcheck.checking.check import run_cases
from gradcheck.checking.one_case import check_case
from gradcheck.checking.settings import Settings
from gradcheck.errors import FieldError
from gradcheck.location import Location
from gradcheck.model.case import Case, CodeBody
from gradcheck.model.problem import Claim, Problem
from gradcheck.model.report import CaseResult
from tests.diagnosis.gallery import case_of
from tests.diagnosis.layers import LAYERS, P
from tests.diagnosis.mutants import MUTANTS
from tests.diagnosis.outside import OUTSIDE, Outside
from tests.diagnosis.plants import PLANTS, Plant

NONE = "no pattern"
UNSPECIFIC = frozenset(("pattern", "combination"))  # kinds that name no mistake


@dataclass(frozen=True)
class Answer:
    """What was said about one mistake; `kinds` are the right ones, none for a failure outside the list."""

    name: str
    kinds: tuple[str, ...]
    verdict: str
    said: tuple[str, ...]
    texts: tuple[str, ...]

    @property
    def first(self) -> str:
        return self.said[0] if self.said else NONE

    @property
    def is_right(self) -> bool:
        return self.first in self.kinds if self.kinds else self.first == NONE

    @property
    def is_wrong(self) -> bool:
        return self.first != NONE and self.first not in self.kinds


def answer(name: str, kinds: Iterable[str], result: CaseResult) -> Answer:
    """The diagnoses of the worst finding that has one that names a mistake."""
    failing = [finding for finding in result.findings if finding.verdict == "fail"]
    named = [[d for d in finding.diagnosis if d.kind not in UNSPECIFIC] for finding in failing]
    # Several tensors may carry the same mistake: what most of them say, the first one where they are even.
    votes = Counter(found[0].kind for found in named if found)
    first = max(votes, key=lambda kind: votes[kind], default=None)
    said = [first] if first else []
    texts = [f"{f.tensor}: {d.kind}: {d.text}" for f in failing for d in f.diagnosis]
    return Answer(name, tuple(kinds), result.verdict, tuple(said), tuple(texts))


def problem_of(plant: Plant | Outside, case: Case | None = None) -> Problem:
    """The layer's function with the plant's gradients as the claim, with the options of the case.

    Raises FieldError for other sizes: a layer has its own.
    """
    layer = LAYERS[plant.layer]
    point = layer.point()
    if case is not None:
        if case.sizes != layer.sizes:
            raise FieldError("the layer has no other sizes")
        point.update({name: value for name, value in case.options.items() if name in point})
    if isinstance(plant, Plant) and plant.change is not None:
        point = plant.change(point)
    value = np.asarray(layer.forward(P(point)), dtype=float)
    generator = np.random.default_rng(7)
    upstream = generator.choice([-1.0, 1.0], value.shape) * generator.uniform(0.5, 1.5, value.shape)
    if not value.shape:
        upstream = np.ones(())

    def vjp(weights: Any) -> dict[str, Any]:
        g = weights.reshape(value.shape)
        right = layer.vjp(g, P(point))
        return {**right, **plant.wrong(g, P(point), right)}

    def function(at: Any) -> Any:
        return np.asarray(layer.forward(P({**point, **at})), dtype=float).reshape(-1)

    flat = upstream.reshape(-1)
    claim = Claim("backward", vjp(flat), vjp=vjp if value.shape else None)
    return Problem(
        point={name: array for name, array in point.items() if isinstance(array, np.ndarray)}, wrt=tuple(layer.shapes),
        function=function, upstream=flat, value=value.reshape(-1), claims=(claim,), output_shapes=(value.shape,),
    )  # fmt: skip


def check_plant(plant: Plant | Outside) -> CaseResult:
    layer = LAYERS[plant.layer]
    case = Case(
        name=plant.name, location=Location("plants.py", 1, 1), body=CodeBody(Path("plants.py")),
        sizes=layer.sizes, options=layer.options,
    )  # fmt: skip
    result = check_case(case, Settings(), lambda case, trial: Built(problem_of(plant, case)))
    assert isinstance(result, CaseResult)
    return result


def check_mutants() -> list[Answer]:
    """The edited copies of the gallery's code as one file of cases."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        cases = ["cases:"]
        for number, (edit, _) in enumerate(MUTANTS):
            (root / f"m{number}.py").write_text(edit.applied(), encoding="utf-8")
            cases.append(case_of(f"m{number}", edit.subject, f"m{number}.py"))
        (root / "cases.yaml").write_text("\n".join(cases) + "\n", encoding="utf-8")
        report = run_cases(load((str(root / "cases.yaml"),)), Settings())
    assert not report.problems, report.problems
    names = [f"{edit.subject}: {re.sub(' +', ' ', edit.old)} -> {edit.new}" for edit, _ in MUTANTS]
    return [
        answer(name, kinds.split(), result)
        for name, (_, kinds), result in zip(names, MUTANTS, report.cases, strict=True)
    ]


def check_plants() -> list[Answer]:
    return [answer(f"{p.layer}: {p.name}", p.kinds.split(), check_plant(p)) for p in PLANTS]


def check_outside() -> list[Answer]:
    return [answer(o.name, (), check_plant(o)) for o in OUTSIDE]


def table(answers: list[Answer]) -> str:
    """Per right kind: how many, how often right, how often nothing, and what was said in its place."""
    lines = [f"{'kind':<20}{'cases':>6}{'right':>7}{'none':>6}  wrong"]
    groups: dict[str, list[Answer]] = {}
    for a in answers:
        groups.setdefault(a.kinds[0] if a.kinds else "(outside)", []).append(a)
    for kind, members in sorted(groups.items()):
        wrong = Counter(a.first for a in members if a.is_wrong)
        none = sum(a.first == NONE for a in members)
        shown = ", ".join(f"{word} {count}" for word, count in wrong.most_common())
        lines.append(f"{kind:<20}{len(members):>6}{sum(a.is_right for a in members):>7}{none:>6}  {shown}".rstrip())
    return "\n".join(lines)


def summary(answers: list[Answer]) -> str:
    right, wrong = sum(a.is_right for a in answers), sum(a.is_wrong for a in answers)
    flagged = sum(a.verdict == "fail" for a in answers)
    n = len(answers)
    return (
        f"{n} cases: {flagged} flagged, right {right} ({100 * right / n:.1f} %), "
        f"wrong {wrong} ({100 * wrong / n:.1f} %), none {n - right - wrong if answers[0].kinds else right}"
    )

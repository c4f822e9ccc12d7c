"""One example of a convention: the lines of its case, its code, mistakes planted in the code, and how it is run.

Rows say nothing of right or wrong; the tests run them as `gradcheck run` would, and beside that compare them with a
plain central difference.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.handwritten.opening import open_handwritten
from gradcheck.handwritten.runner import Handwritten
from gradcheck.location import Location, SourceText
from gradcheck.model.case import Case, CodeBody
from gradcheck.model.report import CaseResult

FOLDER = Path(__file__).parent / "code"
LAYERS = FOLDER / "layers.py"

# What an author has got wrong, as the table of mistakes in USERCODE section 5 calls it, finer where that is needed.
Kind = Literal[
    "sign", "factor", "transposed", "not summed", "mean for sum", "upstream ignored", "wrong branch", "stale cache",
    "path missing", "assigned for accumulated", "wrong local derivative", "wrong tensor", "swapped", "penalty",
    "mask not applied", "mask redrawn", "wrong index", "constant added", "zero",
]  # fmt: skip


class Wrong(NamedTuple):
    """A mistake of some kind: what stands in the code, and what is put in its place."""

    kind: Kind
    old: str
    new: str


class Raises(NamedTuple):
    """What lets the code raise: in which phase, what stands in the code, and what is put in its place.

    The line that raises is the one in which `old` begins.
    """

    during: Literal["load", "forward", "backward"]
    old: str
    new: str


@dataclass(frozen=True)
class Example:
    """keys : the lines of the case; arrays : its inputs; tensors : whose gradients must come out

    wrong : each makes a gradient wrong; raising : each lets the code raise
    rows : what it is an example of, among those that `table.py` lists
    file : the code; subject : the functions and classes in it that mistakes are made in
    """

    name: str
    keys: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]
    tensors: tuple[str, ...]
    wrong: tuple[Wrong, ...] = ()
    raising: tuple[Raises, ...] = ()
    rows: tuple[str, ...] = ()
    subject: str = ""
    file: str = "layers.py"
    options: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    scale: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return FOLDER / self.file


def text(words: str, key: str = "forward") -> SourceText:
    """A text as it stands in a case file named case.yaml, behind its key."""
    starts = (
        Location("case.yaml", 3, len(key) + 3),
        *(Location("case.yaml", 4 + i, 3) for i in range(words.count("\n"))),
    )
    return SourceText(words, starts)


def case_of(
    keys: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    path: Path = LAYERS,
    options: Mapping[str, Any] | None = None,
    sizes: Mapping[str, int] | None = None,
    **others: Any,
) -> Case:
    """A Case with code, as the loader would make it."""
    body: dict[str, Any] = {"path": path}
    for key, value in keys.items():
        if key in ("entry", "arrays"):
            body[key] = value
        else:
            body[key] = {n: text(t, n) for n, t in value.items()} if isinstance(value, Mapping) else text(value, key)
    where: dict[tuple[str | int, ...], Location] = {(key,): Location("case.yaml", 3, 1) for key in keys}
    where.update({("inputs", name): Location("case.yaml", 9, 3) for name in arrays})
    where[("code",)] = Location("case.yaml", 2, 1)
    return Case(
        name="example",
        location=Location("case.yaml", 1, 1),
        body=CodeBody(**body),
        where=where,
        inputs={name: text("normal(2)", name) for name in arrays},
        options=options or {},
        sizes=sizes or {},
        **others,
    )


def planted(example: Example, old: str, new: str) -> tuple[str, int]:
    """The code of an example with one change within its subjects, and the line of it.

    Raises AssertionError where the text does not stand there exactly once: the table does not fit the code.
    """
    source = example.path.read_text()
    lines = source.splitlines(keepends=True)
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in example.subject.split():
            begin = len("".join(lines[: node.lineno - 1]))
            end = len("".join(lines[: node.end_lineno]))
            places = [i for i in range(begin, end) if source.startswith(old, i)]
            found += places
    assert len(found) == 1, f"{example.name}: {old!r} stands {len(found)} times in {example.subject}"
    (at,) = found
    return source[:at] + new + source[at + len(old) :], source[:at].count("\n") + 1


def opened(example: Example, path: Path | None = None) -> Handwritten:
    path = example.path if path is None else path
    case = case_of(example.keys, example.arrays, path, example.options, example.sizes)
    beside = Location(str(path.parent / "case.yaml"), 1, 1)  # where a file under `arrays` is looked for
    return open_handwritten(replace(case, location=beside), example.arrays)


def case_text(example: Example) -> str:
    """The example as a case file; what JSON writes is YAML, too."""
    entry = example.keys.get("entry")
    code = example.file if entry is None else f"{example.file}:{entry}"
    lines = {"name": example.name, "code": code, **{k: v for k, v in example.keys.items() if k != "entry"}}
    lines["inputs"] = {name: array.tolist() for name, array in example.arrays.items()}
    others = {"options": example.options, "sizes": example.sizes, "scale": example.scale}
    lines.update({key: dict(value) for key, value in others.items() if value})
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in lines.items() if value != {})


def run(example: Example, folder: Path, source: str | None = None) -> CaseResult:
    """The result of an example, as `gradcheck run` gives it.

    source : its code, where that is not to be the one that stands in the file
    """
    (folder / example.file).write_text(example.path.read_text() if source is None else source)
    (folder / "case.yaml").write_text(case_text(example))
    found = run_cases(load([folder / "case.yaml"]), Settings())
    assert found.problems == ()
    (only,) = found.cases
    return only


def worst_error(code: Handwritten, step: float = 1e-5) -> float:
    """The largest difference between what the code claims and a plain central difference, relative to the larger."""
    weights = (
        np.random.default_rng(7).uniform(0.5, 1.5, code.value.size) if code.takes_upstream else np.ones(code.value.size)
    )
    gradients = code.vjp(weights)
    worst = 0.0
    for name in code.wrt:
        numeric = np.zeros(code.point[name].shape)
        for index in np.ndindex(numeric.shape):
            sides = []
            for sign in (1, -1):
                moved = {n: v.copy() for n, v in code.point.items()}
                moved[name][index] += sign * step
                sides.append(float(weights @ code.outputs(moved)))
            numeric[index] = (sides[0] - sides[1]) / (2 * step)
        claimed = np.asarray(gradients[name], dtype=float)
        if claimed.size != numeric.size:
            return float("inf")
        error = np.abs(claimed.reshape(numeric.shape) - numeric).max() / max(1.0, np.abs(numeric).max())
        worst = max(worst, float(error) if np.isfinite(error) else float("inf"))
    return worst


def _normal(*shape: int, seed: int = 0) -> NDArray[Any]:
    return np.random.default_rng(seed + sum(shape)).normal(size=shape)


def normal(*shape: int, seed: int = 0) -> NDArray[Any]:
    return np.random.default_rng(seed + sum(shape)).normal(size=shape)


X, W, B = normal(4, 3), normal(3, 2), normal(2)
XWB = {"x": X, "w": W, "b": B}
OBJECT = {"x": X, "W": W, "b": B}
LABELS = {"x": X, "y": np.array([0, 2, 1, 1])}

"""A case in the making: the arguments of a subject, a guess of its shapes, numbers for its sizes.

From here it becomes a Case, to be tried, or lines of a file, to be read; nothing is run here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gradcheck.handwritten.scaffold.arguments import Arguments
from gradcheck.handwritten.scaffold.docstrings import Shape
from gradcheck.handwritten.scaffold.shapes import Guess
from gradcheck.handwritten.scaffold.subjects import Subject
from gradcheck.handwritten.scaffold.vocabulary import family_of
from gradcheck.location import Location, SourceText
from gradcheck.model.case import Case, CodeBody

BATCH = 2
FREE = (3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)  # sizes that no swept batch has
# customary size → its usual number, by what the subject is about
USUAL = {"N": BATCH, "T": 3, "L": 7, "F": 2, "HH": 3, "WW": 2, "C": 3}
IMAGE_SIZES = {"conv": {"H": 5, "W": 4, "K": 3}, "": {"H": 4, "W": 6, "K": 2}}


@dataclass(frozen=True)
class Draft:
    """sizes : name → number; parameters : parameter of an object → the text of its values

    lines : the statements, once they are known; gradient_at : tensor → expression
    wrt : the tensors to check, where not all of them have a gradient; note : what a reader should know of the calls
    """

    subject: Subject
    arguments: Arguments
    guess: Guess
    sizes: Mapping[str, int]
    parameters: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)
    gradient_at: Mapping[str, str] = field(default_factory=dict)
    wrt: tuple[str, ...] | None = None
    note: str = ""

    @property
    def inputs(self) -> dict[str, str]:
        """Input → the text of its values."""
        found = {n: array_text(s, self.guess.kinds[n], self.guess.bound) for n, s in self.guess.shapes.items()}
        return {**found, **self.parameters}

    @property
    def floats(self) -> tuple[str, ...]:
        whole = [name for name, kind in self.guess.kinds.items() if kind in ("ids", "bits")]
        return tuple(name for name in self.inputs if name not in whole)

    def case(self, path: Path, bound: Mapping[str, Any], body: CodeBody) -> Case:
        """The case at one combination of a sweep. bound : its sizes and settings"""
        place = Location(str(path), self.subject.line, 1)
        sizes = {**self.sizes, **{n: v for n, v in bound.items() if n in self.sizes}}
        return Case(
            name=self.subject.title,
            location=place,
            body=body,
            inputs={name: SourceText.of(text) for name, text in self.inputs.items()},
            sizes=sizes,
            wrt=self.wrt,
            options={**self.arguments.options, **{n: v for n, v in bound.items() if n not in sizes}},
        )

    def body(self, path: Path) -> CodeBody:
        """The calls as they are written out; bare names before they are known."""
        if not self.lines:
            entry = self.subject.entry
            is_pair = self.subject.kind == "pair"
            return self._bare(path) if is_pair else CodeBody(path, entry, arrays=self.subject.arrays)
        texts: dict[str, Any] = {key: SourceText.of(text) for key, text in self.lines.items() if key != "arrays"}
        if self.gradient_at:
            texts["gradient_at"] = {name: SourceText.of(text) for name, text in self.gradient_at.items()}
        return CodeBody(path, arrays=self.lines.get("arrays"), **texts)

    def _bare(self, path: Path) -> CodeBody:
        assert self.subject.backward is not None
        forward, backward = SourceText.of(self.subject.entry), SourceText.of(self.subject.backward.name)
        return CodeBody(path, forward=forward, backward=backward, arrays=self.subject.arrays)

    def with_statements(self, body: CodeBody) -> Draft:
        """The draft with its calls written out, option dicts as calls of `dict`."""
        keys = ("setup", "forward", "backward", "output", "parameters_at")
        found = {key: getattr(body, key) for key in keys}
        # Where nothing is differentiated, backward is called for what it leaves behind.
        lines = {} if self.subject.arrays is None else {"arrays": self.subject.arrays}
        lines |= {
            key: self._with_dicts(text.text.removeprefix(" = ")) for key, text in found.items() if text is not None
        }
        at = body.gradient_at
        if isinstance(at, SourceText):
            lines["gradient_at"] = at.text
        each = {name: text.text for name, text in at.items()} if isinstance(at, Mapping) else {}
        return replace(self, lines=lines, gradient_at=each)

    def _with_dicts(self, text: str) -> str:
        for name, call in self.arguments.text.items():
            text = re.sub(rf"(?<![\w.]){re.escape(name)}\b(?!\s*=)", call, text)
        return text


def array_text(shape: Shape, kind: str, bound: str = "2") -> str:
    """The text of an array in a case file: `normal(N, D)`, `integers(0, C, size=N)`."""
    size = shape[0] if len(shape) == 1 else f"({', '.join(shape)})"
    match kind:
        case "ids":
            return f"integers(0, {bound}, size={size})"
        case "bits":
            return f"integers(0, 2, size={size})"
        case "one hot":
            rows = shape[0] if len(shape) == 2 else f"({', '.join(shape[:-1])})"
            return f"one_hot(integers(0, {shape[-1]}, size={rows}), {shape[-1]})"
        case "unit":
            return f"uniform(0.1, 0.9, size={size})"
    return f"normal({', '.join(shape)})" if shape else "0.7"


def numbers_for(
    sizes: Iterable[str], customary: Mapping[str, str], title: str, fixed: Mapping[str, int], taken: Iterable[int]
) -> dict[str, int]:
    """A number for every size, each another one where possible: with equal sizes a transposed matrix fits.

    customary : size → what it is usually called; fixed : sizes that have one already; taken : numbers of settings
    """
    names = list(sizes)
    usual = {name: customary.get(name, name) for name in names}
    family = family_of(title)
    table = {**USUAL, **IMAGE_SIZES["conv" if family == "conv" else ""]}
    if family == "conv" and "K" in usual.values():
        table["W"] = 7  # a window of 3 stops at both ends of it, with a stride of 1 and of 2
    if family == "group_norm":
        table["C"] = 4
    chosen = {name: number for name, number in fixed.items() if name in names}
    taken = set(taken)
    for name in names:
        number = table.get(usual[name])
        is_free = usual[name] not in ("C", "F") or family == "group_norm" or number not in {*taken, *chosen.values()}
        if name not in chosen and number is not None and is_free:
            chosen[name] = number
    for name in names:
        if name not in chosen:
            chosen[name] = next(n for n in FREE if n not in taken and n not in chosen.values())
    return {name: chosen[name] for name in names}

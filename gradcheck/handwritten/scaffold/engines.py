"""Cases for somebody's own tensors: one for every operation of an engine that runs, with the shapes it runs with.

An engine is a class with arithmetic of its own, a `grad` and a `backward()`; what else it can do is tried out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gradcheck.handwritten.outline import ClassOutline, Outline
from gradcheck.handwritten.scaffold.arguments import Arguments
from gradcheck.handwritten.scaffold.docstrings import Shape
from gradcheck.handwritten.scaffold.draft import Draft
from gradcheck.handwritten.scaffold.facts import FileFacts, FunctionFacts
from gradcheck.handwritten.scaffold.finishing import Finding
from gradcheck.handwritten.scaffold.shapes import Guess
from gradcheck.handwritten.scaffold.subjects import Subject
from gradcheck.handwritten.scaffold.trial import Level, Limit, Trial, attempt

# method → what is done with a, or with a and b
OPERATORS = {
    "__add__": "a + b", "__radd__": "1.5 + a", "__sub__": "a - b", "__rsub__": "1.5 - a", "__neg__": "-a",
    "__mul__": "a * b", "__rmul__": "1.5 * a", "__truediv__": "a / b", "__rtruediv__": "1.5 / a", "__pow__": "a**2",
    "__matmul__": "a @ b",
}  # fmt: skip
TWICE = "({0}) * ({0})"  # the second gradient that arrives at an operand must not replace the first
Shapes = tuple[tuple[Shape, Shape], ...]

ROWS, COLUMNS, NUMBER = ("N", "D"), ("D", "M"), ()
ARRAYS: Shapes = ((ROWS, ROWS), (ROWS, COLUMNS))
NUMBERS_ALONE: Shapes = ((NUMBER, NUMBER),)
BROADCAST: tuple[Shape, Shape] = (ROWS, ("D",))
OF_ARRAYS = ("shape", "sum", "__matmul__")  # an engine with none of these is one of single numbers
KINDS = ("normal", "unit")  # a logarithm is undefined for half of the first
SIZES = {"N": 2, "D": 3, "M": 4}
NUMBERS = {"a": "0.7", "b": "1.3"}
# methods without arguments that are no operations
OTHERS = re.compile(r"_.*|backward|zero_?grad.*|.*grad|detach|item|numpy|copy|clone|to|cpu|cuda|tolist|dim|size|shape|"
                    r"parameters|realize|build_topo|show|plot|draw.*|print.*|reset|step|len|data|is_\w+")  # fmt: skip


def is_engine(outline: ClassOutline) -> bool:
    """Whether a class is a tensor, or a number, that keeps its own gradient."""
    backward = outline.methods.get("backward")
    has_arithmetic = sum(name in outline.methods for name in ("__add__", "__mul__", "__matmul__")) > 1
    return backward is not None and not backward.required and has_arithmetic and "grad" in outline.attributes


def engine_findings(facts: FileFacts, outline: Outline, path: Path, limit: Limit) -> list[Finding]:
    """A case for every operation of the engines of a file, as far as it runs."""
    found: list[Finding] = []
    for name in facts.classes:
        if name in outline.classes and is_engine(outline.classes[name]) and not name.startswith("_"):
            found += _findings(name, facts, outline.classes[name], path, limit)
    return found


def _findings(name: str, facts: FileFacts, outline: ClassOutline, path: Path, limit: Limit) -> Iterator[Finding]:
    is_array = any(word in outline.methods or word in outline.attributes for word in OF_ARRAYS)
    shapes = (*ARRAYS, *NUMBERS_ALONE) if is_array else NUMBERS_ALONE
    for method, function in outline.methods.items():
        fact = facts.method(name, method)
        if fact is None:
            continue
        is_operation = not function.required and not OTHERS.fullmatch(method) and function.gives_value
        expression = OPERATORS.get(method) or (f"a.{method}()" if is_operation else "")
        if not expression:
            continue
        subject = _subject(name, expression, fact)
        operands = [operand for operand in "ab" if re.search(rf"\b{operand}\b", expression)]
        tried = _tried(subject, expression, operands, shapes, path, limit)
        if tried is None:
            continue
        yield Finding(tried)
        if "__mul__" in outline.methods:
            twice = TWICE.format(expression)
            again = _tried(_subject(name, twice, fact), twice, operands, shapes, path, limit)
            yield from [Finding(again)] if again is not None else ()
        is_elementwise = tried.draft.guess.shapes.get("b") == ROWS
        if is_elementwise and (wide := _tried(subject, expression, operands, (BROADCAST,), path, limit)):
            titled = replace(wide.draft, subject=replace(subject, title=f"{subject.title}, broadcast"))
            yield Finding(replace(wide, draft=titled))


def _subject(name: str, expression: str, fact: FunctionFacts) -> Subject:
    return Subject("engine", f"{name}: {expression}", name, fact.line, (f"{name}.{fact.name}",), fact)


def _tried(
    subject: Subject, expression: str, operands: Sequence[str], shapes: Shapes, path: Path, limit: Limit
) -> Trial | None:
    """The first that runs; else the first with a gradient of another shape, which is a mistake to be shown."""
    best: Trial | None = None
    for pair in shapes:
        for kind in KINDS if pair != (NUMBER, NUMBER) else KINDS[:1]:
            trial = attempt(
                _draft(subject, expression, dict(zip(operands, pair, strict=False)), kind, path), path, limit=limit
            )
            if trial.level is Level.RUNS:
                return trial
            best = trial if trial.level >= Level.BACKWARD and best is None else best
    return best


def _draft(subject: Subject, expression: str, shapes: dict[str, Shape], kind: str, path: Path) -> Draft:
    lines = {"arrays": f"{path.name}:{subject.entry}", "forward": f"out = {expression}"}
    arguments = Arguments(arrays=list(shapes))
    if not any(shapes.values()):
        guess = Guess({}, {}, "2", {}, is_said=False)
        return Draft(subject, arguments, guess, {}, {name: NUMBERS[name] for name in shapes}, lines)
    guess = Guess(shapes, dict.fromkeys(shapes, kind), "2", {}, is_said=False)
    used = {size for shape in shapes.values() for size in shape}
    return Draft(subject, arguments, guess, {n: v for n, v in SIZES.items() if n in used}, lines=lines)

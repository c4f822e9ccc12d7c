"""An example for every word of the notation: a whole case, made from what the tables know, ready to paste.

The arrays are those that the tests use; the value is computed. What the words mean is said where they are defined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.casefile.loader import load_page
from gradcheck.casefile.page import Page
from gradcheck.checking.building.build import build
from gradcheck.errors import InternalError
from gradcheck.graph.branches import GraphSwitches
from gradcheck.graph.composed import Composed
from gradcheck.graph.layers import LayerKind
from gradcheck.graph.penalties import WEIGHT
from gradcheck.ops.registry import REQUIRED, Op, Sample

SMALL = 12  # numbers that an example may show at once
DIGITS = 6
STRENGTH = 0.01  # of a penalty
SIZE = 2  # of a window, the one thing that composed functions must be told


def op_example(op: Op) -> str:
    """A function that is one call of the op on the first of its samples that is worth looking at."""
    sample = next(filter(_is_readable, op.samples), op.samples[0])
    names = _names(op, len(sample.arguments))
    arrays = dict(zip(names, sample.arguments, strict=True))
    fixed = [name for position, name in enumerate(names) if op.vjps[op.entry(position)] is None]
    if len(fixed) == len(names):  # nothing to differentiate is nothing to check, and that is worth seeing
        fixed = []
    written = {name: _written(array) for name, array in arrays.items()}
    return _completed(_function(op.name, _call(op, sample, names), written, fixed))


def composed_example(composed: Composed) -> str:
    """A function that is one call of a composed function; its targets are constants."""
    required = [str(SIZE) for name in composed.options if composed.default(name) is REQUIRED]
    given = [f"{name}={name}" for name in composed.optional if name in composed.example]
    call = f"{composed.name}({', '.join([*composed.parameters, *required, *given])})"
    fixed = [name for name in composed.parameters if name == "target"]
    return _completed(_function(composed.name, call, composed.example, fixed))


def layer_example(kind: LayerKind) -> str:
    """A network of one layer."""
    layer, x = kind.example
    return _completed([f"name: {kind.name}", "network:", f"  - {layer}", "inputs:", f"  x: {x}"])


def penalty_example(penalty: Composed) -> str:
    """A network with the penalty on its weights."""
    given = ", ".join(str(STRENGTH) for name in penalty.options if penalty.default(name) is REQUIRED)
    lines = [f"name: {penalty.name}", "network:", "  - linear(3, 2)", "loss: mse", f"penalty: {penalty.name}({given})"]
    assert penalty.parameters == WEIGHT
    return _completed([*lines, "inputs:", "  x: normal(4, 3)", "  target: normal(4, 2)"])


def _is_readable(sample: Sample) -> bool:
    sizes = [array.size for array in sample.arguments]
    return all(0 < size <= SMALL for size in sizes) and max(sizes) > 1


def _names(op: Op, count: int) -> list[str]:
    """A name for every argument of a sample; those of a list are numbered."""
    if not op.variadic:
        return list(op.arguments)
    *first, last = op.arguments
    several = count - len(first)
    return [*first, *(f"{last[:-1] or last}{i + 1}" if several > 1 else last for i in range(several))]


def _call(op: Op, sample: Sample, names: list[str]) -> str:
    """The call as a person would write it."""
    if op.symbol == "[]":
        return f"{names[0]}[{_subscript(sample.options['index'], names[1:])}]"
    if op.symbol:
        return f" {op.symbol} ".join(names)
    parts, waiting = [], names
    for place, name in enumerate(op.places):
        if name in op.options:
            if name in sample.options:
                by_name = not any(later in op.arguments for later in op.places[place:])
                shown = repr(sample.options[name])
                parts.append(f"{name}={shown}" if by_name and name != op.collects else shown)
        elif op.variadic and name == op.arguments[-1]:
            parts.append(", ".join(waiting) if name == op.collects else f"[{', '.join(waiting)}]")
        else:
            parts.append(waiting[0])
            waiting = waiting[1:]
    call = f"{op.name}({', '.join(parts)})"
    return f"{call}[{sample.options['output']}]" if op.outputs else call


def _subscript(index: Iterable[Any], picks: list[str]) -> str:
    rest = iter(picks)
    return ", ".join(next(rest) if part is True else _bounds(part) for part in index)


def _bounds(part: Any) -> str:
    if not isinstance(part, slice):
        return repr(part)
    step = "" if part.step is None else f":{part.step}"
    return f"{'' if part.start is None else part.start}:{'' if part.stop is None else part.stop}{step}"


def _function(name: str, call: str, arrays: Mapping[str, str], fixed: list[str]) -> list[str]:
    quoted = f"'{call}'" if '"' in call or call[0] in "[{" else call
    lines = [f"name: {name}", f"function: {quoted}", "inputs:"]
    lines += [f"  {key}:{_beside(text)}" for key, text in arrays.items() if key not in fixed]
    return [*lines, *(["constants:"] if fixed else []), *(f"  {key}:{_beside(arrays[key])}" for key in fixed)]


def _beside(text: str) -> str:
    """A value behind the colon of its key; rows begin a line below."""
    return text if text.startswith("\n") else f" {text}"


def _completed(lines: list[str]) -> str:
    """The case with what it comes to: its value, where that is short, and `vacuous` where every gradient is zero."""
    loaded = load_page(Page.of("\n".join(lines) + "\n", "example"))
    if loaded.problems:
        raise InternalError(f"an example cannot be read: {loaded.problems[0].message}", lines[1])
    problem = build(loaded.cases[0]).problem
    assert isinstance(problem.switches, GraphSwitches)
    value = np.asarray(problem.switches.values[problem.switches.graph.output], np.float64)
    if 0 < value.size <= SMALL:
        lines = [*lines, "expected:", f"  value:{_beside(_written(value))}"]
    if not any(gradient.any() for claim in problem.claims for gradient in claim.gradients.values()):
        lines = [*lines, "expect: vacuous"]
    return "\n".join(lines) + "\n"


def _written(array: NDArray[Any]) -> str:
    """Numbers as a case file has them: a matrix row by row, everything deeper in brackets."""
    if array.ndim < 2 or not array.size:
        return _brackets(array)
    return "".join(f"\n    - {_brackets(row)}" for row in array)


def _brackets(array: NDArray[Any]) -> str:
    return f"[{', '.join(_brackets(part) for part in array)}]" if array.ndim else _number(array.item())


def _number(number: float) -> str:
    """Whole numbers as such, others to six digits, zeros at the end included: they say how exact it is."""
    if number == round(number) and abs(number) < 10**DIGITS:
        return str(int(number))
    shortest = repr(float(number))
    return shortest if len(shortest) <= DIGITS else f"{number:#.{DIGITS}g}"

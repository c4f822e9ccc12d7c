"""The sentences of an explanation, for every format that shows one."""

from __future__ import annotations

import numpy as np

from gradcheck.model.explanation import Descent, Explanation, Norms, Vertex, Way
from gradcheck.reporters.explanation.arrays import number
from gradcheck.reporters.numbers import shape_text

MOST_PARAMETERS = 3  # of a layer that are listed one by one


def called(explanation: Explanation) -> dict[int, str]:
    """What every vertex is called: its name, or `#3`."""
    return {vertex.number: vertex.label for vertex in explanation.vertices}


def title(explanation: Explanation) -> str:
    """The case's name, with its combination of a sweep."""
    return f"{explanation.name} [{explanation.combination}]" if explanation.combination else explanation.name


def definition(vertex: Vertex) -> str:
    """`q = x + y`, `#3 = q * z`, `x`."""
    return f"{vertex.label} = {vertex.text}" if vertex.text else vertex.label


def loss_words(explanation: Explanation) -> str:
    """What the gradients are the gradients of: `the output`, `Σ upstream · output`, a name."""
    label = called(explanation)[explanation.output]
    return explanation.loss or ("the output" if label.startswith("#") else label)


def kind_words(vertex: Vertex) -> str:
    """`multiply, shape ()`."""
    return f"{vertex.op or ('constant' if vertex.text else 'input')}, shape {shape_text(vertex.value.shape)}"


def local_words(way: Way, upstream: float | None) -> str:
    """How the gradient is passed on, in one line; the arrays follow where it is not said in numbers.

    upstream : where it is a single number
    """
    if way.local is None:
        return way.rule or f"Jacobian of shape {shape_text(way.size)}, not written down"
    if way.form == "jacobian":
        nonzero = int(np.count_nonzero(way.local))
        total = way.size[0] * way.size[1]
        filled = "" if nonzero == total else f", {nonzero} of {total} entries not 0"
        return f"{way.rule + '; ' if way.rule else ''}Jacobian {shape_text(way.size)}{filled}"
    if way.local.ndim == 0 and upstream is not None:
        slope, g = float(way.local), number(upstream)
        return f"local {number(slope)}, downstream {g} · {factor(slope)} = {number(float(way.downstream))}"
    said = f"{way.rule}; local" if way.rule else "local"
    constant = _constant(way)
    said += f" {number(constant)}" + (" everywhere" if way.local.size > 1 else "") if constant is not None else ""
    if way.summed:
        axes = ", ".join(str(axis) for axis in way.summed)
        said += f", summed over axis {axes}" if len(way.summed) == 1 else f", summed over axes {axes}"
    return said


def says_all(way: Way, upstream: float | None) -> bool:
    """Whether the line has the downstream gradient, too."""
    return way.form == "slopes" and way.local is not None and way.local.ndim == 0 and upstream is not None


def says_local(way: Way) -> bool:
    """Whether the line has the whole local gradient, so that no array is to follow."""
    return way.local is None or (way.form == "slopes" and (way.local.ndim == 0 or _constant(way) is not None))


def _constant(way: Way) -> float | None:
    """The one number that all slopes are."""
    local = way.local
    assert local is not None
    return float(local.flat[0]) if local.size and bool((local == local.flat[0]).all()) else None


def parameters_words(norms: Norms) -> str:
    """The sizes of the gradients of a layer's parameters; of many the smallest and the largest."""
    if len(norms.parameters) <= MOST_PARAMETERS:
        return ", ".join(f"{name} {size:.2e}" for name, size in norms.parameters)
    sizes = [size for _, size in norms.parameters]
    return f"{len(sizes)} tensors, {min(sizes):.2e} to {max(sizes):.2e}"


def factor(value: float) -> str:
    """A number behind a dot of multiplication: negative ones in brackets."""
    return f"({number(value)})" if value < 0 else number(value)


def sum_words(vertex: Vertex, names: dict[int, str]) -> str:
    """`used 2 times: 3 (by #5) + 2 (by f) = 5`; numbers only where they are single ones."""
    times = f"used {len(vertex.uses)} times, its gradient is the sum"
    if vertex.value.ndim:
        return f"{times} of"
    terms = " + ".join(
        f"{factor(float(use.gradient))} from {who}" for use, who in zip(vertex.uses, users(vertex, names), strict=True)
    )
    return f"{times}: {terms}"


def users(vertex: Vertex, names: dict[int, str]) -> list[str]:
    """What uses a value, for every use; an op that uses it twice is told apart by the place of its argument."""
    ops = [use.by for use in vertex.uses]
    return [names[use.by] + (f" (argument {use.argument + 1})" if ops.count(use.by) > 1 else "") for use in vertex.uses]


def descent_words(descent: Descent, what: str) -> list[str]:
    """The loss before and after, what the gradient foretold, and whether the step was too long.

    what : the loss in words
    """
    change = descent.after - descent.before
    lines = [
        f"{what} {number(descent.before)} → {number(descent.after)}: a change of {number(change)}, "
        f"where the slope alone foretells {number(descent.foretold)}"
    ]
    if descent.foretold == 0:
        return [f"{what} {number(descent.before)}: the gradient is zero, and nothing moves"]
    if not descent.after < descent.before:
        lines.append(f"the step is too long for how this function bends: {what} does not fall")
        if descent.shorter is not None:
            rate, after = descent.shorter
            lines.append(f"with --lr {rate:g} it falls to {number(after)}")
    return lines

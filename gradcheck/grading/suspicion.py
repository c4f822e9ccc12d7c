"""Why a person should look at a submission: a backward that seems to take differences of its own forward.

Such a backward is right to many digits, so no verdict can tell it from a derivation. Two things give it away: its
errors, which are those of differences and not of rounding, and its cost, which grows with the number of elements.
Either only calls for a person; points stay as they are, and are the same on every machine.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Relative to the largest element. A derivation agrees with the reference's to some 1e-15, one that loses digits on the
# way to 1e-13; central differences to 1e-11 at their best, five-point formulas to 1e-12.
DIFFERENCES = 2e-12
SCATTERED = 0.5  # of the elements that are not zero carry such an error, or it is one slip and no method
FEWEST = 50  # elements below which the cost of differences does not stand out
# Of the forward calls that one-sided differences of every element would take. What a request takes by itself counts for
# the forward, so that a cheap one seems dearer than it is.
SHARE = 0.15
FEW = 5.0  # forward calls, where backward is seen to call forward
REPEATED = 3  # measurements, the fastest of which counts: the slower ones had to wait for something else


def seems_differenced(claimed: Mapping[str, NDArray[Any]], analytic: Mapping[str, NDArray[Any]]) -> bool | None:
    """Whether right gradients carry the error profile of differences, in every tensor; None where nobody can tell.

    claimed, analytic : tensor → gradient, the submission's and the reference's
    """
    seen = [_is_scattered(claimed[name], right) for name, right in analytic.items() if name in claimed]
    told = [word for word in seen if word is not None]
    return all(told) if told else None


def _is_scattered(claimed: NDArray[Any], right: NDArray[Any]) -> bool | None:
    """None where the numbers cannot tell."""
    if claimed.shape != right.shape or claimed.dtype != np.float64 or not np.isfinite(claimed).all():
        return None
    if np.array_equal(claimed.astype(np.float32), claimed):
        return None  # computed in float32: its roundings are larger than the errors of differences
    largest = float(np.abs(right).max(initial=0.0))
    live = right != 0.0
    if not largest or live.sum() < 2:
        return None
    off = np.abs(claimed - right)[live] > DIFFERENCES * largest
    return bool(off.mean() > SCATTERED)


def seems_costly(
    elements: int, timed: Callable[[], tuple[float, float]], first: tuple[float, float], calls_forward: bool
) -> bool:
    """Whether a backward takes as many of its forward calls as differences would.

    elements : of all gradients
    timed : measures (seconds of forward, seconds of forward and backward) once more
    first : one such measurement
    calls_forward : the text of backward says that it calls its forward; then a few are enough
    """
    many = FEW if calls_forward else SHARE * elements
    if elements < FEWEST or not first[0] or first[1] < many * first[0]:
        return False
    measured = [first, *(timed() for _ in range(REPEATED))]
    forward, both = (min(column) for column in zip(*measured, strict=True))
    return bool(both > many * max(forward, 1e-9))


def calls_forward(source: bytes, plan: Mapping[str, Any]) -> bool:
    """Whether what backward calls comes, by whatever function of the file, to what forward calls.

    plan : see `handwritten.session.Session`. Names are all that is looked at: `layer.forward` and `forward` are one.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    calls: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            calls.setdefault(node.name, set()).update(_called(node))
    forward, reached = set(_named(plan["forward"])), set(_named(plan["backward"]))
    waiting = list(reached - forward)
    while waiting:
        fresh = calls.get(waiting.pop(), set()) - reached
        reached |= fresh
        waiting += fresh
    return bool(forward & reached & calls.keys())


def _called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            target = node.func
            if isinstance(target, ast.Name | ast.Attribute):
                yield target.id if isinstance(target, ast.Name) else target.attr


def _named(lines: Any) -> Iterator[str]:
    """Names of the functions that the lines of a plan call: every text in it that is one."""
    if isinstance(lines, str):
        yield lines
    elif isinstance(lines, Mapping):
        for value in lines.values():
            yield from _named(value)
    elif isinstance(lines, list | tuple):
        for value in lines:
            yield from _named(value)

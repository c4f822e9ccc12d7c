"""Rules about sums: missing, over the wrong axis, terms that overwrite each other, the upstream gradient left out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.problem import Array
from gradcheck.verdict.diagnose.evidence import Compared, Evidence, explains, is_diagonal, multiple, same
from gradcheck.verdict.diagnose.suspicion import Suspicion


def upstream(evidence: Evidence) -> Suspicion | None:
    """The gradient is the one for an upstream gradient of ones."""
    if "does not depend on the upstream" in evidence.law:
        return Suspicion("upstream", "whatever gradient arrives from the loss, this one is handed on", 10.5)
    c = evidence.contributions
    if c is None or len(evidence.upstream) > 1 or (evidence.g == 1.0).all():
        return None
    axes = tuple(range(evidence.output.ndim))
    local = np.divide(c, _over(evidence.g, c.ndim)).sum(axes)
    if explains(evidence.subject, local):
        return Suspicion(
            "upstream",
            "this is the gradient for a dout of ones: the gradient that arrives from the loss is never used",
            10.5,
        )
    return None


def missing_sum(evidence: Evidence) -> Suspicion | None:
    """Several rows where one is expected and their sum is right; or one row's part only."""
    subject = evidence.subject
    if not subject.has_right_shape:
        for over in _axes_too_many(subject):
            if same(_squeezed(subject.claimed.sum(over)), _squeezed(subject.numeric), subject.scale, _most(subject)):
                axes = ", ".join(map(str, over))
                one = f"axis={axes}" if len(over) == 1 else f"axis=({axes})"
                return Suspicion("sum", f"summed with {one} the gradient is right: the sum is missing", 11)
        return None
    c = evidence.contributions
    if c is None or evidence.output.ndim == 0:
        return None
    for axis in range(evidence.output.ndim):
        length = evidence.output.shape[axis]
        parts = c.sum(tuple(a for a in range(evidence.output.ndim) if a != axis))
        has_several = (np.abs(parts) > 1e-6 * subject.scale).sum(0).max(initial=0) > 1
        for place in range(length) if has_several and length > 1 else ():
            if explains(subject, parts[place]):
                where = "the batch" if axis == 0 else f"axis {axis} of the output"
                return Suspicion(
                    "sum", f"only number {place} along {where} is counted: the sum over all {length} is missing", 9
                )
    return None


def _axes_too_many(subject: Compared) -> Iterator[tuple[int, ...]]:
    for count in range(1, subject.claimed.ndim + 1):
        yield from combinations(range(subject.claimed.ndim), count)


def wrong_axis(evidence: Evidence) -> Suspicion | None:
    """Terms that belong to one output each are summed over other axes than they should be."""
    subject = evidence.subject
    terms = _terms(evidence)
    candidates = [] if terms is None else [terms]
    if evidence.g.ndim > 1 and terms is None:
        candidates.append(evidence.g)
    for array in candidates:
        sums = {over: array.sum(over) for over in _subsets(array.ndim) if array.ndim > len(over)}
        right = [over for over, total in sums.items() if _is(total, subject.numeric, subject)]
        for over, total in sums.items():
            if right and over and over not in right and _is(total, subject.claimed, subject):
                return Suspicion("axis", f"summed over {_named(over)}; the right sum is over {_named(right[0])}", 10)
    if not subject.has_right_shape and subject.claimed.ndim == subject.primal.ndim == 1:
        length, lengths = len(subject.claimed), set(evidence.output.shape)
        if length in lengths and len(subject.primal) in lengths and evidence.output.ndim == 2:
            axis = evidence.output.shape.index(length)
            text = f"one number for each place of axis {axis} of the output, where axis {1 - axis} is meant"
            return Suspicion("axis", f"{text}: a sum runs over the wrong axis", 7)
    if not subject.has_right_shape and subject.claimed.ndim == subject.primal.ndim > 1:
        moved = sorted(subject.claimed.shape) == sorted(subject.shape) or evidence.output.ndim == subject.primal.ndim
        kept = [axis for axis in range(subject.primal.ndim) if subject.claimed.shape[axis] > subject.shape[axis] == 1]
        gone = [axis for axis in range(subject.primal.ndim) if subject.shape[axis] > subject.claimed.shape[axis] == 1]
        if moved and kept and gone:
            text = f"summed over axis {gone[0]}, which should stay, and not over axis {kept[0]}, which should go"
            return Suspicion("axis", text, 7)
    return _softmax_over_another_axis(evidence)


def _terms(evidence: Evidence) -> Array | None:
    """g·∂y/∂x of every output where each of them hangs on one element of the tensor only; else None."""
    c = evidence.contributions
    if c is None or evidence.output.ndim < 2:
        return None
    flat = np.abs(c.reshape(evidence.output.size, -1))
    if (flat > 1e-6 * flat.max(initial=0.0)).sum(1).max(initial=0) > 1:
        return None
    terms: Array = c.reshape(*evidence.output.shape, -1).sum(-1)
    return terms


def _softmax_over_another_axis(evidence: Evidence) -> Suspicion | None:
    y, g, subject = evidence.output, evidence.g, evidence.subject
    if y.shape != subject.shape or y.ndim != 2 or (y <= 0).any() or not np.allclose(y.sum(1), 1.0):
        return None
    if explains(subject, y * (g - (g * y).sum(0, keepdims=True))):
        return Suspicion("axis", "the sum within the softmax runs over axis 0; it belongs to axis 1", 10)
    return None


def accumulation(evidence: Evidence) -> Suspicion | None:
    """Every element is one of its several terms: each overwrites the one before, where they should add up."""
    subject, c = evidence.subject, evidence.contributions
    if c is None or not subject.has_right_shape or not subject.wrong.any():
        return None
    terms = c.reshape(-1, *subject.shape)
    present = np.abs(terms) > 1e-6 * subject.scale
    several = present.sum(0) > 1
    if (subject.wrong & ~several).any():
        return None
    for parts, note in _groupings(evidence, terms):
        hits = np.abs(parts - subject.claimed) <= 1e-5 * np.abs(subject.claimed) + 1e-7 * subject.scale
        is_one = (hits & (np.abs(parts) > 1e-6 * subject.scale)).any(0) | ~subject.wrong
        enough = int(subject.wrong.sum()) >= 2 or bool((~subject.wrong).any())
        if is_one.all() and enough and not _all_of_one_place(hits, subject):
            return Suspicion("accumulation", note, 7)
    return None


def _groupings(evidence: Evidence, terms: Array) -> Iterator[tuple[Array, str]]:
    note = (
        "the wrong elements feed several outputs, and each has the part of one of them only: "
        "a later one overwrites the earlier, where they should be added (+=, np.add.at)"
    )
    yield terms, note
    shape = evidence.output.shape
    c = terms.reshape(*shape, *evidence.subject.shape)
    for axis in range(1, len(shape)):  # what a loop adds in one go: all outputs but those along one axis
        yield c.sum(axis), note
    if len(shape) > 2:  # a loop over places of a window
        for axis in range(2, len(shape)):
            others = tuple(a for a in range(len(shape)) if a != axis)
            yield c.sum(others), note


def _all_of_one_place(hits: NDArray[np.bool_], subject: Compared) -> bool:
    """Whether one and the same output explains all: then a sum is missing, and nothing was overwritten."""
    return bool(hits.reshape(len(hits), -1).all(1).any()) and bool(subject.wrong.all())


def overwritten(evidence: Evidence) -> Suspicion | None:
    """Only the penalty is left of the gradient."""
    subject = evidence.subject
    if not subject.has_right_shape or subject.primal.size < 3 or is_diagonal(evidence):
        return None
    k = multiple(subject.claimed, subject.primal)
    if k is None:
        return None
    strengths = [f * abs(v) for v in evidence.numbers.values() for f in (1, 2) if v]
    if not any(abs(abs(k) - strength) <= 1e-6 * strength for strength in strengths):
        return None
    if not explains(subject, k * subject.primal):
        return None
    text = f"the claim is {k:.4g} times the parameter, as a penalty gives it: the rest was overwritten"
    return Suspicion("accumulation", text, 10)


def _over(g: Array, ndim: int) -> Array:
    return np.where(g == 0.0, np.inf, g).reshape(*g.shape, *(1,) * (ndim - g.ndim))


def _subsets(ndim: int) -> Iterator[tuple[int, ...]]:
    for count in range(ndim + 1):
        yield from combinations(range(ndim), count)


def _is(total: Array, array: Array, subject: Compared) -> bool:
    a, b = _squeezed(total), _squeezed(array)
    return a.size > 1 and same(a, b, subject.scale, _most(subject))


def _squeezed(array: Array) -> Array:
    return array.reshape(tuple(n for n in array.shape if n != 1))


def _most(subject: Compared) -> float:
    return float(subject.bound.max(initial=0.0))


def _named(over: tuple[int, ...]) -> str:
    if not over:
        return "no axis"
    return f"axis {over[0]}" if len(over) == 1 else f"the axes {', '.join(map(str, over))}"

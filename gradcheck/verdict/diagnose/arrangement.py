"""Rules about arrangement: the right numbers in the wrong places – transposed, reversed, moved, exchanged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from gradcheck.model.problem import Array
from gradcheck.verdict.diagnose.evidence import Evidence, explains
from gradcheck.verdict.diagnose.suspicion import Suspicion

LEAST = 4  # elements from which on an order can be told from chance


def transposed(evidence: Evidence) -> Suspicion | None:
    """The claim is the transpose; or it was multiplied by W where Wᵀ belongs."""
    subject = evidence.subject
    if subject.primal.ndim == 2 and min(subject.shape) > 1 and subject.has_right_shape:
        turned = subject.numeric.T
        if explains(subject, turned.reshape(subject.shape)):
            return Suspicion("transposed", "the claim is the transpose of the right gradient; a .T is missing", 9)
    if not subject.has_right_shape and subject.claimed.T.shape == subject.shape and subject.primal.ndim == 2:
        return Suspicion("transposed", "the gradient has the axes of the transpose; a .T is missing", 9)
    for name, matrix in _square(evidence):
        if any(explains(subject, candidate) for candidate in _by_transpose(evidence, matrix)):
            return Suspicion(
                "transposed", f"with '{name}' in place of its transpose comes just what is claimed; a .T is missing", 9
            )
    return None


def _square(evidence: Evidence) -> Iterator[tuple[str, Array]]:
    """Other tensors that are square matrices and are not so close to singular that nothing can be concluded."""
    for name, array in evidence.point.items():
        is_square = array.ndim == 2 and array.shape[0] == array.shape[1] > 1 and array.dtype.kind == "f"
        if is_square and name != evidence.subject.tensor and np.linalg.cond(array) < 1e3:
            yield name, array


def _by_transpose(evidence: Evidence, matrix: Array) -> Iterator[Array]:
    """What comes out where a right gradient u·Wᵀ (or Wᵀ·u, or g + u·Wᵀ) is computed with W."""
    n, length = evidence.subject.numeric, len(matrix)
    bases = [np.zeros_like(n)] + ([evidence.g] if evidence.g.shape == n.shape else [])
    for base in bases:
        part = n - base
        if n.ndim and n.shape[-1] == length:
            yield base + np.linalg.solve(matrix, part.reshape(-1, length).T).T.reshape(n.shape) @ matrix
            yield base + np.linalg.solve(matrix.T, part.reshape(-1, length).T).T.reshape(n.shape) @ matrix.T
        if n.ndim == 2 and n.shape[0] == length:
            yield base + matrix @ np.linalg.solve(matrix.T, part)
            yield base + matrix.T @ np.linalg.solve(matrix, part)


def axes(evidence: Evidence) -> Suspicion | None:
    """The right numbers with their axes in another order."""
    subject = evidence.subject
    if subject.primal.ndim < 2 or subject.primal.size < LEAST:
        return None
    for order in permutations(range(subject.primal.ndim)):
        turned = subject.numeric.transpose(order)
        if order == tuple(range(subject.primal.ndim)) or (subject.primal.ndim == 2 and turned.shape == subject.shape):
            continue
        if explains(subject, turned):
            return Suspicion("axes", f"the right numbers, with the axes in the order {order}", 9)
        if turned.size == subject.claimed.size and explains(subject, turned.reshape(subject.claimed.shape)):
            return Suspicion(
                "axes", f"the right numbers in another order: laid out with the axes {order}, and reshaped", 9
            )
    return None


def flipped(evidence: Evidence) -> Suspicion | None:
    """The right numbers, in reverse along an axis."""
    subject = evidence.subject
    for axis in range(subject.primal.ndim):
        is_long = subject.shape[axis] > 2 and subject.primal.size >= LEAST
        if is_long and explains(subject, np.flip(subject.numeric, axis)):
            return Suspicion("flipped", f"the right numbers in reverse order along axis {axis}", 9)
    return None


def forwards(evidence: Evidence) -> Suspicion | None:
    """J·g in place of Jᵀ·g: the upstream gradient was sent through forward once more."""
    subject, c = evidence.subject, evidence.contributions
    if c is None or subject.primal.size < LEAST or evidence.output.shape != subject.shape or not evidence.g.all():
        return None
    size, g = subject.primal.size, evidence.g.reshape(-1)
    jacobian = c.reshape(size, size) / g[:, None]
    if not explains(subject, (jacobian @ g).reshape(subject.shape)):
        return None
    text = "the upstream gradient goes through in the direction of forward"
    for axis in range(subject.primal.ndim):
        order = np.flip(np.arange(size).reshape(subject.shape), axis).reshape(-1)
        if np.allclose(jacobian[order][:, order], jacobian.T, rtol=1e-5, atol=1e-6 * float(np.abs(jacobian).max())):
            return Suspicion("flipped", f"{text}; back it has to go in the reverse order along axis {axis}", 9)
    return Suspicion("transposed", f"{text}; back it has to go through the transpose", 9)


def shift(evidence: Evidence) -> Suspicion | None:
    """The right numbers, a few places further along an axis, with or without those that fall over the edge."""
    subject = evidence.subject
    for axis in range(subject.primal.ndim):
        length = subject.shape[axis]
        for step in (1, -1, 2, -2):
            if length <= abs(step) + 1 or subject.primal.size < LEAST:
                continue
            moved = np.roll(subject.numeric, step, axis)
            cut = np.moveaxis(moved.copy(), axis, 0)
            cut[slice(0, step) if step > 0 else slice(step, None)] = 0.0
            if explains(subject, moved) or explains(subject, np.moveaxis(cut, 0, axis)):
                places = "1 place" if abs(step) == 1 else f"{abs(step)} places"
                way = "far" if step > 0 else "short"
                text = f"the right numbers, {places} too {way} along axis {axis}; an index or the padding is off"
                return Suspicion("shift", text, 9)
    return None


def cut(evidence: Evidence) -> Suspicion | None:
    """The wrong number of elements along an axis, and the right numbers in them."""
    subject = evidence.subject
    c, n = subject.claimed, subject.numeric
    if c.ndim != n.ndim or subject.has_right_shape or c.ndim == 0:
        return None
    unequal = [axis for axis in range(c.ndim) if c.shape[axis] != n.shape[axis]]
    if len(unequal) != 1:
        return None
    axis = unequal[0]
    short, long = (c, n) if c.shape[axis] < n.shape[axis] else (n, c)
    for start in range(long.shape[axis] - short.shape[axis] + 1):
        part = np.moveaxis(np.moveaxis(long, axis, 0)[start : start + short.shape[axis]], 0, axis)
        if part.size and np.allclose(part, short, rtol=1e-5, atol=1e-6 * subject.scale):
            many = abs(c.shape[axis] - n.shape[axis])
            word = "few" if short is c else "many"
            return Suspicion("shift", f"{many} too {word} along axis {axis}; the others are right: a slice is off", 9)
    return None


def swapped_gradients(evidence: Evidence) -> Suspicion | None:
    """The claim is the right gradient of another tensor."""
    subject = evidence.subject
    for name, other in evidence.others.items() if subject.has_right_shape else ():
        if other.numeric.size < 2 or other.numeric.size != subject.claimed.size:
            continue
        if explains(subject, other.numeric.reshape(subject.claimed.shape)):
            text = (
                f"this is the right gradient of '{name}'; two results are in the wrong order, or have each other's name"
            )
            return Suspicion("swapped_gradients", text, 10)
    return None

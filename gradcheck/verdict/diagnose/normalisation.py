"""Rules about paths: what goes back through a mean, a variance, a shortcut; and the eps beside a variance.

With x̂ the normalised input and s = 1/√(variance + eps), a right gradient is s·(g − mean(g) − x̂·mean(g·x̂)): without its
second term the residual is constant along the axis, without its third a multiple of x̂.
"""

from __future__ import annotations

import numpy as np

from gradcheck.model.problem import Array
from gradcheck.verdict.diagnose.evidence import Evidence, explains, is_diagonal, multiple, same
from gradcheck.verdict.diagnose.suspicion import Suspicion

EPS = tuple(10.0**-k for k in range(2, 13))
VISIBLE = 3e-7  # of k²: below that it is 1, to what differences tell
LEAST = 4  # places along an axis: with three a line through two unknowns proves nothing


def path(evidence: Evidence) -> Suspicion | None:
    """A way from the input to the output that backward does not go."""
    subject = evidence.subject
    if not subject.has_right_shape or not subject.fails:
        return None
    if subject.primal.ndim >= 2 and evidence.output.shape == subject.shape and not is_diagonal(evidence):
        found = _statistics(evidence)
        if found is not None:
            return found
    g = evidence.g
    if g.shape != subject.shape or is_diagonal(evidence) or evidence.contributions is None:
        return None
    if explains(subject, subject.numeric - g):
        return Suspicion("path", "what is missing is the upstream gradient itself: the shortcut is left out", 9)
    if explains(subject, 1.0 * g) and _has_unit_diagonal(evidence):
        return Suspicion("path", "only the shortcut is there: the gradient through the branch is left out", 6.5)
    return None


def _has_unit_diagonal(evidence: Evidence) -> bool:
    """Whether x reaches the output by itself: then some terms beside g are missing."""
    return evidence.contributions is not None and evidence.subject.primal.ndim >= 2


def _statistics(evidence: Evidence) -> Suspicion | None:
    """The mean's or the variance's path, along one axis."""
    subject = evidence.subject
    for axis in range(subject.primal.ndim):
        if subject.shape[axis] < LEAST - 1:
            continue
        r = np.moveaxis(subject.residual, axis, -1)
        x = np.moveaxis(subject.primal, axis, -1)
        y = np.moveaxis(evidence.output, axis, -1)
        centred = x - x.mean(-1, keepdims=True)
        if not _is_normalised(centred, y):
            continue
        flat, slope = r.mean(-1, keepdims=True), _along(r, centred) * centred
        bound = float(subject.bound.max(initial=0.0))
        if same(r, flat + 0 * r, subject.scale, bound):
            text = f"off by a constant along axis {axis}: the gradient through the mean is missing, or wrong"
            return Suspicion("path", text, 10)
        if same(r, slope, subject.scale, bound) and not _is_scaled(evidence):
            text = f"off by a multiple of the normalised input (axis {axis}): the path through the variance is missing"
            return Suspicion("path", text, 10)
        if subject.shape[axis] >= LEAST and same(r, flat + slope, subject.scale, bound):
            text = f"mean and variance along axis {axis} are taken for constants: the gradient through both is missing"
            return Suspicion("path", text, 9)
    return None


def _is_normalised(centred: Array, y: Array) -> bool:
    """Whether the output is a scaled and shifted (x − mean)/σ: each line, or each column of lines, is affine in it."""
    lines_x, lines_y = centred.reshape(-1, centred.shape[-1]), y.reshape(-1, y.shape[-1])
    size = np.abs(lines_y).max(initial=0.0)
    # Scale and shift may differ from element to element (gamma, beta); over the lines of one element they are fixed.
    sigma = np.sqrt((lines_x**2).mean(-1, keepdims=True) + 1e-300)
    for normal in (lines_x / sigma, lines_x / np.sqrt(sigma**2 + 1e-5)):
        per_line = np.stack([normal, np.ones_like(normal)], -1)
        fits = [_rest(per_line[i], lines_y[i]) for i in range(len(lines_y))]
        across = [_rest(per_line[:, j], lines_y[:, j]) for j in range(lines_y.shape[1])] if len(lines_y) > 2 else [1.0]
        if max(fits) <= 1e-3 * size or max(across) <= 1e-3 * size:
            return True
    return False


def _rest(basis: Array, values: Array) -> float:
    solution = np.linalg.lstsq(basis, values, rcond=None)[0]
    return float(np.abs(values - basis @ solution).max(initial=0.0))


def _along(r: Array, direction: Array) -> Array:
    size = (direction**2).sum(-1, keepdims=True)
    part: Array = (r * direction).sum(-1, keepdims=True) / np.where(size > 0, size, 1.0)
    return part


def _is_scaled(evidence: Evidence) -> bool:
    """Whether claim and gradient differ by a factor alone."""
    c, n = evidence.subject.claimed, evidence.subject.numeric
    k = multiple(c, n)
    return k is not None and same(c, k * n, evidence.subject.scale)


def eps(evidence: Evidence) -> Suspicion | None:
    """The claim is right for another eps beside the variance.

    Both gradients lie in the span of P = g − mean(g) and x − mean(x), so claim = k·numeric + κ·(x − mean) along every
    line, and k² = (variance + eps) / (variance + eps′) with the same two numbers for all lines.
    """
    subject = evidence.subject
    if not subject.has_right_shape or evidence.output.shape != subject.shape or subject.primal.ndim < 2:
        return None
    for axis in range(subject.primal.ndim):
        if subject.shape[axis] < LEAST:
            continue
        c, n, x = (
            np.moveaxis(a, axis, -1).reshape(-1, subject.shape[axis])
            for a in (subject.claimed, subject.numeric, subject.primal)
        )
        centred = x - x.mean(-1, keepdims=True)
        variance = (centred**2).mean(-1)
        ks = []
        for line in range(len(c)):
            basis = np.stack([n[line], centred[line]], -1)
            solution = np.linalg.lstsq(basis, c[line], rcond=None)[0]
            if np.abs(c[line] - basis @ solution).max() > 1e-4 * np.abs(c[line] - n[line]).max() + 1e-6 * subject.scale:
                break
            ks.append(float(solution[0]))
        if len(ks) < len(c) or not all(k > 0 for k in ks):
            continue
        found = _two_eps(np.array(ks) ** 2, variance)
        if found is not None:
            mine, theirs = found
            said = "without eps" if theirs == 0.0 else f"with an eps of {theirs:g}"
            return Suspicion("eps", f"forward divides by √(variance + {mine:g}), backward computes {said}", 11)
    return None


def _two_eps(squares: Array, variance: Array) -> tuple[float, float] | None:
    """(eps of forward, eps of backward) that explain the factors of all lines."""
    if float(np.abs(squares - 1.0).max()) < VISIBLE:
        return None
    for e in EPS:
        for other in (0.0, 2 * e, *(o for o in EPS if o != e)):
            with np.errstate(divide="ignore"):
                if np.allclose(squares, (variance + e) / (variance + other), rtol=1e-3 * _spread(squares)):
                    return e, other
    return None


def _spread(squares: Array) -> float:
    return float(min(1.0, np.abs(squares - 1.0).max()))

"""Rules about local derivatives: an activation's, softmax's Jacobian, a dropout mask.

An elementwise function y = f(x) hands on g·f′(x), so claim / g is the derivative that somebody had in mind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from gradcheck.model.problem import Array
from gradcheck.verdict.diagnose.evidence import Evidence, explains, is_diagonal, same
from gradcheck.verdict.diagnose.suspicion import Suspicion

LEAST_FIT = 12  # elements from which on a smooth curve through claim / g is no chance
ROUGH = 0.02  # of the variance of claim / g, that a cubic in x may leave unexplained


def _sigmoid(z: Array) -> Array:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z)))


def _forms(x: Array, y: Array) -> Iterator[tuple[str, Array]]:
    """Derivatives that people write, with what they mean by it; x is the input of the function, y its output."""
    yield "1: the derivative of the activation is missing", np.ones_like(x)
    yield "y, the function itself in place of its derivative", y
    yield "1 - y² (that of tanh)", 1 - y**2
    yield "y·(1 - y) (that of a sigmoid)", y * (1 - y)
    yield "1 - y", 1 - y
    yield "1 - x², a formula for y used with x", 1 - x**2
    yield "x·(1 - x), a formula for y used with x", x * (1 - x)
    yield "1 - tanh(y)², the function applied twice", np.asarray(1 - np.tanh(y) ** 2)
    yield "that of a sigmoid at y, the function applied twice", _sigmoid(y) * (1 - _sigmoid(y))
    yield "sigmoid(x)", _sigmoid(x)
    yield "that of a sigmoid", _sigmoid(x) * (1 - _sigmoid(x))
    yield "that of tanh", np.asarray(1 - np.tanh(x) ** 2)
    yield "tanh(x)", np.tanh(x)
    yield "1 where x > 0 (that of relu)", (x > 0).astype(np.float64)
    yield "1 where x < 0", (x < 0).astype(np.float64)
    yield "y², the square in place of 1 - y²", y**2
    yield "-y²: the 1 of 1 - y² is missing", -(y**2)
    yield "1 + y², with a plus for the minus", 1 + y**2
    yield "x", x
    yield "exp(x)", np.exp(np.minimum(x, 50.0))


def activation(evidence: Evidence) -> Suspicion | None:
    """claim / g is a derivative that belongs to another function, or to another variable."""
    if not is_diagonal(evidence) or not evidence.subject.has_right_shape:
        return _inner_activation(evidence)
    subject, x, y, g = evidence.subject, evidence.subject.primal, evidence.output, evidence.g
    if _is_mask(evidence):
        return None
    is_one_sided = _is_one_sided(evidence)
    for name, form in _forms(x, y):
        if explains(subject, g * form) and not (is_one_sided and not _is_switch(evidence)):
            return Suspicion("activation", f"the local derivative in use is {name}{_named(name)}", 8)
    if is_one_sided:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        q = subject.claimed / g
    if x.size >= LEAST_FIT and np.isfinite(q).all() and q.std() > 0:
        fit = np.polynomial.Polynomial.fit(x.reshape(-1), q.reshape(-1), 3)
        rest = q.reshape(-1) - fit(x.reshape(-1))
        if float(rest.var()) <= ROUGH * float(q.var()):
            text = "the local derivative in use is a function of x alone, as it should be, and another one"
            return Suspicion("activation", text, 5)
    return None


def _named(form: str) -> str:
    """What x and y are, where a formula has a y in it."""
    return ", where x is the input of the function and y its output" if re.search(r"\by(?![a-z])", form) else ""


def _is_one_sided(evidence: Evidence) -> bool:
    """Whether only inputs on one side of zero are wrong: that says more than a derivative of some other function."""
    x, wrong = evidence.subject.primal, evidence.subject.wrong
    return bool((~wrong).any()) and any((s * x[~wrong] > 0).all() and (s * x[wrong] < 0).all() for s in (1, -1))


def _is_switch(evidence: Evidence) -> bool:
    """Whether the function lets through or nothing, as relu does: then its whole derivative is what is missing."""
    local = np.abs(_local(evidence))
    return bool((np.isclose(local, 0.0, atol=1e-8) | np.isclose(local, 1.0)).all())


def _inner_activation(evidence: Evidence) -> Suspicion | None:
    """The same for an activation inside, f(x @ W + b): its upstream gradient is read off the bias's contributions."""
    subject = evidence.subject
    if evidence.output.ndim != 2 or not subject.has_right_shape:
        return None
    for x_name, w_name, b_name in _layers(evidence):
        if subject.tensor not in (x_name, w_name, b_name):
            continue
        x, w, b = (np.asarray(evidence.point[name], dtype=np.float64) for name in (x_name, w_name, b_name))
        terms = evidence.every.get(b_name)
        if terms is None or len(x) != evidence.output.shape[0]:
            continue
        dz, z = terms.sum(1), x @ w + b
        for y, slope in ((np.tanh(z), 1 - np.tanh(z) ** 2), (_sigmoid(z), _sigmoid(z) * (1 - _sigmoid(z)))):
            u = dz / slope
            for name, form in _forms(z, y):
                made = {x_name: (u * form) @ w.T, w_name: x.T @ (u * form), b_name: (u * form).sum(0)}[subject.tensor]
                if explains(subject, made):
                    inside = f"{x_name} @ {w_name} + {b_name}"
                    text = f"inside, at {inside}, the local derivative in use is {name}{_named(name)}"
                    return Suspicion("activation", text, 8)
    return None


def _layers(evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    """Names (x, W, b) whose shapes allow x @ W + b."""
    floats = {name: a for name, a in evidence.point.items() if a.dtype.kind == "f"}
    for b_name, b in floats.items():
        for w_name, w in floats.items():
            for x_name, x in floats.items():
                if b.ndim == 1 and w.ndim == x.ndim == 2 and x_name != w_name and w.shape == (x.shape[1], len(b)):
                    yield x_name, w_name, b_name


def softmax(evidence: Evidence) -> Suspicion | None:
    """Of softmax's Jacobian only the diagonal is used: one output is taken to hang on its own input alone."""
    subject, y, g = evidence.subject, evidence.output, evidence.g
    text = (
        "every output of a softmax depends on its whole row, and here each is taken to depend on its own input only: "
        "of the Jacobian, the table of all slopes, the diagonal alone is used"
    )
    if y.shape == subject.shape and y.ndim:
        probabilities = y if (y >= 0).all() else np.exp(np.minimum(y, 0.0))
        if np.allclose(probabilities.sum(-1), 1.0):
            forms = (probabilities * (1 - probabilities), probabilities, 1 - probabilities)
            if any(explains(subject, g * form) for form in forms):
                return Suspicion("softmax", text, 11)
    return _softmax_inside(evidence, text)


def _softmax_inside(evidence: Evidence, text: str) -> Suspicion | None:
    """Attention: scores of q and k, softmax, times v."""
    floats = {name: a for name, a in evidence.point.items() if a.dtype.kind == "f" and a.ndim == 2}
    subject, g = evidence.subject, evidence.g
    for qn, q in floats.items():
        for kn, k in floats.items():
            for vn, v in floats.items():
                if len({qn, kn, vn}) < 3 or q.shape[1] != k.shape[1] or len(k) != len(v):
                    continue
                if subject.tensor not in (qn, kn) or evidence.output.shape != (len(q), v.shape[1]):
                    continue
                for scale in (q.shape[1] ** -0.5, 1.0):
                    e = np.exp(q @ k.T * scale - (q @ k.T * scale).max(-1, keepdims=True))
                    a = e / e.sum(-1, keepdims=True)
                    if not same(a @ v, evidence.output):
                        continue
                    for form in (a * (1 - a), a):
                        ds = form * (g @ v.T) * scale
                        if explains(subject, ds @ k if subject.tensor == qn else ds.T @ q):
                            return Suspicion("softmax", text, 11)
    return None


def _local(evidence: Evidence) -> Array:
    """f′(x) of an elementwise function, by differences."""
    g = np.where(evidence.g == 0.0, np.inf, evidence.g)
    return np.asarray(evidence.subject.numeric / g)


def _is_mask(evidence: Evidence) -> bool:
    """Whether f′ is 0 in some places and one number in the others, and that not by the sign of x."""
    local = _local(evidence)
    x = evidence.subject.primal
    size = float(np.abs(local).max(initial=0.0))
    on = np.abs(local) > 0.5 * size
    is_two_valued = np.allclose(local[on], size, rtol=1e-6) and np.abs(local[~on]).max(initial=0.0) <= 1e-6 * size
    by_sign = (x[on] >= 0).all() and (x[~on] <= 0).all()
    return bool(is_two_valued and (~on).any() and on.any() and not by_sign)


def dropout(evidence: Evidence) -> Suspicion | None:
    """The mask of forward is missing in backward, or its scale, or it is another mask."""
    if not is_diagonal(evidence) or not evidence.subject.has_right_shape or not _is_mask(evidence):
        return None
    local, subject = _local(evidence), evidence.subject
    with np.errstate(divide="ignore", invalid="ignore"):
        q = subject.claimed / evidence.g
    size = float(local.max())
    on = local > 0.5 * size
    dropped = "elements that forward drops have a gradient"
    if np.allclose(q, 1.0):
        return Suspicion("dropout", f"{dropped}: backward does not multiply with the mask", 12)
    if np.allclose(q, size):
        return Suspicion("dropout", f"{dropped}: the scale of the mask is there, its zeros are not", 12)
    if np.allclose(q, on):
        return Suspicion("dropout", f"the mask is there, its scale 1/keep = {size:.4g} is missing", 12)
    with np.errstate(divide="ignore"):
        if np.allclose(np.abs(q[on]), 1 / size) and not np.isfinite(q[~on]).any():
            return Suspicion("dropout", "the gradient is divided by the mask; it has to be multiplied", 9)
    if (np.isclose(q, 0.0) | np.isclose(q, size)).all():
        return Suspicion("dropout", f"{dropped}, and some that it keeps have none: backward uses another mask", 12)
    return None

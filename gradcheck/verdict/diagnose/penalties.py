"""The rule about penalties: what is too much or too little is a multiple of the parameter itself."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from gradcheck.verdict.diagnose.evidence import Compared, Evidence, multiple, same
from gradcheck.verdict.diagnose.suspicion import Suspicion

LEAST_PART = 4  # elements of a vector that are wrong, for them to be a multiple of their values by more than chance
STRENGTHS = ("reg", "lambda", "lam", "lmbda", "l2", "l1", "weight_decay", "decay", "alpha", "strength", "penalty")


def penalty(evidence: Evidence) -> Suspicion | None:
    """claimed − numeric = c·W (L2), or c·sign(W) (L1)."""
    subject = evidence.subject
    for what, direction in (("", subject.primal), ("sign of ", np.sign(subject.primal))):
        c = coefficient(subject, direction)
        if c is None:
            continue
        strength, told = _told(evidence, c)
        if subject.primal.size < 3 and not told:
            continue  # two numbers are a multiple of any two others too easily
        about = f"{abs(c):.4g} times the {what}parameter itself"
        text = f"what is {'missing' if c < 0 else 'too much'} is {about}, as a penalty adds it"
        faint = Suspicion("penalty", text, 8)
        if not told:
            return faint
        found = Suspicion("penalty", f"{text}; {told}", 10.8)
        sure = replace(found, text=f"{found.text}; with {strength} = 0 nothing is wrong")
        # Still wrong with the penalty off: then its strength is no number of the case.
        return replace(found, trial={strength: 0.0}, settle=partial(_one_of, faint, sure))
    return None


def _one_of(still_wrong: Suspicion, right: Suspicion, other: Evidence) -> Suspicion:
    return still_wrong if other.subject.fails else right


def coefficient(subject: Compared, direction: np.ndarray) -> float | None:
    """c where the residual is c·direction, element by element; None where it is not, or where it is zero."""
    if not subject.has_right_shape or not np.isfinite(subject.claimed).all() or not direction.any():
        return None
    # Of a flat vector of all parameters the weights may have a penalty, and the biases none.
    is_part = subject.primal.ndim == 1 and int(subject.wrong.sum()) >= LEAST_PART
    part = subject.wrong if is_part else np.ones_like(subject.wrong)
    r, x, n, bound = (a[part] for a in (subject.residual, direction, subject.numeric, subject.bound))
    c, k = multiple(r, x), multiple(n, x)
    if c is None or k is None:
        return None
    largest = float(np.abs(r).max(initial=0.0))
    is_multiple = same(r, c * x, subject.scale, bound) and largest > 1e-6 * subject.scale
    # A gradient that is itself a multiple of the tensor (x², norms) is no penalty: then a factor is what is wrong.
    is_own = same(n, k * x, subject.scale, bound)
    return c if is_multiple and not (is_own and subject.primal.size > 1) else None


def _told(evidence: Evidence, c: float) -> tuple[str, str]:
    """The number of the case that the coefficient is made of, and how: `that is 2·reg: the gradient is missing`."""
    for name, value in evidence.numbers.items():
        if not value or (float(value).is_integer() and name not in STRENGTHS):
            continue
        for k, said in ((2.0, f"2·{name}"), (1.0, name), (4.0, f"4·{name}"), (0.5, f"{name}/2")):
            if abs(abs(c) - k * abs(value)) <= 1e-4 * abs(value):
                if c > 0:
                    return name, f"that is {said}: a penalty counted twice, or on a tensor that has none"
                return name, f"that is {said}: the gradient of the penalty is missing, or a part of it"
    return "", ""

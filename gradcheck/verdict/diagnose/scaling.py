"""Rules about size: a constant factor and its name, a lost sign, zeros, a gradient that was clipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gradcheck.model.problem import Array
from gradcheck.verdict.diagnose.constants import Constant, names_of, other_values
from gradcheck.verdict.diagnose.evidence import Compared, Evidence, multiple, same
from gradcheck.verdict.diagnose.suspicion import Suspicion

FEW = 3  # elements from which on a ratio is believed although it has no name


def ratio(subject: Compared) -> float | None:
    """claimed / numeric where that is one number for all elements; None where it is not, or where both agree."""
    if not subject.has_right_shape or not np.isfinite(subject.claimed).all():
        return None
    c, n = subject.claimed.reshape(-1), subject.numeric.reshape(-1)
    k = multiple(c, n)
    if k is None or not c.any():
        return None
    if not same(c, k * n, subject.scale, max(1.0, abs(k)) * subject.bound.reshape(-1)):
        return None
    return k if abs(k - 1.0) > 1e-5 else None


def zero(evidence: Evidence) -> Suspicion | None:
    """The gradient is zero everywhere."""
    subject = evidence.subject
    if subject.claimed.any() or not subject.numeric.any():
        return None
    return Suspicion("zero", "the gradient is zero everywhere: it was made, and nothing was ever added to it", 10)


def sign(evidence: Evidence) -> Suspicion | None:
    """The claim is minus the gradient."""
    k = ratio(evidence.subject)
    if k is None or abs(k + 1.0) > 1e-5:
        return None
    return Suspicion(
        "sign", "every element has the right size and the wrong sign; a minus is lost, or one too many", 10.5
    )


def factor(evidence: Evidence) -> Suspicion | None:
    """The claim is a constant times the gradient."""
    k = ratio(evidence.subject)
    if k is None or abs(k + 1.0) < 1e-5:
        return None
    if is_one_for_all(evidence, k):
        return None  # that is what clipping looks like
    names = names_of(evidence, k)
    count = int((np.abs(evidence.subject.numeric) > 1e-6 * evidence.subject.scale).sum())
    if not names and count < FEW:
        return None
    found = _factor(names[0] if names else None, k, "")
    trial = other_values(evidence, names) if len(names) > 1 else {}
    if not trial:
        return found
    given = " and ".join(f"{name} = {value:g}" for name, value in trial.items())

    def settle(other: Evidence) -> Suspicion:
        again = ratio(other.subject)
        if again is None:
            return found
        fitting = {constant.name for constant in names_of(other, again)}
        left = [constant for constant in names if constant.name in fitting]
        return _factor(left[0], k, f" (with {given} it is {again:.6g})") if left else found

    return replace(found, trial=trial, settle=settle)


def _factor(constant: Constant | None, k: float, beside: str) -> Suspicion:
    """`every element is the right one times 1/N, here 0.25 (with N = 5 it is 0.2)`, and what that looks like."""
    if constant is None:
        text = f"every element is the right one times {k:.6g}{beside}"
        return Suspicion("factor", f"{text}; look for a constant that is missing, or one too many", 6)
    size = constant.name if constant.is_number else f"{constant.name}, here {k:.6g}"
    if not constant.is_number:
        guess = "is it a sum that should be a mean, or a mean that should be a sum?"
    elif constant.name in ("1/2", "2"):
        guess = "a factor 2 is " + ("lost (d x²/dx = 2x?)" if constant.name == "1/2" else "one too many")
    else:
        guess = "look for a constant that is missing, or one too many"
    return Suspicion("factor", f"every element is the right one times {size}{beside}; {guess}", 10.7)


def power(evidence: Evidence) -> Suspicion | None:
    """The claim is the gradient times, or divided by, a power of the tensor itself, and perhaps a constant."""
    subject = evidence.subject
    x, c, n = subject.primal, subject.claimed, subject.numeric
    if not subject.has_right_shape or (x == 0.0).any() or np.count_nonzero(n) < FEW or not np.isfinite(c).all():
        return None
    for exponent in (1, -1, 2, -2):
        made = n * x**exponent
        k = multiple(c, made)
        if k and same(c, k * made, subject.scale, subject.bound * np.abs(k * x**exponent)) and ratio(subject) is None:
            name = f"{subject.tensor}²" if abs(exponent) == 2 else subject.tensor
            what = f"times {name}" if exponent > 0 else f"divided by {name}"
            constant = "" if abs(k - 1.0) < 1e-5 else f", and times {k:.4g}"
            return Suspicion("power", f"every element is the right one {what}{constant}", 7.5)
    return None


def is_one_for_all(evidence: Evidence, k: float) -> bool:
    """Whether all tensors of the claim are smaller by the same factor without a name: the length of all was cut."""
    ratios = [ratio(other) for other in evidence.others.values()]
    same_ = len(ratios) > 0 and all(other is not None and abs(other - k) < 1e-5 * abs(k) for other in ratios)
    return same_ and 0.0 < k < 1.0 and not names_of(evidence, k)


def clipped(evidence: Evidence) -> Suspicion | None:
    """Elements over a limit are at the limit; or all tensors together were scaled down to one length."""
    subject = evidence.subject
    k = ratio(subject)
    if k is not None and is_one_for_all(evidence, k):
        length = _length({"": subject, **evidence.others})
        return Suspicion(
            "clipped",
            f"every gradient is the right one times {k:.4g}, and all together have the length {length:.6g}: "
            "backward cuts the length of the gradient",
            9,
        )
    if not subject.has_right_shape or not np.isfinite(subject.claimed).all():
        return None
    c, n = subject.claimed, subject.numeric
    limit = float(np.abs(c).max(initial=0.0))
    at = np.abs(np.abs(c) - limit) <= 1e-12 * limit
    is_round = abs(limit - float(f"{limit:.2g}")) <= 1e-12
    wrong = subject.wrong
    over = np.abs(n) > limit * (1 - 1e-9)
    if limit == 0.0 or not wrong.any() or not (int(at.sum()) >= 2 or is_round):
        return None
    if not (wrong <= at).all() or not (over[wrong] & (np.sign(c) == np.sign(n))[wrong]).all() or (over & ~at).any():
        return None
    count = int(wrong.sum())
    who = "1 element is" if count == 1 else f"{count} elements are"
    return Suspicion(
        "clipped", f"{who} cut off at ±{limit:.4g}, and everything below that is right: backward clips its gradient", 9
    )


def _length(compared: Mapping[str, Compared]) -> float:
    arrays: list[Array] = [c.claimed for c in compared.values()]
    return float(np.sqrt(sum(float((a**2).sum()) for a in arrays)))

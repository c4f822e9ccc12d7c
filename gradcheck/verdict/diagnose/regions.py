"""Rules about where: only negative inputs, only ties, one class, the last step, the border."""

from __future__ import annotations

import numpy as np

from gradcheck.verdict.diagnose.evidence import Evidence, same
from gradcheck.verdict.diagnose.suspicion import Suspicion

LEAST = 3  # elements on either side: fewer may be of one sort by chance


def negative(evidence: Evidence) -> Suspicion | None:
    """Right where the input is positive, wrong where it is negative; or the other way round."""
    subject = evidence.subject
    if not subject.has_right_shape or subject.primal.ndim == 0:
        return None
    x, wrong = subject.primal, subject.wrong
    for sign_, word in ((-1, "negative"), (1, "positive")):
        side = sign_ * x > 0
        told = (np.abs(subject.numeric) > 1e-6 * subject.scale) & ~side  # a slope of zero is right for many reasons
        if side.sum() >= LEAST and told.sum() >= LEAST and not wrong[~side].any() and wrong[side].mean() >= 0.8:
            other = "positive" if sign_ < 0 else "negative"
            text = f"right for every {other} input, wrong for the {word} ones: look at that branch of the function"
            return Suspicion("negative", text, 7)
    return None


def ties(evidence: Evidence) -> Suspicion | None:
    """Only elements that are equal to another one of their line are wrong."""
    subject = evidence.subject
    if not subject.has_right_shape or subject.primal.ndim == 0 or not subject.fails or subject.wrong.all():
        return None
    x = subject.primal
    for axis in range(x.ndim):
        lines = np.moveaxis(x, axis, -1)
        equal = (lines[..., :, None] == lines[..., None, :]).sum(-1) > 1
        tied = np.moveaxis(equal, -1, axis)
        if tied.sum() >= 2 and not (subject.wrong & ~tied).any() and not tied.all():
            text = (
                "only elements that are equal to another one are wrong: several share the first place, and each "
                "is paid as if it had won alone; divide among them, or pick one"
            )
            return Suspicion("ties", text, 9)
    return None


def one_class(evidence: Evidence) -> Suspicion | None:
    """Only rows of one class are wrong, or only the place of the right class, or the column of one class."""
    subject = evidence.subject
    if not subject.has_right_shape or subject.primal.ndim < 2 or subject.wrong.all() or not subject.fails:
        return None
    columns, shape = subject.shape[-1], subject.shape[:-1]
    rows, wrong = int(np.prod(shape)), subject.wrong.reshape(-1, columns)
    for name, labels in evidence.point.items():
        if labels.dtype.kind not in "iu" or labels.shape != shape or labels.min(initial=0) < 0:
            continue
        if labels.max(initial=0) >= columns:
            continue
        labels = labels.reshape(-1)
        right = np.zeros(wrong.shape, bool)
        right[np.arange(rows), labels] = True
        counted = np.abs(subject.numeric.reshape(-1, columns)).max(1) > 1e-6 * subject.scale  # others are masked
        if counted.sum() > 1 and np.array_equal(wrong[counted], right[counted]) and not wrong[~counted].any():
            return Suspicion("one_class", f"only the element of the right class ('{name}') is wrong in every row", 9)
        if not (wrong & right).any() and wrong[~right].all():
            return Suspicion("one_class", f"only the element of the right class ('{name}') is right in every row", 9)
        for label in np.unique(labels):
            of_class = labels == label
            if not wrong[~of_class].any() and wrong[of_class].mean() > 0.5 and of_class.any():
                return Suspicion("one_class", f"only rows of class {label} are wrong", 9)
        bad = wrong.any(0)
        if bad.sum() == 1 and wrong[:, bad].mean() > 0.5:
            return Suspicion("one_class", f"only the column of class {int(np.argmax(bad))} is wrong", 8)
    return None


def unmasked(evidence: Evidence) -> Suspicion | None:
    """What has no part in the output has a gradient all the same; the rest is right."""
    subject = evidence.subject
    if not subject.has_right_shape or not subject.fails:
        return None
    none = np.abs(subject.numeric) <= 1e-9 * subject.scale
    signs = np.sign(subject.primal[subject.wrong])
    is_by_sign = bool((signs == signs.flat[0]).all())  # then it is the activation's mask, and has a rule of its own
    counts = subject.wrong.sum() >= LEAST and (~none).sum() >= LEAST
    if counts and none[subject.wrong].all() and not is_by_sign:
        text = (
            "the wrong elements have no part in the output, so their gradient is 0, and the others are right: "
            "a mask of forward is not applied"
        )
        return Suspicion("term", text, 9.5)
    return None


def constant(evidence: Evidence) -> Suspicion | None:
    """Every element is off by the same number."""
    subject = evidence.subject
    if not subject.has_right_shape or subject.primal.size <= LEAST or not np.isfinite(subject.claimed).all():
        return None
    off = float(subject.residual.mean())
    if abs(off) <= 1e-6 * subject.scale or not same(subject.residual, np.full(subject.shape, off), subject.scale):
        return None
    if same(subject.numeric, np.full(subject.shape, float(subject.numeric.mean())), subject.scale):
        return None  # that is a factor as well as a term
    which = "missing" if off < 0 else "too many"
    return Suspicion("term", f"every element is off by the same number, {off:.4g}: a term is {which}", 6.5)


def last_step(evidence: Evidence) -> Suspicion | None:
    """Along an axis of time only the last step is wrong; or only the last step is right."""
    subject = evidence.subject
    if not subject.has_right_shape or subject.wrong.all() or not subject.fails:
        return None
    for axis in range(min(2, subject.primal.ndim)):  # time, of one sequence or of several
        wrong, claimed = np.moveaxis(subject.wrong, axis, 0), np.moveaxis(subject.claimed, axis, 0)
        for place, others, word in ((0, slice(1, None), "first"), (-1, slice(None, -1), "last")):
            is_there = len(wrong) >= LEAST and wrong[place].size > 1 and wrong[place].all() and not wrong[others].any()
            if is_there and not claimed[place].any() and claimed[others].any():
                zeros = f"nothing but zeros at the {word} place of axis {axis}"
                text = f"{zeros}, and all else is right: a loop begins too late, or ends too early"
                return Suspicion("last_step", text, 9.2)
    if subject.primal.ndim != 3:
        return None
    steps = np.moveaxis(subject.wrong, 1, 0).reshape(subject.shape[1], -1)
    if len(steps) < LEAST:
        return None
    share = steps.mean(1)
    if share[-1] > 0.5 and not steps[:-1].any():
        return Suspicion("last_step", "only the last step (axis 1) is wrong: look at where the loop begins or ends", 9)
    if not steps[-1].any() and (share[:-1] > 0.5).all():
        text = (
            "right at the last step (axis 1) and wrong at every one before: what a later step sends back, "
            "through the state, is not passed on to the step before it"
        )
        return Suspicion("path", text, 9)
    return None


def border(evidence: Evidence) -> Suspicion | None:
    """Only the first or last places of the axes of an image or a signal are wrong."""
    subject = evidence.subject
    if not subject.has_right_shape or subject.primal.ndim < 3 or not subject.fails:
        return None
    inner = np.ones(subject.shape, bool)
    for axis in range(2, subject.primal.ndim):
        if subject.shape[axis] < LEAST + 1:
            return None
        edge = np.moveaxis(inner, axis, 0)
        edge[0] = edge[-1] = False
    if subject.wrong[inner].any():
        return None
    where = "the first or last place" if subject.primal.ndim == 3 else "the border"
    return Suspicion("border", f"only {where} is wrong, and all inside is right: look at padding and at loop ends", 9)

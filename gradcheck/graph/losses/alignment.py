"""Connectionist temporal classification: the loss of a sequence of labels under all their alignments in time.

Graves, Fernández, Gomez, Schmidhuber 2006, "Connectionist temporal classification", section 4.1: its forward variables,
in logarithms. Those of the blanks between the labels and those of the labels are two arrays here, so that both are
shifted views of each other, and the class numbers only pick.
"""

from __future__ import annotations

import numpy as np

from gradcheck.errors import ShapeError
from gradcheck.graph.composed import Option
from gradcheck.graph.losses.each import Each, Values, loss, no_such_class

WHOLE = Option(0, "a whole number of at least 0", lambda value: type(value) is int and value >= 0)
MAX_STEPS = 128  # each is a line of the formula

# The logarithm of 0: finite, as the slopes of −∞ − (−∞) are not numbers, and far from whatever a log-probability is.
BEGIN = """never = -1e30
rows = arange({n})[:, None]
blanks = concatenate([prediction[:, 0, blank][:, None], never * ones({n}, {s})], axis=1)
labels = concatenate([prediction[rows, 0, target][:, :1], never * ones({n}, {s} - 1)], axis=1)
repeated = concatenate([ones({n}, 1), target[:, 1:] == target[:, :-1]], axis=1)
start = never * ones({n}, 1)
"""
# A blank follows itself or the label before it; a label follows itself, the blank before it, or another label.
STEP = """left = concatenate([start, labels], axis=1)
ways = [labels[None], blanks[None, :, :-1], (left[:, :-1] + never * repeated)[None]]
labels = logsumexp(concatenate(ways), axis=0) + prediction[rows, {t}, target]
blanks = logsumexp(concatenate([blanks[None], left[None]]), axis=0) + prediction[:, {t}, blank][:, None]
"""
# Paths end at the last label or at the blank behind it.
END = """lengths = sum(target != blank, axis=1)
ends = [blanks + never * (arange({s} + 1) != lengths[:, None]), labels + never * (arange({s}) + 1 != lengths[:, None])]
-logsumexp(concatenate(ends, axis=1), axis=1)"""


def _ctc(prediction: Values, target: Values, blank: int) -> Each:
    if prediction.ndim != 3 or target.ndim != 2 or len(prediction) != len(target) or not target.shape[-1]:
        raise ShapeError(
            f"expected log-probabilities (N, T, classes) and labels (N, S), got {prediction.shape} and {target.shape}",
            "shorter rows of labels are filled up with the blank",
        )
    count, steps, classes = prediction.shape
    if not np.issubdtype(target.dtype, np.integer):
        raise ShapeError(f"expected whole numbers as classes, got {target.dtype}", "write whole numbers")
    if blank >= classes or (target.size and not 0 <= target.min() <= target.max() < classes):
        raise no_such_class(
            blank if blank >= classes else int(target.min() if target.min() < 0 else target.max()), classes
        )
    if steps > MAX_STEPS:
        raise ShapeError(f"has {steps} steps in time, more than {MAX_STEPS}", "check a shorter sequence")
    real = target != blank
    if (real[:, 1:] & ~real[:, :-1]).any():
        raise ShapeError(
            f"expected the blank, {blank}, behind the labels only", "it fills up shorter rows at their end"
        )
    needed = real.sum(axis=1) + (real[:, 1:] & (target[:, 1:] == target[:, :-1])).sum(axis=1)
    if needed.size and needed.max() > steps:
        raise ShapeError(
            f"needs {needed.max()} steps in time for the labels of row {int(needed.argmax())}, got {steps}",
            "every label takes a step, and a repeated one a blank before it",
        )
    sizes = {"n": count, "s": target.shape[1]}
    lines = [BEGIN.format(**sizes), *(STEP.format(t=t) for t in range(1, steps)), END.format(**sizes)]
    return Each("".join(lines), "mean(each / maximum(lengths, 1))")


ALIGNMENT = (
    loss("ctc", _ctc, "minus the log-probability of the labels, over all alignments, each by the number of its labels;"
         " predictions are log-probabilities (N, T, classes)",
         {"prediction": "uniform(-2, -0.5, size=(2, 4, 3))", "target": "[[1, 2], [2, 0]]"},
         options={"blank": WHOLE}, classes=frozenset({"target"})),
)  # fmt: skip

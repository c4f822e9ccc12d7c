"""Losses and penalties, composed from ops as formulas in the notation of case files: they have no gradient rules.

What the ops mean is said in `ops`; whose formulas are traced, and how errors get their place, in `tracer`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.record import dataclass


@dataclass(frozen=True, slots=True)
class Composed:
    """A function that is a formula over ops.

    formula : the text, or a function of the arguments' values that chooses it by their shapes; that one raises
        ShapeError whose message goes on from the name ("expected …")
    meaning : one line for people
    classes : parameters that hold class numbers, which stay integers
    """

    name: str
    parameters: tuple[str, ...]
    formula: str | Callable[..., str]
    meaning: str
    classes: frozenset[str] = frozenset()

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})"


def _alike(formula: str) -> Callable[[NDArray[Any], NDArray[Any]], str]:
    """The formula, once prediction and target are known to have one shape (or the target to be a single number)."""

    def checked(prediction: NDArray[Any], target: NDArray[Any]) -> str:
        if target.ndim and prediction.shape != target.shape:
            raise ShapeError(
                f"expected a target of the prediction's shape {prediction.shape}, got {target.shape}",
                "broadcasting would compare every prediction with other targets too",
            )
        return formula

    return checked


def _cross_entropy(prediction: NDArray[Any], target: NDArray[Any]) -> str:
    """Class numbers pick one logit of each row; one-hot (or soft) targets weight them all."""
    if prediction.size and prediction.ndim and prediction.shape == target.shape:
        return "mean(-sum(target * log_softmax(prediction), axis=-1))"
    if not prediction.ndim:
        raise ShapeError("expected a prediction with one logit per class, got a single number", "give it an axis")
    if prediction.shape[:-1] != target.shape:
        expected = f"{prediction.shape[:-1]} class numbers or {prediction.shape} one-hot rows"
        raise ShapeError(
            f"expected a target of {expected}, got shape {target.shape}",
            "the last axis of the prediction holds one logit per class",
        )
    if not prod(prediction.shape):
        raise ShapeError(f"has nothing to compare in shape {prediction.shape}", "give at least one row and one class")
    count = prediction.shape[-1]
    if not np.issubdtype(target.dtype, np.integer):
        raise ShapeError(
            f"expected whole numbers as classes, got {target.dtype}", "write whole numbers, or one-hot rows"
        )
    if target.size and not (target.min() >= 0 and target.max() < count):
        wrong = int(target.min() if target.min() < 0 else target.max())
        raise ShapeError(f"expected classes from 0 to {count - 1}, got {wrong}", f"the prediction has {count} columns")
    if prediction.ndim == 2:
        return "mean(logsumexp(prediction, axis=1) - prediction[arange(prediction.shape[0]), target])"
    return (
        "rows = reshape(prediction, (-1, prediction.shape[-1]))\n"
        "mean(logsumexp(rows, axis=1) - rows[arange(rows.shape[0]), reshape(target, -1)])"
    )


_PAIR = ("prediction", "target")

LOSSES: Mapping[str, Composed] = {
    loss.name: loss
    for loss in (
        Composed("mse", _PAIR, _alike("mean((prediction - target)**2)"), "mean of (prediction − target)², all of them"),
        Composed("mae", _PAIR, _alike("mean(abs(prediction - target))"), "mean of |prediction − target|, all of them"),
        Composed(
            "half_squared_error", _PAIR, _alike("0.5 * sum((prediction - target)**2)"),
            "half the sum of (prediction − target)², all elements; no mean",
        ),
        Composed(
            "binary_cross_entropy", _PAIR,
            _alike("-mean(target * log(prediction) + (1 - target) * log(1 - prediction))"),
            "mean of −t·log p − (1 − t)·log(1 − p), all elements; p are probabilities, not clipped",
        ),
        Composed(
            "softmax_cross_entropy", _PAIR, _cross_entropy,
            "mean over the rows of log Σ e^logits − the target's logit; targets are class numbers or one-hot rows",
            frozenset({"target"}),
        ),
    )
}  # fmt: skip

# As in Keras' regularizers: the strength times the plain sum, no half, weights only – biases, gammas, betas stay out.
PENALTIES: Mapping[str, Composed] = {
    penalty.name: penalty
    for penalty in (
        Composed("l2", ("strength",), "strength * sum(W**2)", "strength · Σ W² over all weights; no half, no biases"),
        Composed("l1", ("strength",), "strength * sum(abs(W))", "strength · Σ |W| over all weights; no biases"),
    )
}

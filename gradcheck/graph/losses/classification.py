"""Losses that compare logits or probabilities with classes, row by row; the last axis holds the classes.

Stable forms only: a softmax or a sigmoid is never computed to take its logarithm.
"""

from __future__ import annotations

import numpy as np

from gradcheck.errors import ShapeError
from gradcheck.graph.composed import Option, at_least
from gradcheck.graph.losses.each import (
    LABELLED,
    Each,
    Values,
    class_numbers,
    class_weights,
    loss,
    same_shape,
    within,
)
from gradcheck.graph.scalars import is_number

ONE_HOT = "one-hot rows"
SATURATED = "binary_cross_entropy_with_logits takes the value before the sigmoid and has no such limit"

# −log p(class) with both tails kept: softplus(x) − t·x would lose the digits of a loss close to 0.
LOGISTIC = "target * softplus(-prediction) + (1 - target) * softplus(prediction)"

SMOOTHING = Option(0.0, "a number from 0 to below 1", lambda value: is_number(value) and 0 <= value < 1)
IGNORED = Option(None, "a whole number or None", lambda value: value is None or type(value) is int)


def _softmax_cross_entropy(
    prediction: Values, target: Values, weight: Values | None, label_smoothing: float, ignore_index: int | None
) -> Each:
    """Class numbers pick one logit of each row; one-hot (or soft) targets weight them all."""
    class_weights(weight, prediction)
    if prediction.ndim and prediction.shape == target.shape:
        if ignore_index is not None:
            raise ShapeError("expected class numbers beside 'ignore_index', got one-hot rows", "leave one of them out")
        within(
            target, 0.0, 1.0, "class probabilities from 0 to 1 as target", "write class numbers, or rows that sum to 1"
        )
        return Each(_weighted("log_softmax(prediction)", "target", weight, label_smoothing))
    class_numbers(prediction, target, ignore_index, ONE_HOT)
    if weight is not None or label_smoothing or ignore_index is not None:
        return _by_class("log_softmax(prediction)", target, weight, label_smoothing, ignore_index)
    if prediction.ndim == 2:
        return Each("logsumexp(prediction, axis=1) - prediction[arange(prediction.shape[0]), target]")
    return Each(
        "rows = reshape(prediction, (-1, prediction.shape[-1]))\n"
        "picked = rows[arange(rows.shape[0]), reshape(target, -1)]\n"
        "reshape(logsumexp(rows, axis=1) - picked, target.shape)"
    )


def _nll(prediction: Values, target: Values, weight: Values | None, ignore_index: int | None) -> Each:
    class_weights(weight, prediction)
    class_numbers(prediction, target, ignore_index)
    if weight is None and ignore_index is None and prediction.ndim == 2:
        return Each("-prediction[arange(prediction.shape[0]), target]")
    return _by_class("prediction", target, weight, 0.0, ignore_index)


def _by_class(logs: str, target: Values, weight: Values | None, smoothing: float, ignored: int | None) -> Each:
    """Minus the logs of the classes, by masks: rows that are ignored count 0, and a mean is over the weights met."""
    lines = [f"hit = arange(prediction.shape[-1]) == reshape(target, {(*target.shape, 1)})"]
    counts = "" if weight is None else "sum(weight * hit, axis=-1)"
    # Picked rather than multiplied: the log of a class that is not asked for may be −∞.
    each = _weighted(logs, "hit", weight, smoothing) if smoothing else _weighted(f"where(hit, {logs}, 0)", "", weight)
    if ignored is not None:
        lines.append("kept = target != ignore_index")
        counts = f"kept * {counts}" if counts else "kept"
        each = f"kept * ({each})"
    if counts:
        lines.append(f"counts = {counts}")
    return Each("\n".join([*lines, each]), "sum(each) / sum(counts)" if counts else "mean(each)")


def _weighted(logs: str, shares: str, weight: Values | None, smoothing: float = 0.0) -> str:
    """−Σ weight · share · log over the classes; smoothing moves a part of every share to all classes alike."""
    if smoothing:
        shares = f"((1 - label_smoothing) * {shares} + label_smoothing / prediction.shape[-1])"
    factors = ["weight"] * (weight is not None) + [shares] * bool(shares)
    return f"-sum({' * '.join([*factors, logs])}, axis=-1)"


def _binary_cross_entropy(prediction: Values, target: Values) -> Each:
    same_shape(prediction, target)
    within(target, 0.0, 1.0, "targets from 0 to 1", "a target is the probability of class 1")
    within(prediction, 0.0, 1.0, "probabilities from 0 to 1 as prediction", "put a sigmoid before it")
    within(
        prediction,
        np.nextafter(0, 1),
        1 - 2**-53,
        "probabilities between 0 and 1, whose logarithms are finite",
        SATURATED,
    )
    return Each("-(target * log(prediction) + (1 - target) * log(1 - prediction))")


def _logits(prediction: Values, target: Values, pos_weight: Values | None) -> Each:
    same_shape(prediction, target)
    within(target, 0.0, 1.0, "targets from 0 to 1", "a target is the probability of class 1")
    class_weights(pos_weight, prediction, "pos_weight")
    return Each(LOGISTIC if pos_weight is None else f"pos_weight * {LOGISTIC}")


def _focal(prediction: Values, target: Values, gamma: float, alpha: float | None) -> Each:
    """1 − p(class) is a sigmoid of the other sign: nothing is subtracted from 1."""
    same_shape(prediction, target)
    within(target, 0.0, 1.0, "targets from 0 to 1", "a target is the probability of class 1")
    balance = "" if alpha is None else "(alpha * target + (1 - alpha) * (1 - target)) * "
    return Each(
        "missed = target * sigmoid(-prediction) + (1 - target) * sigmoid(prediction)\n"
        f"{balance}missed**gamma * ({LOGISTIC})"
    )


BINARY = {"prediction": "normal(4, 3)", "target": "[[1, 0, 1], [0, 0, 1], [1, 1, 0], [0, 1, 0]]"}
CLASSES = frozenset({"target"})

CLASSIFICATION = (
    loss("binary_cross_entropy", _binary_cross_entropy,
         "mean of −t·log p − (1 − t)·log(1 − p), all elements; p are probabilities, not clipped",
         {**BINARY, "prediction": "uniform(0.1, 0.9, size=(4, 3))"}),
    loss("binary_cross_entropy_with_logits", _logits,
         "the same of p = sigmoid(prediction), stable; pos_weight counts the ones that often", BINARY,
         optional=("pos_weight",)),
    loss("softmax_cross_entropy", _softmax_cross_entropy,
         "mean over the rows of log Σ e^logits − the target's logit; targets are class numbers or one-hot rows",
         LABELLED, optional=("weight",), options={"label_smoothing": SMOOTHING, "ignore_index": IGNORED},
         classes=CLASSES),
    loss("nll", _nll, "mean over the rows of minus the target's entry; predictions are log-probabilities",
         {**LABELLED, "prediction": "uniform(-3, -0.1, size=(4, 3))"}, optional=("weight",),
         options={"ignore_index": IGNORED}, classes=CLASSES),
    # Lin, Goyal, Girshick, He, Dollár 2017, "Focal loss for dense object detection", section 3; its defaults
    loss("focal", _focal, "binary cross-entropy of logits times (1 − p(class))^gamma and alpha, or 1 − alpha for 0",
         BINARY, options={"gamma": at_least(0, 2.0), "alpha": Option(0.25, "a number from 0 to 1, or None",
             lambda value: value is None or (is_number(value) and 0 <= value <= 1))}),
)  # fmt: skip

"""Losses that ask for a distance between right and wrong, and count what is missing of it.

All have kinks, where exactly the margin is kept; they come with `relu`.
"""

from __future__ import annotations

from gradcheck.errors import ShapeError
from gradcheck.graph.composed import Option, above, at_least
from gradcheck.graph.losses.each import LABELLED, Each, Values, class_numbers, loss, same_shape, signs
from gradcheck.graph.scalars import is_number

POWER = Option(1, "1 or 2", lambda value: is_number(value) and value in (1, 2))


def _hinge(prediction: Values, target: Values, margin: float, p: int) -> Each:
    same_shape(prediction, target)
    signs(target)
    return Each(f"relu(margin - target * prediction){_power(p)}")


def _multiclass_svm(prediction: Values, target: Values, margin: float, p: int) -> Each:
    class_numbers(prediction, target)
    rows = "" if prediction.ndim == 2 else "reshape(prediction, (-1, prediction.shape[-1]))"
    # The right class itself has the term relu(margin), which no score moves: taken away, it leaves the others' sum.
    return Each(
        f"rows = {rows or 'prediction'}\n"
        "right = rows[arange(rows.shape[0]), reshape(target, -1)]\n"
        f"missing = relu(rows - right[:, None] + margin){_power(p)}\n"
        f"reshape(sum(missing, axis=1) - margin{_power(p)}, target.shape)"
    )


def _power(p: float) -> str:
    return "**2" if p == 2 else ""


def _rows(first: Values, *others: Values) -> None:
    """Arrays of vectors, all of one shape."""
    shapes = [array.shape for array in (first, *others)]
    if not first.ndim or len(set(shapes)) > 1:
        seen = f"{', '.join(map(str, shapes[:-1]))} and {shapes[-1]}"
        raise ShapeError(f"expected vectors, arrays of one shape, got {seen}", "the last axis holds a vector")


def _cosine_embedding(first: Values, second: Values, target: Values, margin: float) -> Each:
    _rows(first, second)
    if target.ndim and target.shape != first.shape[:-1]:
        message = f"expected a target of shape {first.shape[:-1]}, one sign per pair of rows, got {target.shape}"
        raise ShapeError(message, "the last axis of the others holds a vector")
    signs(target)
    # 1e-12 as in torch: a vector of zeros has a cosine then, 0.
    return Each(
        "lengths = sqrt((sum(first**2, axis=-1) + 1e-12) * (sum(second**2, axis=-1) + 1e-12))\n"
        "cosine = sum(first * second, axis=-1) / lengths\n"
        "where(target == 1, 1 - cosine, relu(cosine - margin))"
    )


def _triplet(anchor: Values, positive: Values, negative: Values, margin: float) -> Each:
    _rows(anchor, positive, negative)
    # 1e-6 as in torch: two equal vectors have no kink then.
    return Each(
        "near = sqrt(sum((anchor - positive + 1e-6)**2, axis=-1))\n"
        "far = sqrt(sum((anchor - negative + 1e-6)**2, axis=-1))\n"
        "relu(near - far + margin)"
    )


def _margin_ranking(first: Values, second: Values, target: Values, margin: float) -> Each:
    if not first.shape == second.shape == target.shape:
        message = f"expected arrays of one shape, got {first.shape}, {second.shape} and {target.shape}"
        raise ShapeError(message, "each pair of numbers has a sign")
    signs(target)
    return Each("relu(margin - target * (first - second))")


VECTORS = {"first": "normal(4, 3)", "second": "normal(4, 3)", "target": "[1, -1, 1, -1]"}

MARGINS = (
    loss("hinge", _hinge, "mean of max(0, margin − t·p), all elements (squared with p=2); targets t are −1 or 1",
         {"prediction": "normal(4)", "target": "[1, -1, 1, -1]"}, options={"margin": above(0, 1.0), "p": POWER}),
    # Weston, Watkins 1999, "Support vector machines for multi-class pattern recognition"
    loss("multiclass_svm", _multiclass_svm,
         "mean over the rows of Σ max(0, sⱼ − s + margin) over the wrong classes j; s is the right one's score",
         LABELLED, options={"margin": above(0, 1.0), "p": POWER}, classes=frozenset({"target"})),
    loss("cosine_embedding", _cosine_embedding,
         "mean over the rows of 1 − cos(first, second) for target 1, max(0, cos − margin) for −1", VECTORS,
         ("first", "second", "target"), options={"margin": Option(
             0.0, "a number from -1 to 1", lambda value: is_number(value) and -1 <= value <= 1)}),
    # Schroff, Kalenichenko, Philbin 2015, "FaceNet", section 3.1, with distances in place of their squares
    loss("triplet", _triplet, "mean over the rows of max(0, |anchor − positive| − |anchor − negative| + margin)",
         {"anchor": "normal(4, 3)", "positive": "normal(4, 3)", "negative": "normal(4, 3)"},
         ("anchor", "positive", "negative"), options={"margin": above(0, 1.0)}),
    loss("margin_ranking", _margin_ranking, "mean of max(0, margin − t·(first − second)); targets t are −1 or 1",
         {"first": "normal(4)", "second": "normal(4)", "target": "[1, -1, 1, -1]"},
         ("first", "second", "target"), options={"margin": at_least(0, 0.0)}),
)  # fmt: skip

"""What all losses share: how the losses of the rows become one number, and what a target may be.

The losses themselves stand in the modules beside this one, by what they compare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.graph.composed import NONE, Composed, Option, chosen
from gradcheck.record import dataclass

Values = NDArray[Any]

PAIR = ("prediction", "target")  # what a network supplies: its output and the input `target`
REDUCTION = chosen("mean", "sum", "none")
# Arrays that a loss of two alike ones is worth something at; probabilities and class numbers have their own.
NUMBERS: Mapping[str, str] = {"prediction": "normal(4, 3)", "target": "normal(4, 3)"}
LABELLED: Mapping[str, str] = {"prediction": "normal(4, 3)", "target": "integers(0, 3, size=4)"}


@dataclass(frozen=True, slots=True)
class Each:
    """The losses of the rows, or of the elements, before anything is summed.

    text : lines of the notation, the last of them the losses
    mean : what their mean is, over the name `each` and those of the lines
    """

    text: str
    mean: str = "mean(each)"


def loss(
    name: str,
    each: Callable[..., Each],
    meaning: str,
    example: Mapping[str, str],
    parameters: tuple[str, ...] = PAIR,
    *,
    optional: tuple[str, ...] = (),
    options: Mapping[str, Option] = NONE,
    reduction: Option = REDUCTION,
    classes: frozenset[str] = frozenset(),
) -> Composed:
    """A loss whose option `reduction`, the last, says what becomes of each.

    each : `each(**arrays, **options)`
    """

    def formula(reduction: str, **given: Any) -> str:
        first = given[parameters[0]]
        if reduction in ("mean", "batchmean") and not first.size:
            raise ShapeError(f"has nothing to compare in shape {first.shape}", "give it at least one row")
        found = each(**given)
        *lines, last = found.text.splitlines()
        total = {"mean": found.mean, "sum": "sum(each)", "batchmean": f"sum(each) / {(*first.shape, 1)[0]}"}
        return "\n".join([*lines, f"each = {last}", total.get(reduction, "each")])

    return Composed(name, parameters, formula, meaning, optional, {**options, "reduction": reduction}, classes, example)


def alike(text: str) -> Callable[..., Each]:
    """A formula of two arrays, once they are known to have one shape (or the target to be a single number)."""

    def each(prediction: Values, target: Values, **_: Any) -> Each:
        same_shape(prediction, target)
        return Each(text)

    return each


def same_shape(prediction: Values, target: Values) -> None:
    if target.ndim and prediction.shape != target.shape:
        raise ShapeError(
            f"expected a target of the prediction's shape {prediction.shape}, got {target.shape}",
            "broadcasting would compare every prediction with other targets too",
        )


def within(values: Values, low: float, high: float, expected: str, hint: str) -> None:
    """Values from `low` to `high`; another one is named, and so is what was expected."""
    wrong = values[~((values >= low) & (values <= high))]
    if wrong.size:
        raise ShapeError(f"expected {expected}, got {wrong.reshape(-1)[0]:g}", hint)


def signs(target: Values) -> None:
    """Targets that are −1 or 1."""
    wrong = target[(target != -1) & (target != 1)]
    if wrong.size:
        hint = "targets of 0 and 1 become signs as 2*target - 1" if np.isin(target, (0, 1)).all() else "write -1 or 1"
        raise ShapeError(f"expected targets of -1 and 1, got {wrong.reshape(-1)[0]:g}", hint)


def class_numbers(prediction: Values, target: Values, ignored: int | None = None, otherwise: str = "") -> None:
    """Targets that are numbers of the last axis of the prediction, one per row.

    ignored : a number that stands for no class
    otherwise : what else the target may be, for messages
    """
    if not prediction.ndim:
        raise ShapeError("expected a prediction with one number per class, got a single one", "give it an axis")
    if prediction.shape[:-1] != target.shape:
        expected = f"{prediction.shape[:-1]} class numbers{otherwise and f' or {prediction.shape} {otherwise}'}"
        raise ShapeError(
            f"expected a target of {expected}, got shape {target.shape}",
            "the last axis of the prediction holds one number per class",
        )
    if not prediction.shape[-1]:
        raise ShapeError(f"has nothing to compare in shape {prediction.shape}", "give at least one class")
    count = prediction.shape[-1]
    if not np.issubdtype(target.dtype, np.integer):
        hint = f"write whole numbers{otherwise and f', or {otherwise}'}"
        raise ShapeError(f"expected whole numbers as classes, got {target.dtype}", hint)
    real = target[target != ignored] if ignored is not None else target
    if real.size and not (real.min() >= 0 and real.max() < count):
        raise no_such_class(int(real.min() if real.min() < 0 else real.max()), count)
    if ignored is not None and target.size and not real.size:
        raise ShapeError(f"has no row left: all of them have the class {ignored}, which is ignored", "keep one row")


def no_such_class(wrong: int, count: int) -> ShapeError:
    columns = f"{count} column{'' if count == 1 else 's'}"
    return ShapeError(f"expected classes from 0 to {count - 1}, got {wrong}", f"the prediction has {columns}")


def class_weights(weight: Values | None, prediction: Values, name: str = "weight") -> None:
    """One number of at least 0 per class, if there are any; a single number serves them all."""
    if weight is None:
        return
    if weight.ndim and weight.shape != prediction.shape[-1:]:
        message = f"expected one '{name}' per class, shape {prediction.shape[-1:]}, got {weight.shape}"
        raise ShapeError(message, "the last axis of the prediction holds the classes")
    within(weight, 0.0, np.inf, f"a '{name}' of at least 0", "a negative weight rewards mistakes")

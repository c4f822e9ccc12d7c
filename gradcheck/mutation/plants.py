"""Classic mistakes made in an array of gradients: what a wrong backward would have handed over.

Arrays in, an array out; whether anybody notices is seen in `bench`. The mistakes are those that published code makes
most often: a factor, a sign, a mean for a sum, an axis, an upstream gradient that is not used, a part that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.record import dataclass

Gradient = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Claimed:
    """One tensor of a claim, and what the mistakes need beside it.

    tensor : its name; gradients : all gradients of the claim, as they came
    point : the arrays at the point
    batch : how many samples the arrays hold; None where no axis is clearly the batch
    by_ones : the gradient for an upstream gradient of ones; None where the claim takes no upstream gradient
    """

    tensor: str
    gradients: Mapping[str, Gradient]
    point: Mapping[str, Gradient]
    batch: int | None
    by_ones: Callable[[], Gradient] | None

    @property
    def gradient(self) -> Gradient:
        """A copy, in float64."""
        return np.array(self.gradients[self.tensor], dtype=np.float64)


Plant = Callable[[Claimed], Gradient | None]  # None where the mistake cannot be made in such a tensor


def _times(factor: float) -> Plant:
    return lambda claimed: factor * claimed.gradient


def _by_batch(power: int) -> Plant:
    return lambda claimed: None if claimed.batch is None else claimed.gradient * float(claimed.batch) ** power


def _transposed(claimed: Claimed) -> Gradient | None:
    """Of a square matrix its transpose; of another one the right numbers in the order of the transpose."""
    g = claimed.gradient
    if g.ndim < 2 or min(g.shape[-2:]) < 2:
        return None
    return np.swapaxes(g, -1, -2).reshape(g.shape)


def _shifted(claimed: Claimed) -> Gradient | None:
    g = claimed.gradient
    return np.roll(g, 1, axis=-1) if g.ndim and g.shape[-1] > 1 else None


def _missing(axis: int) -> Plant:
    """The last row, or the last column, is zero."""

    def planted(claimed: Claimed) -> Gradient | None:
        g = claimed.gradient
        if g.ndim < 2 or g.shape[axis] < 2:
            return None
        np.moveaxis(g, axis, 0)[-1] = 0.0
        return g

    return planted


def _averaged(claimed: Claimed) -> Gradient | None:
    g = claimed.gradient
    return np.broadcast_to(g.mean(axis=0), g.shape).copy() if g.ndim and len(g) > 1 else None


def _element(change: Callable[[float], float]) -> Plant:
    """The largest element is another one."""

    def planted(claimed: Claimed) -> Gradient | None:
        g = claimed.gradient
        if g.size < 2:
            return None
        largest = np.unravel_index(int(np.argmax(np.abs(g))), g.shape)
        g[largest] = change(float(g[largest]))
        return g

    return planted


def _of_another(claimed: Claimed) -> Gradient | None:
    """What belongs to the next tensor of the same shape."""
    names = list(claimed.gradients)
    at = names.index(claimed.tensor)
    for name in (*names[at + 1 :], *names[:at]):
        other = np.asarray(claimed.gradients[name])
        if other.shape == claimed.gradient.shape and other.dtype.kind in "fiu":
            return other.astype(np.float64)
    return None


def _only_positive(claimed: Claimed) -> Gradient | None:
    """Zero where the tensor itself is negative, as if behind a relu."""
    primal = claimed.point.get(claimed.tensor)
    if primal is None or primal.shape != claimed.gradient.shape:
        return None
    return np.where(primal < 0, 0.0, claimed.gradient) if (primal < 0).any() else None


def _clipped(claimed: Claimed) -> Gradient | None:
    g = claimed.gradient
    limit = 0.5 * float(np.abs(g).max(initial=0.0))
    return np.clip(g, -limit, limit) if g.size > 1 else None


PLANTS: Mapping[str, Plant] = {
    "twice": _times(2.0),
    "half": _times(0.5),
    "negated": _times(-1.0),
    "zeros": _times(0.0),
    "times N": _by_batch(1),
    "divided by N": _by_batch(-1),
    "without the upstream gradient": lambda claimed: None if claimed.by_ones is None else claimed.by_ones(),
    "transposed": _transposed,
    "shifted by one": _shifted,
    "of another tensor": _of_another,
    "mean over the first axis": _averaged,
    "last row missing": _missing(0),
    "last column missing": _missing(-1),
    "one element twice": _element(lambda value: 2.0 * value),
    "one element missing": _element(lambda value: 0.0),
    "one element not a number": _element(lambda value: float("nan")),
    "missing for negative numbers": _only_positive,
    "clipped": _clipped,
    "one percent more": _times(1.01),
    "a thousandth less": _times(0.999),
    "float32 rounding": lambda claimed: claimed.gradient.astype(np.float32).astype(np.float64),
}


def planted(name: str, claimed: Claimed) -> Gradient | None:
    """The gradient with a mistake; None where it cannot be made there. The claim's own array stays as it is."""
    with np.errstate(all="ignore"):
        return PLANTS[name](claimed)

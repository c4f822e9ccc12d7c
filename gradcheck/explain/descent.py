"""One step of gradient descent: the parameters after it, and the loss before and after.

The gradients are those of the trace; the loss afterwards is the function itself at the new point, not a prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gradcheck.model.explanation import Descent, Moved
from gradcheck.model.problem import Array, Point

TRIES = 12  # tenths of the rate that are tried where the loss has not fallen


def descend(
    loss: Callable[[Point], float], point: Point, gradients: Mapping[str, Array], names: Sequence[str], lr: float
) -> Descent | None:
    """θ ← θ − lr · ∂loss/∂θ for every named tensor at once; None where there is none.

    loss : the number that the gradients are the gradients of
    """
    if not names:
        return None

    def after(rate: float) -> dict[str, Array]:
        return {name: np.asarray(point[name], dtype=np.float64) - rate * gradients[name] for name in names}

    def loss_after(rate: float) -> float:
        return loss({**point, **after(rate)})

    before, then = loss(point), loss_after(lr)
    slope = float(sum(np.sum(gradients[name] ** 2) for name in names))
    shorter = None
    if slope > 0 and not then < before:
        rates = [float(f"{lr * 10.0**-k:.6g}") for k in range(1, TRIES + 1)]
        shorter = next(((rate, value) for rate in rates if (value := loss_after(rate)) < before), None)
    end = after(lr)
    moved = tuple(Moved(name, point[name], gradients[name], end[name]) for name in names)
    return Descent(lr, moved, before, then, -lr * slope, shorter)

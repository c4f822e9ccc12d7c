"""The same code once more in float64, where a case asks for a coarser type: differences of it are good to ten digits.

What was asked for stays what is judged: the gradients come from the code as the case wants it, the evidence from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.handwritten.session import CodeError, Session

DOUBLE = float(np.finfo(np.float64).eps)


def in_double(
    make: Callable[[], Session], session: Session, inputs: Mapping[str, NDArray[Any]], parameters: Mapping[str, Any]
) -> Session | None:
    """A session of the code in float64, or None where that is no evidence about the code as it was asked for.

    make : loads the code in float64; session : the code as it was asked for, opened
    inputs, parameters : as that one holds them
    It is none where it breaks, where it computes in a coarser type all the same, where it has other parameters or
    outputs, or where its values are others than rounding makes them (it draws other random numbers, say).
    """
    point = {**parameters, **inputs}
    try:
        doubled = make()
        wide = {name: widened(array) for name, array in point.items()}
        own = doubled.open({name: wide[name] for name in inputs})
        if own.keys() != parameters.keys():
            return None
        coarse, fine = session.forward(point), doubled.forward(wide)
    except CodeError:
        return None
    if doubled.precision > DOUBLE or doubled.output_names != session.output_names:
        return None
    limit = float(np.sqrt(session.wrapping.epsilon))
    for a, b in zip(coarse, fine, strict=True):
        size = float(np.max(np.abs(b), initial=0.0))
        if a.shape != b.shape or not np.all(np.abs(a - b) <= limit * size):
            return None
    return doubled


def widened(array: NDArray[Any]) -> NDArray[Any]:
    """Floats as float64, which holds them exactly; anything else as it is."""
    return array.astype(np.float64) if array.dtype.kind == "f" else array

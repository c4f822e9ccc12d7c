"""What stands between the arrays of a case and the objects that somebody's code computes with: here, nothing at all.

The code is given numpy arrays. Own tensor engines are `engine.py`'s; adapters of libraries come from outside the box
and override what they need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any

import numpy as np

from .values import ARRAYS, DATA, Arrays, array_of, changed, fresh, gradient_of

Step = tuple[str, Any]  # ("attribute", "W") or ("item", 0)
Steps = tuple[Step, ...]
Found = tuple[str, Any, Steps]  # name, array, and the way to what holds it
# Values in; the outputs, and the objects that stand for the parameters, by name.
Run = Callable[[Mapping[str, Any]], tuple[list[Any], dict[str, Any]]]


class Wrapping:
    """Plain arrays.

    has_light_forward : whether a forward is cheaper where nothing is differentiated
    takes_upstream : whether `gradients` can be given an upstream gradient
    epsilon : machine epsilon of the float type that the code is given, where that is not the one of its inputs; else 0
    notes : what it noticed
    """

    has_light_forward = False
    takes_upstream = True
    epsilon = 0.0

    def __init__(self) -> None:
        self.notes: dict[str, None] = {}

    # -- around every run of the code --

    def enter(self) -> None:
        """Before the code runs: what it may rely on."""

    def leave(self) -> None:
        """After it ran: put back what `enter` and the code changed."""

    def seed(self, seed: int) -> None:
        """Set the generators that are not Python's and numpy's."""

    def hint(self, error: BaseException) -> str:
        """One next step for an exception of the library, or ""."""
        return ""

    def light(self) -> AbstractContextManager[Any]:
        """For a forward that nobody differentiates."""
        return nullcontext()

    # -- arrays into objects and back --

    def wrap(self, array: Any, has_gradient: bool) -> Any:
        """A fresh object with the numbers of an array, which the code may keep or overwrite.

        has_gradient : it is an input of floats whose gradient is to be found in it
        """
        return fresh(array)

    def handed(self, wrapped: Any) -> Any:
        """What the code is given of an input whose gradient is read afterwards: it may overwrite that, too."""
        return wrapped

    def upstream(self, array: Any, output: Any) -> Any:
        """A fresh upstream gradient for an output."""
        return fresh(array)

    def array(self, value: Any) -> Any:
        """What an object holds, as an array; anything else as it is."""
        return array_of(value)

    def returned(self, value: Any) -> Any:
        """A gradient that a backward returned, as an array."""
        return gradient_of(value)

    def gradient(self, value: Any) -> Any:
        """The gradient that an object stands for, as an array."""
        return gradient_of(value)

    def precision(self, value: Any, array: Any) -> tuple[str, float]:
        """Name and machine epsilon of the float type of an output; ("", 0) where it is none."""
        if array.dtype.kind != "f":
            return "", 0.0
        return _float_type(array.dtype)

    def is_changed(self, value: Any, array: Any) -> bool:
        """Whether the code has overwritten what it was given."""
        return changed(self.array(value), array)

    # -- parameters --

    def leaf(self, value: Any) -> tuple[Any, Steps]:
        """The floating array of a value, and the steps to what holds it; (None, ()) where it is no parameter."""
        found = as_parameter(value)
        if found is not None or isinstance(value, ARRAYS):
            return found, ()
        for name in DATA:
            inner = getattr(value, name, None)
            found = None if inner is None else as_parameter(inner)
            if found is not None:
                return found, (("attribute", name),)
        return None, ()

    def put(self, current: Any, value: Any) -> bool:
        """Set a parameter in place, so that every other reference sees it too; False where that cannot be done."""
        if isinstance(current, np.ndarray) and current.shape == value.shape and current.dtype == value.dtype:
            current[...] = value
            return True
        return False

    def replacement(self, current: Any, value: Any) -> Any:
        """What to put in the place of a parameter that cannot be set."""
        return value.item() if value.ndim == 0 and not isinstance(current, np.ndarray) else value.copy()

    def parameters(self, thing: Any) -> Iterator[Found] | None:
        """Every parameter of an object; None where nothing but its place tells what is one."""
        return None

    # -- gradients of its own --

    def is_output(self, value: Any) -> bool:
        """Whether a value is one that can be differentiated."""
        return True

    def gradients(self, run: Run, arrays: Arrays, upstream: list[Any]) -> Arrays:
        """Run forward, then the library's own backward; name → gradient, None where none arrived.

        run : evaluates the forward from fresh objects; arrays : the inputs and parameters to differentiate
        """
        raise NotImplementedError


def as_parameter(value: Any) -> Any:
    """The value as a floating array, or None where it is nothing that could be differentiated."""
    if isinstance(value, np.ndarray):
        return value if value.dtype.kind == "f" else None
    return np.asarray(value, dtype=float) if isinstance(value, int | float) and not isinstance(value, bool) else None


@lru_cache(maxsize=16)  # asked after every evaluation, and numpy takes its time over the name of a type
def _float_type(kind: np.dtype[Any]) -> tuple[str, float]:
    return str(kind), float(np.finfo(kind).eps)


PLAIN = Wrapping()

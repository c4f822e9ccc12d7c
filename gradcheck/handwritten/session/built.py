"""The escape hatch: a problem that somebody's code built whole, a loss and the arrays that it reads as they stand.

Everything that has statements of its own is `session.py`'s.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import LackError, is_unfinished
from .values import Arrays, numbers_of

SHAPE = "expected (loss, {name: (array, gradient)})"


class Built:
    """What `build: problem(seed)` gave, checked.

    loss : a function of nothing; arrays : those that it reads, by name; claimed : their gradients
    Raises LackError (unfinished, missing, or invalid) for anything of another shape.
    """

    def __init__(self, given: Any) -> None:
        if given is None:
            raise LackError(f"the problem is None, {SHAPE}", kind="unfinished")
        if not (isinstance(given, tuple | list) and len(given) == 2 and isinstance(given[1], Mapping)):
            raise LackError(f"the problem is one {type(given).__name__}, {SHAPE}", kind="invalid")
        self.loss, parts = given
        self.arrays: Arrays = {}
        self.claimed: Arrays = {}
        for name, part in parts.items():
            if not (isinstance(part, tuple | list) and len(part) == 2 and isinstance(part[0], np.ndarray)):
                raise LackError(f"'{name}' is no pair of arrays, {SHAPE}", kind="invalid")
            if part[1] is None:
                raise LackError(f"the problem has no gradient of '{name}'", kind="missing")
            self.arrays[str(name)], self.claimed[str(name)] = part[0], copy.deepcopy(part[1])
        if not callable(self.loss):
            raise LackError(f"the loss is one {type(self.loss).__name__}, expected a function", kind="invalid")

    def forward(self, point: Mapping[str, Any]) -> Any:
        """The loss at a point, a float64 array."""
        for name, array in self.arrays.items():
            array[...] = point[name]
        value = self.loss()
        if is_unfinished(value):
            raise LackError(f"the loss returned {value}", kind="unfinished")
        return numbers_of("loss", value).astype(np.float64)

    def gradients(self) -> Arrays:
        return {name: numbers_of(name, gradient) for name, gradient in self.claimed.items()}

"""What a rule may look at: one wrong gradient, what is known about it and its surroundings, and how arrays are matched.

Values only. Who gathers them, and what a match means, is decided elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.model.problem import Array, Source
from gradcheck.record import dataclass, field

MATCH = 3e-6  # relative: two arrays are the same to what differences tell; a formula of another kind is off by percents
LONGEST = 10**9  # what is larger is no length of an axis
REST = 1e-7  # relative to the tensor's largest slope: what cancellation leaves of a zero


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """One claim about one tensor, beside its evidence.

    primal : the tensor's value, shape S
    claimed : as the backward gave it, float64; a shape other than S is kept
    numeric, bound : slopes by differences and what they may be off by, shape S
    wrong : the elements that are called wrong, shape S; all of them where the shape is
    """

    tensor: str
    primal: Array
    claimed: Array
    numeric: Array
    bound: Array
    wrong: NDArray[np.bool_]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.primal.shape

    @property
    def has_right_shape(self) -> bool:
        return self.claimed.shape == self.primal.shape

    @property
    def fails(self) -> bool:
        return bool(self.wrong.any())

    @property
    def scale(self) -> float:
        """The largest slope, of the tensor and of the claim."""
        return max(float(np.abs(self.numeric).max(initial=0.0)), float(np.abs(self.claimed).max(initial=0.0)))

    @property
    def residual(self) -> Array:
        """What the claim has too much."""
        return self.claimed - self.numeric


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All that is known when a rule is asked about one tensor.

    subject : the claim in question
    others : the same claim about the other tensors, by name
    point : every array the function reads, whole numbers included
    upstream : the upstream gradient of every output, in their shapes; of the output there mostly is only one
    value : the outputs, in their shapes
    contributions : g_o·∂y_o/∂x_i of the first output o, shape (*output, *S), by differences; None where that is too
        much, or where the function has one number only
    every : the same of the other tensors, as far as it was computed
    numbers : sizes and options that are numbers, by name
    law : the law of linearity that the claim breaks, in words; "" where it breaks none
    source : who claims it
    notes : what was noticed when the code was run
    """

    subject: Compared
    others: Mapping[str, Compared]
    point: Mapping[str, NDArray[Any]]
    upstream: tuple[Array, ...]
    value: tuple[Array, ...]
    contributions: Array | None = None
    every: Mapping[str, Array] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    law: str = ""
    source: Source = "backward"
    notes: tuple[str, ...] = ()

    @property
    def output(self) -> Array:
        return self.value[0]

    @property
    def g(self) -> Array:
        return self.upstream[0]

    @property
    def lengths(self) -> dict[str, int]:
        """Axis lengths and their products that a gradient may have been multiplied with or divided by, by name."""
        found: dict[str, int] = {}
        for name, number in self.numbers.items():
            if float(number).is_integer() and 1 < number <= LONGEST:
                found.setdefault(name, int(number))
        main = self.output if self.output.ndim else self._data()
        words = ("batch", "second axis", "third axis", "fourth axis")
        for axis, length in enumerate(main.shape[:4]):
            if length > 1 and length not in found.values():
                found[f"the length of the {words[axis]}"] = length
        for size, name in ((main.size, "the number of elements"), (self.subject.primal.size, "the number of elements")):
            if size > 1 and size not in found.values():
                found[name] = size
        if main.ndim >= 3 and main.shape[0] * main.shape[1] not in found.values():
            found["batch times time"] = main.shape[0] * main.shape[1]
        if self.subject.primal.ndim and self.subject.shape[-1] not in found.values():
            of = "" if main.ndim >= 2 else f" of '{self.subject.tensor}'"
            found[f"the length of the last axis{of}"] = self.subject.shape[-1]
        return {name: length for name, length in found.items() if length > 1}

    def _data(self) -> NDArray[Any]:
        """Where the output is a number: the array with the most axes, the larger one of several."""
        return max(self.point.values(), key=lambda a: (a.ndim, a.size), default=np.zeros(()))


def same(a: Array, b: Array, scale: float = 0.0, bound: Array | float = 0.0) -> bool:
    """Whether two arrays of one shape are equal to what the differences can tell, element by element."""
    if a.shape != b.shape:
        return False
    with np.errstate(invalid="ignore", over="ignore"):
        allowed = MATCH * np.maximum(np.abs(a), np.abs(b)) + REST * scale + 4.0 * np.asarray(bound)
        return bool((np.abs(a - b) <= allowed).all())


def multiple(a: Array, b: Array) -> float | None:
    """k of the least squares fit a = k·b; None where b is too small or too large to have one."""
    x, y = a.reshape(-1), b.reshape(-1)
    size = float(y @ y)
    k = float(x @ y) / size if size > 0.0 else math.nan
    return k if math.isfinite(k) else None


def explains(subject: Compared, candidate: Array) -> bool:
    """Whether the claim is this array, and the array not simply the right gradient."""
    bound = subject.bound if candidate.shape == subject.bound.shape else float(subject.bound.max(initial=0.0))
    if not same(subject.claimed, candidate, subject.scale, bound):
        return False
    return not (
        candidate.shape == subject.shape and same(candidate, subject.numeric, subject.scale, subject.bound)
    ) and bool(candidate.any())


def is_diagonal(evidence: Evidence) -> bool:
    """Whether every output hangs on the element of the tensor at its own place, and on no other."""
    c, shape = evidence.contributions, evidence.subject.shape
    if c is None or evidence.output.shape != shape or evidence.subject.primal.size < 2:
        return False
    square = np.abs(c.reshape(evidence.output.size, -1))
    off = square.copy()
    np.fill_diagonal(off, 0.0)
    return bool(off.max(initial=0.0) <= 1e-6 * square.max(initial=0.0))

"""What the words of an array text do: `normal(4, 3)`, `one_hot(labels, 3)`, `he`, and arithmetic on them.

Every array is announced (shape and dtype) before it is made, so that limits hold before memory is asked for, and a text
can be measured without drawing a number. Where the random numbers come from is said in `arrays`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import NotationError
from gradcheck.record import dataclass

Number = int | float
Value = Number | NDArray[Any]

MAX_ELEMENTS = 10**7  # of one array: 80 MB
MAX_WORK = 4 * MAX_ELEMENTS  # of all arrays on the way to one: `0.1*normal(n)` counts n twice
MAX_AXES = 16


class Makers:
    """Makes arrays for real, from one random stream.

    shape : of the parameter that is initialised; None for anything else
    """

    def __init__(self, random: np.random.Generator, shape: tuple[int, ...] | None = None) -> None:
        self.random = random
        self.shape = shape
        self.work = 0

    def make(self, shape: tuple[int, ...], dtype: type, build: Callable[[], Any]) -> NDArray[Any]:
        """An array of that shape and dtype; `build` is called when its size is within the limits."""
        if len(shape) > MAX_AXES:
            raise NotationError(f"an array of {len(shape)} axes is too much", f"at most {MAX_AXES} axes")
        size = math.prod(shape)
        self.work += size
        if size > MAX_ELEMENTS or self.work > MAX_WORK:
            raise NotationError(f"an array of {size:.3g} elements is too large", f"at most {MAX_ELEMENTS} elements")
        return self._make(shape, dtype, build)

    def _make(self, shape: tuple[int, ...], dtype: type, build: Callable[[], Any]) -> NDArray[Any]:
        with np.errstate(all="ignore"):  # whoever asked for the array looks at NaN and infinity
            return np.asarray(build(), dtype).reshape(shape)


class Measures(Makers):
    """Makes arrays that have shape and dtype, but no memory and no meaning: ones, repeated by strides of zero."""

    def __init__(self, shape: tuple[int, ...] | None = None) -> None:
        super().__init__(np.random.default_rng(0), shape)

    def _make(self, shape: tuple[int, ...], dtype: type, build: Callable[[], Any]) -> NDArray[Any]:
        return np.broadcast_to(np.ones((), dtype), shape)


@dataclass(frozen=True, slots=True)
class Word:
    """A function of the notation, and how it is written."""

    call: Callable[..., Value]
    usage: str


def shape_of(*dims: Value | None) -> tuple[int, ...]:
    """The shape that sizes (`4, 3`) or one list of sizes (`(4, 3)`) stand for."""
    flat: list[Any] = []
    for dim in dims:
        flat.extend(dim.ravel().tolist() if isinstance(dim, np.ndarray) and dim.size <= MAX_AXES + 1 else [dim])
    for dim in flat:
        if isinstance(dim, float):
            raise NotationError(f"a size must be a whole number, got {dim!r}", "write N//2 instead of N/2")
        if not isinstance(dim, int) or dim < 0:
            raise NotationError(
                f"a size must be a whole number of at least 0, got {_shown(dim)}", "write the sizes as numbers"
            )
    return tuple(flat)


def scalar(value: Value, what: str) -> Number:
    """The value itself, when it is one number."""
    if isinstance(value, np.ndarray):
        raise NotationError(f"expected one number as {what}, got an array of shape {value.shape}", "write a number")
    return value


def whole(value: Value, what: str) -> int:
    """The value itself, when it is one whole number."""
    number = scalar(value, what)
    if not isinstance(number, int):
        raise NotationError(f"expected a whole number as {what}, got {number:g}", "write it without a decimal point")
    return number


def normal(makers: Makers, *dims: Value, size: Value | None = None, loc: Value = 0, scale: Value = 1) -> Value:
    shape = _size(dims, size)
    mean, deviation = scalar(loc, "loc"), scalar(scale, "scale")
    return makers.make(shape, np.float64, lambda: mean + deviation * makers.random.standard_normal(shape))


def uniform(makers: Makers, low: Value, high: Value, *dims: Value, size: Value | None = None) -> Value:
    shape = _size(dims, size)
    first, last = float(scalar(low, "low")), float(scalar(high, "high"))
    return makers.make(shape, np.float64, lambda: first + (last - first) * makers.random.random(shape))


def integers(makers: Makers, low: Value, high: Value, *dims: Value, size: Value | None = None) -> Value:
    shape = _size(dims, size)
    first, end = whole(low, "low"), whole(high, "high")
    if end <= first:
        raise NotationError(
            f"there is no integer from {first} up to, but without, {end}", "write the smaller one first"
        )
    return makers.make(shape, np.int64, lambda: makers.random.integers(first, end, shape))


def zeros(makers: Makers, *dims: Value, size: Value | None = None) -> Value:
    return full(makers, _size(dims, size), 0.0)


def ones(makers: Makers, *dims: Value, size: Value | None = None) -> Value:
    return full(makers, _size(dims, size), 1.0)


def full(makers: Makers, shape: Value | tuple[int, ...], value: Value) -> Value:
    dims = shape if isinstance(shape, tuple) else shape_of(shape)
    number = scalar(value, "value")
    dtype = np.int64 if isinstance(number, int) else np.float64
    return makers.make(dims, dtype, lambda: np.full(dims, number))


def arange(makers: Makers, start: Value, stop: Value | None = None, step: Value = 1) -> Value:
    first, end = (0, scalar(start, "stop")) if stop is None else (scalar(start, "start"), scalar(stop, "stop"))
    stride = scalar(step, "step")
    if not stride:
        raise NotationError("the step of an arange cannot be 0", "leave it out for a step of 1")
    count = math.ceil((end - first) / stride) if math.isfinite((end - first) / stride) else MAX_ELEMENTS + 1
    dtype = np.int64 if all(isinstance(number, int) for number in (first, end, stride)) else np.float64
    return makers.make((max(0, count),), dtype, lambda: first + stride * np.arange(max(0, count)))


def linspace(makers: Makers, start: Value, stop: Value, num: Value) -> Value:
    first, last, count = float(scalar(start, "start")), float(scalar(stop, "stop")), shape_of(whole(num, "num"))
    return makers.make(count, np.float64, lambda: np.linspace(first, last, count[0]))


def one_hot(makers: Makers, labels: Value, classes: Value) -> Value:
    rows, columns = np.asarray(labels), whole(classes, "classes")
    if rows.dtype != np.int64:
        raise NotationError("expected whole numbers as labels", "integers(0, 3, size=4) draws labels")

    def build() -> NDArray[Any]:
        if rows.size and (rows.min() < 0 or rows.max() >= columns):
            raise NotationError(f"labels must lie in 0 … {columns - 1}, got {rows.min()} … {rows.max()}",
                                "raise the number of classes")  # fmt: skip
        return np.asarray(rows[..., np.newaxis] == np.arange(columns))

    return makers.make((*rows.shape, *shape_of(columns)), np.float64, build)


def eye(makers: Makers, rows: Value, columns: Value | None = None) -> Value:
    shape = shape_of(whole(rows, "rows"), whole(rows if columns is None else columns, "columns"))
    return makers.make(shape, np.float64, lambda: np.eye(shape[0], shape[1]))


def he(makers: Makers, shape: tuple[int, ...]) -> Value:
    """Normal with variance 2 / fan_in (He, Zhang, Ren, Sun 2015, section 2.2)."""
    return normal(makers, *shape, scale=math.sqrt(2 / max(1, fans(shape)[0])))


def xavier(makers: Makers, shape: tuple[int, ...]) -> Value:
    """Normal with variance 2 / (fan_in + fan_out) (Glorot, Bengio 2010, section 4.2.1)."""
    return normal(makers, *shape, scale=math.sqrt(2 / max(1, sum(fans(shape)))))


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Inputs and outputs of one unit: a matrix is (in, out), a kernel (out, in, height, width), a vector (n,)."""
    if len(shape) <= 2:
        return (shape[0], shape[-1]) if shape else (1, 1)
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


FUNCTIONS: dict[str, Word] = {
    "normal": Word(normal, "normal(4, 3), or normal(size=(4, 3), loc=0, scale=1)"),
    "uniform": Word(uniform, "uniform(-1, 1, size=(4, 3))"),
    "integers": Word(integers, "integers(0, 10, size=64)"),
    "zeros": Word(zeros, "zeros(4, 3)"),
    "ones": Word(ones, "ones(4, 3)"),
    "full": Word(full, "full((4, 3), 0.5)"),
    "arange": Word(arange, "arange(6), or arange(start, stop, step)"),
    "linspace": Word(linspace, "linspace(-1, 1, 5)"),
    "one_hot": Word(one_hot, "one_hot([0, 2, 1], 3)"),
    "eye": Word(eye, "eye(3)"),
}

# What stands bare for a parameter and takes its shape. `uniform` is centred, as weights are.
BARE: dict[str, Callable[[Makers, tuple[int, ...]], Value]] = {
    "he": he,
    "xavier": xavier,
    "normal": lambda makers, shape: normal(makers, *shape),
    "uniform": lambda makers, shape: uniform(makers, -1, 1, *shape),
    "zeros": lambda makers, shape: zeros(makers, *shape),
    "ones": lambda makers, shape: ones(makers, *shape),
}


def _size(dims: tuple[Value, ...], size: Value | None) -> tuple[int, ...]:
    if dims and size is not None:
        raise NotationError("the size is given twice", "write it once, as size=(4, 3)")
    return shape_of(*dims) if size is None else shape_of(size)


def _shown(value: Any) -> str:
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else f"'{value}'"

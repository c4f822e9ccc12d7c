"""Problem: a point, a function of it, and the claims about its gradient – all that the engines and the verdict see.

Where the function and the claims come from (an expression, a network, handwritten code) only the builders know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gradcheck.record import dataclass, field

Array = NDArray[np.float64]
Point = Mapping[str, NDArray[Any]]
Source = Literal["backprop", "backward", "formula", "expected"]


class Function(Protocol):
    """What is differentiated: named arrays in, every differentiated output out, as one flat vector.

    Raises UserCodeError (handwritten code) or NonFiniteError; never changes the point.
    """

    def __call__(self, point: Point) -> Array: ...


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """Somebody's statement about gradients.

    source : who says it
    gradients : tensor name → array; a wrong shape, NaN or another dtype is kept as it came, the verdict judges it
    half_unit : tensor name → array; how much the written digits leave open (numbers of a case file only)
    digits : tensor name → int array, significant digits as written (numbers of a case file only)
    vjp : upstream gradient, flat → gradients; None where nothing takes an upstream gradient
    broken : why no gradient could be made of it (a layer hands on one of the wrong shape); every tensor fails then
    epsilon : machine epsilon of the float type that the gradients were computed in, as far as somebody said so; else 0
    """

    source: Source
    gradients: Mapping[str, NDArray[Any]]
    half_unit: Mapping[str, Array] = field(default_factory=dict)
    digits: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    vjp: Callable[[Array], Mapping[str, NDArray[Any]]] | None = None
    broken: str = ""
    epsilon: float = 0.0


class Switches(Protocol):
    """The places inside a function that stand exactly at a kink: known for our own graphs, not for black boxes."""

    @property
    def count(self) -> int: ...

    def outputs(self, point: Point) -> Array:
        """The values there, shape (count,)."""

    def moved(self, switch: int, distance: float) -> float:
        """The change of phi when one of the values there is moved by itself."""


class Traced(Protocol):
    """A function that is put together of ops: its graph, and the values of all vertices at the point."""

    @property
    def graph(self) -> Any: ...
    @property
    def values(self) -> Sequence[NDArray[Any]]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """One point of one case, ready to be checked.

    point : every named array that `function` reads; those in `wrt` are float64 (or the dtype that the code is given)
    wrt : the tensors whose gradient is in question, in report order
    upstream : float64, shape (m,): weights of the m outputs; phi = upstream · function(point)
    value : what the function returned at the point, shape (m,)
    epsilon : machine epsilon of the precision the function declares (float64 unless the case hands over less)
    switches : where the function stands at a kink; None where nobody knows
    traced : the ops that the function is made of; None for somebody's code
    batch : all arrays of K points, stacked, the point itself first → their outputs, shape (K, m); None where the
        function takes one point at a time
    output_shapes : of the outputs that `value` joins, in order; () where nobody says, which means one flat output
    """

    point: Mapping[str, NDArray[Any]]
    wrt: tuple[str, ...]
    function: Function
    upstream: Array
    value: Array
    claims: tuple[Claim, ...]
    epsilon: float = float(np.finfo(np.float64).eps)
    switches: Switches | None = None
    traced: Traced | None = None
    batch: Callable[[Point], Array] | None = None
    output_shapes: tuple[tuple[int, ...], ...] = ()

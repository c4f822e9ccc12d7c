"""What a kind of layer is, and the forms that its arguments may have.

The layers themselves stand in the modules beside this one, one family each; what is made of their formulas is said in
`plan` (the reading) and `network` (the graph).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from gradcheck.errors import ShapeError
from gradcheck.graph.scalars import is_number
from gradcheck.ops.registry import REQUIRED
from gradcheck.record import dataclass, field

Settings = Mapping[str, Any]
Shape = tuple[int, ...]
Array = NDArray[Any]

HE = "he"  # He et al. 2015, "Delving deep into rectifiers": normal with variance 2 / inputs
SMALL = "0.1*normal"  # never zeros: a bias of 0 hides a lost bias gradient's effect on the layers after it
NEAR_ONE = "1 + 0.1*normal"  # a gain of exactly 1 would hide that it was left out


@dataclass(frozen=True, slots=True)
class Parameter:
    """One array of a layer.

    default : its initialiser, a text in the notation of arrays
    penalised : whether l1 and l2 count it (weights, not biases)
    learnt : False for statistics that are given, not trained (running mean and variance): constants of the case, unless
        `wrt` names them
    """

    name: str
    shape: Shape
    default: str
    penalised: bool = False
    learnt: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """What an argument may be.

    expected : "expected {this} as 'stride', got 0"
    holds : whether a value is of the form
    final : the value as formulas want it
    """

    expected: str
    holds: Callable[[Any], bool]
    final: Callable[[Any], Any] = lambda value: value


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a layer, as it is written; one without a default must be given."""

    name: str
    form: Form
    default: Any = REQUIRED

    def __str__(self) -> str:
        return self.name if self.default is REQUIRED else f"{self.name}={self.default!r}"


@dataclass(frozen=True, slots=True)
class Formula:
    """A text over ops, and constants that it names beside the settings: plain numbers, or arrays."""

    text: str
    names: Mapping[str, Any] = field(default_factory=dict)


def _nothing(settings: Settings) -> tuple[Parameter, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class LayerKind:
    """A kind of layer.

    formula : (settings, value of the input x) → the layer's value as a text over x, the settings and the parameters.
        Raises ShapeError whose message goes on from the layer ("expects …")
    example : a layer as written, and an input that it takes, in the notation of arrays; the tests run it
    parameters : settings → its arrays. Raises ArgumentError for settings that do not go together
    parts : settings → layers that it stands for, (name, settings) each, inner tuples being residual blocks; the formula
        of such a layer is not used
    takes_whole : whether x holds whole numbers
    draws : whether the formula may use `uniform`, numbers from [0, 1) of x's shape that the case's seed fixes
    """

    name: str
    formula: Callable[[Settings, Array], str | Formula]
    meaning: str
    example: tuple[str, str]
    arguments: tuple[Argument, ...] = ()
    parameters: Callable[[Settings], tuple[Parameter, ...]] = _nothing
    parts: Callable[[Settings], tuple[Any, ...]] | None = None
    takes_whole: bool = False
    draws: bool = False

    @property
    def signature(self) -> str:
        """How it is written: "linear(inputs, outputs, bias=True)", or "relu" alone."""
        return f"{self.name}({', '.join(map(str, self.arguments))})" if self.arguments else self.name

    def complete(self, given: Settings) -> dict[str, Any]:
        """Arguments by name as the formula wants them, defaults filled in; required ones are given."""
        return {a.name: a.form.final(given.get(a.name, a.default)) for a in self.arguments}


class ArgumentError(ShapeError):
    """Settings that do not go together; the message goes on from "'groups' of 'conv2d'".

    argument : where to point
    """

    def __init__(self, argument: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.argument = argument


def is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


POSITIVE = Form("a positive whole number", lambda value: is_whole(value, 1))
WHOLE = Form("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))
TRUTH = Form("True or False", lambda value: isinstance(value, bool))
FRACTION = Form("a number of at least 0 and below 1", lambda value: is_number(value) and 0 <= value < 1)
NOT_NEGATIVE = Form("a number of at least 0", lambda value: is_number(value) and 0 <= value < math.inf)
LENGTHS = Form(
    "positive whole numbers",
    lambda value: (
        is_whole(value, 1) or (isinstance(value, tuple) and bool(value) and all(is_whole(n, 1) for n in value))
    ),
    lambda value: value if isinstance(value, tuple) else (value,),
)
ANY = Form("a number, a truth value or a text", lambda value: True)  # an op of that name says what it takes


def per_axis(axes: int, least: int = 1, optional: bool = False) -> Form:
    """One whole number for every axis, or one per axis; as formulas want it, always a tuple.

    optional : None may be written, and stays
    """
    what = "a positive whole number" if least else "a whole number of at least 0"

    def holds(value: Any) -> bool:
        listed = value if isinstance(value, tuple) else (value,) * axes
        return (optional and value is None) or (len(listed) == axes and all(is_whole(n, least) for n in listed))

    def final(value: Any) -> Any:
        return value if value is None or isinstance(value, tuple) else (value,) * axes

    return Form(f"{what} or ({', '.join('n' * axes)})" if axes > 1 else what, holds, final)


def one_of(*words: str) -> Form:
    listed = " or ".join(f"'{word}'" for word in words)
    return Form(listed, lambda value: isinstance(value, str) and value in words)


def gain_and_shift(shape: Shape) -> tuple[Parameter, ...]:
    """γ and β of a norm."""
    return Parameter("gamma", shape, NEAR_ONE), Parameter("beta", shape, SMALL)


def weight_and_bias(shape: Shape, outputs: int, bias: bool) -> tuple[Parameter, ...]:
    weight = Parameter("W", shape, HE, penalised=True)
    return (weight, Parameter("b", (outputs,), SMALL)) if bias else (weight,)


def by_last_axis(x: Array, width: int) -> None:
    """Raises ShapeError unless the last axis of x has that length."""
    if not x.ndim or x.shape[-1] != width:
        raise ShapeError(
            f"expects inputs of width {width}, got shape {x.shape}", "the last axis of a layer's input is its width"
        )


def by_axes(x: Array, *lengths: int | str) -> None:
    """Raises ShapeError unless x has these axes; letters stand for any length: (N, 3, H, W)."""
    wanted = f"({', '.join(map(str, lengths))})"
    if x.ndim != len(lengths):
        raise ShapeError(f"expects inputs of shape {wanted}, got {x.shape}", f"give x {len(lengths)} axes, {wanted}")
    if any(isinstance(n, int) and n != m for n, m in zip(lengths, x.shape, strict=True)):
        what = "axis 1 of its input holds the channels" if lengths[1] != "T" else "the last axis of a step is its width"
        raise ShapeError(f"expects inputs of shape {wanted}, got {x.shape}", what)

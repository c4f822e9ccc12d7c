"""The layers of a network, composed from ops as formulas in the notation of case files: they have no gradient rules.

A table of names, arguments, parameters and formulas; how a network is put together is said in `network`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradcheck.errors import ShapeError
from gradcheck.record import dataclass, field

Settings = Mapping[str, Any]
Shape = tuple[int, ...]

HE = "he"  # He et al. 2015, "Delving deep into rectifiers": normal with variance 2 / inputs
SMALL = "0.1*normal"  # never zeros: a bias of 0 hides a lost bias gradient's effect on the layers after it


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a layer.

    default : its initialiser, a text in the notation of arrays
    penalised : whether l1 and l2 count it (weights, not biases)
    """

    name: str
    shape: Shape
    default: str
    penalised: bool = False


@dataclass(frozen=True, slots=True)
class LayerKind:
    """A kind of layer.

    sizes : its arguments, positive whole numbers that must be given
    options : further arguments → default
    parameters : settings (sizes and options) → its parameters
    formula : (settings, shape of the input x) → the value as a text over x, the settings and the parameters; raises
        ShapeError whose message goes on from the layer ("expects …")
    """

    name: str
    formula: Callable[[Settings, Shape], str]
    meaning: str
    sizes: tuple[str, ...] = ()
    options: Settings = field(default_factory=dict)
    parameters: Callable[[Settings], tuple[Parameter, ...]] = lambda settings: ()

    @property
    def signature(self) -> str:
        """How it is written: "linear(inputs, outputs, bias=True)", or "relu" alone."""
        arguments = [*self.sizes, *(f"{name}={default!r}" for name, default in self.options.items())]
        return f"{self.name}({', '.join(arguments)})" if arguments else self.name


def _linear_parameters(settings: Settings) -> tuple[Parameter, ...]:
    inputs, outputs = settings["inputs"], settings["outputs"]
    weight = Parameter("W", (inputs, outputs), HE, penalised=True)
    return (weight, Parameter("b", (outputs,), SMALL)) if settings["bias"] else (weight,)


def _linear(settings: Settings, shape: Shape) -> str:
    if not shape or shape[-1] != settings["inputs"]:
        raise ShapeError(
            f"expects inputs of width {settings['inputs']}, got shape {shape}",
            "the last axis of a layer's input is its width",
        )
    return "x @ W + b" if settings["bias"] else "x @ W"


def _flatten(settings: Settings, shape: Shape) -> str:
    # A single example without a batch axis is flat already.
    return "reshape(x, (x.shape[0], -1))" if len(shape) > 1 and shape[0] else "reshape(x, x.shape)"


def _same(name: str, meaning: str) -> LayerKind:
    return LayerKind(name, lambda settings, shape: f"{name}(x)", meaning)


def _along_axis(name: str, meaning: str) -> LayerKind:
    return LayerKind(name, lambda settings, shape: f"{name}(x, axis=axis)", meaning, options={"axis": -1})


LAYERS: Mapping[str, LayerKind] = {
    kind.name: kind
    for kind in (
        LayerKind("linear", _linear, "x @ W + b; W has shape (inputs, outputs)", ("inputs", "outputs"),
                  {"bias": True}, _linear_parameters),
        LayerKind("flatten", _flatten, "all axes but the first become one"),
        _same("relu", "max(x, 0)"),
        _same("sigmoid", "1 / (1 + e⁻ˣ)"),
        _same("tanh", "tanh x"),
        _same("softplus", "log(1 + eˣ)"),
        _along_axis("softmax", "eˣ over the sum of eˣ"),
        _along_axis("log_softmax", "x minus the log of the sum of eˣ"),
    )
}  # fmt: skip

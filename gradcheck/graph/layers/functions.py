"""Convolutions and pools as functions of expressions: `conv2d(x, W, b, stride=2)`, `max_pool2d(x, 2)`.

The formulas are those of the layers; what a layer is told as an argument is read here from the shapes of W and b.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradcheck.errors import ShapeError
from gradcheck.graph.composed import Composed, Option
from gradcheck.graph.layers import LAYERS, ArgumentError
from gradcheck.graph.layers.convolution import check_channels
from gradcheck.graph.layers.kinds import Array, LayerKind


def options_of(kind: LayerKind, *left_out: str) -> dict[str, Option]:
    """The arguments of a layer as options of a function."""
    return {
        argument.name: Option(argument.default, argument.form.expected, argument.form.holds)
        for argument in kind.arguments
        if argument.name not in left_out
    }


def text_of(kind: LayerKind, given: Mapping[str, Any], x: Array) -> str:
    """The layer's formula. Raises ShapeError where its settings do not go together, or not with x."""
    settings = kind.complete(given)
    try:
        kind.parameters(settings)
    except ArgumentError as error:
        raise ShapeError(f"does not take this '{error.argument}': it {error.message}", error.hint) from None
    formula = kind.formula(settings, x)
    assert isinstance(formula, str)
    return formula


def convolution(kind: LayerKind) -> Composed:
    axes = int(kind.name[-2])
    is_adjoint = "transpose" in kind.name
    order = "inputs, outputs / groups" if is_adjoint else "outputs, inputs / groups"

    def formula(x: Array, W: Array, b: Array | None, **options: Any) -> str:
        groups = options["groups"]
        if W.ndim != axes + 2 or not W.size:
            what = f"a W of {axes + 2} axes, none of them empty"
            raise ShapeError(f"expected {what}, got shape {W.shape}", f"they are ({order}, and the kernel's size)")
        first, second = W.shape[0], W.shape[1] * groups
        inputs, outputs = (first, second) if is_adjoint else (second, first)
        check_channels(x, axes, inputs)
        if b is not None and b.shape != (outputs,):
            raise ShapeError(f"expected a b of shape {(outputs,)}, got {b.shape}", "it holds one number per channel")
        shapes = {"inputs": inputs, "outputs": outputs, "kernel": W.shape[2:], "bias": b is not None}
        return text_of(kind, {**options, **shapes}, x)

    picture = {1: "normal(2, 2, 6)", 2: "normal(1, 2, 4, 4)"}[axes]
    example = {"x": picture, "W": "normal(2, 2, 3)" if axes == 1 else "normal(2, 2, 3, 3)", "b": "normal(2)"}
    options = options_of(kind, "inputs", "outputs", "kernel", "bias")
    return Composed(kind.name, ("x", "W"), formula, kind.meaning, optional=("b",), options=options, example=example)


def pool(kind: LayerKind) -> Composed:
    def formula(x: Array, **options: Any) -> str:
        return text_of(kind, {**options, "count_include_pad": True}, x)

    options = options_of(kind, "count_include_pad")
    return Composed(kind.name, ("x",), formula, kind.meaning, options=options, example={"x": kind.example[1]})


def whole_pool(kind: LayerKind) -> Composed:
    return Composed(
        kind.name, ("x",), lambda x: text_of(kind, {}, x), kind.meaning, example={"x": kind.example[1]}
    )  # fmt: skip


FUNCTIONS: Mapping[str, Composed] = {
    function.name: function
    for function in (
        *(convolution(LAYERS[name]) for name in ("conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d")),
        *(pool(LAYERS[name]) for name in ("max_pool1d", "avg_pool1d", "max_pool2d", "avg_pool2d")),
        *(whole_pool(LAYERS[name]) for name in ("global_avg_pool", "global_max_pool")),
    )
}

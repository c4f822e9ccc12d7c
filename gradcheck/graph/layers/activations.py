"""Activations: every elementwise op of one argument is a layer by its name, with its options; softmax and prelu beside.

What they compute is said where the ops are defined; nothing is listed twice.
"""

from __future__ import annotations

import numpy as np

from gradcheck.errors import ShapeError
from gradcheck.graph.layers.kinds import (
    ANY,
    POSITIVE,
    WHOLE,
    Argument,
    Array,
    LayerKind,
    Parameter,
    Settings,
)
from gradcheck.ops.registry import Op, all_ops


def of_op(op: Op) -> LayerKind:
    """The layer that applies the op to x."""
    options = "".join(f", {name}={name}" for name in op.options)
    arguments = tuple(Argument(name, ANY, default) for name, default in op.options.items())
    written = ", ".join(f"{name}={value!r}" for name, value in op.samples[0].options.items())
    example = (f"{op.name}({written})" if written else op.name, f"{inputs_of(op)}size=(2, 3))")
    return LayerKind(op.name, lambda settings, x: f"{op.name}(x{options})", op.formula, example, arguments)


def inputs_of(op: Op) -> str:
    """The beginning of an array text: numbers from where the op is defined, as its samples show."""
    given = np.concatenate([s.arguments[0].ravel() for s in op.samples])
    low, high = given.min(), given.max()
    return "normal(" if low < -1 < 1 < high else f"uniform({low:.2g}, {high:.2g}, "


def prelu(settings: Settings, x: Array) -> str:
    channels = settings["channels"]
    if channels > 1 and (x.ndim < 2 or x.shape[1] != channels):
        message = f"expects inputs of {channels} channels along axis 1, got shape {x.shape}"
        raise ShapeError(message, "one slope for all is prelu alone")
    if channels == 1:
        return "prelu(x, alpha[0])"
    return f"prelu(x, reshape(alpha, {(channels, *(1,) * (x.ndim - 2))}))"


OF_OPS = tuple(
    of_op(op) for op in all_ops().values() if op.kind == "elementwise" and len(op.arguments) == 1 and not op.symbol
)

KINDS = (
    *OF_OPS,
    LayerKind(
        "softmax", lambda settings, x: "softmax(x, axis=axis)", "eˣ over the sum of eˣ",
        ("softmax", "normal(2, 3)"), (Argument("axis", WHOLE, -1),),
    ),
    LayerKind(
        "log_softmax", lambda settings, x: "log_softmax(x, axis=axis)", "x minus the log of the sum of eˣ",
        ("log_softmax", "normal(2, 3)"), (Argument("axis", WHOLE, -1),),
    ),
    # Slopes start around 1/4 (He et al. 2015, "Delving deep into rectifiers", section 2.1).
    LayerKind(
        "prelu", prelu, "x, or alpha · x below 0; alpha is learnt, one per channel (axis 1) or one for all",
        ("prelu(3)", "normal(2, 3, 2)"), (Argument("channels", POSITIVE, 1),),
        lambda s: (Parameter("alpha", (s["channels"],), "0.25 + 0.1*normal"),),
    ),
)  # fmt: skip

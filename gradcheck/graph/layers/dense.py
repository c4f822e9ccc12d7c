"""Layers that multiply by a matrix, or look up its rows: linear, highway, embedding; and flatten, that leads there."""

from __future__ import annotations

from math import prod

import numpy as np

from gradcheck.errors import ShapeError
from gradcheck.graph.layers.kinds import (
    HE,
    POSITIVE,
    TRUTH,
    Argument,
    Array,
    LayerKind,
    Parameter,
    Settings,
    by_last_axis,
    weight_and_bias,
)


def linear(settings: Settings, x: Array) -> str:
    by_last_axis(x, settings["inputs"])
    return "x @ W + b" if settings["bias"] else "x @ W"


def flatten(settings: Settings, x: Array) -> str:
    # A single example without a batch axis is flat already.
    return f"reshape(x, {(x.shape[0], prod(x.shape[1:]))})" if x.ndim > 1 else "reshape(x, x.shape)"


def highway(settings: Settings, x: Array) -> str:
    by_last_axis(x, settings["width"])
    return "gate = sigmoid(x @ Wt + bt)\ngate * relu(x @ W + b) + (1 - gate) * x"


def highway_parameters(settings: Settings) -> tuple[Parameter, ...]:
    width = settings["width"]
    gate = Parameter("Wt", (width, width), HE, penalised=True)
    # A negative bias lets the layer start by passing x on (Srivastava et al. 2015, "Highway networks", section 2.2).
    return *weight_and_bias((width, width), width, bias=True), gate, Parameter("bt", (width,), "-1 + 0.1*normal")


def embedding(settings: Settings, x: Array) -> str:
    """Rows of W; raises ShapeError where x holds anything but their numbers."""
    count = settings["count"]
    hint = f"write x: integers(0, {count}, size=(4, 3))"
    if not np.issubdtype(x.dtype, np.integer):
        raise ShapeError(f"expects whole numbers from 0 to {count - 1}, got {x.dtype} numbers of shape {x.shape}", hint)
    if x.size and not (x.min() >= 0 and x.max() < count):
        wrong = int(x.min() if x.min() < 0 else x.max())
        raise ShapeError(f"expects whole numbers from 0 to {count - 1}, got {wrong} in shape {x.shape}", hint)
    return "W[x]"


def embedding_parameters(settings: Settings) -> tuple[Parameter, ...]:
    # Not He: a row is picked, nothing is summed up.
    return (Parameter("W", (settings["count"], settings["width"]), "normal", penalised=True),)


KINDS = (
    LayerKind(
        "linear", linear, "x @ W + b; W has shape (inputs, outputs)", ("linear(4, 3)", "normal(5, 4)"),
        (Argument("inputs", POSITIVE), Argument("outputs", POSITIVE), Argument("bias", TRUTH, True)),
        lambda s: weight_and_bias((s["inputs"], s["outputs"]), s["outputs"], s["bias"]),
    ),
    LayerKind(
        "flatten", flatten, "all axes but the first become one", ("flatten", "normal(2, 3, 2)"),
    ),
    LayerKind(
        "highway", highway, "t · relu(x @ W + b) + (1 − t) · x with the gate t = sigmoid(x @ Wt + bt)",
        ("highway(3)", "normal(4, 3)"), (Argument("width", POSITIVE),), highway_parameters,
    ),
    LayerKind(
        "embedding", embedding, "row x of W, shape (count, width); x holds whole numbers",
        ("embedding(5, 3)", "integers(0, 5, size=(2, 4))"), (Argument("count", POSITIVE), Argument("width", POSITIVE)),
        embedding_parameters, takes_whole=True,
    ),
)  # fmt: skip

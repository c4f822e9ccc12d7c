"""Attention, and the transformer block that is made of it.

Vaswani et al. 2017, "Attention is all you need", section 3.2; the block normalises first (Xiong et al. 2020, "On layer
normalization in the transformer architecture"), as today's models do.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from gradcheck.errors import ShapeError
from gradcheck.graph.layers.kinds import (
    HE,
    POSITIVE,
    TRUTH,
    Argument,
    ArgumentError,
    Array,
    Formula,
    LayerKind,
    Parameter,
    Settings,
    by_axes,
)
from gradcheck.ops.broadcasting import limited

HIDDEN_SCORE = -1e30  # its exponential is exactly 0 beside any other score; unlike −∞ it can be moved and subtracted


def attention(settings: Settings, x: Array) -> Formula:
    """Softmax of scaled products between queries and keys, times the values; each head in its own columns."""
    width, heads = settings["width"], settings["heads"]
    by_axes(x, "N", "T", width)
    batch, steps = x.shape[:2]
    if not steps:
        raise ShapeError(f"has no step to attend to in shape {x.shape}", "give the sequence a step")
    limited((batch, heads, steps, steps))
    split = f"{(batch, steps, heads, width // heads)}"
    hidden = "scores = where(seen, scores, hidden)\n" if settings["causal"] else ""
    text = (
        f"q = transpose(reshape(x @ Wq, {split}), (0, 2, 1, 3))\n"
        f"k = transpose(reshape(x @ Wk, {split}), (0, 2, 3, 1))\n"
        f"v = transpose(reshape(x @ Wv, {split}), (0, 2, 1, 3))\n"
        f"scores = q @ k / scale\n{hidden}"
        f"heads = transpose(softmax(scores, axis=-1) @ v, (0, 2, 1, 3))\n"
        f"reshape(heads, {x.shape}) @ Wo"
    )
    names: dict[str, Any] = {"scale": sqrt(width // heads)}
    if settings["causal"]:
        names |= {"seen": np.tril(np.ones((steps, steps))), "hidden": HIDDEN_SCORE}
    return Formula(text, names)


def attention_parameters(settings: Settings) -> tuple[Parameter, ...]:
    check_heads(settings)
    width = settings["width"]
    return tuple(Parameter(name, (width, width), HE, penalised=True) for name in ("Wq", "Wk", "Wv", "Wo"))


def check_heads(settings: Settings) -> None:
    width, heads = settings["width"], settings["heads"]
    if width % heads:
        message = f"must divide the width, got {heads} for {width}"
        raise ArgumentError("heads", message, "every head has as many columns")


def transformer_block(settings: Settings) -> tuple[Any, ...]:
    """x + attention(norm x), then x + linear(gelu(linear(norm x)))."""
    check_heads(settings)
    width, hidden = settings["width"], settings["hidden"]
    norm = ("layer_norm", {"shape": (width,)})
    attend = ("attention", {name: settings[name] for name in ("width", "heads", "causal")})
    up, down = ({"inputs": a, "outputs": b} for a, b in ((width, hidden), (hidden, width)))
    return (norm, attend), (norm, ("linear", up), ("gelu", {}), ("linear", down))


WIDTH, CAUSAL = Argument("width", POSITIVE), Argument("causal", TRUTH, False)

KINDS = (
    LayerKind(
        "attention", attention, "softmax(q kᵀ / √d) v for each head, q = x Wq, k = x Wk, v = x Wv, then times Wo; "
        "causal: no step sees a later one", ("attention(4, heads=2)", "normal(2, 3, 4)"),
        (WIDTH, Argument("heads", POSITIVE, 1), CAUSAL), attention_parameters,
    ),
    LayerKind(
        "transformer_block", lambda settings, x: "x",
        "[layer_norm, attention], [layer_norm, linear, gelu, linear], both residual; numbered as those layers",
        ("transformer_block(4, 2, 3)", "normal(1, 3, 4)"),
        (WIDTH, Argument("heads", POSITIVE), Argument("hidden", POSITIVE), CAUSAL), parts=transformer_block,
    ),
)  # fmt: skip

"""The layers of a network, composed from ops as formulas in the notation of case files: they have no gradient rules.

One table of names, arguments, parameters and formulas, a family per module; how a network is put together is said in
`network`.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradcheck.graph.layers import (
    activations,
    attention,
    convolution,
    dense,
    normalisation,
    pooling,
    recurrent,
    regularisation,
)
from gradcheck.graph.layers.kinds import Argument, ArgumentError, Formula, LayerKind, Parameter

__all__ = ["INSTEAD", "LAYERS", "OTHER_NAMES", "Argument", "ArgumentError", "Formula", "LayerKind", "Parameter"]

LAYERS: Mapping[str, LayerKind] = {
    kind.name: kind
    for family in (dense, convolution, pooling, normalisation, regularisation, recurrent, attention, activations)
    for kind in family.KINDS
}

# What other libraries and papers call them.
OTHER_NAMES: Mapping[str, str] = {
    "dense": "linear", "fc": "linear", "fully_connected": "linear", "affine": "linear", "swish": "silu",
    "conv": "conv2d", "convolution": "conv2d", "deconv2d": "conv_transpose2d", "maxpool": "max_pool2d",
    "avgpool": "avg_pool2d", "average_pool2d": "avg_pool2d", "gap": "global_avg_pool", "simple_rnn": "rnn",
    "self_attention": "attention", "multi_head_attention": "attention",
    "batch_norm1d": "batch_norm", "batch_norm2d": "batch_norm", "dropout1d": "dropout", "dropout2d": "dropout",
    "adaptive_avg_pool2d": "global_avg_pool", "transformer_encoder_layer": "transformer_block",
}  # fmt: skip

# What is no layer here, and what to write in its place.
INSTEAD: Mapping[str, str] = {
    "relu6": "write clip(0, 6)",
    "identity": "a layer that does nothing is left out",
    "sequential": "layers are listed one below the other",
    "residual": "a list within the list is a residual block",
    "skip": "a list within the list is a residual block",
    "squeeze": "give the target that axis instead: normal(5, 1)",
    "unflatten": "shapes change by flatten and the layers that pool; give x the shape that the first layer wants",
    "reshape": "shapes change by flatten and the layers that pool; give x the shape that the first layer wants",
    "view": "shapes change by flatten and the layers that pool; give x the shape that the first layer wants",
}

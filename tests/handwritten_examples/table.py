"""The table of conventions: every row of DESIGN section 3 and of USERCODE section 1, and the examples that show it.

One row is one way to write the same kind of call. Code on tensors (torch, jax, engines of one's own) has a table of its
own, `tests/wrapped_examples`; which of its examples stand for which row is said here.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.handwritten_examples import course, gradients, losses, models, objects, operations, pairs, places, states
from tests.handwritten_examples.example import (
    LAYERS,
    OBJECT,
    XWB,
    B,
    Example,
    Raises,
    W,
    Wrong,
    X,
    case_of,
    opened,
    planted,
    run,
    text,
    worst_error,
)

__all__ = [
    "DESIGN", "EXAMPLES", "LAYERS", "OBJECT", "ON_TENSORS", "USERCODE", "XWB", "B", "Example", "Raises", "W", "Wrong",
    "X", "case_of", "opened", "planted", "run", "text", "worst_error",
]  # fmt: skip

FAMILIES = (pairs, course, losses, operations, objects, states, places, gradients, models)
EXAMPLES = tuple(example for family in FAMILIES for example in family.EXAMPLES)

# DESIGN section 3: the rows of its table, then what the text around it says of calls.
DESIGN = (
    "cache first", "lstm step", "option dict last", "loss and gradient", "f and df", "local derivative", "layer object",
    "output in an attribute", "whole model", "update only", "torch", "jax", "own tensors", "escape hatch",
    "pair", "bare name", "inputs again", "scale",
)  # fmt: skip

# USERCODE section 1, sentence by sentence.
USERCODE = (
    # CS231n layers
    "CS231n pair", "CS231n option dict", "mutated bn_param", "reseeding dropout_param", "NCHW", "dtype of the input",
    "two upstream gradients", "sequence, one upstream gradient", "positional G",
    # losses with their gradient
    "loss and gradient in one call", "loss with a mask", "first argument only",
    # whole nets
    "whole net", "scores where y is None", "dtype of a net", "features and captions",
    # layer objects: methods
    "forward and backward", "forward_pass and backward_pass", "fprop and bprop", "backprop with a rate",
    "compute and gradient",
    # layer objects: where the output, the input gradient and the parameters are
    "output returned", "layer keeps its output", "input gradient returned", "layer keeps its input gradient",
    "parameters in attributes", "parameters in a dict", "parameters in a list", "parameters from methods",
    "parameters with .grad",
    # layer objects: where the gradients of parameters are
    "gradients in attributes", "gradients in a dict", "gradients in a list", "gradients from methods",
    "gradients in a second value", "gradients as an update", "gradients as an optimizer's update",
    # layer objects: state
    "lazy parameters", "train flag", "state per forward",
    "loss layer that ignores dout", "loss layer, backward()", "backward is the local derivative",
    # pairs of a function and its derivative
    "f and df, prediction first", "f and df, target first", "derivative of the input", "derivative of the output",
    # whole models
    "model parameters in attributes", "model parameters in a dict", "model parameters in globals",
    "model parameters in one vector", "gradient keys W1", "gradient keys dW1",
    # tensors
    "tensor engine", "tensor engine that accumulates", "tensor engine in float32", "torch Function",
    "torch Function with None", "pair on torch tensors", "jax custom_vjp", "jax nondiff_argnums",
    "ctx Function on numpy",
)  # fmt: skip

# Rows that are shown in `tests/wrapped_examples`, by the names of the examples there.
ON_TENSORS: Mapping[str, tuple[str, ...]] = {
    "torch": ("torch Function", "torch module", "plain torch function"),
    "jax": ("jax custom_vjp", "jax custom_jvp", "plain jax function"),
    "own tensors": ("tensors of one's own", "single numbers of one's own"),
    "tensor engine": ("tensors of one's own", "a scalar loss of one's own"),
    "tensor engine that accumulates": ("tensors of one's own", "single numbers of one's own"),
    "torch Function": ("torch Function", "torch Function with two outputs"),
    "torch Function with None": ("torch Function", "bare torch Function"),
    "pair on torch tensors": ("function pair on torch tensors",),
    "jax custom_vjp": ("jax custom_vjp", "jax, cache first"),
    "jax nondiff_argnums": ("jax custom_vjp with an argument that is not differentiated",),
}

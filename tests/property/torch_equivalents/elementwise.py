"""Elementwise ops in torch."""

from __future__ import annotations

import torch
from torch.nn import functional


def clip(x, low, high):
    """An open side is none at all to torch."""
    return torch.clamp(x, low if low > -torch.inf else None, high if high < torch.inf else None)


def prelu(x, slope):
    """torch has one slope per channel, or one for all: every element as a channel of its own."""
    x, slope = torch.broadcast_tensors(x, slope)
    return functional.prelu(x.reshape(1, -1), slope.reshape(-1)).reshape(x.shape) if x.numel() else x + slope


EQUIVALENTS = {
    "add": torch.add,
    "subtract": torch.subtract,
    "multiply": torch.multiply,
    "divide": torch.divide,
    "negative": torch.negative,
    "reciprocal": torch.reciprocal,
    "power": torch.pow,
    "square": torch.square,
    "sqrt": torch.sqrt,
    "cbrt": lambda x: torch.sign(x) * torch.pow(torch.abs(x), 1.0 / 3.0),
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log2": torch.log2,
    "log10": torch.log10,
    "log1p": torch.log1p,
    "logaddexp": torch.logaddexp,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "arcsin": torch.arcsin,
    "arccos": torch.arccos,
    "arctan": torch.arctan,
    "arctan2": torch.arctan2,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "arcsinh": torch.arcsinh,
    "arccosh": torch.arccosh,
    "arctanh": torch.arctanh,
    "erf": torch.erf,
    "sigmoid": torch.sigmoid,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "softsign": functional.softsign,
    "silu": functional.silu,
    "gelu": functional.gelu,
    "mish": functional.mish,
    "relu": torch.relu,
    "leaky_relu": functional.leaky_relu,
    "prelu": prelu,
    "elu": functional.elu,
    "selu": functional.selu,
    "hardtanh": lambda x, low, high: functional.hardtanh(x, low, high),
    "hard_sigmoid": lambda x: (
        functional.relu6(x + 3.0) / 6.0
    ),  # the gradient of functional.hardsigmoid has a float32 sixth
    "hard_swish": functional.hardswish,
    "clip": clip,
    "sign": torch.sign,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
    "abs": torch.abs,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "where": lambda condition, a, b: torch.where(condition != 0, a, b),
    "less": lambda a, b: torch.less(a, b).double(),
    "less_equal": lambda a, b: torch.less_equal(a, b).double(),
    "greater": lambda a, b: torch.greater(a, b).double(),
    "greater_equal": lambda a, b: torch.greater_equal(a, b).double(),
    "equal": lambda a, b: torch.eq(a, b).double(),
    "not_equal": lambda a, b: torch.not_equal(a, b).double(),
}

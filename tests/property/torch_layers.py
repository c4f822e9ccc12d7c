"""What every layer of the table is in torch: (x, parameters by their names without a number, settings) → its value.

Settings are those that formulas see: numbers per axis. Importing this module needs torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812 – its usual name

from gradcheck.graph.layers.activations import OF_OPS
from tests.property.torch_equivalents import collected

Tensors = dict[str, Any]
Settings = dict[str, Any]


def convolution(function: Callable[..., Any]) -> Callable[..., Any]:
    named = ("stride", "padding", "dilation", "groups", "output_padding")
    return lambda x, P, S: function(x, P["W"], P.get("b"), **{name: S[name] for name in named if name in S})


def max_pool(axes: int) -> Callable[..., Any]:
    function = {1: F.max_pool1d, 2: F.max_pool2d}[axes]
    return lambda x, P, S: function(x, S["size"], S["stride"], S["padding"])


def avg_pool(axes: int) -> Callable[..., Any]:
    function = {1: F.avg_pool1d, 2: F.avg_pool2d}[axes]
    return lambda x, P, S: function(x, S["size"], S["stride"], S["padding"], count_include_pad=S["count_include_pad"])


def batch_norm(x: Any, P: Tensors, S: Settings) -> Any:
    return F.batch_norm(x, P.get("mean"), P.get("variance"), P["gamma"], P["beta"], S["training"], eps=S["eps"])


def recurrent(make: Callable[..., Any]) -> Callable[..., Any]:
    """torch keeps weights as (gates · hidden, inputs) and has two biases: the one of ours, and a zero."""

    def value(x: Any, P: Tensors, S: Settings) -> Any:
        module = make(S["inputs"], S["hidden"], batch_first=True).double()
        weights = {
            "weight_ih_l0": P["Wx"].T, "weight_hh_l0": P["Wh"].T, "bias_ih_l0": P["b"],
            "bias_hh_l0": torch.zeros_like(P["b"]),
        }  # fmt: skip
        states, _ = torch.func.functional_call(module, weights, (x,))
        return states if S["return_sequences"] else states[:, -1]

    return value


def attention(x: Any, P: Tensors, S: Settings) -> Any:
    def heads(weight: Any) -> Any:
        return (x @ weight).unflatten(-1, (S["heads"], -1)).transpose(1, 2)

    mixed = F.scaled_dot_product_attention(*(heads(P[n]) for n in ("Wq", "Wk", "Wv")), is_causal=S["causal"])
    return mixed.transpose(1, 2).flatten(2) @ P["Wo"]


def highway(x: Any, P: Tensors, S: Settings) -> Any:
    gate = torch.sigmoid(x @ P["Wt"] + P["bt"])
    return gate * torch.relu(x @ P["W"] + P["b"]) + (1 - gate) * x


def upsample(x: Any, P: Tensors, S: Settings) -> Any:
    options = {"align_corners": False} if S["mode"] == "bilinear" else {}
    return F.interpolate(x, scale_factor=tuple(map(float, S["factor"])), mode=S["mode"], **options)


def activation(name: str, equivalent: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, P, S: equivalent(x, **S)


LAYERS: dict[str, Callable[..., Any]] = {
    "linear": lambda x, P, S: F.linear(x, P["W"].T, P.get("b")),
    "flatten": lambda x, P, S: torch.flatten(x, 1) if x.ndim > 1 else x,
    "highway": highway,
    "embedding": lambda x, P, S: F.embedding(x, P["W"]),
    "conv1d": convolution(F.conv1d),
    "conv2d": convolution(F.conv2d),
    "conv_transpose1d": convolution(F.conv_transpose1d),
    "conv_transpose2d": convolution(F.conv_transpose2d),
    "max_pool1d": max_pool(1),
    "max_pool2d": max_pool(2),
    "avg_pool1d": avg_pool(1),
    "avg_pool2d": avg_pool(2),
    "global_avg_pool": lambda x, P, S: x.mean(tuple(range(2, x.ndim))),
    "global_max_pool": lambda x, P, S: x.amax(tuple(range(2, x.ndim))),
    "upsample": upsample,
    "layer_norm": lambda x, P, S: F.layer_norm(x, S["shape"], P["gamma"], P["beta"], S["eps"]),
    "rms_norm": lambda x, P, S: F.rms_norm(x, (S["width"],), P["gamma"], S["eps"]),
    "batch_norm": batch_norm,
    "group_norm": lambda x, P, S: F.group_norm(x, S["groups"], P["gamma"], P["beta"], S["eps"]),
    "instance_norm": lambda x, P, S: F.instance_norm(x, weight=P["gamma"], bias=P["beta"], eps=S["eps"]),
    "rnn": recurrent(torch.nn.RNN),
    "lstm": recurrent(torch.nn.LSTM),
    "gru": recurrent(torch.nn.GRU),
    "attention": attention,
    "softmax": lambda x, P, S: torch.softmax(x, S["axis"]),
    "log_softmax": lambda x, P, S: torch.log_softmax(x, S["axis"]),
    "prelu": lambda x, P, S: F.prelu(x, P["alpha"]),
    **{kind.name: activation(kind.name, collected()[0][kind.name]) for kind in OF_OPS if kind.name in collected()[0]},
}

ABSENT = {
    "dropout": "torch draws masks of its own",
    "transformer_block": "it stands for layers that are compared one by one",
    **{kind.name: "the op has no equivalent" for kind in OF_OPS if kind.name in collected()[1]},
}

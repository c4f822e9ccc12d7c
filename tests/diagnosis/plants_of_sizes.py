"""Planted mistakes of size and arrangement: constants, signs, penalties, transposes, sums, the upstream gradient."""

from __future__ import annotations

import numpy as np

from tests.diagnosis.layers import attention_vjp, dnormal, normal, sigmoid, softmax
from tests.diagnosis.planting import Plant, penalty, scaled

SIZES: list[Plant] = [
    # a constant factor
    Plant("two lost", "square", "factor", scaled("x", 0.5)),
    Plant("two too much", "sum of squares", "factor", scaled("x", 2)),
    Plant("half of w", "affine", "factor", scaled("w", 0.5)),
    Plant("divided by the batch", "affine", "factor", scaled("w", 1 / 5)),
    Plant("bias averaged", "affine", "factor", scaled("b", 1 / 5)),
    Plant("batch forgotten", "cross-entropy", "factor", scaled("scores", 5)),
    Plant("divided by the classes", "cross-entropy", "factor", scaled("scores", 1 / 4)),
    Plant(
        "mean over rows only",
        "mean squared error",
        "factor",
        lambda g, p, r: {"pred": r["pred"] * 3, "target": r["target"] * 3},
    ),
    Plant(
        "two of the square lost",
        "mean squared error",
        "factor",
        lambda g, p, r: {"pred": r["pred"] / 2, "target": r["target"] / 2},
    ),
    Plant("batch times time", "rnn", "factor", scaled("b", 1 / 12)),
    Plant("time", "rnn", "factor", scaled("Wx", 1 / 4)),
    Plant(
        "root of d lost",
        "attention",
        "factor",
        lambda g, p, r: {k: v for k, v in attention_vjp(g, p, scale=1).items() if k != "v"},
    ),
    Plant("window forgotten", "average-pool", "factor", scaled("x", 3)),
    Plant("mean for sum", "layer norm", "factor", scaled("gamma", 1 / 4)),
    Plant("twice", "two-layer net", "factor", lambda g, p, r: {n: 2 * r[n] for n in ("x", "W1", "b1", "W2", "b2")}),
    # a sign
    Plant("target like pred", "mean squared error", "sign", scaled("target", -1)),
    Plant("uphill", "logistic", "sign", lambda g, p, r: {n: -r[n] for n in r}),
    Plant("minus the key", "attention", "sign", scaled("k", -1)),
    Plant("minus beta", "batch norm", "sign", scaled("beta", -1)),
    Plant("minus a", "outer product", "sign", scaled("a", -1)),
    # a penalty
    Plant("penalty lost", "ridge", "penalty", penalty("W", -2)),
    Plant("half a penalty", "ridge", "penalty", penalty("W", -1)),
    Plant("penalty doubled", "ridge", "penalty", penalty("W", 2)),
    Plant("penalty on b", "ridge", "penalty", penalty("b", 2)),
    Plant("penalty lost, logistic", "logistic", "penalty", penalty("W", -1)),
    Plant("penalty doubled, logistic", "logistic", "penalty", penalty("W", 1)),
    Plant("penalty of another sign", "logistic", "penalty", penalty("W", -2)),
    Plant("penalty over N", "ridge", "penalty", penalty("W", -2 + 2 / 7)),
    # transposed, axes
    Plant("dx by w", "square affine", "transposed", lambda g, p, r: {"x": g @ p.w}),
    Plant("dw transposed", "square affine", "transposed", lambda g, p, r: {"w": r["w"].T}),
    Plant("dWh transposed", "rnn", "transposed", lambda g, p, r: {"Wh": r["Wh"].T}),
    Plant("dW transposed", "bilinear", "transposed", lambda g, p, r: {"W": r["W"].T}),
    Plant("dx by W", "bilinear", "transposed", lambda g, p, r: {"x": g[:, None] * (p.y @ p.W)}),
    Plant(
        "dx of the block by W",
        "residual block",
        "transposed",
        lambda g, p, r: {"x": g + (g * (1 - np.tanh(p.x @ p.W) ** 2)) @ p.W},
    ),
    Plant("images swapped", "max-pool", "axes", lambda g, p, r: {"x": r["x"].swapaxes(0, 1)}),
    Plant("channels swapped", "convolution", "axes", lambda g, p, r: {"x": r["x"].swapaxes(0, 1)}),
    Plant("rows in column order", "two-layer net", "axes transposed", lambda g, p, r: {"W1": r["W1"].T.reshape(3, 4)}),
    # sums
    Plant("one row of b", "affine", "sum", lambda g, p, r: {"b": g[0]}),
    Plant("one row of beta", "batch norm", "sum", lambda g, p, r: {"beta": g[-1]}),
    Plant("rows of b", "affine", "sum", lambda g, p, r: {"b": g}),
    Plant("rows of gamma", "layer norm", "sum", lambda g, p, r: {"gamma": g * normal(p.x, 1)}),
    Plant("one image of s", "shared scale", "sum", lambda g, p, r: {"s": (g * p.x)[0].sum(1, keepdims=True)}),
    Plant("first sample of w", "affine", "sum", lambda g, p, r: {"w": np.outer(p.x[0], g[0])}),
    Plant("s over images", "shared scale", "axis sum", lambda g, p, r: {"s": (g * p.x).sum((1, 2))[:3, None]}),
    Plant("beta over features", "square norm", "axis", lambda g, p, r: {"beta": g.sum(1)}),
    Plant("gamma over features", "square norm", "axis", lambda g, p, r: {"gamma": (g * normal(p.x, 1)).sum(1)}),
    Plant("a over rows", "outer product", "axis variable", lambda g, p, r: {"a": p.b @ g}),
    Plant("norm over the batch", "square norm", "axis", lambda g, p, r: {"x": dnormal(g * p.gamma, p.x, 0)}),
    Plant(
        "softmax over columns",
        "softmax",
        "axis",
        lambda g, p, r: {"x": softmax(p.x) * (g - (g * softmax(p.x)).sum(0, keepdims=True))},
    ),
    # the upstream gradient
    Plant("local tanh", "tanh", "upstream", lambda g, p, r: {"x": 1 - np.tanh(p.x) ** 2}),
    Plant("local sigmoid", "sigmoid", "upstream", lambda g, p, r: {"x": sigmoid(p.x) * (1 - sigmoid(p.x))}),
    Plant("local relu", "relu", "upstream", lambda g, p, r: {"x": (p.x > 0) * 1.0}),
    Plant("w for ones", "affine", "upstream", lambda g, p, r: {"w": p.x.T @ np.ones_like(g)}),
    Plant("beta for ones", "layer norm", "upstream", lambda g, p, r: {"beta": np.full(6, 4.0)}),
    Plant("all for ones", "convolution", "upstream", lambda g, p, r: {"b": np.full(3, 14.0)}),
]

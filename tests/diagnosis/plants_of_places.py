"""Planted mistakes inside: derivatives, paths, overwritten terms, borders, masks, digits, ties, single classes."""

from __future__ import annotations

import numpy as np

from tests.diagnosis.layers import MASK, attention_vjp, dnormal, fold, mlp_vjp, rnn_vjp, sigmoid, softmax
from tests.diagnosis.planting import (
    BRAIN,
    SINGLE,
    Plant,
    diagonal,
    folded_last,
    keep_last,
    length,
    local,
    patched,
    pool_last,
    set_at,
    small,
    through_max,
    ties,
)

PLACES: list[Plant] = [
    # an activation's derivative
    Plant("tanh for its derivative", "tanh", "activation", local(np.tanh)),
    Plant("one minus tanh", "tanh", "activation", local(lambda x: 1 - np.tanh(x))),
    Plant("at the input", "tanh", "activation", local(lambda x: 1 - x**2)),
    Plant("tanh twice", "tanh", "activation", local(lambda x: 1 - np.tanh(np.tanh(x)) ** 2)),
    Plant("sigmoid twice", "sigmoid", "activation", local(lambda x: sigmoid(sigmoid(x)) * (1 - sigmoid(sigmoid(x))))),
    Plant("s for s(1-s)", "sigmoid", "activation", local(sigmoid)),
    Plant("x(1-x)", "sigmoid", "activation", local(lambda x: x * (1 - x))),
    Plant("one minus s", "softplus", "activation", local(lambda x: sigmoid(x) * (1 - sigmoid(x)))),
    Plant("no derivative", "sigmoid", "activation", local(np.ones_like)),
    Plant("no relu", "relu", "activation", local(np.ones_like)),
    Plant("silu like sigmoid", "silu", "activation", local(lambda x: sigmoid(x) * (1 - sigmoid(x)))),
    Plant("silu like s", "silu", "activation", local(sigmoid)),
    Plant("gelu by its gate", "gelu", "activation", local(lambda x: 0.5 * (1 + np.tanh(0.8 * (x + 0.045 * x**3))))),
    Plant(
        "net without tanh'",
        "two-layer net",
        "activation",
        lambda g, p, r: {k: v for k, v in mlp_vjp(g, p, lambda z, h: 1.0).items() if k in ("x", "W1", "b1")},
    ),
    Plant(
        "tanh' at z",
        "two-layer net",
        "activation",
        lambda g, p, r: {k: v for k, v in mlp_vjp(g, p, lambda z, h: 1 - z**2).items() if k in ("x", "W1", "b1")},
    ),
    Plant(
        "tanh for tanh'",
        "two-layer net",
        "activation",
        lambda g, p, r: {k: v for k, v in mlp_vjp(g, p, lambda z, h: h).items() if k in ("x", "W1", "b1")},
    ),
    Plant(
        "sigmoid' for tanh'",
        "two-layer net",
        "activation",
        lambda g, p, r: {k: v for k, v in mlp_vjp(g, p, lambda z, h: h * (1 - h)).items() if k in ("x", "W1", "b1")},
    ),
    # assigned instead of accumulated
    Plant("last id wins", "embedding", "accumulation", keep_last),
    Plant("last window wins", "max-pool", "accumulation", pool_last(1)),
    Plant("last patch wins", "convolution", "accumulation", folded_last),
    Plant("last step of Wx", "rnn", "accumulation", lambda g, p, r: {"Wx": rnn_vjp(g, p, assign=True)["Wx"]}),
    Plant("last step of b", "rnn", "accumulation", lambda g, p, r: {"b": rnn_vjp(g, p, assign=True)["b"]}),
    Plant("one prefix", "running sum", "accumulation", lambda g, p, r: {"x": g}),
    # a path
    Plant(
        "no mean",
        "batch norm",
        "path",
        lambda g, p, r: {"x": r["x"] + (g * p.gamma).mean(0) / np.sqrt(p.x.var(0) + 1e-5)},
    ),
    Plant(
        "no variance",
        "batch norm",
        "path",
        lambda g, p, r: {"x": (g * p.gamma - (g * p.gamma).mean(0)) / np.sqrt(p.x.var(0) + 1e-5)},
    ),
    Plant(
        "no mean, layer norm",
        "layer norm",
        "path",
        lambda g, p, r: {"x": r["x"] + ((g * p.gamma).mean(1) / np.sqrt(p.x.var(1) + 1e-5))[:, None]},
    ),
    Plant(
        "no variance, layer norm",
        "layer norm",
        "path",
        lambda g, p, r: {
            "x": (g * p.gamma - (g * p.gamma).mean(1, keepdims=True)) / np.sqrt(p.x.var(1, keepdims=True) + 1e-5)
        },
    ),
    Plant(
        "constants for statistics",
        "batch norm",
        "path",
        lambda g, p, r: {"x": g * p.gamma / np.sqrt(p.x.var(0) + 1e-5)},
    ),
    Plant("no shortcut", "residual block", "path", lambda g, p, r: {"x": r["x"] - g}),
    Plant("only the shortcut", "residual block", "path", lambda g, p, r: {"x": 1.0 * g}),
    Plant("no state", "rnn", "path last_step", lambda g, p, r: rnn_vjp(g, p, carry=False)),
    Plant("no state, of x", "rnn", "path last_step", lambda g, p, r: {"x": rnn_vjp(g, p, carry=False)["x"]}),
    # the Jacobian of softmax
    Plant("s(1-s)", "softmax", "softmax", lambda g, p, r: {"x": diagonal(softmax(p.x), g)}),
    Plant("s alone", "softmax", "softmax", lambda g, p, r: {"x": softmax(p.x) * g}),
    Plant("log of the diagonal", "log softmax", "softmax", lambda g, p, r: {"x": (1 - softmax(p.x)) * g}),
    Plant(
        "attention by the diagonal",
        "attention",
        "softmax",
        lambda g, p, r: {k: v for k, v in attention_vjp(g, p, diagonal).items() if k != "v"},
    ),
    # gradients of two tensors
    Plant("x and y", "bilinear", "swapped_gradients", lambda g, p, r: {"x": r["y"], "y": r["x"]}),
    Plant(
        "gamma and beta", "layer norm", "swapped_gradients", lambda g, p, r: {"gamma": r["beta"], "beta": r["gamma"]}
    ),
    Plant("a and b", "outer product", "swapped_gradients", lambda g, p, r: {"a": r["b"], "b": r["a"]}),
    Plant("k and v", "attention", "swapped_gradients", lambda g, p, r: {"k": r["v"], "v": r["k"]}),
    Plant("beta for gamma", "batch norm", "swapped_gradients", lambda g, p, r: {"gamma": r["beta"]}),
    # shifts
    Plant("one place on", "strided convolution", "shift", lambda g, p, r: {"x": np.roll(r["x"], 1, -1)}),
    Plant(
        "padding not taken off",
        "padded convolution",
        "shift",
        lambda g, p, r: {"x": np.concatenate([0 * r["x"][..., :1], r["x"][..., :-1]], -1)},
    ),
    Plant(
        "one place back",
        "average-pool",
        "shift",
        lambda g, p, r: {"x": np.concatenate([r["x"][..., 1:], 0 * r["x"][..., :1]], -1)},
    ),
    Plant("ids one up", "embedding", "shift", lambda g, p, r: {"W": np.roll(r["W"], 1, 0)}),
    Plant("kernel turned round", "convolution", "flipped", lambda g, p, r: {"w": r["w"][..., ::-1]}),
    Plant("sum from the left", "running sum", "flipped axis", lambda g, p, r: {"x": np.cumsum(g, 1)}),
    Plant(
        "stride forgotten",
        "strided convolution",
        "shift",
        lambda g, p, r: {"x": fold(np.einsum("nfl,fck->nclk", g, p.w), 9, 1)},
    ),
    Plant(
        "border left out",
        "padded convolution",
        "border",
        patched("x", lambda a, p: np.pad(a[..., 1:-1], ((0, 0), (0, 0), (1, 1)))),
    ),
    Plant("first place left out", "convolution", "border", patched("x", set_at((Ellipsis, 0), 0.0))),
    Plant(
        "last place doubled",
        "average-pool",
        "border",
        lambda g, p, r: {"x": r["x"] * np.where(np.arange(9) == 8, 2, 1)},
    ),
    # clipped
    Plant("clipped at one", "affine", "clipped", lambda g, p, r: {"w": np.clip(r["w"], -1, 1)}),
    Plant("clipped at a half", "convolution", "clipped", lambda g, p, r: {"w": np.clip(r["w"], -0.5, 0.5)}),
    Plant(
        "clipped at a tenth", "cross-entropy", "clipped", lambda g, p, r: {"scores": np.clip(r["scores"], -0.1, 0.1)}
    ),
    Plant(
        "norm clipped",
        "rnn",
        "clipped",
        lambda g, p, r: {n: r[n] * 0.83 / max(length(r), 1e-300) for n in r},
    ),
    # dropout
    Plant("no mask", "dropout", "dropout", lambda g, p, r: {"x": g}),
    Plant("mask without its scale", "dropout", "dropout factor", lambda g, p, r: {"x": g * (p.mask > 0)}),
    Plant("scale without its mask", "dropout", "dropout", lambda g, p, r: {"x": g / 0.6}),
    Plant("another mask", "dropout", "dropout", lambda g, p, r: {"x": g * MASK[::-1]}),
    # eps
    Plant("no eps", "batch norm", "eps", lambda g, p, r: {"x": dnormal(g * p.gamma, p.x, 0, 0.0)}, small("x", 0.01)),
    Plant(
        "no eps, layer norm",
        "layer norm",
        "eps",
        lambda g, p, r: {"x": dnormal(g * p.gamma, p.x, 1, 0.0)},
        small("x", 0.02),
    ),
    Plant(
        "eps twice", "batch norm", "eps", lambda g, p, r: {"x": dnormal(g * p.gamma, p.x, 0, 2e-5)}, small("x", 0.02)
    ),
    # rounding
    Plant(
        "float32 and a large number", "affine", "precision", lambda g, p, r: {"w": SINGLE(r["w"], p).astype(np.float64)}
    ),
    Plant("bfloat16", "attention", "precision", lambda g, p, r: {"q": BRAIN(r["q"], p).astype(np.float64)}),
    Plant(
        "half precision",
        "two-layer net",
        "precision",
        patched("W1", lambda a, p: a.astype(np.float16).astype(np.float64)),
    ),
    Plant("four digits", "affine", "digits", patched("w", lambda a, p: np.trunc(a * 1e4) / 1e4)),
    Plant("three digits", "ridge", "digits", patched("W", lambda a, p: np.trunc(a * 1e3) / 1e3)),
    Plant("two digits", "logistic", "digits", patched("W", lambda a, p: np.round(a, 2))),
    # some elements only
    Plant("every winner paid", "maximum of a row", "ties", through_max, ties),
    Plant(
        "both of a tie", "max-pool apart", "ties", lambda g, p, r: r, lambda a: {**a, "x": np.round(a["x"] * 1.5) / 1.5}
    ),
    Plant("slope one below zero", "leaky relu", "negative", local(np.ones_like)),
    Plant("zero below zero", "elu", "negative", local(lambda x: (x > 0) * 1.0)),
    Plant("zero below zero, leaky", "leaky relu", "negative", local(lambda x: (x > 0) * 1.0)),
    Plant("elu without its exp", "elu", "negative", local(lambda x: np.where(x > 0, 1, np.expm1(x)))),
    Plant("gelu cut at zero", "silu", "negative", lambda g, p, r: {"x": np.where(p.x > 0, r["x"], 0.0)}),
    Plant(
        "class two", "cross-entropy", "one_class", lambda g, p, r: {"scores": r["scores"] + 0.1 * (p.y == 2)[:, None]}
    ),
    Plant(
        "column of a class",
        "cross-entropy",
        "one_class",
        lambda g, p, r: {"scores": r["scores"] * np.where(np.arange(4) == 1, 3.3, 1)},
    ),
    Plant("right class left out", "cross-entropy", "one_class", lambda g, p, r: {"scores": softmax(p.scores) / 5}),
    Plant("last step left out", "rnn", "last_step", lambda g, p, r: {"x": r["x"] * (np.arange(4) < 3)[:, None]}),
    Plant("only the last step", "rnn", "last_step path", lambda g, p, r: {"x": rnn_vjp(g, p, last_only=True)["x"]}),
    # calls and caches
    Plant("a second call adds", "affine", "factor stale", lambda g, p, r: {"w": 2 * r["w"], "b": 2 * r["b"]}),
    Plant("zeros", "attention", "zero", lambda g, p, r: {"v": 0 * r["v"]}),
    Plant("zeros of a parameter", "two-layer net", "zero", lambda g, p, r: {"b1": 0 * r["b1"]}),
]

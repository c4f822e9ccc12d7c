"""Functions and layers with right gradients, for mistakes to be planted in: no source is given to the diagnosis.

A layer is a forward of named arrays and its vjp, upstream gradient → gradients, both plain numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Layer:
    """shapes : of the float inputs; constants : of the whole numbers and all else that is not differentiated"""

    shapes: Mapping[str, tuple[int, ...]]
    forward: Callable[[Any], Any]
    vjp: Callable[[Any, Any], dict[str, Any]]
    constants: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def point(self, seed: int = 0) -> dict[str, Any]:
        generator = np.random.default_rng(seed + 1)
        return {**{name: generator.normal(size=shape) for name, shape in self.shapes.items()}, **self.constants}


class P:
    """Arrays as attributes, so that formulas read like formulas."""

    def __init__(self, arrays: Arrays) -> None:
        self.__dict__.update(arrays)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def elementwise(f, df):
    return Layer({"x": (4, 5)}, lambda p: f(p.x), lambda g, p: {"x": g * df(p.x)})


def gelu(x):
    return 0.5 * x * (1 + np.tanh(0.8 * (x + 0.045 * x**3)))


def dgelu(x):
    t = np.tanh(0.8 * (x + 0.045 * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * 0.8 * (1 + 0.135 * x**2)


def normal(x, axis, eps=1e-5):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + eps)


def dnormal(g, x, axis, eps=1e-5):
    s = 1 / np.sqrt(x.var(axis, keepdims=True) + eps)
    n = (x - x.mean(axis, keepdims=True)) * s
    return s * (g - g.mean(axis, keepdims=True) - n * (g * n).mean(axis, keepdims=True))


def windows(x, size, stride):
    return np.stack([x[..., i : i + size] for i in range(0, x.shape[-1] - size + 1, stride)], axis=-2)


def fold(parts, length, stride):
    out = np.zeros((*parts.shape[:-2], length))
    for k in range(parts.shape[-2]):
        out[..., k * stride : k * stride + parts.shape[-1]] += parts[..., k, :]
    return out


def conv(stride, pad=0):
    def forward(p):
        return (
            np.einsum("nclk,fck->nfl", windows(np.pad(p.x, ((0, 0), (0, 0), (pad, pad))), 3, stride), p.w)
            + p.b[:, None]
        )

    def vjp(g, p):
        padded = np.pad(p.x, ((0, 0), (0, 0), (pad, pad)))
        parts = windows(padded, 3, stride)
        dx = fold(np.einsum("nfl,fck->nclk", g, p.w), padded.shape[-1], stride)
        return {
            "x": dx[..., pad : padded.shape[-1] - pad],
            "w": np.einsum("nfl,nclk->fck", g, parts),
            "b": g.sum((0, 2)),
        }

    return Layer({"x": (2, 2, 9), "w": (3, 2, 3), "b": (3,)}, forward, vjp, options={"stride": stride, "pad": pad})


def max_pool(stride):
    def vjp(g, p):
        parts = windows(p.x, 3, stride)
        return {"x": fold((parts == parts.max(-1, keepdims=True)) * g[..., None], p.x.shape[-1], stride)}

    return Layer(
        {"x": (2, 2, 9)}, lambda p: windows(p.x, 3, stride).max(-1), vjp, options={"size": 3, "stride": stride}
    )


def embedding_vjp(g, p):
    dW = np.zeros_like(p.W)
    np.add.at(dW, p.ids, g)
    return {"W": dW}


def cross_entropy(p):
    return -np.mean(np.log(softmax(p.scores)[np.arange(len(p.y)), p.y]))


def dscores(p):
    return (softmax(p.scores) - np.eye(p.scores.shape[-1])[p.y]) / len(p.y)


def rnn_states(p):
    h, states = p.h0, []
    for t in range(p.x.shape[1]):
        h = np.tanh(p.x[:, t] @ p.Wx + h @ p.Wh + p.b)
        states.append(h)
    return states


def rnn_vjp(g, p, *, carry=True, through=True, last_only=False, assign=False):
    """carry: the state hands its gradient back through time; assign: of all steps only the first one counts."""
    states = rnn_states(p)
    grads = {name: np.zeros_like(getattr(p, name)) for name in ("x", "h0", "Wx", "Wh", "b")}
    dh = 0.0
    for t in reversed(range(p.x.shape[1])):
        before = states[t - 1] if t else p.h0
        dz = (g[:, t] + (dh if carry else 0.0)) * ((1 - states[t] ** 2) if through else 1.0)
        if last_only and t < p.x.shape[1] - 1:
            dz = 0 * dz
        grads["x"][:, t] = dz @ p.Wx.T
        for name, value in (("Wx", p.x[:, t].T @ dz), ("Wh", before.T @ dz), ("b", dz.sum(0))):
            grads[name] = value if assign else grads[name] + value
        dh = dz @ p.Wh.T
    return {**grads, "h0": dh}


def attention(p):
    return softmax(p.q @ p.k.T / np.sqrt(p.q.shape[1])) @ p.v


def attention_vjp(g, p, jacobian=lambda a, da: a * (da - (a * da).sum(-1, keepdims=True)), scale=None):
    scale = np.sqrt(p.q.shape[1]) if scale is None else scale
    a = softmax(p.q @ p.k.T / np.sqrt(p.q.shape[1]))
    ds = jacobian(a, g @ p.v.T) / scale
    return {"q": ds @ p.k, "k": ds.T @ p.q, "v": a.T @ g}


def mlp_parts(p):
    z1 = p.x @ p.W1 + p.b1
    h = np.tanh(z1)
    return z1, h, h @ p.W2 + p.b2


def mlp_vjp(g, p, derivative=lambda z, h: 1 - h**2):
    z1, h, _ = mlp_parts(p)
    dz = g @ p.W2.T * derivative(z1, h)
    return {"x": dz @ p.W1.T, "W1": p.x.T @ dz, "b1": dz.sum(0), "W2": h.T @ g, "b2": g.sum(0)}


def ridge(p):
    e = p.X @ p.W + p.b - p.y
    return np.mean(e**2) + p.reg * (p.W**2).sum()


def ridge_vjp(g, p):
    e = p.X @ p.W + p.b - p.y
    return {"W": 2 * p.X.T @ e / len(e) + 2 * p.reg * p.W, "b": 2 * e.mean(keepdims=True)}


def logistic(p):
    z = p.X @ p.W + p.b
    return np.mean(np.logaddexp(0, z) - p.y * z) + 0.5 * p.reg * (p.W**2).sum()


def logistic_vjp(g, p):
    e = (sigmoid(p.X @ p.W + p.b) - p.y) / len(p.y)
    return {"W": p.X.T @ e + p.reg * p.W, "b": e.sum(keepdims=True)}


MASK = (np.random.default_rng(3).random((4, 6)) < 0.6) / 0.6
IDS = np.array([2, 0, 2, 1, 2, 0])
LABELS = np.array([0, 2, 1, 3, 2])
DATA = np.random.default_rng(9).normal(size=(7, 4))
AFFINE = Layer(
    {"x": (5, 3), "w": (3, 4), "b": (4,)},
    lambda p: p.x @ p.w + p.b,
    lambda g, p: {"x": g @ p.w.T, "w": p.x.T @ g, "b": g.sum(0)},
)

LAYERS: dict[str, Layer] = {
    "affine": AFFINE,
    "square affine": Layer({"x": (5, 4), "w": (4, 4), "b": (4,)}, AFFINE.forward, AFFINE.vjp),
    "outer product": Layer(
        {"a": (4,), "b": (4,)}, lambda p: np.outer(p.a, p.b), lambda g, p: {"a": g @ p.b, "b": p.a @ g}
    ),
    "bilinear": Layer(
        {"x": (4, 3), "W": (3, 3), "y": (4, 3)},
        lambda p: ((p.x @ p.W) * p.y).sum(1),
        lambda g, p: {"x": g[:, None] * (p.y @ p.W.T), "W": (g[:, None] * p.x).T @ p.y, "y": g[:, None] * (p.x @ p.W)},
    ),
    "sigmoid": elementwise(sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x))),
    "tanh": elementwise(np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "relu": elementwise(lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0),
    "leaky relu": elementwise(lambda x: np.where(x > 0, x, 0.1 * x), lambda x: np.where(x > 0, 1, 0.1)),
    "elu": elementwise(lambda x: np.where(x > 0, x, np.expm1(x)), lambda x: np.where(x > 0, 1, np.exp(x))),
    "gelu": elementwise(gelu, dgelu),
    "softplus": elementwise(lambda x: np.logaddexp(0, x), sigmoid),
    "silu": elementwise(lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
    "square": elementwise(np.square, lambda x: 2 * x),
    "softmax": Layer(
        {"x": (4, 5)},
        lambda p: softmax(p.x),
        lambda g, p: {"x": softmax(p.x) * (g - (g * softmax(p.x)).sum(-1, keepdims=True))},
    ),
    "log softmax": Layer(
        {"x": (4, 5)}, lambda p: np.log(softmax(p.x)), lambda g, p: {"x": g - softmax(p.x) * g.sum(-1, keepdims=True)}
    ),
    "cross-entropy": Layer({"scores": (5, 4)}, cross_entropy, lambda g, p: {"scores": dscores(p)}, {"y": LABELS}),
    "mean squared error": Layer(
        {"pred": (6, 3), "target": (6, 3)},
        lambda p: np.mean((p.pred - p.target) ** 2),
        lambda g, p: {"pred": 2 * (p.pred - p.target) / p.pred.size, "target": -2 * (p.pred - p.target) / p.pred.size},
    ),
    "ridge": Layer(
        {"W": (4,), "b": (1,)}, ridge, ridge_vjp, {"X": DATA, "y": DATA[:, 0] ** 2, "reg": 0.3}, options={"reg": 0.3}
    ),
    "logistic": Layer(
        {"W": (4,), "b": (1,)},
        logistic,
        logistic_vjp,
        {"X": DATA, "y": (DATA[:, 1] > 0) * 1.0, "reg": 0.3},
        options={"reg": 0.3},
    ),
    "batch norm": Layer(
        {"x": (6, 3), "gamma": (3,), "beta": (3,)},
        lambda p: p.gamma * normal(p.x, 0) + p.beta,
        lambda g, p: {"x": dnormal(g * p.gamma, p.x, 0), "gamma": (g * normal(p.x, 0)).sum(0), "beta": g.sum(0)},
    ),
    "layer norm": Layer(
        {"x": (4, 6), "gamma": (6,), "beta": (6,)},
        lambda p: p.gamma * normal(p.x, 1) + p.beta,
        lambda g, p: {"x": dnormal(g * p.gamma, p.x, 1), "gamma": (g * normal(p.x, 1)).sum(0), "beta": g.sum(0)},
    ),
    "convolution": conv(1),
    "strided convolution": conv(2),
    "padded convolution": conv(1, 1),
    "max-pool": max_pool(1),
    "max-pool apart": max_pool(3),
    "average-pool": Layer(
        {"x": (2, 2, 9)},
        lambda p: windows(p.x, 3, 2).mean(-1),
        lambda g, p: {"x": fold(np.repeat(g[..., None], 3, -1) / 3, 9, 2)},
        options={"size": 3, "stride": 2},
    ),
    "embedding": Layer({"W": (5, 3)}, lambda p: p.W[p.ids], embedding_vjp, {"ids": IDS}),
    "rnn": Layer(
        {"x": (3, 4, 2), "h0": (3, 5), "Wx": (2, 5), "Wh": (5, 5), "b": (5,)},
        lambda p: np.stack(rnn_states(p), 1),
        lambda g, p: rnn_vjp(g, p),
        sizes={"N": 3, "T": 4},
    ),
    "attention": Layer({"q": (3, 4), "k": (5, 4), "v": (5, 4)}, attention, lambda g, p: attention_vjp(g, p)),
    "dropout": Layer(
        {"x": (4, 6)}, lambda p: p.x * p.mask, lambda g, p: {"x": g * p.mask}, {"mask": MASK}, options={"keep": 0.6}
    ),
    "two-layer net": Layer(
        {"x": (5, 3), "W1": (3, 4), "b1": (4,), "W2": (4, 2), "b2": (2,)},
        lambda p: mlp_parts(p)[2],
        lambda g, p: mlp_vjp(g, p),
    ),
    "residual block": Layer(
        {"x": (5, 4), "W": (4, 4)},
        lambda p: p.x + np.tanh(p.x @ p.W),
        lambda g, p: {
            "x": g + (g * (1 - np.tanh(p.x @ p.W) ** 2)) @ p.W.T,
            "W": p.x.T @ (g * (1 - np.tanh(p.x @ p.W) ** 2)),
        },
    ),
    "shared scale": Layer(
        {"x": (4, 3, 2), "s": (3, 1)},
        lambda p: p.x * p.s,
        lambda g, p: {"x": g * p.s, "s": (g * p.x).sum((0, 2))[:, None]},
    ),
    "sum of squares": Layer({"x": (4, 5)}, lambda p: (p.x**2).sum(1), lambda g, p: {"x": 2 * p.x * g[:, None]}),
    "running sum": Layer(
        {"x": (3, 6)}, lambda p: np.cumsum(p.x, 1), lambda g, p: {"x": np.cumsum(g[:, ::-1], 1)[:, ::-1]}
    ),
    "maximum of a row": Layer(
        {"x": (5, 4)}, lambda p: p.x.max(1), lambda g, p: {"x": (p.x == p.x.max(1, keepdims=True)) * g[:, None]}
    ),
}
LAYERS["square norm"] = Layer(
    {"x": (5, 5), "gamma": (5,), "beta": (5,)}, LAYERS["layer norm"].forward, LAYERS["layer norm"].vjp
)

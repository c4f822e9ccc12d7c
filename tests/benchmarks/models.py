"""The workloads once more, in the words of the libraries that peers differentiate: torch, jax and autograd.

Every model is one text over a few words (`B.relu`, `B.conv`, …) that each library says in its own way, so that a peer
is timed on its library's own ops. That all compute what the case computes is checked before anything is timed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]
Model = Callable[[Any, Arrays], Any]  # a library's words, arrays by the names of the case → the value


def rosenbrock(B: Any, p: Arrays) -> Any:
    x = p["x"]
    return B.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def small_mlp(B: Any, p: Arrays) -> Any:
    hidden = B.tanh(B.tanh(p["x"] @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"])
    return B.cross_entropy(hidden @ p["W3"] + p["b3"], p["target"])


def mlp(B: Any, p: Arrays) -> Any:
    return B.cross_entropy(B.relu(p["x"] @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"], p["target"])


def lenet(B: Any, p: Arrays) -> Any:
    x = B.pool(B.relu(B.conv(p["x"], p["W1"], p["b1"])))
    x = B.pool(B.relu(B.conv(x, p["W2"], p["b2"])))
    x = B.relu(B.reshape(x, (8, 256)) @ p["W3"] + p["b3"])
    x = B.relu(x @ p["W4"] + p["b4"])
    return B.cross_entropy(x @ p["W5"] + p["b5"], p["target"])


def transformer(B: Any, p: Arrays) -> Any:
    def split(z: Any) -> Any:
        return B.transpose(B.reshape(z, (4, 32, 4, 16)), (0, 2, 1, 3))

    n = _normalise(B, p["x"]) * p["gamma1"] + p["beta1"]
    q, k, v = (split(n @ p["W" + name] + p["b" + name]) for name in "qkv")
    heads = B.softmax(q @ B.transpose(k, (0, 1, 3, 2)) / 4) @ v
    r = p["x"] + B.reshape(B.transpose(heads, (0, 2, 1, 3)), (4, 32, 64)) @ p["Wo"] + p["bo"]
    n = _normalise(B, r) * p["gamma2"] + p["beta2"]
    u = n @ p["W1"] + p["b1"]
    u = 0.5 * u * (1 + B.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u**3)))
    return B.mean((r + u @ p["W2"] + p["b2"] - p["target"]) ** 2)


def layer_norm(B: Any, p: Arrays) -> Any:
    return B.sum(p["upstream"] * (_normalise(B, p["x"]) * p["gamma1"] + p["beta1"]))


def _normalise(B: Any, x: Any) -> Any:
    c = x - B.row_mean(x)
    return c / (B.row_mean(c**2) + 1e-5) ** 0.5


MODELS: Mapping[str, Model] = {
    "w1-100": rosenbrock, "w1-1000": rosenbrock, "w2": small_mlp, "w3": mlp, "w4": lenet, "w5": transformer,
    "w6": layer_norm,
}  # fmt: skip


class Torch:
    """torch's words."""

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)
        F = torch.nn.functional
        self.sum, self.mean, self.tanh, self.relu = torch.sum, torch.mean, torch.tanh, F.relu
        self.conv, self.cross_entropy = F.conv2d, F.cross_entropy
        self.reshape, self.transpose = torch.reshape, torch.permute
        self.array = torch.from_numpy

    def pool(self, x: Any) -> Any:
        import torch

        return torch.nn.functional.max_pool2d(x, 2)

    def softmax(self, x: Any) -> Any:
        return x.softmax(-1)

    def row_mean(self, x: Any) -> Any:
        return x.mean(-1, keepdim=True)


class NumpyLike:
    """The words of a library that has numpy's.

    np : its numpy; logsumexp : its own, over the last axis
    """

    def __init__(self, np: Any, logsumexp: Callable[..., Any]) -> None:
        self.np, self.logsumexp = np, logsumexp
        self.sum, self.mean, self.tanh = np.sum, np.mean, np.tanh
        self.reshape, self.transpose = np.reshape, np.transpose
        self.array = np.array

    def relu(self, x: Any) -> Any:
        return self.np.maximum(x, 0.0)

    def cross_entropy(self, z: Any, target: Any) -> Any:
        return self.np.mean(self.logsumexp(z, axis=-1) - z[np.arange(len(target)), target])

    def softmax(self, x: Any) -> Any:
        return self.np.exp(x - self.logsumexp(x, axis=-1, keepdims=True))

    def row_mean(self, x: Any) -> Any:
        return self.np.mean(x, axis=-1, keepdims=True)

    def pool(self, x: Any) -> Any:
        n, c, h, w = x.shape
        return self.np.max(self.np.reshape(x, (n, c, h // 2, 2, w // 2, 2)), axis=(3, 5))

    def conv(self, x: Any, W: Any, b: Any) -> Any:
        """Rows of windows times the kernels."""
        n, _, h, w = x.shape
        outputs, _, kh, kw = W.shape
        down = np.arange(h - kh + 1)[:, None, None, None] + np.arange(kh)[:, None]
        across = np.arange(w - kw + 1)[:, None, None] + np.arange(kw)
        rows = self.np.transpose(x[:, :, down, across], (0, 2, 3, 1, 4, 5))
        rows = self.np.reshape(rows, (n, h - kh + 1, w - kw + 1, -1))
        return self.np.transpose(rows @ self.np.reshape(W, (outputs, -1)).T + b, (0, 3, 1, 2))


class Jax(NumpyLike):
    """jax's words; its own convolution."""

    def __init__(self) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        super().__init__(jax.numpy, jax.scipy.special.logsumexp)
        self._convolve = jax.lax.conv

    def conv(self, x: Any, W: Any, b: Any) -> Any:
        return self._convolve(x, W, (1, 1), "VALID") + b[:, None, None]


def autograd_words() -> NumpyLike:
    import autograd.numpy
    import autograd.scipy.special

    return NumpyLike(autograd.numpy, autograd.scipy.special.logsumexp)

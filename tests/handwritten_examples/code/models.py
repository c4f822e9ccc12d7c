"""Whole models: parameters in attributes, in module globals, or behind a loss; and a problem that is built whole."""

import numpy as np


class AttributeNet:
    def __init__(self, n):
        self.W1, self.b1 = np.random.randn(2, n), np.random.randn(n)

    def loss(self, X):
        self.h = np.tanh(X @ self.W1 + self.b1)
        return self.h.sum()

    def backward(self, X):
        dz = 1 - self.h**2
        self.dW1, self.db1 = X.T @ dz, dz.sum(axis=0)


class CaptioningRNN:
    """float32 unless it is told otherwise; its loss takes features and captions."""

    def __init__(self, n_features, n_words, dtype=np.float32):
        self.params = {"W_proj": np.random.randn(n_features, 4), "W_vocab": np.random.randn(4, n_words)}
        self.params = {name: value.astype(dtype) for name, value in self.params.items()}

    def loss(self, features, captions):
        h = np.tanh(features @ self.params["W_proj"])
        scores = h @ self.params["W_vocab"]
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        rows = np.arange(len(captions))
        dscores = p.copy()
        dscores[rows, captions] -= 1
        dz = dscores @ self.params["W_vocab"].T * (1 - h**2)
        grads = {"W_vocab": h.T @ dscores, "W_proj": features.T @ dz}
        return -np.log(p[rows, captions]).sum(), grads


V = np.array([[0.3, -0.2], [0.1, 0.7]])
calls = 0


def global_loss(x):
    global calls
    calls += 1
    return np.sin(x @ V).sum()


def global_backward(x):
    global dV
    dz = np.cos(x @ V)
    dV = x.T @ dz
    return dz @ V.T


def problem(seed):
    rng = np.random.default_rng(seed)
    W, b = rng.normal(size=(3, 2)), rng.normal(size=2)

    def loss():
        return float(np.tanh(W + b).sum())

    d = 1 - np.tanh(W + b) ** 2
    return loss, {"W": (W, d), "b": (b, d.sum(axis=0))}

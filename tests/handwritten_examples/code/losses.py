"""Losses, activations and their derivatives: as a pair of functions, in one call, and as objects."""

import numpy as np


def svm_naive(W, X, y, reg):
    scores = X @ W
    margins = scores - scores[np.arange(len(y)), y][:, None] + 1
    active = margins > 0
    active[np.arange(len(y)), y] = False
    weight = active.astype(float)
    weight[np.arange(len(y)), y] = -active.sum(axis=1)
    loss = (margins * active).sum() / len(y) + reg * (W * W).sum()
    return loss, X.T @ weight / len(y) + 2 * reg * W


def temporal_softmax_loss(x, y, mask):
    N, T, V = x.shape
    flat, labels, weight = x.reshape(N * T, V), y.reshape(N * T), mask.reshape(N * T).astype(x.dtype)
    p = np.exp(flat - flat.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -(weight * np.log(p[np.arange(N * T), labels])).sum() / N
    dflat = p.copy()
    dflat[np.arange(N * T), labels] -= 1
    dflat *= weight[:, None]
    return loss, (dflat / N).reshape(N, T, V)


def cost_and_grad(theta, X, y):
    W, b = theta[:6].reshape(2, 3), theta[6:]
    error = X @ W + b - y
    grad = np.concatenate([(X.T @ error).ravel(), error.sum(axis=0)])
    return (error**2).sum() / 2, grad


def huber(pred, target):
    r = pred - target
    return np.where(abs(r) < 1, r**2 / 2, abs(r) - 0.5).sum()


def huber_derivative(pred, target):
    r = pred - target
    return np.where(abs(r) < 1, r, np.sign(r))


def elu(x):
    return np.where(x > 0, x, np.exp(x) - 1)


def elu_prime(x):
    return np.where(x > 0, 1.0, np.exp(x))


class Tanh:
    """An activation whose gradient is only the local one."""

    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def gradient(self):
        return 1 - self.out**2


class CrossEntropy:
    """A loss at the end of a network: it takes an upstream gradient and makes no use of it."""

    def forward(self, x, t):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p, self.t = e / e.sum(axis=1, keepdims=True), t
        return -np.log(self.p[np.arange(len(t)), t]).mean()

    def backward(self, dout=1):
        dx = self.p.copy()
        dx[np.arange(len(self.t)), self.t] -= 1
        return dx / len(self.t)


class Multiply:
    """An operation as an object: forward is `compute`, and `gradient` is handed the node that computed."""

    def __init__(self, a, b):
        self.inputs = (a, b)

    def compute(self, a, b):
        return a * b

    def gradient(self, out_grad, node):
        a, b = node.inputs
        return out_grad * b, out_grad * a


class Exp:
    """An operation on arrays alone."""

    def compute(self, a):
        self.out = np.exp(a)
        return self.out

    def gradient(self, out_grad, node=None):
        return out_grad * self.out

"""Functions whose calls, shapes and settings can be told from names, docstrings and trials."""

import math

import numpy as np


def mix_forward(x, w, b):
    """x (N, D), w (D, M), b (M,) → out (N, M)."""
    return np.tanh(x @ w + b), (x, w, b)


def mix_backward(dout, cache):
    x, w, b = cache
    dz = dout * (1 - np.tanh(x @ w + b) ** 2)
    return dz @ w.T, x.T @ dz, dz.sum(axis=0)


def mean_pool_forward(x, pool_param):
    size, stride = pool_param["size"], pool_param.get("stride", 2)
    n, c, h, w = x.shape
    out = np.zeros((n, c, (h - size) // stride + 1, (w - size) // stride + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            patch = x[:, :, i * stride : i * stride + size, j * stride : j * stride + size]
            out[:, :, i, j] = patch.mean(axis=(2, 3))
    return out, (x.shape, size, stride)


def mean_pool_backward(dout, cache):
    shape, size, stride = cache
    dx = np.zeros(shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(i * stride, i * stride + size), slice(j * stride, j * stride + size)
            dx[:, :, rows, columns] += dout[:, :, i, j][:, :, None, None] / size**2
    return dx


def columns_forward(A, W, b):
    return W @ A + b, (A, W)


def columns_backward(dZ, cache):
    A, W = cache
    return W.T @ dZ, dZ @ A.T, dZ.sum(axis=1, keepdims=True)


def standardize_forward(x):
    n_samples, n_features = x.shape
    centred = x - x.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=0) / n_samples + 1e-6).reshape(n_features)
    return centred / scale, (centred / scale, scale)


def standardize_backward(dout, cache):
    y, scale = cache
    return (dout - dout.mean(axis=0) - y * (dout * y).mean(axis=0)) / scale


def hinge_loss(W, X, y, reg):
    """W (D, C), X (N, D), labels y (N,)."""
    rows = np.arange(len(y))
    margins = X @ W - (X @ W)[rows, y][:, None] + 1
    margins[rows, y] = 0
    weights = (margins > 0).astype(float)
    weights[rows, y] = -weights.sum(axis=1)
    loss = np.maximum(margins, 0).sum() / len(y) + reg * (W**2).sum()
    return loss, X.T @ weights / len(y) + 2 * reg * W


def log_loss(target, pred):
    return -np.mean(target * np.log(pred) + (1 - target) * np.log(1 - pred))


def log_loss_prime(target, pred):
    return (pred - target) / (pred * (1 - pred)) / pred.size


def logistic(x):
    return 1 / (1 + np.exp(-x))


def logistic_prime(x):
    return x * (1 - x)


def angle(x):
    return math.atan(x)


def angle_prime(x):
    return 1 / (1 + x * x)


def fwd(x, w):
    return x * w, (x, w)


def bwd(residuals, g):
    x, w = residuals
    return g * w, g * x


def lonely_forward(x):
    return x, None

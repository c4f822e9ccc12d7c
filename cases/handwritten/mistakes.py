"""Five backward passes with one classic mistake each, as people write them; 13_five_mistakes.yaml says which."""

import numpy as np


def standardize_forward(x, offset, scale):
    out = (x - offset) * scale
    return out, (x, offset, scale)


def standardize_backward(dout, cache):
    x, offset, scale = cache
    dx = dout * scale
    doffset = np.sum(dout * scale, axis=0)
    dscale = np.sum(dout * (x - offset), axis=0)
    return dx, doffset, dscale


def ridge_loss(W, b, X, y, reg):
    error = X @ W + b - y
    loss = np.mean(error**2) + reg * np.sum(W * W)
    dW = 2 * X.T @ error / len(y) + reg * W
    db = 2 * np.mean(error)
    return loss, dW, db


def bias_forward(x, b):
    return x + b, x.shape


def bias_backward(dout, cache):
    return dout, dout


def square_forward(x, w):
    return x @ w, (x, w)


def square_backward(dout, cache):
    x, w = cache
    dx = dout @ w
    dw = x.T @ dout
    return dx, dw


def two_layers_forward(x, W1, b1, W2, b2):
    hidden = np.tanh(x @ W1 + b1)
    out = hidden @ W2 + b2
    return out, (x, W1, hidden, W2)


def two_layers_backward(dout, cache):
    x, W1, hidden, W2 = cache
    dW2 = hidden.T @ dout
    db2 = dout.sum(axis=0)
    dhidden = dout @ W2.T
    dW1 = x.T @ dhidden
    db1 = dhidden.sum(axis=0)
    dx = dhidden @ W1.T
    return dx, dW1, db1, dW2, db2

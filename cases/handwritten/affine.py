"""A fully connected layer as a pair of functions; forward keeps what backward will need."""

import numpy as np


def affine_forward(x, w, b):
    """x (N, D), w (D, M), b (M,) → out (N, M), cache."""
    out = x @ w + b
    return out, (x, w)


def affine_backward(dout, cache):
    """dout (N, M) → dx (N, D), dw (D, M), db (M,)."""
    x, w = cache
    dx = dout @ w.T
    dw = x.T @ dout
    db = np.sum(dout, axis=0)
    return dx, dw, db

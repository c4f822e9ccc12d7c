"""Layers as objects: forward remembers its input, backward leaves the parameters' gradients in attributes."""

import numpy as np


class Affine:
    """x @ W + b, for rows of x."""

    def __init__(self, W, b):
        self.W = W
        self.b = b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T


class LeakyReLU:
    """x where x is positive, alpha·x elsewhere."""

    def __init__(self, alpha):
        self.alpha = alpha

    def forward(self, x):
        self.slope = np.where(x > 0, 1.0, self.alpha)
        return x * self.slope

    def backward(self, dout):
        return dout * self.slope

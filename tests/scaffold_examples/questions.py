"""What only its author can say, and what is not finished or broken."""

import numpy as np


def blend_forward(x, y):
    return x * y, (x, y)


def blend_backward(first, second, third):
    return first * third, first * second


class Activation:
    def __init__(self, function, derivative):
        self.function, self.derivative = function, derivative

    def forward(self, x):
        self.x = x
        return self.function(x)

    def backward(self, dout):
        return dout * self.derivative(self.x)


def cube_forward(x):
    """x (N, D)."""
    return x**3, x


def cube_backward(dout, cache):
    return 3 * cache**2 * dout / missing_name  # noqa: F821


def todo_forward(x):
    pass


def todo_backward(dout, cache):
    pass


def strided_forward(x, stride):
    """x (N, D)."""
    return np.cumsum(x, axis=1)[:, ::stride], (x.shape, stride)


def strided_backward(dout, cache):
    shape, stride = cache
    if stride != 1:
        raise ValueError("stride 1 only")
    return np.cumsum(dout[:, ::-1], axis=1)[:, ::-1].reshape(shape)

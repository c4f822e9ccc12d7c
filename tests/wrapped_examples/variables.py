"""An engine that takes an upstream gradient, and only as one of its own: backward(grad), recursive."""

import numpy as np


class Variable:
    def __init__(self, value, requires_grad=False, depends_on=()):
        if not isinstance(value, np.ndarray):
            raise TypeError("a Variable holds an array")
        self._data, self.requires_grad, self.depends_on = value, requires_grad, depends_on
        self.grad = None

    @property
    def shape(self):
        return self._data.shape

    def backward(self, grad=None):
        if grad is None:
            if self._data.size != 1:
                raise RuntimeError("grad must be given for what is no scalar")
            grad = Variable(np.ones_like(self._data))
        self.grad = grad if self.grad is None else Variable(self.grad._data + grad._data)
        for parent, rule in self.depends_on:
            parent.backward(Variable(rule(grad._data)))


def dot(a, b):
    rules = (
        (a, lambda g: g @ b._data.T),
        (b, lambda g: a._data.T @ g),
    )
    return Variable(a._data @ b._data, True, rules)


def sine(a):
    return Variable(np.sin(a._data), True, ((a, lambda g: g * np.cos(a._data)),))


def half(a):
    """Forces float32."""
    return Variable(np.sin(a._data.astype(np.float32)), True, ((a, lambda g: g * np.cos(a._data)),))

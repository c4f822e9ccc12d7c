"""An engine of arrays, right; each wrong twin in a test is this file with one line changed."""

import numpy as np


def reduced(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


class Tensor:
    def __init__(self, data, parents=()):
        self.data = np.asarray(data, dtype=np.float64)
        self.grad = np.zeros_like(self.data)
        self._parents, self._backward = tuple(parents), lambda: None

    @property
    def shape(self):
        return self.data.shape

    def __add__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        out = Tensor(self.data + other.data, (self, other))

        def backward():
            self.grad += reduced(out.grad, self.shape)
            other.grad += reduced(out.grad, other.shape)

        out._backward = backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        out = Tensor(self.data * other.data, (self, other))

        def backward():
            self.grad += reduced(other.data * out.grad, self.shape)
            other.grad += reduced(self.data * out.grad, other.shape)

        out._backward = backward
        return out

    def __matmul__(self, other):
        out = Tensor(self.data @ other.data, (self, other))

        def backward():
            self.grad += out.grad @ other.data.T
            other.grad += self.data.T @ out.grad

        out._backward = backward
        return out

    def tanh(self):
        out = Tensor(np.tanh(self.data), (self,))

        def backward():
            self.grad += (1 - out.data**2) * out.grad

        out._backward = backward
        return out

    def sum(self):
        out = Tensor(self.data.sum(), (self,))

        def backward():
            self.grad += np.ones_like(self.data) * out.grad

        out._backward = backward
        return out

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent in node._parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = np.ones_like(self.data)
        for node in reversed(order):
            node._backward()


class Linear:
    def __init__(self, n_in, n_out):
        self.W, self.b = Tensor(np.random.randn(n_in, n_out)), Tensor(np.random.randn(n_out))

    def __call__(self, x):
        return x @ self.W + self.b


class Net:
    def __init__(self, n_in, n_hidden):
        self.layers = [Linear(n_in, n_hidden), Linear(n_hidden, 2)]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x).tanh()
        return x


def squares(x):
    return (x * x).sum()

"""A small tensor engine that computes in float32, whatever it is given, and adds to the gradients it finds."""

import numpy as np


class Tensor:
    def __init__(self, data, parents=(), rule=None):
        self.data = np.asarray(data, dtype=np.float32)
        self.grad = np.zeros_like(self.data)
        self.parents, self.rule = parents, rule

    def __matmul__(self, other):
        def rule(g):
            self.grad += g @ other.data.T
            other.grad += self.data.T @ g

        return Tensor(self.data @ other.data, (self, other), rule)

    def __add__(self, other):
        def rule(g):
            self.grad += g
            other.grad += g.sum(axis=0)

        return Tensor(self.data + other.data, (self, other), rule)

    def tanh(self):
        out = np.tanh(self.data)

        def rule(g):
            self.grad += g * (1 - out**2)

        return Tensor(out, (self,), rule)

    def backward(self, grad=None):
        self.grad = np.ones_like(self.data) if grad is None else np.asarray(grad, dtype=np.float32)
        order, seen = [], set()

        def visit(tensor):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                for parent in tensor.parents:
                    visit(parent)
                order.append(tensor)

        visit(self)
        for tensor in reversed(order):
            if tensor.rule is not None:
                tensor.rule(tensor.grad)

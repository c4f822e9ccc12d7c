"""A two-layer network: affine, relu, affine, softmax."""

import numpy as np


def affine_forward(x, w, b):
    """x (N, D), w (D, M), b (M,) → out (N, M), cache."""
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    """dout (N, M) → dx (N, D), dw (D, M), db (M,)."""
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.mean(axis=0)


def relu_forward(x):
    return np.maximum(x, 0.0), x


def relu_backward(dout, cache):
    return dout * (cache > 0.0)


def softmax_loss(scores, labels):
    """scores (N, C), labels (N,) → the mean loss, and its gradient in scores."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    probabilities = np.exp(shifted)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = -np.log(probabilities[rows, labels]).mean()
    dscores = probabilities.copy()
    dscores[rows, labels] -= 1.0
    return loss, dscores / len(labels)


class TwoLayerNet:
    def __init__(self, inputs, hidden, classes):
        self.params = {
            "W1": 0.5 * np.random.randn(inputs, hidden),
            "b1": 0.1 * np.random.randn(hidden),
            "W2": 0.5 * np.random.randn(hidden, classes),
            "b2": 0.1 * np.random.randn(classes),
        }

    def loss(self, x, labels):
        p = self.params
        first, cache1 = affine_forward(x, p["W1"], p["b1"])
        hidden, cache2 = relu_forward(first)
        scores, cache3 = affine_forward(hidden, p["W2"], p["b2"])
        loss, dscores = softmax_loss(scores, labels)
        dhidden, dW2, db2 = affine_backward(dscores, cache3)
        _, dW1, db1 = affine_backward(relu_backward(dhidden, cache2), cache1)
        return loss, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}

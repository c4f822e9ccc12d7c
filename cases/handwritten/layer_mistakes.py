"""Layers with one mistake each; 17_convolutional_networks.yaml and 21_shortcuts_and_rows.yaml say which."""

import numpy as np


class MaxPool:
    """The largest of each window of `size` along the last axis, every `stride` steps."""

    def __init__(self, size, stride):
        self.size = size
        self.stride = stride

    def forward(self, x):
        starts = range(0, x.shape[-1] - self.size + 1, self.stride)
        winners = [start + x[..., start : start + self.size].argmax(axis=-1) for start in starts]
        self.winners = np.stack(winners, axis=-1)
        self.shape = x.shape
        return np.take_along_axis(x, self.winners, axis=-1)

    def backward(self, dout):
        dx = np.zeros(self.shape)
        np.put_along_axis(dx, self.winners, dout, axis=-1)
        return dx


class Flatten:
    """All axes but the first become one, channels last."""

    def forward(self, x):
        self.shape = x.shape
        return x.transpose(0, 2, 3, 1).reshape(len(x), -1)

    def backward(self, dout):
        return dout.reshape(self.shape)


def embedding_forward(ids, W):
    return W[ids], (ids, W)


def embedding_backward(dout, cache):
    ids, W = cache
    dW = np.zeros_like(W)
    dW[ids] += dout
    return dW

"""A classroom network, 784-100-10, as a black box; one element of the gradient of W1 is off by 1 %."""

import numpy as np


def network(X, W1, b1, W2, b2, y):
    rows = np.arange(len(y))
    hidden = np.maximum(X @ W1 + b1, 0)
    scores = hidden @ W2 + b2
    scores = scores - scores.max(axis=1, keepdims=True)
    logs = np.log(np.exp(scores).sum(axis=1))
    loss = np.mean(logs - scores[rows, y])
    dscores = np.exp(scores - logs[:, None])
    dscores[rows, y] -= 1
    dscores /= len(y)
    dhidden = dscores @ W2.T * (hidden > 0)
    dW1 = X.T @ dhidden
    dW1[399, 17] *= 1.01
    return loss, dW1, dhidden.sum(axis=0), hidden.T @ dscores, dscores.sum(axis=0)

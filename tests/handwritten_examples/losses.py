"""Losses: with their gradient in one call, as a pair of functions, as layer objects."""

from __future__ import annotations

import numpy as np

from tests.handwritten_examples.example import LABELS, B, Example, Raises, Wrong, X, normal

WORDS = {
    "x": normal(2, 3, 4),
    "y": np.array([[0, 3, 1], [2, 2, 0]]),
    "mask": np.array([[1, 1, 0], [1, 0, 1]]),
}
SVM = {"W": normal(3, 5), "X": X, "y": np.array([0, 4, 2, 1])}
PAIR = {"pred": X, "target": normal(4, 3, seed=2)}
SCORES = {"x": X, "t": LABELS["y"]}
SOFTMAX = (
    Wrong("factor", "dx /= len(x)", "dx /= 1"),
    Wrong("sign", "dx[rows, y] -= 1", "dx[rows, y] += 1"),
    Wrong("wrong local derivative", "dx = p.copy()", "dx = p * (1 - p)"),
)
SOFTMAX_RAISES = (Raises("forward", "dx[rows, y] -= 1", "dx[row, y] -= 1"),)
TEMPORAL = (
    Wrong("mask not applied", "dflat *= weight[:, None]", "dflat *= 1.0"),
    Wrong("factor", "(dflat / N)", "(dflat / (N * T))"),
    Wrong("wrong index", "dflat[np.arange(N * T), labels] -= 1", "dflat[0, labels] -= 1"),
)
SVM_WRONG = (
    Wrong("path missing", "+ 2 * reg * W", ""),
    Wrong("penalty", "+ 2 * reg * W", "+ reg * W"),
    Wrong("zero", "weight = active.astype(float)", "weight = 0.0 * active"),
)
MSE = (
    Wrong("sign", "(pred - target)", "(target - pred)"),
    Wrong("factor", "2 * (pred - target)", "(pred - target)"),
    Wrong("mean for sum", " / pred.size", ""),
)
HUBER = (
    Wrong("wrong branch", "abs(r) < 1", "abs(r) > 1"),
    Wrong("wrong local derivative", "np.sign(r)", "r / 2"),
    Wrong("sign", "r = pred - target", "r = target - pred"),
)
CROSS = (
    Wrong("factor", "return dx / len(self.t)", "return dx"),
    Wrong("sign", "] -= 1", "] += 1"),
    Wrong("wrong local derivative", "dx = self.p.copy()", "dx = self.p**2"),
)
MSE_LAYER = (
    Wrong("mean for sum", " / self.difference.size", ""),
    Wrong("sign", "return 2 *", "return -2 *"),
    Wrong("factor", "/ self.difference.size", "/ len(self.difference)"),
)

EXAMPLES = (
    Example(
        "loss and gradient",
        {"forward": "loss, dx = softmax_loss(x, y)"},
        LABELS,
        ("x",),
        SOFTMAX,
        SOFTMAX_RAISES,
        ("loss and gradient", "loss and gradient in one call"),
        "softmax_loss",
    ),
    Example(
        "bare loss and gradient",
        {"forward": "softmax_loss"},
        LABELS,
        ("x",),
        SOFTMAX,
        SOFTMAX_RAISES,
        ("loss and gradient", "loss and gradient in one call", "bare name"),
        "softmax_loss",
    ),
    Example(
        "loss with a mask",
        {"forward": "loss, dx = temporal_softmax_loss(x, y, mask)"},
        WORDS,
        ("x",),
        TEMPORAL,
        (Raises("forward", "dflat *= weight[:, None]", "dflat *= weight"),),
        ("loss with a mask",),
        "temporal_softmax_loss",
        "losses.py",
    ),
    Example(
        "bare loss with a mask",
        {"forward": "temporal_softmax_loss"},
        WORDS,
        ("x",),
        TEMPORAL,
        (Raises("forward", "N, T, V = x.shape", "N, V = x.shape"),),
        ("loss with a mask",),
        "temporal_softmax_loss",
        "losses.py",
    ),
    Example(
        "gradient of the first argument",
        {"forward": "loss, dW = svm_naive(W, X, y, reg)"},
        SVM,
        ("W",),
        SVM_WRONG,
        (Raises("forward", "return loss, X.T @ weight", "return loss, X @ weight"),),
        ("first argument only",),
        "svm_naive",
        "losses.py",
        options={"reg": 0.3},
    ),
    Example(
        "f and df, target first",
        {"forward": "out = mse(target, pred)", "backward": "dpred = mse_prime(target, pred)"},
        {"target": B, "pred": normal(2, seed=5)},
        ("pred",),
        MSE,
        (Raises("backward", "return 2 * (pred - target) / pred.size", "return 2 * (pred - target) / pred.len"),),
        ("f and df", "f and df, target first"),
        "mse_prime",
    ),
    Example(
        "bare f and df, target first",
        {"forward": "mse"},
        {"target": B, "pred": normal(2, seed=5)},
        ("pred",),
        MSE,
        (Raises("backward", "/ pred.size", "/ pred.length"),),
        ("f and df", "f and df, target first", "bare name"),
        "mse_prime",
    ),
    Example(
        "f and df, prediction first",
        {"forward": "out = huber(pred, target)", "backward": "dpred = huber_derivative(pred, target)"},
        PAIR,
        ("pred",),
        HUBER,
        (Raises("backward", "np.sign(r)", "np.signs(r)"),),
        ("f and df", "f and df, prediction first"),
        "huber_derivative",
        "losses.py",
    ),
    Example(
        "bare f and df, prediction first",
        {"forward": "huber"},
        PAIR,
        ("pred",),
        HUBER,
        (Raises("backward", "r = pred - target", "r = pred - targets"),),
        ("f and df", "f and df, prediction first"),
        "huber_derivative",
        "losses.py",
    ),
    Example(
        "loss layer without upstream gradient",
        {
            "setup": "layer = MSELoss()",
            "forward": "loss = layer.forward(pred, target)",
            "backward": "dpred = layer.backward()",
        },
        PAIR,
        ("pred",),
        MSE_LAYER,
        (Raises("backward", "return 2 * self.difference", "return 2 * self.differences"),),
        ("loss layer, backward()",),
        "MSELoss",
    ),
    Example(
        "bare loss layer without upstream gradient",
        {"entry": "MSELoss"},
        PAIR,
        ("pred",),
        MSE_LAYER,
        (Raises("forward", "self.difference = pred - target", "self.difference = pred - targets"),),
        ("loss layer, backward()",),
        "MSELoss",
    ),
    Example(
        "loss layer that ignores dout",
        {
            "setup": "layer = CrossEntropy()",
            "forward": "loss = layer.forward(x, t)",
            "backward": "dx = layer.backward()",
        },
        SCORES,
        ("x",),
        CROSS,
        (Raises("backward", "dx = self.p.copy()", "dx = self.q.copy()"),),
        ("loss layer that ignores dout",),
        "CrossEntropy",
        "losses.py",
    ),
    Example(
        "bare loss layer that ignores dout",
        {"entry": "CrossEntropy"},
        SCORES,
        ("x",),
        CROSS,
        (Raises("backward", "return dx / len(self.t)", "return dx / len(self.labels)"),),
        ("loss layer that ignores dout",),
        "CrossEntropy",
        "losses.py",
    ),
)

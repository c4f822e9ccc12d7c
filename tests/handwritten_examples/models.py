"""Whole models, by where their parameters are and how their gradients are called; the escape hatch; an engine."""

from __future__ import annotations

import numpy as np

from tests.handwritten_examples.example import LABELS, XWB, Example, Raises, Wrong, X, normal

NET = {"setup": "net = TwoLayerNet(3, 4, reg=reg)", "parameters_at": "net.params", "gradient_at": "grads"}
NET_ARRAYS = {"X": X, "y": LABELS["y"]}
NAMES = ("W1", "b1", "W2")
CAPTIONS = {"features": X, "captions": np.array([0, 4, 2, 2])}
VECTOR = {"theta": normal(9), "X": normal(5, 2), "y": normal(5, 3)}

NET_WRONG = (
    Wrong("penalty", 'X.T @ dh + 2 * self.reg * p["W1"]', 'X.T @ dh + self.reg * p["W1"]'),
    Wrong("wrong local derivative", "* (1 - h**2)", "* (1 - h)"),
    Wrong("not summed", '"b1": dh.sum(axis=0)', '"b1": dh[0]'),
)
FIRST_WRONG = (*NET_WRONG[:2], Wrong("path missing", "dh = dscores @ ", "dh = 0.5 * dscores @ "))
NET_RAISES = (Raises("forward", 'dh = dscores @ p["W2"].T', 'dh = dscores @ p["W2"]'),)
CAPTION = (
    Wrong("wrong local derivative", "* (1 - h**2)", "* (1 - h)"),
    Wrong("mean for sum", "h.T @ dscores", "h.T @ dscores / len(h)"),
    Wrong("sign", "dscores[rows, captions] -= 1", "dscores[rows, captions] += 1"),
)
ATTRIBUTE = (
    Wrong("wrong local derivative", "dz = 1 - self.h**2", "dz = 1 + self.h**2"),
    Wrong("mean for sum", "dz.sum(axis=0)", "dz.mean(axis=0)"),
    Wrong("sign", "= X.T @ dz", "= -X.T @ dz"),
)
GLOBAL = (
    Wrong("wrong local derivative", "dz = np.cos(x @ V)", "dz = np.sin(x @ V)"),
    Wrong("path missing", "dV = x.T @ dz", "dV = x.T @ x"),
    Wrong("transposed", "return dz @ V.T", "return dz @ V"),
)
FLAT = (
    Wrong("factor", "(error**2).sum() / 2", "(error**2).sum()"),
    Wrong("transposed", "(X.T @ error).ravel()", "(X.T @ error).T.ravel()"),
    Wrong("not summed", "error.sum(axis=0)", "error[0]"),
)
BUILT = (
    Wrong("wrong local derivative", "d = 1 - np.tanh(W + b) ** 2", "d = 1 - np.tanh(W + b)"),
    Wrong("not summed", "(b, d.sum(axis=0))", "(b, d[0])"),
    Wrong("sign", "d = 1 - np.tanh(W + b) ** 2", "d = np.tanh(W + b) ** 2 - 1"),
)
ENGINE = (
    Wrong("wrong local derivative", "g * (1 - out**2)", "g * (1 - out)"),
    Wrong("factor", "self.grad += g @ other.data.T", "self.grad += 1.05 * g @ other.data.T"),
    Wrong("mean for sum", "g.sum(axis=0)", "g.mean(axis=0)"),
    Wrong("upstream ignored", "other.grad += self.data.T @ g", "other.grad += self.data.T @ np.ones_like(g)"),
)

EXAMPLES = (
    Example(
        "whole model",
        {**NET, "forward": "loss, grads = net.loss(X, y)"},
        NET_ARRAYS,
        NAMES,
        NET_WRONG,
        NET_RAISES,
        ("whole model", "whole net", "scores where y is None", "model parameters in a dict", "gradient keys W1"),
        "TwoLayerNet",
        options={"reg": 0.1},
    ),
    Example(
        "bare whole model",
        {"entry": "TwoLayerNet"},
        NET_ARRAYS,
        NAMES,
        NET_WRONG,
        (Raises("load", "self.reg = reg", "self.reg = regularisation"),),
        ("whole model", "whole net", "scores where y is None", "model parameters in a dict", "bare name"),
        "TwoLayerNet",
        options={"reg": 0.1},
        sizes={"n_in": 3, "n_hidden": 4},
    ),
    Example(
        "whole model, keys with d",
        {**NET, "forward": "loss, grads = net.keyed_by_d(X, y)"},
        NET_ARRAYS,
        NAMES,
        NET_WRONG,
        (Raises("forward", "loss, grads = self.loss(X, y)", "loss, grads = self.loss(X)[0]"),),
        ("whole net", "gradient keys dW1"),
        "TwoLayerNet",
        options={"reg": 0.1},
    ),
    Example(
        "whole model, parameters found",
        {"setup": NET["setup"], "gradient_at": "grads", "forward": "loss, grads = net.loss(X, y)"},
        NET_ARRAYS,
        NAMES,
        NET_WRONG,
        NET_RAISES,
        ("whole model",),
        "TwoLayerNet",
        options={"reg": 0.1},
    ),
    Example(
        "whole model, one by one",
        {"setup": NET["setup"], "gradient_at": {"W1": "grads['dW1']"}, "forward": "loss, grads = net.keyed_by_d(X, y)"},
        NET_ARRAYS,
        ("W1",),
        FIRST_WRONG,
        NET_RAISES,
        ("whole model", "gradient keys dW1"),
        "TwoLayerNet",
        options={"reg": 0.1},
    ),
    Example(
        "whole model in double precision",
        {
            "setup": "net = CaptioningRNN(3, 5, dtype=np.float64)",
            "forward": "loss, grads = net.loss(features, captions)",
            "parameters_at": "net.params",
            "gradient_at": "grads",
        },
        CAPTIONS,
        ("W_proj", "W_vocab"),
        CAPTION,
        (Raises("forward", "dz = dscores @", "dz = dscore @"),),
        ("dtype of a net", "features and captions"),
        "CaptioningRNN",
        "models.py",
    ),
    Example(
        "bare whole model in single precision",
        {"entry": "CaptioningRNN"},
        CAPTIONS,
        ("W_proj", "W_vocab"),
        CAPTION,
        (Raises("load", "np.random.randn(n_features, 4)", "np.random.randn(n_features, '4')"),),
        ("dtype of a net", "features and captions"),
        "CaptioningRNN",
        "models.py",
        sizes={"n_features": 3, "n_words": 5},
    ),
    Example(
        "model with attributes",
        {
            "setup": "net = AttributeNet(3)",
            "forward": "loss = net.loss(X)",
            "backward": "net.backward(X)",
            "parameters_at": "net",
            "gradient_at": "net",
        },
        {"X": normal(5, 2)},
        ("W1", "b1"),
        ATTRIBUTE,
        (Raises("backward", "dz = 1 - self.h**2", "dz = 1 - self.z**2"),),
        ("model parameters in attributes",),
        "AttributeNet",
        "models.py",
    ),
    Example(
        "module globals",
        {
            "forward": "loss = global_loss(x)",
            "backward": "dx = global_backward(x)",
            "parameters_at": {"V": "V"},
            "gradient_at": {"V": "dV"},
        },
        {"x": normal(4, 2)},
        ("x", "V"),
        GLOBAL,
        (Raises("forward", "calls += 1", "calls += one"),),
        ("model parameters in globals",),
        "global_loss global_backward",
        "models.py",
    ),
    Example(
        "flat parameter vector",
        {"forward": "cost, dtheta = cost_and_grad(theta, X, y)"},
        VECTOR,
        ("theta",),
        FLAT,
        (Raises("forward", "grad = np.concatenate([(X.T @ error).ravel()", "grad = np.concatenate([(X.T @ error)"),),
        ("model parameters in one vector",),
        "cost_and_grad",
        "losses.py",
    ),
    Example(
        "escape hatch",
        {"build": "problem(seed)"},
        {},
        ("W", "b"),
        BUILT,
        (
            Raises("load", "rng = np.random.default_rng(seed)", "rng = np.random.default_rng(seeds)"),
            Raises("forward", "return float(np.tanh(W + b).sum())", "return float(np.tanh(W + c).sum())"),
        ),
        ("escape hatch",),
        "problem",
        "models.py",
    ),
    Example(
        "tensors in float32",
        {"arrays": "engine.py:Tensor", "forward": "out = (x @ w + b).tanh()"},
        XWB,
        ("x", "w", "b"),
        ENGINE,
        (Raises("backward", "self.grad += g * (1 - out**2)", "self.grad += g @ (1 - out**2)"),),
        ("own tensors", "tensor engine", "tensor engine that accumulates", "tensor engine in float32"),
        "Tensor",
        "engine.py",
    ),
)

"""The conventions of handwritten code as a table: each row is one way to write the same kind of call.

Rows say nothing of right or wrong; the tests check them against a plain central difference, and their wrong twins too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.handwritten.runner import Handwritten, open_handwritten
from gradcheck.location import Location, SourceText
from gradcheck.model.case import Case, CodeBody

FOLDER = Path(__file__).parent
LAYERS = FOLDER / "layers.py"


@dataclass(frozen=True)
class Example:
    """keys : the lines of the case; arrays : its inputs; tensors : whose gradients must come out

    wrong : (old, new) pairs of text in layers.py, each of which makes a gradient wrong
    """

    name: str
    keys: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]
    tensors: tuple[str, ...]
    wrong: tuple[tuple[str, str], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)


def text(words: str, key: str = "forward") -> SourceText:
    """A text as it stands in a case file named case.yaml, behind its key."""
    starts = (
        Location("case.yaml", 3, len(key) + 3),
        *(Location("case.yaml", 4 + i, 3) for i in range(words.count("\n"))),
    )
    return SourceText(words, starts)


def case_of(
    keys: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    path: Path = LAYERS,
    options: Mapping[str, Any] | None = None,
    sizes: Mapping[str, int] | None = None,
    **others: Any,
) -> Case:
    """A Case with code, as the loader would make it."""
    body: dict[str, Any] = {"path": path}
    for key, value in keys.items():
        if key in ("entry", "arrays"):
            body[key] = value
        else:
            body[key] = {n: text(t, n) for n, t in value.items()} if isinstance(value, Mapping) else text(value, key)
    where: dict[tuple[str | int, ...], Location] = {(key,): Location("case.yaml", 3, 1) for key in keys}
    where.update({("inputs", name): Location("case.yaml", 9, 3) for name in arrays})
    where[("code",)] = Location("case.yaml", 2, 1)
    return Case(
        name="example",
        location=Location("case.yaml", 1, 1),
        body=CodeBody(**body),
        where=where,
        inputs={name: text("normal(2)", name) for name in arrays},
        options=options or {},
        sizes=sizes or {},
        **others,
    )


def opened(example: Example, path: Path = LAYERS) -> Handwritten:
    case = case_of(example.keys, example.arrays, path, example.options, example.sizes)
    return open_handwritten(case, example.arrays)


def worst_error(code: Handwritten, step: float = 1e-5) -> float:
    """The largest difference between what the code claims and a plain central difference, relative to the larger."""
    weights = (
        np.random.default_rng(7).uniform(0.5, 1.5, code.value.size) if code.takes_upstream else np.ones(code.value.size)
    )
    gradients = code.vjp(weights)
    worst = 0.0
    for name in code.wrt:
        numeric = np.zeros(code.point[name].shape)
        for index in np.ndindex(numeric.shape):
            sides = []
            for sign in (1, -1):
                moved = {n: v.copy() for n, v in code.point.items()}
                moved[name][index] += sign * step
                sides.append(float(weights @ code.outputs(moved)))
            numeric[index] = (sides[0] - sides[1]) / (2 * step)
        claimed = np.asarray(gradients[name], dtype=float)
        if claimed.size != numeric.size:
            return float("inf")
        error = np.abs(claimed.reshape(numeric.shape) - numeric).max() / max(1.0, np.abs(numeric).max())
        worst = max(worst, float(error) if np.isfinite(error) else float("inf"))
    return worst


def _normal(*shape: int, seed: int = 0) -> NDArray[Any]:
    return np.random.default_rng(seed + sum(shape)).normal(size=shape)


X, W, B = _normal(4, 3), _normal(3, 2), _normal(2)
XWB = {"x": X, "w": W, "b": B}
OBJECT = {"x": X, "W": W, "b": B}
STEP = {"x": X, "prev_h": _normal(4, 5), "prev_c": _normal(4, 5, seed=1), "Wx": _normal(3, 5)}
LABELS = {"x": X, "y": np.array([0, 2, 1, 1])}
DENSE = "layer = Dense(3, 2)"

AFFINE_WRONG = (
    ("    dw = x.reshape(len(x), -1).T @ dout\n", "    dw = -x.reshape(len(x), -1).T @ dout\n"),
    ("    db = dout.sum(axis=0)\n    return dx, dw, db", "    db = dout[0]\n    return dx, dw, db"),
    ("    dx = (dout @ w.T)", "    dx = 2 * (dout @ w.T)"),
)
STEP_WRONG = (
    ("dnext_c + dnext_h * np.cos(next_c)", "dnext_h * np.cos(next_c)"),
    ("dc * prev_c * (1 - gate**2)", "dc * prev_c"),
    ("dc * gate, x.T @ dz", "dc * prev_c, x.T @ dz"),
)
OBJECT_WRONG = (
    ("        self.dW = self.x.T @ dout\n        self.db", "        self.dW = 2 * self.x.T @ dout\n        self.db"),
    (
        "        self.db = dout.sum(axis=0)\n        return dout @ self.W.T",
        "        self.db = dout.mean(axis=0)\n        return dout @ self.W.T",
    ),
    ("        return dout @ self.W.T\n\n\nclass ListAffine", "        return dout @ -self.W.T\n\n\nclass ListAffine"),
)
LIST_WRONG = (
    ("self.grads[0][...] = self.x.T @ dout", "self.grads[0][...] = self.x.T @ np.ones_like(dout)"),
    ("self.grads[1][...] = dout.sum(axis=0)", "self.grads[1][...] = dout[-1]"),
    (
        "        self.grads[1][...] = dout.sum(axis=0)\n        return dout @ W.T",
        "        self.grads[1][...] = dout.sum(axis=0)\n        return dout",
    ),
)
DENSE_WRONG = (
    ('self.grads["W"] = self.x.T @ dout', 'self.grads["W"] = self.x.T @ dout / 2'),
    ('self.grads["b"] = dout.sum(axis=0, keepdims=True)', 'self.grads["b"] = dout.mean(axis=0, keepdims=True)'),
    (
        '        return dout @ self.params["W"].T\n\n    def backprop',
        '        return -dout @ self.params["W"].T\n\n    def backprop',
    ),
)
NET_WRONG = (
    ('X.T @ dh + 2 * self.reg * p["W1"]', 'X.T @ dh + self.reg * p["W1"]'),
    ("* (1 - h**2)", "* (1 - h)"),
    ('"b1": dh.sum(axis=0)', '"b1": dh[0]'),
)
SOFTMAX_WRONG = (
    ("    dx /= len(x)\n", ""),
    ("    dx[rows, y] -= 1\n", "    dx[rows, y] += 1\n"),
    ("    dx = p.copy()\n", "    dx = p * (1 - p)\n"),
)
NET = {"setup": "net = TwoLayerNet(3, 4, reg=reg)", "parameters_at": "net.params", "gradient_at": "grads"}
NET_ARRAYS = {"X": X, "y": LABELS["y"]}

EXAMPLES = (
    Example(
        "pair",
        {"forward": "out, cache = affine_forward(x, w, b)", "backward": "dx, dw, db = affine_backward(dout, cache)"},
        XWB,
        ("x", "w", "b"),
        AFFINE_WRONG,
    ),
    Example(
        "bare pair", {"forward": "affine_forward", "backward": "affine_backward"}, XWB, ("x", "w", "b"), AFFINE_WRONG
    ),
    Example(
        "option dict last",
        {
            "forward": "out, cache = scaled_forward(x, dict(factor=factor))",
            "backward": "dx = scaled_backward(dout, cache)",
        },
        {"x": X},
        ("x",),
        (
            ('return 2 * scale_param["factor"] * x * dout', "return 2 * x * dout"),
            ('return 2 * scale_param["factor"] * x * dout', 'return scale_param["factor"] * x * dout'),
            ('return 2 * scale_param["factor"] * x * dout', 'return 2 * scale_param["factor"] * dout'),
        ),
        options={"factor": 3.0},
    ),
    Example(
        "two upstream gradients",
        {
            "forward": "next_h, next_c, cache = step_forward(x, prev_h, prev_c, Wx)",
            "backward": "dx, dprev_h, dprev_c, dWx = step_backward(dnext_h, dnext_c, cache)",
        },
        STEP,
        ("x", "prev_h", "prev_c", "Wx"),
        STEP_WRONG,
    ),
    Example(
        "bare two upstream gradients",
        {"forward": "step_forward", "backward": "step_backward"},
        STEP,
        ("x", "prev_h", "prev_c", "Wx"),
        STEP_WRONG,
    ),
    Example(
        "cache first",
        {"forward": "out, res = fwd(x, w)", "backward": "dx, dw = bwd(res, dout)"},
        {"x": X, "w": W},
        ("x", "w"),
        (
            ("dz = g * (1 - np.tanh(x @ w) ** 2)", "dz = g * (1 - np.tanh(x @ w))"),
            ("return dz @ w.T, x.T @ dz", "return dz @ w.T, x.T @ g"),
            ("return dz @ w.T, x.T @ dz", "return dz @ -w.T, x.T @ dz"),
        ),
    ),
    Example(
        "inputs again",
        {"forward": "out = product(a, b)", "backward": "da, db = product_backward(dout, a, b)"},
        {"a": X, "b": _normal(4, 3, seed=3)},
        ("a", "b"),
        (
            ("return dout * b, dout * a", "return dout * a, dout * b"),
            ("return dout * b, dout * a", "return dout * b, dout"),
            ("return dout * b, dout * a", "return b, dout * a"),
        ),
    ),
    Example("loss and gradient", {"forward": "loss, dx = softmax_loss(x, y)"}, LABELS, ("x",), SOFTMAX_WRONG),
    Example("bare loss and gradient", {"forward": "softmax_loss"}, LABELS, ("x",), SOFTMAX_WRONG),
    Example(
        "gradient of the first argument",
        {"forward": "loss, dW = svm_naive(W, X, y, reg)"},
        {"W": _normal(3, 5), "X": X, "y": np.array([0, 4, 2, 1])},
        ("W",),
        (
            ("+ 2 * reg * W", ""),
            ("+ 2 * reg * W", "+ reg * W"),
            ("weight = active.astype(float)", "weight = 0.0 * active"),
        ),
        options={"reg": 0.3},
    ),
    Example(
        "f and df",
        {"forward": "out = mse(target, pred)", "backward": "dpred = mse_prime(target, pred)"},
        {"target": B, "pred": _normal(2, seed=5)},
        ("pred",),
        (
            ("2 * (pred - target) / pred.size", "2 * (target - pred) / pred.size"),
            ("2 * (pred - target) / pred.size", "(pred - target) / pred.size"),
            ("2 * (pred - target) / pred.size", "2 * (pred - target)"),
        ),
    ),
    Example(
        "local derivative of the output",
        {"forward": "out = sigmoid(z)", "backward": "dz = dout * sigmoid_grad(out)"},
        {"z": X},
        ("z",),
        (
            ("return out * (1 - out)", "return sigmoid(out) * (1 - sigmoid(out))"),
            ("return out * (1 - out)", "return 1 - out"),
            ("return out * (1 - out)", "return out * (1 + out)"),
        ),
    ),
    Example(
        "flat parameter vector",
        {"forward": "cost, dtheta = cost_and_grad(theta, X, y)"},
        {"theta": _normal(9), "X": _normal(5, 2), "y": _normal(5, 3)},
        ("theta",),
        (
            ("return (error**2).sum() / 2, grad", "return (error**2).sum(), grad"),
            ("(X.T @ error).ravel(), error.sum(axis=0)", "(X.T @ error).T.ravel(), error.sum(axis=0)"),
            ("(X.T @ error).ravel(), error.sum(axis=0)", "(X.T @ error).ravel(), error[0]"),
        ),
    ),
    Example(
        "layer object",
        {
            "setup": "layer = Affine(W, b)",
            "forward": "out = layer.forward(x)",
            "backward": "dx = layer.backward(dout)",
            "gradient_at": {"W": "layer.dW", "b": "layer.db"},
        },
        OBJECT,
        ("x", "W", "b"),
        OBJECT_WRONG,
    ),
    Example("bare class", {"entry": "Affine"}, OBJECT, ("x", "W", "b"), OBJECT_WRONG),
    Example(
        "gradients in a list",
        {
            "setup": "layer = ListAffine(W, b)",
            "forward": "out = layer.forward(x)",
            "backward": "dx = layer.backward(dout)",
            "gradient_at": {"W": "layer.grads[0]", "b": "layer.grads[1]"},
        },
        OBJECT,
        ("x", "W", "b"),
        LIST_WRONG,
    ),
    Example("bare class with lists", {"entry": "ListAffine"}, OBJECT, ("x", "W", "b"), LIST_WRONG),
    Example(
        "parameters of its own in a dict",
        {
            "setup": DENSE,
            "forward": "out = layer.forward(x, train=True)",
            "backward": "dx = layer.backward(dout)",
            "parameters_at": "layer.params",
            "gradient_at": "layer.grads",
        },
        {"x": X},
        ("x", "W", "b"),
        DENSE_WRONG,
    ),
    Example(
        "a parameter found beside its gradient",
        {
            "setup": DENSE,
            "forward": "out = layer.forward(x)",
            "backward": "dx = layer.backward(dout)",
            "gradient_at": {"W": "layer.grads['W']"},
        },
        {"x": X},
        ("x", "W"),
        (DENSE_WRONG[0], DENSE_WRONG[2]),
    ),
    Example(
        "an input put into the object",
        {
            "setup": DENSE,
            "forward": "out = layer.forward(x)",
            "backward": "dx = layer.backward(dout)",
            "gradient_at": {"W": "layer.grads['W']", "b": "layer.grads['b']"},
        },
        {"x": X, "W": W, "b": _normal(1, 2)},
        ("x", "W", "b"),
        DENSE_WRONG,
    ),
    Example(
        "second value",
        {"setup": DENSE, "forward": "out = layer.forward(x)", "backward": "dx, (dW, db) = layer.second_value(dout)"},
        {"x": X},
        ("x", "W", "b"),
        (
            ("[self.x.T @ dout, dout.sum(axis=0, keepdims=True)]", "[self.x.T @ dout, dout[:1]]"),
            (
                "[self.x.T @ dout, dout.sum(axis=0, keepdims=True)]",
                "[-self.x.T @ dout, dout.sum(axis=0, keepdims=True)]",
            ),
            ('return dout @ self.params["W"].T, [', 'return 0 * dout @ self.params["W"].T, ['),
        ),
    ),
    Example(
        "update only",
        {
            "setup": DENSE,
            "forward": "out = layer.forward(x)",
            "backward": "dx = layer.backprop(dout, 1.0)",
            "gradient_at": {
                "W": "before(layer.params['W']) - layer.params['W']",
                "b": "before(layer.params['b']) - layer.params['b']",
            },
        },
        {"x": X},
        ("x", "W", "b"),
        (
            ("-= lr * (self.x.T @ dout)", "-= 2 * lr * (self.x.T @ dout)"),
            ("-= lr * (self.x.T @ dout)", "+= lr * (self.x.T @ dout)"),
            ('self.params["b"] - lr * dout.sum(axis=0, keepdims=True)', 'self.params["b"] - lr * dout[:1]'),
        ),
    ),
    Example(
        "objects with data and grad",
        {
            "setup": "layer = ObjectDense(3, 2)",
            "forward": "out = layer(x)",
            "backward": "dx = layer.backward(dout)",
            "parameters_at": "layer.parameters()",
            "gradient_at": "layer.parameters()",
        },
        {"x": X},
        ("x", "parameters[0]", "parameters[1]"),
        (
            ("self.bias.grad = dout.sum(axis=0)", "self.bias.grad = dout[1]"),
            ("self.weight.grad = self.x.T @ dout", "self.weight.grad = self.x.T @ dout + 1"),
            ("return dout @ self.weight.data.T", "return dout @ self.weight.data.T * 1.1"),
        ),
    ),
    Example(
        "one object with data and grad",
        {
            "setup": "layer = ObjectDense(3, 2)",
            "forward": "out = layer(x)",
            "backward": "dx = layer.backward(dout)",
            "gradient_at": {"weight": "layer.weight.grad"},
        },
        {"x": X},
        ("x", "weight"),
        (("self.weight.grad = self.x.T @ dout", "self.weight.grad = self.x.T @ dout + 1"),),
    ),
    Example(
        "lists from methods",
        {
            "setup": "layer = MethodDense(3, 2)",
            "forward": "out = layer.forward(x)",
            "backward": "dx = layer.backward(dout)",
            "parameters_at": "layer.get_params()",
            "gradient_at": "layer.get_grads()",
        },
        {"x": X},
        ("x", "get_params[0]", "get_params[1]"),
        DENSE_WRONG,
    ),
    Example(
        "output in an attribute",
        {
            "setup": "layer = KeepsOutput(weights, biases)",
            "forward": "layer.forward(x)",
            "output": "layer.output",
            "backward": "layer.backward(doutput)",
            "gradient_at": {"x": "layer.dinputs", "weights": "layer.dweights", "biases": "layer.dbiases"},
        },
        {"x": X, "weights": W, "biases": B},
        ("x", "weights", "biases"),
        (
            ("self.dweights = self.inputs.T @ dvalues", "self.dweights = self.inputs.T @ abs(dvalues) * 2"),
            ("self.dbiases = dvalues.sum(axis=0)", "self.dbiases = dvalues.sum()"),
            ("self.dinputs = dvalues @ self.weights.T", "self.dinputs = dvalues @ self.weights.T / 3"),
        ),
    ),
    Example(
        "bare class that keeps its output",
        {"entry": "KeepsOutput"},
        {"inputs": X, "weights": W, "biases": B},
        ("inputs", "weights", "biases"),
        (("self.dbiases = dvalues.sum(axis=0)", "self.dbiases = dvalues.sum()"),),
    ),
    Example(
        "lazy parameters",
        {
            "setup": "layer = LazyDense(2)",
            "forward": "out = layer.forward(x)",
            "backward": "dx = layer.backward(dout)",
            "gradient_at": {"W": "layer.dW"},
        },
        {"x": X},
        ("x", "W"),
        (
            (
                "        self.dW = self.x.T @ dout\n        return",
                "        self.dW = self.x.T @ dout * 2\n        return",
            ),
        ),
    ),
    Example(
        "random mask",
        {"setup": "layer = Dropout(0.5)", "forward": "out = layer.forward(x)", "backward": "dx = layer.backward(dout)"},
        {"x": X},
        ("x",),
        (
            ("return dout * self.mask *", "return dout *"),
            ("return dout * self.mask *", "return dout * (np.random.rand(*dout.shape) >= self.p) / (1 - self.p) *"),
            ("return dout * self.mask *", "return dout * (self.mask > 0) *"),
        ),
    ),
    Example(
        "class with an option",
        {"entry": "LeakyReLU"},
        {"x": X},
        ("x",),
        (
            ("np.where(self.x > 0, dout, self.alpha * dout)", "np.where(self.x > 0, dout, 0.0)"),
            ("np.where(self.x > 0, dout, self.alpha * dout)", "np.where(dout > 0, dout, self.alpha * dout)"),
            ("np.where(self.x > 0, dout, self.alpha * dout)", "dout"),
        ),
        options={"alpha": 0.2},
    ),
    Example(
        "loss layer without upstream gradient",
        {
            "setup": "layer = MSELoss()",
            "forward": "loss = layer.forward(pred, target)",
            "backward": "dpred = layer.backward()",
        },
        {"pred": X, "target": _normal(4, 3, seed=2)},
        ("pred",),
        (
            ("return 2 * self.difference / self.difference.size", "return 2 * self.difference"),
            ("return 2 * self.difference / self.difference.size", "return -2 * self.difference / self.difference.size"),
            ("return 2 * self.difference / self.difference.size", "return 2 * self.difference / len(self.difference)"),
        ),
    ),
    Example(
        "context",
        {
            "setup": "ctx = context()",
            "forward": "out = Square.forward(ctx, x, w)",
            "backward": "dx, dw = Square.backward(ctx, dout)",
        },
        {"x": X, "w": _normal(4, 3, seed=4)},
        ("x", "w"),
        (
            (
                "return grad_output * 2 * w * x, grad_output * x**ctx.power",
                "return grad_output * w * x, grad_output * x**ctx.power",
            ),
            (
                "return grad_output * 2 * w * x, grad_output * x**ctx.power",
                "return grad_output * 2 * w * x, x**ctx.power",
            ),
            (
                "return grad_output * 2 * w * x, grad_output * x**ctx.power",
                "return grad_output * 2 * x, grad_output * x**ctx.power",
            ),
        ),
    ),
    Example("bare class with a context", {"entry": "Square"}, {"x": X, "w": _normal(4, 3, seed=4)}, ("x", "w")),
    Example(
        "whole model",
        {**NET, "forward": "loss, grads = net.loss(X, y)"},
        NET_ARRAYS,
        ("W1", "b1", "W2"),
        NET_WRONG,
        options={"reg": 0.1},
    ),
    Example(
        "whole model, keys with d",
        {**NET, "forward": "loss, grads = net.keyed_by_d(X, y)"},
        NET_ARRAYS,
        ("W1", "b1", "W2"),
        NET_WRONG,
        options={"reg": 0.1},
    ),
    Example(
        "whole model, parameters found",
        {"setup": NET["setup"], "gradient_at": "grads", "forward": "loss, grads = net.loss(X, y)"},
        NET_ARRAYS,
        ("W1", "b1", "W2"),
        NET_WRONG,
        options={"reg": 0.1},
    ),
    Example(
        "whole model, one by one",
        {"setup": NET["setup"], "gradient_at": {"W1": "grads['dW1']"}, "forward": "loss, grads = net.keyed_by_d(X, y)"},
        NET_ARRAYS,
        ("W1",),
        NET_WRONG[:2],
        options={"reg": 0.1},
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
        {"X": _normal(5, 2)},
        ("W1", "b1"),
        (
            ("dz = 1 - self.h**2", "dz = 1 + self.h**2"),
            ("dz.sum(axis=0)\n\n\nV", "dz.mean(axis=0)\n\n\nV"),
            ("X.T @ dz, dz.sum(axis=0)\n\n\nV", "-X.T @ dz, dz.sum(axis=0)\n\n\nV"),
        ),
    ),
    Example(
        "module globals",
        {
            "forward": "loss = global_loss(x)",
            "backward": "dx = global_backward(x)",
            "parameters_at": {"V": "V"},
            "gradient_at": {"V": "dV"},
        },
        {"x": _normal(4, 2)},
        ("x", "V"),
        (
            ("dV = x.T @ dz", "dV = x.T @ dz.T if False else x.T @ x"),
            ("dz = np.cos(x @ V)", "dz = -np.cos(x @ V)"),
            ("return dz @ V.T\n\n\ndef problem", "return dz @ V\n\n\ndef problem"),
        ),
    ),
    Example(
        "escape hatch",
        {"build": "problem(seed)"},
        {},
        ("W", "b"),
        (
            ("d = 1 - np.tanh(W + b) ** 2", "d = 1 - np.tanh(W + b)"),
            ("(b, d.sum(axis=0))", "(b, d[0])"),
            ("d = 1 - np.tanh(W + b) ** 2", "d = np.tanh(W + b) ** 2 - 1"),
        ),
    ),
    Example(
        "several lines",
        {
            "forward": "h, c1 = affine_forward(x, w, b)\na, c2 = fwd(h, v)\nloss, da = softmax_loss(a, y)",
            "backward": "dh, dv = bwd(c2, da)\ndx, dw, db = affine_backward(dh, c1)",
        },
        {**XWB, "v": _normal(2, 3), "y": LABELS["y"]},
        ("x", "w", "b", "v"),
        AFFINE_WRONG,
    ),
)

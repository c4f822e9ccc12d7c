"""Function pairs: what the forward returns and the backward is given, and in which order."""

from __future__ import annotations

import numpy as np

from tests.handwritten_examples.example import XWB, B, Example, Raises, W, Wrong, X, normal

STEP = {"x": X, "prev_h": normal(4, 5), "prev_c": normal(4, 5, seed=1), "Wx": normal(3, 5)}
STEP_NAMES = ("x", "prev_h", "prev_c", "Wx")
TWO = {"a": X, "b": normal(4, 3, seed=3)}
AFFINE = (
    Wrong("sign", "dw = x.reshape", "dw = -x.reshape"),
    Wrong("not summed", "dout.sum(axis=0)", "dout[0]"),
    Wrong("factor", "dx = (dout @ w.T)", "dx = 2 * (dout @ w.T)"),
    Wrong("upstream ignored", "(len(x), -1).T @ dout", "(len(x), -1).T @ np.ones_like(dout)"),
)
AFFINE_RAISES = (
    Raises("backward", "dx = (dout @ w.T)", "dx = (dout @ w)"),
    Raises("forward", "cache = (x, w, b)", "cache = (x, w, bias)"),
)
SCALED = (
    Wrong("factor", 'return 2 * scale_param["factor"] * x', 'return scale_param["factor"] * x'),
    Wrong("path missing", 'return 2 * scale_param["factor"] * x', "return 2 * x"),
    Wrong("wrong local derivative", "* x * dout", "* dout"),
)
LSTM = (
    Wrong("path missing", "dnext_c + dnext_h * np.cos(next_c)", "dnext_h * np.cos(next_c)"),
    Wrong("wrong local derivative", "prev_c * (1 - gate**2)", "prev_c * (1 - gate)"),
    Wrong("wrong tensor", "dc * gate, x.T @ dz", "dc * prev_c, x.T @ dz"),
    Wrong("swapped", "dc = dnext_c + dnext_h * np.cos", "dc = dnext_h + dnext_c * np.cos"),
)
LSTM_RAISES = (Raises("backward", "x, prev_c, Wx, gate, next_c = cache", "x, prev_c, Wx, gate = cache"),)
CACHE_FIRST = (
    Wrong("wrong local derivative", "(1 - np.tanh(x @ w) ** 2)", "(1 - np.tanh(x @ w))"),
    Wrong("path missing", "return dz @ w.T, x.T @ dz", "return dz @ w.T, x.T @ g"),
    Wrong("sign", "return dz @ w.T", "return dz @ -w.T"),
)
PRODUCT = (
    Wrong("swapped", "return dout * b, dout * a", "return dout * a, dout * b"),
    Wrong("path missing", "return dout * b, dout * a", "return dout * b, dout"),
    Wrong("upstream ignored", "return dout * b", "return b"),
)

EXAMPLES = (
    Example(
        "pair",
        {"forward": "out, cache = affine_forward(x, w, b)", "backward": "dx, dw, db = affine_backward(dout, cache)"},
        XWB,
        ("x", "w", "b"),
        AFFINE,
        AFFINE_RAISES,
        ("pair", "CS231n pair"),
        "affine_forward affine_backward",
    ),
    Example(
        "bare pair",
        {"forward": "affine_forward", "backward": "affine_backward"},
        XWB,
        ("x", "w", "b"),
        AFFINE,
        AFFINE_RAISES,
        ("bare name", "CS231n pair"),
        "affine_forward affine_backward",
    ),
    Example(
        "option dict last",
        {
            "forward": "out, cache = scaled_forward(x, dict(factor=factor))",
            "backward": "dx = scaled_backward(dout, cache)",
        },
        {"x": X},
        ("x",),
        SCALED,
        (Raises("forward", 'scale_param["factor"] * x**2', 'scale_param["scale"] * x**2'),),
        ("option dict last", "CS231n option dict"),
        "scaled_forward scaled_backward",
        options={"factor": 3.0},
    ),
    Example(
        "bare option dict last",
        {"entry": "scaled"},
        {"x": X},
        ("x",),
        SCALED,
        (Raises("backward", 'return 2 * scale_param["factor"]', 'return 2 * scale_param["scale"]'),),
        ("option dict last", "CS231n option dict"),
        "scaled_forward scaled_backward",
        options={"factor": 3.0},
    ),
    Example(
        "two upstream gradients",
        {
            "forward": "next_h, next_c, cache = step_forward(x, prev_h, prev_c, Wx)",
            "backward": "dx, dprev_h, dprev_c, dWx = step_backward(dnext_h, dnext_c, cache)",
        },
        STEP,
        STEP_NAMES,
        LSTM,
        LSTM_RAISES,
        ("lstm step", "two upstream gradients"),
        "step_forward step_backward",
    ),
    Example(
        "bare two upstream gradients",
        {"forward": "step_forward", "backward": "step_backward"},
        STEP,
        STEP_NAMES,
        LSTM,
        LSTM_RAISES,
        ("lstm step", "two upstream gradients", "bare name"),
        "step_forward step_backward",
    ),
    Example(
        "cache first",
        {"forward": "out, res = fwd(x, w)", "backward": "dx, dw = bwd(res, dout)"},
        {"x": X, "w": W},
        ("x", "w"),
        CACHE_FIRST,
        (Raises("backward", "x, w = res", "x, w, b = res"),),
        ("cache first",),
        "fwd bwd",
    ),
    Example(
        "bare pair with the cache first",
        {"forward": "fwd", "backward": "bwd"},
        {"x": X, "w": W},
        ("x", "w"),
        CACHE_FIRST,
        (Raises("forward", "return np.tanh(x @ w), (x, w)", "return np.tanh(x + w), (x, w)"),),
        ("cache first", "bare name"),
        "fwd bwd",
    ),
    Example(
        "inputs again",
        {"forward": "out = product(a, b)", "backward": "da, db = product_backward(dout, a, b)"},
        TWO,
        ("a", "b"),
        PRODUCT,
        (Raises("backward", "return dout * b, dout * a", "return dout @ b, dout * a"),),
        ("inputs again",),
        "product product_backward",
    ),
    Example(
        "bare pair with the inputs again",
        {"entry": "product"},
        TWO,
        ("a", "b"),
        PRODUCT,
        (Raises("forward", "return a * b", "return a @ b"),),
        ("inputs again",),
        "product product_backward",
    ),
    Example(
        "several lines",
        {
            "forward": "h, c1 = affine_forward(x, w, b)\na, c2 = fwd(h, v)\nloss, da = softmax_loss(a, y)",
            "backward": "dh, dv = bwd(c2, da)\ndx, dw, db = affine_backward(dh, c1)",
        },
        {**XWB, "v": normal(2, 3), "y": np.array([0, 2, 1, 1])},
        ("x", "w", "b", "v"),
        AFFINE[:3],
        AFFINE_RAISES,
        ("pair", "loss and gradient"),
        "affine_forward affine_backward",
    ),
    Example(
        "a factor by convention",
        {"forward": "out = mse(target, pred)", "backward": "dpred = pred.size * mse_prime(target, pred) / 2"},
        {"target": B, "pred": normal(2, seed=5)},
        ("pred",),
        (
            Wrong("sign", "(pred - target)", "(target - pred)"),
            Wrong("factor", "return 2 * ", "return "),
            Wrong("wrong tensor", "(pred - target)", "pred"),
        ),
        (Raises("backward", "return 2 * (pred - target)", "return 2 * (pred - targets)"),),
        ("scale",),
        "mse_prime",
        sizes={"N": 2},
        scale={"pred": "N/2"},
    ),
)

"""Layer objects with a state: lazy parameters, train flags, random masks, states that pile up."""

from __future__ import annotations

from tests.handwritten_examples.example import Example, Raises, W, Wrong, X

LAYER = {"forward": "out = layer.forward(x)", "backward": "dx = layer.backward(dout)"}
STACKED = (
    Wrong("stale cache", "x, h = self.states.pop()", "x, h = self.states[0][0] * 2, self.states[0][1]"),
    Wrong("wrong local derivative", "(1 - h**2)", "(1 - h)"),
    Wrong("path missing", "self.dW = x.T @ dz", "self.dW = x.T @ dout"),
)
NOISY = (
    Wrong("mask not applied", "return dout * self.mask", "return dout * 1.0"),
    Wrong("factor", "return dout * self.mask", "return dout * self.mask * self.keep"),
    Wrong(
        "mask redrawn", "return dout * self.mask", "return dout * (np.random.rand(*dout.shape) < self.keep) / self.keep"
    ),
    Wrong(
        "wrong branch",
        "        if self.train:\n            return dout",
        "        if not self.train:\n            return dout",
    ),
)
DROPOUT = (
    Wrong("mask not applied", "return dout * self.mask *", "return dout *"),
    Wrong("mask redrawn", "return dout * self.mask *", "return dout * np.random.permutation(self.mask) *"),
    Wrong("factor", "return dout * self.mask *", "return dout * (self.mask > 0) *"),
)
LAZY = (
    Wrong("factor", "self.dW = self.x.T @ dout", "self.dW = self.x.T @ dout * 2"),
    Wrong("mean for sum", "dout.sum(axis=0)", "dout.mean(axis=0)"),
    Wrong("sign", "return dout @ self.W.T", "return -dout @ self.W.T"),
)
LAZY_IN_PART = (
    Wrong("factor", "= self.x.T @ dout", "= self.x.T @ dout * 2"),
    *LAZY[1:2],
    Wrong("upstream ignored", "= self.x.T @ dout", "= self.x.T @ np.ones_like(dout)"),
)

EXAMPLES = (
    Example(
        "lazy parameters",
        {"setup": "layer = Lazy(width)", **LAYER, "gradient_at": {"W": "layer.dW", "b": "layer.db"}},
        {"x": X},
        ("x", "W", "b"),
        LAZY,
        (Raises("forward", "if self.W is None:", "if self.w is None:"),),
        ("lazy parameters",),
        "Lazy",
        "objects.py",
        sizes={"width": 2},
    ),
    Example(
        "bare class with lazy parameters",
        {"entry": "Lazy"},
        {"x": X},
        ("x", "W", "b"),
        LAZY,
        (Raises("backward", "self.dW = self.x.T @ dout", "self.dW = self.x @ dout"),),
        ("lazy parameters",),
        "Lazy",
        "objects.py",
        sizes={"width": 2},
    ),
    Example(
        "bare class with lazy parameters beside others",
        {"entry": "LazyInPart"},
        {"x": X},
        ("x", "b", "W"),
        LAZY_IN_PART,
        (Raises("forward", "np.random.randn(x.shape[1], self.width)", "np.random.randn(x.shape[2], self.width)"),),
        ("lazy parameters",),
        "LazyInPart",
        "objects.py",
        sizes={"width": 2},
    ),
    Example(
        "train flag",
        {
            "setup": "layer = Noisy(keep)",
            "forward": "out = layer.forward(x, train=True)",
            "backward": "dx = layer.backward(dout)",
        },
        {"x": X},
        ("x",),
        NOISY,
        (Raises("forward", "return x * self.mask", "return x @ self.mask"),),
        ("train flag",),
        "Noisy",
        "objects.py",
        options={"keep": 0.5},
    ),
    Example(
        "bare class with a train flag",
        {"entry": "Noisy"},
        {"x": X},
        ("x",),
        NOISY,
        (Raises("backward", "if self.train:", "if self.training:"),),
        ("train flag",),
        "Noisy",
        "objects.py",
        options={"keep": 0.5},
    ),
    Example(
        "random mask",
        {"setup": "layer = Dropout(0.5)", **LAYER},
        {"x": X},
        ("x",),
        DROPOUT,
        (Raises("forward", "return x * self.mask", "return x @ self.mask"),),
        ("train flag",),
        "Dropout",
    ),
    Example(
        "states appended",
        {"setup": "layer = Stacked(W)", **LAYER, "gradient_at": {"W": "layer.dW"}},
        {"x": X, "W": W},
        ("x", "W"),
        STACKED,
        (Raises("backward", "x, h = self.states.pop()", "x, h = self.states.pop(1)"),),
        ("state per forward",),
        "Stacked",
        "objects.py",
    ),
    Example(
        "bare class that appends its states",
        {"entry": "Stacked"},
        {"x": X, "W": W},
        ("x", "W"),
        STACKED,
        (Raises("forward", "self.states.append((x, h))", "self.states.push((x, h))"),),
        ("state per forward",),
        "Stacked",
        "objects.py",
    ),
)

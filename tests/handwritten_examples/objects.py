"""Layer objects, how they are called: names of methods, constructors, learning rates and optimizers."""

from __future__ import annotations

from tests.handwritten_examples.example import OBJECT, XWB, Example, Raises, Wrong, X

LAYER = {"forward": "out = layer.forward(x)", "backward": "dx = layer.backward(dout)"}
SIZES = {"n_in": 3, "n_out": 2}
AFFINE = (
    Wrong("factor", "self.dW = self.x.T @ dout", "self.dW = 2 * self.x.T @ dout"),
    Wrong("mean for sum", "self.db = dout.sum(axis=0)", "self.db = dout.mean(axis=0)"),
    Wrong("sign", "return dout @ self.W.T", "return dout @ -self.W.T"),
    Wrong("upstream ignored", "self.dW = self.x.T @ dout", "self.dW = self.x.T @ np.ones_like(dout)"),
)
SHIFTED = (
    Wrong(
        "factor", "self.grad_W = self.layer_input.T @ accum_grad", "self.grad_W = self.layer_input.T @ accum_grad / 3"
    ),
    Wrong("not summed", "accum_grad.sum(axis=0, keepdims=True)", "accum_grad[:1]"),
    Wrong("sign", "return accum_grad", "return -accum_grad"),
)
PROPAGATED = (
    Wrong("wrong local derivative", "dz = dout * np.cos(", "dz = dout * np.sin("),
    Wrong("path missing", 'self.gradients["W"] = self.x.T @ dz', 'self.gradients["W"] = self.x.T @ dout'),
    Wrong("mean for sum", "dz.sum(axis=0)", "dz.mean(axis=0)"),
)
UPDATING = (
    Wrong("sign", "self.W -= learn_rate", "self.W += learn_rate"),
    Wrong("factor", "self.W -= learn_rate", "self.W -= 2 * learn_rate"),
    Wrong("not summed", "d_out.sum(axis=0)", "d_out[0]"),
    Wrong("stale cache", "        dx = d_out @ self.W.T\n", "        dx = d_out @ (self.W - d_out[0]).T\n"),
)
UPDATED = {
    "setup": "layer = Updating(n_in, n_out)",
    "forward": "out = layer.forward(x)",
    "backward": "dx = layer.backprop(dout, 1.0)",
    "gradient_at": {"W": "before(layer.W) - layer.W", "b": "before(layer.b) - layer.b"},
}
OPTIMISED = (
    Wrong("sign", "self.W = optimizer.update(self.W, self.x", "self.W = optimizer.update(self.W, -self.x"),
    Wrong("factor", "self.x.T @ dout)", "self.x.T @ dout / len(dout))"),
    Wrong("transposed", "dx = dout @ self.W.T", "dx = dout @ (self.W[::-1]).T"),
)
LEAKY = (
    Wrong("zero", "np.where(self.x > 0, dout, self.alpha * dout)", "np.where(self.x > 0, dout, 0.0)"),
    Wrong("wrong branch", "np.where(self.x > 0, dout", "np.where(dout > 0, dout"),
    Wrong("path missing", "np.where(self.x > 0, dout, self.alpha * dout)", "dout"),
)

EXAMPLES = (
    Example(
        "layer object",
        {"setup": "layer = Affine(W, b)", **LAYER, "gradient_at": {"W": "layer.dW", "b": "layer.db"}},
        OBJECT,
        ("x", "W", "b"),
        AFFINE,
        (Raises("load", "self.W, self.b = W, b", "self.W, self.b = W, b, 0"),),
        ("layer object", "forward and backward", "output returned", "input gradient returned"),
        "Affine",
    ),
    Example(
        "bare class",
        {"entry": "Affine"},
        OBJECT,
        ("x", "W", "b"),
        AFFINE,
        (Raises("backward", "return dout @ self.W.T", "return dout @ self.W"),),
        ("layer object", "forward and backward", "output returned", "input gradient returned", "bare name"),
        "Affine",
    ),
    Example(
        "forward_pass and backward_pass",
        {
            "setup": "layer = Shifted(n_in, n_out)",
            "forward": "out = layer.forward_pass(X)",
            "backward": "dX = layer.backward_pass(dout)",
            "gradient_at": {"W": "layer.grad_W", "w0": "layer.grad_w0"},
        },
        {"X": X},
        ("X", "W", "w0"),
        SHIFTED,
        (Raises("backward", "return accum_grad @ self.W.T", "return accum_grad @ self.W"),),
        ("forward_pass and backward_pass",),
        "Shifted",
        "objects.py",
        sizes=SIZES,
    ),
    Example(
        "bare class with passes",
        {"entry": "Shifted"},
        {"X": X},
        ("X", "W", "w0"),
        SHIFTED,
        (Raises("forward", "return X @ self.W + self.w0", "return X @ self.W + self.bias"),),
        ("forward_pass and backward_pass",),
        "Shifted",
        "objects.py",
        sizes=SIZES,
    ),
    Example(
        "fprop and bprop",
        {
            "setup": "layer = Propagated(w, b)",
            "forward": "out = layer.fprop(x)",
            "backward": "dx = layer.bprop(dout)",
            "gradient_at": {"w": "layer.gradients['W']", "b": "layer.gradients['b']"},
            "parameters_at": {"w": "layer.parameters['W']", "b": "layer.parameters['b']"},
        },
        XWB,
        ("x", "w", "b"),
        PROPAGATED,
        (Raises("backward", 'self.gradients["b"] = dz', 'self.gradient["b"] = dz'),),
        ("fprop and bprop",),
        "Propagated",
        "objects.py",
    ),
    Example(
        "bare class with fprop and bprop",
        {"entry": "Propagated"},
        OBJECT,
        ("x", "W", "b"),
        PROPAGATED,
        (Raises("load", 'self.parameters = {"W": W, "b": b}', 'self.parameters = {"W": W, "b": bias}'),),
        ("fprop and bprop", "gradients in a dict"),
        "Propagated",
        "objects.py",
    ),
    Example(
        "update only",
        UPDATED,
        {"x": X},
        ("x", "W", "b"),
        UPDATING,
        (Raises("backward", "self.W -= learn_rate", "self.W -= lr"),),
        ("update only", "backprop with a rate", "gradients as an update"),
        "Updating",
        "objects.py",
        sizes=SIZES,
    ),
    Example(
        "bare class that only updates",
        {"entry": "Updating"},
        {"x": X},
        ("x", "W", "b"),
        UPDATING,
        (Raises("backward", "self.b -= learn_rate", "self.b @= learn_rate"),),
        ("update only", "backprop with a rate", "gradients as an update", "bare name"),
        "Updating",
        "objects.py",
        sizes=SIZES,
    ),
    Example(
        "update by an optimizer",
        {
            "setup": "layer = Optimised(n_in, n_out)",
            "forward": "out = layer.forward(x)",
            "backward": "dx = layer.backward(dout, SGD(1.0))",
            "gradient_at": {"W": "before(layer.W) - layer.W"},
        },
        {"x": X},
        ("x", "W"),
        OPTIMISED,
        (Raises("backward", "self.W = optimizer.update(", "self.W = optimizer.step("),),
        ("update only", "gradients as an optimizer's update"),
        "Optimised",
        "objects.py",
        sizes=SIZES,
    ),
    Example(
        "class with an option",
        {"entry": "LeakyReLU"},
        {"x": X},
        ("x",),
        LEAKY,
        (Raises("backward", "np.where(self.x > 0, dout,", "np.where(self.x > 0, dout, 0,"),),
        ("bare name",),
        "LeakyReLU",
        options={"alpha": 0.2},
    ),
)

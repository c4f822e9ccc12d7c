"""Layer objects, where things are: outputs, input gradients, parameters and gradients in attributes, dicts, lists."""

from __future__ import annotations

from tests.handwritten_examples.example import OBJECT, B, Example, Raises, W, Wrong, X, normal

DENSE = "layer = Dense(3, 2)"
LAYER = {"forward": "out = layer.forward(x)", "backward": "dx = layer.backward(dout)"}
ATTRIBUTED = {"A_prev": X, "W": W, "b": B}
LISTS = (
    Wrong(
        "upstream ignored", "self.grads[0][...] = self.x.T @ dout", "self.grads[0][...] = self.x.T @ np.ones_like(dout)"
    ),
    Wrong("not summed", "self.grads[1][...] = dout.sum(axis=0)", "self.grads[1][...] = dout[-1]"),
    Wrong("path missing", "return dout @ W.T", "return dout @ np.ones_like(W).T"),
)
DENSE_WRONG = (
    Wrong("factor", 'self.grads["W"] = self.x.T @ dout', 'self.grads["W"] = self.x.T @ dout / 2'),
    Wrong("mean for sum", '"b"] = dout.sum(axis=0, keepdims=True)', '"b"] = dout.mean(axis=0, keepdims=True)'),
    Wrong("sign", '        return dout @ self.params["W"].T\n\n', '        return -dout @ self.params["W"].T\n\n'),
    Wrong("upstream ignored", 'self.grads["W"] = self.x.T @ dout', 'self.grads["W"] = self.x.T @ np.ones_like(dout)'),
)
DENSE_RAISES = (Raises("backward", 'self.grads["W"] = self.x.T @ dout', 'self.grads["W"] = self.x @ dout'),)
OUTPUT = (
    Wrong("factor", "self.dweights = self.inputs.T @ dvalues", "self.dweights = self.inputs.T @ dvalues * 2"),
    Wrong("upstream ignored", "self.dbiases = dvalues.sum(axis=0)", "self.dbiases = np.ones_like(dvalues).sum(axis=0)"),
    Wrong("sign", "self.dinputs = dvalues", "self.dinputs = -dvalues"),
)
COURSE = (
    Wrong("wrong local derivative", "dZ = dA * (1 - self.A**2)", "dZ = dA * (1 - self.Z**2)"),
    Wrong("mean for sum", "self.db = dZ.sum(axis=0)", "self.db = dZ.mean(axis=0)"),
    Wrong("path missing", "self.dA_prev = dZ", "self.dA_prev = dA"),
)

EXAMPLES = (
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
        OUTPUT,
        (Raises("backward", "self.dinputs = dvalues @ self.weights.T", "self.dinputs = dvalues @ self.weights"),),
        ("output in an attribute", "layer keeps its output", "layer keeps its input gradient"),
        "KeepsOutput",
    ),
    Example(
        "bare class that keeps its output",
        {"entry": "KeepsOutput"},
        {"inputs": X, "weights": W, "biases": B},
        ("inputs", "weights", "biases"),
        OUTPUT,
        (Raises("forward", "self.output = inputs @ self.weights", "self.output = inputs @ self.weight"),),
        ("output in an attribute", "layer keeps its output", "layer keeps its input gradient", "bare name"),
        "KeepsOutput",
    ),
    Example(
        "Z, A and dA_prev",
        {
            "setup": "layer = Attributed(W, b)",
            "forward": "layer.forward(A_prev)",
            "output": "layer.A",
            "backward": "layer.backward(dA)",
            "gradient_at": {"A_prev": "layer.dA_prev", "W": "layer.dW", "b": "layer.db"},
        },
        ATTRIBUTED,
        ("A_prev", "W", "b"),
        COURSE,
        (Raises("backward", "self.dA_prev = dZ @ self.W.T", "self.dA_prev = dZ @ self.W"),),
        ("output in an attribute", "layer keeps its output", "layer keeps its input gradient"),
        "Attributed",
        "objects.py",
    ),
    Example(
        "bare class with Z, A and dA_prev",
        {"entry": "Attributed"},
        ATTRIBUTED,
        ("A_prev", "W", "b"),
        COURSE,
        (Raises("forward", "self.A = np.tanh(self.Z)", "self.A = np.tanh(self.z)"),),
        ("output in an attribute", "layer keeps its output", "layer keeps its input gradient"),
        "Attributed",
        "objects.py",
    ),
    Example(
        "parameters and gradients in attributes",
        {"setup": "layer = Stacked(W)", **LAYER, "parameters_at": {"W": "layer.W"}, "gradient_at": {"W": "layer.dW"}},
        {"x": X, "W": W},
        ("x", "W"),
        (
            Wrong("factor", "self.dW = x.T @ dz", "self.dW = x.T @ dz / len(x)"),
            Wrong("transposed", "return dz @ self.W.T", "return dz @ self.W[::-1].T"),
            Wrong("upstream ignored", "dz = dout * (1", "dz = (1"),
        ),
        (Raises("load", "self.states = []", "self.states = list(1)"),),
        ("parameters in attributes", "gradients in attributes"),
        "Stacked",
        "objects.py",
    ),
    Example(
        "parameters in a list, gradients filled in place",
        {"setup": "layer = ListAffine(W, b)", **LAYER, "gradient_at": {"W": "layer.grads[0]", "b": "layer.grads[1]"}},
        OBJECT,
        ("x", "W", "b"),
        LISTS,
        (Raises("backward", "self.grads[1][...] = dout.sum(axis=0)", "self.grads[1][...] = dout.sum(axis=1)"),),
        ("parameters in a list", "gradients in a list"),
        "ListAffine",
    ),
    Example(
        "bare class with lists",
        {"entry": "ListAffine"},
        OBJECT,
        ("x", "W", "b"),
        LISTS,
        (Raises("load", "self.grads = [np.zeros_like(W)", "self.grads = [np.zero_like(W)"),),
        ("parameters in a list", "gradients in a list", "bare name"),
        "ListAffine",
    ),
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
        DENSE_RAISES,
        ("parameters in a dict", "gradients in a dict", "train flag"),
        "Dense",
    ),
    Example(
        "bare class with dicts",
        {"entry": "Dense"},
        {"x": X},
        ("x", "W", "b"),
        DENSE_WRONG,
        (Raises("load", "self.grads = {}", "self.grads = dict(1)"),),
        ("parameters in a dict", "gradients in a dict", "bare name"),
        "Dense",
        sizes={"n_in": 3, "n_out": 2},
    ),
    Example(
        "a parameter found beside its gradient",
        {"setup": DENSE, **LAYER, "gradient_at": {"W": "layer.grads['W']"}},
        {"x": X},
        ("x", "W"),
        (DENSE_WRONG[0], *DENSE_WRONG[2:]),
        DENSE_RAISES,
        ("parameters in a dict", "gradients in a dict"),
        "Dense",
    ),
    Example(
        "an input put into the object",
        {"setup": DENSE, **LAYER, "gradient_at": {"W": "layer.grads['W']", "b": "layer.grads['b']"}},
        {"x": X, "W": W, "b": normal(1, 2)},
        ("x", "W", "b"),
        DENSE_WRONG,
        DENSE_RAISES,
        ("parameters in a dict", "gradients in a dict"),
        "Dense",
    ),
)

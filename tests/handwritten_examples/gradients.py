"""Layer objects, how gradients of parameters are handed out: returned, as updates, by methods, in objects."""

from __future__ import annotations

from tests.handwritten_examples.example import Example, Raises, Wrong, X

DENSE = "layer = Dense(3, 2)"
LAYER = {"forward": "out = layer.forward(x)", "backward": "dx = layer.backward(dout)"}
SECOND = (
    Wrong("not summed", "@ dout, dout.sum(axis=0, keepdims=True)]", "@ dout, dout[:1]]"),
    Wrong("sign", "[self.x.T @ dout,", "[-self.x.T @ dout,"),
    Wrong("zero", 'return dout @ self.params["W"].T, [', 'return 0 * dout @ self.params["W"].T, ['),
)
RETURNED = (
    Wrong("transposed", "dX = dZ @ self.W.T", "dX = dZ @ self.W[::-1].T"),
    Wrong("mean for sum", "db = dZ.sum(axis=0)", "db = dZ.mean(axis=0)"),
    Wrong("factor", "dW = self.X.T @ dZ", "dW = self.X.T @ dZ / len(dZ)"),
)
UPDATE = (
    Wrong("factor", "-= lr * (self.x.T @ dout)", "-= 2 * lr * (self.x.T @ dout)"),
    Wrong("sign", "-= lr * (self.x.T @ dout)", "+= lr * (self.x.T @ dout)"),
    Wrong("not summed", "- lr * dout.sum(axis=0, keepdims=True)", "- lr * dout[:1]"),
)
OBJECTS = (
    Wrong("not summed", "self.bias.grad = dout.sum(axis=0)", "self.bias.grad = dout[1]"),
    Wrong("constant added", "self.weight.grad = self.x.T @ dout", "self.weight.grad = self.x.T @ dout + 1"),
    Wrong("factor", "return dout @ self.weight.data.T", "return dout @ self.weight.data.T * 1.1"),
)
WEIGHT = (
    OBJECTS[1],
    Wrong("upstream ignored", "self.weight.grad = self.x.T @ dout", "self.weight.grad = self.x.T @ np.ones_like(dout)"),
    OBJECTS[2],
)
METHODS = (
    Wrong("factor", "self._gw, self._gb = self.x.T @ dout", "self._gw, self._gb = self.x.T @ dout * 3"),
    Wrong("mean for sum", "dout.sum(axis=0)", "dout.mean(axis=0)"),
    Wrong("path missing", "return dout @ self._w.T", "return dout @ np.ones_like(self._w).T"),
)

EXAMPLES = (
    Example(
        "second value",
        {"setup": DENSE, "forward": "out = layer.forward(x)", "backward": "dx, (dW, db) = layer.second_value(dout)"},
        {"x": X},
        ("x", "W", "b"),
        SECOND,
        (Raises("backward", '@ self.params["W"].T, [', '@ self.params["w"].T, ['),),
        ("gradients in a second value",),
        "Dense",
    ),
    Example(
        "bare class with a second value",
        {"entry": "Returning"},
        {"X": X},
        ("X", "W", "b"),
        RETURNED,
        (Raises("backward", "dW = self.X.T @ dZ", "dW = self.X @ dZ"),),
        ("gradients in a second value", "bare name"),
        "Returning",
        "objects.py",
        sizes={"n_in": 3, "n_out": 2},
    ),
    Example(
        "update in a dict",
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
        UPDATE,
        (Raises("backward", "-= lr * (self.x.T @ dout)", "-= lr * (self.x @ dout)"),),
        ("update only", "gradients as an update"),
        "Dense",
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
        OBJECTS,
        (Raises("load", "self.bias = Parameter(np.random.randn(n_out))", "self.bias = Parameter()"),),
        ("parameters with .grad",),
        "ObjectDense",
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
        WEIGHT,
        (Raises("backward", "self.weight.grad = self.x.T @ dout", "self.weight.grad = self.x.T @ dout.T"),),
        ("parameters with .grad",),
        "ObjectDense",
    ),
    Example(
        "bare class of objects with data and grad",
        {"entry": "ObjectDense"},
        {"x": X},
        ("x", "weight", "bias"),
        OBJECTS,
        (
            Raises(
                "forward", "return x @ self.weight.data + self.bias.data", "return x @ self.weight.data + self.bias.b"
            ),
        ),
        ("parameters with .grad", "bare name"),
        "ObjectDense",
        sizes={"n_in": 3, "n_out": 2},
    ),
    Example(
        "lists from methods",
        {
            "setup": "layer = Methods(3, 2)",
            **LAYER,
            "parameters_at": "layer.params()",
            "gradient_at": "layer.param_grads()",
        },
        {"x": X},
        ("x", "params[0]", "params[1]"),
        METHODS,
        (Raises("backward", "return dout @ self._w.T", "return dout @ self._w"),),
        ("parameters from methods", "gradients from methods"),
        "Methods",
        "objects.py",
    ),
    Example(
        "bare class with methods",
        {"entry": "Methods"},
        {"x": X},
        ("x", "params[0]", "params[1]"),
        METHODS,
        (Raises("backward", "return [self._gw, self._gb]", "return [self._gw, self._bg]"),),
        ("parameters from methods", "gradients from methods"),
        "Methods",
        "objects.py",
        sizes={"n_in": 3, "n_out": 2},
    ),
)

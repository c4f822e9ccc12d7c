"""Activations and operations: local derivatives, operation objects, classes with a ctx."""

from __future__ import annotations

from tests.handwritten_examples.example import B, Example, Raises, Wrong, X, normal

WEIGHTED = {"x": X, "w": normal(4, 3, seed=4)}
SIGMOID = (
    Wrong("wrong local derivative", "return out * (1 - out)", "return sigmoid(out) * (1 - sigmoid(out))"),
    Wrong("path missing", "return out * (1 - out)", "return 1 - out"),
    Wrong("sign", "(1 - out)", "(1 + out)"),
)
ELU = (
    Wrong("wrong branch", "np.where(x > 0, 1.0", "np.where(x < 0, 1.0"),
    Wrong("wrong local derivative", "np.exp(x))", "np.exp(x) - 1)"),
    Wrong("constant added", "1.0, np.exp(x)", "1.1, np.exp(x)"),
)
TANH = (
    Wrong("wrong local derivative", "1 - self.out**2", "1 - self.out"),
    Wrong("sign", "1 - self.out**2", "self.out**2 - 1"),
    Wrong("path missing", "1 - self.out**2", "np.ones_like(self.out)"),
)
MULTIPLY = (
    Wrong("swapped", "return out_grad * b, out_grad * a", "return out_grad * a, out_grad * b"),
    Wrong("upstream ignored", "return out_grad * b", "return b"),
    Wrong("factor", "out_grad * a", "out_grad * a / 2"),
)
EXP = (
    Wrong("path missing", "return out_grad * self.out", "return out_grad"),
    Wrong("upstream ignored", "return out_grad * self.out", "return self.out"),
    Wrong("sign", "return out_grad", "return -out_grad"),
)
SQUARE = (
    Wrong("factor", "grad_output * 2 * w * x", "grad_output * w * x"),
    Wrong("upstream ignored", "grad_output * x**ctx.power", "x**ctx.power"),
    Wrong("path missing", "grad_output * 2 * w * x", "grad_output * 2 * x"),
)
SCALE = (
    Wrong("path missing", "return ctx.factor * grad_output * w", "return grad_output * w"),
    Wrong("swapped", "ctx.factor * grad_output * w, ctx.factor * grad_output * x", "grad_output * x, grad_output * w"),
    Wrong("upstream ignored", "ctx.factor * grad_output * x", "ctx.factor * x"),
)
LINEAR = (
    Wrong("transposed", "grad_weight = grad_output.T @ input", "grad_weight = (grad_output.T @ input).T"),
    Wrong("mean for sum", "grad_output.sum(axis=0)", "grad_output.mean(axis=0)"),
    Wrong("upstream ignored", "grad_input = grad_output", "grad_input = np.ones_like(grad_output)"),
)
CTX_EXP = (
    Wrong("path missing", "return dout * out", "return dout"),
    Wrong("upstream ignored", "return dout * out", "return out"),
    Wrong("stale cache", "return dout * out", "return dout * np.log(out)"),
)

EXAMPLES = (
    Example(
        "local derivative of the output",
        {"forward": "out = sigmoid(z)", "backward": "dz = dout * sigmoid_grad(out)"},
        {"z": X},
        ("z",),
        SIGMOID,
        (Raises("backward", "return out * (1 - out)", "return out * (1 - output)"),),
        ("local derivative", "derivative of the output"),
        "sigmoid_grad",
    ),
    Example(
        "bare local derivative of the output",
        {"forward": "sigmoid"},
        {"z": X},
        ("z",),
        SIGMOID,
        (Raises("backward", "return out * (1 - out)", "return out @ (1 - out)"),),
        ("local derivative", "derivative of the output", "bare name"),
        "sigmoid_grad",
    ),
    Example(
        "local derivative of the input",
        {"forward": "out = elu(x)", "backward": "dx = dout * elu_prime(x)"},
        {"x": X},
        ("x",),
        ELU,
        (Raises("backward", "return np.where(x > 0", "return np.where(x[9] > 0"),),
        ("local derivative", "derivative of the input"),
        "elu_prime",
        "losses.py",
    ),
    Example(
        "object with a local derivative",
        {"setup": "layer = Tanh()", "forward": "out = layer.forward(x)", "backward": "dx = dout * layer.gradient()"},
        {"x": X},
        ("x",),
        TANH,
        (Raises("backward", "return 1 - self.out**2", "return 1 - self.output**2"),),
        ("local derivative", "backward is the local derivative"),
        "Tanh",
        "losses.py",
    ),
    Example(
        "bare object with a local derivative",
        {"entry": "Tanh"},
        {"x": X},
        ("x",),
        TANH,
        (Raises("forward", "return self.out\n", "return self.output\n"),),
        ("local derivative", "backward is the local derivative"),
        "Tanh",
        "losses.py",
    ),
    Example(
        "operation with a node",
        {
            "setup": "op = Multiply(a, b)",
            "forward": "out = op.compute(a, b)",
            "backward": "da, db = op.gradient(dout, op)",
        },
        {"a": X, "b": normal(4, 3, seed=3)},
        ("a", "b"),
        MULTIPLY,
        (Raises("load", "self.inputs = (a, b)", "self.inputs = (a, b, c)"),),
        ("compute and gradient",),
        "Multiply",
        "losses.py",
    ),
    Example(
        "bare operation",
        {"entry": "Exp"},
        {"a": X},
        ("a",),
        EXP,
        (Raises("backward", "return out_grad * self.out", "return out_grad @ self.out"),),
        ("compute and gradient",),
        "Exp",
        "losses.py",
    ),
    Example(
        "context",
        {
            "setup": "ctx = context()",
            "forward": "out = Square.forward(ctx, x, w)",
            "backward": "dx, dw = Square.backward(ctx, dout)",
        },
        WEIGHTED,
        ("x", "w"),
        SQUARE,
        (Raises("backward", "x, w = ctx.saved_tensors", "x, w, b = ctx.saved_tensors"),),
        ("ctx Function on numpy",),
        "Square",
    ),
    Example(
        "bare class with a context",
        {"entry": "Square"},
        WEIGHTED,
        ("x", "w"),
        SQUARE,
        (Raises("forward", "ctx.save_for_backward(x, w)", "ctx.save_for_backwards(x, w)"),),
        ("ctx Function on numpy",),
        "Square",
    ),
    Example(
        "bare class with a context and an argument without gradient",
        {"entry": "Scale"},
        WEIGHTED,
        ("x", "w"),
        SCALE,
        (Raises("backward", "x, w = ctx.saved_tensors", "x, w = ctx.saved_tensor"),),
        ("ctx Function on numpy",),
        "Scale",
        "contexts.py",
        options={"factor": 0.5},
    ),
    Example(
        "bare class with a context, three gradients",
        {"entry": "Linear"},
        {"input": X, "weight": normal(2, 3), "bias": B},
        ("input", "weight", "bias"),
        LINEAR,
        (Raises("backward", "grad_weight = grad_output.T @ input", "grad_weight = grad_output @ input"),),
        ("ctx Function on numpy",),
        "Linear",
        "contexts.py",
    ),
    Example(
        "bare class with a context that keeps its output",
        {"entry": "Exp"},
        {"x": X},
        ("x",),
        CTX_EXP,
        (Raises("backward", "(out,) = ctx.saved_tensors", "out, x = ctx.saved_tensors"),),
        ("ctx Function on numpy",),
        "Exp",
        "contexts.py",
    ),
)

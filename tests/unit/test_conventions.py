"""A bare name stands for the statement that its code suggests; what is ambiguous is asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck.errors import FieldError
from gradcheck.handwritten.conventions import complete
from gradcheck.handwritten.session import CodeError
from gradcheck.model.case import CodeBody
from tests.handwritten_examples.table import LAYERS, X, case_of


def statements(path: Path, keys: dict[str, Any], inputs: str, integers: str = "", **others: Any) -> tuple[str, ...]:
    arrays = dict.fromkeys(inputs.split(), X) | {name: np.array([1]) for name in integers.split()}
    case = case_of(keys, arrays, path, **others)
    assert isinstance(case.body, CodeBody)
    return complete(case, case.body, path, tuple(inputs.split()))[1]


def written(tmp_path: Path, source: str) -> Path:
    path = tmp_path / "layers.py"
    path.write_text(source)
    return path


@pytest.mark.parametrize(
    ("keys", "inputs", "others", "expected"),
    [
        (
            {"forward": "affine_forward", "backward": "affine_backward"},
            "x w b",
            {},
            ("forward: out, cache = affine_forward(x, w, b)", "backward: dx, dw, db = affine_backward(dout, cache)"),
        ),
        (
            {"forward": "affine_forward"},
            "b x w",
            {},
            ("forward: out, cache = affine_forward(x, w, b)", "backward: dx, dw, db = affine_backward(dout, cache)"),
        ),
        (
            {"entry": "affine"},
            "X W B",
            {},
            ("forward: out, cache = affine_forward(X, W, B)", "backward: dX, dW, dB = affine_backward(dout, cache)"),
        ),
        (
            {"forward": "scaled_forward"},
            "x",
            {"options": {"factor": 2.0}},
            (
                "forward: out, cache = scaled_forward(x, dict(factor=factor))",
                "backward: dx = scaled_backward(dout, cache)",
            ),
        ),
        (
            {"forward": "step_forward"},
            "x prev_h prev_c Wx",
            {},
            (
                "forward: next_h, next_c, cache = step_forward(x, prev_h, prev_c, Wx)",
                "backward: dx, dprev_h, dprev_c, dWx = step_backward(dnext_h, dnext_c, cache)",
            ),
        ),
        (
            {"forward": "fwd", "backward": "bwd"},
            "x w",
            {},
            ("forward: out, cache = fwd(x, w)", "backward: dx, dw = bwd(cache, dout)"),
        ),
        (
            {"forward": "product"},
            "a b",
            {},
            ("forward: out = product(a, b)", "backward: da, db = product_backward(dout, a, b)"),
        ),
        ({"forward": "sigmoid"}, "z", {}, ("forward: out = sigmoid(z)", "backward: dz = dout * sigmoid_grad(out)")),
        (
            {"forward": "mse"},
            "target pred",
            {},
            ("forward: out = mse(target, pred)", "backward: dpred = mse_prime(target, pred)"),
        ),
        (
            {"forward": "out, c = affine_forward(x, w, b)", "backward": "affine_backward"},
            "x w b",
            {},
            ("backward: dx, dw, db = affine_backward(dout, c)",),
        ),
        (
            {"entry": "Affine"},
            "x W b",
            {},
            (
                "setup: layer = Affine(W, b)",
                "forward: out = layer.forward(x)",
                "backward: dx = layer.backward(dout)",
                "gradient_at: {W: layer.dW, b: layer.db}",
            ),
        ),
        (
            {"entry": "ListAffine"},
            "x W b",
            {},
            (
                "setup: layer = ListAffine(W, b)",
                "forward: out = layer.forward(x)",
                "backward: dx = layer.backward(dout)",
                'gradient_at: {W: "layer.grads[0]", b: "layer.grads[1]"}',
            ),
        ),
        (
            {"entry": "ObjectDense"},
            "x",
            {"sizes": {"n_in": 3, "n_out": 2}},
            (
                "setup: layer = ObjectDense(n_in, n_out)",
                "forward: out = layer(x)",
                "backward: dx = layer.backward(dout)",
                "gradient_at: {weight: layer.weight.grad, bias: layer.bias.grad}",
            ),
        ),
        (
            {"entry": "Square"},
            "x w",
            {},
            (
                "setup: ctx = context()",
                "forward: out = Square.forward(ctx, x, w)",
                "backward: dx, dw = Square.backward(ctx, dout)",
            ),
        ),
        (
            {"entry": "MSELoss"},
            "pred target",
            {},
            (
                "setup: layer = MSELoss()",
                "forward: out = layer.forward(pred, target)",
                "backward: dpred = layer.backward()",
            ),
        ),
        (
            {"entry": "KeepsOutput"},
            "inputs weights biases",
            {},
            (
                "setup: layer = KeepsOutput(weights, biases)",
                "forward: layer.forward(inputs)",
                "output: layer.output",
                "backward: layer.backward(doutput)",
                "gradient_at: {inputs: layer.dinputs, weights: layer.dweights, biases: layer.dbiases}",
            ),
        ),
    ],
)
def test_a_bare_name_stands_for(keys: dict[str, Any], inputs: str, others: Any, expected: tuple[str, ...]) -> None:
    assert statements(LAYERS, keys, inputs, **others) == expected


def test_a_loss_that_returns_its_gradient_needs_no_backward() -> None:
    assert statements(LAYERS, {"forward": "softmax_loss"}, "x", "y") == ("forward: loss, dx = softmax_loss(x, y)",)


def test_a_whole_model_has_its_gradients_under_the_names_of_its_parameters() -> None:
    assert statements(LAYERS, {"entry": "TwoLayerNet"}, "X", "y", sizes={"n_in": 3, "n_hidden": 4}) == (
        "setup: net = TwoLayerNet(n_in, n_hidden)",
        "forward: loss, grads = net.loss(X, y)",
        "parameters_at: net.params",
        "gradient_at: grads",
    )


def test_a_learning_rate_makes_the_update_the_gradient(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "class Dense:\n    def __init__(self, n):\n        self.W = n\n"
        "    def forward_pass(self, x):\n        return x\n"
        "    def backward_pass(self, output_error, learning_rate):\n        self.W -= learning_rate\n"
        "        return output_error\n",
    )
    assert statements(path, {"entry": "Dense"}, "x", sizes={"n": 3}) == (
        "setup: layer = Dense(n)",
        "forward: out = layer.forward_pass(x)",
        "backward: dx = layer.backward_pass(dout, 1.0)",
        "gradient_at: {W: before(layer.W) - layer.W}",
    )


def test_methods_of_a_base_class_and_functions_of_a_neighbour_count(tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text(
        "class Layer:\n    def forward(self, x):\n        return x\n"
        "    def backward(self, dout):\n        return dout\n"
        "def cube_forward(x):\n    return x, 1\ndef cube_backward(dout, cache):\n    return dout\n"
    )
    path = written(tmp_path, "from base import Layer, cube_forward, cube_backward\nclass Same(Layer):\n    pass\n")
    assert statements(path, {"entry": "Same"}, "x")[1:] == (
        "forward: out = layer.forward(x)",
        "backward: dx = layer.backward(dout)",
    )
    assert statements(path, {"entry": "cube"}, "x") == (
        "forward: out, cache = cube_forward(x)",
        "backward: dx = cube_backward(dout, cache)",
    )


def test_written_statements_are_left_alone() -> None:
    assert (
        statements(LAYERS, {"forward": "out, cache = affine_forward(x, w, b)", "backward": "dx = f(dout)"}, "x w b")
        == ()
    )


@pytest.mark.parametrize(
    ("source", "keys", "message", "hint"),
    [
        (
            "def act(x):\n    return x\ndef act_prime(x):\n    return x * (1 - x)\n",
            {"forward": "act"},
            "cannot tell whether 'act_prime(x)' is given the input 'x' or the output 'out'",
            "write it out: backward: dx = dout * act_prime(out)",
        ),
        (
            "def f(x, momentum):\n    return x\ndef f_backward(dout):\n    return dout\n",
            {"forward": "f"},
            "cannot tell what 'f(x, momentum)' is given for 'momentum'",
            "write it out: forward: … = f(x, …)",
        ),
        (
            "def f(x):\n    return x, 1\ndef f_backward(dout, cache, momentum):\n    return dout\n",
            {"forward": "f"},
            "cannot tell what 'f_backward(dout, cache, momentum)' is given for 'momentum'",
            "write it out: backward: … = f_backward(dout, cache, …)",
        ),
        (
            "def f(x):\n    return x\n",
            {"forward": "f"},
            "nothing says where the gradients of 'f(x)' come from",
            "write it out: backward: … = …(dout, …)",
        ),
        (
            "class Odd:\n    def run(self, x):\n        return x\n",
            {"entry": "Odd"},
            "the class 'Odd' has no pair of methods that is known, such as forward and backward",
            "write it out: setup: layer = Odd(…), forward: …, backward: …",
        ),
    ],
)
def test_what_is_ambiguous_is_asked_for(tmp_path: Path, source: str, keys: Any, message: str, hint: str) -> None:
    with pytest.raises(FieldError) as caught:
        statements(written(tmp_path, source), keys, "x")
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_name_that_the_code_lacks_is_suggested() -> None:
    with pytest.raises(CodeError) as caught:
        statements(LAYERS, {"forward": "afine_forward"}, "x w b")
    error = caught.value
    assert (error.kind, error.text, error.hint) == (
        "missing",
        "layers.py has no 'afine_forward'",
        "did you mean 'affine_forward'?",
    )

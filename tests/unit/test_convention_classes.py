"""Classes behind a bare name: losses that take no upstream gradient, contexts, outputs and gradients that are kept."""

from pathlib import Path

import pytest

from gradcheck.errors import FieldError
from tests.unit.test_convention_names import completed, only, run

LOSS = (
    "import numpy as np\nclass {name}:\n    def forward(self, {inputs}):\n        self.d = {inputs}\n"
    "        return 1.0\n    def backward(self{dout}):\n        return {returned}\n"
)


@pytest.mark.parametrize(
    ("name", "inputs", "dout", "returned", "call"),
    [
        ("SoftmaxWithLoss", "x, t", ", dout=1", "self.d", "layer.backward()"),
        ("MSE", "x", ", dout=1", "self.d", "layer.backward()"),
        ("Output", "x, target", ", dout=None", "self.d", "layer.backward()"),
        ("MeanSquaredLoss", "x, t", ", dout=1", "self.d * dout", "layer.backward(dout)"),  # it makes use of it
        ("MeanSquaredLoss", "x, t", ", dout", "self.d", "layer.backward(dout)"),  # it has to be given one
        ("Relu", "x", ", dout=1", "self.d", "layer.backward(dout)"),  # a layer that ignores it is wrong
    ],
)
def test_a_loss_that_makes_no_use_of_its_upstream_gradient_is_given_none(
    tmp_path: Path, name: str, inputs: str, dout: str, returned: str, call: str
) -> None:
    source = LOSS.format(name=name, inputs=inputs, dout=dout, returned=returned)
    names = inputs.replace(",", "")
    found = completed(tmp_path, source, {"entry": name}, names, "t target")
    assert f"backward: dx = {call}" in found.statements


CONTEXT = (
    "class F:\n    @staticmethod\n    def forward(ctx, x, w, n):\n        return {out}\n"
    "    @staticmethod\n    def backward(ctx, {upstream}):\n        return {returned}\n"
)


@pytest.mark.parametrize(
    ("out", "upstream", "returned", "forward", "backward"),
    [
        ("x", "dout", "dout, dout * 2, None", "out", "dx, dw, _ = F.backward(ctx, dout)"),
        ("x", "dout", "dout, dout", "out", "dx, dw = F.backward(ctx, dout)"),
        ("h, c", "dh, dc", "gx, gw, None", "h, c", "dx, dw, _ = F.backward(ctx, dh, dc)"),
        ("h * w", "g", "helper(ctx, g)", "out", "dx, dw, _ = F.backward(ctx, dout)"),
    ],
)
def test_a_class_with_a_context_gives_one_value_for_every_argument(
    tmp_path: Path, out: str, upstream: str, returned: str, forward: str, backward: str
) -> None:
    source = CONTEXT.format(out=out, upstream=upstream, returned=returned)
    found = completed(tmp_path, source, {"entry": "F"}, "x w n", "n")
    assert found.statements == (
        "setup: ctx = context()",
        f"forward: {forward} = F.forward(ctx, x, w, n)",
        f"backward: {backward}",
    )


KEEPS = (
    "class L:\n    def forward(self, x):\n        {kept}\n"
    "    def backward(self, {upstream}):\n        return {upstream}\n"
)


@pytest.mark.parametrize(
    ("kept", "upstream", "output"),
    [
        ("self.Z = x; self.A = x", "dA", "A"),
        ("self.Z = x; self.A = x", "dZ", "Z"),
        ("self.z = x; self.output = x", "grad", "output"),
        ("self.A = x", "grad", "A"),
    ],
)
def test_the_output_that_is_kept_is_the_one_whose_gradient_backward_takes(
    tmp_path: Path, kept: str, upstream: str, output: str
) -> None:
    found = completed(tmp_path, KEEPS.format(kept=kept, upstream=upstream), {"entry": "L"}, "x")
    assert f"output: layer.{output}" in found.statements
    assert f"backward: dx = layer.backward(d{output})" in found.statements


def test_one_of_several_outputs_that_are_kept_is_asked_for(tmp_path: Path) -> None:
    source = KEEPS.format(kept="self.Z = x; self.A = x", upstream="grad")
    with pytest.raises(FieldError) as caught:
        completed(tmp_path, source, {"entry": "L"}, "x")
    assert (
        caught.value.message == "cannot tell which of 'Z', 'A' is the output of 'L.forward(x)', which returns nothing"
    )
    assert caught.value.hint == "write it out: output: layer.A"


AFFINE = (
    "import numpy as np\nclass L:\n    def __init__(self, {arguments}):\n        self.W, self.b = {values}\n"
    "    def forward(self, X):\n        self.X = X\n        return X @ self.W + self.b\n"
    "    def backward(self, dout):\n        dX, dW, db = dout @ self.W.T, self.X.T @ dout, dout.sum(axis=0)\n"
    "        {kept}\n        return {returned}\n"
)


LEFT = [
    ("pass", "dX, [dW, db]", "backward: dX, [dW, db] = layer.backward(dout)"),
    ("pass", "dX, (dW, db)", "backward: dX, [dW, db] = layer.backward(dout)"),
    ("pass", "dX, dW, db", "backward: dX, dW, db = layer.backward(dout)"),
    ("self.dLdW, self.dLdb = dW, db", "dX", "gradient_at: {W: layer.dLdW, b: layer.dLdb}"),
    ("self.dL_dW, self.dL_db = dW, db", "dX", "gradient_at: {W: layer.dL_dW, b: layer.dL_db}"),
    ("self.grad_W, self.grad_b = dW, db", "dX", "gradient_at: {W: layer.grad_W, b: layer.grad_b}"),
]
GIVEN = ("W, b", "W, b", "  X: normal(4, 3)\n  W: normal(3, 2)\n  b: normal(2)\n")
DRAWN = ("n, m", "np.random.randn(n, m), np.random.randn(m)", "  X: normal(4, 3)\nsizes:\n  n: 3\n  m: 2\n")
NAMELESS = ("pass", "dX * 1, dW * 1, db * 1", "backward: dX, dW, db = layer.backward(dout)")


@pytest.mark.parametrize(
    ("left", "made"), [*((left, made) for left in LEFT for made in (GIVEN, DRAWN)), (NAMELESS, GIVEN)]
)
def test_gradients_of_parameters_are_found_where_backward_leaves_them(
    tmp_path: Path, left: tuple[str, str, str], made: tuple[str, str, str]
) -> None:
    (kept, returned, statement), (arguments, values, inputs) = left, made
    source = AFFINE.format(kept=kept, returned=returned, arguments=arguments, values=values)
    result = only(run(tmp_path, source, f"code: layers.py:L\ninputs:\n{inputs}"))
    assert statement in result.statements
    assert [(f.tensor, f.verdict) for f in result.findings] == [("X", "pass"), ("W", "pass"), ("b", "pass")]


METHODS = (
    "import numpy as np\nclass L:\n    def __init__(self, n):\n        self._w = np.ones((n, n)) + np.arange(n)\n"
    "    def forward(self, x):\n        self._x = x\n        return x @ self._w\n"
    "    def backward(self, dout):\n        self._g = {factor} * self._x.T @ dout\n        return dout @ self._w.T\n"
    "    def {first}(self):\n        return [self._w]\n    def {second}(self):\n        return [self._g]\n"
)


@pytest.mark.parametrize(
    ("first", "second"), [("params", "param_grads"), ("get_params", "get_grads"), ("parameters", "gradients")]
)
@pytest.mark.parametrize(("factor", "verdict"), [(1, "pass"), (2, "fail")])
def test_parameters_that_methods_hand_out_are_checked(
    tmp_path: Path, first: str, second: str, factor: int, verdict: str
) -> None:
    source = METHODS.format(first=first, second=second, factor=factor)
    result = only(run(tmp_path, source, "code: layers.py:L\ninputs:\n  x: normal(4, 3)\nsizes:\n  n: 3\n"))
    assert [(f.tensor, f.verdict) for f in result.findings] == [("x", "pass"), (f"{first}[0]", verdict)]


def test_a_global_that_a_function_makes_when_it_runs_holds_a_gradient(tmp_path: Path) -> None:
    source = "import numpy as np\nV = np.array([1.0, 2.0])\ndef f(x):\n    return (x * V).sum()\n"
    source += "def b(x):\n    global dV\n    dV = x.sum(axis=0)\n    return np.tile(V, (len(x), 1))\n"
    case = "code: layers.py\nforward: out = f(x)\nbackward: dx = b(x)\ninputs:\n  x: normal(3, 2)\n"
    case += "parameters_at:\n  V: V\ngradient_at:\n  V: dV\n"
    assert [(f.tensor, f.verdict) for f in only(run(tmp_path, source, case)).findings] == [("x", "pass"), ("V", "pass")]

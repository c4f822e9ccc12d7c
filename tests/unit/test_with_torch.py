"""torch tensors in place of arrays: types, parameters, outputs, gradients that got lost, and torch left as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.handwritten.opening import open_handwritten
from gradcheck.handwritten.with_torch import TorchTensors
from tests.handwritten_examples.table import X, case_of
from tests.wrapped_examples.table import FOLDER, needs, report, result, written

pytestmark = needs("torch")
X_ONLY = "inputs:\n  x: normal(4, 3)\n"
TORCH = f"code: code.py\narrays: torch\n{X_ONLY}"
HEAD = "import torch\nfrom torch import nn\n"


def test_torch_is_left_as_it_was(tmp_path: Path) -> None:
    import torch

    source = f"{HEAD}torch.manual_seed(5)\ntorch.set_default_dtype(torch.float16)\ntorch.set_grad_enabled(False)\n"
    written(tmp_path, f"{source}def f(x):\n    torch.manual_seed(7)\n    return x * torch.rand(3)\n")
    torch.manual_seed(11)
    state = torch.get_rng_state()
    assert result(tmp_path, f"{TORCH}forward: out = f(x)\n").verdict == "pass"
    assert torch.equal(torch.get_rng_state(), state)
    assert (torch.get_default_dtype(), torch.is_grad_enabled()) == (torch.float32, True)


def test_what_is_drawn_inside_is_drawn_alike_every_time(tmp_path: Path) -> None:
    written(tmp_path, f"{HEAD}def f(x):\n    return x * torch.rand(x.shape)\n")
    assert result(tmp_path, f"{TORCH}forward: out = f(x)\n").verdict == "pass"


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_code_is_given_the_type_that_was_asked_for(dtype: str, tmp_path: Path) -> None:
    lines = f"    assert x.dtype in (torch.{dtype}, torch.float64)\n    assert torch.zeros(1).dtype == x.dtype\n"
    written(tmp_path, f"{HEAD}def f(x):\n{lines}    return torch.tanh(x)\n")
    text = f"code: code.py\narrays: torch(dtype={dtype})\nforward: out = f(x)\n{X_ONLY}"
    found = result(tmp_path, text)
    assert found.verdict == "pass"
    note = "gradients as asked for, differences of the same code in float64"
    assert (note in found.notes) == (dtype != "float64")


FLOAT32 = "code: torch_code.py\narrays: torch(dtype=float32)\nforward: out = Affine.apply(x, w, b)\n"
AFFINE = f"{FLOAT32}inputs:\n  x: normal(4, 3)\n  w: normal(3, 2)\n  b: normal(2)\n"
FIVE_PERCENT = ("ctx.scale * (dout @ w.T)", "1.05 * ctx.scale * (dout @ w.T)")


def test_a_right_float32_function_passes_and_one_wrong_by_5_percent_fails(tmp_path: Path) -> None:
    right = result(tmp_path, AFFINE, "torch_code.py")
    assert right.verdict == "pass"
    assert right.resolution is not None
    assert right.resolution < 0.002
    assert right.findings[0].notes == ("computed in float32: judged to about 3 digits",)
    wrong = result(tmp_path, AFFINE, "torch_code.py", change=FIVE_PERCENT)
    assert [f.verdict for f in wrong.findings] == ["fail", "pass", "pass"]


def test_float32_that_cannot_be_had_in_float64_is_judged_by_its_own_differences(tmp_path: Path) -> None:
    change = ("ctx.scale = scale\n", "ctx.scale = scale\n        assert x.dtype == torch.float32\n")
    right = result(tmp_path, AFFINE, "torch_code.py", change=change)
    assert right.verdict == "pass"
    assert "gradients as asked for, differences of the same code in float64" not in right.notes
    both = (tmp_path / "torch_code.py").read_text().replace(*FIVE_PERCENT)
    (tmp_path / "torch_code.py").write_text(both)
    assert [f.verdict for f in result(tmp_path, AFFINE).findings] == ["fail", "pass", "pass"]


def test_bfloat16_is_judged_by_what_bfloat16_can_hold(tmp_path: Path) -> None:
    text = AFFINE.replace("float32", "bfloat16")
    right = result(tmp_path, text, "torch_code.py")
    assert right.verdict == "pass"
    assert right.findings[0].notes[0] == "computed in half precision: judged to 1 or 2 digits"
    change = ("ctx.scale * (x.T @ dout)", "1.3 * ctx.scale * (x.T @ dout)")
    wrong = result(tmp_path, text, "torch_code.py", change=change)
    assert [f.verdict for f in wrong.findings] == ["pass", "fail", "pass"]


def test_tensors_of_another_type_are_an_error_with_the_way_out(tmp_path: Path) -> None:
    written(tmp_path, f"{HEAD}def f(x):\n    return x @ torch.ones(3, 2, dtype=torch.float32)\n")
    error = result(tmp_path, f"{TORCH}forward: out = f(x)\n").error
    assert error is not None
    assert (error.during, error.line) == ("forward", 4)
    assert (
        error.hint == "the code makes tensors of another type; write arrays: torch(dtype=float32), or make them x.dtype"
    )


@pytest.mark.parametrize(
    ("setup", "tensors"),
    [
        ("setup: net = nn.Linear(3, 2)\nforward: out = net(x)", ["weight", "bias"]),
        (
            "setup: net = nn.Sequential(nn.Tanh(), nn.Linear(3, 2))\nforward: out = net(x)",
            ["net_1_weight", "net_1_bias"],
        ),
        (
            "setup: |\n  a = nn.Linear(3, 4)\n  b = nn.Linear(4, 2, bias=False)\nforward: out = b(torch.tanh(a(x)))",
            ["a_weight", "a_bias", "b_weight"],
        ),
        ("setup: |\n  a = nn.Linear(3, 3)\n  b = nn.Sequential(a)\nforward: out = b(a(x))", ["a_weight", "a_bias"]),
        ("setup: net = nn.LazyLinear(2)\nforward: out = net(x)", ["weight", "bias"]),
        ("setup: net = nn.Sequential(nn.ReLU(inplace=True))\nforward: out = net(x)", []),
        ("setup: w = torch.ones(3, requires_grad=True)\nforward: out = x * w", ["w"]),
        (
            "setup: net = nn.Linear(3, 2)\nforward: out = net(x)\nparameters_at: net.named_parameters()",
            ["weight", "bias"],
        ),
        (
            "setup: net = nn.Linear(3, 2)\nforward: out = net(x)\nparameters_at: net.parameters()",
            ["parameters_0", "parameters_1"],
        ),
        ("setup: net = Frozen()\nforward: out = net(x)", ["second_weight", "second_bias"]),
        ("setup: net = Plain()\nforward: out = net(x)", ["w"]),
    ],
)
def test_parameters_are_found(setup: str, tensors: list[str], tmp_path: Path) -> None:
    frozen = (
        "class Frozen(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 2)\n"
        "        self.first.requires_grad_(False)\n"
        "    def forward(self, x):\n        return self.second(self.first(x))\n"
    )
    plain = (
        "class Plain:\n    def __init__(self):\n"
        "        self.w, self.c = torch.ones(3, requires_grad=True), torch.ones(3)\n"
        "    def __call__(self, x):\n        return x * self.w + self.c\n"
    )
    written(tmp_path, HEAD + frozen + plain)
    found = result(tmp_path, f"{TORCH}{setup}\n")
    assert found.error is None
    assert [(f.tensor, f.verdict) for f in found.findings] == [(name, "pass") for name in ["x", *tensors]]


def test_an_input_that_is_called_like_a_parameter_is_its_value(tmp_path: Path) -> None:
    written(tmp_path, HEAD)
    text = f"{TORCH}  weight: full((2, 3), 0.5)\nsetup: net = nn.Linear(3, 2)\nforward: out = net(x)\n"
    found = result(tmp_path, f"{text}upstream: ones\nexpected:\n  x: {[[1.0, 1.0, 1.0]] * 4}\n")
    assert {(f.claim, f.verdict) for f in found.findings} == {("backward", "pass"), ("expected", "pass")}


def test_a_parameter_that_nothing_uses_is_a_note(tmp_path: Path) -> None:
    text = f"code: torch_code.py\narrays: torch\nsetup: net = HalfUsed()\nforward: out = net(x)\n{X_ONLY}"
    found = result(tmp_path, text, "torch_code.py")
    assert [f.tensor for f in found.findings] == ["x", "used_weight", "used_bias"]
    assert found.notes == (
        "'unused_weight' has no gradient, and forward does not depend on it",
        "'unused_bias' has no gradient, and forward does not depend on it",
    )


def test_a_gradient_that_was_forgotten_is_missing(tmp_path: Path) -> None:
    change = ("return dx, dw, dout.sum(0), None", "return dx, dw, None, None")
    error = result(tmp_path, AFFINE.replace("(dtype=float32)", ""), "torch_code.py", change=change).error
    assert error is not None
    assert (error.kind, error.during, error.text) == (
        "missing",
        "backward",
        "backward gives no gradient of 'b', which forward depends on",
    )


def test_where_a_parameter_was_made_from_an_input_its_gradient_has_to_be_told(tmp_path: Path) -> None:
    source = "class Layer(nn.Module):\n    def __init__(self, W):\n        super().__init__()\n"
    source += "        self.W = nn.Parameter(W)\n    def forward(self, x):\n        return x @ self.W\n"
    written(tmp_path, HEAD + source)
    text = f"{TORCH}  W: normal(3, 2)\nsetup: layer = Layer(W)\nforward: out = layer(x)\n"
    error = result(tmp_path, text).error
    assert error is not None
    assert error.hint == "say where it is: gradient_at: {W: layer.W.grad}"
    found = result(tmp_path, f"{text}gradient_at:\n  W: layer.W.grad\n")
    assert [(f.tensor, f.verdict) for f in found.findings] == [("x", "pass"), ("W", "pass")]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            "(x**2).detach()",
            "an output has no gradient: it was detached, or made from something else than the inputs",
        ),
        ("x.detach().numpy()", "forward gives one ndarray as 'out', which has no gradient"),
        ("None", "forward gives one NoneType as 'out', which has no gradient"),
    ],
)
def test_an_output_without_gradient_is_an_error(body: str, text: str, tmp_path: Path) -> None:
    written(tmp_path, f"{HEAD}def f(x):\n    return {body}\n")
    error = result(tmp_path, f"{TORCH}forward: out = f(x)\n").error
    assert error is not None
    assert error.text.removesuffix(" (forward at x)") == text


def test_what_is_returned_beside_tensors_is_no_output(tmp_path: Path) -> None:
    written(tmp_path, f"{HEAD}def f(x):\n    return x**2, {{'x': x}}, 3.5, x.argmax()\n")
    found = result(tmp_path, f"{TORCH}forward: out, cache, number, index = f(x)\n")
    assert [(f.tensor, f.shape, f.verdict) for f in found.findings] == [("x", (4, 3), "pass")]


def test_a_forward_that_differentiates_on_its_way_is_left_its_graph(tmp_path: Path) -> None:
    body = "    (force,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)\n    return force\n"
    written(tmp_path, f"{HEAD}def f(x):\n{body}")
    assert result(tmp_path, f"{TORCH}forward: out = f(x)\n").verdict == "pass"


@pytest.mark.parametrize(
    "backward",
    ["out.backward(dout)", "dx = torch.autograd.grad(out, x, dout)", "(out * dout).sum().backward()"],
)
def test_backward_may_be_written_out(backward: str, tmp_path: Path) -> None:
    written(tmp_path, f"{HEAD}def f(x):\n    return torch.sin(x)\n")
    assert result(tmp_path, f"{TORCH}forward: out = f(x)\nbackward: {backward}\n").verdict == "pass"


def test_a_weight_of_the_module_may_be_named(tmp_path: Path) -> None:
    written(tmp_path, f"{HEAD}W = torch.randn(3, 2, requires_grad=True)\ndef f(x):\n    return torch.tanh(x @ W)\n")
    found = result(tmp_path, f"{TORCH}forward: out = f(x)\nparameters_at:\n  W: W\ngradient_at:\n  W: W.grad\n")
    assert [(f.tensor, f.verdict) for f in found.findings] == [("x", "pass"), ("W", "pass")]


@pytest.mark.parametrize(
    ("name", "inputs", "lines"),
    [
        ("Swish", "x", ("arrays: torch", "forward: out = Swish.apply(x)")),
        ("Split", "x", ("arrays: torch", "forward: out, cache = Split.apply(x)")),
        ("Net", "x", ("arrays: torch", "setup: net = Net(n_in, n_hidden)", "forward: out = net(x)")),
    ],
)
def test_a_bare_name_of_torch_needs_no_declaration(name: str, inputs: str, lines: tuple[str, ...]) -> None:
    sizes = {"n_in": 3, "n_hidden": 4} if name == "Net" else {}
    code = open_handwritten(case_of({"entry": name}, {inputs: X}, FOLDER / "torch_code.py", sizes=sizes), {inputs: X})
    assert code.statements == lines


def test_what_the_code_makes_is_on_the_device_that_was_asked_for() -> None:
    import torch

    tensors = TorchTensors(torch, "float64", "meta")  # a device that every machine has
    tensors.enter()
    assert torch.zeros(1).device.type == "meta"
    tensors.leave()
    assert torch.zeros(1).device.type == "cpu"


def test_a_device_that_is_not_there_is_a_mistake_of_the_file(tmp_path: Path) -> None:
    text = TORCH.replace("arrays: torch", "arrays: torch(device=abacus)")
    (problem,) = report(written(tmp_path, HEAD), f"{text}forward: out = x\n").problems
    assert problem.message.startswith("the device 'abacus' cannot be used: Expected one of cpu, ")
    assert problem.hint == "leave it out, and tensors are on the CPU"

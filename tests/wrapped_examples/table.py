"""Code on tensors as a table: torch, jax and engines of one's own, each row a case, wrong twins of it, one that raises.

Rows say nothing of right or wrong; the tests run them as `gradcheck run` would.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.model.report import CaseResult, Report

FOLDER = Path(__file__).parent
ABSENT = {
    library: f"'{library}' is not installed: pip install 'gradcheck[{library}]'"
    for library in ("torch", "jax")
    if find_spec(library) is None
}


@dataclass(frozen=True)
class Example:
    """file : the code; case : the lines of the case; tensors : whose gradients must be judged, in order

    wrong : (old, new) pairs of text in the file, each of which makes a gradient wrong
    raising : a pair that lets the code raise
    """

    name: str
    file: str
    case: str
    tensors: tuple[str, ...]
    wrong: tuple[tuple[str, str], ...]
    raising: tuple[str, str]


def needs(library: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(library in ABSENT, reason=ABSENT.get(library, ""))


def params(examples: list[tuple[Example, Any]]) -> list[Any]:
    """One parameter set for each pair, skipped with a reason where the library is absent."""
    return [
        pytest.param(example, value, id=f"{example.name}-{number}", marks=needs(example.file.partition("_")[0]))
        for number, (example, value) in enumerate(examples)
    ]


def written(folder: Path, source: str, name: str = "code.py") -> Path:
    """The folder, with a file of that text in it."""
    (folder / name).write_text(source)
    return folder


def report(folder: Path, text: str, *files: str, change: tuple[str, str] | None = None) -> Report:
    """Run the cases of a text beside copies of some example files.

    change : (old, new) in the first of them
    """
    for i, file in enumerate(files):
        source = (FOLDER / file).read_text()
        if change is not None and i == 0:
            assert source.count(change[0]) == 1, f"the table does not fit {file}: {change[0]!r}"
            source = source.replace(*change)
        (folder / file).write_text(source)
    (folder / "case.yaml").write_text(textwrap.dedent(text))
    return run_cases(load([folder / "case.yaml"]), Settings())


def result(folder: Path, text: str, *files: str, change: tuple[str, str] | None = None) -> CaseResult:
    """The one result of a text with one case."""
    found = report(folder, text, *files, change=change)
    assert found.problems == ()
    (only,) = found.cases
    return only


AFFINE_INPUTS = "inputs:\n  x: normal(4, 3)\n  w: normal(3, 2)\n  b: normal(2)\n"
X_AND_W = "inputs:\n  x: normal(4, 3)\n  w: normal(3, 2)\n"
NET = ("x", "fc1_weight", "norm_weight", "norm_bias", "fc2_weight", "fc2_bias")

TORCH = (
    Example(
        "torch Function",
        "torch_code.py",
        f"code: torch_code.py\narrays: torch\nforward: out = Affine.apply(x, w, b, 0.5)\n{AFFINE_INPUTS}",
        ("x", "w", "b"),
        (
            ("ctx.scale * (dout @ w.T)", "dout @ w.T"),
            ("ctx.scale * (x.T @ dout)", "-ctx.scale * (x.T @ dout)"),
            ("dout.sum(0), None", "dout.mean(0), None"),
        ),
        ("ctx.scale * (x.T @ dout)", "ctx.scale * (x @ dout)"),
    ),
    Example(
        "bare torch Function",
        "torch_code.py",
        f"code: torch_code.py:Affine\n{AFFINE_INPUTS}options:\n  scale: 3.0\n",
        ("x", "w", "b"),
        (
            ("ctx.scale * (dout @ w.T)", "dout @ w.T"),
            ("ctx.scale * (x.T @ dout)", "1.05 * ctx.scale * (x.T @ dout)"),
            ("dout.sum(0), None", "dout[0], None"),
        ),
        ("x, w = ctx.saved_tensors\n        dx", "x, w, _ = ctx.saved_tensors\n        dx"),
    ),
    Example(
        "torch Function with two outputs",
        "torch_code.py",
        "code: torch_code.py\narrays: torch\nforward: sine, growth = Split.apply(x)\ninputs:\n  x: normal(3, 2)\n",
        ("x",),
        (
            ("dsine * torch.cos(x) + dgrowth * growth", "dsine * torch.cos(x)"),
            ("dsine * torch.cos(x) + dgrowth * growth", "dsine * torch.sin(x) + dgrowth * growth"),
            ("dsine * torch.cos(x) + dgrowth * growth", "dgrowth * torch.cos(x) + dsine * growth"),
        ),
        ("(x,) = inputs\n", "(x, y) = inputs\n"),
    ),
    Example(
        "torch module",
        "torch_code.py",
        "code: torch_code.py\narrays: torch\nsetup: net = Net(3, 4)\nforward: out = net(x)\n"
        "inputs:\n  x: normal(5, 3)\n",
        NET,
        (
            ("dout * s * (1 + x * (1 - s))", "dout * s * (1 + x * s)"),
            ("dout * s * (1 + x * (1 - s))", "dout * s"),
            ("dout * s * (1 + x * (1 - s))", "s * (1 + x * (1 - s))"),
        ),
        ("s = torch.sigmoid(x)", "s = torch.sigmoid(x, x)"),
    ),
    Example(
        "plain torch function",
        "torch_code.py",
        "code: torch_code.py\narrays: torch\nforward: out = distance(x, w)\n"
        "inputs:\n  x: uniform(0.5, 1, size=(4, 3))\n  w: normal(3)\n",
        ("x", "w"),
        (
            ("dout * (x > 0)", "dout * x"),
            ("dout * (x > 0)", "2 * dout * (x > 0)"),
            ("dout * (x > 0)", "dout * (x < 0)"),
        ),
        ("dout * (x > 0)", "dout * (x > nothing)"),
    ),
    Example(
        "function pair on torch tensors",
        "torch_code.py",
        "code: torch_code.py\narrays: torch\nforward: out, cache = scaled_forward(x, w)\n"
        f"backward: dx, dw = scaled_backward(dout, cache)\n{X_AND_W}",
        ("x", "w"),
        (
            ("dz = dout * (1 - out**2)", "dz = dout * (1 - out)"),
            ("return dz @ w.T, x.T @ dz", "return dout @ w.T, x.T @ dz"),
            ("return dz @ w.T, x.T @ dz", "return dz @ w.T, x.T @ dz / 2"),
        ),
        ("return dz @ w.T, x.T @ dz", "return dz @ w, x.T @ dz"),
    ),
    Example(
        "torch, backward written out",
        "torch_code.py",
        "code: torch_code.py\narrays: torch\nforward: out = Affine.apply(x, w, b)\nbackward: out.backward(dout)\n"
        f"{AFFINE_INPUTS}",
        ("x", "w", "b"),
        (
            ("ctx.scale * (dout @ w.T)", "dout @ w.T + 1"),
            ("ctx.scale * (x.T @ dout)", "-ctx.scale * (x.T @ dout)"),
            ("dout.sum(0), None", "dout.mean(0), None"),
        ),
        ("ctx.scale * (x.T @ dout)", "ctx.scales * (x.T @ dout)"),
    ),
)
JAX = (
    Example(
        "jax custom_vjp",
        "jax_code.py",
        f"code: jax_code.py:affine\n{AFFINE_INPUTS}",
        ("x", "w", "b"),
        (
            ("dz = g * (1 - out**2)", "dz = g * (1 - out)"),
            ("x.T @ dz, dz.sum(0)", "x.T @ dz, dz[0]"),
            ("return dz @ w.T,", "return -(dz @ w.T),"),
        ),
        ("dz = g * (1 - out**2)", "dz = g * (1 - nothing**2)"),
    ),
    Example(
        "jax custom_vjp with an argument that is not differentiated",
        "jax_code.py",
        "code: jax_code.py\narrays: jax\nforward: out = power(x, n)\n"
        "inputs:\n  x: uniform(1, 2, size=3)\noptions:\n  n: 3\n",
        ("x",),
        (
            ("g * n * x ** (n - 1)", "g * x ** (n - 1)"),
            ("g * n * x ** (n - 1)", "g * n * x**n"),
            ("g * n * x ** (n - 1)", "n * x ** (n - 1)"),
        ),
        ("return (g * n * x ** (n - 1),)", "raise ValueError(n)"),
    ),
    Example(
        "jax custom_jvp",
        "jax_code.py",
        "code: jax_code.py:softplus\ninputs:\n  x: normal(3, 2)\n",
        ("x",),
        (
            ("t / (1 + jnp.exp(-x))", "t / (1 + jnp.exp(x))"),
            ("t / (1 + jnp.exp(-x))", "2 * t / (1 + jnp.exp(-x))"),
            ("t / (1 + jnp.exp(-x))", "-t / (1 + jnp.exp(-x))"),
        ),
        ("t / (1 + jnp.exp(-x))", "t / (1 + jnp.exp(-nothing))"),
    ),
    Example(
        "plain jax function",
        "jax_code.py",
        "code: jax_code.py\narrays: jax\nforward: out = loss(w, x, target)\n"
        "inputs:\n  w: normal(3)\n  x: normal(4, 3)\n  target: normal(4)\nwrt: [w, x]\n",
        ("w", "x"),
        (
            ("t / (1 + jnp.exp(-x))", "t / (1 + jnp.exp(x))"),
            ("t / (1 + jnp.exp(-x))", "t * (1 + jnp.exp(-x))"),
            ("t / (1 + jnp.exp(-x))", "t"),
        ),
        ("(softplus(x @ w) - target)", "(softplus(x @ w) - targets)"),
    ),
    Example(
        "jax parameters in a tree",
        "jax_code.py",
        "code: jax_code.py\narrays: jax\nsetup: params = init(seed)\nforward: out = model(params, x)\n"
        "inputs:\n  x: normal(4, 3)\n",
        ("x", "W", "tail_0", "tail_1_0"),
        (
            ("dz = g * (1 - out**2)", "dz = g * (1 - out)"),
            ("x.T @ dz, dz.sum(0)", "x.T @ dz, dz[0]"),
            ("return dz @ w.T,", "return -(dz @ w.T),"),
        ),
        ("dz = g * (1 - out**2)", "dz = g * nothing"),
    ),
    Example(
        "jax, cache first",
        "jax_code.py",
        "code: jax_code.py\narrays: jax\nforward: out, res = affine_fwd(x, w, b)\n"
        f"backward: dx, dw, db = affine_bwd(res, dout)\n{AFFINE_INPUTS}",
        ("x", "w", "b"),
        (
            ("dz = g * (1 - out**2)", "dz = g * (1 - out)"),
            ("x.T @ dz, dz.sum(0)", "x.T @ dz, dz[0]"),
            ("return dz @ w.T,", "return -(dz @ w.T),"),
        ),
        ("x, w, out = res", "x, w = res"),
    ),
)
TENSOR_WRONG = (
    ("self.grad += (1 - out.data**2) * out.grad", "self.grad += (1 - out.data) * out.grad"),
    ("other.grad += self.data.T @ out.grad", "other.grad += -(self.data.T @ out.grad)"),
    ("other.grad += reduced(out.grad, other.shape)", "other.grad = reduced(out.grad, other.shape) * 2"),
)
OWN = (
    Example(
        "tensors of one's own",
        "tensors.py",
        f"code: tensors.py\narrays: tensors.py:Tensor\nforward: out = (x @ w + b).tanh()\n{AFFINE_INPUTS}",
        ("x", "w", "b"),
        TENSOR_WRONG,
        ("other.grad += self.data.T @ out.grad", "other.grad += self.data @ out.grad"),
    ),
    Example(
        "layers of one's own",
        "tensors.py",
        "code: tensors.py\narrays: tensors.py:Tensor\nsetup: net = Net(3, 4)\nforward: out = net(x)\n"
        "inputs:\n  x: normal(5, 3)\n",
        ("x", "layers_0_W", "layers_0_b", "layers_1_W", "layers_1_b"),
        TENSOR_WRONG,
        ("self.grad += (1 - out.data**2) * out.grad", "self.grad += (1 - t**2) * out.grad"),
    ),
    Example(
        "a scalar loss of one's own",
        "tensors.py",
        "code: tensors.py\narrays: tensors.py:Tensor\nforward: loss = squares((x @ w).tanh())\n"
        f"backward: loss.backward()\n{X_AND_W}",
        ("x", "w"),
        (
            *TENSOR_WRONG[:2],
            ("other.grad += reduced(self.data * out.grad", "other.grad = reduced(self.data * out.grad"),
        ),
        ("self.grad += np.ones_like(self.data) * out.grad", "self.grad += np.one_like(self.data) * out.grad"),
    ),
    Example(
        "single numbers of one's own",
        "scalars.py",
        "code: scalars.py\narrays: scalars.py:Value\nforward: out = (a * b + a).tanh()\ninputs:\n  a: 0.5\n  b: -1.5\n",
        ("a", "b"),
        (
            ("self.grad += (1 - t**2) * out.grad", "self.grad += (1 - t) * out.grad"),
            ("self.grad += other.data * out.grad", "self.grad = other.data * out.grad"),
            ("self.grad += other.data * out.grad", "self.grad += out.grad"),
        ),
        ("self.grad += (1 - t**2) * out.grad", "self.grad += (1 - t**2) / 0 * out.grad"),
    ),
    Example(
        "a network of single numbers",
        "scalars.py",
        "code: scalars.py\narrays: scalars.py:Value\nsetup: net = MLP([2, 2, 1])\nforward: out = net(x)\n"
        "inputs:\n  x: normal(2)\n",
        ("x", "layers_0_0_w", "layers_0_0_b", "layers_0_1_w", "layers_0_1_b", "layers_1_0_w", "layers_1_0_b"),
        (
            ("self.grad += (1 - t**2) * out.grad", "self.grad += (1 - t) * out.grad"),
            ("other.grad += self.data * out.grad", "other.grad = self.data * out.grad"),
            ("self.grad += other.data * out.grad", "self.grad += out.grad"),
        ),
        ("self.grad += (1 - t**2) * out.grad", "self.grad += (1 - t**2) / 0 * out.grad"),
    ),
    Example(
        "an engine that takes an upstream gradient",
        "variables.py",
        f"code: variables.py\narrays: variables.py:Variable\nforward: out = sine(dot(x, w))\n{X_AND_W}",
        ("x", "w"),
        (
            ("lambda g: g * np.cos(a._data)),))\n\n\ndef half", "lambda g: g * np.sin(a._data)),))\n\n\ndef half"),
            ("lambda g: a._data.T @ g", "lambda g: a._data.T @ g / len(g)"),
            ("lambda g: g @ b._data.T", "lambda g: np.ones_like(g) @ b._data.T"),
        ),
        ("lambda g: a._data.T @ g", "lambda g: a._data @ g"),
    ),
)
EXAMPLES = (*TORCH, *JAX, *OWN)

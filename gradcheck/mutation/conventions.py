"""Handwritten code of every convention, right, and the mistakes that its wrong twins have: what `selftest` runs.

One entry per way in which a case may call code or make a claim, as README lists them; how the calls are read
is `handwritten`'s business. Everything is small: the code is not the subject, the way to it is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from gradcheck.casefile.loader import load_file
from gradcheck.errors import GradcheckError
from gradcheck.mutation.bench import Bench
from gradcheck.mutation.outcomes import Row
from gradcheck.record import dataclass


@dataclass(frozen=True, slots=True)
class Convention:
    """case : the lines of a case below its name; code : right code, in code.py beside it

    wrong : (old, new) pairs, each of which makes one wrong twin of the code, or of the case
    """

    name: str
    case: str
    code: str
    wrong: tuple[tuple[str, str], ...]


AFFINE = """
def forward(x, w, b):
    return x @ w + b, (x, w)

def backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)
"""
AFFINE_INPUTS = "inputs: {x: 'normal(4, 3)', w: 'normal(3, 3)', b: normal(3)}"
AFFINE_WRONG = (
    ("dout @ w.T", "dout @ w"), ("dout.sum(axis=0)", "dout.mean(axis=0)"), ("x.T @ dout", "-x.T @ dout"),
    ("return dout @ w.T, x.T @ dout", "return x.T @ dout, dout @ w.T"), ("dout.sum(axis=0)", "dout"),
)  # fmt: skip
TANH = """
import numpy as np

class Tanh:
    def __init__(self, w):
        self.w = w

    def forward(self, x):
        self.x = x
        self.out = np.tanh(x * self.w)
        return self.out

    def backward(self, dout, rate=0.0):
        dz = dout * (1 - self.out**2)
        self.dw = (dz * self.x).sum(axis=0)
        dx = dz * self.w
        self.w = self.w - rate * self.dw
        return dx
"""
TANH_WRONG = (("1 - self.out**2", "1 - self.out"), (".sum(axis=0)", ".mean(axis=0)"), ("dz * self.w", "dz"))
SETUP = "setup: layer = Tanh(w)\nforward: out = layer.forward(x)\ninputs: {x: 'normal(3, 2)', w: normal(2)}\n"
LOSS = """
def loss_and_gradient(pred, target):
    difference = pred - target
    return (difference**2).mean(), 2 * difference / difference.size

def mse(target, pred):
    return loss_and_gradient(pred, target)[0]

def mse_prime(target, pred):
    return loss_and_gradient(pred, target)[1]
"""
LOSS_INPUTS = "inputs: {pred: 'normal(4, 2)', target: 'normal(4, 2)'}"
LOSS_WRONG = (("2 * difference /", "difference /"), ("/ difference.size", "/ len(difference)"),
              ("2 * difference", "-2 * difference"))  # fmt: skip

CONVENTIONS = (
    Convention("pair of functions", f"""
forward: out, cache = forward(x, w, b)
backward: dx, dw, db = backward(dout, cache)
{AFFINE_INPUTS}""", AFFINE, AFFINE_WRONG),
    Convention("bare names", f"forward: forward\nbackward: backward\n{AFFINE_INPUTS}", AFFINE, AFFINE_WRONG),
    Convention("cache first", f"""
forward: out, cache = forward(x, w, b)
backward: dx, dw, db = backward(cache, dout)
{AFFINE_INPUTS}""", AFFINE.replace("(dout, cache)", "(cache, dout)"), AFFINE_WRONG),
    Convention("two outputs", """
forward: a, b, cache = forward(x, w)
backward: dx, dw = backward(da, db, cache)
inputs: {x: normal(4), w: normal(4)}""", """
def forward(x, w):
    return x * w, x**2, (x, w)

def backward(da, db, cache):
    x, w = cache
    return da * w + 2 * x * db, da * x
""", (("da * w + 2 * x * db", "da * w"), ("2 * x * db", "2 * x * da"), ("da * x", "da * w"))),
    Convention("option dict last", """
forward: out, cache = forward(x, dict(stride=stride))
backward: dx = backward(dout, cache)
options: {stride: 2}
inputs: {x: normal(5)}""", """
import numpy as np

def forward(x, param):
    return x[:: param["stride"]] ** 2, (x, param)

def backward(dout, cache):
    x, param = cache
    dx = np.zeros_like(x)
    dx[:: param["stride"]] = 2 * dout * x[:: param["stride"]]
    return dx
""", (('dx[:: param["stride"]] =', 'dx[1 : 1 + len(dout)] ='), ("2 * dout", "dout"), ("2 * dout * x", "2 * x"))),
    Convention("loss and gradient in one call", f"""
forward: loss, dpred = loss_and_gradient(pred, target)
{LOSS_INPUTS}""", LOSS, LOSS_WRONG),
    Convention("f and df", f"""
forward: loss = mse(target, pred)
backward: dpred = mse_prime(target, pred)
{LOSS_INPUTS}""", LOSS, LOSS_WRONG),
    Convention("local derivative", """
forward: out = sigmoid(z)
backward: dz = dout * sigmoid_grad(out)
inputs: {z: 'normal(2, 3)'}""", """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def sigmoid_grad(out):
    return out * (1 - out)
""", (("out * (1 - out)", "out * (1 + out)"), ("out * (1 - out)", "1 - out"), ("out * (1 - out)", "sigmoid(out)"))),
    Convention("layer object", f"{SETUP}backward: dx = layer.backward(dout)\ngradient_at: {{w: layer.dw}}",
               TANH, TANH_WRONG),
    Convention("output in an attribute", """
setup: layer = Tanh(w)
forward: layer.forward(x)
output: layer.out
backward: dx = layer.backward(dout)
gradient_at: {w: layer.dw}
inputs: {x: 'normal(3, 2)', w: normal(2)}""", TANH, TANH_WRONG),
    Convention("update only", f"""{SETUP}backward: dx = layer.backward(dout, 1.0)
gradient_at: {{w: before(layer.w) - layer.w}}""", TANH, (*TANH_WRONG, ("- rate *", "- 2 * rate *"))),
    Convention("whole model", """
setup: net = Net(3, reg)
forward: loss, grads = net.loss(X, y)
parameters_at: net.params
gradient_at: grads
options: {reg: 0.3}
inputs: {X: 'normal(4, 3)', y: normal(4), W: normal(3)}""", """
import numpy as np

class Net:
    def __init__(self, size, reg):
        self.params, self.reg = {"W": np.ones(size), "b": np.ones(1)}, reg

    def loss(self, X, y):
        W, b = self.params["W"], self.params["b"]
        error = X @ W + b - y
        loss = (error**2).mean() + self.reg * (W**2).sum()
        return loss, {"W": 2 * X.T @ error / len(y) + 2 * self.reg * W, "b": np.array([2 * error.mean()])}
""", ((" + 2 * self.reg * W,", ","), ("+ 2 * self.reg * W,", "+ self.reg * W,"),
      ("2 * error.mean()", "2 * error.sum()"))),
    Convention("tensors of its own", """
arrays: code.py:Tensor
forward: out = a * b + a
inputs: {a: normal(3), b: normal(3)}""", """
import numpy as np

class Tensor:
    def __init__(self, data, parents=()):
        self.data, self.grad = np.asarray(data, dtype=float), np.zeros(np.shape(data))
        self.shape, self.parents, self.rule = self.data.shape, parents, lambda grad: ()

    def __add__(self, other):
        out = Tensor(self.data + other.data, (self, other))
        out.rule = lambda grad: (grad, grad)
        return out

    def __mul__(self, other):
        out = Tensor(self.data * other.data, (self, other))
        out.rule = lambda grad: (grad * other.data, grad * self.data)
        return out

    def backward(self, grad):
        self.grad = self.grad + grad
        for parent, part in zip(self.parents, self.rule(np.asarray(grad))):
            parent.backward(part)
""", (("(grad * other.data, grad", "(grad * self.data, grad"), ("self.grad = self.grad + grad", "self.grad = grad"),
      ("(grad, grad)", "(grad, -grad)"))),
    Convention("escape hatch", "build: problem(seed)", """
import numpy as np

def problem(seed):
    w = np.random.default_rng(seed).normal(size=4)
    return lambda: (w**3).sum(), {"w": (w, 3 * w**2)}
""", (("3 * w**2", "2 * w**2"), ("3 * w**2", "3 * w**3"), ("3 * w**2", "-3 * w**2"))),
    Convention("reference of its own", f"""
forward: out, cache = forward(x, w, b)
backward: dx, dw, db = backward(dout, cache)
reference: reference.py
{AFFINE_INPUTS}""", AFFINE, (*AFFINE_WRONG, ("x @ w + b", "x @ w - b"))),
    Convention("layer in a network", """
network: ["linear(3, 2)", 'code("code.py:Twice", by=3.0)', "linear(2, 1)"]
loss: mse
inputs: {x: 'normal(4, 3)', target: 'normal(4, 1)'}""", """
class Twice:
    def __init__(self, by):
        self.by = by

    def forward(self, x):
        self.x = x
        return self.by * x**2

    def backward(self, dout):
        return 2 * self.by * self.x * dout
""", (("2 * self.by", "self.by"), ("* self.x * dout", "* dout"), ("2 * self.by *", "-2 * self.by *"))),
    Convention("formulas and numbers", """
function: sum((x * w - 1)**2)
inputs: {x: [1, 2, 3], w: [2.0, -1.0, 0.5]}
gradient: {x: 2*(x*w - 1)*w}
expected: {value: 10.25, w: [2, -12, 3]}""", "", (
        ("2*(x*w - 1)*w}", "(x*w - 1)*w}"), ("2*(x*w - 1)*w}", "2*(x*w - 1)*x}"),
        ("value: 10.25", "value: 10.26"), ("[2, -12, 3]", "[2, 12, 3]"),
    )),
)  # fmt: skip


def convention_row(convention: Convention) -> Row:
    """Right code passes, and each of its wrong twins fails."""
    with tempfile.TemporaryDirectory() as folder:
        verdict = _verdict(convention, convention.case, convention.code, Path(folder) / "right")
        found = dict(_twins(convention, Path(folder)))
    missed = tuple(f"{name}: {word}" for name, word in found.items() if word not in ("fail", "error"))
    return Row("handwritten", convention.name, verdict == "pass", len(found), missed)


def _twins(convention: Convention, folder: Path) -> Iterator[tuple[str, str]]:
    for number, (old, new) in enumerate(convention.wrong):
        case, code = convention.case.replace(old, new), convention.code.replace(old, new)
        yield f"{old} → {new}", _verdict(convention, case, code, folder / str(number))


def _verdict(convention: Convention, case: str, code: str, folder: Path) -> str:
    """What a run says of a case in a folder of its own."""
    folder.mkdir()
    is_code = "network:" not in case and "function:" not in case
    lines = [f"name: {convention.name}", *(["code: code.py"] if is_code else []), *case.strip().splitlines()]
    (folder / "case.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "code.py").write_text(code, encoding="utf-8")
    (folder / "reference.py").write_text(convention.code, encoding="utf-8")
    loaded = load_file(str(folder / "case.yaml"))
    if loaded.problems:
        return f"problem: {loaded.problems[0].message}"
    try:
        return Bench(loaded.cases[0]).judge.verdict
    except GradcheckError as error:
        return f"does not run: {error.message}"

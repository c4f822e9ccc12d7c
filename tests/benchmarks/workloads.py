"""The workloads W1 to W6: case files from a vector of a hundred numbers to a transformer block, and their problems.

What is timed on them is said in the modules beside this one; here they are written, loaded and built as any case is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gradcheck.casefile.loader import load
from gradcheck.checking.building.build import build
from gradcheck.model.case import Case
from gradcheck.model.problem import Problem

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "bench"

ROSENBROCK = """
name: Rosenbrock, {n} variables
function: sum(100 * (x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)
inputs:
  x: normal({n})
"""

MLP = """
name: MLP {inputs}-{hidden}-{outputs}
network:
  - linear({inputs}, {hidden})
  - relu
  - linear({hidden}, {outputs})
loss: softmax_cross_entropy
inputs:
  x: normal({batch}, {inputs})
  target: integers(0, {outputs}, size={batch})
wrt: [W1, b1, W2, b2]
"""

SMALL_MLP = """
name: MLP 20-30-30-5
network:
  - linear(20, 30)
  - tanh
  - linear(30, 30)
  - tanh
  - linear(30, 5)
loss: softmax_cross_entropy
inputs:
  x: normal(32, 20)
  target: integers(0, 5, size=32)
wrt: [W1, b1, W2, b2, W3, b3]
"""

LENET = """
name: LeNet
network:
  - conv2d(1, 6, kernel=5)
  - relu
  - max_pool2d(2)
  - conv2d(6, 16, kernel=5)
  - relu
  - max_pool2d(2)
  - flatten
  - linear(256, 120)
  - relu
  - linear(120, 84)
  - relu
  - linear(84, 10)
loss: softmax_cross_entropy
inputs:
  x: normal(8, 1, 28, 28)
  target: integers(0, 10, size=8)
wrt: [W1, b1, W2, b2, W3, b3, W4, b4, W5, b5]
"""

# The layer `transformer_block` with biases in its attention, too, as torch has them by default.
TRANSFORMER = """
name: transformer block
function: |
  n1 = gamma1 * normalise(x) + beta1
  q = transpose(reshape(n1 @ Wq + bq, (4, 32, 4, 16)), (0, 2, 1, 3))
  k = transpose(reshape(n1 @ Wk + bk, (4, 32, 4, 16)), (0, 2, 3, 1))
  v = transpose(reshape(n1 @ Wv + bv, (4, 32, 4, 16)), (0, 2, 1, 3))
  heads = softmax(q @ k / 4) @ v
  r = x + reshape(transpose(heads, (0, 2, 1, 3)), (4, 32, 64)) @ Wo + bo
  n2 = gamma2 * normalise(r) + beta2
  y = r + gelu(n2 @ W1 + b1, approximate="tanh") @ W2 + b2
  mean((y - target)**2)
inputs:
  Wq: 0.125*normal(64, 64)
  Wk: 0.125*normal(64, 64)
  Wv: 0.125*normal(64, 64)
  Wo: 0.125*normal(64, 64)
  W1: 0.125*normal(64, 256)
  W2: 0.0625*normal(256, 64)
  bq: 0.1*normal(64)
  bk: 0.1*normal(64)
  bv: 0.1*normal(64)
  bo: 0.1*normal(64)
  b1: 0.1*normal(256)
  b2: 0.1*normal(64)
  gamma1: 1 + 0.1*normal(64)
  beta1: 0.1*normal(64)
  gamma2: 1 + 0.1*normal(64)
  beta2: 0.1*normal(64)
constants:
  x: normal(4, 32, 64)
  target: normal(4, 32, 64)
"""

LAYER_NORM = """
name: layer norm
network:
  - layer_norm(128)
inputs:
  x: normal(64, 128)
"""

TEXTS: Mapping[str, str] = {
    "w1-100": ROSENBROCK.format(n=100),
    "w1-1000": ROSENBROCK.format(n=1000),
    "w2": SMALL_MLP,
    "w3": MLP.format(inputs=784, hidden=100, outputs=10, batch=64),
    "w4": LENET,
    "w5": TRANSFORMER,
    "w6": LAYER_NORM,
}


def case_file(name: str, text: str) -> Path:
    """The case as a file of the bench folder."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.yaml"
    path.write_text(text.lstrip(), encoding="utf-8")
    return path


def problem_of(name: str, text: str) -> Problem:
    """The problem of a case, by the path that every case takes: a file, loaded and built."""
    return build(case_of(name, text)).problem


def case_of(name: str, text: str) -> Case:
    """The case, from its file."""
    loaded = load([case_file(name, text)])
    if loaded.problems:
        raise SystemExit(f"{name}: {loaded.problems[0].message}")
    return loaded.cases[0]

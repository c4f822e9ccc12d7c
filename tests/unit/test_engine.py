"""Tensor engines of one's own: how they are called is found out, and what is wrong in them is blamed on nobody else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from gradcheck.handwritten.calls import make_plan
from gradcheck.handwritten.opening import open_handwritten
from gradcheck.model.case import CodeBody
from tests.handwritten_examples.table import W, X, case_of
from tests.unit.test_session import BARE
from tests.unit.test_session import FOLDER as SESSION
from tests.wrapped_examples.table import FOLDER, result, written

X_ONLY = "inputs:\n  x: normal(4, 3)\n"
OWN = "code: tensors.py\narrays: tensors.py:Tensor\n"


def test_integers_reach_an_engine_as_they_are(tmp_path: Path) -> None:
    source = "import numpy as np\ndef f(x, y):\n    assert y.dtype == np.int64\n    return x * 2.0\n"
    written(tmp_path, source)
    text = f"code: code.py\narrays: tensors.py:Tensor\nforward: out = f(x, y)\n{X_ONLY}  y: [1, 2]\n"
    assert result(tmp_path, text, "tensors.py").verdict == "pass"


def test_an_engine_may_lie_elsewhere_than_the_code_that_is_given_its_tensors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = ModuleType("helper")  # of the same name as a neighbour of the engine, and there before it
    monkeypatch.setitem(sys.modules, "helper", others)
    (tmp_path / "layers").mkdir()
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "tensors.py").write_text("from helper import *\n")
    (tmp_path / "engine" / "helper.py").write_text((FOLDER / "tensors.py").read_text())
    (tmp_path / "layers" / "code.py").write_text("def f(x, w):\n    return (x @ w).tanh()\n")
    text = "code: layers/code.py\narrays: engine/tensors.py:Tensor\nforward: out = f(x, w)\n"
    found = result(tmp_path, f"{text}{X_ONLY}  w: normal(3, 2)\n")
    assert (found.error, found.verdict) == (None, "pass")
    assert "tensors" not in sys.modules
    assert sys.modules["helper"] is others


def test_an_error_in_the_engine_has_its_own_file_and_line(tmp_path: Path) -> None:
    written(tmp_path, "def f(x, w):\n    return (x @ w).tanh()\n")
    text = f"code: code.py\narrays: tensors.py:Tensor\nforward: out = f(x, w)\n{X_ONLY}  w: normal(3, 2)\n"
    change = ("self.grad += out.grad @ other.data.T", "self.grad += out.grad @ other.data")
    error = result(tmp_path, text, "tensors.py", change=change).error
    assert error is not None
    assert (error.kind, error.during, error.file) == ("raised", "backward", "tensors.py")
    assert (tmp_path / "tensors.py").read_text().splitlines()[(error.line or 0) - 1].strip() == change[1]


def test_an_engine_that_forces_float32_is_judged_by_what_that_can_hold(tmp_path: Path) -> None:
    text = f"{OWN}forward: out = (x @ w + b).tanh()\n{X_ONLY}  w: normal(3, 2)\n  b: normal(2)\n"
    change = ("np.asarray(data, dtype=np.float64)", "np.asarray(data, dtype=np.float32)")
    right = result(tmp_path, text, "tensors.py", change=change)
    assert right.verdict == "pass"
    assert right.notes == ("float32 inside: 'out' comes back as float32",)
    source = (tmp_path / "tensors.py").read_text()
    wrong = source.replace("(1 - out.data**2) * out.grad", "1.05 * (1 - out.data**2) * out.grad")
    (tmp_path / "tensors.py").write_text(wrong)
    assert result(tmp_path, text).verdict == "fail"


def test_an_engine_is_told_that_numbers_are_float64_where_it_can_be(tmp_path: Path) -> None:
    source = (FOLDER / "tensors.py").read_text()
    source = source.replace(
        "def __init__(self, data, parents=()):", 'def __init__(self, data, parents=(), dtype="float32"):'
    )
    source = source.replace("np.asarray(data, dtype=np.float64)", "np.asarray(data, dtype=dtype)")
    source = source.replace(
        "out = Tensor(np.tanh(self.data), (self,))", "out = Tensor(np.tanh(self.data), (self,), self.data.dtype)"
    )
    written(tmp_path, source, "tensors.py")
    found = result(tmp_path, f"{OWN}forward: out = x.tanh()\n{X_ONLY}")
    assert (found.verdict, found.notes) == ("pass", ())
    assert found.resolution is not None
    assert found.resolution < 1e-5


@pytest.mark.parametrize(
    "broken",
    [
        ("other.grad += reduced(self.data * out.grad, other.shape)", "other.grad += self.data"),
        ("self.grad += reduced(other.data * out.grad, self.shape)", "self.grad += 2 * reduced(out.grad, self.shape)"),
        ("self.grad += np.ones_like(self.data) * out.grad", "self.grad += 3 * np.ones_like(self.data)"),
    ],
)
def test_a_right_function_is_not_blamed_for_a_wrong_product_or_sum_of_its_engine(
    broken: tuple[str, str], tmp_path: Path
) -> None:
    found = result(tmp_path, f"{OWN}forward: out = x.tanh()\n{X_ONLY}", "tensors.py", change=broken)
    assert (found.error, found.verdict) == (None, "pass")


def test_an_engine_without_product_is_checked_by_the_gradient_of_the_sum(tmp_path: Path) -> None:
    found = result(tmp_path, f"{OWN}forward: out = x.tanh()\n{X_ONLY}", "tensors.py", change=("__mul__", "times"))
    assert found.verdict == "pass"
    assert found.notes == (
        "'out' has 12 elements and backward takes no upstream gradient: the gradient of their sum is checked",
    )


def test_a_gradient_that_an_engine_finds_in_its_place_is_where_backward_begins(tmp_path: Path) -> None:
    source = (FOLDER / "tensors.py").read_text().replace("__mul__", "times")
    source = source.replace("self.grad = np.zeros_like(self.data)", "self.grad = None")
    source = source.replace(
        "self.grad = np.ones_like(self.data)", "if self.grad is None: self.grad = np.ones_like(self.data)"
    )
    source = source.replace(
        "self.grad += (1 - out.data**2) * out.grad", "self.grad = (1 - out.data**2) * held(out.grad)"
    )
    written(tmp_path, source + "\n\ndef held(g):\n    return g.data if isinstance(g, Tensor) else g\n", "tensors.py")
    found = result(tmp_path, f"{OWN}forward: out = x.tanh()\n{X_ONLY}")
    assert (found.verdict, found.notes) == ("pass", ())


def test_two_outputs_of_an_engine_are_weighed_each(tmp_path: Path) -> None:
    written(tmp_path, "def f(x):\n    h = x.tanh()\n    return h, h * x\n")
    text = f"code: code.py\narrays: tensors.py:Tensor\nforward: h, out = f(x)\n{X_ONLY}"
    assert result(tmp_path, text, "tensors.py").verdict == "pass"
    change = ("self.grad += (1 - out.data**2) * out.grad", "self.grad += (1 - out.data) * out.grad")
    assert result(tmp_path, text, "tensors.py", change=change).verdict == "fail"


@pytest.mark.parametrize(
    "change",
    [
        ("self.grad = grad if self.grad is None", "self.grad = Variable(2 * grad._data) if self.grad is None"),
        ("Variable(rule(grad._data))", "Variable(rule(np.ones_like(grad._data)))"),
    ],
)
def test_an_engine_that_mistreats_its_upstream_gradient_fails(change: tuple[str, str], tmp_path: Path) -> None:
    text = f"code: variables.py\narrays: variables.py:Variable\nforward: out = sine(x)\n{X_ONLY}"
    assert result(tmp_path, text, "variables.py", change=change).verdict == "fail"


def test_a_single_number_is_made_an_array_where_an_engine_takes_no_other(tmp_path: Path) -> None:
    source = (FOLDER / "variables.py").read_text()
    source = source.replace("np.sin(a._data), True", "np.asarray(np.sin(a._data)), True")
    written(tmp_path, source.replace("rule(grad._data)", "np.asarray(rule(grad._data))"), "variables.py")
    text = "code: variables.py\narrays: variables.py:Variable\nforward: out = sine(x)\ninputs:\n  x: 0.5\n"
    assert result(tmp_path, text).verdict == "pass"


def test_an_engine_says_by_keyword_what_its_class_is_given(tmp_path: Path) -> None:
    source = (FOLDER / "tensors.py").read_text()
    source = source.replace("data, parents=()):", "data, parents=(), *, scale=1.0):").replace(
        "asarray(data,", "asarray(data * scale,"
    )
    written(tmp_path, source, "tensors.py")
    case = case_of(
        {"forward": "out = x.tanh()", "arrays": "tensors.py:Tensor(scale=2)"}, {"x": X}, tmp_path / "tensors.py"
    )
    object.__setattr__(case, "location", case.location.__class__(str(tmp_path / "case.yaml"), 1, 1))
    np.testing.assert_allclose(open_handwritten(case, {"x": X}).value, np.tanh(2 * X).ravel())


def test_an_engine_is_run_where_only_the_standard_library_and_numpy_exist(tmp_path: Path) -> None:
    arrays = {"x": X, "w": W}
    case = case_of({"forward": "out = (x @ w).tanh()"}, arrays, FOLDER / "tensors.py")
    assert isinstance(case.body, CodeBody)
    plan = make_plan(case, case.body, {"file": "tensors.py", "name": "Tensor", "keywords": {}})
    given = {name: array.tolist() for name, array in arrays.items()}
    (tmp_path / "bare.py").write_text(BARE)
    shutil.copytree(SESSION, tmp_path / "box" / "session", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-I", "-S", str(tmp_path / "bare.py"), str(Path(np.__file__).parents[1])]
    done = subprocess.run(
        [*command, str(tmp_path / "box")], text=True, capture_output=True, check=False,
        input=json.dumps({"path": str(FOLDER / "tensors.py"), "plan": plan, "arrays": given}),
    )  # fmt: skip
    assert done.stderr == ""
    slope = 1 - np.tanh(X @ W) ** 2
    np.testing.assert_allclose(json.loads(done.stdout)["x"], slope @ W.T)

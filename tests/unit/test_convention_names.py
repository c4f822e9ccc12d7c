"""Which input a returned gradient belongs to: by name, as the author or the signature has it, else by order, said."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.handwritten.conventions import Completed, complete
from gradcheck.model.case import CodeBody
from gradcheck.model.report import CaseResult, Report
from tests.handwritten_examples.table import X, case_of


def completed(tmp_path: Path, source: str, keys: dict[str, Any], inputs: str, integers: str = "") -> Completed:
    (tmp_path / "layers.py").write_text(source)
    arrays = {name: np.array([1]) if name in integers.split() else X for name in inputs.split()}
    case = case_of(keys, arrays, tmp_path / "layers.py")
    assert isinstance(case.body, CodeBody)
    floats = tuple(name for name in arrays if name not in integers.split())
    return complete(case, case.body, tmp_path / "layers.py", floats)


def backward_of(found: Completed) -> str:
    return next(line for line in found.statements if line.startswith("backward: ")).removeprefix("backward: ")


def run(tmp_path: Path, source: str, case: str) -> Report:
    (tmp_path / "layers.py").write_text(source)
    (tmp_path / "case.yaml").write_text(case)
    return run_cases(load([tmp_path / "case.yaml"]), Settings())


def only(report: Report) -> CaseResult:
    assert report.problems == ()
    (result,) = report.cases
    return result


PAIR = "def f_forward({parameters}):\n    return out, cache\ndef f_backward(dout, cache):\n    return {returned}\n"


@pytest.mark.parametrize(
    ("parameters", "inputs", "returned", "targets"),
    [
        ("x, w", "x w", "dw, dx", "dw, dx"),  # in whichever order
        ("x, w", "X V", "dx, dw", "dX, dV"),  # by the name of the argument that the input is passed as
        ("x, w, b", "x w b", "dx, grad_w, b_grad", "dx, dw, db"),
        ("x, h", "x h", "dx, dz", "dx, dh"),  # one is left
        ("x, h", "x h", "dz, dx", "dh, dx"),
        ("x, w", "x w", "dout * w, dout * x", "dx, dw"),
        ("x, w", "x w", "dz @ w, dz", "dx, dw"),  # what one was called on the way says nothing
        ("x, w", "x w", "dout, dout", "dx, dw"),  # handed through
    ],
)
def test_a_gradient_belongs_to_the_input_of_its_name(
    tmp_path: Path, parameters: str, inputs: str, returned: str, targets: str
) -> None:
    source = PAIR.format(parameters=parameters, returned=returned)
    found = completed(tmp_path, source, {"entry": "f"}, inputs)
    assert backward_of(found) == f"{targets} = f_backward(dout, cache)"
    assert found.notes == ()


def test_names_that_match_no_input_are_taken_in_order_and_that_is_said(tmp_path: Path) -> None:
    source = "def f_forward(x, w):\n    return x * w, (x, w)\n"
    source += "def f_backward(dout, cache):\n    dA, dB = dout * cache[1], dout * cache[0]\n    return dA, dB\n"
    result = only(run(tmp_path, source, "code: layers.py:f\ninputs:\n  x: normal(3)\n  w: normal(3)\n"))
    assert result.verdict == "pass"
    assert result.notes == ("'dA', 'dB' of f_backward match no input: taken for the gradients of 'x', 'w' in order",)


def test_a_written_forward_says_which_argument_an_input_is(tmp_path: Path) -> None:
    source = PAIR.format(parameters="x, w, scale", returned="dw, dx")
    keys = {"forward": "out, cache = f_forward(X, V, scale=s)", "backward": "f_backward"}
    found = completed(tmp_path, source, keys, "X V s", "s")
    assert found.statements == ("backward: dV, dX = f_backward(dout, cache)",)


def test_the_derivative_of_a_loss_is_about_the_prediction(tmp_path: Path) -> None:
    source = "import numpy as np\ndef huber(pred, target):\n    return 1\n"
    source += "def huber_derivative(pred, target):\n    return np.sign(pred - target)\n"
    found = completed(tmp_path, source, {"forward": "huber"}, "pred target")
    assert backward_of(found) == "dpred = huber_derivative(pred, target)"


EMBEDDING = (
    "import numpy as np\nclass Embedding:\n    def __init__(self, W):\n        self.W = W\n"
    "    def forward(self, ids):\n        self.ids = ids\n        return self.W[ids]\n"
    "    def backward(self, dout):\n        self.dW = np.zeros_like(self.W)\n"
    "        np.add.at(self.dW, self.ids, dout)\n"
    "        return np.zeros(len(self.ids))\n"
)


def test_a_backward_with_nothing_to_differentiate_is_a_call_alone(tmp_path: Path) -> None:
    result = only(run(tmp_path, EMBEDDING, "code: layers.py:Embedding\ninputs:\n  ids: [1, 1, 2]\n  W: normal(3, 2)\n"))
    assert "backward: layer.backward(dout)" in result.statements
    assert [(f.tensor, f.verdict) for f in result.findings] == [("W", "pass")]


def test_an_assignment_without_a_name_is_told_at_its_place(tmp_path: Path) -> None:
    case = "code: layers.py\nsetup: layer = Embedding(W)\nforward: out = layer.forward(ids)\n"
    case += "backward: = layer.backward(dout)\ninputs:\n  ids: [1]\n  W: normal(3, 2)\n"
    (problem,) = run(tmp_path, EMBEDDING, case).problems
    assert (problem.location.line, problem.location.column) == (4, 11)
    assert problem.message == "syntax error: nothing stands on the left of '='"
    assert problem.hint == "write a name there, or leave '=' out"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (("return np.zeros(len(self.ids))", "return self.nothing"), "raised"),
        (("self.W = W", "self.W = W[9]"), "raised"),
        (("return self.W[ids]", "return self.W[ids] / 0"), "non-finite"),
        (("self.ids, dout)", "self.idx, dout)"), "raised"),
    ],
)
def test_the_statements_of_a_case_that_ends_in_an_error_are_told(
    tmp_path: Path, change: tuple[str, str], kind: str
) -> None:
    case = "code: layers.py:Embedding\ninputs:\n  ids: [1, 1, 2]\n  W: normal(3, 2)\n"
    result = only(run(tmp_path, EMBEDDING.replace(*change), case))
    assert result.error is not None
    assert result.error.kind == kind
    assert result.statements[:2] == ("setup: layer = Embedding(W)", "forward: out = layer.forward(ids)")


@pytest.mark.parametrize(
    ("inputs", "parameters", "expected"),
    [
        ("x", "d, x", "dx = f_backward(dout, x)"),
        ("x", "d, seen", "dx = f_backward(dout, cache)"),
        ("x d", "d, seen", "f_backward(d, cache)"),  # here it is an input of that name
    ],
)
def test_a_lone_d_is_the_upstream_gradient_unless_something_is_called_so(
    tmp_path: Path, inputs: str, parameters: str, expected: str
) -> None:
    source = f"def f_forward({', '.join(inputs.split())}):\n    return out, cache\n"
    source += f"def f_backward({parameters}):\n    return dx\n"
    found = completed(tmp_path, source, {"forward": "f_forward", "backward": "f_backward"}, inputs)
    assert backward_of(found).endswith(expected)

"""The key `arrays:` – its words, what cannot be meant by it, and libraries that are absent."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from gradcheck.errors import GradcheckError
from gradcheck.handwritten.opening import open_handwritten
from gradcheck.handwritten.runner import Handwritten
from tests.handwritten_examples.table import X, case_of
from tests.wrapped_examples.table import FOLDER, report, result, written

X_ONLY = "inputs:\n  x: normal(4, 3)\n"


def opened(keys: dict[str, Any], arrays: dict[str, Any]) -> Handwritten:
    return open_handwritten(case_of(keys, arrays, FOLDER / "tensors.py"), arrays)


@pytest.mark.parametrize(
    ("arrays", "message", "hint"),
    [
        ("troch", "unknown kind of arrays 'troch'", "did you mean 'torch'?"),
        ("tensorflow", "unknown kind of arrays 'tensorflow'", "write torch, jax, or file.py:Tensor"),
        ("torch(dtype=float23)", "unknown dtype 'float23'", "did you mean 'float32'?"),
        ("torch(dtype=int64)", "unknown dtype 'int64'", "known: float64, float32, float16, bfloat16"),
        ("jax(device=cpu)", "'jax' takes no 'device'", "known: dtype"),
        ("torch(float32)", "expected a name", "write torch, jax, or file.py:Tensor"),
        ("torch(dtype=[1])", "expected a number or a word", "write dtype=float32"),
        ("nothing.py:Tensor", "there is no file 'nothing.py' beside the case file", ""),
    ],
)
def test_what_cannot_be_meant_is_a_mistake_of_the_file(arrays: str, message: str, hint: str) -> None:
    with pytest.raises(GradcheckError) as caught:
        opened({"forward": "out = squares(x)", "arrays": arrays}, {"x": X})
    assert caught.value.message == message
    assert caught.value.hint == hint or not hint


def test_numpy_is_a_word_too(tmp_path: Path) -> None:
    written(tmp_path, "def f(x):\n    return x**2\ndef g(x):\n    return 2 * x\n")
    text = f"code: code.py\narrays: numpy\nforward: out = f(x)\nbackward: dx = dout * g(x)\n{X_ONLY}"
    assert result(tmp_path, text).verdict == "pass"


def test_a_whole_problem_is_given_no_arrays() -> None:
    with pytest.raises(GradcheckError) as caught:
        opened({"build": "problem(seed)", "arrays": "torch"}, {})
    assert caught.value.message == "'arrays' stands beside 'build', which is given no arrays"


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_a_library_that_is_absent_is_said_with_the_way_to_install_it(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    written(tmp_path, "def f(x):\n    return x\n")
    found = report(tmp_path, f"code: code.py\narrays: {library}\nforward: out = f(x)\n{X_ONLY}")
    (problem,) = found.problems
    assert (problem.message, problem.hint) == (
        f"'{library}' is not installed",
        f"pip install 'gradcheck[{library}]'",
    )
    assert problem.location.line == 2
    assert found.exit_code == 2


def test_a_class_that_the_engine_lacks_is_missing_code(tmp_path: Path) -> None:
    text = f"code: tensors.py\narrays: tensors.py:Tensro\nforward: out = squares(x)\n{X_ONLY}"
    error = result(tmp_path, text, "tensors.py").error
    assert error is not None
    assert (error.kind, error.text, error.hint) == ("missing", "tensors.py has no 'Tensro'", "did you mean 'Tensor'?")

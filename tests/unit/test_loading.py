"""Loading somebody's file as it is: packages that import themselves, scripts, libraries that are not installed."""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck.handwritten import session
from gradcheck.handwritten.session.absent import AbsentModule
from tests.handwritten_examples.table import X
from tests.unit.test_session import code_of


@pytest.mark.parametrize("has_init", [True, False])
@pytest.mark.parametrize("inside", ["nets", "nets/layers"])
def test_a_file_imports_its_own_package_by_name(tmp_path: Path, inside: str, has_init: bool) -> None:
    folder = tmp_path / inside
    folder.mkdir(parents=True)
    if has_init:
        (tmp_path / "nets" / "__init__.py").write_text("")
    (tmp_path / "nets" / "tools.py").write_text("def twice(x):\n    return 2 * x\n")
    source = "from nets.tools import twice\ndef f(x):\n    return twice(x)\n"
    code = code_of(folder, source, {"forward": "out = f(x)", "backward": "dx = dout"})
    np.testing.assert_array_equal(code.value, 2 * X.ravel())


def test_a_folder_called_like_a_library_is_no_package(tmp_path: Path) -> None:
    folder = tmp_path / "hypothesis"
    folder.mkdir()
    source = "from hypothesis import strategies\ndef f(x):\n    return x if strategies.floats else None\n"
    code = code_of(folder, source, {"forward": "out = f(x)", "backward": "dx = dout"})
    np.testing.assert_array_equal(code.value, X.ravel())


def test_a_script_is_loaded_from_its_folder_and_up_to_its_endless_loop(tmp_path: Path) -> None:
    (tmp_path / "numbers.txt").write_text("3")
    source = (
        "factor = float(open('numbers.txt').read())\ndef f(x):\n    return factor * x\n"
        "while f(1) < 0:\n    pass\nwhile True:\n    break\n"
        "while 1:\n    for _ in 'ab':\n        break\n"
    )
    here = os.getcwd()
    code = code_of(tmp_path, source, {"forward": "out = f(x)", "backward": "dx = factor * dout"})
    np.testing.assert_array_equal(code.value, 3 * X.ravel())
    assert "loading stops at layers.py:8, a loop without an end" in code.notes()
    assert os.getcwd() == here


def test_a_variable_of_a_script_is_a_tensor_where_it_has_a_gradient(tmp_path: Path) -> None:
    source = (
        "import numpy as np\nW = np.ones((9, 9))\n"
        "def f(x):\n    return (x @ W).sum(), np.outer(x.sum(axis=0), np.ones(2))\n"
    )
    w = np.arange(float(X.shape[1] * 2)).reshape(-1, 2)
    code = code_of(tmp_path, source, {"forward": "loss, dW = f(x)"}, x=X, W=w)
    assert code.value == (X @ w).sum()
    assert code.wrt == ("W",)


def test_a_library_that_is_not_installed_is_missed_where_it_is_used(tmp_path: Path) -> None:
    source = (
        "import matplotlib_of_nobody.pyplot as plt\nfrom numba_of_nobody import speed\n"
        "def f(x):\n    return x\ndef show(x):\n    plt.plot(x)\n"
    )
    code = code_of(tmp_path, source, {"forward": "out = f(x)", "backward": "dx = dout"})
    np.testing.assert_array_equal(code.value, X.ravel())
    assert "'matplotlib_of_nobody' is not installed: what uses it fails" in code.notes()
    assert not any("of_nobody" in name for name in sys.modules)
    with pytest.raises(session.CodeError) as caught:
        code_of(tmp_path, source, {"forward": "out = show(x)", "backward": "dx = dout"})
    assert (caught.value.during, caught.value.line) == ("forward", 6)
    assert caught.value.text.startswith("ModuleNotFoundError: No module named 'matplotlib_of_nobody'")


def test_what_an_absent_library_would_draw_is_swallowed() -> None:
    plt: Any = AbsentModule("seaborn")
    plt.style.use("dark")
    plt.rc["size"] = 3
    with plt.context():
        plt.figure().add_subplot(1)
    part: Any = AbsentModule("numba")
    assert part.njit(len) is len
    assert part.njit(cache=True)(len) is len
    other: Any = AbsentModule("h5py_of_nobody")
    for use in (lambda: other.File("x"), lambda: bool(other.x), lambda: list(other.x), lambda: other.__all__):
        with pytest.raises(ModuleNotFoundError, match="h5py_of_nobody"):
            use()
    with pytest.raises(ModuleNotFoundError):
        exec("class Net(other.Module): pass", {"other": other})


def test_an_import_that_the_code_guards_is_left_to_it(tmp_path: Path) -> None:
    source = (
        "try:\n    import cupy_of_nobody as np\nexcept ImportError:\n    import numpy as np\n"
        "def f(x):\n    return np.abs(x)\n"
    )
    code = code_of(tmp_path, source, {"forward": "out = f(x)", "backward": "dx = dout * np.sign(x)"})
    np.testing.assert_array_equal(code.value, np.abs(X).ravel())
    assert not any("cupy" in note for note in code.notes())

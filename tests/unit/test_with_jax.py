"""jax arrays in place of numpy's: types, custom rules with a forward of their own, and jax left as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gradcheck.handwritten.opening import open_handwritten
from tests.handwritten_examples.table import XWB, case_of
from tests.wrapped_examples.table import FOLDER, needs, report, result

pytestmark = needs("jax")
X_ONLY = "inputs:\n  x: normal(4, 3)\n"


@pytest.mark.parametrize("before", [True, False])
def test_jax_is_left_as_it_was(before: bool) -> None:
    import jax

    jax.config.update("jax_enable_x64", before)
    try:
        keys = {"forward": "out = affine(x, w, b)", "arrays": "jax"}
        code = open_handwritten(case_of(keys, XWB, FOLDER / "jax_code.py"), XWB)
        code.vjp()
        assert code.epsilon == np.finfo(np.float64).eps
        assert jax.config.jax_enable_x64 is before
    finally:
        jax.config.update("jax_enable_x64", False)


@pytest.mark.parametrize(("dtype", "verdict"), [("float32", "fail"), ("bfloat16", "pass")])
def test_jax_in_a_coarser_type_is_judged_by_what_that_can_hold(dtype: str, verdict: str, tmp_path: Path) -> None:
    text = f"code: jax_code.py\narrays: jax(dtype={dtype})\nforward: out = softplus(x)\n{X_ONLY}"
    assert result(tmp_path, text, "jax_code.py").verdict == "pass"
    change = ("t / (1 + jnp.exp(-x))", "1.01 * t / (1 + jnp.exp(-x))")
    assert result(tmp_path, text, "jax_code.py", change=change).verdict == verdict


def test_a_rule_whose_forward_is_another_function_is_noted(tmp_path: Path) -> None:
    text = "code: jax_code.py\narrays: jax\nforward: out = power(x, 2)\ninputs:\n  x: normal(3)\n"
    found = result(tmp_path, text, "jax_code.py", change=("return x**n, x\n", "return x**n + 1, x\n"))
    assert found.notes == ("the forward of its own rule gives another value than the function",)


def test_jax_keeps_no_gradients_to_be_read(tmp_path: Path) -> None:
    text = f"code: jax_code.py\narrays: jax\nforward: out = softplus(x)\nbackward: out.backward(dout)\n{X_ONLY}"
    (problem,) = report(tmp_path, text, "jax_code.py").problems
    assert problem.message == "backward gives no gradients, and arrays of jax keep none"

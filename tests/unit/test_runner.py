"""An opened case: its point, its outputs, its gradients, and whose fault an error is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck.errors import FieldError, GradcheckError
from gradcheck.handwritten.layers import custom_layer
from gradcheck.handwritten.opening import open_handwritten
from gradcheck.handwritten.runner import Handwritten
from gradcheck.handwritten.session import CodeError
from tests.handwritten_examples.table import EXAMPLES, LAYERS, XWB, B, Example, W, X, case_of, opened, worst_error

PAIR = {"forward": "out, cache = affine_forward(x, w, b)", "backward": "dx, dw, db = affine_backward(dout, cache)"}
NET = next(example for example in EXAMPLES if example.name == "whole model")


def open_(keys: dict[str, Any], arrays: Any = XWB, **others: Any) -> Handwritten:
    return open_handwritten(case_of(keys, arrays, **others), arrays)


def code_of(tmp_path: Path, source: str, keys: dict[str, Any], arrays: Any = None, **others: Any) -> Handwritten:
    (tmp_path / "layers.py").write_text(source)
    return open_(keys, {"x": X} if arrays is None else arrays, path=tmp_path / "layers.py", **others)


def test_outputs_are_joined_in_the_order_of_forward() -> None:
    code = opened(next(e for e in EXAMPLES if e.name == "two upstream gradients"))
    assert (code.output_names, code.output_shapes) == (("next_h", "next_c"), ((4, 5), (4, 5)))
    assert code.value.shape == (40,)
    np.testing.assert_array_equal(code.outputs(code.point), code.value)


def test_the_point_has_inputs_and_parameters_and_integers_stay_integers() -> None:
    code = opened(NET)
    assert list(code.point) == ["X", "y", "W1", "b1", "W2"]
    assert code.point["y"].dtype.kind == "i"


def test_a_single_number_reaches_the_code_as_a_number(tmp_path: Path) -> None:
    source = "def f(x, n):\n    assert isinstance(x, float) and isinstance(n, int)\n    return x**n\n"
    keys = {"forward": "out = f(x, n)", "backward": "dx = dout * n * x**(n - 1)"}
    code = code_of(tmp_path, source, keys, {"x": np.array(1.5), "n": np.array(3)})
    assert worst_error(code) < 1e-7


def test_the_weights_of_an_upstream_gradient_reach_backward_in_their_shapes(tmp_path: Path) -> None:
    source = (
        "def f(x):\n    return x, x.sum()\n"
        "def g(dout, dtotal):\n    assert dout.shape == (4, 3)\n    return dout + dtotal\n"
    )
    code = code_of(tmp_path, source, {"forward": "out, total = f(x)", "backward": "dx = g(dout, dtotal)"})
    gradient = code.vjp(np.arange(13.0))["x"]
    np.testing.assert_array_equal(gradient, np.arange(12.0).reshape(4, 3) + 12)


def test_shapes_and_nan_come_back_as_the_code_gives_them(tmp_path: Path) -> None:
    source = "import numpy as np\ndef g(d):\n    return np.full((2, 2), np.nan), 1j * d\n"
    keys = {"forward": "out = x * w", "backward": "dx, dw = g(dout)"}
    found = code_of(tmp_path, source, keys, {"x": X, "w": X}).vjp()
    assert found["x"].shape == (2, 2)
    assert np.isnan(found["x"]).all()
    assert found["w"].dtype.kind == "c"


def test_the_same_calls_can_be_made_on_a_reference(tmp_path: Path) -> None:
    (tmp_path / "solution.py").write_text(LAYERS.read_text().replace("@ w + b", "@ w + b + 1"))
    case = case_of(PAIR, XWB)
    own, reference = open_handwritten(case, XWB), open_handwritten(case, XWB, tmp_path / "solution.py")
    np.testing.assert_allclose(reference.value, own.value + 1)


def test_gradients_can_be_asked_for_at_another_point() -> None:
    code = opened(NET)
    moved = {**code.point, "W2": code.point["W2"] * 2}
    assert not np.allclose(code.vjp(None, moved)["W1"], code.vjp()["W1"])


def test_a_sum_that_nobody_asked_for_is_said(tmp_path: Path) -> None:
    code = code_of(tmp_path, "def g(x):\n    return 2 * x\n", {"forward": "out = x**2", "backward": "dx = g(x)"})
    assert not code.takes_upstream
    assert worst_error(code) < 1e-7
    assert code.notes() == (
        "'out' has 12 elements and backward takes no upstream gradient: the gradient of their sum is checked",
    )


def test_the_epsilon_is_that_of_the_coarsest_float_type(tmp_path: Path) -> None:
    keys = {"forward": "out = f(x)", "backward": "dx = 2 * dout"}
    source = "import numpy as np\ndef f(x):\n    return 2 * np.asarray(x, np.float32)\n"
    code = code_of(tmp_path, source, keys)
    assert code.epsilon == np.finfo(np.float32).eps
    assert code.notes() == ("float32 inside: 'out' comes back as float32",)
    assert open_(PAIR).epsilon == np.finfo(np.float64).eps


@pytest.mark.parametrize(
    ("wrt", "message", "hint", "arrays"),
    [
        (("W",), "unknown tensor 'W'", "did you mean 'w'?", XWB),
        (("b",), "'b' holds integers and has no gradient", "take it out of 'wrt'", {**XWB, "b": np.array([1, 2])}),
    ],
)
def test_wrt_names_float_tensors_with_a_gradient(wrt: tuple[str, ...], message: str, hint: str, arrays: Any) -> None:
    with pytest.raises(FieldError) as caught:
        open_(PAIR, arrays, wrt=wrt)
    assert (caught.value.message, caught.value.path) == (message, ("wrt",))
    assert caught.value.hint in (hint, "name an input or a parameter")


def test_wrt_may_not_name_a_tensor_without_gradient() -> None:
    with pytest.raises(FieldError, match="the code gives no gradient of 'w'") as caught:
        open_({**PAIR, "backward": "dx, _, db = affine_backward(dout, cache)"}, wrt=("w",))
    assert caught.value.hint == "let backward assign to 'dw'"


def test_integers_are_not_differentiated_by_default() -> None:
    assert open_(PAIR, {**XWB, "b": np.array([1, 2])}).wrt == ("x", "w")


def test_statements_without_any_gradient_are_refused() -> None:
    with pytest.raises(FieldError) as caught:
        open_({"forward": "out, cache = affine_forward(x, w, b)"})
    assert (caught.value.message, caught.value.hint, caught.value.path) == (
        "the statements give no gradient of any float tensor",
        "let it assign to 'dx'",
        ("forward",),
    )


def broken(tmp_path: Path, source: str, backward: str = "dx = g(dout)") -> tuple[Any, ...]:
    """kind, during, text, file, line and hint of what goes wrong when a case is opened and its backward called."""
    with pytest.raises(CodeError) as caught:
        code_of(tmp_path, source, {"forward": "out = f(x)", "backward": backward}).vjp()
    error = caught.value
    return error.kind, error.during, error.text, error.file, error.line, error.hint


F = "def f(x):\n    return 2 * x\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "def f(x):\n    y = 1 / 0\ndef g(d):\n    return d\n",
            ("raised", "forward", "ZeroDivisionError: division by zero (forward at x)", "layers.py", 2, ""),
        ),
        (
            F + "def g(d):\n    return h(d)\ndef h(d):\n    return d[9]\n",
            ("raised", "backward", "IndexError: index 9 is out of bounds for axis 0 with size 4", "layers.py", 6, ""),
        ),
        (
            F + "def g(d):\n    exit(2)\n",
            ("raised", "backward", "SystemExit: the code called exit(2)", "layers.py", 4, ""),
        ),
        (
            F + "def g(d):\n    return g(d)\n",
            ("raised", "backward", "RecursionError: maximum recursion depth exceeded", "layers.py", 4, ""),
        ),
        (F + "def g(d):\n    raise MemoryError\n", ("raised", "backward", "MemoryError", "layers.py", 4, "")),
        (
            F + "def g():\n    return 1\n",
            ("raised", "backward", "TypeError: g() takes 0 positional arguments but 1 was given", "layers.py", 3, ""),
        ),
        (
            F
            + "class Odd(BaseException):\n    def __str__(self):\n        raise ValueError\ndef g(d):\n    raise Odd\n",
            ("raised", "backward", "Odd", "layers.py", 7, ""),
        ),
        (
            F + "def g(d):\n    raise NotImplementedError('week 3')\n",
            ("unfinished", "backward", "NotImplementedError: week 3", "layers.py", 4, ""),
        ),
        (
            F + "def g(d):\n    pass\n",
            ("unfinished", "backward", "backward gives no gradient of 'x'", "layers.py", None, ""),
        ),
        (
            F + "def g(d):\n    return ...\n",
            ("unfinished", "backward", "backward gives no gradient of 'x'", "layers.py", None, ""),
        ),
        (
            "def f(x):\n    pass\ndef g(d):\n    pass\n",
            ("unfinished", "forward", "forward gives None as 'out' (forward at x)", "layers.py", None, ""),
        ),
        (
            F + "def gg(d):\n    return d\n",
            ("missing", "load", "layers.py has no 'g'", "layers.py", None, "did you mean 'gg'?"),
        ),
        (F + "def g(d)\n    return d\n", ("raised", "load", "SyntaxError: expected ':'", "layers.py", 3, "")),
        (
            "import numpy as np\nimport plotting_for_nobody\nplotting_for_nobody.start()\n",
            (
                "raised",
                "load",
                "ModuleNotFoundError: No module named 'plotting_for_nobody'",
                "layers.py",
                3,
                "install 'plotting_for_nobody'",
            ),
        ),
        (
            F + "def g(d):\n    return 'text'\n",
            ("invalid", "backward", "'dx' is one str that holds no numbers", "layers.py", None, ""),
        ),
        (
            "def f(x):\n    return x, {}\ndef g(d):\n    return d\n",
            (
                "invalid",
                "forward",
                "forward gives 2 values as 'out' (forward at x)",
                "layers.py",
                None,
                "give each value a name: out, cache = …",
            ),
        ),
    ],
)
def test_an_error_of_the_code_says_what_when_and_where(tmp_path: Path, source: str, expected: tuple[Any, ...]) -> None:
    assert broken(tmp_path, source) == expected


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ("d, d", ("missing", "g returned 2 values, expected 3: dx, dw, db")),
        ("d, d, d, d", ("invalid", "g returned 4 values, expected 3: dx, dw, db")),
        ("d, None, d", ("missing", "backward gives no gradient of 'w'")),
        ("None, None, None", ("unfinished", "backward gives no gradient of 'x', 'w', 'b'")),
        ("None", ("unfinished", "g returned None, expected 3 values: dx, dw, db")),
        ("{'x': d}", ("invalid", "g returned one dict, expected 3 values: dx, dw, db")),
        ("1.0", ("invalid", "g returned one float, expected 3 values: dx, dw, db")),
    ],
)
def test_gradients_are_counted_before_any_number_is_looked_at(
    tmp_path: Path, returned: str, expected: tuple[str, str]
) -> None:
    source = f"def f(x, w, b):\n    return x @ w + b\ndef g(d):\n    return {returned}\n"
    with pytest.raises(CodeError) as caught:
        code_of(tmp_path, source, {"forward": "out = f(x, w, b)", "backward": "dx, dw, db = g(dout)"}, XWB).vjp()
    assert (caught.value.kind, caught.value.text, caught.value.during) == (*expected, "backward")


def test_an_error_away_from_the_point_says_so(tmp_path: Path) -> None:
    source = f"def f(x):\n    if x[0, 0] != {float(X[0, 0])!r}:\n        raise ValueError('no')\n    return x\n"
    code = code_of(tmp_path, source, {"forward": "out = f(x)", "backward": "dx = dout"})
    with pytest.raises(CodeError) as caught:
        code.outputs({"x": X + 1e-6})
    assert (caught.value.text, caught.value.line) == ("ValueError: no (forward at x + h)", 3)


def test_a_forward_whose_shape_changes_is_refused(tmp_path: Path) -> None:
    code = code_of(tmp_path, "def f(x):\n    return x[x < 0.5]\n", {"forward": "out = f(x)", "backward": "dx = dout"})
    with pytest.raises(CodeError) as caught:
        code.outputs({"x": X + 100})
    assert caught.value.kind == "invalid"
    assert caught.value.text.startswith("forward gives shape (0,) at x + h, and (")


def test_a_keyboard_interrupt_that_nobody_watches_for_is_the_persons(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        code_of(
            tmp_path, "def f(x):\n    raise KeyboardInterrupt\n", {"forward": "out = f(x)", "backward": "dx = dout"}
        )


def test_a_parameter_that_is_nowhere_is_asked_for(tmp_path: Path) -> None:
    source = "class L:\n    def f(self, x):\n        return x\n    def b(self, d):\n        self.dW = d\n"
    keys = {
        "setup": "layer = L()",
        "forward": "out = layer.f(x)",
        "backward": "layer.b(dout)",
        "gradient_at": {"W": "layer.dW"},
    }
    with pytest.raises(CodeError) as caught:
        code_of(tmp_path, source, keys)
    assert (caught.value.kind, caught.value.text) == ("missing", "there is no parameter 'W' in 'L'")
    assert caught.value.hint == "say where it is: parameters_at: {W: layer.W}"


def test_a_gradient_missing_from_the_models_dict_is_not_passed_over(tmp_path: Path) -> None:
    source = LAYERS.read_text().replace(', "b1": dh.sum(axis=0)}', "}")
    (tmp_path / "layers.py").write_text(source)
    with pytest.raises(CodeError) as caught:
        opened(NET, tmp_path / "layers.py").vjp()
    assert (caught.value.kind, caught.value.text) == ("missing", "backward gives no gradient of 'b1'")


def test_a_missing_gradient_that_nobody_asks_for_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(LAYERS.read_text().replace(', "b1": dh.sum(axis=0)}', "}"))
    case = case_of(NET.keys, NET.arrays, tmp_path / "layers.py", NET.options, wrt=("W2", "W1"))
    assert list(open_handwritten(case, NET.arrays).vjp()) == ["W2", "W1"]


def test_a_layer_for_a_network_has_a_forward_and_a_vjp() -> None:
    layer = custom_layer(LAYERS, "LeakyReLU", {"alpha": 0.2})
    y = layer.forward(X)
    np.testing.assert_allclose(y, np.where(X > 0, X, 0.2 * X))
    np.testing.assert_allclose(layer.vjp(np.ones((4, 3)), y, X), np.where(X > 0, 1, 0.2))
    assert layer.parameters == {}


def test_a_function_pair_is_a_layer_too(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "def cube_forward(x):\n    return x**3, x\ndef cube_backward(dout, cache):\n    return 3 * cache**2 * dout\n"
    )
    layer = custom_layer(tmp_path / "own.py", "cube", {})
    np.testing.assert_allclose(layer.vjp(np.ones((4, 3)), X, X), 3 * X**2)


@pytest.mark.parametrize(
    ("entry", "options", "message"),
    [
        ("LeakyReLU", {"alpah": 0.2}, "the handwritten layer 'LeakyReLU' takes no 'alpah'"),
        ("Dense", {"n_in": 3, "n_out": 2}, "the handwritten layer 'Dense' has parameters of its own: 'W', 'b'"),
    ],
)
def test_a_layer_that_does_not_fit_a_network_is_refused(entry: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(GradcheckError) as caught:
        custom_layer(LAYERS, entry, options)
    assert caught.value.message == message


def test_a_reference_is_given_as_arrays_only() -> None:
    """Arrays of the caller are never handed out: the code may overwrite what it gets."""
    arrays = {"W": W.copy(), "x": X.copy(), "b": B.copy()}
    example = Example(
        "update",
        {
            "setup": "layer = Affine(W, b)",
            "forward": "out = layer.forward(x)",
            "backward": "dx = layer.backward(dout)",
            "gradient_at": {"W": "layer.dW"},
        },
        arrays,
        (),
    )
    code = opened(example)
    code.vjp()
    code.outputs(code.point)
    np.testing.assert_array_equal(code.point["W"], W)
    np.testing.assert_array_equal(arrays["x"], X)

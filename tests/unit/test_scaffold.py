"""From a Python file, and from trial runs of it, to a case file: what is found, guessed, tried and left open."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gradcheck.casefile.loader import load
from gradcheck.errors import UserCodeError
from gradcheck.handwritten.scaffold import NothingFoundError, Scaffold, scaffold
from gradcheck.handwritten.scaffold.docstrings import shapes_in
from gradcheck.handwritten.scaffold.draft import array_text, numbers_for
from gradcheck.handwritten.scaffold.facts import read_facts
from gradcheck.handwritten.scaffold.uses import NO_DEFAULT
from gradcheck.handwritten.scaffold.vocabulary import family_of, loss_family, role_of, setting_of, size_role
from gradcheck.model.case import Case


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    return Writer(tmp_path)


class Writer:
    """Makes the case file of a source text, and reads it back."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "code.py"

    def __call__(self, source: str) -> Scaffold:
        self.file.write_text("import numpy as np\n\n" + textwrap.dedent(source), encoding="utf-8")
        return scaffold(self.file, code="code.py", name="code_cases.yaml")

    def cases(self, source: str) -> dict[str, list[Case]]:
        """Name → its cases, one for every combination; the file has no problems."""
        written = self.file.with_name("code_cases.yaml")
        written.write_text(self(source).text, encoding="utf-8")
        loaded = load([written])
        assert loaded.problems == ()
        found: dict[str, list[Case]] = {}
        for case in loaded.cases:
            found.setdefault(case.name, []).append(case)
        return found


# -- docstrings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names", "shapes"),
    [
        ("x (N, D), w (D, M), b (M,) → out (N, M)", "x w b", {"x": ("N", "D"), "w": ("D", "M"), "b": ("M",)}),
        ("- x: Input data, of shape (N, D)\n- y: labels, of shape (N,) where y[i] < C", "x y",
         {"x": ("N", "D"), "y": ("N",)}),
        ("gamma and beta (D,), both drawn", "gamma beta", {"gamma": ("D",), "beta": ("D",)}),
        ("X : ndarray of shape (n_samples, n_features)", "X", {"X": ("n_samples", "n_features")}),
        ("x has shape (N, d_1, ..., d_k)", "x", {"x": ("N", "…")}),
        ("Wh: recurrent weights [H, 4H]", "Wh", {"Wh": ("H", "4*H")}),
        ("gamma (1, C, 1, 1)", "gamma", {"gamma": ("1", "C", "1", "1")}),
        ("A -- (size of the layer, number of examples)", "A", {}),
        ("Returns:\n- dx: like x, of shape (N, D)", "x", {}),
        ("calls f(x, y) on a pair", "x y", {}),
        ("x: a numpy array of shape (N, D)", "a x", {"x": ("N", "D")}),
        ("x (N, D)\nw (D, M)", "x", {"x": ("N", "D")}),
    ],
)  # fmt: skip
def test_shapes_are_read_from_docstrings(text: str, names: str, shapes: dict[str, tuple[str, ...]]) -> None:
    assert shapes_in(text, names.split()) == shapes


# -- facts -------------------------------------------------------------------------------------------------------------


def test_the_text_of_a_function_tells_ranks_keys_and_indexes(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text(
        textwrap.dedent(
            """
            def f(x, w, ids, options, scale=2.0):
                n, _, h = x.shape
                rows = w[ids]
                size = options["size"] + options.get("pad", 1)
                if "seed" in options:
                    pass
                return w.shape[1] * rows[:, 0, 0]
            """
        ),
        encoding="utf-8",
    )
    facts = read_facts(file).functions["f"]
    assert [(p.name, p.is_required) for p in facts.parameters] == [
        ("x", True), ("w", True), ("ids", True), ("options", True), ("scale", False),
    ]  # fmt: skip
    assert facts.unpacked == {"x": ("n", None, "h")}
    assert facts.ranks == {"w": 2}
    assert facts.keys == {"options": {"size": NO_DEFAULT, "pad": 1, "seed": None}}
    assert facts.indexes == {"ids"}


def test_names_have_roles() -> None:
    roles = {
        name: role_of(name) for name in ("W2", "b1", "gamma", "prev_h", "y_true", "token", "logits", "Wx", "image")
    }
    assert roles == {
        "W2": "weight", "b1": "bias", "gamma": "scale", "prev_h": "state", "y_true": "labels", "token": "ids",
        "logits": "prediction", "Wx": "wx", "image": "data",
    }  # fmt: skip
    assert [size_role(name) for name in ("n_in", "hidden_dim", "numClasses", "out_channels", "xyz")] == [
        "in", "hidden", "classes", "out", "",
    ]  # fmt: skip
    assert [family_of(name) for name in ("MaxPool2D", "spatial_groupnorm", "lstm_step", "affine")] == [
        "pool", "group_norm", "step", "",
    ]  # fmt: skip
    assert [loss_family(name) for name in ("temporal_softmax_loss", "BCE", "mse", "affine")] == [
        "loss", "binary", "regression", "",
    ]  # fmt: skip


def test_the_window_of_a_pool_is_a_setting_and_a_width_elsewhere_is_not() -> None:
    assert setting_of("pool_height", "pool") is not None
    assert setting_of("width", "") is None


def test_sizes_differ_from_each_other_from_the_batch_and_from_settings() -> None:
    numbers = numbers_for(["N", "D", "M", "H"], {}, "affine", {}, taken=[3])
    assert numbers["N"] == 2
    assert len({*numbers.values(), 3}) == 5


@pytest.mark.parametrize(
    ("shape", "kind", "text"),
    [
        (("N", "D"), "normal", "normal(N, D)"),
        (("N",), "ids", "integers(0, C, size=N)"),
        (("N", "T"), "bits", "integers(0, 2, size=(N, T))"),
        (("N", "C"), "one hot", "one_hot(integers(0, C, size=N), C)"),
        (("N", "D"), "unit", "uniform(0.1, 0.9, size=(N, D))"),
        ((), "normal", "0.7"),
    ],
)
def test_arrays_are_written_as_a_case_file_has_them(shape: tuple[str, ...], kind: str, text: str) -> None:
    assert array_text(shape, kind, "C") == text


# -- what is found -----------------------------------------------------------------------------------------------------

SQUARE = (
    "def square_forward(x):\n    return x**2, x\n\n\ndef square_backward(dout, cache):\n    return 2 * cache * dout\n"
)


def test_a_pair_becomes_a_case_with_its_calls_written_out(write: Writer) -> None:
    cases = write.cases(SQUARE)["square"]
    body = cases[0].body
    assert [case.sizes["N"] for case in cases] == [1, 2, 5]
    assert body.forward.text == "out, cache = square_forward(x)"  # type: ignore[union-attr]
    assert body.backward.text == "dx = square_backward(dout, cache)"  # type: ignore[union-attr]


def test_two_option_dicts_with_the_same_key_get_values_of_their_own(write: Writer) -> None:
    text = write(
        """
        def pooled_conv_forward(x, conv_param, pool_param):
            n, c, h, w = x.shape
            return conv_param["stride"] * pool_param["stride"] * x, (conv_param, pool_param)

        def pooled_conv_backward(dout, cache):
            return cache[0]["stride"] * cache[1]["stride"] * dout
        """
    ).text
    assert "pooled_conv_forward(x, dict(stride=stride), dict(stride=pool_stride))" in text


def test_an_option_dict_that_is_handed_on_has_the_keys_of_whoever_takes_it(write: Writer) -> None:
    text = write(
        """
        def scale_forward(x, scale_param):
            return scale_param["factor"] * x, scale_param

        def scale_backward(dout, cache):
            return cache["factor"] * dout

        def twice_forward(x, scale_param):
            out, cache = scale_forward(x, scale_param)
            return 2 * out, cache

        def twice_backward(dout, cache):
            return scale_backward(2 * dout, cache)
        """
    ).text
    assert "twice_forward(x, dict(factor=factor))" in text


def test_a_size_never_takes_the_name_of_an_array(write: Writer) -> None:
    """The width of an image is called W by custom, and so are weights."""
    cases = write.cases(
        """
        def conv_forward(x, W):
            n, c, height, width = x.shape
            return np.einsum("nchw,fchw->nf", x[:, :, : W.shape[2], : W.shape[3]], W), (x, W)

        def conv_backward(dout, cache):
            x, W = cache
            dx = np.zeros_like(x)
            dx[:, :, : W.shape[2], : W.shape[3]] = np.einsum("nf,fchw->nchw", dout, W)
            return dx, np.einsum("nf,nchw->fchw", dout, x[:, :, : W.shape[2], : W.shape[3]])
        """
    )
    assert all(not set(case.sizes) & set(case.inputs) for case in cases["conv"])


def test_what_a_constructor_calls_its_sizes_is_what_the_case_calls_them(write: Writer) -> None:
    case = write.cases(
        """
        class Linear:
            def __init__(self, fan_in, units):
                self.W = np.zeros((fan_in, units))

            def forward(self, x):
                self.x = x
                return x @ self.W

            def backward(self, dout):
                self.dW = self.x.T @ dout
                return dout @ self.W.T
        """
    )["Linear"][0]
    assert {name: text.text for name, text in case.inputs.items()} == {  # type: ignore[union-attr]
        "x": "normal(N, fan_in)", "W": "0.5*normal(fan_in, units)",
    }  # fmt: skip


def test_a_single_size_that_does_not_say_may_be_the_input_or_the_output(write: Writer) -> None:
    source = """
        class Gain:
            def __init__(self, count):
                self.g = np.ones(count)

            def forward(self, x):
                self.x = x
                return self.g * x

            def backward(self, dout):
                self.dg = (self.x * dout).sum(axis=0)
                return self.g * dout
        """
    assert "x: normal(N, count)" in write(source).text


def test_the_base_of_the_layers_is_no_layer(write: Writer) -> None:
    source = """
        class Layer:
            def forward(self, x):
                raise NotImplementedError

            def backward(self, dout):
                raise NotImplementedError

        class Double(Layer):
            def forward(self, x):
                return 2 * x

            def backward(self, dout):
                return 2 * dout
        """
    assert list(write.cases(source)) == ["Double"]


def test_a_switch_behind_the_upstream_gradient_is_no_second_one(write: Writer) -> None:
    made = write(
        """
        class Double:
            def forward(self, x):
                return 2 * x

            def backward(self, dout, keep_gradients=True):
                return 2 * dout
        """
    )
    assert "backward: dx = layer.backward(dout)" in made.text


def test_private_functions_and_classes_are_left_alone(write: Writer) -> None:
    source = SQUARE + SQUARE.replace("square", "_square") + "\n\nclass _Hidden:\n    forward = backward = None\n"
    assert list(write.cases(source)) == ["square"]


def test_a_function_that_returns_two_values_is_a_loss_only_if_it_looks_like_one(write: Writer) -> None:
    source = (
        SQUARE
        + "\n\ndef split(x):\n    return x[:1], x[1:]\n\n\ndef mse(x, t):\n    return ((x - t)**2).sum(), 2*(x - t)\n"
    )
    assert list(write.cases(source)) == ["square", "mse"]


# -- what is tried -----------------------------------------------------------------------------------------------------


def test_what_the_docstring_says_is_not_guessed_around(write: Writer) -> None:
    """A bias gradient without its sum is a mistake of the code, and must not become a case with another bias."""
    made = write(
        '''
        def shift_forward(x, b):
            """x (N, D), b (D,)."""
            return x + b, None

        def shift_backward(dout, cache):
            return dout, dout
        '''
    )
    assert "b: normal(D)" in made.text
    assert "# The gradient of 'b' has shape (2, 3), expected (3,)" in made.text
    assert made.open == ()


def test_a_batch_that_nothing_depends_on_is_left_out_of_the_sweep(write: Writer) -> None:
    made = write(
        """
        def centre_forward(x):
            return x - x.mean(axis=0), None

        def centre_backward(dout, cache):
            return dout - dout.mean(axis=0)
        """
    )
    assert "# N = 1 is left out: forward does not depend on x there" in made.text


def test_a_value_at_which_backward_is_wrong_stays_in_the_sweep(write: Writer) -> None:
    """The squeeze loses the axis of a batch of one: exactly what the sweep is there to show."""
    source = """
        def shift_forward(x, b):
            return np.tanh(x + b), np.tanh(x + b)

        def shift_backward(dout, out):
            dz = dout * (1 - out**2)
            return dz, np.squeeze(dz).sum(axis=0)
        """
    made = write(source)
    assert "# At N = 1, the gradient of 'b' has shape (), expected (3,)" in made.text
    assert [case.sizes["N"] for case in write.cases(source)["shift"]] == [1, 2, 5]


def test_a_value_that_the_code_itself_refuses_is_left_out_and_told(write: Writer) -> None:
    source = """
        def shift_forward(x, stride):
            return x[:, ::stride], (x, stride)

        def shift_backward(dout, cache):
            assert cache[1] == 1, "not yet"
            return dout
        """
    assert "# stride = 2 is left out: in backward, AssertionError: not yet, code.py:8" in write(source).text


def test_inputs_outside_of_the_domain_are_drawn_inside_of_it(write: Writer) -> None:
    source = """
        def root_forward(x):
            return np.sqrt(x), x

        def root_backward(dout, cache):
            return dout / (2 * np.sqrt(cache))
        """
    assert "x: uniform(0.1, 0.9, size=(N, D))" in write(source).text


def test_a_derivative_that_neither_reading_agrees_with_is_said_to_be_none(write: Writer) -> None:
    made = write("def cube(x):\n    return x**3\n\n\ndef cube_prime(x):\n    return 7 * x\n")
    assert "# cube_prime is given the input here; given the output, too, it would not agree" in made.text
    assert made.cases == 1


def test_trials_that_take_too_long_are_ended(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text(SQUARE, encoding="utf-8")

    loads = []

    @contextmanager
    def limit() -> Iterator[None]:
        yield
        loads.append(1)
        if len(loads) > 1:  # the first is for loading the file
            raise UserCodeError("timeout", "forward", "your code was not done after 1 s")

    made = scaffold(file, code="code.py", name="code_cases.yaml", limit=limit)
    assert "In the first trial: your code was not done after 1 s" in made.text
    assert len(loads) == 3
    assert made.open == (("square", 13),)


def test_the_generators_of_the_caller_are_not_touched(write: Writer) -> None:
    import random

    import numpy as np

    before = random.getstate(), np.random.get_state()[1].tobytes()  # type: ignore[union-attr, index]
    write(SQUARE)
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == before  # type: ignore[union-attr, index]


# -- what is left open -------------------------------------------------------------------------------------------------


def test_the_line_to_fill_in_is_told_and_marked(write: Writer) -> None:
    made = write("def mix_forward(x, y):\n    return x * y\n\n\ndef mix_backward(p, q, r):\n    return p * r, p * q\n")
    (title, line), lines = made.open[0], made.text.splitlines()
    assert title == "mix"
    assert lines[line - 1] == "  #   backward: … = mix_backward(…, …, …)  # fill in"
    assert made.cases == 0


def test_the_rest_of_the_file_runs_beside_an_open_case(write: Writer) -> None:
    source = (
        SQUARE
        + "\n\ndef mix_forward(x, y):\n    return x * y\n\n\ndef mix_backward(p, q, r):\n    return p * r, p * q\n"
    )
    assert list(write.cases(source)) == ["square"]


def test_a_file_that_cannot_be_loaded_gets_its_cases_untried(write: Writer) -> None:
    made = write("import nothing_of_that_name\n\nnothing_of_that_name.start()\n" + SQUARE)
    assert made.untested == "ModuleNotFoundError: No module named 'nothing_of_that_name', code.py:5"
    assert made.cases == 1


def test_a_library_that_is_not_there_is_missed_only_where_it_is_used(write: Writer) -> None:
    source = (
        "import nothing_of_that_name\n"
        + SQUARE
        + """

def cube_forward(x):
    return nothing_of_that_name.power(x, 3), x


def cube_backward(dout, x):
    return 3 * x**2 * dout
"""
    )
    made = write(source)
    assert (made.untested, made.open) == ("", ())
    assert "In forward: ModuleNotFoundError: No module named 'nothing_of_that_name'" in made.text


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\n", "no backward pass was found in 'code.py'"),
        ("def f(:\n", "'code.py' is no Python: invalid syntax, line 3"),
    ],
)
def test_a_file_with_nothing_to_check_is_an_error(write: Writer, source: str, message: str) -> None:
    with pytest.raises(NothingFoundError) as caught:
        write(source)
    assert caught.value.message == message


def test_a_torch_function_is_called_through_apply(write: Writer) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    case = write.cases(
        """
        import torch

        class Square(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**2

            @staticmethod
            def backward(ctx, grad_output):
                return 2 * ctx.saved_tensors[0] * grad_output
        """
    )["Square"][0]
    assert case.body.arrays == "torch"  # type: ignore[union-attr]
    assert case.body.forward.text == "out = Square.apply(x)"  # type: ignore[union-attr]

"""`gradcheck.check`: what it takes, returns and refuses, and that it treats functions as the command does."""

from __future__ import annotations

import doctest
import json
import pickle
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import gradcheck
import gradcheck.api

Array = NDArray[Any]
X = np.linspace(-1.0, 1.5, 6).reshape(2, 3)
W = np.linspace(1.0, 2.0, 12).reshape(3, 4)


def forward(x: Array, w: Array) -> tuple[Array, Any]:
    return np.tanh(x @ w), (x, w)


def backward(dout: Array, cache: Any) -> tuple[Array, Array]:
    x, w = cache
    dz = dout * (1 - np.tanh(x @ w) ** 2)
    return dz @ w.T, x.T @ dz


def half(dout: Array, cache: Any) -> tuple[Array, Array]:
    dx, dw = backward(dout, cache)
    return dx, dw / 2


def square(x: Any) -> Any:
    return x**2


def verdicts(report: gradcheck.Report) -> dict[str, str]:
    return {finding.tensor: finding.verdict for finding in report.cases[0].findings}


def error(report: gradcheck.Report) -> tuple[str, str, str]:
    found = report.cases[0].error
    assert found is not None
    return found.kind, found.during, found.text


# -- conventions -------------------------------------------------------------------------------------------------------


def test_a_right_pair_passes_and_a_wrong_one_fails_where_it_is_wrong() -> None:
    assert verdicts(gradcheck.check(forward, backward, [X, W])) == {"x": "pass", "w": "pass"}
    assert verdicts(gradcheck.check(forward, half, [X, W])) == {"x": "pass", "w": "fail"}


@pytest.mark.parametrize(
    "returned",
    [
        lambda dx, dw: (dx, dw),
        lambda dx, dw: [dx, dw],
        lambda dx, dw: {"x": dx, "w": dw},
        lambda dx, dw: {"dw": dw, "dx": dx},
    ],
    ids=["a tuple", "a list", "a dict by name", "a dict by d and name"],
)
def test_gradients_come_in_the_order_of_the_inputs_or_by_name(returned: Any) -> None:
    report = gradcheck.check(forward, lambda dout, cache: returned(*backward(dout, cache)), [X, W])
    assert verdicts(report) == {"x": "pass", "w": "pass"}


def test_inputs_of_a_dict_are_passed_by_name() -> None:
    report = gradcheck.check(forward, lambda dout, cache: dict(zip("xw", backward(dout, cache), strict=True)),
                             {"w": W, "x": X})  # fmt: skip
    assert verdicts(report) == {"w": "pass", "x": "pass"}


def test_without_a_cache_backward_is_given_the_upstream_gradient_and_the_inputs_if_it_takes_them() -> None:
    assert verdicts(gradcheck.check(square, lambda dout, x: 2 * x * dout, [X])) == {"x": "pass"}
    assert verdicts(gradcheck.check(lambda x: 3 * x, lambda dout, lr=0.1: 3 * dout, [X])) == {"x": "pass"}


def test_a_cache_of_several_values_is_passed_on_value_by_value() -> None:
    report = gradcheck.check(lambda x: (x**3, x, 3), lambda dout, x, factor: factor * x**2 * dout, [X])
    assert verdicts(report) == {"x": "pass"}


def test_several_outputs_have_an_upstream_gradient_each() -> None:
    report = gradcheck.check(
        lambda x: (np.sin(x), np.cos(x), x), lambda ds, dc, x: ds * np.cos(x) - dc * np.sin(x), [X], outputs=2
    )
    assert verdicts(report) == {"x": "pass"}


@pytest.mark.parametrize("pack", [lambda dx, dw: (dx, dw), lambda dx, dw: [dx, dw], lambda dx, dw: {"x": dx, "w": dw}])
def test_a_loss_returns_its_own_gradients(pack: Any) -> None:
    def loss(x: Array, w: Array) -> tuple[float, Any]:
        return float((x @ w).sum()), pack(np.ones((2, 4)) @ w.T, x.T @ np.ones((2, 4)))

    assert verdicts(gradcheck.check(loss, None, [X, W])) == {"x": "pass", "w": "pass"}


def test_labels_options_and_words_are_passed_on_and_not_differentiated() -> None:
    def scaled(x: Array, rows: Array, options: dict[str, float], word: str) -> tuple[Array, Any]:
        assert word == "mean"
        return options["factor"] * x[rows], (rows, options.pop("factor"), x.shape)

    def back(dout: Array, cache: Any) -> Array:
        rows, factor, shape = cache
        dx = np.zeros(shape)
        np.add.at(dx, rows, factor * dout)
        return dx

    report = gradcheck.check(scaled, back, [X, np.array([0, 1, 1]), {"factor": 2.5}, "mean"])
    assert verdicts(report) == {"x": "pass"}


def test_a_gradient_of_none_stands_for_an_input_that_has_none() -> None:
    report = gradcheck.check(lambda x, n: (x[n], x), lambda dout, x: (np.eye(2)[:, :1] * dout, None), [X, 0])
    assert verdicts(report) == {"x": "pass"}


def test_numbers_and_lists_with_a_decimal_are_arrays() -> None:
    report = gradcheck.check(lambda x, y: (x * y).sum(), lambda d, x, y: (d * y + 0 * x, d * x.sum()), [[1.0, 2], 3.0])
    assert verdicts(report) == {"x": "pass", "y": "pass"}


def test_methods_of_one_object_never_see_the_traces_of_another_evaluation() -> None:
    class Layer:
        def __init__(self) -> None:
            self.calls, self.dw = 0, np.zeros((3, 4))

        def forward(self, x: Array, w: Array) -> Array:
            self.calls += 1
            self.kept = x, w
            return self.calls * (x @ w)

        def backward(self, dout: Array) -> tuple[Array, Array]:
            x, w = self.kept
            self.dw += x.T @ dout
            return dout @ w.T, self.dw

    layer = Layer()
    report = gradcheck.check(layer.forward, layer.backward, [X, W])
    assert verdicts(report) == {"x": "pass", "w": "pass"}
    assert layer.calls == 0
    assert report.cases[0].notes == ("a second backward gives another gradient of 'w'",)


def test_only_the_tensors_in_wrt_are_checked() -> None:
    assert verdicts(gradcheck.check(forward, half, [X, W], wrt="x")) == {"x": "pass"}
    only_w = gradcheck.check(forward, lambda dout, cache: backward(dout, cache)[1], [X, W], wrt=["w"])
    assert verdicts(only_w) == {"w": "pass"}


def test_the_upstream_gradient_may_be_chosen() -> None:
    seen: list[Array] = []

    def back(dout: Array, x: Array) -> Array:
        seen.append(dout.copy())
        return 2 * x * dout

    chosen = np.arange(6.0).reshape(2, 3)
    assert gradcheck.check(square, back, [X], upstream=chosen).passed
    assert np.array_equal(seen[0], chosen)
    seen.clear()
    assert gradcheck.check(square, back, [X], upstream="ones").passed
    assert np.array_equal(seen[0], np.ones((2, 3)))


# -- hygiene -----------------------------------------------------------------------------------------------------------


def test_inputs_stay_as_they_are_whatever_the_functions_do() -> None:
    def careless(x: Array) -> tuple[Array, Array]:
        out, kept = x**2, x.copy()
        x[...] = 7
        return out, kept

    def back(dout: Array, kept: Array) -> Array:
        dout *= 2 * kept
        return dout

    before = X.copy()
    report = gradcheck.check(careless, back, [X])
    assert verdicts(report) == {"x": "pass"}
    assert np.array_equal(X, before)
    assert report.cases[0].notes == ("forward overwrites its input 'x'", "backward overwrites dout")


def test_both_generators_are_seeded_before_every_evaluation_and_put_back() -> None:
    def noisy(x: Array) -> tuple[Array, Any]:
        mask = np.random.rand(*x.shape) * random.choice([1.0, 2.0])
        return x * mask, mask

    np.random.seed(5)
    random.seed(5)
    expected = np.random.rand(), random.random()
    np.random.seed(5)
    random.seed(5)
    assert gradcheck.check(noisy, lambda dout, mask: dout * mask, [X]).passed
    assert (np.random.rand(), random.random()) == expected


def test_a_backward_that_is_not_linear_breaks_a_law() -> None:
    report = gradcheck.check(square, lambda dout, x: 2 * x, [X], upstream="ones")
    assert "not linear" in report.cases[0].findings[0].reason


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def test_too_few_gradients_are_missing_and_not_wrong() -> None:
    report = gradcheck.check(forward, lambda dout, cache: backward(dout, cache)[0], [X, W])
    assert error(report) == ("missing", "backward", "backward returned 1 gradient, expected 2: x, w")


def test_what_the_code_raises_is_an_error_with_its_line() -> None:
    def broken(dout: Array, cache: Any) -> Any:
        return 1 / 0

    report = gradcheck.check(forward, broken, [X, W])
    assert error(report) == ("raised", "backward", "ZeroDivisionError: division by zero")
    found = report.cases[0].error
    assert found is not None
    assert (found.file, found.line) == ("test_api.py", broken.__code__.co_firstlineno + 1)


@pytest.mark.parametrize(
    ("forward_", "backward_", "outputs", "expected"),
    [
        (forward, lambda d, c: None, 1, ("unfinished", "backward", "backward returned None in place of gradients")),
        (lambda x, w: None, backward, 1, ("unfinished", "forward", "forward gives None as 'out' (forward at x)")),
        (lambda x, w: x, None, 1,
         ("invalid", "forward", "forward returned one value, expected a loss and its gradients (forward at x)")),
        (lambda x, w: x, lambda d, e: d, 2,
         ("invalid", "forward", "forward returned 1 value, expected 2 outputs (forward at x)")),
        (lambda x, w: x / 0, backward, 1, ("non-finite", "forward", "forward returns -inf at the point")),
    ],
)  # fmt: skip
def test_what_is_unfinished_or_no_gradient_is_said(
    forward_: Any, backward_: Any, outputs: int, expected: tuple[str, str, str]
) -> None:
    assert error(gradcheck.check(forward_, backward_, [X, W], outputs=outputs)) == expected


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        (X, {}, "expected a list or a dict of inputs, got one ndarray; write [x], or {'x': x}"),
        ([X], {}, "forward cannot be called with these inputs: missing a required argument: 'w'; "
         "forward(x: 'Array', w: 'Array') -> 'tuple[Array, Any]'"),
        ([1, "a"], {}, "no input can be differentiated: none is an array of floats; write 2.0 for 2"),
        ([X, W * 1j], {}, "'w' is complex; only real numbers are differentiated"),
        ([[[1.0], [1.0, 2.0]], W], {}, "'x' is a list that is no array; its rows must have the same length"),
        ([X, W], {"wrt": "v"}, "there is no input 'v'; known: x, w"),
        ([X, 2], {"wrt": "w"}, "'w' is no array of floats and has no gradient; known: x"),
        ([X, W], {"upstream": "twos"}, "expected random, ones or an array as upstream, got 'twos'"),
        ([X, W], {"upstream": [1.0, 2.0]}, "the upstream gradient has shape (2,), expected that of 'out': (2, 4)"),
        ([X, W], {"upstream": (1.0, 2.0)},
         "expected 1 upstream gradient, got 2; give a tuple with one array for each output"),
        ([X, W], {"outputs": 0}, "expected at least one output, got outputs=0"),
        ([X, W], {"seed": -1}, "expected a seed of at least 0, got -1"),
        ([X, W], {"rtol": 2.0}, "expected rtol between 0 and 1, got 2.0"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_refused(inputs: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(gradcheck.UsageError) as caught:
        gradcheck.check(forward, backward, inputs, **options)
    assert str(caught.value) == message


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(gradcheck.UsageError, match="expected a function as backward, got one int"):
        gradcheck.check(forward, 3, [X, W])  # type: ignore[arg-type]


# -- the report --------------------------------------------------------------------------------------------------------


def test_a_wrong_gradient_raises_an_assertion_error_with_the_table_as_its_text() -> None:
    report = gradcheck.check(forward, half, [X, W], name="half a layer")
    with pytest.raises(AssertionError) as caught:
        report.raise_if_wrong()
    text = str(caught.value)
    assert text.startswith("a gradient is wrong\n")
    assert "FAIL  half a layer  w  shape (3, 4)  12 of 12 elements differ" in text
    assert isinstance(caught.value, gradcheck.GradientError)
    assert caught.value.report is report
    assert str(pickle.loads(pickle.dumps(caught.value))) == text


def test_code_that_breaks_raises_too() -> None:
    with pytest.raises(gradcheck.GradientError, match="the gradient could not be checked"):
        gradcheck.check(forward, lambda d, c: None, [X, W]).raise_if_wrong()


def test_what_cannot_be_decided_is_not_taken_for_right_unless_that_is_allowed() -> None:
    report = gradcheck.check(lambda x: 0 * x, lambda dout: 0 * dout, [X])
    assert verdicts(report) == {"x": "vacuous"}
    assert not report.passed
    with pytest.raises(gradcheck.GradientError, match="the evidence cannot decide"):
        report.raise_if_wrong()
    report.raise_if_wrong(allow_undecided=True)


def test_the_same_numbers_come_out_every_time() -> None:
    first, second = (gradcheck.check(forward, half, [X, W], seed=3).cases[0].findings for _ in range(2))
    assert first == second
    assert first != gradcheck.check(forward, half, [X, W], seed=4).cases[0].findings


def test_a_report_prints_as_the_table_of_the_command() -> None:
    printed = str(gradcheck.check(forward, backward, [X, W]))
    assert re.match(r"  case +tensors +resolution +verdict\n", printed)
    assert "✓ forward" in printed


# -- the module --------------------------------------------------------------------------------------------------------


def test_importing_gradcheck_imports_nothing_heavy() -> None:
    probe = "import json, sys, gradcheck; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)) & {"numpy", "rich", "pydantic", "ruamel", "click"} == set()
    assert {"check", "Report", "GradientError"} <= set(dir(gradcheck))


def test_a_name_that_gradcheck_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'gradcheck' has no attribute 'chek'"):
        gradcheck.chek  # type: ignore[attr-defined]  # noqa: B018


def test_the_examples_in_the_docstrings_are_true() -> None:
    result = doctest.testmod(gradcheck.api, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 8
    assert result.failed == 0


def test_the_example_in_the_readme_does_what_it_says() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## From Python\n")[2].partition("\n## ")[0]
    source = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert source is not None
    names: dict[str, Any] = {"forward": forward, "backward": backward, "x": X, "w": W}
    exec(compile(source[1], "README.md", "exec"), names)
    names["test_layer"]()
    names["backward"] = half
    with pytest.raises(gradcheck.GradientError):
        names["test_layer"]()

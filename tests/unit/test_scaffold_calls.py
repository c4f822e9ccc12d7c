"""What `gradcheck new` finds besides plain pairs: costs and gradients, dicts, switches, further backwards, torch."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.handwritten.scaffold import scaffold
from gradcheck.model.report import Report


def made(folder: Path, source: str, imports: str = "import numpy as np") -> tuple[str, Report]:
    """The text of the case file for a source, and the report of running it as it is."""
    file, cases = folder / "code.py", folder / "cases.yaml"
    file.write_text(f"{imports}\n{textwrap.dedent(source)}", encoding="utf-8")
    text = scaffold(file, code="code.py", name="cases.yaml").text
    cases.write_text(text, encoding="utf-8")
    return text, run_cases(load([cases]), Settings())


def verdicts(report: Report) -> dict[str, set[str]]:
    assert report.problems == ()
    found: dict[str, set[str]] = {}
    for case in report.cases:
        found.setdefault(case.name, set()).add(case.verdict)
    return found


def test_a_word_in_the_middle_tells_the_pair_and_further_backwards_are_cases_too(tmp_path: Path) -> None:
    text, report = made(
        tmp_path,
        """
        def scale_forward_plain(x, w):
            return x * w, (x, w)

        def scale_backward_plain(dout, cache):
            x, w = cache
            return dout * w, (dout * x).sum(axis=0)

        def scale_backward_other(dout, cache):
            x, w = cache
            return dout * w, np.einsum("nd,nd->d", dout, x)

        def square_cached(x):
            return x**2, x

        def square_backward(dy, cache):
            return 2 * dy * cache

        def square_backward_alt(dy, cache):
            return 3 * dy * cache
        """,
    )
    assert verdicts(report) == {"scale_plain": {"pass"}, "square": {"pass"}, "square_backward_alt": {"fail"}}
    assert "for: scale_backward_other" in text


def test_a_cost_and_its_gradient_are_a_pair(tmp_path: Path) -> None:
    text, report = made(
        tmp_path,
        """
        def compute_cost(X, y, w, b, lambda_):
            return np.mean((X @ w + b - y) ** 2) / 2 + lambda_ * np.sum(w**2)

        def compute_gradient(X, y, w, b, lambda_):
            error = X @ w + b - y
            dj_dw, dj_db = X.T @ error, error.sum()
            return dj_dw / len(y) + 2 * lambda_ * w, dj_db / len(y)
        """,
    )
    assert verdicts(report) == {"compute_cost": {"pass"}}
    assert "backward: dw, db = compute_gradient(X, y, w, b, lambda_)" in text
    assert "lambda_:\n        - 0.0\n        - 0.3" in text


def test_a_dict_of_layers_gets_shapes_that_fit_together(tmp_path: Path) -> None:
    text, report = made(
        tmp_path,
        """
        def two_layers(params, X, y, reg):
            W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
            hidden = np.tanh(X @ W1 + b1)
            scores = hidden @ W2 + b2
            p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
            loss = -np.log(p[np.arange(len(y)), y]).mean() + reg * (np.sum(W1**2) + np.sum(W2**2))
            p[np.arange(len(y)), y] -= 1
            dscores = p / len(y)
            dhidden = dscores @ W2.T * (1 - hidden**2)
            grads = {"W1": X.T @ dhidden + 2 * reg * W1, "b1": dhidden.sum(axis=0)}
            grads["W2"], grads["b2"] = hidden.T @ dscores + 2 * reg * W2, dscores.sum(axis=0)
            return loss, grads
        """,
    )
    assert verdicts(report) == {"two_layers": {"pass"}}
    assert "forward: loss, grads = two_layers(dict(W1=W1, b1=b1, W2=W2, b2=b2), X, y, reg)" in text
    assert {finding.tensor for case in report.cases for finding in case.findings} == {"W1", "b1", "W2", "b2"}


def test_a_dict_described_in_the_docstring_and_handed_on_has_all_its_arrays(tmp_path: Path) -> None:
    text, report = made(
        tmp_path,
        '''
        def cell_forward(xt, a_prev, parameters):
            """
            xt -- of shape (n_x, m)
            a_prev -- of shape (n_a, m)
            parameters -- dictionary with
                Wa -- weights of shape (n_a, n_a + n_x)
                ba -- bias of shape (n_a, 1)
            """
            both = np.concatenate([a_prev, xt])
            a_next = np.tanh(parameters["Wa"] @ both + parameters["ba"])
            return a_next, (a_next, both, parameters)

        def cell_backward(da_next, cache):
            a_next, both, parameters = cache
            dz = da_next * (1 - a_next**2)
            dboth = parameters["Wa"].T @ dz
            n = len(a_next)
            return {"dxt": dboth[n:], "da_prev": dboth[:n], "dWa": dz @ both.T, "dba": dz.sum(axis=1, keepdims=True)}
        ''',
    )
    assert verdicts(report) == {"cell": {"pass"}}
    assert "Wa: normal(n_a, n_a + n_x)" in text
    assert {finding.tensor for finding in report.cases[0].findings} == {"xt", "a_prev", "Wa", "ba"}


@pytest.mark.parametrize(
    ("derivative", "statement"),
    [
        ("s * (1 - s)", "dz = dout * act(z, deriv=True)"),
        ("z * (1 - z)", "dz = dout * act(out, deriv=True)"),
    ],
)
def test_a_switch_asks_for_the_derivative_of_the_input_or_of_the_output(
    tmp_path: Path, derivative: str, statement: str
) -> None:
    source = f"""
    def act(z, deriv=False):
        s = 1 / (1 + np.exp(-z))
        return {derivative} if deriv else s

    def mse(pred, target, deriv=False):
        return 2 * (pred - target) / pred.size if deriv else np.mean((pred - target) ** 2)
    """
    text, report = made(tmp_path, source)
    assert verdicts(report) == {"act": {"pass"}, "mse": {"pass"}}
    assert f"backward: {statement}" in text
    assert "backward: dpred = mse(pred, target, deriv=True)" in text


def test_texts_that_forward_tells_apart_are_swept(tmp_path: Path) -> None:
    text, report = made(
        tmp_path,
        """
        def unit_forward(x, activation):
            out = np.tanh(x) if activation == "tanh" else 1 / (1 + np.exp(-x)) if activation == "logistic" else None
            return out, out

        def unit_backward(dout, cache, activation):
            if activation == "logistic":
                return dout * cache
            return dout * (1 - cache**2)
        """,
    )
    assert "activation:\n        - tanh\n        - logistic" in text
    assert {case.verdict for case in report.cases if case.options["activation"] == "tanh"} == {"pass"}
    assert {case.verdict for case in report.cases if case.options["activation"] == "logistic"} == {"fail"}


def test_a_backward_that_breaks_at_the_first_setting_is_shown_beside_one_that_runs(tmp_path: Path) -> None:
    text, report = made(
        tmp_path,
        """
        def shift_forward(x, pad):
            return np.pad(x, ((0, 0), (pad, pad))), pad

        def shift_backward(dout, pad):
            dx = np.empty((dout.shape[0], dout.shape[1] - 2 * pad))
            dx[...] = dout[:, pad:-pad]
            return dx
        """,
    )
    assert "At pad = 0, in backward, ValueError" in text
    assert {case.sizes["pad"]: case.verdict for case in report.cases} == {0: "error", 1: "pass"}


def test_gradients_that_nobody_can_tell_apart_are_asked_for(tmp_path: Path) -> None:
    text, _ = made(
        tmp_path,
        """
        def word_cost(v, target, U):
            cost = -(U @ v)[target]
            return cost, -U[target], -np.eye(len(U))[target][:, None] * v
        """,
    )
    assert "forward: cost, d…, d… = word_cost(…)  # fill in" in text


def test_sizes_among_the_arguments_are_no_arrays(tmp_path: Path) -> None:
    text, _ = made(
        tmp_path,
        """
        def cofactor_cost(params, Y, num_rows, hidden_size):
            A = params[: num_rows * hidden_size].reshape(num_rows, hidden_size)
            grad = np.zeros(len(params))
            return np.sum((A - Y) ** 2), grad
        """,
    )
    assert "num_rows: normal" not in text
    assert "hidden_size: normal" not in text


def test_functions_of_torch_are_given_tensors(tmp_path: Path) -> None:
    pytest.importorskip("torch", exc_type=ImportError)
    text, report = made(
        tmp_path,
        """
        def linear_forward(x, w):
            return x.mm(w), (x, w)

        def linear_backward(dout, cache):
            x, w = cache
            return dout.mm(w.t()), x.t().mm(dout)

        def penalised(params, X, reg):
            W = params["W"]
            loss = (X.mm(W) ** 2).sum() + reg * (W**2).sum()
            return loss, {"dW": 2 * X.t().mm(X.mm(W)) + reg * W}
        """,
        imports="import torch",
    )
    assert "arrays: torch" in text
    # The gradient that it returns is judged, and not that of the library: its penalty lacks a factor.
    assert verdicts(report) == {"linear": {"pass"}, "penalised": {"pass", "fail"}}

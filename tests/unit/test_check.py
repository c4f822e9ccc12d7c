"""From a case file to results: what each key of a case changes, and what becomes a problem of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.model.report import CaseResult, Finding, Report

CODE = """
import os

import numpy as np

def square(x):
    return x**2, x

def square_backward(dout, x):
    return dout * 2 * x

def ignores_upstream(dout, x):
    return 2 * x

def affine_in_upstream(dout, x):
    return dout * 2 * x + 1

def wrong_at_large(dout, x):
    return dout * 2 * x * np.where(np.abs(x) > 1.0, 1.1, 1.0)

def drifting(x):
    return x**2 * (1 + 0.01 * os.urandom(1)[0]), x

def half(dout, x):
    return dout * x

def log_of_negative(x):
    return np.log(-np.abs(x)), x

def row_gradient(dout, x):
    return (dout * 2 * x).reshape(1, -1)

def complex_gradient(dout, x):
    return dout * 2j * x

def text_gradient(dout, x):
    return np.array(["a"] * x.size)

def cubed(x):
    return x**3, x

def single(dout, x):
    return (dout * 2 * x).astype(np.float32)
"""


def check(folder: Path, text: str, **settings: object) -> Report:
    (folder / "code.py").write_text(CODE, encoding="utf-8")
    (folder / "case.yaml").write_text(text, encoding="utf-8")
    return run_cases(load([folder / "case.yaml"]), Settings(**settings))


def only(report: Report) -> CaseResult:
    assert report.problems == ()
    (result,) = report.cases
    return result


def finding(result: CaseResult, tensor: str, claim: str | None = None) -> Finding:
    (found,) = [f for f in result.findings if f.tensor == tensor and claim in (None, f.claim)]
    return found


def messages(report: Report) -> list[tuple[int, int, str, str]]:
    return [(p.location.line, p.location.column, p.message, p.hint) for p in report.problems]


def pair(forward: str, backward: str, more: str = "", size: int = 4) -> str:
    return f"""
code: code.py
forward: out, cache = {forward}(x)
backward: dx = {backward}(dout, cache)
inputs:
  x: normal({size})
{more}"""


def test_a_right_pair_passes_with_one_finding(tmp_path):
    result = only(check(tmp_path, pair("square", "square_backward")))
    assert (result.verdict, result.as_expected, len(result.findings)) == ("pass", True, 1)
    assert finding(result, "x").counts == {"pass": 4}
    assert result.resolution is not None
    assert result.resolution < 2e-6


@pytest.mark.parametrize(
    ("backward", "law"),
    [
        ("ignores_upstream", "the gradient does not depend on the upstream gradient"),
        ("affine_in_upstream", "for an upstream gradient of zero the gradient is not zero"),
    ],
)
def test_a_backward_that_is_not_linear_fails_by_that_name(tmp_path, backward, law):
    found = finding(only(check(tmp_path, pair("square", backward))), "x")
    assert (found.verdict, found.reason) == ("fail", f"backward is not linear in its upstream gradient: {law}")


def test_a_function_that_changes_between_calls_is_an_error_of_its_own(tmp_path):
    result = only(check(tmp_path, pair("drifting", "square_backward")))
    assert result.error is not None
    assert (result.verdict, result.error.kind, result.error.during) == ("error", "nondeterministic", "forward")
    assert result.error.hint == "seed the random numbers, and keep no state between calls"


def test_a_forward_that_is_not_finite_is_an_error_and_no_verdict(tmp_path):
    result = only(check(tmp_path, pair("log_of_negative", "square_backward")))
    assert result.error is not None
    assert (result.error.kind, result.error.text) == ("non-finite", "forward returns nan at the point")


@pytest.mark.parametrize(
    ("backward", "reason"),
    [
        ("complex_gradient", "the gradient is complex; expected real numbers"),
    ],
)
def test_a_gradient_that_is_no_real_array_fails(tmp_path, backward, reason):
    found = finding(only(check(tmp_path, pair("square", backward))), "x")
    assert (found.verdict, found.reason, found.worst) == ("fail", reason, None)


def test_an_axis_of_length_one_too_many_is_noted_and_forgiven(tmp_path):
    found = finding(only(check(tmp_path, pair("square", "row_gradient"))), "x")
    assert (found.verdict, found.notes) == ("pass", ("shape (1, 4) taken for (4,)",))


def test_a_float32_gradient_is_judged_as_float32_and_says_so(tmp_path):
    found = finding(only(check(tmp_path, pair("square", "single"))), "x")
    assert (found.verdict, found.notes) == ("pass", ("computed in float32: judged to about 3 digits",))


def test_with_a_reference_differences_are_taken_of_it_and_the_forward_is_judged_too(tmp_path):
    (tmp_path / "solution.py").write_text(
        CODE.replace("def cubed(x):\n    return x**3", "def cubed(x):\n    return x**2")
    )
    result = only(check(tmp_path, pair("cubed", "square_backward", "reference: solution.py")))
    assert {f.tensor: f.verdict for f in result.findings} == {"out": "fail", "x": "pass"}


def test_a_declared_factor_is_taken_out_of_the_claim(tmp_path):
    text = pair("square", "half", "scale:\n  x: 1/2")
    assert only(check(tmp_path, text)).verdict == "pass"
    assert only(check(tmp_path, pair("square", "half"))).verdict == "fail"


def test_a_later_random_point_that_fails_is_named(tmp_path):
    text = pair("square", "wrong_at_large", "seed: 5\ntrials: 9", size=1)
    result = only(check(tmp_path, text))
    found = finding(result, "x")
    assert found.verdict == "fail"
    assert [note for note in found.notes if note.startswith("at random point")] == ["at random point 4"]


def test_seed_and_rtol_of_the_caller_win(tmp_path):
    text = "function: x**2\ninputs:\n  x: normal(1)\n"
    one, other = only(check(tmp_path, text, seed=1)), only(check(tmp_path, text, seed=2))
    assert (one.seed, other.seed) == (1, 2)
    assert one.findings[0].worst != other.findings[0].worst
    loose = "function: x**2\ninputs:\n  x: 3\ngradient:\n  x: 6.01\n"
    assert only(check(tmp_path, loose)).verdict == "fail"
    assert only(check(tmp_path, loose, rtol=0.01)).verdict == "pass"


@pytest.mark.parametrize("expect", ["expect: fail", "expect:\n  x: fail"])
def test_a_brief_run_explains_only_what_was_not_announced(tmp_path, expect):
    for more, brief, is_explained in ((expect, True, False), (expect, False, True), ("", True, True)):
        result = only(check(tmp_path, pair("square", "half", more), is_brief=brief))
        assert finding(result, "x").verdict == "fail"
        assert bool(finding(result, "x").diagnosis) == is_explained


def test_after_the_first_unexpected_result_exit_first_stops(tmp_path):
    text = """
cases:
  - name: right
    function: x**2
    inputs:
      x: 3
  - name: wrong
    function: x**2
    inputs:
      x: 3
    gradient:
      x: 7
  - name: never seen
    function: x**2
    inputs:
      x: 3
"""
    assert [c.name for c in check(tmp_path, text, exit_first=True).cases] == ["right", "wrong"]


def test_after_the_first_unexpected_result_the_other_files_are_still_searched_for_mistakes(tmp_path):
    text = """
cases:
  - name: wrong
    function: x**2
    inputs:
      x: 3
    gradient:
      x: 7
  - name: never checked
    function: x**2 + y
    inputs:
      x: 3
  - name: never loaded
    code: code.py
    forward: out, cache = nothing(x)
    backward: dx = half(dout, cache)
    inputs:
      x: normal(3)
  - name: layers of somebody
    network:
      - code("code.py:Nothing")
    inputs:
      x: normal(3)
"""
    report = check(tmp_path, text, exit_first=True)
    assert [case.name for case in report.cases] == ["wrong"]
    assert messages(report) == [(10, 22, "unknown name 'y'", "known here: x")]
    assert report.exit_code == 2


def test_what_stands_under_a_key_of_another_kind_is_not_read(tmp_path):
    text = """
network:
  - linear(4, 3)
inputs:
  x: normal(3, 4)
gradient:
  W1: x.T @ nonsense
  q: 2*(
"""
    message = "'gradient' belongs to a function case, and this is a network case"
    hint = "formulas are for functions; numbers can stand under 'expected:'"
    assert messages(check(tmp_path, text)) == [(6, 1, message, hint)]


def expecting(value: str) -> str:
    return f"function: x / 3\ninputs:\n  x: 2\nexpected:\n  x: {value}\n"


@pytest.mark.parametrize(
    ("written", "verdict"),
    [("0.33", "pass"), ("0.333", "pass"), ("0.3333333333", "pass"), ("0.34", "fail"), ("0.33334", "fail"),
     ("0.33333334", "fail"), ("0.3333333333333333", "pass")],
)  # fmt: skip
def test_a_decimal_is_right_when_the_evidence_rounds_to_it(tmp_path, written, verdict):
    assert finding(only(check(tmp_path, expecting(written))), "x", "expected").verdict == verdict


def test_a_number_too_coarse_to_show_a_mistake_says_so(tmp_path):
    found = finding(only(check(tmp_path, expecting("0.3"))), "x", "expected")
    assert (found.verdict, found.notes) == ("pass", ("agrees to the 1 digit written",))
    assert found.resolution == pytest.approx(0.05 / (1 / 3), rel=1e-6)


def test_every_mistake_of_a_case_is_reported_at_its_place(tmp_path):
    text = """
function: sum(x**2)
inputs:
  x: normal(3)
gradient:
  x: 2*y
  z: 2*x
expected:
  x: [1, 2]
"""
    assert messages(check(tmp_path, text)) == [
        (6, 8, "unknown name 'y'", "known here: x, upstream"),
        (7, 3, "'z' is not among the inputs", "the inputs are: x"),
        (9, 3, "the number written for 'x' has shape (2,); expected (3,)", "write one number for each element"),
    ]


def test_numbers_for_the_gradient_of_an_array_need_to_know_the_upstream_gradient(tmp_path):
    text = "function: x**2\ninputs:\n  x: [1, 2]\nexpected:\n  x: [2, 4]\n"
    message = "the output has shape (2,): numbers for 'x' need to know its upstream gradient"
    hint = "add `upstream: ones`, or the numbers that were used"
    assert messages(check(tmp_path, text)) == [(5, 3, message, hint)]
    assert only(check(tmp_path, text + "upstream: ones\n")).verdict == "pass"
    assert only(check(tmp_path, text.replace("[2, 4]", "[6, 20]") + "upstream: [3, 5]\n")).verdict == "pass"


def test_a_sweep_with_a_mistake_reports_it_once(tmp_path):
    text = "function: sum(y)\ninputs:\n  x: normal(N)\nsweep:\n  N: [1, 2, 3]\n"
    assert len(check(tmp_path, text).problems) == 1


def test_an_empty_tensor_is_no_finding(tmp_path):
    text = "function: sum(x) + sum(y**2)\ninputs:\n  x: normal(0)\n  y: normal(2)\n"
    assert [f.tensor for f in only(check(tmp_path, text)).findings] == ["y"]


SATURATED = """
import numpy as np

def entropy(x, y):
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return -np.log(p[np.arange(len(x)), y]).mean(), (p, y)

def entropy_backward(dout, cache):
    p, y = cache
    gradient = p.copy()
    gradient[np.arange(len(p)), y] -= 1
    return dout * gradient / len(p)
"""


@pytest.mark.parametrize("logit", [25, 28, 30, 32, 34, 40])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_right_gradient_of_a_saturated_loss_never_fails(tmp_path, logit, seed):
    (tmp_path / "loss.py").write_text(SATURATED, encoding="utf-8")
    text = (
        "code: loss.py\nforward: out, cache = entropy(x, y)\nbackward: dx = entropy_backward(dout, cache)\nwrt: [x]\n"
        f"seed: {seed}\ninputs:\n  x: {logit}.0*one_hot([0, 1], 3) + 0.1*normal(2, 3)\n  y: [0, 1]\n"
    )
    assert only(check(tmp_path, text)).verdict in ("pass", "inconclusive", "vacuous")


def test_elements_too_small_to_be_resolved_are_counted_and_said(tmp_path):
    text = "function: sum(exp(x)*w)\nwrt: [x]\nconstants:\n  w: [1.0e-14, 1.0, 2.0]\ninputs:\n  x: normal(3)\n"
    found = finding(only(check(tmp_path, text)), "x")
    assert (found.verdict, found.notes) == ("pass", ("1 small element not resolved by itself",))


def test_a_statement_reaches_numbers_and_neither_files_nor_the_system(tmp_path):
    for call in ('np.f2py.os.system("true")', 'os.system("true")', 'np.fromfile("/etc/hostname", "u1")'):
        text = (
            f"code: code.py\nforward: out = {call}\nbackward: dx = square_backward(dout, x)\ninputs:\n  x: normal(2)\n"
        )
        error = only(check(tmp_path, text)).error
        assert error is not None
        assert error.text.startswith("a statement may not use ")


@pytest.mark.parametrize("backward", ["np.abs(dout)", "np.maximum(dout, 0)", "dout * (2 if dout.sum() < 0 else 1)"])
def test_a_backward_that_hangs_on_the_sign_of_its_upstream_gradient_fails(tmp_path, backward):
    (tmp_path / "sign.py").write_text(
        "import numpy as np\ndef f(x):\n    return np.tanh(x).sum(), x\n"
        f"def b(dout, x):\n    return {backward} * (1 - np.tanh(x)**2)\n".replace("dout.sum()", "np.sum(dout)"),
        encoding="utf-8",
    )
    text = "code: sign.py\nforward: out, cache = f(x)\nbackward: dx = b(dout, cache)\ninputs:\n  x: normal(4)\n"
    assert [only(check(tmp_path, text, seed=seed)).verdict for seed in range(4)] == ["fail"] * 4

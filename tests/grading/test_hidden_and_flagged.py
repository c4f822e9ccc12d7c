"""Hidden cases are drawn for one submission alone; what looks like differences is shown to a person."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gradcheck.grading.marking import Marker, hidden_seed
from gradcheck.handwritten.session import CodeError
from gradcheck.sandbox.terms import BoxError
from tests.grading.helpers import REFERENCE, Boxes, case, homework, marked, marker, measures_of, submission
from tests.grading.test_marking import POINTS, earned, only

# -- hidden cases --


def test_hidden_cases_come_last_in_a_box_of_their_own(tmp_path: Path) -> None:
    boxes = Boxes()
    assignment = homework(tmp_path, case("h", "    hidden: true\n") + case("v"))
    result = marker(assignment, boxes).mark(submission(REFERENCE))
    assert [mark.label for mark in result.checks] == ["v", "hidden 1"]
    assert len(boxes.opened) == 2


def test_hidden_inputs_are_drawn_for_one_submission_alone(tmp_path: Path) -> None:
    noting = "def f(x, w):\n    import sys\n    sys.seen.append(float(x[0, 0]))\n"
    table = REFERENCE.replace("def f(x, w):\n", noting)

    sys.seen = []  # type: ignore[attr-defined]
    assignment = homework(tmp_path, case("h", "    hidden: true\n"))
    one = marker(assignment)
    firsts = []
    for change in ("", "# another\n", ""):
        sys.seen.clear()  # type: ignore[attr-defined]
        assert one.mark(submission(table + change)).points == 1.0
        firsts.append(sys.seen[0])  # type: ignore[attr-defined]
    assert firsts[0] == firsts[2] != firsts[1]


KINKED = """\
import numpy as np

def f(x, w):
    assert x[0, 0] + w[0, 0] < 2
    return np.log(3 + x) * np.maximum(x, 0) * w, (x, w)

def g(dout, cache):
    x, w = cache
    y = np.maximum(x, 0)
    return dout * w * (y / (3 + x) + np.log(3 + x) * (x > 0)), dout * np.log(3 + x) * y
"""


def test_a_point_at_which_the_reference_is_no_measure_is_drawn_again(tmp_path: Path) -> None:
    """Half of the points lie at a kink, outside the domain, or where the gradient is zero; nobody pays for that."""
    x, w = "1.0*integers(-3, 3, size=(1, 2))", "1.0*integers(1, 4, size=(1, 2))"
    for seed in range(100):
        one = homework(tmp_path, case("h", f"    hidden: true\n    seed: {seed}\n", x=x, w=w), KINKED)
        measures = measures_of(one)
        if not measures.problems:
            break
    honest = Marker(one, measures, Boxes())
    for number in range(12):
        result = honest.mark(submission(f"{KINKED}# {number}\n"))
        assert (result.status, result.points) == ("graded", 1.0)
    zeros = KINKED[: KINKED.index("def g")] + "def g(dout, cache):\n    return 0 * dout, 0 * dout\n"
    assert all(honest.mark(submission(f"{zeros}# {number}\n")).points == 0.0 for number in range(12))


def test_the_seed_of_a_hidden_case_depends_on_all_that_it_should() -> None:
    seed = hidden_seed(b"secret", "case", 0, "abc")
    assert 0 <= seed < 2**63
    others = [
        hidden_seed(b"other", "case", 0, "abc"), hidden_seed(b"secret", "cas", 0, "abc"),
        hidden_seed(b"secret", "case", 1, "abc"), hidden_seed(b"secret", "case", 0, "abd"),
    ]  # fmt: skip
    assert len({seed, *others}) == 5


def test_a_wrong_gradient_in_a_hidden_case_loses_its_points(tmp_path: Path) -> None:
    wrong = REFERENCE.replace("dz @ w.T,", "(dz @ w.T) * (1 + 1e-3 * (np.arange(x.size).reshape(x.shape) == 1)),")
    cases = case("h", "    hidden: true\n" + POINTS, x="normal(6, 9)", w="normal(9, 5)")
    assert earned(only(marked(tmp_path, wrong, cases))) == {"out": 1.0, "x": 0.0, "w": 3.0}


# -- flags --


NUMERIC = """\
import numpy as np

def f(x, w):
    return np.tanh(x @ w), (x, w)

def g(dout, cache):
    grads = []
    for which in (0, 1):
        here = cache[which]
        grad = np.zeros_like(here)
        for i in range(here.size):
            values = []
            for h in (1e-5, -1e-5):
                moved = here.copy()
                moved.flat[i] += h
                args = [moved if which == k else cache[k] for k in (0, 1)]
                values.append((f(*args)[0] * dout).sum())
            grad.flat[i] = (values[0] - values[1]) / 2e-5
        grads.append(grad)
    return grads[0], grads[1]
"""


def test_a_backward_that_takes_differences_is_shown_to_a_person_and_keeps_its_points(tmp_path: Path) -> None:
    result = marked(tmp_path, NUMERIC, case(x="normal(8, 6)", w="normal(6, 9)"))
    assert (result.status, result.points) == ("flagged", 1.0)
    assert "backward takes as long as differences of its 102 elements would" in result.flags
    assert "the errors of its gradients are those of differences: backward may not be a derivation" in result.flags


def test_differences_in_one_check_of_several_are_shown_to_a_person(tmp_path: Path) -> None:
    """The others may be derived, or too small to tell."""
    cases = case("derived").replace("g(dout", "h(dout") + case("differenced", x="normal(8, 6)", w="normal(6, 3)")
    both = NUMERIC + REFERENCE.split("\n\n")[-1].replace("def g", "\ndef h")
    reference = REFERENCE + "\nh = g\n"
    result = marked(tmp_path, both, cases, reference)
    assert (result.status, result.points) == ("flagged", 2.0)


def test_a_backward_that_calls_forward_once_is_not_suspected(tmp_path: Path) -> None:
    again = REFERENCE.replace("np.tanh(x @ w) ** 2", "f(x, w)[0] ** 2")
    assert again != REFERENCE
    result = marked(tmp_path, again, case(x="normal(8, 6)", w="normal(6, 9)"))
    assert (result.status, result.points) == ("graded", 1.0)


def test_an_honest_float32_is_not_suspected(tmp_path: Path) -> None:
    narrow = "x, w, dout = (a.astype(np.float32) for a in (*cache, dout))"
    single = REFERENCE.replace("x, w = cache", narrow)
    result = marked(tmp_path, single, case(x="normal(8, 6)", w="normal(6, 9)"))
    assert (result.status, result.points) == ("graded", 1.0)


def test_a_slow_but_honest_backward_is_not_suspected(tmp_path: Path) -> None:
    dot = "sum(x[k, i] * dz[k, j] for k in range(len(x)))"
    loops = f"np.array([[{dot} for j in range(dz.shape[1])] for i in range(x.shape[1])])"
    slow = REFERENCE.replace("x.T @ dz", loops)
    result = marked(tmp_path, slow, case(x="normal(8, 6)", w="normal(6, 9)"))
    assert (result.status, result.points) == ("graded", 1.0)


@pytest.mark.parametrize("error", [BoxError("timeout", "no answer"), CodeError("raised", "forward", "no")])
def test_what_is_only_looked_at_costs_no_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A box that ends while costs are measured ends after the points were earned."""

    def failing(*_: object) -> bool:
        raise error

    monkeypatch.setattr("gradcheck.grading.closer.seems_costly", failing)
    result = marked(tmp_path, REFERENCE, case("a") + case("b"))
    assert (result.status, result.points) == ("graded", 2.0)


def test_a_budget_and_several_points_find_the_same(tmp_path: Path) -> None:
    wrong = REFERENCE.replace("x.T @ dz", "x.T @ dz * (1 + 1e-3 * (np.arange(w.size).reshape(w.shape) == 5))")
    big = case(x="normal(8, 6)", w="normal(6, 9)", more=POINTS + "    trials: 2\n")
    for head in ("  title: a\n", "  title: a\n  budget: 150\n"):
        one = marker(homework(tmp_path, big, head=head))
        assert earned(only(one.mark(submission(REFERENCE)))) == {"out": 1.0, "x": 2.0, "w": 3.0}
        assert earned(only(one.mark(submission(wrong)))) == {"out": 1.0, "x": 2.0, "w": 0.0}


def test_a_refused_submission_is_not_opened(tmp_path: Path) -> None:
    boxes = Boxes()
    result = marker(homework(tmp_path, case()), boxes).mark(replace(submission(""), refusal="it is a link"))
    assert (result.status, result.message, result.points) == ("refused", "it is a link", 0.0)
    assert boxes.opened == []

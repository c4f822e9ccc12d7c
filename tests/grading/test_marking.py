"""What a submission earns: points for what is right, for nothing else, the same on every machine and in every order."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gradcheck.grading.assignment import read_assignment
from gradcheck.grading.marking import Marker
from gradcheck.grading.outcomes import SPENT
from gradcheck.model.grading import CheckMark, SubmissionResult
from tests.grading.helpers import HOMEWORK, REFERENCE, Boxes, case, example, homework, marked, marker, submission

HALF = REFERENCE.split("def g")[0]
POINTS = "    points: {out: 1, x: 2, w: 3}\n"


@pytest.fixture(scope="module")
def class_marker() -> Marker:
    assignment, _ = read_assignment(str(HOMEWORK))
    assert assignment is not None
    return marker(assignment)


def points(result: SubmissionResult) -> dict[str, float]:
    return {mark.label: mark.points for mark in result.checks}


def only(result: SubmissionResult) -> CheckMark:
    assert len(result.checks) == 1
    return result.checks[0]


def earned(mark: CheckMark) -> dict[str, float]:
    return {tensor.tensor: tensor.points for tensor in mark.tensors}


# -- the example --


def test_the_perfect_submission_gets_every_point(class_marker: Marker) -> None:
    result = class_marker.mark(example("perfect", class_marker.assignment))
    assert (result.status, result.points, result.max_points) == ("graded", 18.0, 18.0)
    assert result.flags == ()
    assert all(mark.outcome == "pass" for mark in result.checks)


def test_the_empty_submission_gets_nothing_and_is_called_not_implemented(class_marker: Marker) -> None:
    result = class_marker.mark(example("empty", class_marker.assignment))
    assert (result.status, result.points) == ("not_implemented", 0.0)


def test_a_wrong_db_loses_exactly_its_points_and_reads_why(class_marker: Marker) -> None:
    result = class_marker.mark(example("wrong_db", class_marker.assignment))
    assert points(result) == {
        "affine layer": 3.0, "relu": 1.0, "softmax loss": 2.0, "whole network": 2.0, "hidden 1": 2.0, "hidden 2": 1.5
    }  # fmt: skip
    affine = result.checks[0]
    assert earned(affine) == {"out": 1.0, "x": 1.0, "w": 1.0, "b": 0.0}
    db = next(tensor for tensor in affine.tensors if tensor.tensor == "b")
    assert db.where == "N=5"  # for one row the mean is the sum
    assert db.finding is not None
    assert "1/N" in db.finding.diagnosis[0].text


@pytest.mark.parametrize("name", ["returns_zeros", "claims_equality", "writes_results"])
def test_nothing_but_right_numbers_earns_a_point(class_marker: Marker, name: str) -> None:
    assert class_marker.mark(example(name, class_marker.assignment)).points == 0.0


def test_the_order_in_which_submissions_are_graded_changes_nothing() -> None:
    assignment, _ = read_assignment(str(HOMEWORK))
    assert assignment is not None
    names = ["perfect", "wrong_db", "returns_zeros", "empty"]
    runs = []
    for order in (names, names[::-1]):
        one = marker(assignment)
        results = {name: one.mark(example(name, assignment)) for name in order}
        runs.append({name: replace(result, seconds=0.0) for name, result in results.items()})
    assert runs[0] == runs[1]


# -- one case --


def test_the_forward_is_graded_against_the_reference_where_it_has_points(tmp_path: Path) -> None:
    wrong = REFERENCE.replace("return np.tanh(x @ w), (x, w)", "return np.tanh(x @ w) + 1e-3, (x, w)")
    mark = only(marked(tmp_path, wrong, case(more=POINTS)))
    assert earned(mark) == {"out": 0.0, "x": 2.0, "w": 3.0}
    assert mark.outcome == "fail"


def test_a_forward_without_points_is_told_and_costs_nothing(tmp_path: Path) -> None:
    wrong = REFERENCE.replace("return np.tanh(x @ w), (x, w)", "return np.tanh(x @ w) + 1e-3, (x, w)")
    mark = only(marked(tmp_path, wrong, case(more="    points: 4\n")))
    assert mark.points == mark.max_points == 4.0
    assert mark.outcome == "pass"
    assert [tensor.verdict for tensor in mark.tensors] == ["fail", "pass", "pass"]


def test_a_backward_that_is_right_for_a_wrong_forward_follows_the_reference_and_is_told_so(tmp_path: Path) -> None:
    other = REFERENCE.replace("np.tanh(x @ w)", "np.sin(x @ w)").replace("(1 - np.sin(x @ w) ** 2)", "np.cos(x @ w)")
    mark = only(marked(tmp_path, other, case(more=POINTS)))
    assert mark.points == 0.0
    assert any("your backward is right for your own forward" in note for note in mark.notes)


def test_zeros_for_everything_are_right_for_a_forward_of_zeros_and_worth_nothing(tmp_path: Path) -> None:
    zeros = "def f(x, w):\n    return 0 * x @ w, (x, w)\ndef g(d, c):\n    return 0 * c[0], 0 * c[1]\n"
    assert only(marked(tmp_path, zeros, case(more=POINTS))).points == 0.0


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("dz @ w.T,", "(dz @ w.T).T,", 2.0),
        ("dz @ w.T,", "(dz @ w.T)[:1],", 2.0),
        ("dz @ w.T,", "(dz @ w.T)[None],", 2.0),
        ("dz @ w.T,", "(dz @ w.T) * np.nan,", 2.0),
        ("dz @ w.T,", "(dz @ w.T) * np.inf,", 2.0),
        ("dz @ w.T,", "(dz @ w.T) * 1j,", 2.0),
        ("dz @ w.T,", "(dz @ w.T) * (1 + 1e-4),", 2.0),
        ("dz @ w.T,", "None,", 2.0),
        ("dz @ w.T,", "(dz @ w.T).astype(np.float32),", 0.0),
        ("dz @ w.T,", "(dz @ w.T).tolist(),", 0.0),
        ("dz @ w.T,", "(dz @ w.T).astype(np.float16),", 2.0),
        ("dz @ w.T,", "(dz @ w.T).astype(np.longdouble),", 0.0),
    ],
)
def test_one_wrong_gradient_costs_its_own_points(tmp_path: Path, old: str, new: str, lost: float) -> None:
    assert old in REFERENCE
    assert only(marked(tmp_path, REFERENCE.replace(old, new), case(more=POINTS))).points == 6.0 - lost


def test_a_gradient_of_another_shape_counts_only_where_the_case_says_so(tmp_path: Path) -> None:
    flat = REFERENCE.replace("dz @ w.T,", "(dz @ w.T).reshape(-1),")
    assert only(marked(tmp_path, flat, case(more=POINTS))).points == 4.0
    assert only(marked(tmp_path, flat, case(more=POINTS + "    shape: same_size\n"))).points == 6.0


@pytest.mark.parametrize(
    ("source", "outcome", "status"),
    [
        ("", "not_implemented", "not_implemented"),
        ("def f(x, w): pass\ndef g(d, c): pass\n", "not_implemented", "not_implemented"),
        ("def f(x, w): raise NotImplementedError\ndef g(d, c): ...\n", "not_implemented", "not_implemented"),
        (
            REFERENCE.split("def g")[0] + "def g(dout, cache):\n    return None, None\n",
            "not_implemented",
            "not_implemented",
        ),
        ("def f(", "error", "error"),
        ("1 / 0", "error", "error"),
        ("raise SystemExit(0)", "error", "error"),
        (REFERENCE.replace("    dz =", "    1 / 0\n    dz ="), "error", "error"),
        ("# crashed", "error", "error"),
        ("# flooded", "error", "error"),
        ("# broken_channel", "error", "error"),
        ("# timeout", "timeout", "timeout"),
        ("# memory", "timeout", "timeout"),
        ("raise MemoryError", "timeout", "timeout"),
        ("raise MemoryError('Unable to allocate 1.00 MiB for an array with shape (1,)')", "timeout", "timeout"),
        ("raise MemoryError('Unable to allocate 7.28 TiB for an array with shape (1,)')", "error", "error"),
        ("class MemoryErrors(Exception): pass\nraise MemoryErrors", "error", "error"),
    ],
)
def test_every_way_to_break_has_an_outcome_and_no_points(
    tmp_path: Path, source: str, outcome: str, status: str
) -> None:
    result = marked(tmp_path, source, case(more=POINTS))
    assert (only(result).outcome, result.status, result.points) == (outcome, status, 0.0)


def test_what_a_box_says_of_its_end_is_for_the_teacher(tmp_path: Path) -> None:
    result = marked(tmp_path, "# timeout", case())
    assert result.notes == ("c: it used up its 10 s or its 256 MiB",)
    error = only(result).error
    assert error is not None
    assert (error.kind, error.text) == ("timeout", SPENT)


def test_after_two_timeouts_nobody_asks_again(tmp_path: Path) -> None:
    boxes = Boxes()
    assignment = homework(tmp_path, "".join(case(name, "    timeout: 3\n") for name in "abcd"))
    result = marker(assignment, boxes).mark(submission("# timeout"))
    assert [mark.outcome for mark in result.checks] == ["timeout", "timeout", "not_run", "not_run"]
    assert result.status == "timeout"
    assert len(boxes.opened) == 2  # a new box after the fault
    assert boxes.opened[0].seconds == 3


def test_a_crash_costs_the_check_it_happens_in_and_nothing_else(tmp_path: Path) -> None:
    cases = case("a") + case("b").replace("student.py", "other.py")
    assignment = homework(tmp_path, cases)
    handed = replace(submission(REFERENCE), files={"student.py": b"# crashed", "other.py": REFERENCE.encode()})
    result = marker(assignment).mark(handed)
    assert points(result) == {"a": 0.0, "b": 1.0}
    assert result.status == "graded"


def test_a_file_that_was_not_handed_in_costs_its_own_checks(tmp_path: Path) -> None:
    assignment = homework(tmp_path, case("a") + case("b").replace("student.py", "other.py"))
    result = marker(assignment).mark(submission(REFERENCE))
    assert [mark.outcome for mark in result.checks] == ["pass", "not_implemented"]


def test_who_answers_right_only_at_first_does_not_answer_right(tmp_path: Path) -> None:
    stateful = REFERENCE.replace("def g(", "CALLS = []\ndef g(").replace(
        "    dz =", "    import sys\n    sys.calls = getattr(sys, 'calls', 0) + 1\n    dz ="
    )
    stateful = stateful.replace("return dz @ w.T", "return (1 if sys.calls <= 2 else 2) * dz @ w.T")
    sys.__dict__.pop("calls", None)
    mark = only(marked(tmp_path, stateful, case(more=POINTS)))
    assert earned(mark)["x"] == 0.0
    finding = next(tensor.finding for tensor in mark.tensors if tensor.tensor == "x")
    assert finding is not None
    assert "a second call gives other numbers; both must be right" in finding.notes


def test_what_the_case_expects_is_what_earns(tmp_path: Path) -> None:
    twice = REFERENCE.replace("x.T @ dz", "2 * x.T @ dz")
    cases = case(more=POINTS + "    expect: {w: fail}\n")
    assert only(marked(tmp_path, twice, cases)).points == 6.0
    assert earned(only(marked(tmp_path, REFERENCE, cases)))["w"] == 0.0


def test_parameters_of_an_object_get_the_values_of_the_references(tmp_path: Path) -> None:
    """Whatever a submission initialises its own to: the point is the same for the whole class."""
    model = (
        "import numpy as np\n\nclass Net:\n    def __init__(self, n):\n        self.params = {'W': {init}}\n\n"
        "    def loss(self, x):\n        y = x @ self.params['W']\n"
        "        return (y**2).sum(), {'W': 2 * x.T @ y}\n"
    )
    cases = (
        "  - name: c\n    code: student.py\n    reference: reference.py\n    setup: net = Net(3)\n"
        "    forward: loss, grads = net.loss(x)\n    parameters_at: net.params\n    gradient_at: grads\n    wrt: [W]\n"
        "    inputs: {x: 'normal(4, 3)'}\n"
    )
    trusted = model.replace("{init}", "np.random.randn(n, 2)")
    assert only(marked(tmp_path, model.replace("{init}", "np.zeros((n, 2))"), cases, trusted)).points == 1.0
    wrong_shape = only(marked(tmp_path, model.replace("{init}", "np.zeros((n, 5))"), cases, trusted))
    assert wrong_shape.error is not None
    assert wrong_shape.error.text == "the parameter 'W' has shape (3, 5), expected (3, 2)"


def test_a_gradient_that_a_dict_lacks_costs_its_own_points(tmp_path: Path) -> None:
    model = (
        "import numpy as np\n\nclass Net:\n    def __init__(self, n):\n"
        "        self.params = {'W': np.ones((n, 2)), 'b': np.zeros(2)}\n\n"
        "    def loss(self, x):\n        y = x @ self.params['W'] + self.params['b']\n"
        "        return (y**2).sum(), {'W': 2 * x.T @ y, 'b': 2 * y.sum(axis=0)}\n"
    )
    cases = (
        "  - name: c\n    code: student.py\n    reference: reference.py\n    setup: net = Net(3)\n"
        "    forward: loss, grads = net.loss(x)\n    parameters_at: net.params\n    gradient_at: grads\n"
        "    wrt: [W, b]\n    inputs: {x: 'normal(4, 3)'}\n    points: {W: 2, b: 1}\n"
    )
    lacking = model.replace(", 'b': 2 * y.sum(axis=0)}", "}")
    assert lacking != model
    assert only(marked(tmp_path, model, cases, model)).points == 3.0
    assert only(marked(tmp_path, lacking, cases, model)).points == 2.0

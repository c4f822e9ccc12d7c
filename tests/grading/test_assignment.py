"""A homework file is read as an assignment, or everything that keeps it from being one is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.grading.assignment import read_assignment
from gradcheck.grading.reference import measure
from tests.grading.helpers import HOMEWORK, REFERENCE, case, homework


def told(folder: Path, text: str) -> list[str]:
    (folder / "reference.py").write_text(REFERENCE)
    (folder / "hw.yaml").write_text(text)
    _, problems = read_assignment(str(folder / "hw.yaml"))
    return [f"{p.location.line}:{p.location.column}: {p.message}" for p in problems]


def test_the_example_is_an_assignment() -> None:
    assignment, problems = read_assignment(str(HOMEWORK))
    assert problems == ()
    assert assignment is not None
    assert [check.label for check in assignment.checks] == [
        "affine layer", "relu", "softmax loss", "whole network", "hidden 1", "hidden 2"
    ]  # fmt: skip
    assert assignment.title == "Two-layer network"
    assert assignment.files == ("two_layer.py",)
    assert assignment.max_points == 18
    assert assignment.feedback == "what"


def test_the_code_of_students_need_not_lie_beside_the_homework(tmp_path: Path) -> None:
    assert homework(tmp_path, case()).files == ("student.py",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"cases:\n{case()}", ["3:11: there is no file 'student.py' beside the case file"]),
        ("name: a\nfunction: x**2\ninputs: {x: 1.0}\n", ["1:1: this file has no 'assignment'"]),
        ("assignment: {title: a}\nname: a\nfunction: x**2\ninputs: {x: 1.0}\n",
         ["3:11: the case 'a' has nothing that a student could have written"]),
        (f"assignment: {{title: a, requires: [torch]}}\ncases:\n{case()}",
         ["1:34: submissions cannot import 'torch': the box has numpy and the standard library"]),
        (f"assignment: {{title: a, files: [../x.py, student.py]}}\ncases:\n{case()}",
         ["1:31: '../x.py' cannot be a file of a submission"]),
        (f"assignment: {{title: a, files: [other.py]}}\ncases:\n{case()}",
         ["4:11: 'student.py' is not among the files of the assignment"]),
        (f"assignment: {{title: a}}\ncases:\n{case(more='    points: 0')}\n",
         ["9:13: the assignment is worth no points"]),
        (f"assignment: {{title: a}}\ncases:\n{case(more='    arrays: torch')}\n",
         ["9:13: 'arrays' cannot be graded: the box has numpy and the standard library"]),
        (f"assignment: {{title: a}}\ncases:\n{case()}".replace("code: student.py", "code: reference.py"),
         ["5:16: the reference is the file that students hand in"]),
        (f"assignment: {{title: a, feedback: all}}\ncases:\n{case()}",
         ["1:34: expected one of none, where, what, full, got the text 'all'"]),
    ],
)  # fmt: skip
def test_what_keeps_a_file_from_being_an_assignment_is_told_with_its_place(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    assert told(tmp_path, text) == expected


def test_a_case_without_a_reference_is_refused(tmp_path: Path) -> None:
    (tmp_path / "student.py").write_text(REFERENCE)
    text = f"assignment: {{title: a}}\ncases:\n{case()}".replace("    reference: reference.py\n", "")
    said = "has no reference, and differences are only taken of a trusted forward"
    assert told(tmp_path, text) == [f"4:11: the case 'c' {said}"]


def test_the_digest_changes_with_all_that_decides_about_points(tmp_path: Path) -> None:
    first = homework(tmp_path, case())
    assert homework(tmp_path, case()).digest == first.digest
    assert homework(tmp_path, case(more="    points: 2\n")).digest != first.digest
    assert homework(tmp_path, case(), REFERENCE + "\n# another\n").digest != first.digest
    assert homework(tmp_path, case()).secret == first.digest.encode()


def test_the_digest_changes_with_what_the_reference_imports(tmp_path: Path) -> None:
    """Who mends a helper of the reference grades anew, and is not given the results of before."""
    using = f"from tools import two\nimport nets.deep\n{REFERENCE}"
    (tmp_path / "nets").mkdir()
    (tmp_path / "tools.py").write_text("import further\ntwo = 2\n")
    digests = {homework(tmp_path, case(), using).digest}
    for file in ("tools.py", "further.py", "nets/deep.py"):
        (tmp_path / file).write_text("import further\ntwo = 3\n")
        digests.add(homework(tmp_path, case(), using).digest)
    assert len(digests) == 4
    (tmp_path / "handed_in.py").write_text("x = 1\n")
    assert homework(tmp_path, case(), using).digest in digests


# -- the reference, graded first --


def flaws(folder: Path, reference: str, cases: str) -> list[str]:
    return [problem.message for problem in measure(homework(folder, cases, reference)).problems]


def test_a_sound_reference_has_no_flaws_and_its_points_are_shared(tmp_path: Path) -> None:
    measures = measure(homework(tmp_path, case(more="    points: 3\n")))
    assert measures.problems == ()
    assert measures.checks[0].points == {"x": 1.5, "w": 1.5}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("x.T @ dz", "2 * x.T @ dz", "the reference is no measure of 'c': w is wrong: it claims"),
        ("return np.tanh(x @ w), (x, w)", "return 0.0 * x @ w + 1.0, (x, w)", "the reference is no measure of"),
        ("np.tanh(x @ w), (x, w)", "np.tanh(x @ w) / 0.0, (x, w)", "the reference does not run: forward returns"),
        ("def g(", "def h(", "the reference does not run: reference.py has no 'g'"),
        ("    dz =", "    raise ValueError('no')\n    dz =", "the reference does not run: ValueError: no"),
        ("return dz @ w.T, x.T @ dz", "return 0 * x, x.T @ dz", "the reference is no measure of 'c': x is wrong"),
    ],
)  # fmt: skip
def test_nobody_is_graded_by_a_reference_that_is_not_right(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in REFERENCE
    said = flaws(tmp_path, REFERENCE.replace(old, new), case())
    assert said
    assert said[0].startswith(expected), said


def test_a_gradient_that_is_zero_would_pay_for_zeros(tmp_path: Path) -> None:
    cases = case(x="zeros(3, 2)")
    assert any(
        "w: its gradient is zero" in flaw or "w is vacuous" in flaw for flaw in flaws(tmp_path, REFERENCE, cases)
    )


def test_a_kink_at_the_point_is_no_measure(tmp_path: Path) -> None:
    reference = "import numpy as np\ndef f(x, w):\n    return np.maximum(x, 0) @ w, (x, w)\ndef g(dout, cache):\n"
    reference += "    x, w = cache\n    return (dout @ w.T) * (x > 0), np.maximum(x, 0).T @ dout\n"
    assert "x is kink" in flaws(tmp_path, reference, case(x="[[0.0, 1.0], [1.0, 2.0]]"))[0]


def test_points_for_what_is_no_tensor_are_told_at_their_place(tmp_path: Path) -> None:
    measures = measure(homework(tmp_path, case(more="    points: {x: 1, ww: 2}\n")))
    (problem,) = measures.problems
    assert problem.message == "points for 'ww', which is no gradient of the case"
    assert problem.hint == "did you mean 'w'?"
    assert "ww" in problem.excerpt


def test_a_variant_that_the_reference_does_not_pass_is_left_out(tmp_path: Path) -> None:
    reference = REFERENCE.replace("return np.tanh", "assert len(x) > 1\n    return np.tanh")
    cases = case(x="normal(N, 2)", more="    sizes: {N: 3}\n    vary: [batch1, scale]\n")
    measures = measure(homework(tmp_path, cases, reference))
    assert measures.problems == ()
    assert any("the variant batch1 is left out" in note for note in measures.notes)
    names = [c.variant.name for c in measures.checks[0].cases if c.variant is not None]
    assert names
    assert "batch1" not in names


def test_hidden_evidence_is_not_kept_for_the_class(tmp_path: Path) -> None:
    assignment = homework(tmp_path, case() + case("h", "    hidden: true\n"))
    visible, hidden = measure(assignment).checks
    assert list(visible.evidence) == [(0, 0)]
    assert hidden.evidence == {}
    assert assignment.checks[1].label == "hidden 1"

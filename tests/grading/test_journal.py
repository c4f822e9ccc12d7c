"""The journal keeps every result at once, and gives back exactly what it was given."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gradcheck.grading.journal import FILE, JournalError, journal_in
from gradcheck.grading.plain import plain, revived
from gradcheck.model.grading import Assignment, CheckMark, SubmissionResult, TensorMark, Walls
from gradcheck.model.report import CaseError, Diagnosis, Finding, Worst
from tests.grading.helpers import WALLS, case, homework, submission

FINDING = Finding(
    "backward", "w", (2, 3), "fail", 6, 2, {"fail": 2, "pass": 4},
    Worst((0, 2), float("nan"), float("-inf"), 1e-9, 0.1),
    1e-6, 2e-6, "why", ("a note",), (Diagnosis("factor", "twice", "layers.py:3", "halve it"),),
)  # fmt: skip
SUBMITTED = submission("x = 1\n")
RESULT = SubmissionResult(
    "ana", "ana", SUBMITTED.slug, SUBMITTED.sha256, "graded", 1 / 3, 2.0,
    (
        CheckMark("c", "c", False, "fail", 1 / 3, 2.0, (TensorMark("w", "fail", 0.0, 1.0, FINDING, "N=2"),)),
        CheckMark("h", "hidden 1", True, "error", 0.0, 1.0, (), CaseError("raised", "load", "x", None, 3)),
    ),
    ("look",), "", ("n",), 0.25,
)  # fmt: skip


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    return homework(tmp_path, case())


def test_a_noun_comes_back_as_it_was() -> None:
    back = revived(SubmissionResult, json.loads(json.dumps(plain(RESULT), allow_nan=False)))
    assert plain(back) == plain(RESULT)
    assert back.checks[0].tensors[0].finding is not None
    assert back.checks[0].tensors[0].finding.worst is not None
    assert back.checks[0].tensors[0].finding.shape == (2, 3)
    assert replace(back, checks=()) == replace(RESULT, checks=())
    assert back.checks[1] == RESULT.checks[1]


@pytest.mark.parametrize("data", [None, {"submission": "a"}, {"nonsense": 1}, {**plain(RESULT), "status": "perfect"}])
def test_what_is_no_noun_is_refused(data: object) -> None:
    with pytest.raises((LookupError, TypeError, ValueError)):
        revived(SubmissionResult, data)


def test_what_was_kept_is_known_later(tmp_path: Path, assignment: Assignment) -> None:
    with journal_in(tmp_path, assignment, WALLS) as journal:
        assert journal.known(SUBMITTED) is None
        journal.add(RESULT)
    with journal_in(tmp_path, assignment, WALLS) as journal:
        known = journal.known(SUBMITTED)
        assert known is not None
        assert plain(known) == plain(RESULT)


def test_a_line_that_was_cut_short_counts_for_nothing_and_harms_nobody(tmp_path: Path, assignment: Assignment) -> None:
    other = replace(SUBMITTED, name="ben", slug="ben-1")
    with journal_in(tmp_path, assignment, WALLS) as journal:
        journal.add(RESULT)
        journal.add(replace(RESULT, submission="ben", slug="ben-1"))
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:-40])
    with journal_in(tmp_path, assignment, WALLS) as journal:
        assert journal.known(SUBMITTED) is not None
        assert journal.known(other) is None
        journal.add(replace(RESULT, submission="ben", slug="ben-1"))
    with journal_in(tmp_path, assignment, WALLS) as journal:
        assert journal.known(SUBMITTED) is not None
        assert journal.known(other) is not None


def test_another_assignment_submission_or_wall_is_graded_anew(tmp_path: Path, assignment: Assignment) -> None:
    with journal_in(tmp_path, assignment, WALLS) as journal:
        journal.add(RESULT)
        assert journal.known(replace(SUBMITTED, sha256="0")) is None
    with journal_in(tmp_path, replace(assignment, digest="0"), WALLS) as journal:
        assert journal.known(SUBMITTED) is None
    with journal_in(tmp_path, assignment, Walls("limits", is_safe=False)) as journal:
        assert journal.known(SUBMITTED) is None
    with journal_in(tmp_path, assignment, WALLS, is_fresh=True) as journal:
        assert journal.known(SUBMITTED) is None


def test_two_gradings_do_not_write_the_same_journal(tmp_path: Path, assignment: Assignment) -> None:
    with (
        journal_in(tmp_path, assignment, WALLS),
        pytest.raises(JournalError, match="another grading"),
        journal_in(tmp_path, assignment, WALLS),
    ):
        pass

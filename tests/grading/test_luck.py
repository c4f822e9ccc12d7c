"""Chance earns nothing and costs nothing: a race of two limits, a neighbour's leftovers, every other call."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gradcheck.grading.outcomes import SPENT
from tests.grading.helpers import REFERENCE, Boxes, case, homework, marked, marker, submission
from tests.grading.test_marking import POINTS, earned, only, points


def test_time_and_memory_are_one_to_everybody(tmp_path: Path) -> None:
    """A bomb meets whichever limit is nearer on a busy machine: its result is the same, and so is what is not run."""
    cases = "".join(case(name) for name in "abc")
    kinds = (
        "# timeout",
        "# memory",
        "raise MemoryError('here')",
        "def f(x, w):\n    return [0] * 10**15\ndef g(d, c): 0",
    )
    results = [marked(tmp_path, source, cases) for source in kinds]
    told = [replace(result, seconds=0.0, sha256="", checks=()) for result in results]
    assert told == [told[0]] * len(kinds)
    assert [mark.outcome for mark in results[0].checks] == ["timeout", "timeout", "not_run"]
    texts = [[mark.error and mark.error.text for mark in result.checks] for result in results]
    assert texts == [[SPENT, SPENT, None]] * len(kinds)


def test_an_error_of_one_check_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    """What the code still holds after it, memory above all, would be there or not by chance."""
    boxes = Boxes()
    broken = REFERENCE.replace("def f(x, w):\n", "def f(x, w):\n    1 / (len(x) - 3)\n")
    assignment = homework(tmp_path, case("a") + case("b", x="normal(4, 2)") + case("c", x="normal(5, 2)"))
    result = marker(assignment, boxes).mark(submission(broken))
    assert points(result) == {"a": 0.0, "b": 1.0, "c": 1.0}
    assert len(boxes.opened) == 2


COUNT = "import sys\n\ndef count():\n    sys.calls = getattr(sys, 'calls', 0) + 1\n    return sys.calls\n\n"


@pytest.mark.parametrize("rest", [0, 1])
@pytest.mark.parametrize("where", ["f", "g"])
def test_who_is_right_every_other_time_does_not_answer_right(tmp_path: Path, where: str, rest: int) -> None:
    sys.__dict__.pop("calls", None)
    old, tensor = {"f": ("return np.tanh", "out"), "g": ("return dz @ w.T", "x")}[where]
    alternating = COUNT + REFERENCE.replace(
        old, f"{old.replace('return ', f'return (1 + (count() % 2 == {rest})) * ')}"
    )
    assert earned(only(marked(tmp_path, alternating, case(more=POINTS))))[tensor] == 0.0

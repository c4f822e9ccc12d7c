"""What the slope along many elements says about a claim, and how a finding tells it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from gradcheck.verdict.compare import DOUBLE, SINGLE, Word, compare
from gradcheck.verdict.probing import (
    SPREAD,
    Sight,
    Sum,
    allowances,
    counted,
    is_quiet,
    probed,
    resolution_of,
    word_of,
)
from tests.unit.estimates import estimate
from tests.unit.reports import finding

FINE = Sum(
    claimed=2.0, numeric=2.0, bound=1e-8, low=2.0, high=2.0, allowed=1e-5, usual=1e-8, size=3.0, moved=True,
    is_bent=False,
)  # fmt: skip
WRONG = replace(FINE, claimed=2.1)
STILL = replace(FINE, claimed=0.0, numeric=0.0, size=0.0, moved=False)


def test_elements_may_be_off_by_rtol_and_numbers_by_half_a_unit():
    allowed, usual = allowances(np.array([2.0, -4.0, 0.0, np.nan]), DOUBLE, None)
    assert allowed == pytest.approx([2e-6, 4e-6, 0.0, 0.0])
    assert usual == pytest.approx([2e-9, 4e-9, 0.0, 0.0])
    allowed, usual = allowances(np.array([2.0, 4.0]), DOUBLE, np.array([0.05, 0.0]))
    assert allowed == pytest.approx([0.05, 4e-6])
    assert usual == pytest.approx([0.05, 4e-9])


def test_right_elements_that_are_all_off_by_what_is_allowed_stay_below_the_spread():
    """In quadrature, with random signs: the allowance of a sum grows with the root of the size."""
    generator = np.random.default_rng(0)
    claimed = generator.normal(size=1000)
    allowed, _ = allowances(claimed, DOUBLE, None)
    for _ in range(200):
        path = generator.choice([-1.0, 1.0], 1000) * generator.uniform(0.5, 1.5, 1000)
        assert abs(allowed @ path) <= 1.5 * SPREAD * np.linalg.norm(allowed * path)


def test_what_is_usual_is_quiet_and_what_is_allowed_is_not():
    assert is_quiet(FINE)
    assert is_quiet(replace(FINE, claimed=2.0 + 1.9e-8))
    assert not is_quiet(replace(FINE, claimed=2.0 + 1e-6))
    assert not is_quiet(replace(FINE, claimed=math.nan))


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        (FINE, Word.PASS),
        (replace(FINE, claimed=2.000009), Word.PASS),
        (replace(FINE, claimed=2.000015), Word.INCONCLUSIVE),
        (WRONG, Word.FAIL),
        (replace(WRONG, bound=0.03), Word.INCONCLUSIVE),
        (replace(FINE, bound=0.01), Word.INCONCLUSIVE),
        (replace(WRONG, is_bent=True), Word.INCONCLUSIVE),
        (replace(WRONG, is_bent=True, low=1.5, high=2.5), Word.KINK),
        (replace(FINE, claimed=math.nan), Word.INCONCLUSIVE),
        (replace(FINE, numeric=math.nan, bound=math.inf), Word.INCONCLUSIVE),
        (replace(FINE, claimed=0.0, numeric=1e-9, size=0.0, moved=False), Word.PASS),
        (replace(FINE, claimed=0.0, numeric=1e-9, size=0.0), Word.INCONCLUSIVE),
    ],
)  # fmt: skip
def test_two_directions_that_say_the_same(seen: Sum, word: Word) -> None:
    assert word_of([seen, seen], DOUBLE)[0] is word


def test_one_direction_convicts_nobody():
    assert word_of([WRONG], DOUBLE)[0] is Word.INCONCLUSIVE
    assert word_of([WRONG, FINE], DOUBLE) == (Word.INCONCLUSIVE, WRONG)
    assert word_of([FINE, WRONG], DOUBLE) == (Word.INCONCLUSIVE, WRONG)
    assert word_of([FINE], DOUBLE)[0] is Word.PASS


def test_the_resolution_is_the_mistake_that_the_shortest_path_hides_beside_a_typical_element():
    path, claimed = np.array([0.5, -1.0, 0.0, 1.5]), np.array([3.0, -3.0, 3.0, 3.0])
    seen = replace(FINE, usual=1e-6, bound=1e-6)
    assert resolution_of(seen, path, claimed, DOUBLE) == pytest.approx(3e-6 / (0.5 * 3.0))
    unusual = replace(seen, claimed=2.0 + 8e-6)
    assert resolution_of(unusual, path, claimed, DOUBLE) == pytest.approx(1.2e-5 / (0.5 * 3.0))


def test_the_resolution_is_never_better_than_what_is_allowed_to_an_element():
    assert resolution_of(FINE, np.ones(3), np.ones(3), SINGLE) == SINGLE.rtol


@pytest.mark.parametrize(
    ("seen", "path", "claimed"),
    [
        (FINE, np.ones(2), np.zeros(2)),
        (FINE, np.zeros(2), np.ones(2)),
        (replace(FINE, bound=math.inf), np.ones(2), np.ones(2)),
    ],
)
def test_where_nothing_is_seen_there_is_no_resolution(seen, path, claimed):
    assert resolution_of(seen, path, claimed, DOUBLE) is None


def test_what_was_measured_and_says_nothing_is_not_counted():
    measured = estimate([1.0, 1.0, 1.0, 1.0, 0.0], bound=np.array([1e-10, 1e-10, 0.1, 1e-3, np.inf]),
                        checked=[True, True, True, True, False])  # fmt: skip
    claimed = np.array([1.0, 2.0, 1.05, 1.003, np.nan])
    comparison = compare(claimed, measured, DOUBLE)
    assert counted(claimed, measured, comparison).tolist() == [True, True, False, True, True]


# --- the finding ------------------------------------------------------------------------------------------------------

FEW = finding(checked=3, counts={"pass": 3}, resolution=2e-6)


def test_a_pass_says_what_was_looked_at_and_what_could_have_been_missed():
    told = probed(FEW, Sight(Word.PASS, FINE, 3e-4, 1), 1200)
    assert (told.verdict, told.coverage, told.resolution, told.checked) == ("pass", "probed", 3e-4, 3)
    assert told.notes == (
        "probed: 3 of 1,200 elements by themselves, all together along a random direction; could have missed a mistake "
        "in a single other element below 3.0e-04 of a typical one",
    )


def test_a_tensor_that_was_measured_altogether_was_not_probed():
    assert probed(FEW, Sight(Word.PASS, FINE, 3e-4, 1), 3) == FEW


def test_a_sum_that_is_wrong_fails_without_an_element():
    told = probed(FEW, Sight(Word.FAIL, WRONG, 3e-4, 2, ended=True), 1200)
    assert (told.verdict, told.worst, told.limit, told.resolution) == ("fail", None, None, 2e-6)
    assert told.reason == (
        "along a random direction the claims add up to 2.1, the slope is 2 ± 1.0e-08; "
        "a larger budget finds the elements"
    )
    assert told.notes == ("probed: 3 of 1,200 elements by themselves",)


@pytest.mark.parametrize(
    ("sight", "rest"),
    [
        (Sight(Word.PASS, FINE, 3e-4, 1), "the others together along a random direction; could have missed"),
        (Sight(Word.PASS, FINE, 3e-4, 1, ended=True), "the budget ended before all wrong elements were found"),
        (Sight(Word.FAIL, WRONG, 3e-4, 2), "the others, moved together, do not add up either"),
    ],
)
def test_a_wrong_element_says_what_is_known_of_the_others(sight: Sight, rest: str) -> None:
    wrong = replace(FEW, verdict="fail", wrong=1, counts={"pass": 2, "fail": 1}, reason="because")
    told = probed(wrong, sight, 1200)
    assert (told.verdict, told.reason, told.worst) == ("fail", "because", wrong.worst)
    assert rest in told.notes[0]


@pytest.mark.parametrize(
    ("found", "sight", "verdict"),
    [
        (replace(FEW, verdict="inconclusive"), Sight(Word.PASS, FINE, 1e-4, 1), "inconclusive"),
        (FEW, Sight(Word.KINK, FINE, None, 1), "kink"),
        (FEW, Sight(Word.INCONCLUSIVE, FINE, 1e-4, 1), "inconclusive"),
        (replace(FEW, verdict="vacuous"), Sight(Word.PASS, FINE, 1e-4, 1), "pass"),
        (replace(FEW, checked=0, counts={}), Sight(Word.PASS, FINE, 1e-4, 1), "pass"),
        (
            replace(FEW, checked=0, counts={}),
            Sight(Word.PASS, replace(FINE, size=0.0, moved=False), None, 1),
            "vacuous",
        ),
        (replace(FEW, verdict="kink"), Sight(Word.PASS, FINE, 1e-4, 1), "kink"),
    ],
)
def test_the_graver_of_elements_and_sums_counts(found, sight: Sight, verdict: str) -> None:
    assert probed(found, sight, 1200).verdict == verdict


def test_where_nothing_can_be_moved_together_the_elements_are_a_sample():
    lost = replace(FINE, numeric=math.nan, bound=math.inf)
    assert probed(FEW, Sight(Word.INCONCLUSIVE, lost, None, 1), 1200).coverage == "sampled"

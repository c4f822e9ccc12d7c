"""What the combinations of one case say together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from gradcheck.model.case import Expect
from gradcheck.model.report import CaseError, CaseResult, Diagnosis, Finding
from gradcheck.verdict.combinations import as_expected_of_variant, combined
from tests.unit.reports import finding, result

ERROR = CaseError("raised", "backward", "ValueError: no", "layers.py", 7)


def one(word: str | None, *, variant: str = "", varied: str = "", **bound: Any) -> CaseResult:
    """The result of one combination whose tensor W1 has that verdict; None for an error."""
    sizes = {name: value for name, value in bound.items() if type(value) is int}
    options = {name: value for name, value in bound.items() if name not in sizes}
    findings = [] if word is None else [finding("W1", word)]
    return result(
        "layer", *findings, verdict=word or "error", sizes=sizes, options=options, error=None if word else ERROR,
        swept=tuple(bound), variant=variant, varied=varied,
    )  # fmt: skip


def grid(wrong: Iterable[tuple[Any, ...]], **values: tuple[Any, ...]) -> list[CaseResult]:
    """Every combination of the values, wrong in those given."""
    bad = set(wrong)
    return [one("fail" if point in bad else "pass", **dict(zip(values, point, strict=True)))
            for point in product(*values.values())]  # fmt: skip


def said(results: Iterable[CaseResult]) -> str:
    """The one sentence that every failing finding got, and no other finding."""
    texts: set[str] = set()
    for found in combined(tuple(results)):
        for f in found.findings:
            assert bool(f.diagnosis) <= (f.verdict == "fail")
            texts.update(d.text for d in f.diagnosis)
            assert {d.kind for d in f.diagnosis} <= {"combination"}
    assert len(texts) <= 1
    return texts.pop() if texts else ""


@pytest.mark.parametrize(
    ("values", "wrong", "text"),
    [
        ((1, 2, 7), (2, 7), "right for N = 1, wrong from N = 2 on"),
        ((7, 1, 2), (2, 7), "right for N = 1, wrong from N = 2 on"),
        ((1, 2), (2,), "right for N = 1, wrong for N = 2"),
        ((1, 2), (1,), "wrong for N = 1, right for N = 2"),
        ((1, 2, 3, 4), (1, 2, 3), "wrong up to N = 3, right for N = 4"),
        ((1, 2, 3, 4, 5), (4, 5), "right up to N = 3, wrong from N = 4 on"),
        ((1, 2, 3, 4), (1, 2), "wrong for N = 1, 2, right from N = 3 on"),
        (("SAME", "valid"), ("SAME",), "right for N = valid, wrong for N = SAME"),
        ((1, 2, 3), (2,), "right for N = 1, 3, wrong for N = 2"),
        ((0.0, 0.5), (0.5,), "right for N = 0.0, wrong for N = 0.5"),
        (("test", "train"), ("train",), "right for N = test, wrong for N = train"),
        (("train", "test"), ("train",), "right for N = test, wrong for N = train"),
        ((False, True), (True,), "right for N = false, wrong for N = true"),
        ((1, 2), (1, 2), "wrong in all 2 combinations"),
        ((1, 2), (), ""),
    ],
)
def test_of_one_name_it_is_said_from_where_on_it_is_wrong(
    values: tuple[Any, ...], wrong: tuple[Any, ...], text: str
) -> None:
    assert said(grid([(value,) for value in wrong], N=values)) == text


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ([(1, 1), (2, 1), (3, 1)], "wrong for stride = 1, right from stride = 2 on"),
        ([(2, 1), (3, 1), (3, 2)], "wrong wherever stride < size, right elsewhere"),
        ([(1, 1), (2, 2), (3, 3)], "wrong wherever size = stride, right elsewhere"),
        ([(1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2)], "wrong wherever size ≠ stride, right elsewhere"),
        ([(3, 1)], "wrong for size = 3 and stride = 1, right elsewhere"),
        ([(2, 2), (2, 3), (3, 2), (3, 3)], "wrong from size = 2 on and from stride = 2 on, right elsewhere"),
        ([(1, 2), (3, 1)], "wrong in 2 of 9 combinations, the smallest: size = 1, stride = 2"),
        ([(3, 1), (1, 2)], "wrong in 2 of 9 combinations, the smallest: size = 1, stride = 2"),
    ],
)
def test_of_several_names_as_few_as_possible_are_told(wrong: list[tuple[int, int]], text: str) -> None:
    assert said(grid(wrong, size=(1, 2, 3), stride=(1, 2, 3))) == text


def test_a_name_that_changes_nothing_is_not_mentioned() -> None:
    wrong = [(n, m, 1) for n in (1, 2) for m in ("a", "b")]
    assert said(grid(wrong, N=(1, 2), mode=("a", "b"), reg=(0, 1))) == "right for reg = 0, wrong for reg = 1"


def test_undecided_combinations_are_neither_right_nor_wrong() -> None:
    results = [one("pass", N=1), one("inconclusive", N=2), one("fail", N=3), one("vacuous", N=4)]
    assert said(results) == "right for N = 1, wrong for N = 3"


def test_a_kink_counts_as_right() -> None:
    assert said([one("kink", N=1), one("fail", N=2)]) == "right for N = 1, wrong for N = 2"


def test_a_case_that_only_a_variant_shows_wrong_names_the_variant_and_what_it_changed() -> None:
    results = [one("pass"), one("fail", variant="repeated", varied="ids"), one("pass", variant="ties", varied="x")]
    assert said(results) == "right as written, wrong with vary: repeated (ids)"


def test_variants_are_told_for_all_combinations_together() -> None:
    results = [
        one("pass", N=1), one("pass", N=1, variant="ties"), one("pass", N=2), one("fail", N=2, variant="ties"),
        one("fail", N=2, variant="scale=1000", varied="x"),
    ]  # fmt: skip
    assert said(results) == "right in all 2 combinations, wrong with vary: ties, scale=1000 (x)"


def test_a_case_that_is_wrong_as_written_names_the_variants_that_hide_it() -> None:
    results = [one("fail"), one("pass", variant="batch1", varied="N = 1"), one("fail", variant="ties")]
    assert said(results) == "wrong as written, right with vary: batch1 (N = 1)"


def test_a_case_that_is_wrong_in_some_combinations_leaves_the_variants_out() -> None:
    results = [one("pass", N=1), one("fail", N=1, variant="ties"), one("fail", N=2), one("fail", N=2, variant="ties")]
    assert said(results) == "right for N = 1, wrong for N = 2"


def test_an_undecided_case_with_a_wrong_variant_says_nothing_about_itself() -> None:
    assert said([one("vacuous"), one("fail", variant="ties")]) == ""


def test_tensors_and_claims_are_told_of_separately() -> None:
    def member(n: int, w: str, b: str) -> CaseResult:
        return replace(one("fail", N=n), findings=(finding("W1", w), finding("b1", b)))

    first, second = combined([member(1, "pass", "fail"), member(2, "fail", "fail")])
    assert [f.diagnosis for f in first.findings] == [(), (Diagnosis("combination", "wrong in all 2 combinations"),)]
    assert [f.diagnosis[0].text for f in second.findings] == [
        "right for N = 1, wrong for N = 2", "wrong in all 2 combinations",
    ]  # fmt: skip


def test_what_a_finding_was_diagnosed_with_before_stays() -> None:
    known = Diagnosis("factor", "half of it")
    wrong = replace(one("fail", N=2), findings=(finding("W1", "fail", diagnosis=(known,)),))
    assert combined([one("pass", N=1), wrong])[1].findings[0].diagnosis == (
        known, Diagnosis("combination", "right for N = 1, wrong for N = 2"),
    )  # fmt: skip


def test_code_that_breaks_in_some_combinations_is_told_of_in_a_note() -> None:
    first, second, third = combined([one(None, N=1), one("pass", N=2), one("fail", N=4)])
    assert first.notes == ("breaks for N = 1, runs from N = 2 on",)
    assert (second.notes, third.notes) == ((), ())
    assert third.findings[0].diagnosis[0].text == "right for N = 2, wrong for N = 4"


def test_errors_at_different_places_are_different_errors() -> None:
    other = replace(one(None, N=2), error=replace(ERROR, line=9))
    assert [r.smallest for r in combined([one(None, N=1), other, one(None, N=3)])] == [True, True, False]


def test_a_result_alone_is_left_as_it_is() -> None:
    alone = one("fail", N=1)
    assert combined([alone]) == (alone,)
    assert combined([]) == ()


def test_the_smallest_combination_is_marked_whatever_the_order() -> None:
    results = combined([one("fail", N=7, mode="b"), one("fail", N=2, mode="b"), one("fail", N=2, mode="a")])
    assert [r.smallest for r in results] == [False, True, False]  # mode has the order of the file: b, a


def test_a_combination_with_a_mistake_of_its_own_is_the_smallest_of_that_one() -> None:
    both = replace(one("fail", N=2), findings=(finding("W1", "fail"), finding("b1", "fail")))
    assert [r.smallest for r in combined([one("fail", N=1), both, both])] == [True, True, False]


def test_the_case_as_written_is_smaller_than_its_variants() -> None:
    results = combined([one("fail", N=5), one("fail", N=1, variant="batch1"), one("pass", N=5, variant="ties")])
    assert [r.smallest for r in results] == [True, False, True]


def _expected(words: Mapping[str, str], *, name: str = "scale=1000", strict: bool = False, **fields: Any) -> bool:
    findings: list[Finding] = [finding(tensor, word) for tensor, word in words.items()]
    return as_expected_of_variant(name, fields.get("expect", Expect()), findings, fields.get("error"), strict)


@pytest.mark.parametrize(("word", "usual", "strict"), [
    ("pass", True, True), ("kink", True, False), ("vacuous", True, False), ("inconclusive", True, False),
    ("fail", False, False),
])  # fmt: skip
def test_a_variant_may_be_undecided_and_not_wrong(word: str, usual: bool, strict: bool) -> None:
    assert _expected({"W": "pass", "b": word}) is usual
    assert _expected({"W": "pass", "b": word}, strict=True) is strict


def test_ties_are_expected_to_meet_kinks() -> None:
    assert _expected({"x": "kink"}, name="ties", strict=True)


def test_a_variant_may_be_as_wrong_as_the_case_is_announced_to_be_and_may_be_right() -> None:
    assert _expected({"W": "fail", "b": "pass"}, expect=Expect(tensors={"W": "fail"}))
    assert _expected({"W": "pass", "b": "pass"}, expect=Expect(tensors={"W": "fail"}))
    assert not _expected({"W": "fail", "b": "fail"}, expect=Expect(tensors={"W": "fail"}))
    assert _expected({"W": "fail", "b": "fail"}, expect=Expect(verdict="fail"))


def test_a_variant_that_breaks_is_never_expected() -> None:
    assert not _expected({}, error=ERROR)
    assert not _expected({}, error=ERROR, expect=Expect(verdict="fail"))
    assert not _expected({}, error=ERROR, expect=Expect(verdict="error"))

"""Keyword expressions: which cases `-k` means."""

from __future__ import annotations

import pytest

from gradcheck.checking.selection import KeywordError, NothingSelectedError, select
from gradcheck.location import Location, SourceText
from gradcheck.model.case import Case, FunctionBody


def case(name: str, file: str, *tags: str) -> Case:
    return Case(name, Location(file, 1, 1), FunctionBody(SourceText.of("x")), tags=tags)


BILL = case("bill", "cases/01_bill.yaml", "quick")
MSE = case("MSE with an outlier", "cases/09_losses.yaml", "loss")
MAE = case("mae with an outlier", "cases/09_losses.yaml", "loss", "kink")
BREAD = case("bread and butter (old)", "cases/food.yaml")
ALL = (BILL, MSE, MAE, BREAD)


@pytest.mark.parametrize(
    ("keyword", "selected"),
    [
        (None, ALL),
        ("bill", (BILL,)),
        ("mse", (MSE,)),
        ("MAE", (MAE,)),
        ("09_losses", (MSE, MAE)),
        ("kink", (MAE,)),
        ("with an outlier", (MSE, MAE)),
        ("loss and not kink", (MSE,)),
        ("bill or kink", (BILL, MAE)),
        ("not outlier and not food", (BILL,)),
        ("bill or mse and kink", (BILL,)),
        ("(bill or mse) and loss", (MSE,)),
        ("not not bill", (BILL,)),
        ("not (bill or outlier)", (BREAD,)),
        ('"bread and butter"', (BREAD,)),
        ("'(old)'", (BREAD,)),
        ("nothing of the kind", ()),
    ],
)
def test_a_keyword_selects(keyword: str | None, selected: tuple[Case, ...]) -> None:
    assert [c.name for c in select(ALL, keyword)] == [c.name for c in selected]


@pytest.mark.parametrize(
    ("keyword", "cause"),
    [
        ("", "expected a word, got nothing"),
        ("mse and", "expected a word, got nothing"),
        ("and mse", "expected a word, got 'and'"),
        ("(mse", "a bracket is not closed"),
        ("mse)", "expected 'and' or 'or', got ')'"),
        ("mse (mae)", "expected 'and' or 'or', got '('"),
        ("'mse", "a quote is not closed"),
        ("(" * 500, "it has 500 words, more than 200"),
    ],
)
def test_a_keyword_that_cannot_be_read_says_why(keyword: str, cause: str) -> None:
    with pytest.raises(KeywordError) as caught:
        select(ALL, keyword)
    assert caught.value.message == f"-k '{keyword[:80]}' cannot be read: {cause}"
    assert caught.value.hint == (
        "write words joined by 'and', 'or', 'not' and brackets; quote a text that holds one of them"
    )


def test_nothing_selected_names_what_there_is() -> None:
    one = NothingSelectedError.among((BILL,), "zzz")
    assert (one.message, one.hint) == ("-k 'zzz' does not match the one case", "the first is called 'bill'")
    close = NothingSelectedError.among(ALL, "mae with an outlyer")
    assert close.hint == "did you mean 'mae with an outlier'?"
    assert NothingSelectedError.among((), None).message == "no case was found"

"""Every combination of what a sweep lists."""

from __future__ import annotations

import pytest

from gradcheck.casefile.sweep import MAX_COMBINATIONS, SweepError, expand, is_size
from gradcheck.location import Location, SourceText
from gradcheck.model.case import Case, FunctionBody


def case(**more: object) -> Case:
    return Case("swept", Location("a.yaml", 1, 1), FunctionBody(SourceText.of("x")), **more)  # type: ignore[arg-type]


def test_a_case_without_a_sweep_is_itself() -> None:
    one = case(sizes={"N": 3})
    assert expand(one) == (one,)


def test_every_combination_is_a_case_the_last_name_varying_fastest() -> None:
    swept = expand(case(sizes={"D": 5}, sweep={"N": (1, 2), "M": (7, 8)}))
    assert [dict(one.sizes) for one in swept] == [
        {"D": 5, "N": 1, "M": 7},
        {"D": 5, "N": 1, "M": 8},
        {"D": 5, "N": 2, "M": 7},
        {"D": 5, "N": 2, "M": 8},
    ]
    assert {(one.name, one.seed, one.swept, len(one.sweep)) for one in swept} == {("swept", 0, ("N", "M"), 0)}


@pytest.mark.parametrize(
    ("values", "options", "size"),
    [((1, 2), {}, True), ((1, 2.5), {}, False), (("same", "valid"), {}, False), ((True, False), {}, False),
     ((1, 2), {"N": 3}, False)],
)  # fmt: skip
def test_whole_numbers_are_sizes_unless_the_name_is_an_option(
    values: tuple[object, ...], options: dict[str, object], size: bool
) -> None:
    swept = case(sweep={"N": values}, options=options)
    assert is_size(swept, "N") is size
    first = expand(swept)[0]
    assert (first.sizes if size else first.options)["N"] == values[0]
    assert "N" not in (first.options if size else first.sizes)


def test_a_swept_value_stands_in_for_the_one_given() -> None:
    one, two = expand(case(sizes={"N": 9}, sweep={"N": (1, 2)}))
    assert (one.sizes, two.sizes) == ({"N": 1}, {"N": 2})


def test_more_combinations_than_the_limit_are_refused() -> None:
    values = tuple(range(10))
    assert len(expand(case(sweep={"A": values, "B": values, "C": values}))) == MAX_COMBINATIONS
    with pytest.raises(SweepError, match="the sweep has more than 1000 combinations") as caught:
        expand(case(sweep={"A": values, "B": values, "C": values, "D": (1, 2)}))
    assert caught.value.hint == "sweep fewer names at once, or split the case"

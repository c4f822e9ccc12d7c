"""The line that says what a long case is going to cost, and who gets to read it."""

from __future__ import annotations

import pytest

from gradcheck.checking.announcement import announcement, told_costs
from gradcheck.checking.examine import examine
from tests.unit.networks import network
from tests.unit.points import problem


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(3.0, "3 s"), (38.4, "38 s"), (119.0, "119 s"), (121.0, "2 min"), (7100.0, "118 min"), (7300.0, "2 h")],
)
def test_a_long_case_says_what_it_costs_and_what_would_be_cheaper(seconds: float, told: str) -> None:
    assert announcement("affine", 159020, seconds) == (
        f"affine: 159,020 evaluations of somebody's code, about {told}; --budget 2000 probes instead"
    )


@pytest.mark.parametrize("seconds", [0.0, 2.9, float("nan")])
def test_a_short_case_says_nothing(seconds: float) -> None:
    assert announcement("affine", 159020, seconds) is None


def test_no_budget_is_proposed_where_one_is_given_or_would_change_nothing() -> None:
    assert announcement("slow", 1500, 60.0) == "slow: 1,500 evaluations of somebody's code, about 60 s"
    assert announcement("slow", 9000, 60.0, budget=10000) == "slow: 9,000 evaluations of somebody's code, about 60 s"


def test_costs_are_told_only_to_who_wants_to_know() -> None:
    assert told_costs("affine", None, None) is None
    heard: list[str] = []
    on_cost = told_costs("affine", None, heard.append)
    assert on_cost is not None
    on_cost(159020, 38.0)
    on_cost(100, 0.1)
    assert heard == ["affine: 159,020 evaluations of somebody's code, about 38 s; --budget 2000 probes instead"]


def test_an_examination_tells_its_cost_before_it_begins_and_about_as_much_as_it_takes() -> None:
    heard: list[tuple[int, float]] = []
    made = network(0, (20, 30, 5))
    examination = examine(made, on_cost=lambda evaluations, seconds: heard.append((evaluations, seconds)))
    ((evaluations, seconds),) = heard
    assert 0.5 * examination.evaluations < evaluations < 2.0 * examination.evaluations
    assert seconds > 0.0


def test_nothing_is_told_within_a_budget() -> None:
    heard: list[int] = []
    examine(network(0), budget=60, on_cost=lambda evaluations, _: heard.append(evaluations))
    assert heard == []


def test_the_time_is_that_of_the_function() -> None:
    calls = []

    def count(x):
        calls.append(1)
        return (x**2).sum()

    made = problem(count, claims={"x": [2.0]}, x=[1.0])
    without = examine(made).evaluations
    before = len(calls)
    assert examine(made, on_cost=lambda *_: None).evaluations == without  # the report is the same, told or not
    assert len(calls) - before > without

"""Functions that oscillate, slowly or a hundred million times within a unit: right gradients never fail, wrong ones
never pass. What no step resolves is said to be undecided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.building.build import build
from gradcheck.checking.examine import examine
from gradcheck.model.problem import Array, Problem
from tests.unit.points import problem

FREQUENCIES = (1e3, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8, 1e9)
SIZES = (8, 40)  # all elements climb the ladder, or most are screened
Function = Callable[[float, Array], Any]
WAVES: dict[str, tuple[str, Function, Function]] = {
    "a wave": ("sum(sin({c} * x))", lambda c, x: np.sin(c * x).sum(), lambda c, x: c * np.cos(c * x)),
    "a ripple on a line": (
        "sum(x + sin({c} * x) / {c})", lambda c, x: (x + np.sin(c * x) / c).sum(), lambda c, x: 1.0 + np.cos(c * x),
    ),
}  # fmt: skip


def by_hand(wave: str, frequency: float, size: int) -> Problem:
    _, function, slope = WAVES[wave]
    x = np.random.default_rng(size).uniform(-1.0, 1.0, size)
    return problem(lambda x: function(frequency, x), claims={"x": slope(frequency, x)}, x=x)


def of_ops(wave: str, frequency: float, size: int, folder: Path) -> Problem:
    text = WAVES[wave][0].format(c=frequency)
    file = folder / "wave.yaml"
    file.write_text(f"name: wave\nfunction: {text}\ninputs:\n  x: uniform(-1, 1, size=({size}, 10))\n", "utf-8")
    (case,) = load([file]).cases
    return build(case).problem


def times(factor: float, given: Problem) -> Problem:
    """The same problem with every claimed number multiplied."""
    return replace(given, claims=tuple(
        replace(claim, gradients={name: factor * np.asarray(g) for name, g in claim.gradients.items()})
        for claim in given.claims
    ))  # fmt: skip


def words(given: Problem) -> Counter[str]:
    (finding,) = examine(given, seed=1).findings
    return Counter(finding.counts)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize("wave", WAVES)
@pytest.mark.parametrize("made", ["by hand", "of ops"])
def test_right_slopes_never_fail_and_wrong_ones_never_pass(
    made: str, wave: str, frequency: float, size: int, tmp_path: Path
) -> None:
    given = by_hand(wave, frequency, size) if made == "by hand" else of_ops(wave, frequency, size, tmp_path)
    assert words(given)["fail"] == 0
    for factor in (2.0, -1.0, 0.9):
        assert words(times(factor, given))["pass"] == 0


@pytest.mark.parametrize("wave", WAVES)
def test_slow_ones_are_decided(wave: str, tmp_path: Path) -> None:
    for given in (by_hand(wave, 1e3, 40), of_ops(wave, 1e3, 4, tmp_path)):
        assert words(given)["pass"] == 40
        assert words(times(2.0, given))["fail"] >= 38  # beside a slope of 0 twice as much is as right


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("factor", [0.0, 0.01, 0.5, -1.0, 2.0])
def test_what_rounds_to_float32_inside_stands_still_close_by_and_hides_no_wrong_gradient(
    factor: float, size: int
) -> None:
    x = np.random.default_rng(size).uniform(0.5, 1.0, size)

    def function(x: Array) -> Any:
        return np.sum(np.sin(x.astype(np.float32)), dtype=np.float64)

    given = problem(function, claims={"x": np.cos(x)}, x=x)
    assert words(given)["pass"] == size
    assert words(times(factor, given))["fail"] == size


BRANCHES: dict[str, tuple[Callable[[Array], Any], Callable[[Array], Array]]] = {
    "float32": (lambda x: np.tanh(x.astype(np.float32)).sum(dtype=np.float64), lambda x: 1.0 - np.tanh(x) ** 2),
    "a grid": (lambda x: 0.1 * np.round(x * 2**20).sum() / 2**20, lambda x: np.full(x.shape, 0.1)),
    "an offset": (lambda x: (np.exp(x).sum() + 1e7) - 1e7, np.exp),
}


@pytest.mark.parametrize("size", [6, 60])
@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_that_rounds_and_is_forgotten_is_found_beside_one_that_does_not(branch: str, size: int) -> None:
    """The short steps know the other branch alone, and so does the claim."""
    rounded, slope = BRANCHES[branch]
    x = np.random.default_rng(size).uniform(0.3, 1.0, size)
    given = problem(lambda x: 0.5 * np.square(x).sum() + rounded(x), claims={"x": x}, x=x)
    assert words(given)["fail"] == size
    assert words(replace(given, claims=(replace(given.claims[0], gradients={"x": x + slope(x)}),)))["fail"] == 0

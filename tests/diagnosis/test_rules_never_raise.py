"""Every rule on arrays that no rule was made for: nothing raises or warns, and what is said is in the vocabulary."""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.verdict.diagnose import RULES, Compared, Evidence, diagnose, suspicions
from gradcheck.verdict.diagnose.kinds import KINDS

STRIDE = 1 if os.environ.get("SOAK") else 17  # of all combinations, so many to one tried
Fill = Callable[[np.random.Generator, tuple[int, ...]], Any]

SHAPES: tuple[tuple[int, ...], ...] = (
    (),
    (0,),
    (1,),
    (5,),
    (3, 0),
    (1, 1),
    (2, 3),
    (4, 4),
    (1, 5),
    (2, 3, 4),
    (2, 0, 3),
)
FILLS: dict[str, Fill] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "zeros": lambda rng, shape: np.zeros(shape),
    "ones": lambda rng, shape: np.ones(shape),
    "huge": lambda rng, shape: 1e300 * rng.normal(size=shape),
    "tiny": lambda rng, shape: 1e-300 * rng.normal(size=shape),
    "few values": lambda rng, shape: rng.integers(-1, 2, shape).astype(float),
    "one at the edge": lambda rng, shape: np.where(np.arange(np.prod(shape, dtype=int)).reshape(shape) == 0, 1.0, 0.0),
}
BROKEN: dict[str, Fill] = {
    "not a number": lambda rng, shape: np.full(shape, np.nan),
    "infinite": lambda rng, shape: np.where(rng.random(shape) < 0.5, np.inf, rng.normal(size=shape)),
}
NUMBERS = ({}, {"reg": 0.0, "N": 1}, {"reg": 1e308, "p": 0.5, "N": 3, "alpha": -1e-308})


def evidence(
    seed: int, shape: tuple[int, ...], output: tuple[int, ...], claimed: tuple[int, ...], primal: Fill, slopes: Fill,
    claim: Fill,
) -> Evidence:  # fmt: skip
    """Made of fills; what the rules may rely on holds: shapes fit, numeric values are finite."""
    rng = np.random.default_rng(seed)

    def compared(name: str, claim: Fill, claimed: tuple[int, ...]) -> Compared:
        wrong = rng.random(shape) < 0.7
        return Compared(name, primal(rng, shape), claim(rng, claimed), slopes(rng, shape), np.full(shape, 1e-9), wrong)

    subject = compared("W", claim, claimed)
    has_slopes = output != () and seed % 3 != 0
    contributions = slopes(rng, (*output, *shape)) if has_slopes else None
    point = {"W": subject.primal, "x": primal(rng, shape), "A": primal(rng, (4, 4)), "y": rng.integers(0, 3, shape[:1])}
    return Evidence(
        subject=subject,
        others={"b": compared("b", claim, shape)},
        point=point,
        upstream=(slopes(rng, output),),
        value=(primal(rng, output),),
        contributions=contributions,
        every={} if contributions is None else {"W": contributions, "x": contributions},
        numbers=NUMBERS[seed % 3],
        law=("", "twice the upstream gradient gives 3 times")[seed % 2],
        source=("backward", "expected")[seed % 2],  # type: ignore[arg-type]
        notes=("a second backward gives another gradient of 'W'",) if seed % 5 == 0 else (),
    )


@pytest.mark.parametrize("name", [*FILLS, *BROKEN])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_no_rule_raises_or_warns(shape: tuple[int, ...], name: str) -> None:
    claim = {**FILLS, **BROKEN}[name]
    claim_shapes = {shape, shape[::-1], (2, *shape), shape[1:], (*shape[:-1], 7) if shape else (7,)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outputs = sorted({shape, (), (3, 2), (4, 4), shape[:1]})
        every = itertools.product(outputs, sorted(claim_shapes), FILLS.values(), FILLS.values())
        for seed, (output, claimed, primal, slopes) in enumerate(every):
            if seed % STRIDE == 0:
                case = evidence(seed // STRIDE, shape, output, claimed, primal, slopes, claim)
                found = suspicions(case)
                assert {s.kind for s in found} <= set(KINDS)
                assert all(s.text and s.weight > 0 for s in found)
                assert len(diagnose(case, tried=lambda numbers: case)) <= 2  # noqa: B023  # asked at once


def test_a_right_gradient_is_called_nothing() -> None:
    """Where claim and slopes are the same, no rule has a name for it, whatever the numbers."""
    for seed, (shape, fill) in enumerate(itertools.product(SHAPES, FILLS.values())):
        case = evidence(3 * seed, shape, shape, shape, FILLS["normal"], fill, fill)
        subject = Compared("W", case.subject.primal, case.subject.numeric, case.subject.numeric, case.subject.bound,
                           np.zeros(shape, bool))  # fmt: skip
        right = Evidence(subject, {}, case.point, case.upstream, case.value)
        assert [s.kind for s in suspicions(right)] == [], (shape, [s.text for s in suspicions(right)])


def test_every_rule_is_in_the_list_once() -> None:
    assert len(set(RULES)) == len(RULES)

"""Every op of the table, given changes in every sort of window, answers with exactly what its forward does.

No op is named here. Steps are of order one, where an exact rule and a linearised one differ in the first digit.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from gradcheck.ops.registry import Op, Sample
from gradcheck.perturb.move import Move, Parts
from gradcheck.perturb.probes import Probes
from gradcheck.perturb.tiles import written
from tests.property.applications import Application, sample_id, samples_of_all_ops
from tests.property.hand_made_moves import by_evaluation, dense, drawn_move, drawn_parts, is_condition, sent

ROUNDS = 200 if os.environ.get("SOAK") else 6
CLOSE = 1e-12  # × the largest number that meets in the op


def movable(application: Application) -> list[int]:
    """The arguments that may move: all but whole numbers and empty arrays."""
    return [i for i, a in enumerate(application.arguments) if a.dtype.kind == "f" and a.size]


SAMPLES = [(op, s) for op, s in samples_of_all_ops() if movable(Application.of(op, s))]
every_sample = pytest.mark.parametrize(("op", "sample"), SAMPLES, ids=sample_id)


def drawn_moves(random: np.random.Generator, application: Application) -> tuple[list[Move | Parts | None], int]:
    """One argument moves, or several do; how many probes."""
    count = int(random.integers(1, 4))
    candidates = movable(application)
    chosen = candidates if random.random() < 0.3 else [candidates[int(random.integers(len(candidates)))]]
    moves: list[Move | Parts | None] = [None] * len(application.arguments)
    odd, is_apart = random.random() < 0.6, random.random() < 0.3
    for position in chosen:
        size = float(random.choice([1e-3, 0.1, 0.6, 2.0]))
        mine = odd if random.random() < 0.8 else not odd
        if is_apart and random.random() < 0.7:
            moves[position] = drawn_parts(random, application, position, count, size)
        else:
            moves[position] = drawn_move(random, application, position, count, mine, size)
    return moves, count


def check(application: Application, moves: list[Move | Parts | None], count: int, is_trial: bool) -> None:
    told = sent(application, moves, count, is_trial)
    seen, crossed = by_evaluation(application, moves, count)
    shape = application.value().shape
    ours = np.zeros(seen.shape) if told.move is None else dense(told.move, shape, count)
    known = np.isfinite(seen)  # a step may leave the domain
    sizes = [application.value(), seen[known], *(a for a in application.arguments if a.dtype.kind == "f")]
    largest = max(float(np.max(np.abs(a[np.isfinite(a)]), initial=1.0)) for a in sizes)
    assert np.all(np.isfinite(ours[known]))
    assert np.max(np.abs(ours - seen)[known], initial=0.0) <= CLOSE * largest
    defined = known.reshape(-1, 2, count).all(axis=(0, 1))
    assert told.crossed[defined].tolist() == crossed[defined].tolist()


@every_sample
@pytest.mark.parametrize("is_trial", [False, True], ids=["without rows that stand still", "with all rows"])
def test_the_change_is_that_of_the_forward(op: Op, sample: Sample, is_trial: bool) -> None:
    application = Application.of(op, sample)
    for seed in range(ROUNDS):
        random = np.random.default_rng([seed, len(sample_id(op)), len(sample_id(sample)), int(is_trial)])
        check(application, *drawn_moves(random, application), is_trial)


@every_sample
def test_what_does_not_move_changes_nothing(op: Op, sample: Sample) -> None:
    application = Application.of(op, sample)
    for position in movable(application):
        x = application.arguments[position]
        still: list[Any] = [None] * len(application.arguments)
        still[position] = Move((None,) * x.ndim, np.zeros((*x.shape, 2)), odd=not is_condition(application, position))
        outcome = sent(application, still, 2 if still[position].odd else 1)
        assert outcome.move is None or not np.any(written(outcome.move, Probes(1)).full)
        assert not outcome.crossed.any()

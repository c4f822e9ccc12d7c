"""Each op × each classic mistake: the laws that guard the ops must notice every one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np
import pytest

from gradcheck.ops.registry import Op, Sample, all_ops
from tests.property.applications import Application, Array, sample_id, samples_of_all_ops, upstream
from tests.property.differences import agrees

Rule = Callable[..., Any]


def flip_sign(rule: Rule) -> Rule:
    return lambda *args, **options: -rule(*args, **options)


def double(rule: Rule) -> Rule:
    return lambda *args, **options: 2.0 * rule(*args, **options)


def transpose(rule: Rule) -> Rule:
    """The right numbers in the wrong places."""

    def wrong(*args: Any, **options: Any) -> Array:
        right = np.asarray(rule(*args, **options))
        return right.T.reshape(right.shape)

    return wrong


def drop_sum(rule: Rule) -> Rule:
    """Where an argument was repeated, the gradient of one repetition instead of their sum."""

    def one_of(g: Array, like: Array) -> Array:
        added = g.ndim - like.ndim
        g = g[(0,) * added]
        return g[tuple(slice(0, 1) if n == 1 else slice(None) for n in like.shape)]

    def wrong(*args: Any, **options: Any) -> Any:
        if "unbroadcast" not in rule.__globals__:
            return rule(*args, **options)
        with mock.patch.dict(rule.__globals__, unbroadcast=one_of):
            return rule(*args, **options)

    return wrong


def drop_upstream(rule: Rule) -> Rule:
    """The local gradient, as if nothing came from above."""
    return lambda g, *args, **options: rule(np.ones_like(g), *args, **options)


FAULTS = [flip_sign, double, transpose, drop_sum, drop_upstream]


def mistakes() -> Iterator[Any]:
    """Every fault on every argument of every sample, where it changes anything at all."""
    for op, sample in samples_of_all_ops():
        application = Application.of(op, sample)
        g = upstream(application.value().shape)
        for position in application.differentiable():
            rule = op.vjp(position)
            assert rule is not None
            right = application.gradient(position, g)
            for fault in FAULTS:
                wrong = application.gradient(position, g, fault(_plain(rule)))
                if wrong.shape != right.shape or not np.allclose(wrong, right, rtol=1e-9, atol=0.0):
                    label = f"{op.name}-{sample_id(sample)}-{position}-{fault.__name__}"
                    yield pytest.param(op, sample, position, fault, id=label)


def _plain(rule: Rule) -> Rule:
    """The function itself: a shared rule of a variadic op arrives as a partial, which has no globals."""
    return rule if hasattr(rule, "__globals__") else lambda *args, **options: rule(*args, **options)


MISTAKES = list(mistakes())


@pytest.mark.parametrize(("op", "sample", "position", "fault"), MISTAKES)
def test_a_wrong_rule_is_caught(op: Op, sample: Sample, position: int, fault: Callable[[Rule], Rule]) -> None:
    application = Application.of(op, sample)
    rule = op.vjp(position)
    assert rule is not None
    assert not agrees(application, position, upstream(application.value().shape), fault(_plain(rule)))


def covered(fault: Callable[[Rule], Rule]) -> set[tuple[str, int]]:
    """Ops and arguments (a list counts once) on which the fault shows."""
    return {
        (p.values[0].name, p.values[0].entry(p.values[2])) for p in MISTAKES if p.values[3] is fault  # type: ignore[attr-defined]
    }  # fmt: skip


EVERY_RULE = {(op.name, i) for op in all_ops().values() for i, rule in enumerate(op.vjps) if rule is not None}


@pytest.mark.parametrize("fault", [flip_sign, double, drop_upstream], ids=lambda fault: fault.__name__)
def test_the_samples_show_these_mistakes_in_every_rule(fault: Callable[[Rule], Rule]) -> None:
    assert covered(fault) == EVERY_RULE


def test_the_samples_show_a_transposition_in_every_rule() -> None:
    assert covered(transpose) == EVERY_RULE


def test_the_samples_show_a_dropped_sum_in_every_rule_that_broadcasts() -> None:
    broadcasting = {
        (op.name, i)
        for op in all_ops().values()
        for i, rule in enumerate(op.vjps)
        if rule is not None
        if (op.kind == "elementwise" and len(op.arguments) > 1) or "unbroadcast" in rule.__code__.co_names
    }
    assert covered(drop_sum) >= broadcasting

"""Every delta rule is the exact change for a step of any size: no linearisation, no digit of a small change lost.

With steps of order one an exact change and a linear one differ in the first digit, so agreement with the difference
of two values proves the rule. Whether it keeps the digits of a tiny change is seen beside a difference in longdouble.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

from gradcheck.errors import ShapeError
from gradcheck.ops.registry import Op, Sample, all_ops, get
from gradcheck.perturb.series import parts_of, polynomial
from tests.property.applications import EPS, Application, Array, in_domain, pool, sample_id
from tests.property.differences import linearised

Rule = Callable[..., Any]
SETTINGS = {"ids": lambda value: sample_id(value) if isinstance(value, Op | Sample) else str(value)}
FINEST = float(np.finfo(np.longdouble).eps)


def applications() -> Iterator[tuple[Op, Sample, int]]:
    """Every argument of every sample that a delta rule serves."""
    for op in all_ops().values():
        for given in op.samples:
            for position in range(len(given.arguments)):
                if op.delta(position) is not None:
                    yield op, given, position


every_delta = pytest.mark.parametrize(("op", "sample", "position"), list(applications()), **SETTINGS)


def probes(application: Application, position: int, steps: Array) -> Array:
    """Those of the steps (last axis) that stay where the op is defined; a step that leaves becomes 0."""
    return np.where(in_domain(application, position, steps), steps, 0.0)


def large_steps(application: Application, position: int, count: int = 12) -> Array:
    """Steps of order one, to numbers that the samples have in other places: shape of the argument + (count,)."""
    x = application.arguments[position]
    random = np.random.default_rng([position, x.size])
    goals = random.choice(pool(application.op, position), size=(*x.shape, count)) * random.uniform(0.8, 1.2, (count,))
    return probes(application, position, goals - x[..., None])


def by_rule(application: Application, position: int, steps: Array, rule: Rule | None = None) -> Array:
    """The changes that the rule tells for the probes, as the engine asks it: one more axis at the end of everything."""
    rule = rule or application.op.delta(position)
    assert rule is not None
    value = application.value()
    arguments = [a[..., None] if a.dtype.kind == "f" else a for a in application.arguments]
    with np.errstate(all="ignore"):
        changes = rule(steps, value[..., None], *arguments, **application.options)
    return np.broadcast_to(changes, (*value.shape, steps.shape[-1]))


def by_difference(application: Application, position: int, steps: Array, dtype: Any = np.float64) -> Array:
    """The same changes as differences of two values, one probe after the other."""
    arguments = tuple(a.astype(dtype) if a.dtype.kind == "f" else a for a in application.arguments)
    here = Application(application.op, arguments, application.options)
    value = here.value()
    moved = [here.value(here.moved(position, step.astype(dtype))) for step in np.moveaxis(steps, -1, 0)]
    with np.errstate(all="ignore"):
        return np.stack(moved, axis=-1) - value[..., None]


def by_slopes(application: Application, steps: Array, start: Array | float = 0.0) -> Array:
    """The same changes of an elementwise op of one argument as integrals of its vjp: what it computes by is good to
    float64 alone, erfc say, and differences in longdouble would tell of nothing but its error."""
    (x,), (slope,) = application.arguments, application.op.vjps
    assert slope is not None
    nodes, weights = np.polynomial.legendre.leggauss(5)
    places = x[..., None] + start + steps * (0.5 * (1.0 + nodes[:, *(None,) * steps.ndim]))
    slopes = slope(np.ones(places.shape), np.zeros(places.shape), places, **application.options)
    return np.asarray(steps * np.tensordot(0.5 * weights, slopes, axes=1))


def agree(application: Application, position: int, steps: Array, told: Array) -> bool:
    """Whether changes are the differences of the values, up to the rounding of values and moved arguments."""
    seen = by_difference(application, position, steps)
    sizes = [application.value()[..., None], seen, *(a for a in application.arguments if a.dtype.kind == "f"), steps]
    largest = max(float(np.max(np.abs(a), initial=1.0)) for a in sizes)
    return bool(np.all(np.abs(told - seen) <= 256.0 * EPS * largest))


@every_delta
def test_a_step_of_order_one_gives_the_difference_of_two_values(op: Op, sample: Sample, position: int) -> None:
    application = Application.of(op, sample)
    steps = large_steps(application, position)
    assert agree(application, position, steps, by_rule(application, position, steps))


@every_delta
def test_a_value_that_moves_with_the_probes_is_taken_as_such(op: Op, sample: Sample, position: int) -> None:
    """Where other arguments have moved before, y and all arguments have the probe axis in full."""
    application = Application.of(op, sample)
    steps = large_steps(application, position)
    rule = op.delta(position)
    assert rule is not None
    count = steps.shape[-1]
    arguments = [
        np.repeat(a[..., None], count, axis=-1) if a.dtype.kind == "f" else a for a in application.arguments
    ]  # fmt: skip
    value = np.repeat(application.value()[..., None], count, axis=-1)
    with np.errstate(all="ignore"):
        told = np.broadcast_to(rule(steps, value, *arguments, **application.options), value.shape)
    expected = by_rule(application, position, steps)
    np.testing.assert_allclose(
        told, expected, rtol=1e-13, atol=4.0 * EPS * float(np.max(np.abs(expected), initial=0.0))
    )


@every_delta
@pytest.mark.parametrize("size", [1e-3, 1e-6, 1e-9])
def test_a_small_change_keeps_its_digits(op: Op, sample: Sample, position: int, size: float) -> None:
    application = Application.of(op, sample)
    x = application.arguments[position]
    random = np.random.default_rng(1)
    steps = size * random.choice([-1.0, 1.0], (*x.shape, 8)) * random.uniform(0.5, 1.5, (*x.shape, 8))
    told = by_rule(application, position, steps)
    smooth = op.series is not None
    seen = by_slopes(application, steps) if smooth else by_difference(application, position, steps, np.longdouble)
    resolution = 16.0 * FINEST * float(np.max(np.abs(seen), initial=1.0) + np.max(np.abs(x), initial=1.0))
    # Several moved elements may cancel in one output; what is kept are the digits of their sizes.
    terms = np.abs(seen) if op.kind == "elementwise" else np.full(seen.shape, float(np.max(np.abs(seen), initial=0.0)))
    assert np.all(np.abs(told - seen) <= 1e-12 * terms + resolution)


@every_delta
def test_a_step_of_zero_changes_nothing(op: Op, sample: Sample, position: int) -> None:
    application = Application.of(op, sample)
    assert not np.any(by_rule(application, position, np.zeros((*application.arguments[position].shape, 3))))


BENT = [
    (op, entry)
    for op in all_ops().values()
    for entry, rule in enumerate(op.deltas)
    if rule is not None and entry not in op.linear
]


@pytest.mark.parametrize(("op", "entry"), BENT, **SETTINGS)
def test_a_rule_that_is_only_linear_is_caught(op: Op, entry: int) -> None:
    """The check with steps of order one is checked itself."""
    found = []
    for given in op.samples:
        application = Application.of(op, given)
        for position in (p for p in range(len(given.arguments)) if op.entry(p) == entry):
            steps = large_steps(application, position)
            found.append(agree(application, position, steps, linearised(application, position, steps)))
    assert not all(found)


FAR = [
    (op, position)
    for op in all_ops().values()
    for position in range(len(op.arguments))
    if op.kind == "elementwise" and op.delta(position) is not None
]


@pytest.mark.parametrize(("op", "position"), FAR, **SETTINGS)
@pytest.mark.parametrize("far", [0.0, 1e-300, 1.0, 40.0, 800.0, 1e5])
def test_far_from_zero_every_step_has_the_right_finite_change(op: Op, position: int, far: float) -> None:
    """Closed formulas meet 0/0 and infinity there; the plain difference tells what is right."""
    sizes = np.array([0.0, 1e-300, 1e-9, 1e-3, 0.4, 0.6, 3.0, 45.0, 700.0, 1600.0])
    steps = np.concatenate([sizes, -sizes])[None]
    for x, other in product((far, -far), (0.0, 1.0, 0.7, far, -far)):
        arguments = [np.array([x if i == position else other]) for i in range(len(op.arguments))]
        try:
            application = Application.of(op, Sample(tuple(arguments), op.samples[-1].options))
        except ShapeError:  # a condition is 0 or 1
            continue
        told, seen = by_rule(application, position, steps), by_difference(application, position, steps)
        known = np.isfinite(seen)
        told, seen = told[known], seen[known]
        size = max(far, float(np.max(np.abs(application.value()[known.any(axis=-1)]), initial=0.0)))
        slack = 256.0 * EPS * (size + np.abs(seen)) + 4.0 * EPS * far * np.abs(seen)  # x + d is rounded, too
        assert np.all(np.isfinite(told)), (x, other)
        assert np.all(np.abs(told - seen) <= slack), (x, other)


SINGLE = [(op, position) for op, position in FAR if len(op.arguments) == 1]


@pytest.mark.parametrize(("op", "position"), SINGLE, **SETTINGS)
def test_where_the_value_has_settled_the_change_keeps_its_digits(op: Op, position: int) -> None:
    """tanh(8) is 1 to seven digits: what is made from 1 − tanh(x) has lost as many."""
    steps = np.array([[0.3, -0.3, 0.02, -0.02]])
    for x in (8.0, -8.0, 20.0, -20.0):
        application = Application.of(op, Sample((np.array([x]),), op.samples[-1].options))
        told, seen = by_rule(application, 0, steps), by_difference(application, 0, steps, np.longdouble)
        resolution = 16.0 * FINEST * (np.abs(application.value()) + abs(x) * np.abs(seen / steps))
        known = np.isfinite(seen)
        assert np.all(np.abs(told - seen)[known] <= (1e-13 * np.abs(seen) + resolution)[known])


TWINS = [(op, entry) for op in all_ops().values() for entry, rule in enumerate(op.twins) if rule is not None]


@pytest.mark.parametrize(("op", "entry"), TWINS, **SETTINGS)
def test_twins_are_the_rule_for_both_signs(op: Op, entry: int) -> None:
    for given in op.samples:
        application = Application.of(op, given)
        large = large_steps(application, entry)
        steps = probes(application, entry, -probes(application, entry, np.concatenate([large, 1e-6 * large], axis=-1)))
        value = application.value()[..., None]
        arguments = [a[..., None] for a in application.arguments]
        with np.errstate(all="ignore"):
            pair = op.twins[entry](steps, value, *arguments, **application.options)  # type: ignore[misc]
        for told, signed in zip(pair, (steps, -steps), strict=True):
            expected = by_rule(application, entry, signed)
            rounding = 16.0 * EPS * np.max(np.abs(expected), axis=tuple(range(expected.ndim - 1)), initial=0.0)
            assert np.all(np.abs(np.broadcast_to(told, expected.shape) - expected) <= rounding)


FACTORED = [op for op in all_ops().values() if op.factored is not None]


@pytest.mark.parametrize("op", FACTORED, **SETTINGS)
def test_a_factored_rule_is_that_of_the_product(op: Op) -> None:
    """For steps so long that a linear rule would be off in the second digit, and for tiny ones."""
    assert op.factored is not None
    random = np.random.default_rng(0)
    for keepdims in (False, True):
        x = random.normal(size=(3, 5))
        options = {**op.options, "axis": (1,), "keepdims": keepdims}
        value = np.asarray(op.forward(x, **options))[..., None]
        w = random.uniform(-1.0, 1.0, size=(5, 1))
        for size in (0.02, 0.01, 1e-3, 1e-5, 1e-9):
            u = size * random.uniform(-1.0, 1.0, size=(3, 1, 8))
            parts = op.factored(w, u, value, x[..., None], **options)
            assert parts is not None
            odd, even = parts
            for told, d in ((even + odd, w * u), (even - odd, -w * u)):
                expected = op.delta(0)(d, value, x[..., None], **options)  # type: ignore[misc]
                assert told.shape == expected.shape
                assert np.all(np.abs(told - expected) <= 8.0 * EPS * size)
        assert op.factored(w, np.full((3, 1, 8), 10.0), value, x[..., None], **options) is None


IN_SERIES = [(op, given) for op in all_ops().values() if op.series is not None for given in op.samples]
SIZES = (0.4, 0.1, 0.02, 1e-3, 1e-5, 1e-9)


@pytest.mark.parametrize(("op", "given"), IN_SERIES, **SETTINGS)
def test_a_series_is_the_exact_change(op: Op, given: Sample) -> None:
    """Its sums, and their odd and even parts, are what the delta rule says, which a test above holds to the digit; and
    the more terms it has, the longer the steps that it serves."""
    assert op.series is not None
    application = Application.of(op, given)
    x, random, counts = application.arguments[0][..., None], np.random.default_rng(0), []
    for size in SIZES:
        found = op.series(x, size, **application.options)
        if found is None:
            continue
        counts.append(len(found))
        steps = size * random.uniform(-1.0, 1.0, (*application.arguments[0].shape, 16))
        odd, even = parts_of(found, steps)
        expected = by_rule(application, 0, steps)
        for told in (polynomial(found, steps), even + odd):
            assert np.all(np.abs(told - expected) <= 8.0 * EPS * size)
        assert np.all(np.abs(even - odd - by_rule(application, 0, -steps)) <= 8.0 * EPS * size)
    assert len(counts) >= 4
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] >= 3
    assert op.series(x, 10.0, **application.options) is None


@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize("size", [0.3, 0.05, 1e-3])
def test_the_left_tail_of_gelu_keeps_its_digits(approximate: str, size: float) -> None:
    """It falls as e^(−x²/2): what is next to nothing beside 1 is much beside itself, to a logarithm behind it."""
    x = np.linspace(-14.0 if approximate == "none" else -6.0, -4.0, 9)
    application = Application.of(get("gelu"), Sample((x,), {"approximate": approximate}))
    steps = size * np.array([-1.0, -0.3, 0.4, 1.0]) * np.ones((9, 1))
    expected = by_slopes(application, 0.25 * steps)
    for start in (0.25, 0.5, 0.75):  # in parts: over a longer way an integral by few points would not do
        expected = expected + by_slopes(application, 0.25 * steps, start * steps)
    series = get("gelu").series
    assert series is not None
    found = series(x[:, None], size, approximate=approximate)
    for told in (by_rule(application, 0, steps), *([] if found is None else [polynomial(found, steps)])):
        np.testing.assert_allclose(told, expected, rtol=1e-9)


def test_both_signs_of_long_steps_keep_their_digits() -> None:
    x, d = np.array([0.3, 0.1])[:, None], np.array([[-30.0, -36.0, 40.0], [0.0, 0.0, 1.0]])
    value = np.asarray(get("logsumexp").forward(x[:, 0], axis=(0,), keepdims=False))[..., None]
    twins = get("logsumexp").twin(0)
    assert twins is not None
    for told, steps in zip(twins(d, value, x, axis=(0,), keepdims=False), (d, -d), strict=True):
        np.testing.assert_allclose(told, np.logaddexp.reduce(x + steps, axis=0) - value, rtol=1e-13)


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_a_step_out_of_the_domain_of_an_op_before_is_no_step(name: str) -> None:
    op, steps = get(name), np.array([[np.nan, 1e-3, np.inf]])
    application = Application.of(op, Sample((np.array([1.0]),), dict(op.options)))
    told = by_rule(application, 0, steps)
    assert np.isfinite(told).tolist() == [[False, True, False]]


RANKED = [op for op in all_ops().values() if op.ranked is not None]


@pytest.mark.parametrize("op", RANKED, **SETTINGS)
@pytest.mark.parametrize("leading", [(), (1,), (3,)], ids=str)
def test_a_ranked_rule_is_that_of_the_product(op: Op, leading: tuple[int, ...]) -> None:
    """Directions that all rows share, or each its own; steps so long that a linear rule would be off, and tiny ones."""
    assert op.ranked is not None
    random = np.random.default_rng(0)
    x = random.normal(size=(3, 7))
    options = {**op.options, "axis": (1,)} if "axis" in op.options else {}
    value = np.asarray(op.forward(x, **options))[..., None]
    for rank in (1, 2, 3):
        w = random.uniform(-1.0, 1.0, size=(*leading, 7, rank))
        directions, numbers = op.ranked(w, x[..., None], **options)
        for size in (0.1, 1e-3, 1e-5, 1e-9):
            u = size * random.uniform(-1.0, 1.0, size=(3, rank, 8))
            expected = op.delta(0)(w @ u, value, x[..., None], **options)  # type: ignore[misc]
            told = directions @ numbers(u)
            assert told.shape == expected.shape
            assert np.all(np.abs(told - expected) <= 16.0 * EPS * size)


def test_the_rule_of_normalise_gives_no_answer_where_most_of_the_variance_goes() -> None:
    """There digits would go, too."""
    normalise = all_ops()["normalise"]
    assert normalise.ranked is not None
    x = np.random.default_rng(0).normal(size=(3, 7))
    centred = (x - x.mean(axis=1, keepdims=True))[..., None]
    _, numbers = normalise.ranked(centred, x[..., None], **{**normalise.options, "axis": (1,)})
    assert numbers(np.full((3, 1, 1), -0.9)) is None


def test_the_square_of_many_directions_has_too_many() -> None:
    square = all_ops()["square"]
    assert square.ranked is not None
    assert square.ranked(np.ones((9, 4)), np.ones((9, 1))) is None


@pytest.mark.parametrize("size", [1e-160, 1e160])
def test_the_square_of_directions_at_the_ends_of_float64_is_left_to_the_plain_rule(size: float) -> None:
    square = all_ops()["square"]
    assert square.ranked is not None
    w = np.random.default_rng(0).normal(size=(9, 2))
    assert square.ranked(w * [1.0, size], np.ones((9, 1))) is None
    assert square.ranked(w * [1.0, 0.0], np.ones((9, 1))) is not None

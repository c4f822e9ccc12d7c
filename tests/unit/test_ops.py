"""The table of ops: who may be registered, and what every entry promises beside its vjp."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.errors import InternalError
from gradcheck.ops import registry
from gradcheck.ops.registry import Op, Sample, all_ops, define, get
from tests.property.applications import Application, in_domain, pool, sample_id, samples_of_all_ops, upstream

every_sample = pytest.mark.parametrize(("op", "sample"), samples_of_all_ops(), ids=sample_id)

# The words that a case file must never lack, as the field spells them; more may be there.
VOCABULARY = """
    add subtract multiply divide negative reciprocal power square sqrt cbrt exp expm1 log log1p log2 log10 logaddexp
    sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh abs sign floor ceil round clip maximum minimum where
    less less_equal greater greater_equal equal not_equal
    erf sigmoid softplus softsign relu leaky_relu prelu elu selu gelu silu mish hardtanh hard_sigmoid hard_swish
    sum mean max min var std prod norm cumsum cumprod sort topk logsumexp softmax log_softmax
    reshape transpose index concatenate stack split pad flip roll tile broadcast_to gather take embedding diag tril
    matmul dot outer einsum trace inv det logdet solve cholesky
"""


def test_no_word_is_missing() -> None:
    assert set(VOCABULARY.split()) <= set(all_ops())
    assert all(get(name) is op and op.name == name and op.formula for name, op in all_ops().items())


def test_an_op_without_samples_cannot_be_registered() -> None:
    with pytest.raises(InternalError, match="the op 'cube' has no samples"):
        define("cube", lambda x: x**3, vjps=[lambda g, y, x: g * 3 * x**2], samples=[], formula="x³")
    assert "cube" not in all_ops()


def test_a_name_is_registered_once() -> None:
    with pytest.raises(InternalError, match="the op 'exp' is defined twice"):
        define("exp", np.exp, vjps=[lambda g, y, x: g * y], samples=[(np.ones(2),)], formula="eˣ")


@pytest.mark.parametrize("wrong", [{"deltas": [None, None]}, {"linear": {1}}, {"arguments": "a b"}])
def test_rules_that_do_not_match_the_arguments_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InternalError, match="the rules of the op 'cube' do not match its arguments"):
        define("cube", lambda x: x, vjps=[lambda g, y, x: g], samples=[(np.ones(2),)], formula="x³", **wrong)  # type: ignore[arg-type]
    assert "cube" not in all_ops()


def test_a_new_op_is_one_entry_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_table", dict(registry._table))
    op = define("cube", lambda x: x**3, vjps=[lambda g, y, x: g * 3 * x**2], samples=[(np.ones(2),)], formula="x³")
    assert all_ops()["cube"] is op
    assert op.signature == "cube(x)"


def test_signatures_read_like_calls() -> None:
    assert get("sum").signature == "sum(x, axis=None, keepdims=False)"
    assert get("where").signature == "where(condition, a, b)"
    assert get("reshape").signature == "reshape(x, *shape)"
    assert get("concatenate").signature == "concatenate([a, …], axis=0)"
    assert get("index").signature == "x[index]"


@every_sample
def test_forwards_and_rules_leave_their_arguments_alone(op: Op, sample: Sample) -> None:
    before = [argument.copy() for argument in sample.arguments]
    application = Application.of(op, sample)
    g = upstream(application.value().shape)
    for position in application.differentiable():
        application.gradient(position, g)
    assert all(np.array_equal(a, b) for a, b in zip(before, sample.arguments, strict=True))
    assert np.array_equal(g, upstream(g.shape))


@pytest.mark.parametrize(
    ("op", "sample"),
    [(op, s) for op in all_ops().values() if op.kind != "contraction" for s in op.samples],
    ids=sample_id,
)
def test_an_extra_last_axis_passes(op: Op, sample: Sample) -> None:
    """Several points stacked along a new last axis give the stacked values."""
    application = Application.of(op, sample)
    smooth = set(application.differentiable()) or set(range(len(sample.arguments)))
    moves = [a.dtype == np.float64 and i in smooth for i, a in enumerate(sample.arguments)]
    points = [tuple(a * f if m else a for a, m in zip(sample.arguments, moves, strict=True)) for f in (1.0, 1.25, 0.5)]
    stacked = tuple(
        versions[0] if np.issubdtype(versions[0].dtype, np.integer) else np.stack(versions, axis=-1)
        for versions in zip(*points, strict=True)
    )
    expected = np.stack([application.value(point) for point in points], axis=-1)
    np.testing.assert_allclose(application.value(stacked), expected, rtol=1e-14, atol=1e-15)


def bend(application: Application, position: int) -> float:
    """How far the value halfway is from halfway between two values, for steps that a linearisation would not survive.

    The step leads to other numbers of the samples, or, where those may not be mixed, to four times its own.
    """
    x = application.arguments[position]
    goal = np.random.default_rng(5).choice(pool(application.op, position), x.shape)
    step = (goal if application.op.kind != "unknown" else 4.0 * x) - x
    halves = [part * step for part in (0.5, 1.0)]
    inside = in_domain(application, position, np.stack(halves, axis=-1)).all(axis=-1)
    near, far = (application.value(application.moved(position, np.where(inside, half, 0.0))) for half in halves)
    here = application.value()
    sizes = sum(np.max(np.abs(value), initial=0.0) for value in (here, far))
    return float(np.max(np.abs(here + far - 2.0 * near), initial=0.0) / (1.0 + sizes))


RULES = [(op, i) for op in all_ops().values() for i, rule in enumerate(op.vjps) if rule is not None]


@pytest.mark.parametrize(("op", "entry"), RULES, ids=lambda value: getattr(value, "name", value))
def test_the_arguments_called_linear_are_and_no_others(op: Op, entry: int) -> None:
    bends = [
        bend(application, position)
        for application in (Application.of(op, sample) for sample in op.samples)
        for position in application.differentiable()
        if op.entry(position) == entry
    ]
    assert (max(bends) < 1e-13) if entry in op.linear else (max(bends) > 1e-3)


def test_both_tails_of_the_sigmoid_family_keep_their_digits() -> None:
    x = np.array([-745.0, -40.0, 40.0, 800.0])
    value = {name: get(name).forward(x) for name in ("sigmoid", "softplus")}
    np.testing.assert_allclose(value["sigmoid"], [np.exp(-745.0), np.exp(-40.0), 1.0, 1.0], rtol=1e-15)
    np.testing.assert_allclose(value["softplus"], [np.exp(-745.0), np.exp(-40.0), 40.0, 800.0], rtol=1e-15)
    slope = get("sigmoid").vjp(0)
    assert slope is not None
    np.testing.assert_allclose(slope(1.0, value["sigmoid"], x)[1:3], [np.exp(-40.0), np.exp(-40.0)], rtol=1e-15)


def test_the_slope_of_a_saturated_tanh_keeps_its_digits() -> None:
    application = Application.of(get("tanh"), Sample((np.array([-20.0, 20.0, 1000.0]),), {}))
    expected = [4.0 * np.exp(-40.0), 4.0 * np.exp(-40.0), 0.0]
    np.testing.assert_allclose(application.gradient(0, np.ones(3)), expected, rtol=1e-14)


def test_large_logits_do_not_overflow() -> None:
    logits = np.array([[1000.0, 999.0, -1000.0], [-2000.0, -2000.0, -2000.0]])
    tail = np.exp(-1.0)
    np.testing.assert_allclose(
        get("softmax").forward(logits, axis=(1,)),
        [[1 / (1 + tail), tail / (1 + tail), 0.0], [1 / 3, 1 / 3, 1 / 3]],
        rtol=1e-15,
    )
    expected = [1000.0 + np.log1p(tail), -2000.0 + np.log(3.0)]
    np.testing.assert_allclose(get("logsumexp").forward(logits, axis=(1,), keepdims=False), expected, rtol=1e-15)
    np.testing.assert_allclose(
        get("log_softmax").forward(logits, axis=(1,))[0], [-np.log1p(tail), -1 - np.log1p(tail), -2000 - np.log1p(tail)]
    )


def test_logsumexp_of_nothing_possible_is_minus_infinity() -> None:
    with np.errstate(divide="ignore"):
        assert get("logsumexp").forward(np.full(2, -np.inf), axis=(0,), keepdims=False) == -np.inf


def test_the_gradient_of_a_power_is_finite_where_the_power_is_smooth() -> None:
    def gradients(a: float, b: float) -> list[float]:
        application = Application.of(get("power"), Sample((np.array(a), np.array(b)), {}))
        return [float(application.gradient(position, np.array(1.0))) for position in (0, 1)]

    assert gradients(0.0, 3.0) == [0.0, 0.0]
    assert gradients(0.0, 0.0) == [0.0, 0.0]
    assert gradients(0.0, 1.0) == [1.0, 0.0]
    assert gradients(-2.0, 3.0)[0] == 12.0


def test_repeated_picks_add_up() -> None:
    picks = np.array([1, 1, 0, 1])
    application = Application.of(get("index"), Sample((np.zeros((2, 2)), picks), {"index": (True,)}))
    g = np.arange(8.0).reshape(4, 2)
    assert application.gradient(0, g).tolist() == [[4.0, 5.0], [8.0, 11.0]]

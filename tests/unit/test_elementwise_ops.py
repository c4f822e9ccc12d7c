"""Elementwise ops one by one: numbers that need care, options, and what a wrong option is told."""

from __future__ import annotations

from math import erf, erfc, exp, expm1, log1p, sqrt, tanh
from typing import Any

import numpy as np
import pytest

from gradcheck.errors import ShapeError
from gradcheck.ops.registry import Op, Sample, all_ops, get, sample
from gradcheck.ops.special import erf as erf_of_arrays
from gradcheck.ops.special import erfc as erfc_of_arrays
from tests.property.applications import Application
from tests.unit.test_expression import mistakes

SINGLE = [op for op in all_ops().values() if op.kind == "elementwise" and len(op.arguments) == 1]
OUT_THERE = np.array([0.0, 1e-300, 1e-8, 1.0, 3.0, 40.0, 800.0, 1e5, 1e300])


def slope(name: str, x: float, **options: Any) -> float:
    application = Application.of(get(name), sample(np.array([x]), **options))
    return float(application.gradient(0, np.ones(1))[0])


def value(name: str, *arguments: float, **options: Any) -> float:
    return float(Application.of(get(name), sample(*(np.array(a) for a in arguments), **options)).value())


@pytest.mark.parametrize(("op", "given"), [(op, given) for op in SINGLE for given in (op.samples[-1],)])
def test_wherever_there_is_a_finite_value_there_is_a_slope(op: Op, given: Sample) -> None:
    """No 0·infinity far out: neither tail may overflow on its way to a finite number."""
    application = Application.of(op, Sample((np.concatenate([-OUT_THERE, OUT_THERE]),), given.options))
    known = np.isfinite(application.value())
    assert known.any()
    for position in application.differentiable():
        assert not np.isnan(application.gradient(position, np.ones(known.shape))[known]).any()


def test_the_error_function_is_that_of_the_standard_library() -> None:
    random = np.random.default_rng(0)
    x = np.concatenate(
        [np.linspace(-6.0, 6.0, 4001), random.uniform(6.0, 26.0, 200), 10.0 ** random.uniform(-300, 0, 99)]
    )
    np.testing.assert_allclose(erf_of_arrays(x), [erf(each) for each in x], rtol=1e-15)
    np.testing.assert_allclose(erfc_of_arrays(x), [erfc(each) for each in x], rtol=2e-15)
    assert erf_of_arrays(np.array([-np.inf, -0.0, np.inf])).tolist() == [-1.0, 0.0, 1.0]
    assert np.signbit(erf_of_arrays(np.array(-0.0)))
    assert erfc_of_arrays(np.array([-np.inf, 30.0, np.inf])).tolist() == [2.0, 0.0, 0.0]
    assert np.isnan(erf_of_arrays(np.array(np.nan)))


# Where the obvious formula has lost its digits, and what is right there.
TAILS = [
    (value("gelu", -10.0), -5.0 * erfc(10.0 / sqrt(2.0))),
    (value("silu", -700.0), -700.0 * exp(-700.0)),
    (value("mish", -40.0), -40.0 * exp(-40.0)),
    (value("mish", 40.0), 40.0),
    (value("mish", 0.5), 0.5 * tanh(log1p(exp(0.5)))),
    (value("mish", -0.5), -0.5 * tanh(log1p(exp(-0.5)))),
    (value("softsign", 1e300), 1.0),
    (value("logaddexp", 1000.0, 0.0), 1000.0),
    (value("logaddexp", -1000.0, -1000.0), -1000.0 + log1p(1.0)),
    (value("log1p", 1e-20), 1e-20),
    (value("expm1", 1e-20), 1e-20),
    (value("elu", -1e-20, alpha=2.0), -2e-20),
    (value("elu", 800.0), 800.0),
    (value("reciprocal", np.array(4)), 0.25),
    (value("power", np.array(2), np.array(-1)), 0.5),
    (slope("expm1", -50.0), exp(-50.0)),
    (slope("gelu", -10.0), 0.5 * erfc(10.0 / sqrt(2.0)) - 10.0 * exp(-50.0) / sqrt(2.0 * np.pi)),
    (slope("gelu", 1e200, approximate="tanh"), 1.0),
    (slope("silu", -700.0), -699.0 * exp(-700.0)),
    (slope("mish", -40.0), -39.0 * exp(-40.0)),
    (slope("mish", 800.0), 1.0),
    (slope("arcsin", 1.0 - 2.0**-40), 1.0 / sqrt(2.0**-40 * (2.0 - 2.0**-40))),
    (slope("arctanh", 1.0 - 2.0**-40), 1.0 / (2.0**-40 * (2.0 - 2.0**-40))),
    (slope("arccosh", 1.0 + 2.0**-40), 1.0 / sqrt(2.0**-40 * (2.0 + 2.0**-40))),
    (slope("arcsinh", 1e200), 1e-200),
    (slope("selu", -30.0), 1.0507009873554805 * 1.6732632423543772 * exp(-30.0)),
    (slope("elu", -0.1, alpha=3.0), 3.0 * (expm1(-0.1) + 1.0)),
]


@pytest.mark.parametrize(("ours", "right"), TAILS)
def test_tails_keep_their_digits(ours: float, right: float) -> None:
    assert ours == pytest.approx(right, rel=4e-15, abs=0.0)


def test_the_angle_of_a_far_or_tiny_point_has_a_finite_gradient() -> None:
    for size in (1e-200, 1e200):
        application = Application.of(get("arctan2"), sample(np.array([size]), np.array([size])))
        gradients = [application.gradient(position, np.ones(1))[0] for position in (0, 1)]
        np.testing.assert_allclose(gradients, [0.5 / size, -0.5 / size], rtol=1e-14)


def test_a_power_of_a_negative_number_changes_exactly() -> None:
    """(a + d)³ − a³ = 3a²d + 3ad² + d³, to the rounding of the change."""
    rule = get("power").delta(0)
    assert rule is not None
    a, d = np.array([-2.0]), np.array([1e-9, -1e-3, 0.5, 1.5, 2.0, 5.0])
    with np.errstate(all="ignore"):
        told = rule(d, a**3, a, np.array([3.0]))
    np.testing.assert_allclose(told, d * (12.0 - 6.0 * d + d * d), rtol=1e-14)


@pytest.mark.parametrize("name", ["log", "log2", "log10", "log1p"])
def test_the_change_of_a_logarithm_is_exact_next_to_the_pole(name: str) -> None:
    rule, forward = get(name).delta(0), get(name).forward
    assert rule is not None
    edge = 1.0 if name == "log1p" else 0.0
    x, d = np.array([2.7]), np.array([1e-9, 3e-7, 0.01]) - 2.7 - edge
    wide = np.longdouble(x)
    np.testing.assert_allclose(rule(d, forward(x), x), np.float64(forward(wide + d) - forward(wide)), rtol=1e-14)


def test_an_open_side_of_clip_cuts_nothing_off() -> None:
    x = np.array([-1e300, 0.25, 1e300])
    assert Application.of(get("clip"), sample(x, low=0)).value().tolist() == [0.0, 0.25, 1e300]
    assert Application.of(get("clip"), sample(x, high=0)).value().tolist() == [-1e300, 0.0, 0.0]


def test_halves_are_rounded_to_even() -> None:
    assert get("round").forward(np.array([-1.5, -0.5, 0.5, 1.5, 2.5])).tolist() == [-2.0, 0.0, 0.0, 2.0, 2.0]


def test_beyond_the_whole_numbers_that_are_told_apart_rounding_has_one_branch() -> None:
    kink = get("floor").kink
    assert kink is not None
    assert kink.branch(np.array([1e300, 2e300])).tolist() == [2**62, 2**62]


WRONG = [
    ("clip(x, 2, 1)", "expected low < high, got low=2 and high=1", "the smaller number comes first"),
    ("clip(x, 1, 1)", "expected low < high, got low=1 and high=1", "the smaller number comes first"),
    ("clip(x)", "has neither low nor high", "write low=0, or high=1, or both"),
    ("clip(x, 'zero', 1)", "expected a number as low, got 'zero'", "write low=-1"),
    ("clip(x, high=True)", "expected a number as high, got True", "write high=1"),
    ("hardtanh(x, high=-3)", "expected low < high, got low=-1 and high=-3", "the smaller number comes first"),
    ("leaky_relu(x, None)", "expected a number as negative_slope, got None", "write negative_slope=0.01"),
    ("leaky_relu(x, (0.1, 0.2))", "expected a number as negative_slope, got (0.1, 0.2)", "write negative_slope=0.01"),
    ("gelu(x, 'tan')", "expected approximate to be 'none' or 'tanh', got 'tan'", "did you mean 'tanh'?"),
    ("gelu(x, 3)", "expected approximate to be 'none' or 'tanh', got 3", 'write approximate="none"'),
    ("gelu(x, True)", "expected approximate to be 'none' or 'tanh', got True", 'write approximate="none"'),
    ("prelu(x, w)", "cannot combine shapes (2, 3) and (3, 2)",
     "lengths are compared from the last axis: they must be equal, or one of them 1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "hint"), WRONG, ids=[wrong[0] for wrong in WRONG])
def test_a_wrong_option_is_told_at_the_word(text: str, message: str, hint: str) -> None:
    name = text.partition("(")[0]
    (told,) = mistakes(f"s * {text}")
    assert told == f"1:5: '{name}' {message}\ns * {text}\n    {'^' + '~' * (len(text) - 1)}\n{hint}"


def test_an_option_must_be_finite() -> None:
    with pytest.raises(ShapeError, match=r"^expected a finite number as alpha, got inf$"):
        Application.of(get("elu"), sample(OUT_THERE, alpha=np.inf))

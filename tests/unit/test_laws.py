"""Laws of every backward: linear in its upstream gradient, each broken one named."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.checking.laws import broken_laws
from gradcheck.model.problem import Claim, Problem

X, W = np.array([1.0, -2.0, 3.0]), np.array([[0.5, 1.0, 2.0]])
UPSTREAM = np.array([0.7, -1.2, 0.9])

ZERO = "for an upstream gradient of zero the gradient is not zero"
IGNORED = "the gradient does not depend on the upstream gradient"
SUM = "for the sum of two upstream gradients the gradient is not the sum of theirs"
DOUBLE = "for twice the upstream gradient the gradient is not twice as large"


def broken(backward, tensors=("x",), upstream=UPSTREAM):
    """The laws that a backward, {tensor: gradient} of its upstream gradient, breaks."""
    point = {"x": X, "w": W}
    made = Problem(point, tensors, lambda at: at["x"] ** 2, upstream, X**2, ())
    return dict(broken_laws(made, Claim("backward", backward(upstream), vjp=backward)))


def test_a_linear_backward_breaks_no_law():
    assert broken(lambda g: {"x": 2 * X * g, "w": W * g.sum()}, ("x", "w")) == {}


def test_without_an_upstream_gradient_there_is_no_law():
    made = Problem({"x": X}, ("x",), lambda at: at["x"], UPSTREAM, X, ())
    assert broken_laws(made, Claim("expected", {"x": X})) == {}


@pytest.mark.parametrize(
    ("backward", "law"),
    [
        (lambda g: 2 * X * g + 1.0, ZERO), (lambda g: 2 * X, IGNORED), (lambda g: 2 * X * np.sign(g), DOUBLE),
        (lambda g: X * g * np.abs(g), DOUBLE), (lambda g: 2 * X * np.abs(g), SUM),
        (lambda g: X * np.maximum(g, 0), SUM), (lambda g: np.zeros(3), ""),
        (lambda g: X * g**2, DOUBLE), (lambda g: np.where(g == 0, 1e-3, X * g), ZERO),
        (lambda g: np.clip(g, -1, 1) * X, DOUBLE), (lambda g: np.ones(3), IGNORED),
        (lambda g: X * g / np.linalg.norm(g) if g.any() else X * 0.0, DOUBLE),
    ],
)  # fmt: skip
def test_a_broken_law_is_named(backward, law):
    assert broken(lambda g: {"x": backward(g)}) == ({"x": law} if law else {})


def test_a_gradient_that_is_the_same_at_one_and_two_but_not_at_zero_does_depend():
    assert broken(lambda g: {"x": X if g.any() else 0 * X}) == {"x": DOUBLE}


@pytest.mark.parametrize(("at", "law"), [(0.0, ZERO), (2.0, DOUBLE)])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_stops_being_finite_breaks_the_law(at, law, value):
    def backward(g):
        return {"x": np.where(np.arange(3) == 1, value, X * g) if np.array_equal(g, at * UPSTREAM) else X * g}

    assert broken(backward) == {"x": law}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gradient_that_never_was_finite_is_left_to_the_comparison(value):
    assert broken(lambda g: {"x": np.full(3, value)}) == {}


def test_only_the_tensors_that_break_a_law_are_named():
    assert broken(lambda g: {"x": X * g, "w": W + g.sum()}, ("x", "w")) == {"w": ZERO}
    assert broken(lambda g: {"x": X * g, "w": W + g.sum()}, ("x",)) == {}


@pytest.mark.parametrize(("size", "law"), [(0.9e-6, {}), (1.1e-6, {"x": ZERO})])
def test_rounding_is_measured_by_the_largest_gradient_of_the_tensor(size, law):
    largest = float(np.abs(X * UPSTREAM).max())
    assert broken(lambda g: {"x": X * g + size * largest}) == law


@pytest.mark.parametrize(("size", "law"), [(0.9e-6, {}), (1.1e-6, {"x": DOUBLE})])
def test_twice_is_twice_to_the_same_part(size, law):
    largest = float(np.abs(X * UPSTREAM).max())
    assert broken(lambda g: {"x": X * g + (abs(g[0]) > 1) * size * largest}) == law


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_low_precision_may_round_more(dtype):
    assert broken(lambda g: {"x": (X * g + 5e-4 * np.abs(X * UPSTREAM).max()).astype(dtype)}) == {}
    assert broken(lambda g: {"x": (X * g + 4e-3 * np.abs(X * UPSTREAM).max()).astype(dtype)}) == {"x": ZERO}


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_laws_do_not_depend_on_the_unit(size):
    assert broken(lambda g: {"x": size * X * g}) == {}
    assert broken(lambda g: {"x": size * X * np.sign(g)}) == {"x": DOUBLE}


@pytest.mark.parametrize(
    "odd",
    [
        lambda g: None, lambda g: np.array(["a"] * 3), lambda g: X * g + 0j, lambda g: np.zeros(0),
        lambda g: X * g if g.any() else np.zeros(2),
    ],
)  # fmt: skip
def test_what_is_no_array_of_numbers_is_left_to_the_comparison(odd):
    assert broken(lambda g: {"x": odd(g)}) == {}


def test_a_tensor_without_a_gradient_is_left_to_the_comparison():
    assert broken(lambda g: {"x": X * g}, ("x", "w")) == {}


def test_integers_obey_laws_too():
    upstream = np.array([1.0, -1.0, 2.0])
    assert broken(lambda g: {"x": (X * g).astype(np.int64)}, upstream=upstream) == {}
    assert broken(lambda g: {"x": np.ones(3, np.int64)}, upstream=upstream) == {"x": IGNORED}
    assert broken(lambda g: {"x": np.ones(3, bool)}, upstream=upstream) == {"x": IGNORED}


def test_what_is_left_of_a_gradient_that_cancels_is_held_to_no_law():
    """Rounding of 1e-17 beside a gradient of one: its parts do not add up, and nobody is wrong."""

    def backward(g):
        return {"x": 2 * X * g, "w": 1e-17 * np.abs(W * g)}

    assert broken(backward, ("x", "w")) == {}
    assert broken(lambda g: {"x": 2 * X * g, "w": 1e-9 * np.abs(W * g)}, ("x", "w")) == {"w": SUM}

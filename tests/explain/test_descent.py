"""One step of gradient descent: the parameters and the loss after it, against numbers computed by hand."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gradcheck.casefile.loader import load
from gradcheck.errors import FieldError
from gradcheck.explain.descent import descend
from gradcheck.explain.explain import explain
from gradcheck.explain.find import find_case
from gradcheck.model.explanation import Descent
from gradcheck.reporters.explanation.words import descent_words


def exact_step(lr: Fraction) -> tuple[dict[str, list[Fraction]], Fraction, Fraction]:
    """The three-layer example in exact fractions, without numpy: parameters after the step, loss before and after.

    All units of both relus are positive, before and after, which is asserted.
    """

    def tenths(*numbers: int) -> list[Fraction]:
        return [Fraction(n, 10) for n in numbers]

    W1, b1 = [tenths(1, 2), tenths(3, 4), tenths(5, 6)], tenths(1, 2, 3)
    W2, b2 = [tenths(7, 8, 9), tenths(10, 11, 12)], tenths(4, 5)
    W3, b3, x = tenths(13, 14), Fraction(6, 10), [Fraction(1), Fraction(2)]

    def dot(a: list[Fraction], b: list[Fraction]) -> Fraction:
        return sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))

    def forward() -> tuple[list[Fraction], list[Fraction], Fraction]:
        h1 = [dot(row, x) + b for row, b in zip(W1, b1, strict=True)]
        h2 = [dot(row, h1) + b for row, b in zip(W2, b2, strict=True)]
        assert min(*h1, *h2) > 0
        return h1, h2, dot(W3, h2) + b3

    h1, h2, y = forward()
    before = (3 - y) ** 2 / 2
    d = y - 3
    d2 = [d * w for w in W3]
    d1 = [dot(d2, [row[j] for row in W2]) for j in range(3)]
    W3, b3 = [w - lr * d * h for w, h in zip(W3, h2, strict=True)], b3 - lr * d
    W2 = [[w - lr * g * h for w, h in zip(row, h1, strict=True)] for row, g in zip(W2, d2, strict=True)]
    W1 = [[w - lr * g * v for w, v in zip(row, x, strict=True)] for row, g in zip(W1, d1, strict=True)]
    b2 = [b - lr * g for b, g in zip(b2, d2, strict=True)]
    b1 = [b - lr * g for b, g in zip(b1, d1, strict=True)]
    _, _, y = forward()
    flat = {"W1": [w for row in W1 for w in row], "b1": b1, "W2": [w for row in W2 for w in row], "b2": b2}
    return {**flat, "W3": W3, "b3": [b3]}, before, (3 - y) ** 2 / 2


def test_the_step_of_the_three_layer_example_is_right() -> None:
    case, _ = find_case("cases/11_published_example.yaml::the right gradients")
    assert case is not None
    descent = explain(case, 0.001, ("W1", "b1", "W2", "b2", "W3", "b3")).descent
    assert descent is not None
    parameters, before, after = exact_step(Fraction(1, 1000))
    assert [moved.name for moved in descent.moved] == list(parameters)
    for moved in descent.moved:
        expected = [float(value) for value in parameters[moved.name]]
        np.testing.assert_allclose(moved.after.reshape(-1), expected, rtol=1e-14)
    assert descent.before == pytest.approx(float(before), rel=1e-14)
    assert descent.before == pytest.approx(42.8738)
    assert descent.after == pytest.approx(float(after), rel=1e-13)
    assert descent.after < descent.before


def test_a_network_moves_its_parameters_and_not_its_input() -> None:
    case, _ = find_case("cases/08_small_classifier.yaml::as a network")
    assert case is not None
    descent = explain(case, 0.5).descent
    assert descent is not None
    assert [moved.name for moved in descent.moved] == ["W1", "b1", "W2", "b2"]
    assert descent.after < descent.before


def parabola(lr: float) -> Descent:
    """f(w) = w² at w = 3, slope 6: the step is right up to a rate of 1."""
    found = descend(lambda p: float(p["w"] ** 2), {"w": np.array(3.0)}, {"w": np.array(6.0)}, ["w"], lr)
    assert found is not None
    return found


def test_a_step_that_is_too_long_says_which_one_is_not() -> None:
    descent = parabola(2.0)
    assert (descent.before, descent.after, descent.foretold) == (9.0, 81.0, -72.0)
    assert descent.shorter == (0.2, pytest.approx(3.24))
    assert descent_words(descent, "f") == [
        "f 9 → 81: a change of 72, where the slope alone foretells -72",
        "the step is too long for how this function bends: f does not fall",
        "with --lr 0.2 it falls to 3.24",
    ]


def test_a_step_that_fits_says_what_changed() -> None:
    assert descent_words(parabola(0.1), "f") == ["f 9 → 5.76: a change of -3.24, where the slope alone foretells -3.6"]


def test_where_the_gradient_is_zero_nothing_moves() -> None:
    descent = descend(lambda p: 1.0, {"w": np.array(3.0)}, {"w": np.array(0.0)}, ["w"], 0.1)
    assert descent is not None
    assert descent.shorter is None
    assert descent_words(descent, "f") == ["f 1: the gradient is zero, and nothing moves"]


def test_without_tensors_there_is_no_step() -> None:
    assert descend(lambda p: 1.0, {}, {}, [], 0.1) is None


@pytest.mark.parametrize(
    ("name", "message"),
    [("z", "there is no tensor 'z' to move"), ("i", "'i' holds whole numbers and cannot be moved")],
)
def test_a_tensor_that_cannot_be_moved_is_an_error(name: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.yaml"
    file.write_text("name: rows\nfunction: sum(W[i])\ninputs:\n  W: normal(3, 2)\n  i: [0, 2]\n")
    (case,) = load([file]).cases
    with pytest.raises(FieldError) as caught:
        explain(case, 0.1, (name,))
    assert caught.value.message == message

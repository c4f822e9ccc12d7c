"""The health of layers, on networks made to be saturated, dead, vanishing, exploding – and on a healthy one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gradcheck.casefile.loader import load
from gradcheck.explain.explain import explain
from gradcheck.explain.health import flow_notes, rms
from gradcheck.model.explanation import Explanation, Norms

HEAD = "name: net\nnetwork:\n"


def told(tmp_path: Path, text: str) -> Explanation:
    file = tmp_path / "case.yaml"
    file.write_text(text, encoding="utf-8")
    loaded = load([file])
    assert loaded.problems == ()
    return explain(loaded.cases[0], 0.01)


def notes_of(explanation: Explanation) -> list[str]:
    return [note for layer in explanation.layers for note in layer.notes]


def test_a_healthy_network_has_norms_and_no_notes(tmp_path: Path) -> None:
    explanation = told(tmp_path, f"{HEAD}  - linear(4, 8)\n  - tanh\n  - linear(8, 2)\nloss: mse\n"
                       "inputs:\n  x: normal(16, 4)\n  target: normal(16, 2)\n")  # fmt: skip
    assert [layer.label for layer in explanation.layers] == ["linear(4, 8)", "tanh", "linear(8, 2)", "mse"]
    assert notes_of(explanation) == []
    assert explanation.notes == ()
    by_number = {vertex.number: vertex for vertex in explanation.vertices}
    for layer in explanation.layers:
        last = max(n for n, vertex in by_number.items() if vertex.layer == layer.number)
        assert layer.activation == pytest.approx(np.sqrt(np.mean(by_number[last].value ** 2)))
        assert layer.gradient == pytest.approx(np.sqrt(np.mean(np.asarray(by_number[last].gradient) ** 2)))
    named = {vertex.label: vertex for vertex in explanation.vertices}
    for name, size in (pair for layer in explanation.layers for pair in layer.parameters):
        assert size == pytest.approx(np.sqrt(np.mean(np.asarray(named[name].gradient) ** 2)))
    assert [name for layer in explanation.layers for name, _ in layer.parameters] == ["W1", "b1", "W2", "b2"]


def test_a_saturated_sigmoid_tells_how_many_of_its_slopes_are_flat(tmp_path: Path) -> None:
    """Of ten units one stands at 0, where the slope is steepest; a tenth of a sigmoid's slope is no longer flat."""
    explanation = told(tmp_path, f"{HEAD}  - sigmoid\n  - linear(10, 1)\ninputs:\n"
                       "  x: [[9, 9, -9, 9, 9, 9, -9, 9, 9, 0]]\n")  # fmt: skip
    assert notes_of(explanation) == ["saturated sigmoid 90%: slopes below 5% of its steepest"]


def test_a_dead_relu_counts_units_that_are_zero_for_every_example(tmp_path: Path) -> None:
    """Two of five columns are negative throughout, a third is for one example only."""
    explanation = told(tmp_path, f"{HEAD}  - relu\n  - linear(5, 1)\ninputs:\n"
                       "  x: [[1, -1, 2, -3, -1], [1, -2, 2, -1, 4]]\n")  # fmt: skip
    assert notes_of(explanation) == ["dead relu 40%: 2 of 5 units are 0 for every example"]


def test_of_one_example_nobody_can_say_that_a_unit_is_dead(tmp_path: Path) -> None:
    explanation = told(tmp_path, f"{HEAD}  - relu\n  - linear(5, 1)\ninputs:\n  x: [[1, -1, 2, -3, -1]]\n")
    assert notes_of(explanation) == ["relu is 0 for 3 of 5 elements (60%)"]


def test_channels_are_the_units_of_pictures(tmp_path: Path) -> None:
    explanation = told(tmp_path, f"{HEAD}  - relu\ninputs:\n"
                       "  x: [[[[-1, -1]], [[1, -1]]], [[[-2, -1]], [[-1, -1]]]]\n")  # fmt: skip
    assert notes_of(explanation) == ["dead relu 50%: 1 of 2 units are 0 for every example"]


def test_a_gradient_that_fades_on_its_way_down_is_vanishing(tmp_path: Path) -> None:
    layers = "".join("  - linear(3, 3)\n  - sigmoid\n" for _ in range(10))
    explanation = told(tmp_path, f"{HEAD}{layers}loss: mse\ninputs:\n  x: normal(4, 3)\n  target: normal(4, 3)\n")
    (note,) = explanation.notes
    named = {vertex.label: vertex.gradient for vertex in explanation.vertices}
    first, last = (
        np.concatenate([[rms(np.asarray(named[n]))] for n in pair]) for pair in (("W1", "b1"), ("W10", "b10"))
    )
    assert note == (f"vanishing: the gradient of W1 and b1 is {rms(first) / rms(last):.1e} of that of W10 and b10")


def test_a_gradient_that_grows_on_its_way_down_is_exploding(tmp_path: Path) -> None:
    """Where x is small a softsign lets all through, and large weights multiply what comes back."""
    layers = "".join("  - linear(3, 3)\n  - softsign\n" for _ in range(8))
    weights = "".join(f"  W{i}: 20*normal(3, 3)\n  b{i}: zeros(3)\n" for i in range(1, 9))
    explanation = told(tmp_path, f"{HEAD}{layers}parameters:\n{weights}inputs:\n  x: 0.00001*normal(4, 3)\n")
    assert explanation.notes == ("exploding: the gradient of W1 and b1 is 3.8e+03 times that of W8 and b8",)


def test_activations_that_grow_do_not_hide_that_the_gradient_explodes(tmp_path: Path) -> None:
    """Without activations every weight's gradient is as large as the next one's; those that arrive are not."""
    layers = "".join("  - linear(3, 3)\n" for _ in range(8))
    weights = "".join(f"  W{i}: 5*normal(3, 3)\n" for i in range(1, 9))
    explanation = told(tmp_path, f"{HEAD}{layers}parameters:\n{weights}inputs:\n  x: normal(4, 3)\n")
    (note,) = explanation.notes
    first, last = explanation.layers[0].gradient, explanation.layers[-1].gradient
    assert first is not None
    assert last is not None
    assert note == f"exploding: the gradient that arrives at layer 1 is {first / last:.1e} times that at layer 8"


def layer(number: int, *sizes: float) -> Norms:
    return Norms(number, "l", (1,), 1.0, 1.0, tuple((f"p{number}{i}", size) for i, size in enumerate(sizes)))


def test_where_no_gradient_arrives_at_the_first_layer_it_is_said() -> None:
    assert flow_notes([layer(1, 0.0), layer(2, 1.0)]) == ("vanishing: the gradient of p10 is zero, that of p20 is not",)


@pytest.mark.parametrize("sizes", [[1.0], [1.0, 1.0], [2e-3, 1.0], [500.0, 1.0], [1.0, 0.0], [np.inf, 1.0]])
def test_gradients_of_one_size_or_of_none_are_no_news(sizes: list[float]) -> None:
    assert flow_notes([layer(i, size) for i, size in enumerate(sizes)]) == ()


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_the_root_mean_square_does_not_leave_the_range(scale: float) -> None:
    assert rms(np.array([3.0, 4.0]) * scale) == pytest.approx(np.sqrt(12.5) * scale)
    assert rms(np.array([])) == 0.0


def test_a_function_has_layers_where_it_has_activations(tmp_path: Path) -> None:
    plain = told(tmp_path, "name: f\nfunction: |\n  q = x * y\n  q + 1\ninputs:\n  x: 2\n  y: 3\n")
    assert plain.layers == ()
    deep = told(tmp_path, "name: f\nfunction: |\n  a = tanh(x * w1)\n  tanh(a * w2)\ninputs:\n"
                "  x: 2\n  w1: 3\n  w2: 1\n")  # fmt: skip
    assert [one.label for one in deep.layers] == ["a = tanh(x * w1)", "tanh(a * w2)"]
    assert [name for name, _ in deep.layers[0].parameters] == ["x", "w1"]


def test_a_single_activation_of_a_function_is_told_in_a_note(tmp_path: Path) -> None:
    explanation = told(tmp_path, "name: f\nfunction: relu(x)\ninputs:\n  x: [1, -1, -2, -3]\n")
    assert explanation.layers == ()
    assert explanation.notes == ("relu is 0 for 3 of 4 elements (75%) (relu(x))",)


def test_the_sum_of_a_residual_block_is_a_layer_of_its_own(tmp_path: Path) -> None:
    explanation = told(tmp_path, f"{HEAD}  -\n    - linear(3, 3)\n    - tanh\n  - linear(3, 1)\n"
                       "inputs:\n  x: normal(4, 3)\n")  # fmt: skip
    labels = [one.label for one in explanation.layers]
    assert labels == ["linear(3, 3)", "tanh", "input added, from linear(3, 3)", "linear(3, 1)"]


def test_an_empty_batch_has_nothing_to_say(tmp_path: Path) -> None:
    explanation = told(tmp_path, f"{HEAD}  - relu\n  - sigmoid\ninputs:\n  x: zeros(0, 3)\n")
    assert notes_of(explanation) == []
    assert [one.activation for one in explanation.layers] == [0.0, 0.0]

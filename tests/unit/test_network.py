"""Networks: layers, parameters, losses and penalties against numpy written out, and every mistake told at its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from gradcheck.errors import FieldError, NotationError, SeveralErrors
from gradcheck.graph.backprop import backprop
from gradcheck.graph.builder import Traced
from gradcheck.graph.graph import Node
from gradcheck.graph.layers import LAYERS
from gradcheck.graph.losses import LOSSES
from gradcheck.graph.network import trace_network
from gradcheck.graph.penalties import PENALTIES
from gradcheck.location import SourceText, excerpt
from gradcheck.model.case import Layer, NetworkBody, Numbers, Residual
from gradcheck.notation import Call
from gradcheck.ops.registry import Op, Sample
from tests.golden.helper import check_golden

X = np.random.default_rng(0).normal(size=(5, 4))
LABELS = np.array([2, 0, 1, 1, 2])


def layers_of(written: list[Any]) -> tuple[Layer, ...]:
    return tuple(Residual(layers_of(part)) if isinstance(part, list) else SourceText.of(part) for part in written)


def body(
    layers: list[Any], loss: str | None = None, penalty: str | None = None, parameters: tuple[str, ...] = ()
) -> NetworkBody:
    return NetworkBody(
        layers_of(layers),
        SourceText.of(loss) if loss else None,
        SourceText.of(penalty) if penalty else None,
        {name: Numbers(np.ones(1), np.zeros(1), np.ones(1, int)) for name in parameters},
    )


def drawn(name: str, shape: tuple[int, ...], default: str) -> np.ndarray[Any, Any]:
    return np.random.default_rng(sum(map(ord, name))).normal(size=shape)


def trace(
    network: NetworkBody, sizes: Mapping[str, int | float] | None = None, custom: Any = None, **inputs: Any
) -> Traced:
    return trace_network(network, {"x": X, **inputs}, sizes=sizes or {}, initialise=drawn, custom=custom)


def test_a_classifier_is_what_numpy_says() -> None:
    result = trace(body(["linear(4, 6)", "relu", "linear(6, 3)"], "softmax_cross_entropy", "l2(0.01)"), target=LABELS)
    W1, b1, W2, b2 = result.parameters.values()
    logits = np.maximum(X @ W1 + b1, 0) @ W2 + b2
    loss = np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(5), LABELS])
    np.testing.assert_allclose(result.output, loss + 0.01 * ((W1**2).sum() + (W2**2).sum()), rtol=1e-14)
    np.testing.assert_allclose(result.values[result.names["output"]], logits, rtol=1e-13)


def test_parameters_are_numbered_by_layers_that_have_any() -> None:
    asked: list[tuple[str, tuple[int, ...], str]] = []

    def initialise(name: str, shape: tuple[int, ...], default: str) -> np.ndarray[Any, Any]:
        asked.append((name, shape, default))
        return np.ones(shape)

    network = body(["flatten", "linear(4, 6)", "tanh()", ["linear(6, 6, bias=False)", "relu"], "linear(6, 2)"])
    result = trace_network(network, {"x": X}, sizes={}, initialise=initialise)
    assert asked == [
        ("W1", (4, 6), "he"),
        ("b1", (6,), "0.1*normal"),
        ("W2", (6, 6), "he"),
        ("W3", (6, 2), "he"),
        ("b3", (2,), "0.1*normal"),
    ]
    assert list(result.parameters) == ["W1", "b1", "W2", "W3", "b3"]
    assert list(result.names) == ["x", "W1", "b1", "W2", "W3", "b3", "output"]
    assert list(result.graph.leaves) == ["x", "W1", "b1", "W2", "W3", "b3"]
    assert result.output.shape == (5, 2)


def test_a_nested_list_adds_its_output_to_its_input() -> None:
    result = trace(body([["linear(4, 4)", "tanh", ["linear(4, 4)"]], "relu"]))
    W1, b1, W2, b2 = result.parameters.values()
    inner = np.tanh(X @ W1 + b1)
    np.testing.assert_allclose(result.output, np.maximum(X + inner + inner @ W2 + b2, 0), rtol=1e-13)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("relu", np.maximum(X, 0)),
        ("sigmoid()", 1 / (1 + np.exp(-X))),
        ("tanh", np.tanh(X)),
        ("softplus", np.log1p(np.exp(X))),
        ("softmax", np.exp(X) / np.exp(X).sum(1, keepdims=True)),
        ("softmax(axis=0)", np.exp(X) / np.exp(X).sum(0)),
        ("log_softmax(-1)", X - np.log(np.exp(X).sum(1, keepdims=True))),
        ("flatten", X),
    ],
)
def test_a_layer_without_parameters_is_what_numpy_says(layer: str, expected: Any) -> None:
    np.testing.assert_allclose(trace(body([layer])).output, expected, rtol=1e-13)


@pytest.mark.parametrize(("shape", "flat"), [((2, 3, 4), (2, 12)), ((2, 3), (2, 3)), ((3,), (3,)), ((2, 1, 0), (2, 0))])
def test_flatten_keeps_the_batch_axis(shape: tuple[int, ...], flat: tuple[int, ...]) -> None:
    result = trace_network(body(["flatten"]), {"x": np.ones(shape)}, sizes={}, initialise=drawn)
    assert result.output.shape == flat


def test_a_single_example_needs_no_batch_axis() -> None:
    result = trace_network(
        body(["linear(4, 2)"], "half_squared_error"), {"x": X[0], "target": 3}, sizes={}, initialise=drawn
    )
    W, b = result.parameters.values()
    np.testing.assert_allclose(result.output, ((X[0] @ W + b - 3) ** 2).sum() / 2, rtol=1e-14)


P = 1 / (1 + np.exp(-X))
T = (X > 0.3) * 1.0


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mse", np.mean((P - T) ** 2)),
        ("mae", np.mean(abs(P - T))),
        ("half_squared_error", np.sum((P - T) ** 2) / 2),
        ("binary_cross_entropy", -np.mean(T * np.log(P) + (1 - T) * np.log(1 - P))),
        ("softmax_cross_entropy", np.mean((np.log(np.exp(P).sum(1, keepdims=True)) - P) * T * 4)),
    ],
)
def test_a_loss_is_what_its_line_says(loss: str, expected: float) -> None:
    np.testing.assert_allclose(trace(body(["sigmoid"], loss), target=T).output, expected, rtol=1e-13)


def test_the_penalties_count_weights_and_no_biases() -> None:
    plain, l1, l2 = (
        trace(body(["linear(4, 4)", "linear(4, 4)"], "mse", penalty), {"reg": 0.5}, target=X)
        for penalty in (None, "l1(reg)", "l2(2 * reg)")
    )
    W1, _, W2, _ = plain.parameters.values()
    np.testing.assert_allclose(l1.output - plain.output, 0.5 * (abs(W1).sum() + abs(W2).sum()), rtol=1e-12)
    np.testing.assert_allclose(l2.output - plain.output, (W1**2).sum() + (W2**2).sum(), rtol=1e-12)
    extra = (
        backprop(l2.graph, l2.values, np.ones(()), ["W1"])["W1"]
        - backprop(plain.graph, plain.values, np.ones(()), ["W1"])["W1"]
    )
    np.testing.assert_allclose(extra, 2 * W1, rtol=1e-11)


def test_a_penalty_without_weights_adds_nothing() -> None:
    assert trace(body(["tanh"], "mse", "l2(1)"), target=X).output == trace(body(["tanh"], "mse"), target=X).output


def test_sizes_stand_for_numbers_in_layers() -> None:
    assert trace(body(["linear(D, 2 * M)"]), {"D": 4, "M": 3}).output.shape == (5, 6)


def test_layers_and_losses_have_no_gradient_rules_of_their_own() -> None:
    for thing in (*LAYERS.values(), *LOSSES.values(), *PENALTIES.values()):
        assert not any("vjp" in field or "gradient" in field for field in type(thing).__slots__)


def test_every_node_knows_the_text_it_came_from() -> None:
    result = trace(body(["linear(4, 3)", "relu"], "mse"), target=np.ones((5, 3)))
    places = [v.place.source.text for v in result.graph.vertices if isinstance(v, Node) and v.place is not None]
    assert list(dict.fromkeys(places)) == ["linear(4, 3)", "relu", "mse"]


def leaky(call: Call, source: SourceText) -> Op:
    slope = 0.1
    assert source.text == 'code("layers.py:LeakyReLU", alpha=0.1)'
    assert [name for name, _ in call.keywords] == ["alpha"]
    return Op(
        "LeakyReLU",
        lambda x: np.where(x > 0, x, slope * x),
        "unknown",
        (lambda g, y, x: np.where(x > 0, g, slope * g),),
        samples=(Sample((X,), {}),),
    )


def test_a_handwritten_layer_is_an_op_like_any_other() -> None:
    result = trace(
        body(["linear(4, 3)", 'code("layers.py:LeakyReLU", alpha=0.1)'], "mse"), custom=leaky, target=np.ones((5, 3))
    )
    W, b = result.parameters.values()
    pre = X @ W + b
    post = np.where(pre > 0, pre, 0.1 * pre)
    np.testing.assert_allclose(result.output, np.mean((post - 1) ** 2), rtol=1e-14)
    expected = X.T @ (2 * (post - 1) / post.size * np.where(pre > 0, 1, 0.1))
    np.testing.assert_allclose(backprop(result.graph, result.values, np.ones(()), ["W1"])["W1"], expected, rtol=1e-12)


def told(error: Any) -> str:
    if isinstance(error, FieldError):
        return f"{'.'.join(map(str, error.path))}: {error.message}\n{error.hint}"
    assert isinstance(error, NotationError)
    assert error.source is not None
    assert error.span is not None
    assert error.location is not None
    drawing = excerpt(error.source.text, error.location.column, error.span.end - error.span.start)
    return f"{error.location.column}: {error.message}\n{drawing}\n{error.hint}"


def mistakes(network: NetworkBody, **inputs: Any) -> str:
    with pytest.raises((NotationError, FieldError, SeveralErrors)) as caught:
        trace_network(network, inputs, sizes={"N": 3}, initialise=drawn)
    errors = caught.value.errors if isinstance(caught.value, SeveralErrors) else [caught.value]
    return "\n".join(map(told, errors))


def test_every_mistake_of_the_texts_is_told_at_once() -> None:
    network = body(
        ["linaer(4, 5)", "linear(M, 5)", ["linear(4)", "linear(4, 5, 6, 7)"], "relu(3)", "linear(4, 5, bias=3)",
         "linear(4, -5)", "linear(4, 5, inputs=4)", "linear(4, width=5)", "softmax(axis=0.5)", "3", "linear(4, 2.5)",
         "linear(10**5, 10**5)", "linear(9**9**9, 2)", "x = 3", "x.relu()"],
        "mee", "l3(1)", ("W1",),
    )  # fmt: skip
    check_golden("network/texts.txt", mistakes(network, x=X, tarjet=X) + "\n")


WRONG: list[tuple[NetworkBody, dict[str, Any]]] = [
    (body(["linear(4, 5)", "linear(10, 5)"]), {"x": X}),
    (body(["relu", ["linear(4, 5)"]]), {"x": X}),
    (body(["linear(4, 1)"], "mse"), {"x": X, "target": np.ones(5)}),
    (body(["linear(4, 3)"], "softmax_cross_entropy"), {"x": X, "target": LABELS + 1}),
    (body(["softmax(axis=2)"]), {"x": X}),
    (body(["linear(4, 3)"], "mse"), {"X": X}),
    (body(["linear(4, 3)"]), {"x": X, "target": X}),
    (body(["linear(4, 3)"], None, "l2(1)"), {"x": X}),
    (body(["linear(4, 3)"], "mse(2)", "l2"), {"x": X, "target": X}),
    (body(["linear(4, 3)"], "mse", "l2('a')"), {"x": X, "target": X}),
    (body(["linear(4, 3)", "relu"], None, None, ("W2", "w1", "gamma")), {"x": X}),
    (body(["relu"], None, None, ("W1",)), {"x": X}),
    (body(['code("layers.py:LeakyReLU")']), {"x": X}),
]


def test_a_mistake_is_told_at_its_place() -> None:
    check_golden("network/mistakes.txt", "\n\n".join(mistakes(network, **inputs) for network, inputs in WRONG) + "\n")

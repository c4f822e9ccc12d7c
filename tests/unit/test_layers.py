"""The table of layers: what each is called, how its parameters are numbered, what is said when it is used wrongly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.casefile.initialisers import BARE
from gradcheck.errors import NotationError, SeveralErrors
from gradcheck.graph.expression import trace_program
from gradcheck.graph.functions import COMPOSED, OF_LAYERS
from gradcheck.graph.graph import Node
from gradcheck.graph.layers import LAYERS, OTHER_NAMES
from gradcheck.graph.layers.functions import FUNCTIONS
from gradcheck.graph.plan import read_plan
from gradcheck.location import SourceText, excerpt
from gradcheck.ops.registry import all_ops
from tests.golden.helper import check_golden
from tests.property.drawn_layers import Drawn
from tests.unit.test_network import body, mistakes, trace

WANTED = {
    "linear", "highway", "embedding", "flatten", "conv1d", "conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d",
    "global_avg_pool", "upsample", "dropout", "batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm",
    "rnn", "lstm", "gru", "attention", "transformer_block", "relu", "leaky_relu", "prelu", "elu", "selu", "gelu",
    "silu", "softplus", "softsign", "mish", "hardtanh", "hard_sigmoid", "hard_swish", "tanh", "sigmoid", "softmax",
    "log_softmax",
}  # fmt: skip


def test_the_vocabulary_of_networks_is_there() -> None:
    assert LAYERS.keys() >= WANTED
    assert all(kind.name == name and kind.meaning for name, kind in LAYERS.items())


def test_every_elementwise_op_of_one_argument_is_a_layer() -> None:
    ops = {op.name for op in all_ops().values() if op.kind == "elementwise" and len(op.arguments) == 1}
    assert ops <= LAYERS.keys()


def test_signatures_read_like_calls() -> None:
    assert LAYERS["relu"].signature == "relu"
    assert LAYERS["leaky_relu"].signature == "leaky_relu(negative_slope=0.01)"
    assert LAYERS["conv2d"].signature == (
        "conv2d(inputs, outputs, kernel=3, stride=1, padding=0, dilation=1, groups=1, bias=True)"
    )
    assert LAYERS["transformer_block"].signature == "transformer_block(width, heads, hidden, causal=False)"


def test_names_of_other_libraries_lead_to_ours() -> None:
    assert not OTHER_NAMES.keys() & LAYERS.keys()
    assert set(OTHER_NAMES.values()) <= LAYERS.keys()


@pytest.mark.parametrize(
    ("layer", "shape", "names"),
    [
        ("conv2d(2, 3)", (1, 2, 3, 3), {"W1": (3, 2, 3, 3), "b1": (3,)}),
        ("conv2d(4, 6, kernel=(1, 3), groups=2, bias=False)", (1, 4, 3, 3), {"W1": (6, 2, 1, 3)}),
        ("conv_transpose2d(4, 6, groups=2)", (1, 4, 3, 3), {"W1": (4, 3, 3, 3), "b1": (6,)}),
        ("layer_norm((2, 3))", (4, 2, 3), {"gamma1": (2, 3), "beta1": (2, 3)}),
        ("rms_norm(3)", (4, 3), {"gamma1": (3,)}),
        ("rnn(2, 3)", (1, 2, 2), {"Wx1": (2, 3), "Wh1": (3, 3), "b1": (3,)}),
        ("lstm(2, 3)", (1, 2, 2), {"Wx1": (2, 12), "Wh1": (3, 12), "b1": (12,)}),
        ("gru(2, 3)", (1, 2, 2), {"Wx1": (2, 9), "Wh1": (3, 9), "b1": (9,)}),
        ("attention(4, heads=2)", (1, 2, 4), {f"{name}1": (4, 4) for name in ("Wq", "Wk", "Wv", "Wo")}),
        ("highway(3)", (2, 3), {"W1": (3, 3), "b1": (3,), "Wt1": (3, 3), "bt1": (3,)}),
        ("prelu(3)", (2, 3), {"alpha1": (3,)}),
    ],
)
def test_parameters_have_the_names_and_shapes_of_their_layer(
    layer: str, shape: tuple[int, ...], names: dict[str, tuple[int, ...]]
) -> None:
    parameters = Drawn(layer, shape).traced().parameters
    assert {name: array.shape for name, array in parameters.items()} == names


def test_a_transformer_block_is_numbered_as_the_layers_that_it_stands_for() -> None:
    x = np.random.default_rng(1).normal(size=(2, 3, 4))
    short = trace(body(["linear(4, 4)", "transformer_block(4, 2, 6, causal=True)", "linear(4, 1)"]), x=x)
    attend, feed = (
        ["layer_norm(4)", "attention(4, heads=2, causal=True)"],
        ["layer_norm(4)", "linear(4, 6)", "gelu", "linear(6, 4)"],
    )
    long = trace(body(["linear(4, 4)", attend, feed, "linear(4, 1)"]), x=x)
    assert list(short.parameters) == list(long.parameters)
    assert list(short.parameters)[-4:] == ["W6", "b6", "W7", "b7"]
    np.testing.assert_array_equal(short.output, long.output)


def test_no_parameter_starts_as_zeros_or_ones() -> None:
    for kind in LAYERS.values():
        settings = read_plan(Drawn(kind.example[0], ()).body, {}).steps[0].settings
        for parameter in kind.parameters(settings):
            assert parameter.default not in ("zeros", "ones")
            assert any(word in parameter.default for word in BARE)


def test_a_layer_without_dropout_in_evaluation_is_its_input() -> None:
    result = trace(body(["dropout(0.9, training=False)"]))
    assert result.output is result.values[0]
    assert not any(isinstance(vertex, Node) for vertex in result.graph.vertices)


def test_whole_numbers_become_floats_unless_the_layer_takes_them() -> None:
    whole = np.array([[0, 1], [2, 0]])
    assert trace(body(["linear(2, 2)"]), x=whole).values[0].dtype == np.float64
    assert trace(body(["embedding(3, 2)"]), x=whole).values[0].dtype == np.int64
    assert trace(body([["linear(2, 2)"], "relu"]), x=whole).values[0].dtype == np.float64


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("leaky_relu(0.25)", lambda x: np.where(x > 0, x, 0.25 * x)),
        ("elu(alpha=2)", lambda x: np.where(x > 0, x, 2 * np.expm1(x))),
        ("clip(-0.5, 0.5)", lambda x: np.clip(x, -0.5, 0.5)),
        ("gelu('tanh')", lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
    ],
)
def test_an_activation_takes_the_options_of_its_op(layer: str, expected: Any) -> None:
    x = np.linspace(-2, 2, 12).reshape(3, 4)
    np.testing.assert_allclose(trace(body([layer]), x=x).output, expected(x), rtol=1e-13)


# Functions of expressions.


def test_functions_of_layers_are_known_without_an_import() -> None:
    assert tuple(FUNCTIONS) == OF_LAYERS
    assert COMPOSED["conv2d"] is FUNCTIONS["conv2d"]
    assert set(OF_LAYERS) < set(COMPOSED)
    assert len(list(COMPOSED)) == len(COMPOSED)


@pytest.mark.parametrize(
    ("call", "layer", "shape"),
    [
        ("conv1d(x, W, b, padding=1)", "conv1d(2, 3, padding=1)", (2, 2, 4)),
        ("conv2d(x, W, b, stride=2, groups=2)", "conv2d(4, 2, stride=2, groups=2)", (2, 4, 5, 6)),
        ("conv2d(x, W)", "conv2d(2, 3, bias=False)", (2, 2, 5, 3)),
        ("conv_transpose1d(x, W, stride=2)", "conv_transpose1d(2, 3, stride=2, bias=False)", (2, 2, 3)),
        (
            "conv_transpose2d(x, W, b, output_padding=1, stride=(2, 3))",
            "conv_transpose2d(2, 3, output_padding=1, stride=(2, 3))",
            (1, 2, 2, 2),
        ),
        ("max_pool1d(x, 2)", "max_pool1d(2)", (1, 2, 5)),
        ("max_pool2d(x, 3, stride=1, padding=1)", "max_pool2d(3, stride=1, padding=1)", (1, 2, 4, 4)),
        ("avg_pool1d(x, 2)", "avg_pool1d(2)", (1, 2, 5)),
        ("avg_pool2d(x, (2, 3), padding=1)", "avg_pool2d((2, 3), padding=1)", (1, 2, 4, 4)),
        ("global_avg_pool(x)", "global_avg_pool", (1, 2, 3)),
        ("global_max_pool(x)", "global_max_pool", (1, 2, 3, 2)),
    ],
)
def test_a_function_is_the_layer_of_its_name(call: str, layer: str, shape: tuple[int, ...]) -> None:
    network = Drawn(layer, shape).traced()
    leaves = {"x": network.values[0], **{name.rstrip("1"): array for name, array in network.parameters.items()}}
    np.testing.assert_array_equal(trace_program(SourceText.of(call), leaves).output, network.output)


# Mistakes.


def told(call: str, **shapes: tuple[int, ...]) -> str:
    leaves = {name: np.ones(shape) for name, shape in shapes.items()}
    with pytest.raises((NotationError, SeveralErrors)) as caught:
        trace_program(SourceText.of(call), leaves)
    error: Any = caught.value
    drawing = excerpt(error.source.text, error.location.column, error.span.end - error.span.start)
    return f"{error.message}\n{drawing}\n{error.hint}"


PICTURE = (2, 3, 5, 5)


def test_a_function_used_wrongly_is_told_at_the_call() -> None:
    texts = [
        told("conv2d(x, W)", x=PICTURE, W=(4, 2, 3, 3)),
        told("1 + conv2d(x, W, b)", x=PICTURE, W=(4, 3, 3, 3), b=(3,)),
        told("conv2d(x, W)", x=PICTURE, W=(4, 3, 3)),
        told("conv2d(x, W)", x=PICTURE, W=(4, 3, 6, 3)),
        told("conv2d(x, W, stride=0)", x=PICTURE, W=(4, 3, 3, 3)),
        told("conv2d(x, W, groups=2)", x=(2, 6, 5, 5), W=(3, 3, 3, 3)),
        told("conv2d(x, W)", x=PICTURE, W=(4, 3, 0, 3)),
        told("conv_transpose2d(x, W, output_padding=(0, 2), stride=2)", x=PICTURE, W=(3, 2, 3, 3)),
        told("conv2d(x)", x=PICTURE),
        told("max_pool2d(x)", x=PICTURE),
        told("max_pool2d(x, 2, padding=2)", x=PICTURE),
        told("max_pool2d(x, 6)", x=PICTURE),
        told("global_avg_pool(x)", x=(2, 3)),
        told("windows(x, (6, 2))", x=PICTURE),
        told("windows(x, 0)", x=PICTURE),
        told("windows(x, (2, 2), stride=(1, 1, 1))", x=PICTURE),
        told("windows(x, (2, 2))", x=(5,)),
        told("fold(x, 9)", x=(3, 4)),
        told("fold(x, 9)", x=(3,)),
        told("normalise(x, eps=-1)", x=PICTURE),
        told("normalise(x)", x=(2, 0)),
    ]
    check_golden("network/layer_functions.txt", "\n\n".join(texts) + "\n")


WRONG_WORDS = [
    "conv2d(3)", "conv2d(3, 4, stride=0)", "conv2d(3, 4, kernel=(3, 3, 3))", "conv2d(3, 4, padding=-1)",
    "conv2d(3, 4, kernel=2.5)", "conv2d(3, 4, groups=3)", "conv2d(3, 4, 3, 1, 1, 1, 1, True, 1)",
    "conv_transpose2d(3, 4, output_padding=1)", "max_pool2d()", "max_pool2d(2, padding=2)", "max_pool2d(2, stride=0)",
    "upsample(2, mode='cubic')", "dropout(1)", "dropout(-0.1)", "dropout('a')", "layer_norm(0)",
    "layer_norm((2, 'a'))", "batch_norm(3, eps=-1)", "batch_norm(3, training=1)", "group_norm(2, 3)", "rms_norm()",
    "lstm(3, 0)", "rnn(3, 4, return_sequence=False)", "attention(6, heads=4)", "transformer_block(6, 4, 5)",
    "embedding(4)", "prelu(0)", "relu(1)", "dense(3, 4)", "maxpool(2)", "self_attention(4)", "MaxPool2d(2)",
    "layernorm(3)", "BatchNorm2d(3)", "clip(low='a')",
    "upsample(2, mode=bilinear)", "gelu(tanh)", "linear(zeros(3), 4)", "leaky_relu(ones(2))", "xyz(3)",
    "LeakyReLU(0.1)", "nn.LayerNorm(10)", "nn.Xyz(3)", "ReLU6", "squeeze", "linear(3, 4, bias=false)",
]  # fmt: skip


def test_a_wrong_word_or_option_is_told_at_its_place() -> None:
    check_golden("network/layer_words.txt", mistakes(body(WRONG_WORDS), x=np.ones(PICTURE)) + "\n")


WRONG_SHAPES: list[tuple[str, Any]] = [
    ("conv2d(3, 4)", np.ones((5, 4))),
    ("conv2d(3, 4)", np.ones((2, 4, 5, 5))),
    ("conv2d(3, 4, kernel=7)", np.ones(PICTURE)),
    ("conv2d(3, 4, kernel=5, padding=1, dilation=2)", np.ones(PICTURE)),
    ("conv1d(3, 4)", np.ones(PICTURE)),
    ("conv_transpose2d(3, 4, kernel=2, padding=3)", np.ones(PICTURE)),
    ("max_pool2d(6)", np.ones(PICTURE)),
    ("max_pool2d(2)", np.ones((3, 4))),
    ("global_max_pool", np.ones((3, 4))),
    ("upsample(2)", np.ones((3, 4))),
    ("layer_norm(4)", np.ones((2, 3))),
    ("layer_norm((2, 4))", np.ones((4,))),
    ("rms_norm(4)", np.ones((2, 3))),
    ("batch_norm(4)", np.ones((2, 3))),
    ("batch_norm(3)", np.ones((1, 3))),
    ("group_norm(2, 4)", np.ones((2, 3))),
    ("group_norm(4, 4)", np.ones((2, 4))),
    ("instance_norm(3)", np.ones((2, 3))),
    ("instance_norm(3)", np.ones((2, 3, 1))),
    ("embedding(4, 2)", np.ones((2, 3))),
    ("embedding(4, 2)", np.array([[0, 4]])),
    ("embedding(4, 2)", np.array([[0, -1]])),
    ("rnn(3, 2)", np.ones((2, 3))),
    ("lstm(3, 2)", np.ones((2, 3, 4))),
    ("gru(3, 2)", np.ones((2, 65, 3))),
    ("gru(3, 2)", np.ones((2, 0, 3))),
    ("attention(4)", np.ones((2, 4))),
    ("attention(4)", np.ones((2, 0, 4))),
    ("transformer_block(4, 2, 3)", np.ones((2, 3, 6))),
    ("highway(4)", np.ones((2, 3))),
    ("prelu(4)", np.ones((2, 3))),
    ("clip", np.ones((2, 3))),
    ("attention(1, causal=True)", np.ones((1, 10**4, 1))),
    ("upsample(10**6)", np.ones((1, 1, 9, 9))),
    ("upsample(10**6, mode='bilinear')", np.ones((1, 1, 9, 9))),
]


def test_a_wrong_shape_is_told_at_its_layer() -> None:
    texts = [mistakes(body([layer]), x=x) for layer, x in WRONG_SHAPES]
    check_golden("network/layer_shapes.txt", "\n\n".join(texts) + "\n")

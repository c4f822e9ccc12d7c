"""Every layer as a case file has it: our backpropagation against differences, and caught with one rule damaged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradcheck.casefile.arrays import build_array
from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.graph.graph import Node
from gradcheck.graph.layers import LAYERS
from gradcheck.graph.layers.activations import OF_OPS
from gradcheck.graph.network import trace_network
from gradcheck.location import SourceText
from gradcheck.model.case import NetworkBody
from gradcheck.model.report import CaseResult
from gradcheck.ops.registry import Op
from tests.property.drawn_layers import DRAWN, Drawn, layers

COMPOSED = [name for name in LAYERS if name not in {kind.name for kind in OF_OPS}]
FLAT = {"sign", "floor", "ceil", "round"}  # their gradient is 0 wherever they have one
few = settings(
    max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def check(folder: Path, layer: str, x: str, more: str = "") -> CaseResult:
    """The result of a case whose network is that layer."""
    file = folder / "layer.yaml"
    file.write_text(f"name: layer\nnetwork:\n  - {layer}\ninputs:\n  x: {x}\n{more}", encoding="utf-8")
    report = run_cases(load([file]), Settings())
    assert report.problems == ()
    (result,) = report.cases
    return result


def test_every_layer_is_drawn() -> None:
    assert DRAWN.keys() == LAYERS.keys()


@pytest.mark.parametrize("name", COMPOSED)
@few
@given(data=st.data())
def test_the_gradients_of_a_layer_agree_with_differences(name: str, tmp_path: Path, data: st.DataObject) -> None:
    drawn = data.draw(layers(name))
    if _differentiable(drawn):
        result = check(tmp_path, drawn.text, drawn.array_text, f"seed: {data.draw(st.integers(0, 99))}\n")
        assert result.error is None
        # Some drawn sizes leave a parameter without influence: Wh over one step, Wq where there is one key.
        assert {finding.verdict for finding in result.findings} <= {"pass", "vacuous"}


def _differentiable(drawn: Drawn) -> bool:
    return "integers" not in drawn.numbers or bool(drawn.traced().parameters)


@pytest.mark.parametrize("name", LAYERS)
def test_the_example_of_a_layer_passes_with_every_tensor(name: str, tmp_path: Path) -> None:
    result = check(tmp_path, *LAYERS[name].example)
    assert result.error is None
    assert {finding.verdict for finding in result.findings} == {"vacuous" if name in FLAT else "pass"}
    assert len(result.findings) >= 1


# Where a layer has two ways, the examples show one; these show the other.
MORE = {
    "conv2d": [("conv2d(2, 4, kernel=2, stride=2, padding=1, groups=2)", "normal(2, 2, 3, 3)")],
    "conv_transpose2d": [("conv_transpose2d(2, 2, stride=2, padding=1, output_padding=1)", "normal(1, 2, 2, 2)")],
    "max_pool2d": [("max_pool2d(3, stride=2, padding=1)", "normal(1, 2, 4, 5)")],
    "avg_pool2d": [("avg_pool2d(3, stride=2, padding=1, count_include_pad=False)", "normal(1, 2, 4, 5)")],
    "upsample": [("upsample((2, 3), mode='bilinear')", "normal(1, 2, 2, 3)")],
    "batch_norm": [
        ("batch_norm(2)", "normal(3, 2, 2, 2)"),
        ("batch_norm(2, training=False)", "normal(3, 2)"),
        ("batch_norm(2, training=False)", "normal(3, 2, 2)"),
    ],
    "layer_norm": [("layer_norm((2, 3))", "normal(2, 2, 3)")],
    "attention": [("attention(4, heads=2, causal=True)", "normal(2, 3, 4)")],
    "transformer_block": [("transformer_block(4, 2, 3, causal=True)", "normal(1, 3, 4)")],
    "lstm": [("lstm(2, 2, return_sequences=False)", "normal(2, 4, 2)")],
    "dropout": [("dropout(0.3)", "normal(3, 3)")],
}
EXAMPLES = [(name, *pair) for name in COMPOSED for pair in [LAYERS[name].example, *MORE.get(name, [])]]


@contextmanager
def doubled(op: Op) -> Iterator[None]:
    """Every vjp rule of the op twice as large as it should be."""

    def twice(rule: Any) -> Any:
        return None if rule is None else lambda *args, **options: 2.0 * rule(*args, **options)

    right = op.vjps
    object.__setattr__(op, "vjps", tuple(map(twice, right)))
    try:
        yield
    finally:
        object.__setattr__(op, "vjps", right)


def ops_of(layer: str, x: str) -> list[Op]:
    """The ops that a layer is made of."""

    def draw(name: str, shape: tuple[int, ...] | None, text: str) -> Any:
        array = build_array(SourceText.of(text), name=name, seed=0, sizes={}, directory=Path(), shape=shape)
        return np.asarray(array)

    body = NetworkBody((SourceText.of(layer),), None, None, {})
    traced = trace_network(body, {"x": draw("x", None, x)}, sizes={}, initialise=draw)
    return list({vertex.op.name: vertex.op for vertex in traced.graph.vertices if isinstance(vertex, Node)}.values())


@pytest.mark.parametrize(("name", "layer", "x"), EXAMPLES, ids=lambda value: str(value).replace(" ", ""))
def test_a_layer_with_one_wrong_rule_fails(name: str, layer: str, x: str, tmp_path: Path) -> None:
    ops = ops_of(layer, x)
    assert ops
    everything = "wrt: [x, gamma1, beta1, mean1, variance1]\n" if "training=False" in layer else ""
    assert check(tmp_path, layer, x, everything).verdict == "pass"
    for op in ops:
        with doubled(op):
            assert check(tmp_path, layer, x, everything).verdict == "fail", op.name


def test_dropout_keeps_its_mask_within_a_case_and_changes_it_with_the_seed(tmp_path: Path) -> None:
    """A mask that changed between evaluations would make the function's own differences meaningless."""
    masks = []
    for seed in (0, 0, 1):
        body = NetworkBody((SourceText.of("dropout(0.5)"), SourceText.of("dropout(0.5)")), None, None, {})
        traced = trace_network(body, {"x": np.ones((8, 8))}, sizes={}, initialise=lambda *_: np.ones(1), seed=seed)
        first, both = (traced.values[i] for i, v in enumerate(traced.graph.vertices) if isinstance(v, Node))
        assert set(np.unique(first)) == {0.0, 2.0}
        assert set(np.unique(both)) == {0.0, 4.0}  # two layers, two masks
        np.testing.assert_array_equal(traced.graph.evaluate({"x": np.ones((8, 8))}), both)
        masks.append(both)
    np.testing.assert_array_equal(masks[0], masks[1])
    assert not np.array_equal(masks[0], masks[2])


def test_running_statistics_are_given_and_not_differentiated_unless_asked(tmp_path: Path) -> None:
    layer, x = "batch_norm(2, training=False)", "normal(3, 2)"
    given = "parameters:\n  variance1: [0.5, 2.0]\n"
    assert [f.tensor for f in check(tmp_path, layer, x).findings] == ["gamma1", "beta1", "x"]
    result = check(tmp_path, layer, x, given + "wrt: [mean1, variance1]\n")
    assert [(f.tensor, f.verdict) for f in result.findings] == [("mean1", "pass"), ("variance1", "pass")]


def test_an_embedding_takes_whole_numbers_and_adds_up_repeated_rows(tmp_path: Path) -> None:
    result = check(
        tmp_path, "embedding(3, 2)", "[[0, 2], [2, 2]]", "upstream: ones\nexpected:\n  W1: [[1, 1], [0, 0], [3, 3]]\n"
    )
    assert [(f.claim, f.tensor, f.verdict) for f in result.findings] == [
        ("backprop", "W1", "pass"),
        ("expected", "W1", "pass"),
    ]

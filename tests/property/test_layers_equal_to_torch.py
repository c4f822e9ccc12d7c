"""Every layer against torch's functional version: value to 1e-12, and the gradients of x and all parameters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck.graph.backprop import backprop
from gradcheck.graph.layers import LAYERS
from tests.property.applications import upstream
from tests.property.drawn_layers import layers

torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
from tests.property import torch_layers  # noqa: E402 – it imports torch

few = settings(max_examples=25, deadline=None, derandomize=True)


def test_every_layer_has_an_equivalent_or_a_reason() -> None:
    assert torch_layers.LAYERS.keys() | torch_layers.ABSENT.keys() == LAYERS.keys()


@pytest.mark.parametrize("name", torch_layers.LAYERS)
@few
@given(data=st.data())
def test_a_layer_is_what_torch_says(name: str, data: st.DataObject) -> None:
    drawn = data.draw(layers(name))
    traced = drawn.traced()
    tensors = {
        leaf: torch.tensor(traced.values[i], requires_grad=traced.values[i].dtype.kind == "f")
        for leaf, i in traced.graph.leaves.items()
    }
    parameters = {leaf.rstrip("1"): tensor for leaf, tensor in tensors.items() if leaf != "x"}
    with (
        torch.no_grad() if "mean" in parameters else torch.enable_grad()
    ):  # torch refuses gradients of running statistics
        theirs = torch_layers.LAYERS[name](tensors["x"], parameters, drawn.settings)
    assert traced.output.shape == theirs.shape
    np.testing.assert_allclose(traced.output, theirs.detach().numpy(), rtol=1e-12, atol=1e-12)
    if not theirs.requires_grad:
        return
    g = upstream(traced.output.shape)
    theirs.backward(torch.tensor(g))
    wanted = [leaf for leaf, tensor in tensors.items() if tensor.requires_grad]
    ours = backprop(traced.graph, traced.values, g, wanted)
    for leaf in wanted:
        gradient = tensors[leaf].grad
        expected = np.zeros(ours[leaf].shape) if gradient is None else gradient.numpy()
        np.testing.assert_allclose(ours[leaf], expected, rtol=1e-9, atol=1e-10 * (1 + np.abs(expected).max(initial=0)))

"""Every op against torch's: the same value to 1e-12, and the same gradient, exactly at a kink too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck.ops.registry import Op, Sample, all_ops
from tests.property.applications import Application, sample_id, samples_of_all_ops, upstream
from tests.property.at_kinks import at_kinks
from tests.property.strategies import applications
from tests.property.torch_equivalents import collected

torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
EQUIVALENTS, ABSENT, OWN_AT_KINKS = collected()
COMPARED = [op for op in all_ops().values() if op.name in EQUIVALENTS]
few = settings(max_examples=25, deadline=None, derandomize=True)


def test_every_op_has_an_equivalent_or_a_reason() -> None:
    assert EQUIVALENTS.keys() | ABSENT.keys() == all_ops().keys()


def tensors(application: Application) -> list[Any]:
    """The arguments as torch's own, those that are differentiated with a place for their gradient."""
    differentiable = set(application.differentiable())
    return [
        torch.tensor(argument, requires_grad=position in differentiable)
        for position, argument in enumerate(application.arguments)
    ]


def assert_equal_values(application: Application) -> None:
    theirs = EQUIVALENTS[application.op.name](*tensors(application), **application.options).detach().numpy()
    ours = application.value()
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def assert_equal_gradients(application: Application) -> None:
    arguments = tensors(application)
    value = EQUIVALENTS[application.op.name](*arguments, **application.options)
    g = upstream(application.value().shape)
    if value.requires_grad:
        value.backward(torch.tensor(g))
    for position in application.differentiable():
        theirs = arguments[position].grad
        theirs = np.zeros(application.arguments[position].shape) if theirs is None else theirs.numpy()
        np.testing.assert_allclose(application.gradient(position, g), theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("op", "sample"), [pair for pair in samples_of_all_ops() if pair[0] in COMPARED], ids=sample_id
)
def test_samples_have_torchs_values_and_gradients(op: Op, sample: Sample) -> None:
    application = Application.of(op, sample)
    assert_equal_values(application)
    assert_equal_gradients(application)


@pytest.mark.parametrize(
    ("op", "point"), at_kinks([op for op in COMPARED if op.kink is not None]), ids=lambda v: getattr(v, "name", "")
)
def test_exactly_at_a_kink_value_and_gradient_are_torchs(op: Op, point: Application) -> None:
    assert_equal_values(point)
    if op.name not in OWN_AT_KINKS:
        assert_equal_gradients(point)


@pytest.mark.parametrize("op", COMPARED, ids=lambda op: op.name)
@few
@given(data=st.data())
def test_drawn_arguments_have_torchs_values(op: Op, data: st.DataObject) -> None:
    assert_equal_values(data.draw(applications(op)))

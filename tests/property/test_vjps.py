"""Every vjp rule against differences, on drawn arguments, and the laws that a vjp obeys whatever it computes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck.ops.registry import Op, Sample, all_ops
from tests.property.applications import EPS, Application, sample_id, samples_of_all_ops, upstream
from tests.property.differences import agrees, numeric_gradient, relative_size
from tests.property.strategies import applications

OPS = [op for op in all_ops().values() if any(op.vjps)]
every_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
few = settings(max_examples=25, deadline=None, derandomize=True)


@pytest.mark.parametrize(("op", "sample"), samples_of_all_ops(), ids=sample_id)
def test_every_rule_agrees_with_differences_on_the_samples(op: Op, sample: Sample) -> None:
    application = Application.of(op, sample)
    for position in application.differentiable():
        assert agrees(application, position, upstream(application.value().shape))


@pytest.mark.parametrize(("op", "sample"), samples_of_all_ops(), ids=sample_id)
def test_the_differences_on_the_samples_are_sharp(op: Op, sample: Sample) -> None:
    """The bound is far below the gradient: agreement on the samples means something."""
    application = Application.of(op, sample)
    for position in application.differentiable():
        numeric, bound = numeric_gradient(application, position, upstream(application.value().shape))
        assert np.all(bound <= 1e-5 * np.max(np.abs(numeric), initial=1e-3))


@every_op
@few
@given(data=st.data())
def test_every_rule_agrees_with_differences_on_drawn_arguments(op: Op, data: st.DataObject) -> None:
    application = data.draw(applications(op))
    g = upstream(application.value().shape, data.draw(st.integers(0, 9)))
    for position in application.differentiable():
        assert agrees(application, position, g)


@every_op
@few
@given(data=st.data())
def test_every_rule_is_linear_in_the_upstream_gradient(op: Op, data: st.DataObject) -> None:
    application = data.draw(applications(op))
    shape = application.value().shape
    first, second = upstream(shape, 1), upstream(shape, 2)
    for position in application.differentiable():
        together = application.gradient(position, 3.0 * first - 0.5 * second)
        parts = 3.0 * application.gradient(position, first), -0.5 * application.gradient(position, second)
        size = max(np.max(np.abs(array), initial=0.0) for array in (*parts, application.value()))
        # what cancels within a rule may be as large as one over the arguments' own scale (normalise of two elements)
        x = application.arguments[position]
        size /= float(np.min(relative_size(x), initial=1.0))
        np.testing.assert_allclose(together, parts[0] + parts[1], rtol=1e-12, atol=64 * EPS * size)
        assert not np.any(application.gradient(position, np.zeros(shape)))


@every_op
@few
@given(data=st.data())
def test_the_vjp_is_the_adjoint_of_the_jvp(op: Op, data: st.DataObject) -> None:
    """⟨g, J v⟩ = ⟨vjp(g), v⟩ for a direction in which all arguments move at once."""
    application = data.draw(applications(op))
    positions = list(application.differentiable())
    g = upstream(application.value().shape, 3)
    h = min(1e-4, 0.2 * application.margin())
    tangents = {
        p: upstream(application.arguments[p].shape, 4 + p) * relative_size(application.arguments[p]) for p in positions
    }

    def along(distance: float) -> np.ndarray:
        arguments = tuple(
            a + distance * tangents[p] if p in tangents else a for p, a in enumerate(application.arguments)
        )
        return application.value(arguments)

    near, far = ((along(t) - along(-t)) / (2.0 * t) for t in (h, h / 2.0))
    gradients = {p: application.gradient(p, g) for p in positions}
    sizes = [float(np.max(np.abs(a), initial=0.0)) for a in application.arguments]
    rounding = 64.0 * EPS * (1.0 + np.max(np.abs(along(0.0)), initial=0.0)) * (1.0 + max(sizes)) ** 2 / h
    inner = sum(float(np.sum(gradients[p] * tangents[p])) for p in positions)
    tolerance = float(np.sum(np.abs(g) * (np.abs(near - far) + rounding))) + 1e-7 * abs(inner)
    assert abs(float(np.sum(g * (4.0 * far - near) / 3.0)) - inner) <= tolerance

"""Which function is the backward of another one is told by their names, and by nothing else."""

import pytest

from gradcheck.handwritten.conventions.partners import forward_of, partner_of
from gradcheck.handwritten.outline import FunctionOutline


def outlines(names: str, returns: tuple[str, ...] | None = ("out",)) -> dict[str, FunctionOutline]:
    return {name: FunctionOutline(name, returns=returns) for name in names.split()}


@pytest.mark.parametrize(
    ("forward", "others", "backward"),
    [
        ("relu_forward", "relu_backward", "relu_backward"),
        ("conv_forward_naive", "conv_backward_naive conv_backward", "conv_backward_naive"),
        ("norm_cached", "norm_backward", "norm_backward"),
        ("convForwardFast", "convBackwardFast", "convBackwardFast"),
        ("compute_cost", "compute_gradient compute_gradient_reg", "compute_gradient"),
        ("compute_cost_reg", "compute_gradient compute_gradient_reg", "compute_gradient_reg"),
        ("ridgeCostFunc", "ridgeGradient", "ridgeGradient"),
        ("cost", "compute_numerical_gradient gradient_descent", None),
        ("relu", "tanh_backward", None),
        ("loss", "grad gradient", None),  # either may be meant
    ],
)
def test_a_backward_is_called_like_its_forward(forward: str, others: str, backward: str | None) -> None:
    assert partner_of(forward, outlines(f"{forward} {others}")) == backward


def test_a_loss_that_returns_its_gradient_has_no_partner() -> None:
    functions = outlines("compute_cost compute_gradient", returns=("cost", "grads"))
    assert partner_of("compute_cost", functions) is None


def test_a_further_backward_is_about_the_nearest_forward() -> None:
    forwards = ["norm_forward", "norm_fast_forward", "pool_forward"]
    assert forward_of("norm_backward_alt", forwards) == "norm_forward"
    assert forward_of("norm_fast_backward_alt", forwards) == "norm_fast_forward"
    assert forward_of("relu_backward_alt", forwards) is None
    assert forward_of("norm_check", forwards) is None

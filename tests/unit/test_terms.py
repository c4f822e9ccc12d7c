"""How losses and penalties are written, and how everything that is wrong about one is told: whole messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.errors import NotationError, SeveralErrors
from gradcheck.graph.builder import Traced
from gradcheck.graph.composed import Composed
from gradcheck.graph.expression import index_names, trace_program
from gradcheck.graph.layers import LAYERS
from gradcheck.graph.losses import LOSSES
from gradcheck.graph.losses import OTHER_NAMES as OTHER_LOSSES
from gradcheck.graph.network import trace_network
from gradcheck.graph.penalties import OTHER_NAMES as OTHER_PENALTIES
from gradcheck.graph.penalties import PENALTIES
from gradcheck.location import SourceText, excerpt
from gradcheck.model.case import NetworkBody
from gradcheck.ops.registry import all_ops
from tests.golden.helper import check_golden

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
LEAVES = {
    "x": X, "y": X.T.copy(), "p": np.full((2, 3), 0.25), "i": np.array([2, 0]), "s": np.array([1.0, -1.0]),
    "q": np.array([[1, 0, 2], [0, 1, 0]]), "logs": np.log(np.full((2, 4, 3), 1 / 3)), "f": np.array([1.0, 2.0]),
}  # fmt: skip


def told(error: Any) -> str:
    assert isinstance(error, NotationError)
    assert error.source is not None
    assert error.span is not None
    assert error.location is not None
    drawing = excerpt(error.source.text, error.location.column, error.span.end - error.span.start)
    return f"{error.message}\n{drawing}\n{error.hint}"


def network(loss: str, penalty: str | None = None, target: Any = X[:, :2]) -> Traced:
    source = SourceText.of(penalty) if penalty else None
    body = NetworkBody((SourceText.of("linear(3, 2)"),), SourceText.of(loss), source, {})
    return trace_network(
        body,
        {"x": X, "target": target},
        sizes={"reg": 0.5, "C": 2},
        initialise=lambda name, shape, default: np.ones(shape),
    )


def mistakes(text: str, penalty: str | None = None, *, in_network: bool = False, target: Any = X[:, :2]) -> str:
    with pytest.raises((NotationError, SeveralErrors)) as caught:
        network(text, penalty, target) if in_network else trace_program(SourceText.of(text), LEAVES)
    errors = caught.value.errors if isinstance(caught.value, SeveralErrors) else [caught.value]
    return "\n".join(map(told, errors))


IN_FUNCTIONS = [
    # options
    "softmax_cross_entropy(x, i, label_smoothing=1)", "softmax_cross_entropy(x, i, label_smoothing=-0.1)",
    "softmax_cross_entropy(x, i, smoothing=0.1)", "softmax_cross_entropy(x, i, label_smoothing='a')",
    "softmax_cross_entropy(x, i, ignore_index=0.5)", "softmax_cross_entropy(x, p, ignore_index=0)",
    "huber(x, x, delta=0)", "huber(x, x, delta=x)", "huber(x, x, 1, 'mean', 3)", "smooth_l1(x, x, beta=-1)",
    "mse(x, x, reduction='maen')", "mse(x, x, reduction=sum)", "mse(x, x, reduction=None)", "kl_div(x, p, 'batchmena')",
    "poisson_nll(x, i, log_input=1)", "focal(x, p, gamma=-1)", "focal(x, p, alpha=2)", "hinge(f, s, p=3)",
    "multiclass_svm(x, i, margin=0)", "triplet(x, x, x, margin=-1)", "cosine_embedding(x, x, s, margin=2)",
    "margin_ranking(f, f, s, margin=-1)", "ctc(logs, i, blank=-1)", "huber(x, x, delta=1, delta=2)",
    "huber(x, x, 1, delta=2)", "huber(x)", "half_squared_error(x, None)",
    # shapes
    "huber(x, y)", "softmax_cross_entropy(x, q[0])", "softmax_cross_entropy(x, i, weight=[1, 2])",
    "softmax_cross_entropy(x, i, weight=[1, -2, 3])", "binary_cross_entropy_with_logits(x, p, pos_weight=[1, 2])",
    "nll(x, p)", "nll(x, i[None])", "nll(x[0, 0], i)", "multiclass_svm(x, y)", "cosine_embedding(x, y, s)",
    "cosine_embedding(x, x, i[:1])", "cosine_embedding(f[0], f[0], s)", "triplet(x, x, y)", "triplet(f[0], f[0], f[0])",
    "margin_ranking(f, x, s)", "margin_ranking(f, f, s[:1])", "ctc(x, i)", "ctc(logs, q[:1])", "mse(x[:0], x[:0])",
    "mean(nll(x[:, :0], i))",
    # what a target may be
    "binary_cross_entropy(p, x)", "binary_cross_entropy(x, p)", "binary_cross_entropy(p * 0, p)",
    "binary_cross_entropy(p * 4, p)", "binary_cross_entropy_with_logits(x, x)", "focal(x, x)", "kl_div(x, x)",
    "poisson_nll(x, x)", "poisson_nll(x, i[0], log_input=False)", "hinge(f, i > 0)", "hinge(f, f)",
    "cosine_embedding(x, x, i)", "margin_ranking(f, f, f)", "softmax_cross_entropy(x, x)",
    "softmax_cross_entropy(x, i + 1)", "softmax_cross_entropy(x, i - 1)", "nll(x, i, ignore_index=2) + nll(x, i + 1)",
    "softmax_cross_entropy(x, i * 0 - 100, ignore_index=-100)", "softmax_cross_entropy(x, f)", "nll(x, f)",
    "multiclass_svm(x, f)", "ctc(logs, p)", "ctc(logs, q + 2)", "ctc(logs, q, blank=3)",
    "ctc(logs, [[1, 0, 2], [1, 0, 0]])", "ctc(logs[:, :2], [[1, 1], [1, 2]])",
    # words
    "cross_entropy(x, i)", "bce(p, p)", "mean_squared_error(x, x)", "hubr(x, x)", "l2(0.1)",
]  # fmt: skip

IN_NETWORKS: list[tuple[str, str | None]] = [
    # the loss
    ("hubr", None), ("cross_entropy", None), ("MSE", None), ("mse(output, target)", None), ("mse(prediction=x)", None),
    ("mse('sum', 1)", None), ("huber(delta=reg * 2, reduction=mean)", None), ("huber(delta=rge)", None),
    ("mse(reduction='Sum')", None), ("mse + 1", None), ("softmax(axis=1)", None), ("3", None),
    ("triplet", None), ("triplet(margin=2)", None), ("cosine_embedding", None), ("mse(target=3)", None),
    ("softmax_cross_entropy(weight=[1, 2, 3])", None), ("softmax_cross_entropy(weight=[[1], [2, 3]])", None),
    ("softmax_cross_entropy(weight='a')", None), ("hinge", None), ("mse(sum(1))", None),
    ("CrossEntropyLoss", None), ("nn.MSELoss()", None), ("MSELoss()", None), ("BCELoss", None),
    # the penalty
    ("mse", "l3(1)"), ("mse", "elastic_net(0.1, 0.2)"), ("mse", "ridge(1)"), ("mse", "l2"), ("mse", "l2(-1)"),
    ("mse", "l2('a')"), ("mse", "l2(inf)"),
    ("mse", "l2(1, 2)"), ("mse", "l2(strenght=1)"), ("mse", "elastic(0.1)"), ("mse", "elastic(0.1, l1=0.2)"),
    ("mse", "2 * l2(0.1)"), ("mse", "l2(0.1) + 3"), ("mse", "l1(0.1) + l4(0.1)"), ("mse", "l2(lambda_)"),
    ("mse(reduction='none')", "l2(0.1)"), ("hubr", "l3(1)"),
]  # fmt: skip


def test_a_mistake_in_a_loss_of_a_function_is_told() -> None:
    check_golden("losses/functions.txt", "\n\n".join(mistakes(text) for text in IN_FUNCTIONS) + "\n")


def test_a_mistake_in_a_loss_or_penalty_of_a_network_is_told() -> None:
    found = [mistakes(loss, penalty, in_network=True) for loss, penalty in IN_NETWORKS]
    found.append(mistakes("softmax_cross_entropy", in_network=True, target=np.array([0, 2])))
    found.append(mistakes("binary_cross_entropy", in_network=True, target=np.ones((2, 2))))
    check_golden("losses/networks.txt", "\n\n".join(found) + "\n")


def test_a_sequence_that_is_too_long_is_told() -> None:
    long = {"logs": np.zeros((1, 200, 2)), "i": np.array([[1]])}
    with pytest.raises(NotationError) as caught:
        trace_program(SourceText.of("ctc(logs, i)"), long)
    assert told(caught.value) == (
        "'ctc' has 200 steps in time, more than 128\nctc(logs, i)\n^~~~~~~~~~~~\ncheck a shorter sequence"
    )


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("huber(x, 0, 0.5)", "huber(x, 0, delta=0.5)"),
        ("huber(x, 0, 1, 'sum')", "huber(reduction='sum', prediction=x, target=0)"),
        ("nll(x, i, None)", "nll(x, i)"),
        ("nll(x, i, [1, 1, 1])", "nll(x, i, weight=1)"),
        ("softmax_cross_entropy(x, [2, 0])", "softmax_cross_entropy(x, i)"),
        ("softmax_cross_entropy(x, eye(3)[i], weight=[1, 2, 3])",
         "mean([3, 1] * softmax_cross_entropy(x, i, reduction='none'))"),
        ("softmax_cross_entropy(x, i, label_smoothing=0)", "softmax_cross_entropy(x, i)"),
        ("sum(mse(x, 0, reduction='none')) / x.size", "mse(x, 0)"),
        ("half_squared_error(x, 0)", "0.5 * sum(x**2)"),
        ("smooth_l1(x, 0, beta=0.5)", "huber(x, 0, delta=0.5) / 0.5"),
        ("multiclass_svm(x[0], i[0])", "multiclass_svm(x[:1], i[:1])"),
        ("focal(x, x > 0, gamma=0, alpha=None)", "binary_cross_entropy_with_logits(x, x > 0)"),
    ],
)  # fmt: skip
def test_two_ways_to_write_a_loss_mean_the_same(text: str, same: str) -> None:
    one, other = (trace_program(SourceText.of(line), LEAVES).output for line in (text, same))
    np.testing.assert_allclose(one, other, rtol=1e-14)


def test_options_may_be_computed_from_sizes_and_penalties_add_up() -> None:
    plain = float(network("huber(delta=2 * reg)").output)
    assert plain == float(network("huber").output)
    W = 6.0  # the sum of |W| and of W², which is all ones
    both = float(network("huber", "l1(reg) + l2(0.25) + elastic(l2=0.1, l1=reg)").output)
    np.testing.assert_allclose(both - plain, (0.5 + 0.25 + 0.1 + 0.5) * W, rtol=1e-14)


def test_a_loss_for_every_row_has_their_shape() -> None:
    assert network("softmax_cross_entropy(reduction='none')", target=np.array([0, 1])).output.shape == (2,)
    assert network("mse(reduction='none')").output.shape == (2, 2)


def test_class_numbers_are_found_by_name_and_by_position() -> None:
    source = SourceText.of("nll(a, b) + multiclass_svm(target=c, prediction=d) + ctc(e, f, 0) + mse(g, h)")
    assert index_names(source) == {"b", "c", "f"}


def test_other_names_lead_to_ours_and_hide_none() -> None:
    for others, table in ((OTHER_LOSSES, LOSSES), (OTHER_PENALTIES, PENALTIES)):
        assert set(others.values()) <= set(table)
        assert not set(others) & {*LOSSES, *PENALTIES, *LAYERS, *all_ops()}


@pytest.mark.parametrize("composed", [*LOSSES.values(), *PENALTIES.values()], ids=lambda composed: composed.name)
def test_every_loss_and_penalty_can_be_listed(composed: Composed) -> None:
    assert composed.meaning
    assert set(composed.example) == set(composed.parameters) - {"W"}
    assert not set(composed.options) & {*composed.parameters, *composed.optional}
    assert composed.name in LOSSES or list(composed.parameters) == ["W"]
    if composed.name in LOSSES:
        assert list(composed.options)[-1] == "reduction"


def test_signatures_are_written_as_they_are_called() -> None:
    assert LOSSES["huber"].signature == "huber(prediction, target, delta=1.0, reduction='mean')"
    assert LOSSES["nll"].signature_without(("prediction", "target")) == (
        "nll(weight=None, ignore_index=None, reduction='mean')"
    )
    assert PENALTIES["l2"].signature_without(("W",)) == "l2(strength)"

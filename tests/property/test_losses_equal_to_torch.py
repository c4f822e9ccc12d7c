"""Every loss against torch's: the same value to 1e-12, and the same gradient, for every reduction and option."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from gradcheck.graph.backprop import backprop
from gradcheck.graph.expression import trace_program
from gradcheck.graph.losses import LOSSES
from gradcheck.location import SourceText

torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
F = torch.nn.functional

Arrays = dict[str, np.ndarray[Any, Any]]
SHAPES = [(4, 3), (1, 5), (2, 1), (6,), (2, 3, 4)]
ROWS = [(4, 3), (1, 5), (2, 1), (7, 6)]


def numbers(r: np.random.Generator, *shape: int) -> np.ndarray[Any, Any]:
    return r.normal(size=shape) * 2.0


def two(r: np.random.Generator, *shape: int) -> Arrays:
    return {"prediction": numbers(r, *shape), "target": numbers(r, *shape)}


def zero_one(r: np.random.Generator, *shape: int) -> Arrays:
    return {"prediction": numbers(r, *shape) * 5.0, "target": r.integers(0, 2, shape) * 1.0}


def probabilities(r: np.random.Generator, *shape: int) -> Arrays:
    return {"prediction": r.uniform(0.05, 0.95, shape), "target": r.uniform(0, 1, shape)}


def counts(r: np.random.Generator, *shape: int) -> Arrays:
    return {"prediction": r.uniform(0.1, 2.0, shape), "target": r.integers(0, 6, shape) * 1.0}


def labelled(r: np.random.Generator, *shape: int) -> Arrays:
    return {"prediction": numbers(r, *shape), "target": r.integers(0, shape[-1], shape[:-1])}


def soft(r: np.random.Generator, *shape: int) -> Arrays:
    return {"prediction": numbers(r, *shape), "target": r.dirichlet(np.ones(shape[-1]), shape[:-1])}


def logs(r: np.random.Generator, *shape: int) -> Arrays:
    given = labelled(r, *shape)
    return {**given, "prediction": np.log(r.dirichlet(np.ones(shape[-1]), shape[:-1]))}


def divergence(r: np.random.Generator, *shape: int) -> Arrays:
    target = r.dirichlet(np.ones(shape[-1]), shape[:-1])
    target.flat[0] = 0.0
    return {"prediction": np.log(r.dirichlet(np.ones(shape[-1]), shape[:-1])), "target": target}


def both_logs(r: np.random.Generator, *shape: int) -> Arrays:
    given = divergence(r, *shape)
    return {**given, "target": np.log(given["target"] + 0.01)}


def vectors(r: np.random.Generator, *shape: int) -> Arrays:
    signs = r.choice([-1, 1], shape[:-1])
    return {"first": numbers(r, *shape), "second": numbers(r, *shape), "target": signs}


def ranked(r: np.random.Generator, *shape: int) -> Arrays:
    return {"first": numbers(r, *shape), "second": numbers(r, *shape), "target": r.choice([-1, 1], shape)}


def three(r: np.random.Generator, *shape: int) -> Arrays:
    return {name: numbers(r, *shape) for name in ("anchor", "positive", "negative")}


def weighted(draw: Callable[..., Arrays], name: str = "weight") -> Callable[..., Arrays]:
    return lambda r, *shape: {**draw(r, *shape), name: r.uniform(0.2, 2.0, shape[-1:])}


def padded(r: np.random.Generator, *shape: int) -> Arrays:
    given = labelled(r, *shape)
    given["target"][1::2] = -100
    return given


def focal(prediction: Any, target: Any, reduction: str, gamma: float = 2.0, alpha: float | None = 0.25) -> Any:
    """As torchvision.ops.sigmoid_focal_loss."""
    p = torch.sigmoid(prediction)
    p_t = p * target + (1 - p) * (1 - target)
    each = F.binary_cross_entropy_with_logits(prediction, target, reduction="none") * (1 - p_t) ** gamma
    if alpha is not None:
        each = (alpha * target + (1 - alpha) * (1 - target)) * each
    return reduced(each, reduction)


def reduced(each: Any, reduction: str) -> Any:
    return {"mean": each.mean, "sum": each.sum}.get(reduction, lambda: each)()


def svm(prediction: Any, target: Any, reduction: str, margin: float = 1.0, p: int = 1) -> Any:
    """torch divides the sum over the classes by their number."""
    return F.multi_margin_loss(prediction, target, p=p, margin=margin, reduction=reduction) * prediction.shape[1]


# Our call, without arrays and reduction → what draws the arrays, their shapes, torch's function, what it is told.
SAME: list[tuple[str, Callable[..., Arrays], list[tuple[int, ...]], Callable[..., Any]]] = [
    ("mse", two, SHAPES, F.mse_loss),
    ("mae", two, SHAPES, F.l1_loss),
    ("half_squared_error", two, SHAPES, lambda *a, reduction: 0.5 * F.mse_loss(*a, reduction=reduction)),
    ("huber", two, SHAPES, F.huber_loss),
    ("huber delta=0.3", two, SHAPES, partial(F.huber_loss, delta=0.3)),
    ("smooth_l1", two, SHAPES, F.smooth_l1_loss),
    ("smooth_l1 beta=2.5", two, SHAPES, partial(F.smooth_l1_loss, beta=2.5)),
    ("poisson_nll", counts, SHAPES, F.poisson_nll_loss),
    ("poisson_nll log_input=False", counts, SHAPES, partial(F.poisson_nll_loss, log_input=False)),
    ("kl_div", divergence, ROWS, F.kl_div),
    ("kl_div log_target=True", both_logs, ROWS, partial(F.kl_div, log_target=True)),
    ("binary_cross_entropy", probabilities, SHAPES, F.binary_cross_entropy),
    ("binary_cross_entropy_with_logits", zero_one, SHAPES, F.binary_cross_entropy_with_logits),
    ("binary_cross_entropy_with_logits", weighted(zero_one, "pos_weight"), ROWS,
     lambda p, t, w, **k: F.binary_cross_entropy_with_logits(p, t, pos_weight=w, **k)),
    ("softmax_cross_entropy", labelled, ROWS, F.cross_entropy),
    ("softmax_cross_entropy", soft, ROWS, F.cross_entropy),
    ("softmax_cross_entropy label_smoothing=0.1", labelled, ROWS, partial(F.cross_entropy, label_smoothing=0.1)),
    ("softmax_cross_entropy label_smoothing=0.1", soft, ROWS, partial(F.cross_entropy, label_smoothing=0.1)),
    ("softmax_cross_entropy", weighted(labelled), ROWS, F.cross_entropy),
    ("softmax_cross_entropy", weighted(soft), ROWS, F.cross_entropy),
    ("softmax_cross_entropy label_smoothing=0.2", weighted(labelled), ROWS,
     partial(F.cross_entropy, label_smoothing=0.2)),
    ("softmax_cross_entropy label_smoothing=0.2", weighted(soft), ROWS,
     partial(F.cross_entropy, label_smoothing=0.2)),
    ("softmax_cross_entropy ignore_index=0", labelled, [(5, 4)], partial(F.cross_entropy, ignore_index=0)),
    ("softmax_cross_entropy ignore_index=-100", padded, [(5, 4)], F.cross_entropy),
    ("softmax_cross_entropy ignore_index=-100, label_smoothing=0.3", weighted(padded), [(5, 4)],
     partial(F.cross_entropy, label_smoothing=0.3)),
    ("nll", logs, ROWS, F.nll_loss),
    ("nll", weighted(logs), ROWS, F.nll_loss),
    ("nll ignore_index=1", weighted(logs), [(6, 4)], partial(F.nll_loss, ignore_index=1)),
    ("focal", zero_one, SHAPES, focal),
    ("focal gamma=0.5, alpha=None", zero_one, SHAPES, partial(focal, gamma=0.5, alpha=None)),
    ("focal gamma=0, alpha=0.7", zero_one, SHAPES, partial(focal, gamma=0.0, alpha=0.7)),
    ("multiclass_svm", labelled, ROWS, svm),
    ("multiclass_svm margin=0.5, p=2", labelled, ROWS, partial(svm, margin=0.5, p=2)),
    ("cosine_embedding", vectors, ROWS, F.cosine_embedding_loss),
    ("cosine_embedding margin=0.3", vectors, ROWS, partial(F.cosine_embedding_loss, margin=0.3)),
    ("triplet", three, ROWS, F.triplet_margin_loss),
    ("triplet margin=2.5", three, ROWS, partial(F.triplet_margin_loss, margin=2.5)),
    ("margin_ranking", ranked, SHAPES, F.margin_ranking_loss),
    ("margin_ranking margin=0.5", ranked, SHAPES, partial(F.margin_ranking_loss, margin=0.5)),
]  # fmt: skip
COMPARED_ELSEWHERE = {"hinge": "torch has none for targets of -1 and 1", "ctc": "below, as it takes lengths"}


def test_every_loss_is_compared_or_has_a_reason() -> None:
    assert {call.split()[0] for call, *_ in SAME} | set(COMPARED_ELSEWHERE) == set(LOSSES)


def ours(call: str, reduction: str, arrays: Arrays) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
    """Value and gradients, the upstream gradient being random signed weights."""
    name, _, options = call.partition(" ")
    given = [*(array if array in LOSSES[name].parameters else f"{array}={array}" for array in arrays)]
    text = f"{name}({', '.join([*given, *filter(None, [options])])}, reduction='{reduction}')"
    result = trace_program(SourceText.of(text), arrays)
    floats = [name for name, array in arrays.items() if array.dtype.kind == "f" and name in result.graph.leaves]
    return result.output, backprop(result.graph, result.values, upstream(result.output.shape), floats)


def upstream(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return np.random.default_rng(5).uniform(0.5, 1.5, shape)


def assert_same(call: str, reduction: str, arrays: Arrays, theirs: Callable[..., Any], compared: set[str]) -> None:
    value, gradients = ours(call, reduction, arrays)
    tensors = {name: torch.tensor(array, requires_grad=name in compared) for name, array in arrays.items()}
    expected = theirs(*tensors.values(), reduction=reduction)
    assert value.shape == tuple(expected.shape)
    np.testing.assert_allclose(value, expected.detach().numpy(), rtol=1e-12, atol=1e-13)
    expected.backward(torch.tensor(upstream(value.shape)))
    for name in compared:
        np.testing.assert_allclose(gradients[name], tensors[name].grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")  # of torch, about kl_div
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("call", "draw", "shapes", "theirs"), SAME, ids=[f"{c}-{d.__name__}" for c, d, _, _ in SAME])
def test_a_loss_is_torchs(
    call: str, draw: Callable[..., Arrays], shapes: list[tuple[int, ...]], theirs: Callable[..., Any], reduction: str
) -> None:
    for seed, shape in enumerate([*shapes, *shapes]):
        arrays = draw(np.random.default_rng(seed), *shape)
        first = LOSSES[call.split()[0]].parameters
        learnt = {name for name in first if name != "target"}
        assert_same(call, reduction, arrays, theirs, learnt)


def test_the_mean_over_rows_of_a_divergence_is_torchs_batchmean() -> None:
    assert_same("kl_div", "batchmean", divergence(np.random.default_rng(0), 4, 3), F.kl_div, {"prediction"})


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("lengths", [(3, 1, 2), (4, 4, 4), (1, 1, 0)])
def test_ctc_is_torchs(lengths: tuple[int, ...], blank: int, reduction: str) -> None:
    """Repeated labels, rows of different lengths, an empty one; the blank first or in the middle."""
    r = np.random.default_rng(0)
    classes = [c for c in range(5) if c != blank]
    target = np.full((3, 4), blank)
    for row, length in enumerate(lengths):
        target[row, :length] = r.choice(classes[:2], length)
    arrays = {"prediction": np.log(r.dirichlet(np.ones(5), (3, 9))), "target": target}

    def theirs(prediction: Any, target: Any, reduction: str) -> Any:
        times = prediction.transpose(0, 1)
        return F.ctc_loss(times, target, (9, 9, 9), lengths, blank=blank, reduction=reduction)

    value, _ = ours(f"ctc blank={blank}", reduction, arrays)
    expected = theirs(torch.tensor(arrays["prediction"]), torch.tensor(target), reduction)
    np.testing.assert_allclose(value, expected.numpy(), rtol=1e-12)
    # What torch calls the gradient of the log-probabilities is that of the logits behind them: compared there.
    logits = torch.tensor(arrays["prediction"], requires_grad=True)
    theirs(torch.log_softmax(logits, -1), torch.tensor(target), reduction).backward(torch.tensor(upstream(value.shape)))
    call = f"ctc(log_softmax(prediction), target, blank={blank}, reduction='{reduction}')"
    result = trace_program(SourceText.of(call), arrays)
    mine = backprop(result.graph, result.values, upstream(value.shape), ["prediction"])
    np.testing.assert_allclose(mine["prediction"], logits.grad.numpy(), rtol=1e-9, atol=1e-12)

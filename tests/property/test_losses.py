"""Every loss through the front door: its gradient by formulas, by differences, and with a mistake in its ops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.building.build import build
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.graph.branches import GraphSwitches
from gradcheck.graph.expression import trace_program
from gradcheck.graph.graph import Node
from gradcheck.graph.losses import LOSSES
from gradcheck.graph.losses.each import PAIR
from gradcheck.graph.penalties import PENALTIES
from gradcheck.location import SourceText
from gradcheck.model.case import Case
from gradcheck.model.report import CaseResult
from gradcheck.ops.registry import Op

TWO = {"prediction": "normal(4, 3)", "target": "normal(4, 3)"}
BINARY = {"prediction": "normal(4, 3)", "target": "one_hot([0, 1, 2, 1], 3)"}
LABELS = {"prediction": "normal(4, 3)", "target": "[2, 0, 1, 1]"}
SOFT = {"prediction": "normal(4, 3)", "target": "[[0.1, 0.6, 0.3], [1, 0, 0], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25]]"}
SIGNED = {"prediction": "normal(4, 3)", "target": "2*one_hot([0, 1, 2, 1], 3) - 1"}
VECTORS = {"first": "normal(4, 3)", "second": "normal(4, 3)", "target": "[1, -1, 1, -1]"}
THREE = {"anchor": "normal(4, 3)", "positive": "normal(4, 3)", "negative": "normal(4, 3)"}
RANKED = {"first": "normal(4)", "second": "normal(4)", "target": "[1, -1, 1, -1]"}

HIT = "eye(3)[target]"
SVM = f"(prediction - prediction[arange(4), target][:, None] + 1 > 0) - {HIT}"
SIGN = "(2 * target - 1)"
SURE = f"sigmoid({SIGN} * prediction)"
COSINE = "sum(first * second, axis=1, keepdims=True) / (a * b)"

# Lines before some of the losses, for their formulas.
LENGTHS = {
    "cosine_embedding": ["a = sqrt(sum(first**2, axis=1, keepdims=True))",
                         "b = sqrt(sum(second**2, axis=1, keepdims=True))"],
    "triplet": ["p = anchor - positive + 1e-6", "n = anchor - negative + 1e-6",
                "near = sqrt(sum(p**2, axis=1, keepdims=True))", "far = sqrt(sum(n**2, axis=1, keepdims=True))"],
}  # fmt: skip

# Call, its arrays, and gradients derived by hand.
GRADIENTS: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("mse(prediction, target)", TWO, {"prediction": "2 * (prediction - target) / 12"}),
    ("mae(prediction, target)", TWO, {"prediction": "where(prediction > target, 1, -1) / 12"}),
    ("half_squared_error(prediction, target)", TWO, {"prediction": "prediction - target"}),
    ("half_squared_error(prediction, target, reduction='mean')", TWO, {"prediction": "(prediction - target) / 12"}),
    ("huber(prediction, target, delta=0.5)", TWO,
     {"prediction": "maximum(minimum(prediction - target, 0.5), -0.5) / 12"}),
    ("smooth_l1(prediction, target, beta=0.5)", TWO,
     {"prediction": "maximum(minimum(2 * (prediction - target), 1), -1) / 12"}),
    ("poisson_nll(prediction, target)", {**TWO, "target": "integers(0, 5, size=(4, 3))"},
     {"prediction": "(exp(prediction) - target) / 12"}),
    ("poisson_nll(prediction, target, log_input=False, reduction='sum')",
     {"prediction": "uniform(0.5, 2, size=4)", "target": "[0, 3, 1, 2]"},
     {"prediction": "1 - target / (prediction + 1e-8)"}),
    ("kl_div(prediction, target)", SOFT, {"prediction": "-target / 4"}),
    ("kl_div(prediction, target, log_target=True, reduction='mean')", TWO, {"prediction": "-exp(target) / 12"}),
    ("binary_cross_entropy(prediction, target)", {**BINARY, "prediction": "uniform(0.1, 0.9, size=(4, 3))"},
     {"prediction": "(prediction - target) / (prediction * (1 - prediction)) / 12"}),
    ("binary_cross_entropy_with_logits(prediction, target)", BINARY,
     {"prediction": "(sigmoid(prediction) - target) / 12"}),
    ("binary_cross_entropy_with_logits(prediction, target, pos_weight=[1, 2, 0.5], reduction='sum')", BINARY,
     {"prediction": "(1 - target) * sigmoid(prediction) - [1, 2, 0.5] * target * sigmoid(-prediction)"}),
    ("softmax_cross_entropy(prediction, target)", LABELS, {"prediction": f"(softmax(prediction) - {HIT}) / 4"}),
    ("softmax_cross_entropy(prediction, target, reduction='sum')", SOFT,
     {"prediction": "softmax(prediction) - target"}),
    ("softmax_cross_entropy(prediction, target, label_smoothing=0.1)", LABELS,
     {"prediction": f"(softmax(prediction) - 0.9 * {HIT} - 0.1 / 3) / 4"}),
    ("softmax_cross_entropy(prediction, target, label_smoothing=0.1)", SOFT,
     {"prediction": "(softmax(prediction) - 0.9 * target - 0.1 / 3) / 4"}),
    ("softmax_cross_entropy(prediction, target, weight=[1, 2, 0.5])", LABELS,
     {"prediction": f"([0.5, 1, 2, 2] * (softmax(prediction) - {HIT}).T).T / 5.5"}),
    ("softmax_cross_entropy(prediction, target, ignore_index=1)", LABELS,
     {"prediction": f"([1, 1, 0, 0] * (softmax(prediction) - {HIT}).T).T / 2"}),
    ("nll(prediction, target)", LABELS, {"prediction": f"-{HIT} / 4"}),
    ("nll(prediction, target, weight=[1, 2, 0.5], ignore_index=0)", LABELS,
     {"prediction": f"-{HIT} * [0, 2, 0.5] / 4.5"}),
    ("focal(prediction, target, alpha=None)", BINARY,
     {"prediction": f"{SIGN} * (2 * (1 - {SURE})**2 * {SURE} * log({SURE}) - (1 - {SURE})**3) / 12"}),
    ("hinge(prediction, target)", SIGNED, {"prediction": "-target * (target * prediction < 1) / 12"}),
    ("hinge(prediction, target, margin=0.5, p=2)", SIGNED,
     {"prediction": "-2 * target * relu(0.5 - target * prediction) / 12"}),
    ("multiclass_svm(prediction, target)", LABELS,
     {"prediction": f"({SVM} - {HIT} * sum({SVM}, axis=1, keepdims=True)) / 4"}),
    ("cosine_embedding(first, second, target, reduction='sum')", VECTORS, {
        "first": f"where(target[:, None] == 1, -1, {COSINE} > 0) * (second / b - {COSINE} * first / a) / a"}),
    ("triplet(anchor, positive, negative, margin=2)", THREE, {
        "anchor": "(near - far + 2 > 0) * (p / near - n / far) / 4",
        "positive": "-(near - far + 2 > 0) * p / near / 4",
        "negative": "(near - far + 2 > 0) * n / far / 4"}),
    ("margin_ranking(first, second, target, margin=0.5)", RANKED, {
        "first": "-target * (target * (first - second) < 0.5) / 4",
        "second": "target * (target * (first - second) < 0.5) / 4"}),
]  # fmt: skip
# The rows of a sequence have no formula that is shorter than the loss itself.
SEQUENCE = ("ctc(log_softmax(prediction), target)", {"prediction": "normal(2, 5, 4)", "target": "[[1, 1], [3, 0]]"})
CALLS = [(call, arrays) for call, arrays, _ in GRADIENTS] + [SEQUENCE]


def case_text(call: str, arrays: dict[str, str], gradient: dict[str, str] | None = None) -> str:
    """A case whose targets are constants."""
    before = LENGTHS.get(call.partition("(")[0], []) if gradient else []
    lines = ["name: a loss", "function: |", *(f"  {line}" for line in [*before, call]), "inputs:"]
    lines += [f"  {name}: {text}" for name, text in arrays.items() if name != "target"]
    if "target" in arrays:
        lines += ["constants:", f"  target: {arrays['target']}"]
    if gradient:
        lines += ["gradient:", *(f"  {name}: ({text}) * upstream" for name, text in gradient.items())]
    return "\n".join(lines) + "\n"


def read(folder: Path, text: str) -> Case:
    file = folder / "case.yaml"
    file.write_text(text, encoding="utf-8")
    loaded = load([file])
    assert loaded.problems == ()
    (case,) = loaded.cases
    return case


def check(folder: Path, text: str) -> CaseResult:
    read(folder, text)
    report = run_cases(load([folder / "case.yaml"]), Settings())
    assert report.problems == ()
    (result,) = report.cases
    return result


def test_every_loss_has_a_gradient_here() -> None:
    assert {call.partition("(")[0] for call, _ in CALLS} == set(LOSSES)


@pytest.mark.parametrize(("call", "arrays", "gradient"), GRADIENTS, ids=[call for call, *_ in GRADIENTS])
def test_backpropagation_and_the_formula_derived_by_hand_both_pass(
    call: str, arrays: dict[str, str], gradient: dict[str, str], tmp_path: Path
) -> None:
    result = check(tmp_path, case_text(call, arrays, gradient))
    assert [(f.claim, f.tensor, f.verdict) for f in result.findings if f.verdict != "pass"] == []
    assert {f.claim for f in result.findings} == {"backprop", "formula"}


@pytest.mark.parametrize("factor", ["2 *", "-1 *", "0 +", "upstream *"])
def test_a_formula_with_a_mistake_fails(factor: str, tmp_path: Path) -> None:
    """The last two are right: the formulas above are not accepted whatever they say, nor refused."""
    gradient = {"prediction": f"{factor} (softmax(prediction) - eye(3)[target]) / 4"}
    result = check(tmp_path, case_text("softmax_cross_entropy(prediction, target)", LABELS, gradient))
    (formula,) = [f for f in result.findings if f.claim == "formula"]
    assert formula.verdict == ("fail" if factor in ("2 *", "-1 *") else "pass")


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("call", "arrays"), CALLS, ids=[call for call, _ in CALLS])
def test_every_reduction_passes_under_a_random_upstream_gradient(
    call: str, arrays: dict[str, str], reduction: str, tmp_path: Path
) -> None:
    without = call[:-1] if "reduction" not in call else call[: call.index(", reduction")]
    result = check(tmp_path, case_text(f"{without}, reduction='{reduction}')", arrays) + "upstream: random\n")
    assert [(f.tensor, f.verdict) for f in result.findings if f.verdict != "pass"] == []


@contextmanager
def doubled(op: Op) -> Iterator[None]:
    """An op whose gradients are twice what they should be."""
    right = op.vjps

    def wrong(rule: Any) -> Any:
        return rule and (lambda *args, **options: 2.0 * rule(*args, **options))

    object.__setattr__(op, "vjps", tuple(map(wrong, right)))
    try:
        yield
    finally:
        object.__setattr__(op, "vjps", right)


def ops_of(case: Case) -> list[Op]:
    """The ops of the function of a case, each once."""
    switches = build(case).problem.switches
    assert isinstance(switches, GraphSwitches)
    live = switches.graph.ancestors([switches.graph.output])
    nodes = [switches.graph.vertices[index] for index in sorted(live)]
    return list(dict.fromkeys(node.op for node in nodes if isinstance(node, Node)))


def claims_of(case: Case) -> list[Any]:
    return [gradient for claim in build(case).problem.claims for gradient in claim.gradients.values()]


@pytest.mark.parametrize(("call", "arrays"), CALLS, ids=[call for call, _ in CALLS])
def test_a_loss_with_a_mistake_in_one_of_its_ops_fails(call: str, arrays: dict[str, str], tmp_path: Path) -> None:
    """Whichever op it is, unless the mistake changes nothing, as in those that look at the target only."""
    text = case_text(call, arrays)
    case, failed = read(tmp_path, text), []
    right = claims_of(case)
    for op in ops_of(case):
        with doubled(op):
            if all(np.array_equal(a, b) for a, b in zip(claims_of(case), right, strict=True)):
                continue
            assert check(tmp_path, text).verdict == "fail", op
        failed.append(op.name)
    assert failed, "no op of the loss is differentiated"


NETWORKS = [
    f"{name}({options})"
    for name, options in [
        ("mse", "reduction='sum'"), ("mae", ""), ("half_squared_error", ""), ("huber", "delta=0.5"), ("huber", "0.5"),
        ("smooth_l1", "beta=S"), ("poisson_nll", ""), ("binary_cross_entropy_with_logits", "pos_weight=[1, 2, S]"),
        ("softmax_cross_entropy", "label_smoothing=0.1"), ("softmax_cross_entropy", "weight=[1, 2, S]"), ("focal", ""),
        ("hinge", "margin=2"), ("multiclass_svm", "p=2"), ("nll", ""), ("kl_div", ""), ("binary_cross_entropy", ""),
    ]
]  # fmt: skip


def network_text(loss: str, penalty: str) -> str:
    name = loss.partition("(")[0]
    last = {"nll": "  - log_softmax\n", "kl_div": "  - log_softmax\n", "binary_cross_entropy": "  - sigmoid\n"}
    target = {"hinge": SIGNED["target"], "multiclass_svm": LABELS["target"], "nll": LABELS["target"],
              "kl_div": f'"{SOFT["target"]}"'}.get(name, BINARY["target"])  # fmt: skip
    return (
        f"name: a network\nnetwork:\n  - linear(2, 3)\n{last.get(name, '')}loss: {loss}\npenalty: {penalty}\n"
        f"inputs:\n  x: normal(4, 2)\n  target: {target}\nsizes:\n  S: 3\n"
    )


def test_every_loss_of_an_output_and_a_target_stands_on_a_network() -> None:
    pairs = {name for name, loss in LOSSES.items() if loss.parameters == PAIR}
    assert {text.partition("(")[0] for text in NETWORKS} == pairs - {"ctc"}


@pytest.mark.parametrize(
    ("loss", "penalty"), [*product(NETWORKS, ["l1(0.01) + l2(0.1)"]), ("mse", "elastic(0.1, l2=0.2)")]
)
def test_a_network_with_a_loss_and_penalties_passes(loss: str, penalty: str, tmp_path: Path) -> None:
    result = check(tmp_path, network_text(loss, penalty))
    assert [(f.tensor, f.verdict) for f in result.findings] == [("W1", "pass"), ("b1", "pass"), ("x", "pass")]


def test_a_network_for_sequences_passes_with_ctc(tmp_path: Path) -> None:
    text = (
        "name: a sequence\nnetwork:\n  - linear(2, 3)\n  - log_softmax\nloss: ctc(reduction='sum')\n"
        "inputs:\n  x: normal(2, 4, 2)\n  target: [[1, 1], [2, 0]]\n"
    )
    assert check(tmp_path, text).verdict == "pass"


@pytest.mark.parametrize("penalty", ["l1(0.1)", "l2(0.1)", "elastic(0.1, 0.2)"])
def test_a_network_with_a_mistake_in_the_gradient_of_its_penalty_fails(penalty: str, tmp_path: Path) -> None:
    """The weights, and nothing else: biases are not penalised."""
    assert penalty.partition("(")[0] in PENALTIES
    text = network_text("softmax_cross_entropy", penalty)
    ops = {op.name: op for op in ops_of(read(tmp_path, text))}
    for name in {"abs", "square"} & set(ops):
        with doubled(ops[name]):
            verdicts = {f.tensor: f.verdict for f in check(tmp_path, text).findings}
        assert verdicts == {"W1": "fail", "b1": "pass", "x": "pass"}


def value(text: str, **arrays: Any) -> Any:
    return trace_program(SourceText.of(text), arrays).output


def test_logits_keep_their_digits_where_probabilities_have_none_left() -> None:
    """A loss of 1e-22 is no 0, on either side, and a large one no infinity."""
    call = "binary_cross_entropy_with_logits(prediction, target, reduction='none')"
    logits, targets = np.array([50.0, -50.0, 800.0, -800.0]), np.array([1.0, 0.0, 0.0, 1.0])
    np.testing.assert_allclose(
        value(call, prediction=logits, target=targets), [np.exp(-50), np.exp(-50), 800, 800], rtol=1e-14
    )
    focal = value("focal(prediction, target, alpha=None, reduction='none')", prediction=logits[:2], target=targets[:2])
    np.testing.assert_allclose(focal, [np.exp(-150), np.exp(-150)], rtol=1e-13)


def test_ctc_adds_the_probabilities_of_all_alignments() -> None:
    """By enumeration: every path of classes in time that becomes the labels, once repetitions and blanks are gone."""
    r = np.random.default_rng(3)
    p = r.dirichlet(np.ones(3), 5)
    for labels in ([1], [1, 2], [1, 1], [2, 1, 2], [2, 2, 1]):
        total = 0.0
        for path in product(range(3), repeat=5):
            merged = [c for i, c in enumerate(path) if c and (i == 0 or c != path[i - 1])]
            total += np.prod(p[np.arange(5), path]) if merged == labels else 0.0
        target = np.array([[*labels, 0, 0]])
        loss = value("ctc(prediction, target, reduction='sum')", prediction=np.log(p)[None], target=target)
        np.testing.assert_allclose(loss, -np.log(total), rtol=1e-12)


def test_a_hinge_is_what_numpy_says() -> None:
    """torch has none for targets of −1 and 1."""
    r = np.random.default_rng(0)
    prediction, target = r.normal(size=(4, 3)), r.choice([-1, 1], (4, 3))
    missing = np.maximum(0, 1 - target * prediction)
    np.testing.assert_allclose(value("hinge(p, t)", p=prediction, t=target), missing.mean(), rtol=1e-14)
    np.testing.assert_allclose(value("hinge(p, t, p=2)", p=prediction, t=target), (missing**2).mean(), rtol=1e-14)


@pytest.mark.parametrize("error", [0.5, -0.5, 0.0])
@pytest.mark.parametrize("call", ["huber(x, 0, delta=0.5)", "smooth_l1(x, 0, beta=0.5)"])
def test_where_a_parabola_meets_its_tangent_there_is_no_kink(call: str, error: float, tmp_path: Path) -> None:
    gradient = f"maximum(minimum(x, 0.5), -0.5){' / 0.5' if 'beta' in call else ''}"
    text = f"name: joint\nfunction: {call}\ninputs:\n  x: {error}\ngradient:\n  x: {gradient}\n"
    assert check(tmp_path, text).verdict == "pass"


def test_classes_that_are_not_asked_for_may_be_impossible() -> None:
    logs, target = np.array([[0.0, -np.inf], [-np.inf, -1.0]]), np.array([0, 1])
    for options in ("", ", weight=[1, 1]", ", ignore_index=-1"):
        assert value(f"nll(logs, target{options})", logs=logs, target=target) == 0.5


def test_an_empty_batch_has_a_sum_and_no_mean() -> None:
    empty = {"prediction": np.zeros((0, 3)), "target": np.zeros(0, int)}
    assert value("softmax_cross_entropy(prediction, target, reduction='sum')", **empty) == 0.0
    assert value("nll(prediction, target, reduction='none')", **empty).shape == (0,)

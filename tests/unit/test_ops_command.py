"""`gradcheck ops` lists every word of the notation, from the tables that define them, with examples that run."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.cli import main
from gradcheck.cli.ops import WIDTH, Entry, entries
from gradcheck.graph.functions import COMPOSED
from gradcheck.graph.layers import LAYERS
from gradcheck.graph.losses import LOSSES
from gradcheck.graph.penalties import PENALTIES
from gradcheck.ops.registry import all_ops

ENTRIES = entries()


def shown(*words: str) -> list[str]:
    done = CliRunner().invoke(main, ["ops", *words])
    assert done.exit_code == 0
    return done.output.splitlines()


def test_every_operation_layer_loss_and_penalty_is_an_entry() -> None:
    names = [entry.name for entry in ENTRIES]
    assert sorted(names) == sorted([*all_ops(), *COMPOSED, *LAYERS, *PENALTIES])
    assert set(LOSSES) <= set(COMPOSED)


def test_the_page_names_every_word_once_and_is_80_columns_wide() -> None:
    lines = shown()
    assert max(map(len, lines)) <= WIDTH
    text = "\n".join(lines)
    for entry in ENTRIES:
        assert entry.name in text.replace(",", " ").replace("(", " ").split() or entry.name == "index", entry.name
    for kink in {op.kink.at for op in all_ops().values() if op.kink}:
        assert kink in " ".join(text.split()), kink
    assert sum("max(x, 0)" in line for line in lines) == 1  # relu: as a layer it is only named


def test_a_name_shows_everything_about_it_and_an_example() -> None:
    assert shown("huber") == [
        "huber(prediction, target, delta=1.0, reduction='mean')    (losses)",
        "  d²/2 where |d| ≤ delta, delta·(|d| − delta/2) beyond; d = prediction − target",
        "  in a network: loss: huber(delta=1.0, reduction='mean')",
        "",
        "  name: huber",
        "  function: huber(prediction, target)",
        "  inputs:",
        "    prediction: normal(4, 3)",
        "  constants:",
        "    target: normal(4, 3)",
        "  expected:",
        "    value: 0.549209",
    ]


def test_a_name_of_an_operation_and_a_layer_shows_both_and_what_happens_at_a_kink() -> None:
    assert shown("relu") == [
        "relu(x)    (operations, element by element)",
        "  max(x, 0)",
        "  at a kink: slopes 0 and 1 meet at x = 0; the gradient there counts as 0",
        "",
        "  name: relu",
        "  function: relu(x)",
        "  inputs:",
        "    x: [0.7, -1.3, 0.4]",
        "  expected:",
        "    value: [0.7, 0, 0.4]",
        "",
        "relu    (layers)",
        "  max(x, 0)",
        "",
        "  name: relu",
        "  network:",
        "    - relu",
        "  inputs:",
        f"    x: {LAYERS['relu'].example[1]}",
        "  expected:",
        "    value:",
        "      - [0, 0, 0.778554]",
        "      - [0, 0, 0]",
    ]


def test_a_part_of_a_name_lists_all_that_hold_it() -> None:
    assert shown("cross_entropy") == [
        "losses",
        "  binary_cross_entropy          mean of −t·log p − (1 − t)·log(1 − p), all",
        "                                elements; p are probabilities, not clipped",
        "  binary_cross_entropy_with_logits",
        "                                the same of p = sigmoid(prediction), stable;",
        "                                pos_weight counts the ones that often",
        "  softmax_cross_entropy         mean over the rows of log Σ e^logits − the",
        "                                target's logit; targets are class numbers or",
        "                                one-hot rows",
    ]


def test_words_that_share_what_happens_at_a_kink_share_the_line() -> None:
    assert shown("less")[:4] == [
        "a < b, less    (operations, element by element)",
        "  1 where a < b, 0 elsewhere",
        "  at a kink: the value jumps where a and b meet; the gradient counts as 0",
        "",
    ]
    assert shown("imum") == [
        "operations, element by element",
        "∧ maximum(a, b)                 the larger of a and b",
        "∧ minimum(a, b)                 the smaller of a and b",
        "                                ∧ at a = b each argument has the slopes 0 and 1;",
        "                                  the gradient there is shared, one half each",
    ]


def test_an_unknown_name_is_an_error_with_a_suggestion() -> None:
    done = CliRunner().invoke(main, ["ops", "sigmod"])
    assert done.exit_code == 2
    assert "nothing is called 'sigmod'; did you mean 'sigmoid'?" in done.output


@pytest.mark.parametrize("entry", ENTRIES, ids=[f"{entry.name}-{entry.section.split()[0]}" for entry in ENTRIES])
def test_an_example_runs_and_comes_to_what_it_says(entry: Entry, tmp_path: Path) -> None:
    """Its gradients are checked as those of any case; where all are zero it says so, and that is no failure."""
    file = tmp_path / "example.yaml"
    file.write_text(entry.example(), encoding="utf-8")
    report = run_cases(load([file]), Settings())
    assert report.problems == ()
    (result,) = report.cases
    assert result.error is None
    assert result.as_expected, result.findings
    assert result.verdict in ("pass", "vacuous")
    assert (result.verdict == "vacuous") == ("expect: vacuous" in entry.example())
    op = all_ops().get(entry.name)
    is_flat = op is not None and all(rule is None for rule in op.vjps)
    assert (result.verdict == "vacuous") == is_flat
    assert not [note for note in result.notes if "digit" in note]

"""`gradcheck ops` lists every word of the notation, from the tables that define them."""

from __future__ import annotations

from click.testing import CliRunner

from gradcheck.cli import main
from gradcheck.graph.composed import LOSSES, PENALTIES
from gradcheck.graph.layers import LAYERS
from gradcheck.ops.registry import all_ops


def test_every_operation_layer_loss_and_penalty_is_listed():
    lines = CliRunner().invoke(main, ["ops"]).output.splitlines()
    for name in (*all_ops(), *LAYERS, *LOSSES, *PENALTIES):
        assert any(name in line.split("  ")[1] for line in lines if line.startswith("  ")), name


def test_names_choose_and_what_happens_at_a_kink_is_said():
    lines = CliRunner().invoke(main, ["ops", "relu"]).output.splitlines()
    assert lines == [
        "operations",
        "  relu(x)  max(x, 0)",
        "           slopes 0 and 1 meet at x = 0; the gradient there counts as 0",
        "",
        "layers",
        "  relu     max(x, 0)",
    ]


def test_an_unknown_name_is_an_error_with_a_suggestion():
    done = CliRunner().invoke(main, ["ops", "sigmod"])
    assert done.exit_code == 2
    assert "nothing is called 'sigmod'; did you mean 'sigmoid'?" in done.output

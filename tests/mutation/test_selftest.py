"""`gradcheck selftest` finds everything that it plants; where the checker is blind, it says so."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from gradcheck.cli import main
from gradcheck.graph.layers import LAYERS
from gradcheck.graph.losses import LOSSES
from gradcheck.mutation import conventions, selftest
from gradcheck.mutation.conventions import CONVENTIONS, Convention, convention_row
from gradcheck.mutation.op_faults import FAULTS, Applied
from gradcheck.mutation.outcomes import Row, SelfTest
from gradcheck.ops.registry import all_ops
from gradcheck.reporters.selftest import render_selftest, render_selftest_json
from gradcheck.verdict import compare
from tests.golden.helper import check_golden


@pytest.fixture(scope="module")
def whole() -> SelfTest:
    return selftest.selftest()


def test_everything_planted_is_found_and_everything_right_passes(whole: SelfTest) -> None:
    assert [row for row in whole.rows if row.missed or not row.is_right] == []
    assert whole.is_sound
    assert whole.exit_code == 0


def test_every_op_layer_loss_and_convention_has_a_row(whole: SelfTest) -> None:
    names: dict[str, set[str]] = {}
    for row in whole.rows:
        names.setdefault(row.kind, set()).add(row.name)
    assert names["operations"] == set(all_ops())
    assert names["layers"] == set(LAYERS)
    assert names["losses"] == set(LOSSES)
    assert names["handwritten"] == {convention.name for convention in CONVENTIONS}
    differentiable = {op.name for op in all_ops().values() if any(op.vjps)}
    assert differentiable - {row.name for row in whole.rows if row.planted} <= {"sign", "floor", "ceil", "round"}


def test_every_fault_shows_in_most_ops() -> None:
    seen: dict[str, int] = dict.fromkeys(FAULTS, 0)
    for op in all_ops().values():
        shown = set()
        for applied in (Applied(op, sample) for sample in op.samples):
            if applied.wrt and applied.is_telling:
                shown |= {fault for _, fault, _ in applied.damaged()}
        for fault in shown:
            seen[fault] += 1
    assert min(count for fault, count in seen.items() if fault != "without the sum") > 70
    assert seen["without the sum"] >= 12  # those that broadcast


def test_a_damaged_rule_leaves_the_op_as_it_was() -> None:
    op = all_ops()["add"]
    applied = Applied(op, op.samples[-1])
    before = applied.problem.claims[0].gradients
    assert list(applied.damaged())
    after = Applied(op, op.samples[-1]).problem.claims[0].gradients
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_checker_that_passes_everything_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit grows beyond every mistake: the self-test has to end with 1."""
    blind = compare.Limits(rtol=1e3, rho=1.0, rho_tensor=1.0)
    monkeypatch.setattr("gradcheck.verdict.precision.DOUBLE", blind)
    monkeypatch.setattr(selftest, "all_ops", lambda: {name: all_ops()[name] for name in ("tanh", "multiply")})
    for tables in ("LAYERS", "COMPOSED", "PENALTIES"):
        monkeypatch.setattr(selftest, tables, {})
    monkeypatch.setattr(selftest, "CONVENTIONS", CONVENTIONS[:1])
    test = selftest.selftest()
    assert not test.is_sound
    assert test.exit_code == 1
    assert test.missed > 8


def test_right_code_that_is_refused_and_a_twin_that_passes_are_told() -> None:
    same = Convention("pair", CONVENTIONS[0].case, conventions.AFFINE, ((".sum(axis=0)", ".sum(0)"),))
    row = convention_row(same)
    assert (row.is_right, row.missed) == (True, (".sum(axis=0) → .sum(0): pass",))
    wrong = Convention("pair", CONVENTIONS[0].case, conventions.AFFINE.replace("dout @ w.T", "dout @ w"), ())
    assert not convention_row(wrong).is_right


def test_every_wrong_twin_differs_from_the_right_one() -> None:
    for convention in CONVENTIONS:
        assert len(convention.wrong) >= 3, convention.name
        for old, _ in convention.wrong:
            assert old in convention.code + convention.case, (convention.name, old)


def test_the_table_and_the_json(whole: SelfTest) -> None:
    check_golden("mutation/selftest.txt", render_selftest(whole))
    report = json.loads(render_selftest_json(whole))
    assert report["planted"] == whole.planted > 3000
    assert (report["exit"], report["missed"]) == (0, 0)
    assert len(report["subjects"]) == len(whole.rows)


def test_what_is_missed_or_refused_is_named() -> None:
    rows = (Row("layers", "relu", True, 3, ("x: twice",)), Row("operations", "tanh", False, 2))
    check_golden("mutation/selftest_unsound.txt", render_selftest(SelfTest(rows)))


def test_the_command_ends_with_the_outcome(whole: SelfTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "selftest", lambda told: whole)
    assert CliRunner().invoke(main, ["selftest"]).exit_code == 0
    monkeypatch.setattr(selftest, "selftest", lambda told: SelfTest((Row("layers", "relu", True, 3, ("x: twice",)),)))
    done = CliRunner().invoke(main, ["selftest", "--format", "json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["missed"] == 1

"""How mistakes are drawn, counted and judged: bounded, even, the same on every run, and none by chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck.casefile.loader import load
from gradcheck.model.case import Case
from gradcheck.mutation import score
from gradcheck.mutation.bench import Bench
from gradcheck.mutation.conventions import CONVENTIONS
from gradcheck.mutation.outcomes import Mutant
from gradcheck.mutation.score import mutate
from gradcheck.mutation.subject import Subject
from tests.mutation.weak import NORM, ONE_SAMPLE, RIDGE, mutated, write

CLOSURES = """\
import numpy as np


class Tensor:
    def __init__(self, data, parents=()):
        self.data = np.asarray(data, dtype=float)
        self.grad = np.zeros_like(self.data)
        self.shape, self.parents, self.run = self.data.shape, parents, lambda: None

    def __add__(self, other):
        out = Tensor(self.data + other.data, (self, other))

        def backward():
            \"\"\"Both get all of it.\"\"\"


            self.grad = self.grad + out.grad
            other.grad = other.grad + out.grad

        out.run = backward
        return out

    def __mul__(self, other):
        out = Tensor(self.data * other.data, (self, other))

        def backward():
            self.grad = self.grad + other.data * out.grad
            other.grad = other.grad + self.data * out.grad

        out.run = backward
        return out

    def backward(self, grad):
        self.grad = np.asarray(grad)
        waiting = [self]
        for tensor in waiting:
            tensor.run()
            waiting += tensor.parents
"""
CASES = Path(__file__).parents[2] / "cases"


def gallery(name: str) -> tuple[Case, ...]:
    return load([CASES / name]).cases


def test_of_the_gallery_s_handwritten_code_95_percent_of_the_mistakes_are_noticed() -> None:
    report = mutate((*gallery("12_handwritten.yaml"), *gallery("15_course_layers.yaml")), limit=40)
    source = [mutant for mutant in report.mutants if mutant.sort == "source"]
    killed, survived = (sum(m.fate == fate for m in source) for fate in ("killed", "survived"))
    assert killed + survived > 250
    assert killed / (killed + survived) >= 0.95
    assert report.score.share is not None
    assert report.score.share >= 0.95
    assert len({m.place.partition(" ")[2] for m in source}) >= 15
    assert "a handwritten layer in a network" in {m.case for m in source}


def test_a_limit_is_kept_and_what_is_drawn_is_even(tmp_path: Path) -> None:
    (case,) = mutated(write(tmp_path, NORM), limit=30).cases
    counted = [m for m in case.mutants if m.fate != "forward"]
    assert len(counted) == 30
    assert Counter(m.sort for m in counted) == {"array": 15, "source": 15}
    assert set(Counter(m.place for m in counted if m.sort == "array").values()) == {5}
    assert len({m.kind for m in counted if m.sort == "source"}) >= 8


def test_the_same_seed_draws_the_same_and_another_one_others(tmp_path: Path) -> None:
    file = write(tmp_path, NORM)
    first, again, other = (mutated(file, limit=20, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.mutants != other.mutants


def test_what_changes_the_loss_itself_is_not_counted(tmp_path: Path) -> None:
    report = mutated(write(tmp_path, RIDGE))
    lines = {m.place: m for m in report.mutants if m.fate == "forward"}
    assert lines
    assert all(m.diff == "" and m.caught_by == () for m in lines.values())
    counted = report.score.killed + report.score.survived + report.score.equivalent
    assert counted + sum(m.fate == "forward" for m in report.mutants) == len(report.mutants)


def test_a_function_that_two_cases_run_is_planted_in_once_and_either_may_notice(tmp_path: Path) -> None:
    batch = ONE_SAMPLE.replace("one sample", "a batch").replace("N: 1", "N: 4")
    report = mutated(write(tmp_path, ONE_SAMPLE, batch))
    source = [m for m in report.mutants if m.sort == "source"]
    assert {m.case for m in source} == {"one sample"}
    assert [m for m in source if m.fate == "survived"] == []
    assert any(m.by == "a batch: fail" for m in source)


def test_equivalent_mistakes_are_told_from_missed_ones(tmp_path: Path) -> None:
    code = "def f(x):\n    a = x * x\n    return a, x\n\n\ndef g(dout, x):\n    return dout * (x + x)\n"
    calls = "forward: out, cache = f(x)\n    backward: dx = g(dout, cache)\n    inputs: {x: normal(3)}"
    report = mutated(write(tmp_path, f"\n  - name: square\n    {calls}\n", code=code))
    assert report.score.survived == 0
    assert {m.kind for m in report.mutants if m.fate == "equivalent"} == {"float32 rounding"}


def test_cases_that_do_not_pass_are_told_and_skipped(tmp_path: Path) -> None:
    wrong = ONE_SAMPLE.replace("one sample", "wrong").replace("(dout, cache)", "(2*dout, cache)")
    asked = ONE_SAMPLE.replace("one sample", "wrong on purpose") + "    expect: fail\n"
    missing = ONE_SAMPLE.replace("one sample", "missing").replace("affine_backward", "no_backward")
    report = mutated(write(tmp_path, ONE_SAMPLE, wrong, asked, missing), limit=10)
    assert [case.name for case in report.cases] == ["one sample"]
    reasons = {skipped.case: skipped.reason for skipped in report.skipped}
    assert reasons.keys() == {"wrong", "wrong on purpose", "missing"}
    assert reasons["wrong"].startswith("it does not pass as it is")
    assert reasons["wrong on purpose"] == "it is not expected to pass"
    assert "no_backward" in reasons["missing"]


@pytest.mark.parametrize("name", ["affine, from one sample up", "svm loss", "a whole net, with its penalty"])
def test_the_quick_judgement_is_that_of_a_whole_run(name: str) -> None:
    """Whatever is put in the place of a gradient, comparing with kept evidence says what examining anew would say."""
    from gradcheck.mutation.judge import Judge

    case = next(case for case in gallery("15_course_layers.yaml") if case.name == name)
    bench = Bench(case)
    claim = bench.judge.claim("backward")
    assert claim is not None
    random = np.random.default_rng(0)
    for tensor, right in claim.gradients.items():
        for size in (1e-12, 1e-7, 3e-6, 1e-3, 1.0):
            wrong = right * (1.0 + size * random.normal(size=right.shape))
            quick = bench.judge.judged("backward", {tensor: wrong})
            gradients = {**claim.gradients, tensor: wrong}
            other = type(claim)(claim.source, gradients)
            problem = bench.built.problem
            changed = type(problem)(**{f: getattr(problem, f) for f in problem.__slots__} | {"claims": (other,)})
            verdict = Judge(changed, case.rtol, case.seed).verdict
            assert verdict == {"fail": "fail", "same": "pass", "missed": "pass"}[quick], (tensor, size)


def test_ctrl_c_ends_with_what_is_known_by_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = score._of_subject

    def planted_once(subject: Subject, *others: Any) -> Iterator[Mutant]:
        if subject.name == "ridge regression at zero":
            raise KeyboardInterrupt
        return plant(subject, *others)

    monkeypatch.setattr(score, "_of_subject", planted_once)
    report = mutated(write(tmp_path, ONE_SAMPLE, RIDGE), limit=10)
    assert [case.name for case in report.cases] == ["one sample"]
    assert report.exit_code == 130


def test_closures_of_a_tensor_class_are_planted_in(tmp_path: Path) -> None:
    convention = next(c for c in CONVENTIONS if c.name == "tensors of its own")
    file = tmp_path / "case.yaml"
    file.write_text(f"name: tensors\ncode: code.py\n{convention.case.strip()}\n")
    (tmp_path / "code.py").write_text(CLOSURES)
    (case,) = mutated(file).cases
    killed = {m.place for m in case.mutants if m.sort == "source" and m.fate == "killed"}
    assert {"code.py:17 backward", "code.py:18 backward", "code.py:27 backward", "code.py:28 backward"} <= killed


def test_a_mistake_that_never_ends_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that somebody else's function runs, on an argument that the mistake has made too large."""
    monkeypatch.setattr("gradcheck.mutation.bench.PATIENCE", 0.2)
    code = (
        "def wait(n):\n    while n > 9:\n        pass\n\n\n"
        "def f(x):\n    return x + 0.0, x\n\n\n"
        "def g(dout, cache):\n    n = 5 * 1\n    wait(n * 1)\n    return dout\n"
    )
    calls = "forward: out, cache = f(x)\n    backward: dx = g(dout, cache)\n    inputs: {x: normal(3)}"
    report = mutated(write(tmp_path, f"\n  - name: waits\n    {calls}\n", code=code))
    slow = [m for m in report.mutants if m.place.endswith("g") and m.by == "waits: error"]
    assert {m.kind for m in slow} >= {"constant"}

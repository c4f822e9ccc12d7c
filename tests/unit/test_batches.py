"""`batched: true`: many points in one call, the same verdicts, and clear words where the code cannot do that."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.model.problem import Problem
from gradcheck.model.report import Report
from gradcheck.numerical import difference
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.noise import measure_noise
from tests.unit.points import problem

CODE = """
    import numpy as np

    calls = []

    def affine(x, w, b):
        calls.append(x.shape)
        out = np.tanh(x @ w + b[..., None, :])
        return out, (x, w, out)

    def affine_back(dout, cache):
        x, w, out = cache
        d = dout * (1 - out**2)
        return d @ w.T, x.T @ d, d.sum(0)

    def half(dout, cache):
        dx, dw, db = affine_back(dout, cache)
        return dx, dw / 2, db
"""
CASE = """
    name: rows
    code: layer.py
    forward: out, cache = affine(x, w, b)
    backward: dx, dw, db = {backward}(dout, cache)
    batched: {batched}
    inputs:
      x: normal(5, 4)
      w: normal(4, 3)
      b: normal(3)
"""


def checked(folder: Path, code: str = CODE, batched: str = "true", backward: str = "affine_back") -> Report:
    (folder / "layer.py").write_text(dedent(code), encoding="utf-8")
    file = folder / "case.yaml"
    file.write_text(dedent(CASE).format(batched=batched, backward=backward), encoding="utf-8")
    return run_cases(load((str(file),)), Settings())


@pytest.mark.parametrize("backward", ["affine_back", "half"])
def test_the_findings_are_those_of_one_point_at_a_time(tmp_path: Path, backward: str) -> None:
    together, alone = (checked(tmp_path, batched=word, backward=backward).cases[0] for word in ("true", "false"))
    assert together.verdict == alone.verdict == ("pass" if backward == "affine_back" else "fail")
    assert len(together.findings) == len(alone.findings) == 3
    for one, other in zip(together.findings, alone.findings, strict=True):
        assert (one.tensor, one.verdict, one.counts, one.notes) == (
            other.tensor,
            other.verdict,
            other.counts,
            other.notes,
        )
        assert one.worst is not None
        assert other.worst is not None
        assert one.worst.numeric == pytest.approx(other.worst.numeric, abs=4 * other.worst.bound)


def test_code_that_takes_no_batch_is_a_mistake_of_the_case(tmp_path: Path) -> None:
    report = checked(tmp_path, CODE.replace("b[..., None, :]", "b"))
    assert not report.cases
    (told,) = report.problems
    assert told.message == (
        "forward does not take a batch of two points: "
        "ValueError: operands could not be broadcast together with shapes (2,5,3) (2,3)"
    )
    assert told.hint == "let forward take every array with one more axis in front, or leave 'batched' out"
    assert told.location.line == 6


def test_a_wrong_leading_axis_is_a_mistake_of_the_case(tmp_path: Path) -> None:
    code = CODE.replace("return out, (x, w, out)", "return out.reshape(-1, 3), (x, w, out)")
    (told,) = checked(tmp_path, code).problems
    assert told.message == ("forward does not take a batch of two points: it gives shape (10, 3), expected (2, 5, 3)")


@pytest.mark.parametrize("change", ["out -= out.mean(axis=0)", "out = out[::-1]", "out[1] += 1e-6 * out[0]"])
def test_rows_that_are_not_independent_are_a_mistake_of_the_case(tmp_path: Path, change: str) -> None:
    line = f"if out.ndim == 3: {change}\n        return out, (x, w, out)"
    (told,) = checked(tmp_path, CODE.replace("return out, (x, w, out)", line)).problems
    assert told.message.startswith("the rows of a batch are not independent: forward gives ")
    assert told.message.endswith(" beside another point")


def test_rows_that_depend_on_each_other_only_in_large_batches_are_an_error_of_the_code(tmp_path: Path) -> None:
    line = "if len(out) > 2 and out.ndim == 3: out = out + 1e-3\n        return out, (x, w, out)"
    (case,) = checked(tmp_path, CODE.replace("return out, (x, w, out)", line)).cases
    assert case.error is not None
    assert (case.error.kind, case.error.during) == ("invalid", "forward")
    assert case.error.text.startswith("the rows of a batch of ")
    assert case.error.text.endswith("are not independent: forward at x differs from that alone")


# --- the plain loop ---------------------------------------------------------------------------------------------------


def batched(made: Problem, sizes: list[int]) -> Problem:
    """The same problem with a function of stacked points; sizes : gets the number of points of every call"""

    def batch(points):
        count = len(next(iter(points.values())))
        sizes.append(count)
        return np.array([made.function({name: x[k] for name, x in points.items()}) for k in range(count)])

    return Problem(made.point, made.wrt, made.function, made.upstream, made.value, made.claims, batch=batch)


def loops(sizes: list[int]) -> tuple[PlainLoop, PlainLoop]:
    x, y = np.linspace(-1, 2, 12).reshape(3, 4), np.array([0.3, -0.2, 0.7, 1.1])
    made = problem(lambda x, y: np.sin(x * y) + np.maximum(x, 0.1), x=x, y=y)
    noise = measure_noise(made)
    return PlainLoop(made, noise), PlainLoop(batched(made, sizes), noise)


def test_a_batch_answers_as_the_loop_does() -> None:
    sizes: list[int] = []
    alone, together = loops(sizes)
    cells, steps = np.arange(12), np.full(12, 2.0**-10)
    steps[5] = 1e-300  # does not move x
    one, other = alone.respond("x", cells, steps), together.respond("x", cells, steps)
    for name in ("ahead", "behind", "up", "down", "low", "high", "noise"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True), name
    assert sizes == [23]  # eleven probes, both ways, and the point itself
    assert alone.evaluations == 22
    assert together.evaluations == 23


def test_the_arrays_of_a_batch_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    alone, together = loops(sizes)
    monkeypatch.setattr(difference, "BATCH", 2 * 28 * 5)  # 16 numbers in the point and 12 in the outputs
    cells, steps = np.arange(12), np.full(12, 2.0**-10)
    assert np.array_equal(alone.respond("x", cells, steps).ahead, together.respond("x", cells, steps).ahead)
    assert sizes == [11, 11, 5]
    sizes.clear()
    monkeypatch.setattr(difference, "BATCH", 1)
    together.respond("x", cells, steps)
    assert sizes == [3] * 12

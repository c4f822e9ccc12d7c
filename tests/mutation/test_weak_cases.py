"""Cases that would miss mistakes are told so, with the lines that would notice; following the advice mends them."""

from __future__ import annotations

from pathlib import Path

from tests.mutation.weak import NORM, ONE_MODE, ONE_SAMPLE, RIDGE, added_lines, mutated, survivors, write


def test_zeros_as_weights_hide_the_penalty_and_the_advice_is_nonzero_bias(tmp_path: Path) -> None:
    report = mutated(write(tmp_path, RIDGE))
    found = survivors(report)
    assert "dW = 2 * X.T @ residual / len(y) - 2 * reg * W" in added_lines(found)
    assert "dW = (2 * X.T @ residual / len(y))" in added_lines(found)
    assert {mutant.caught_by[0] for mutant in found} == {"vary: [nonzero_bias]"}
    assert report.advice == (("ridge regression at zero", "vary: [nonzero_bias]", len(found)),)


def test_ones_as_weights_hide_a_product_and_the_advice_is_nonzero_bias(tmp_path: Path) -> None:
    found = survivors(mutated(write(tmp_path, NORM)))
    assert added_lines(found) == ["dnormal = dout / gamma", "dnormal = dout + gamma", "dnormal = dout"]
    assert {mutant.caught_by[0] for mutant in found} == {"vary: [nonzero_bias]"}


def test_one_sample_hides_sums_and_means_and_the_advice_is_another_size(tmp_path: Path) -> None:
    report = mutated(write(tmp_path, ONE_SAMPLE))
    assert "return dout @ w.T, x.T @ dout, dout.mean(axis=0)" in added_lines(survivors(report))
    assert {m.caught_by[0] for m in survivors(report)} == {"sweep: N: [1, 2]"}
    arrays = survivors(report, "array")
    assert {(m.kind, m.caught_by[0]) for m in arrays if m.kind.endswith(" N")} == {
        ("times N", "sweep: N: [1, 2]"),
        ("divided by N", "sweep: N: [1, 2]"),
    }


def test_who_follows_the_advice_misses_nothing_more(tmp_path: Path) -> None:
    mended = (
        RIDGE + "    vary: [nonzero_bias]\n",
        NORM + "    vary: [nonzero_bias]\n",
        ONE_SAMPLE.partition("    sizes:")[0] + "    sweep:\n      N: [1, 2]\n",
    )
    report = mutated(write(tmp_path, *mended))
    assert survivors(report) == []
    assert report.score.killed > 100


def test_a_line_that_no_case_runs_is_no_equivalent(tmp_path: Path) -> None:
    found = survivors(mutated(write(tmp_path, ONE_MODE)))
    assert added_lines(found) == ["return -(dout)", "return 2 * (dout)", "return mode"]
    assert not any(mutant.is_run or mutant.caught_by for mutant in found)
    other = ONE_MODE.replace("one mode of two", "the other mode").replace('"train"', '"test"')
    assert survivors(mutated(write(tmp_path, ONE_MODE, other))) == []


def test_the_code_is_never_written(tmp_path: Path) -> None:
    file = write(tmp_path, NORM, RIDGE)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    mutated(file)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()} == before


def test_code_that_is_wrong_elsewhere_is_told(tmp_path: Path) -> None:
    """What the advice would add shows a mistake that is there already."""
    code = "def f(x, W):\n    return ((W * x)**2).sum() + (W**2).sum(), 2 * W * x**2\n"
    case = "\n  - name: no penalty\n    forward: loss, dW = f(x, W)\n    inputs: {x: normal(3), W: zeros(3)}\n"
    report = mutated(write(tmp_path, case, code=code))
    assert report.skipped == ()
    assert "wrong as it is with vary: [nonzero_bias]" in report.cases[0].found

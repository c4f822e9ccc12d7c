"""`vary` and `sweep` from the case file to the report: what is found, what is refused, and what is told of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PLANTED = Path(__file__).parent / "planted"
WORDS = "batch1, non_square, repeated, ties, small_variance, nonzero_bias, scale, dtype"
# The planted mistakes that a stress variant finds, each with the variants that show it.
FOUND = {
    "affine": {"batch1"},
    "maximum over time": {"ties"},
    "layer norm": {"ties", "small_variance", "scale=0.001"},  # in ties a row may have no variance at all
    "group norm": {"non_square"},
    "rnn step": {"nonzero_bias"},
    "embedding": {"repeated"},
}

LAYERS = """
import numpy as np

def square(x):
    return x**2, x

def square_backward(dout, cache):
    return 2 * cache * dout

def picky(x):
    if x.shape[0] != x.shape[1]:
        raise ValueError("square only")
    return x**2, x

def fragile_backward(dout, cache):
    if len(cache) == 1:
        raise RuntimeError("no batch of one")
    return 2 * cache * dout

def pool(x, size, stride):
    starts = range(0, len(x) - size + 1, stride)
    return np.array([x[i : i + size].max() for i in starts]), (x, starts, size)

def pool_backward(dout, cache):
    x, starts, size = cache
    dx = np.zeros_like(x)
    for g, i in zip(dout, starts):
        dx[i + x[i : i + size].argmax()] = g
    return dx

def mean_loss(scores, y):
    rows = np.arange(len(y))
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    dscores = np.exp(log_probs)
    dscores[rows, y] -= 1
    return -log_probs[rows, y].mean(), dscores

class Net:
    def __init__(self):
        self.params = {"W": np.random.randn(3, 2), "b": np.zeros(2)}

    def loss(self, x):
        out = np.tanh(x @ self.params["W"] + self.params["b"])
        dz = 1 - out**2
        penalty = 0.5 * (self.params["b"] ** 2).sum()
        return out.sum() + penalty, {"W": x.T @ dz, "b": dz.sum(axis=0)}
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gradcheck", "run", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def report(folder: Path, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(folder, "--format", "json", *arguments, "case.yaml").stdout)
    assert found["problems"] == []
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "layers.py").write_text(LAYERS)
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "case.yaml").write_text(f"name: layer\ncode: layers.py\n{text}")


PAIR = "forward: out, cache = {}(x)\nbackward: dx = {}(dout, cache)\ninputs:\n  x: normal({})\n"
POOL = """
forward: out, cache = pool(x, size, stride)
backward: dx = pool_backward(dout, cache)
inputs:
  x: normal(9)
sweep:
  size: [2, 3]
  stride: [1, 2, 3]
"""
MEAN = "forward: loss, dscores = mean_loss(scores, y)\ninputs:\n  scores: normal(N, 3)\n  y: integers(0, 3, size=N)\n"


@pytest.fixture(scope="module")
def stressed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The plain cases of the planted mistakes, under every stress variant."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copy(PLANTED / "planted_layers.py", folder)
    text = (PLANTED / "plain.yaml").read_text()
    (folder / "case.yaml").write_text(text.replace("defaults:\n", f"defaults:\n  vary: [{WORDS}]\n", 1))
    return report(folder)


def test_stress_variants_find_planted_mistakes_that_plain_cases_hide(stressed: dict[str, Any]) -> None:
    failing: dict[str, set[str]] = {}
    for case in stressed["cases"]:
        if case["verdict"] == "fail":
            failing.setdefault(case["name"], set()).add(case["vary"])
    assert failing == FOUND


def test_no_variant_of_right_code_is_anything_but_right_or_undecided(stressed: dict[str, Any]) -> None:
    others = [case for case in stressed["cases"] if case["name"] not in FOUND]
    assert {case["verdict"] for case in others} <= {"pass", "kink", "vacuous", "inconclusive"}
    assert all(case["as_expected"] for case in others)


def test_every_variant_was_checked_or_has_a_note(stressed: dict[str, Any]) -> None:
    words = {*WORDS.split(", "), "scale=1000", "scale=0.001"} - {"scale"}
    for case in stressed["cases"]:
        if case["vary"] is None:
            checked = {other["vary"] for other in stressed["cases"] if other["name"] == case["name"]} - {None}
            refused = {found[1] for note in case["notes"] if (found := re.match(r"vary: (\S+) does not apply", note))}
            assert checked | refused == words
            assert not checked & refused


def test_a_variant_that_hides_a_mistake_is_told_with_what_it_changed(folder: Path) -> None:
    write(folder, MEAN + "sizes:\n  N: 4\nvary: batch1\n")
    done = run(folder, "case.yaml")
    assert "wrong as written, right with vary: batch1 (N = 1)" in done.stdout
    assert done.returncode == 1


def test_a_sweep_says_from_where_on_it_is_wrong_and_shows_the_smallest_alone(folder: Path) -> None:
    write(folder, MEAN + "sweep:\n  N: [1, 2, 7]\n")
    text = run(folder, "case.yaml").stdout
    assert "right for N = 1, wrong from N = 2 on" in text
    assert text.count("FAIL  ") == 1
    assert "FAIL  layer [N=2]" in text
    assert "2 fail, 1 pass" in text
    assert run(folder, "-v", "case.yaml").stdout.count("FAIL  ") == 2


OVERWRITTEN = (
    "the wrong elements feed several outputs, and each has the part of one of them only: a later one overwrites the "
    "earlier, where they should be added (+=, np.add.at)"
)


def test_a_relation_between_two_options_is_named(folder: Path) -> None:
    write(folder, POOL)
    wrong = [
        finding for case in report(folder)["cases"] for finding in case["findings"] if finding["verdict"] == "fail"
    ]
    said = [[(said["kind"], said["text"], said["place"]) for said in finding["diagnosis"]] for finding in wrong]
    assert said == 3 * [
        [
            ("accumulation", OVERWRITTEN, "layers.py:28"),
            ("combination", "wrong wherever stride < size, right elsewhere", ""),
        ]
    ]


def test_a_forward_that_refuses_a_variant_is_a_note_and_no_error(folder: Path) -> None:
    write(folder, PAIR.format("picky", "square_backward", "4, 4") + "vary: non_square\n")
    found = report(folder)
    assert [case["verdict"] for case in found["cases"]] == ["pass"]
    (note,) = found["cases"][0]["notes"]
    assert note.startswith("vary: non_square does not apply: your code raised ValueError: square only")
    assert note.endswith("layers.py:12")
    assert found["exit"] == 0


def test_a_backward_that_breaks_on_what_forward_took_is_an_error(folder: Path) -> None:
    write(folder, PAIR.format("square", "fragile_backward", "4, 3") + "vary: batch1\n")
    found = report(folder)
    assert [(case["verdict"], case["vary"]) for case in found["cases"]] == [("pass", None), ("error", "batch1")]
    assert found["cases"][1]["notes"] == ["runs as written, breaks with vary: batch1 (1 sample of x)"]
    assert found["exit"] == 2


def test_variants_wait_until_the_case_itself_runs(folder: Path) -> None:
    write(folder, PAIR.format("picky", "square_backward", "4, 3") + "vary: [batch1, ties]\n")
    (case,) = report(folder)["cases"]
    assert case["notes"] == ["its variants wait until the case runs"]


def test_a_variant_that_decides_nothing_is_noted_and_leaves_the_exit_code(folder: Path) -> None:
    (folder / "case.yaml").write_text(
        "name: flat\nfunction: sum(tanh(x)) + b\ninputs:\n  x: normal(3, 2)\n  b: 0.5\nvary: scale\n"
    )
    found = report(folder)
    assert [(case["vary"], case["verdict"], case["as_expected"]) for case in found["cases"]] == [
        (None, "pass", True), ("scale=1000", "vacuous", True), ("scale=0.001", "pass", True),
    ]  # fmt: skip
    assert found["cases"][0]["notes"][0].startswith("vary: scale=1000 decides nothing about x: ")
    assert found["exit"] == 0
    assert "3 cases: 2 pass, 1 undecided variant\n" in run(folder, "case.yaml").stdout
    assert report(folder, "--strict")["exit"] == 1


def test_a_batch_of_one_that_the_sweep_has_is_not_checked_twice(folder: Path) -> None:
    write(folder, MEAN + "sweep:\n  N: [1, 3, 4]\nvary: batch1\n")
    cases = report(folder)["cases"]
    assert [case["sizes"]["N"] for case in cases] == [1, 3, 4]
    assert "vary: batch1 is the combination N = 1, which is checked anyway" in cases[1]["notes"]
    assert "vary: batch1 does not apply: the batch is 1 as written" in cases[0]["notes"]


def test_biases_of_the_codes_own_are_found_and_stressed(folder: Path) -> None:
    text = "setup: net = Net()\nforward: loss, grads = net.loss(x)\nparameters_at: net.params\ngradient_at: grads\n"
    write(folder, text + "inputs:\n  x: normal(4, 3)\nvary: nonzero_bias\n")
    plain, varied = report(folder)["cases"]
    assert plain["verdict"] == "pass"
    assert {finding["tensor"]: finding["verdict"] for finding in varied["findings"]} == {"b": "fail", "W": "pass"}


def test_right_variants_fold_into_the_line_of_their_case_unless_asked_for(folder: Path) -> None:
    write(folder, PAIR.format("square", "square_backward", "4, 3") + "vary: [batch1, ties, dtype]\n")
    short, long = (run(folder, *more, "case.yaml").stdout for more in ((), ("-v",)))
    assert re.search(r"layer +1 tensor +\S+ +pass, and 3 variants\n", short)
    assert "dtype" not in short
    assert all(f"layer [{word}]" in long for word in ("batch1", "ties", "dtype"))
    assert "4 cases: 4 pass" in short


def test_numbers_of_the_case_are_not_held_against_its_variants(folder: Path) -> None:
    (folder / "case.yaml").write_text(
        "name: sum\nfunction: sum(x)\ninputs:\n  x: [1.5, 2.5]\nexpected:\n  value: 4.0\nvary: [batch1, scale]\n"
    )
    found = report(folder)
    assert [case["verdict"] for case in found["cases"]] == 4 * ["pass"]
    assert found["cases"][0]["notes"] == [
        "the variants are checked without the numbers under 'expected', which hold for the case as written"
    ]


def test_the_same_run_gives_the_same_report(folder: Path) -> None:
    write(folder, PAIR.format("square", "square_backward", "4, 3") + f"vary: [{WORDS}]\n")

    def timeless() -> dict[str, Any]:
        found = report(folder)
        return {**found, "cases": [{**case, "seconds": 0} for case in found["cases"]]}

    assert timeless() == timeless()

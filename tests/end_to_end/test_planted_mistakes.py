"""Ten planted mistakes of the kind that published layers have: no plain case shows one, a sweep shows them all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PLANTED = Path(__file__).parent / "planted"
# Case → what reveals its mistake (a word of `vary`, or the option), and the wrong tensors in each telling combination.
MISTAKES: dict[str, tuple[str, dict[str, set[str]]]] = {
    "affine": ("batch1", {"N=1": {"b"}}),
    "convolution": ("stride", {"stride=2": {"x"}}),
    "max-pool": ("stride", {"stride=1": {"x"}}),
    "maximum over time": ("ties", {"values=2": {"x"}}),
    "layer norm": ("small_variance", {"spread=0.001": {"x"}}),
    "group norm": ("non_square", {"H=2": {"x"}, "H=4": {"x"}}),
    "dropout": ("p", {"p=0.2": {"x"}}),
    "rnn step": ("nonzero_bias", {"bias=1": {"x", "prev_h", "Wx", "Wh", "b"}}),
    "embedding": ("repeated", {"words=2": {"W"}}),
    "two-layer net": ("reg", {"reg=0.5": {"W1", "W2"}}),
}


def report(file: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON of `gradcheck run` on one of the planted case files."""
    command = [sys.executable, "-m", "gradcheck", "run", "--format", "json", file]
    done = subprocess.run(command, cwd=PLANTED, capture_output=True, text=True, check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["problems"] == []
    return done.returncode, found


@pytest.fixture(scope="module")
def plain() -> tuple[int, dict[str, Any]]:
    return report("plain.yaml")


@pytest.fixture(scope="module")
def swept() -> tuple[int, dict[str, Any]]:
    return report("sweep.yaml")


def test_in_a_friendly_configuration_every_planted_mistake_looks_right(plain: tuple[int, dict[str, Any]]) -> None:
    code, found = plain
    assert {case["name"]: case["verdict"] for case in found["cases"]} == dict.fromkeys(MISTAKES, "pass")
    assert code == 0


@pytest.mark.parametrize("name", MISTAKES, ids=[f"{name} by {word}" for name, (word, _) in MISTAKES.items()])
def test_a_sweep_finds_the_planted_mistake_where_it_shows_and_nowhere_else(
    swept: tuple[int, dict[str, Any]], name: str
) -> None:
    wrong: dict[str, set[str]] = {}
    right: list[str] = []
    for case in swept[1]["cases"]:
        if case["name"] == name:
            combination = ", ".join(f"{key}={value}" for key, value in _swept_values(case).items())
            failing = {finding["tensor"] for finding in case["findings"] if finding["verdict"] == "fail"}
            assert case["verdict"] == ("fail" if failing else "pass")
            assert {finding["verdict"] for finding in case["findings"]} <= {"pass", "fail"}
            if failing:
                wrong[combination] = failing
            else:
                right.append(combination)
    assert wrong == MISTAKES[name][1]
    assert right, "a mistake that shows in every combination would show in a plain case, too"


def test_a_run_that_finds_planted_mistakes_fails_the_build(swept: tuple[int, dict[str, Any]]) -> None:
    code, found = swept
    assert {case["name"] for case in found["cases"] if not case["as_expected"]} == set(MISTAKES)
    assert code == found["exit"] == 1


def _swept_values(case: dict[str, Any]) -> dict[str, Any]:
    """Every size and option of these cases is swept."""
    return {**case["sizes"], **case["options"]}

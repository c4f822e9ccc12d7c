"""The trial of the walls is itself tried: with one layer taken out it finds the hole, with all of them none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gradcheck
from gradcheck.sandbox import choice, proof
from gradcheck.sandbox.box import Tier

# layer → the line of walls.py that puts it up; a hole that opens in tier medium without it
LAYERS = {
    "seccomp": ("            seccomp.restrict()", "memfd_create (done)"),
    "Landlock": ("            landlock.restrict(self._rules)", "reading a file outside (done)"),
    "unprivileged user": ("            identity.drop(identity.uid_for(keeper))", "being root (done)"),
    "resource limits": ("        resources.restrict(limits, self._mapped)", "memory without end (done)"),
}
WITHOUT = {"unprivileged user": "            identity.kernel.prctl(38, 1)"}  # seccomp needs no-new-privileges
TRIAL = """
import json, sys
sys.path.insert(0, sys.argv[1])
from gradcheck.sandbox import proof
assert proof.__file__.startswith(sys.argv[1])
print(json.dumps(proof.holes("medium")))
"""


def needs(name: str) -> None:
    found = choice.try_tier(name)
    if not isinstance(found, Tier):
        pytest.skip(f"no tier {name} here: {found}")


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_that_is_missing_is_missed(layer: str, tmp_path: Path) -> None:
    needs("medium")
    if layer == "unprivileged user" and os.geteuid() != 0:
        pytest.skip("only root has to stop being root")
    shutil.copytree(
        Path(gradcheck.__file__).parent, tmp_path / "gradcheck", ignore=shutil.ignore_patterns("__pycache__")
    )
    walls = tmp_path / "gradcheck" / "sandbox" / "walls.py"
    source = walls.read_text(encoding="utf-8").splitlines()
    line, hole = LAYERS[layer]
    assert source.count(line) == 1
    source[source.index(line)] = WITHOUT.get(layer, line[: len(line) - len(line.lstrip())] + "pass")
    walls.write_text("\n".join(source), encoding="utf-8")
    command = [sys.executable, "-c", TRIAL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert hole in json.loads(done.stdout)


@pytest.mark.parametrize("name", ["strong", "medium", "limits"])
def test_whole_walls_have_no_holes(name: str) -> None:
    needs(name)
    assert proof.holes(name) == []


def test_everything_that_is_attempted_has_a_name_of_its_own() -> None:
    """A tier is judged by all of the attempts: none may be lost, or be taken for another."""
    needs("medium")
    tried = proof.attempts("medium")
    assert len(tried) >= 35
    assert tried.keys() >= proof.FILES
    assert set(proof.OF_LIMITS) <= tried.keys()
    assert [attempt for attempt, by in tried.items() if not by] == [proof.OF_STRONG]


def test_only_the_strong_tier_hides_that_a_file_is_there() -> None:
    needs("strong")
    assert proof.attempts("strong", (proof.OF_STRONG,)) == {proof.OF_STRONG: "ENOENT"}

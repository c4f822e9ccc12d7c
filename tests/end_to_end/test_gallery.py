"""The gallery: every case does what it announces, says why it is there, and its lessons are true."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gradcheck.casefile.loader import load

ROOT = Path(__file__).parents[2]
GALLERY = sorted((ROOT / "cases").glob("*.yaml"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


def gradcheck(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gradcheck", "run", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8", check=False)


@pytest.fixture(scope="module")
def table() -> str:
    done = gradcheck(*(str(path.relative_to(ROOT)) for path in GALLERY))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_case_is_as_expected(table: str) -> None:
    lines = [line for line in table.splitlines() if line.startswith(("✓", "✗"))]
    assert len(lines) > 100
    assert [line for line in lines if line.startswith("✗")] == []


def test_every_case_says_why_it_is_there_under_a_name_of_its_own() -> None:
    loaded = load(GALLERY)
    assert loaded.problems == ()
    assert [case.name for case in loaded.cases if not case.why] == []
    names = Counter(name for name, _ in {(case.name, case.location) for case in loaded.cases})
    assert [name for name, count in names.items() if count > 1] == []


def columns(line: str) -> list[str]:
    """Name, tensors and verdict: the resolution between them may have another last digit elsewhere."""
    name, tensors, _, verdict = re.split(r"\s{2,}", line.removeprefix("✓").strip())
    return [name, tensors, verdict]


def test_the_readme_shows_what_the_gallery_prints(table: str) -> None:
    shown = README.partition("What `make run` prints")[2].partition("```text\n")[2].partition("```")[0].splitlines()
    printed = [columns(line) for line in table.splitlines() if line.startswith("✓")]
    cases = [columns(line) for line in shown if line.startswith("✓")]
    assert len(cases) > 10
    assert [line for line in cases if line not in printed] == []
    assert shown[-2] == table.splitlines()[-2]  # how many cases, with which verdicts


# Case → a change after which its mistake makes no difference, as its `why` says, and the tensors that it spoils now.
HIDDEN = {
    "max-pool, one window paid": (
        {"size=3, stride=1": "size=3, stride=3", "linear(8, 1)": "linear(4, 1)"},
        {"W1", "b1"},
    ),
    "flatten and back again": (
        {"conv2d(1, 2, kernel=2)": "conv2d(1, 1, kernel=2)", "linear(4, 2)": "linear(2, 2)"},
        {"W1", "b1"},
    ),
    "embedding, the last one wins": ({"ids: [2, 0, 2]": "ids: [2, 0, 1]"}, {"W"}),
    "softmax taken twice": ({"softmax_cross_entropy(p,": "softmax_cross_entropy(z,"}, {"z"}),
    "svm loss, the right class pulled once": (
        {"[0.2, 0.9, 0.5]": "[0.2, 0.9, -2]", "[1.4, 0.1, -0.7]": "[1.4, 0.1, -2]"},
        {"scores"},
    ),
}


def verdicts(name: str, text: str, folder: Path) -> dict[str, str]:
    """Tensor → verdict of its claims that are not gradcheck's own, of one case of a file."""
    (folder / "changed.yaml").write_text(text, encoding="utf-8")
    case: dict[str, Any]
    (case,) = json.loads(gradcheck("changed.yaml", "-k", f'"{name}"', "--format", "json", cwd=folder).stdout)["cases"]
    assert case["error"] is None
    return {found["tensor"]: found["verdict"] for found in case["findings"] if found["verdict"] != "pass"}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_planted_mistake_is_seen_where_the_case_stands_and_not_where_it_is_said_to_hide(
    name: str, tmp_path: Path
) -> None:
    changes, spoilt = HIDDEN[name]
    shutil.copytree(ROOT / "cases" / "handwritten", tmp_path / "handwritten")
    (text,) = (page for page in (path.read_text(encoding="utf-8") for path in GALLERY) if f"name: {name}\n" in page)
    assert verdicts(name, text, tmp_path) == dict.fromkeys(spoilt, "fail")
    before, own, after = text.partition(f"name: {name}\n")
    for old, new in changes.items():
        assert old in after
        after = after.replace(old, new, 1)
    assert verdicts(name, before + own + after, tmp_path) == {}

"""What README says about the vocabulary is what the tables hold, and the operation that it adds can be used."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gradcheck.cli.ops import entries

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Vocabulary\n")[2].partition("\n## ")[0]
# Words that are written as signs.
SIGNS = {"add", "subtract", "multiply", "divide", "index", "less", "less_equal", "greater", "greater_equal", "equal",
         "not_equal"}  # fmt: skip


def table() -> dict[str, list[str]]:
    """Heading → words, as README lists them."""
    rows = [line.strip("|").split("|") for line in SECTION.splitlines() if line.startswith("| ") and "`" in line]
    return {heading.strip(): re.findall(r"`(\w+)`", words) for heading, words in rows}


def test_the_table_names_every_word_once() -> None:
    words = [word for row in table().values() for word in row]
    assert sorted(words) == sorted({entry.name for entry in entries()} - SIGNS)


def test_what_only_a_layer_a_loss_or_a_penalty_can_be_stands_in_its_row() -> None:
    sections: dict[str, set[str]] = {}
    for entry in entries():
        sections.setdefault(entry.section, set()).add(entry.name)
    elsewhere = set().union(*(names for section, names in sections.items() if section != "layers"))
    rows = table()
    assert set(rows["layers only"]) == sections["layers"] - elsewhere
    assert set(rows["losses"]) == sections["losses"]
    assert set(rows["penalties"]) == sections["penalties"]


CASES = """\
cases:
  - name: function
    function: gaussian(x)
    inputs:
      x: [0.5, -1]
    gradient:
      x: -2 * upstream * x * gaussian(x)
  - name: layer
    network:
      - gaussian
    inputs:
      x: normal(2, 3)
"""


def with_gaussian(folder: Path, *arguments: str, change: tuple[str, str] = ("", "")) -> tuple[int, str]:
    """Exit code and output of the command where the example's code stands among the operations."""
    source = re.search(r"```python\n(.*?)```", SECTION, re.DOTALL)
    assert source is not None
    assert change[0] in source[1]
    (folder / "cases.yaml").write_text(CASES, encoding="utf-8")
    program = source[1].replace(*change) + f"\nfrom gradcheck.cli import main\nmain({list(arguments)})\n"
    command = [sys.executable, "-X", "utf8", "-c", program]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_the_operation_that_the_readme_adds_is_a_function_and_a_layer(tmp_path: Path) -> None:
    code, output = with_gaussian(tmp_path, "run", "cases.yaml")
    assert (code, "2 cases: 2 pass" in output) == (0, True)


def test_a_wrong_rule_of_that_operation_is_found(tmp_path: Path) -> None:
    code, output = with_gaussian(tmp_path, "run", "cases.yaml", change=("-2 * g", "2 * g"))
    assert (code, "2 cases: 2 fail" in output) == (1, True)


@pytest.mark.parametrize("line", ["gaussian(x)    (operations, element by element)", "  function: gaussian(x)"])
def test_that_operation_is_listed_with_an_example(tmp_path: Path, line: str) -> None:
    code, output = with_gaussian(tmp_path, "ops", "gaussian")
    assert code == 0
    assert f"\n{line}\n" in f"\n{output}".replace("\n    ", "\n  ")

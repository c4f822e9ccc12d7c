"""Whole case files that `gradcheck new` writes: for the examples beside, and for the layers of the gallery."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.handwritten.scaffold import scaffold
from tests.golden.helper import check_golden

ROOT = Path(__file__).parents[2]
FILES = (
    *sorted((ROOT / "tests" / "scaffold_examples").glob("*.py")),
    ROOT / "cases" / "handwritten" / "course_layers.py",
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_scaffold_reads_as_it_always_did(file: Path) -> None:
    made = scaffold(file, code=file.name, name=f"{file.stem}_cases.yaml")
    check_golden(Path("new") / f"{file.stem}.yaml", made.text)

"""Fixtures of the command's tests: a stand-in for the box and the workers, and a small homework."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import gradcheck.cli.grade
import gradcheck.grading.run
from gradcheck.errors import UnsafeError
from gradcheck.sandbox.terms import Tier
from tests.grading.helpers import REFERENCE, Boxes, Inline, case, homework

BOXES = Boxes()


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def workers(*_: object) -> Iterator[Inline]:
        yield Inline()

    def choose_tier(required: str = "medium", asked: str | None = None) -> Tier:
        if asked == "limits" and required != "limits":
            raise UnsafeError("tier 'limits' is weaker than the required 'medium'", "--allow-unsandboxed allows it")
        return Tier(asked or "medium", ("walls",))

    monkeypatch.setattr(gradcheck.cli.grade, "workers_for", workers)
    monkeypatch.setattr(gradcheck.cli.grade, "leave_no_path_here", lambda: None)
    monkeypatch.setattr(gradcheck.grading.run, "choose_tier", choose_tier)
    monkeypatch.setattr(gradcheck.grading.run, "open_box", lambda tier, files, limits: BOXES(files, limits))
    gradcheck.grading.run._marker.cache_clear()


@pytest.fixture
def hw(tmp_path: Path, stand_in: None) -> Path:
    """A homework of one visible and one hidden case, and three submissions: right, wrong, broken."""
    homework(tmp_path, case("open") + case("secret", "    hidden: true\n"))
    (tmp_path / "subs").mkdir()
    (tmp_path / "subs" / "ana.py").write_text(REFERENCE)
    (tmp_path / "subs" / "ben.py").write_text(REFERENCE.replace("x.T @ dz", "-x.T @ dz"))
    (tmp_path / "subs" / "cy.py").write_text("1 / 0")
    return tmp_path

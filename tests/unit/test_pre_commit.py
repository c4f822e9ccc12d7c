"""The definition of the pre-commit hook: the keys that pre-commit knows, and a command that runs."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from gradcheck.cli import main

ROOT = Path(__file__).parents[2]
# pre-commit.com, "Creating new hooks": what a definition may say.
KNOWN = {
    "id", "name", "entry", "language", "files", "exclude", "types", "types_or", "exclude_types", "always_run",
    "fail_fast", "verbose", "pass_filenames", "require_serial", "description", "language_version",
    "minimum_pre_commit_version", "args", "stages",
}  # fmt: skip


def test_the_hook_checks_the_cases_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = YAML(typ="safe").load(ROOT / ".pre-commit-hooks.yaml")
    assert [hook["id"] for hook in hooks] == ["gradcheck"]
    hook = hooks[0]
    assert {"id", "name", "entry", "language"} <= set(hook) <= KNOWN
    assert set(hook["types_or"]) == {"yaml", "python"}
    program, *command = [*shlex.split(hook["entry"]), *hook["args"]]
    assert program == "gradcheck"
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "square.yaml").write_text("name: square\nfunction: x**2\ninputs:\n  x: 3\n")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0
    assert "square" in done.stdout

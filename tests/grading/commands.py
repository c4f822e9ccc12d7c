"""A call of `gradcheck grade` in this process, beside the fixture `hw`."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from gradcheck.cli import main


def grade(folder: Path, *arguments: str, submissions: str = "subs") -> Result:
    given = [str(folder / submissions)] if submissions else []
    return CliRunner().invoke(main, ["grade", str(folder / "hw.yaml"), *given, *arguments])

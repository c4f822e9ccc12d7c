"""A command pays only for what it uses; told by what was imported, never by a clock."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("numpy", "rich", "pydantic", "ruamel", "click")

PROBE = """
import json, sys
sys.argv = ["gradcheck", *json.loads(sys.argv[1])]
try:
    from gradcheck.cli import main
    main()
except SystemExit as stop:
    code = stop.code
loaded = sorted({name.partition(".")[0] for name in sys.modules} & set(json.loads(sys.stdin.read())))
print(json.dumps([code, loaded]), file=sys.stderr)
"""


def imported_by(*arguments: str) -> list[str]:
    """The heavy packages that a command has imported when it ends, which it must do with 0."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(arguments)], input=json.dumps(HEAVY), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    code, loaded = json.loads(done.stderr)
    assert code == 0
    return list(loaded)


@pytest.fixture
def case(tmp_path: Path) -> str:
    file = tmp_path / "square.yaml"
    file.write_text("name: square\nfunction: x**2\ninputs:\n  x: 3\ngradient:\n  x: 2*x\n")
    return str(file)


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("run", "--help")], ids=" ".join)
def test_telling_about_oneself_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert imported_by(*arguments) == ["click"]


def test_a_report_for_programs_does_without_rich(case: str) -> None:
    assert "rich" not in imported_by("run", "--format", "json", case)


def test_a_table_is_drawn_by_rich(case: str) -> None:
    assert "rich" in imported_by("run", case)


GARBAGE = """
import gc, io, sys
from contextlib import redirect_stdout
from gradcheck.cli import main
for number in range(3):
    sys.argv = ["gradcheck", "run", sys.argv[-1]]
    try:
        with redirect_stdout(io.StringIO()):
            main()
    except SystemExit as stop:
        print(stop.code, gc.isenabled(), gc.get_freeze_count())
"""


def test_garbage_is_looked_for_again_after_the_start(case: str) -> None:
    """And what is garbage later is never kept: only the first run of a process sets aside what there is."""
    done = subprocess.run([sys.executable, "-c", GARBAGE, case], capture_output=True, text=True, check=True)
    first, *others = (line.split() for line in done.stdout.splitlines())
    assert int(first[2]) > 10_000
    for code, is_enabled, frozen in (first, *others):
        assert (code, is_enabled) == ("0", "True")
        assert int(frozen) <= int(first[2])

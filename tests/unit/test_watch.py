"""`gradcheck run --watch`: which files touch a case, and a real process that checks again what is saved."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from gradcheck.casefile.loader import Loaded, load
from gradcheck.checking.files import files_of
from gradcheck.cli import main
from gradcheck.cli.output import Page
from gradcheck.cli.watch import watch_cases

CODE = """
from pkg import helper
import numpy


def f(x):
    return x * helper.K


def b(dout):
    return dout * 2.0
"""
CASE = "name: doubled\ncode: layers.py\nforward: out = f(x)\nbackward: dx = b(dout)\ninputs:\n  x: normal(3)\n"
OTHER = "name: other\nfunction: x**2\ninputs:\n  x: 3\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("")
    (tmp_path / "pkg" / "helper.py").write_text("K = 2.0\n")
    (tmp_path / "layers.py").write_text(CODE)
    (tmp_path / "unused.py").write_text("")
    (tmp_path / "code.yaml").write_text(CASE)
    (tmp_path / "other.yaml").write_text(OTHER)
    return tmp_path


def test_a_case_is_made_of_its_file_its_code_and_what_that_imports(folder: Path) -> None:
    code, other = load([folder]).cases
    assert {path.relative_to(folder).as_posix() for path in files_of(code)} == {
        "code.yaml", "layers.py", "pkg/__init__.py", "pkg/helper.py",
    }  # fmt: skip
    assert files_of(other) == {folder / "other.yaml"}


def test_arrays_layers_and_references_count_too(folder: Path) -> None:
    (folder / "net.yaml").write_text('name: net\nnetwork:\n  - code("layers.py:Scale")\ninputs:\n  x: data.npz:x\n')
    (folder / "graded.yaml").write_text(f"{CASE}reference: unused.py\n")
    np.savez(folder / "data.npz", x=np.zeros((2, 2)))
    loaded = load([folder / "net.yaml", folder / "graded.yaml"])
    assert loaded.problems == ()
    names = [{path.name for path in files_of(case)} for case in loaded.cases]
    assert {"net.yaml", "data.npz", "layers.py", "helper.py"} <= names[0]
    assert {"graded.yaml", "unused.py", "layers.py"} <= names[1]


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ("code.yaml", ["doubled"]), ("layers.py", ["doubled"]), ("pkg/helper.py", ["doubled"]),
        ("other.yaml", ["other"]), ("unused.py", []),
    ],
)  # fmt: skip
def test_a_saved_file_touches_the_cases_that_are_made_of_it(changed: str, names: list[str], folder: Path) -> None:
    assert [case.name for case in load([folder]).cases if folder / changed in files_of(case)] == names


def test_code_with_a_syntax_error_is_watched_itself(folder: Path) -> None:
    (folder / "layers.py").write_text("def f(:\n")
    assert {path.name for path in files_of(load([folder / "code.yaml"]).cases[0])} == {"code.yaml", "layers.py"}


def test_without_watchfiles_the_line_that_installs_it_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.cli.watch.find_spec", lambda name: None)
    done = CliRunner().invoke(main, ["run", "--watch", str(folder)])
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr == "error: --watch needs watchfiles, which is not installed\n  pip install 'gradcheck[watch]'\n"


class Watched:
    """A `gradcheck run --watch` of its own; its lines, as they come."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gradcheck", "run", "--watch", *arguments], cwd=folder, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", start_new_session=True,
            # A parent that ignores Ctrl-C (a shell's background job) would have its children ignore it, too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
        )  # fmt: skip
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def until(self, beginning: str, seconds: float = 20.0) -> str:
        """The lines up to one that begins so."""
        found = ""
        while True:
            line = self.lines.get(timeout=seconds)
            found += line
            if line.startswith(beginning):
                return found

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)

    def end(self) -> None:
        """Leave nothing running, whatever has happened."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join(timeout=5)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def watched(folder: Path, request: pytest.FixtureRequest) -> Iterator[Watched]:
    pytest.importorskip("watchfiles", reason="watchfiles, of the extra 'watch', is not installed")
    process = Watched(folder, *getattr(request, "param", ("code.yaml", "other.yaml")))
    yield process
    process.end()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_what_a_saved_file_touches_is_checked_again_until_ctrl_c(watched: Watched, folder: Path) -> None:
    first = watched.until("watching ")
    assert "2 cases: 2 pass" in first
    (folder / "pkg" / "helper.py").write_text("K = 3.0\n")
    again = watched.until("watching ")
    assert again.startswith("\nchanged: helper.py\n\n")
    assert "1 case: 1 fail" in again
    assert "other" not in again
    (folder / "layers.py").write_text(CODE.replace("2.0", "3.0"))
    assert "✓ doubled" in watched.until("watching ")
    (folder / "pkg" / "helper.py").unlink()  # what was a part of the case touches it
    assert "your code raised ImportError" in watched.until("watching ")
    (folder / "unused.py").write_text("x = 1\n")
    (folder / "other.yaml").write_text(OTHER.replace("x**2", "sigmod(x)"))
    broken = watched.until("watching ")
    assert "unused" not in broken
    assert "unknown function 'sigmod'" in broken
    (folder / "other.yaml").write_text(OTHER.replace("x**2", "x**3"))
    assert "1 case: 1 pass" in watched.until("watching ")
    assert watched.stop() == 130
    watched.reader.join(timeout=5)
    assert watched.lines.get_nowait() == "stopped\n"
    assert watched.lines.empty()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("watched", [(".", "-k", "other or late")], indirect=True)
def test_a_file_that_appears_is_checked_and_one_that_k_leaves_out_is_not(watched: Watched, folder: Path) -> None:
    assert "1 case: 1 pass" in watched.until("watching ")
    (folder / "layers.py").write_text(CODE.replace("2.0", "9.0"))
    (folder / "late.yaml").write_text("name: late\nfunction: sum(x)\ninputs:\n  x: late.npz:x\n")
    missing = watched.until("watching ")
    assert "late.npz" in missing
    assert "doubled" not in missing
    np.savez(folder / "late.npz", x=np.ones(3))
    mended = watched.until("watching ")
    assert "✓ late" in mended
    assert watched.stop() == 130


def test_what_is_saved_before_the_watch_has_begun_is_not_lost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file changes while the first check runs; no event of the watch tells of it."""
    watchfiles = pytest.importorskip("watchfiles", reason="watchfiles, of the extra 'watch', is not installed")
    checked: list[list[str]] = []

    def check(loaded: Loaded) -> int:
        checked.append([case.name for case in loaded.cases])
        if len(checked) == 1:
            os.utime(folder / "pkg" / "helper.py", ns=(1, 1))
        return 130 if len(checked) == 2 else 0

    def silent(*folders: Path, **options: object) -> Iterator[set[tuple[int, str]]]:
        yield set()

    monkeypatch.setattr(watchfiles, "watch", silent)
    assert watch_cases((str(folder),), None, check, Page()) == 130
    assert checked == [["doubled", "other"], ["doubled"]]

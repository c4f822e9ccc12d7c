"""The line for somebody who waits: what it says, and that nobody else gets it."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from gradcheck.cli.progress import ProgressLine, is_watched


class Terminal(StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def line() -> tuple[ProgressLine, Terminal, Clock]:
    stream, clock = Terminal(), Clock()
    return ProgressLine(stream, False, clock), stream, clock


@pytest.mark.parametrize(
    ("variable", "value", "watched"), [("NONE", "", True), ("CI", "true", False), ("TERM", "dumb", False)]
)
def test_it_is_for_terminals_and_not_for_logs(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, watched: bool
) -> None:
    monkeypatch.setenv(variable, value)
    assert is_watched(Terminal()) is watched
    assert not is_watched(StringIO())
    assert not is_watched(None)


def test_nothing_is_shown_in_the_first_second() -> None:
    progress, stream, clock = line()
    clock.now = 0.9
    progress.cases(3, 10)
    assert stream.getvalue() == ""
    clock.now = 1.1
    progress.cases(4, 10)
    assert "4 of 10 cases, 2 s left" in stream.getvalue()
    progress.close()


def test_a_large_case_has_elements_and_time_left() -> None:
    progress, stream, clock = line()
    progress.case("a classroom\x1b[31m network")
    progress.plan({"W": 100_000, "b": 100}, {"W": 10.0, "b": 0.0})
    clock.now = 10.0
    progress.probed("W", 25_000)
    text, share = progress.text()
    assert text == "a classroom\\x1b[31m network: 25,000 of 100,100 elements, 31 s left"
    assert share == pytest.approx(10 / 40.8)
    assert "25,000 of 100,100 elements" in stream.getvalue()
    progress.close()


def test_a_large_case_among_others_is_told_beside_them() -> None:
    progress, _, clock = line()
    progress.cases(1, 3)
    progress.case("network")
    progress.plan({"W": 2000}, {"W": 1.0})
    clock.now = 4.0
    progress.probed("W", 1000)
    assert progress.text() == ("1 of 3 cases, network: 1,000 of 2,000 elements, 4 s left", pytest.approx(1 / 3))
    progress.close()


def test_a_small_case_is_no_news() -> None:
    progress, stream, clock = line()
    progress.plan({"x": 999}, {"x": 1.0})
    clock.now = 5.0
    progress.probed("x", 10)
    assert (progress.text(), stream.getvalue()) == (("", None), "")


def test_pictures_are_not_drawn_more_often_than_they_can_be_seen() -> None:
    progress, stream, clock = line()
    clock.now = 2.0
    progress.cases(1, 10)
    seen = stream.getvalue()
    clock.now = 2.05
    progress.cases(2, 10)
    assert stream.getvalue() == seen
    progress.close()


def test_what_is_said_stays_and_the_line_goes() -> None:
    progress, stream, clock = line()
    clock.now = 2.0
    progress.cases(1, 10)
    progress.say("affine: 159,020 evaluations")
    assert stream.getvalue().endswith("affine: 159,020 evaluations\n")


CASE = """
name: slow
code: code.py
forward: out, cache = slow(x)
backward: dx = slow_backward(dout, cache)
inputs:
  x: normal(20, 60)
"""
CODE = """
import time

def slow(x):
    time.sleep(0.0007)
    return x**2, x

def slow_backward(dout, x):
    return 2 * x * dout
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
@pytest.mark.parametrize("ci", ["", "true"])
def test_the_command_shows_it_on_a_terminal_and_nowhere_else(tmp_path: Path, ci: str) -> None:
    (tmp_path / "slow.yaml").write_text(CASE)
    (tmp_path / "code.py").write_text(CODE)
    ours, theirs = os.openpty()
    environment = {**os.environ, "CI": ci, "TERM": "xterm", "COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-m", "gradcheck", "run", "slow.yaml", "--format", "json"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=theirs, check=True, text=True,
    )  # fmt: skip
    os.close(theirs)
    os.set_blocking(ours, False)
    try:
        shown = os.read(ours, 1 << 16).decode()
    except OSError:  # nothing was written before the other end was closed
        shown = ""
    os.close(ours)
    assert ("of 1,200 elements" in shown) is not bool(ci)
    assert '"verdict": "pass"' in done.stdout

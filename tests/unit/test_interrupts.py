"""Ctrl-C ends a run, whatever the code does with it; a KeyboardInterrupt that the code raises is its own error."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import RunInterruptedError, run_cases
from gradcheck.checking.settings import Settings
from gradcheck.handwritten.session.interrupts import Interrupt, is_from_outside, watched

CODE = """
import os
import signal

presses = 0


def press():
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(10**6):  # a signal is noticed between two instructions, not necessarily the next two
        pass


def square(x):
    return x**2, x


def square_backward(dout, x):
    return 2 * x * dout


def raising(x):
    raise KeyboardInterrupt


def raising_backward(dout, x):
    raise KeyboardInterrupt("of its own")


def pressed(x):
    press()
    return x**2, x


def swallowing(x):
    try:
        press()
    except BaseException:
        pass
    return x**2, x


class Stacking:
    def forward(self, x):
        self.x, self.is_done = x, False
        return x**2

    def backward(self, dout):
        if self.is_done:
            raise KeyboardInterrupt
        self.is_done = True
        return 2 * self.x * dout
"""
PAIR = "  - name: {0}\n    forward: out, cache = {0}(x)\n    backward: dx = {1}(dout, cache)\n"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent in another way there")


def cases(folder: Path, *pairs: tuple[str, str]) -> Path:
    (folder / "code.py").write_text(CODE, encoding="utf-8")
    text = "defaults:\n  code: code.py\n  inputs:\n    x: normal(3)\ncases:\n" + "".join(PAIR.format(*p) for p in pairs)
    (folder / "cases.yaml").write_text(text, encoding="utf-8")
    return folder / "cases.yaml"


@pytest.fixture(autouse=True)
def ctrl_c_works() -> Iterator[None]:
    """Tests that run in the background inherit an ignored Ctrl-C, and so would what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("pair", "during", "text", "line"),
    [
        (("raising", "square_backward"), "forward", "KeyboardInterrupt (forward at x)", 23),
        (("square", "raising_backward"), "backward", "KeyboardInterrupt: of its own", 27),
    ],
)
def test_an_interrupt_that_the_code_raises_is_its_error_and_the_next_case_is_checked(
    tmp_path: Path, pair: tuple[str, str], during: str, text: str, line: int
) -> None:
    file = cases(tmp_path, pair)
    file.write_text(file.read_text() + PAIR.format("square", "square_backward").replace("name: square", "name: next"))
    broken, right = run_cases(load([file]), Settings()).cases
    assert broken.error is not None
    assert (broken.error.kind, broken.error.during, broken.error.text, broken.error.file, broken.error.line) == (
        "raised", during, text, "code.py", line,
    )  # fmt: skip
    assert right.verdict == "pass"


def test_a_second_backward_that_interrupts_is_a_note(tmp_path: Path) -> None:
    file = cases(tmp_path)
    file.write_text(
        "code: code.py\nsetup: layer = Stacking()\nforward: out = layer.forward(x)\n"
        "backward: dx = layer.backward(dout)\ninputs:\n  x: normal(3)\n"
    )
    (result,) = run_cases(load([file]), Settings()).cases
    assert (result.verdict, result.notes) == ("pass", ("a second backward raises KeyboardInterrupt",))


@pytest.mark.parametrize("name", ["pressed", "swallowing"])
def test_ctrl_c_ends_the_run_even_where_the_code_catches_it(tmp_path: Path, name: str) -> None:
    file = cases(tmp_path, ("square", "square_backward"), (name, "square_backward"), ("raising", "square_backward"))
    done = subprocess.run(
        [sys.executable, "-m", "gradcheck", "run", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    assert done.stderr == "interrupted: 1 of 3 cases checked\n"
    assert "✓ square" in done.stdout


def test_the_report_of_an_interrupted_run_has_the_notes_of_its_variants(tmp_path: Path) -> None:
    file = cases(tmp_path, ("square", "square_backward"), ("pressed", "square_backward"))
    text = file.read_text().replace("  - name: pressed", "    vary: [batch1, repeated]\n  - name: pressed")
    file.write_text(text.replace("    x: normal(3)", "    x: [[1.5, 2.5]]"))
    with pytest.raises(RunInterruptedError) as caught:
        run_cases(load([file]), Settings())
    (result,) = caught.value.report.cases
    assert [note.partition(": no ")[0] for note in result.notes] == [
        "vary: batch1 does not apply",
        "vary: repeated does not apply",
    ]


def test_while_somebody_watches_every_other_interrupt_is_the_codes() -> None:
    assert is_from_outside(KeyboardInterrupt())
    with watched():
        assert not is_from_outside(KeyboardInterrupt())
        assert is_from_outside(Interrupt())
        with watched():
            assert not is_from_outside(KeyboardInterrupt())
        assert not is_from_outside(KeyboardInterrupt())
    assert is_from_outside(KeyboardInterrupt())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_press_ends_the_block_at_the_latest() -> None:
    def swallow() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(10**6):
                pass
        except KeyboardInterrupt:
            pass

    with pytest.raises(Interrupt), watched():
        swallow()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_callers_means_what_it_meant() -> None:
    calls: list[int] = []

    def quiet(*_: object) -> None:
        calls.append(1)

    def loud(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, quiet)
    try:
        with watched():
            signal.raise_signal(signal.SIGINT)
            assert calls == [1]
            assert not is_from_outside(KeyboardInterrupt())
        assert signal.getsignal(signal.SIGINT) is quiet
        signal.signal(signal.SIGINT, loud)
        with pytest.raises(Interrupt), watched():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is loud
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_leaves_ctrl_c_alone() -> None:
    seen: list[bool] = []

    def run() -> None:
        with watched():
            seen.append(signal.getsignal(signal.SIGINT) is signal.default_int_handler)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [True]

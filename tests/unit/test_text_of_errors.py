"""An exception of somebody's becomes one line of text, whatever it does when it is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gradcheck.cli import main
from gradcheck.handwritten.session.errors import MAX_TEXT, text_of
from gradcheck.handwritten.session.interrupts import Interrupt


class Exits(Exception):  # noqa: N818 – theirs
    def __str__(self) -> str:
        raise SystemExit(0)


class Stopped(Exception):  # noqa: N818
    def __str__(self) -> str:
        raise Interrupt


class NoText(Exception):  # noqa: N818
    def __str__(self) -> Any:
        return 1


class Endless(str):
    def split(self, *_: object) -> Any:
        return iter(lambda: "x", None)


class Nameless(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise SystemExit(0)


class Unnamed(Exception, metaclass=Nameless):  # noqa: N818
    def __str__(self) -> str:
        return Endless("a\nb")


def _syntax() -> SyntaxError:
    error = SyntaxError()
    error.msg = 7  # type: ignore[assignment]
    return error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("a\n  b\x1b"), "ValueError: a b\x1b"),
        (ValueError(), "ValueError"),
        (ValueError("x" * 10**6), f"ValueError: {'x' * MAX_TEXT}"),
        (Exits(), "Exits"),
        (NoText(), "NoText"),
        (Unnamed(), "Unnamed: a b"),
        (_syntax(), "SyntaxError: 7"),
        (SystemExit(3), "SystemExit: the code called exit(3)"),
    ],
)
def test_every_exception_has_a_text(error: BaseException, text: str) -> None:
    assert text_of(error) == text


def test_whoever_is_asked_to_stop_meanwhile_stops() -> None:
    with pytest.raises(Interrupt):
        text_of(Stopped())


def test_an_error_that_exits_when_it_is_shown_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text(
        "class E(Exception):\n    def __str__(self): raise SystemExit(0)\n"
        "def f(x): return 2 * x, x\ndef g(dout, cache): raise E\n"
    )
    (tmp_path / "case.yaml").write_text(
        "name: a\ncode: layers.py\nforward: out, cache = f(x)\n"
        "backward: dx = g(dout, cache)\ninputs: {x: 'normal(3)'}\n"
    )
    result = CliRunner().invoke(main, ["run", str(tmp_path / "case.yaml")])
    assert (result.exit_code, "your code raised E" in result.output) == (2, True)

"""A limit on how many lines of somebody's files a run may execute: counted, so that it is the same on every machine.

What is computed inside a library counts as the line that asks for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from gradcheck.handwritten.session.interrupts import Interrupt


class TooManyLinesError(Interrupt):
    """An interrupt: neither `except Exception` in somebody's code nor the session takes it for an error of the code."""


class Lines:
    """Counts the lines that run in somebody's files.

    relative : the name of a file of theirs, None for any other
    on_call : is told of every frame of theirs that is entered
    count : lines and calls since the last `counted`
    """

    def __init__(
        self, relative: Callable[[str], str | None], on_call: Callable[[FrameType], object] = lambda frame: None
    ) -> None:
        self.count = 0
        self._relative, self._on_call = relative, on_call
        self._are_theirs: dict[str, bool] = {}
        self._most = 0

    @contextmanager
    def counted(self, most: int = sys.maxsize) -> Iterator[None]:
        """Count from nought. Raises TooManyLinesError after so many; not to be entered where `is_free` says no."""
        self.count, self._most = 0, most
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(None)

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        file = frame.f_code.co_filename  # a name has its hash at hand, a code object does not
        is_theirs = self._are_theirs.get(file)
        if is_theirs is None:
            is_theirs = self._are_theirs[file] = self._relative(file) is not None
        if not is_theirs:
            return None
        self._on_call(frame)
        return self._step(frame, "line", argument)

    def _step(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        if event == "line":
            self.count += 1
            if self.count > self._most:
                raise TooManyLinesError
        return self._step


def is_free() -> bool:
    """Whether nobody else looks at the lines that run: a debugger, or a measure of coverage, keeps its hook."""
    return sys.gettrace() is None

"""What somebody's code may rely on while it runs, and that whatever it changes is put back: streams, generators, paths.

An exception of theirs leaves as one CodeError; what that says is decided in `code.py`.
"""

from __future__ import annotations

import io
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import numpy as np

from .errors import CodeError
from .interrupts import is_from_outside
from .modules import Modules
from .wrapping import PLAIN, Wrapping


class Surroundings:
    """A context manager around every run of the code, never within itself.

    Inside, the folder of the code is importable and its own modules are in `sys.modules`, the generators are its own,
    there is nothing to read, prints go to a sink and warnings are silent; afterwards path, arguments, modules, working
    directory, recursion limit, streams and generators are the caller's again.

    blame : makes a CodeError of what the code raises; Ctrl-C passes: it is the person's, not the code's
    wrapping : whose library has a state of its own to be set and put back
    """

    def __init__(
        self,
        modules: Modules,
        sink: io.TextIOBase,
        blame: Callable[[BaseException], CodeError],
        wrapping: Wrapping = PLAIN,
    ) -> None:
        self.modules, self.sink, self.blame, self.wrapping = modules, sink, blame, wrapping
        self._bits = np.random.MT19937(0)
        self._held: _CallersState | None = None
        self._saved: tuple[Any, ...] = ()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put generators and working directory aside once for many runs: doing it for each costs more than a layer.

        In between, the caller leaves both alone.
        """
        if self._held is not None:
            yield
            return
        self._held = _CallersState()
        try:
            yield
        finally:
            held, self._held = self._held, None
            held.restore()

    def __enter__(self) -> None:
        state = self._held or _CallersState()
        caught, errors = warnings.catch_warnings(), np.errstate(all="ignore")
        self._saved = (
            state, caught, errors, (sys.stdin, sys.stdout, sys.stderr), sys.argv, sys.path[:],
            sys.dont_write_bytecode, sys.getrecursionlimit(),
        )  # fmt: skip
        self.modules.enter()
        _set_bits(self._bits)
        sys.stdin, sys.stdout, sys.stderr = io.StringIO(""), self.sink, self.sink
        sys.argv, sys.path[:0], sys.dont_write_bytecode = [self.modules.path], self.modules.roots, True
        caught.__enter__()
        warnings.simplefilter("ignore")
        errors.__enter__()
        self.wrapping.enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is not None and not isinstance(error, CodeError) and not is_from_outside(error):
                raise self.blame(error) from None  # exit() and whatever classes the code raises included
        finally:
            self._leave()

    def _leave(self) -> None:
        state, caught, errors, streams, argv, path, bytecode, limit = self._saved
        self.wrapping.leave()
        errors.__exit__(None, None, None)
        caught.__exit__(None, None, None)
        sys.stdin, sys.stdout, sys.stderr = streams
        sys.argv, sys.path[:], sys.dont_write_bytecode = argv, path, bytecode
        if sys.getrecursionlimit() != limit:
            sys.setrecursionlimit(limit)
        state.go_back()
        self.modules.leave()
        if state is not self._held:
            state.restore()


class _CallersState:
    """The working directory and the generators of the caller."""

    def __init__(self) -> None:
        self.folder = _here()
        # Swapping the bit generator forgets numpy's second normal number, so a state that holds one is kept as well.
        state = np.random.get_state(legacy=False)
        self.bits, self.numbers = _get_bits(), state if state["has_gauss"] else None
        self.python = random.getstate()

    def go_back(self) -> None:
        if self.folder and _here() != self.folder:
            os.chdir(self.folder)

    def restore(self) -> None:
        _set_bits(self.bits)
        if self.numbers is not None:
            np.random.set_state(self.numbers)
        random.setstate(self.python)


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


# Public since numpy 1.24, but absent from its type stubs; looked up late, for numpy loads its generators on demand.
def _get_bits() -> Any:
    return np.random.get_bit_generator()  # type: ignore[attr-defined]  # missing in the stubs


def _set_bits(bits: Any) -> None:
    np.random.set_bit_generator(bits)  # type: ignore[attr-defined]  # missing in the stubs

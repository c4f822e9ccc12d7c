"""A loaded Python file, the only door through which it is run, and the account of what went wrong inside.

What a run may rely on and what is put back afterwards is `surroundings.py`'s.
"""

from __future__ import annotations

import io
import os
import random
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from .errors import CodeError, LackError, text_of
from .modules import Modules
from .surroundings import Surroundings
from .wrapping import PLAIN, Wrapping


class Code:
    """A loaded Python file, and the only door through which it is run.

    While it runs, its folder is importable, `import` finds its own neighbours first, prints are swallowed and warnings
    silent; afterwards path, modules, working directory, generators and streams are as they were. Libraries that it
    imported stay loaded.

    path : the file
    wrapping : what it computes with in place of arrays
    modules : the file and its neighbours where they lie in no folder
    Raises CodeError (during load).
    """

    wrapping: Wrapping = PLAIN

    def __init__(self, path: str, wrapping: Wrapping = PLAIN, modules: Modules | None = None) -> None:
        self.wrapping = wrapping
        self.path = os.path.abspath(path)
        self.name = os.path.basename(self.path)
        self.during = "load"
        self.notes: dict[str, None] = {}
        self.names: dict[str, Any] = {}
        self.modules = modules or Modules(self.path, self._read())
        self._surroundings = Surroundings(self.modules, _Sink(self), self._blame, wrapping)
        with self.running("load"):
            self.names = self.modules.load()
        for library in self.modules.absent.libraries:
            self.note(f"'{library}' is not installed: what uses it fails")
        if self.modules.endless is not None:
            self.note(f"loading stops at {self.name}:{self.modules.endless}, a loop without an end")

    def _read(self) -> bytes:
        try:
            with open(self.path, "rb") as file:
                return file.read()
        except OSError as error:
            raise CodeError("missing", "load", f"cannot read '{self.name}': {error.strerror}") from None

    def running(self, during: str) -> AbstractContextManager[None]:
        """Set up what the code may rely on, put back what it may have changed, make a CodeError of what it raises.

        Ctrl-C passes: it is the person's, not the code's.
        """
        self.during = during
        return self._surroundings

    def held(self) -> AbstractContextManager[None]:
        """Put the caller's generators and working directory aside once for many runs, instead of for each."""
        return self._surroundings.held()

    def seed(self, seed: int) -> None:
        """Set the global generators; to be called while running."""
        np.random.seed(seed % 2**32)
        random.seed(seed)
        self.wrapping.seed(seed)

    def note(self, text: str) -> None:
        """Remember something worth knowing, once."""
        self.notes[text] = None

    def error(self, kind: str, text: str, hint: str = "") -> CodeError:
        """An error of the code without a line of its own."""
        return CodeError(kind, self.during, text, self.name, None, hint)

    def _blame(self, error: BaseException) -> CodeError:
        if isinstance(error, LackError):
            return self.error(error.kind, error.text, error.hint)
        file, line = self._place(error)
        kind, hint = "raised", self.wrapping.hint(error)
        if isinstance(error, NotImplementedError):
            kind = "unfinished"
        elif isinstance(error, FileNotFoundError) and self.during == "load":
            hint = f"put it where '{self.name}' looks for it, seen from its folder, or read it only where it is used"
        elif isinstance(error, ModuleNotFoundError) and error.name:
            library = error.name.partition(".")[0]
            if library != self.modules.package.partition(".")[0]:
                hint = f"install '{library}'"
        return CodeError(kind, self.during, text_of(error), file, line, hint)

    def _place(self, error: BaseException) -> tuple[str, int | None]:
        """File and line of the deepest frame inside the user's files."""
        relative = self.modules.relative
        file, line = self.name, None
        if isinstance(error, SyntaxError) and error.filename and relative(error.filename):
            return relative(error.filename) or file, error.lineno
        frame = error.__traceback__
        while frame is not None:
            own = relative(frame.tb_frame.f_code.co_filename)
            if own is not None:
                file, line = own, frame.tb_lineno
            frame = frame.tb_next
        if line is None and isinstance(error, TypeError):  # wrong arguments: raised before the function's first line
            function = self.names.get(str(error).partition("(")[0].rpartition(".")[2])
            line = getattr(getattr(function, "__code__", None), "co_firstlineno", None)
        return file, line


class _Sink(io.TextIOBase):
    """Takes what the code prints; only that it printed, and when, is remembered."""

    encoding = "utf-8"  # some libraries read it before they print

    def __init__(self, code: Code) -> None:
        self.code = code

    def write(self, text: str) -> int:
        during = self.code.during
        self.code.note("the code prints when it is loaded" if during == "load" else f"{during} prints")
        return len(text)

    def writable(self) -> bool:
        return True

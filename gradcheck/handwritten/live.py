"""Functions of a running program in place of a file: the same session, the same fresh copies, seeds and notes.

Only what differs from a file stands here; how such functions are called is `pair.py`'s, and running them `session/`'s.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from gradcheck.handwritten.session.code import Code, _Sink
from gradcheck.handwritten.session.modules import Modules
from gradcheck.handwritten.session.surroundings import Surroundings

OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # frames of gradcheck are nobody's mistake


class LiveCode(Code):
    """The door through which functions of the caller's program are run.

    names : what the statements of a plan may call
    files : those that the functions stand in, the forward's first; an error of theirs is located in these and in
        their neighbours
    """

    def __init__(self, names: Mapping[str, Any], files: Sequence[str]) -> None:
        # Not Code's own: that reads a file and runs it, and these functions are loaded already.
        self.path, self.name, self.during = files[0], os.path.basename(files[0]), "load"
        self.names, self.notes = dict(names), {}
        self.modules = _CallersModules(files)
        self._surroundings = Surroundings(self.modules, _Sink(self), self._blame)


class _CallersModules(Modules):
    """The program's own modules: they are loaded, and stay where they are."""

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__(files[0], b"")
        self.files, self.roots = files, []

    def enter(self) -> None:
        pass

    def leave(self) -> None:
        pass

    def each(self) -> list[ModuleType]:
        return []

    def relative(self, path: str) -> str | None:
        """The name of one of the files, or of a neighbour of them; None for gradcheck itself and for libraries."""
        if path in self.files:
            return os.path.basename(path)
        if path.startswith(OURS + os.sep) or not os.path.isabs(path):
            return None
        folders = [os.path.dirname(file) + os.sep for file in self.files if os.path.isabs(file)]
        below = [path.removeprefix(folder) for folder in folders if path.startswith(folder)]
        is_near = any("-packages" + os.sep not in part for part in below)  # site-packages of an environment there
        return os.path.basename(path) if is_near else None


def place_of(function: Callable[..., Any]) -> tuple[str, int]:
    """File and line of a function, for messages; ("<python>", 1) where there is none, as for a builtin."""
    candidates = (inspect.unwrap(getattr(function, "__func__", function)), type(function).__call__)
    codes = (getattr(candidate, "__code__", None) for candidate in candidates)
    code = next((code for code in codes if code is not None), None)
    return (code.co_filename, code.co_firstlineno) if code is not None else ("<python>", 1)

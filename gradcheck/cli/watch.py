"""`gradcheck run --watch`: checks again what a saved file touches, until Ctrl-C.

Waiting is watchfiles' (an extra), which case a file touches is `checking.files`'s; checking and showing is `run`'s.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sized
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradcheck.cli.output import MissingExtraError, Page, is_terminal, write
from gradcheck.errors import GradcheckError

if TYPE_CHECKING:  # loading a case takes numpy, `--help` does without
    from gradcheck.casefile.loader import Loaded

INTERRUPTED = 130  # ExitCode, which would bring in numpy
SUFFIXES = frozenset((".yaml", ".yml", ".py", ".npz", ".npy"))
WAKE = 200  # milliseconds between two looks for Ctrl-C
MOST_NAMES = 3  # of files that a heading lists


def require_watchfiles() -> None:
    """Raises MissingExtraError, before anything is checked."""
    if find_spec("watchfiles") is None:
        raise MissingExtraError("--watch needs watchfiles, which is not installed", "pip install 'gradcheck[watch]'")


def watch_cases(paths: tuple[str, ...], keyword: str | None, check: Callable[[Loaded], int], page: Page) -> int:
    """Check all, then again and again what has changed.

    check : checks what is loaded and shows it; its exit code

    Returns: 130, for nothing but Ctrl-C ends it.
    """
    try:
        return _Watch(paths, keyword, check, page).run()
    except KeyboardInterrupt:
        _tell("stopped")
        return INTERRUPTED


class _Watch:
    """What is known between two looks at the files."""

    def __init__(self, paths: tuple[str, ...], keyword: str | None, check: Callable[[Loaded], int], page: Page) -> None:
        from gradcheck.casefile.loader import load

        self.paths, self.keyword, self.check, self.page = paths, keyword, check, page
        self._load = load
        self._read()

    def run(self) -> int:
        """Until a check is interrupted, or Ctrl-C raises KeyboardInterrupt here."""
        if self.check(self.loaded) == INTERRUPTED:
            return INTERRUPTED
        while True:
            folders = self._folders()
            for changed in self._changes(folders):
                code = self._look(changed)
                if code == INTERRUPTED:
                    return INTERRUPTED
                if self._folders() != folders:
                    break  # a case names a file elsewhere now
                if code is not None:
                    _ready(self.stamps)

    def _changes(self, folders: list[Path]) -> Iterator[set[Path]]:
        """What is saved from now on, and first what was saved before the watch had begun."""
        from watchfiles import watch

        has_begun = False
        for found in watch(
            *folders, watch_filter=_is_ours, raise_interrupt=True, rust_timeout=WAKE, yield_on_timeout=True
        ):
            changed = {Path(name).resolve() for _, name in found}
            if not has_begun:
                has_begun = True
                changed |= {file for file, stamp in self.stamps.items() if _stamp(file) != stamp}
                if not changed:
                    _ready(self.stamps)
            if changed:
                yield changed

    def _look(self, changed: set[Path]) -> int | None:
        """Check what the saved files touch; the exit code, None where that is nothing."""
        from gradcheck.casefile.loader import Loaded
        from gradcheck.checking.selection import select

        before, problems = self.files, self.loaded.problems
        self._read()
        # Files of before count, too: what is no longer imported was a part of the case. A case that is new is checked.
        touched = {
            name for name, files in self.files.items()
            if name not in before or not changed.isdisjoint(files | before[name])
        }  # fmt: skip
        cases = select((case for case in self.loaded.cases if (case.file, case.name) in touched), self.keyword)
        if not cases and self.loaded.problems == problems:
            return None
        ours = set(self.stamps).union(*before.values())
        _head(sorted(changed & ours or changed), self.page)
        try:
            return self.check(Loaded(cases, self.loaded.problems, self.loaded.doubtful))
        except GradcheckError as error:  # the watch goes on: the next save may mend it
            _tell(f"error: {error.message}\n  {error.hint}".rstrip())
            return 0

    def _read(self) -> None:
        """Load the cases; which files each is made of, and when those were saved."""
        from gradcheck.checking.files import files_of

        given = {Path(path).resolve() for path in self.paths if os.path.isfile(path)}
        self.loaded = self._load(self.paths)
        self.files = {(case.file, case.name): files_of(case) for case in self.loaded.cases}
        self.stamps = {file: _stamp(file) for file in given.union(*self.files.values())}

    def _folders(self) -> list[Path]:
        """What is to be watched: folders, because editors save by putting another file in the place of the old one."""
        given = {Path(path).resolve() for path in self.paths}
        wanted = {path if path.is_dir() else path.parent for path in given} | {file.parent for file in self.stamps}
        folders = {folder for folder in wanted if folder.is_dir()}
        return sorted(folder for folder in folders if folders.isdisjoint(folder.parents))


def _stamp(file: Path) -> int:
    """When it was saved; 0 for one that is not there."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _is_ours(change: object, path: str) -> bool:
    """Files that a case can be made of, not those that tools leave behind."""
    place = Path(path)
    return place.suffix in SUFFIXES and "__pycache__" not in place.parts


def _ready(files: Sized) -> None:
    _tell(f"watching {len(files)} file{'' if len(files) == 1 else 's'}; Ctrl-C ends")


def _head(changed: list[Path], page: Page) -> None:
    """The last result stands first: on a terminal the page is empty before it, elsewhere a line says what changed."""
    names = ", ".join(path.name for path in changed[:MOST_NAMES])
    more = f" and {len(changed) - MOST_NAMES} more" if len(changed) > MOST_NAMES else ""
    if is_terminal(sys.stdout):
        click.clear()
    write(f"\nchanged: {names}{more}\n\n", sys.stdout, page.color)
    sys.stdout.flush()


def _tell(text: str) -> None:
    write(f"{text}\n", sys.stderr, color=False)
    if sys.stderr is not None:
        sys.stderr.flush()

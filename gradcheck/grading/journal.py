"""The journal of a grading: one line of JSON for every result, on the disk before the next one begins.

Whoever is interrupted – by Ctrl-C, by a power cut – finds everything that was known, and grades nothing twice. A line
counts only where assignment, submission, walls and version are the same as now; a line cut short counts for nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from gradcheck import __version__
from gradcheck.errors import GradcheckError
from gradcheck.grading.plain import plain, revived
from gradcheck.model.grading import Assignment, Submission, SubmissionResult, Walls

FILE = "journal.jsonl"


class JournalError(GradcheckError):
    """A journal that cannot be written, or that somebody else is writing."""


class Journal:
    """What is known of a grading. known : submissions that need not be graded again, by key"""

    def __init__(self, stream: IO[str], assignment: Assignment, walls: Walls) -> None:
        self._stream, self._about = stream, [__version__, assignment.digest, walls.tier]
        self._known: dict[str, SubmissionResult] = {}

    def read(self, lines: Iterator[str]) -> None:
        for line in lines:
            with suppress(LookupError, TypeError, ValueError):  # cut short, or of another version
                entry = json.loads(line)
                if entry["about"] == self._about:
                    result = revived(SubmissionResult, entry["result"])
                    self._known[_key(result.submission, result.slug, result.sha256)] = result

    def known(self, submission: Submission) -> SubmissionResult | None:
        """The result of exactly this submission, where there is one."""
        return self._known.get(_key(submission.name, submission.slug, submission.sha256))

    def add(self, result: SubmissionResult) -> None:
        """Keep a result; returns when it is on the disk."""
        line = json.dumps({"about": self._about, "result": plain(result)}, allow_nan=False)
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise JournalError(
                f"the journal cannot be written: {error.strerror}", "make room, and run it again"
            ) from None


@contextmanager
def journal_in(folder: Path, assignment: Assignment, walls: Walls, *, is_fresh: bool = False) -> Iterator[Journal]:
    """The journal of a folder, for as long as the block lasts.

    is_fresh : forget what is in it
    Raises JournalError where it cannot be written, or where another grading writes it just now.
    """
    path = folder / FILE
    try:
        stream = path.open("a+", encoding="utf-8", newline="\n")
    except OSError as error:
        raise JournalError(f"'{path}' cannot be written: {error.strerror}", "choose another folder: -o OUT") from None
    with stream:
        _lock(stream, path)
        if is_fresh:
            stream.truncate(0)
        stream.seek(0)
        journal = Journal(stream, assignment, walls)
        text = stream.read()
        journal.read(iter(text.splitlines()))
        if text and not text.endswith("\n"):  # the line that was being written when it was cut short
            stream.write("\n")
        yield journal


def _lock(stream: IO[str], path: Path) -> None:
    import fcntl  # grading needs Linux; reading this file does not

    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise JournalError(
            f"another grading writes '{path}' just now", "wait for it, or choose another -o OUT"
        ) from None


def _key(name: str, slug: str, sha256: str) -> str:
    return json.dumps([name, slug, sha256])

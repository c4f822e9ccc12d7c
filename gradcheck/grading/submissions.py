"""What students handed in → bytes with a name: folders, single Python files, zips.

Everything is opened once, without following a link, and never again; whatever is odd about it becomes a refusal of that
one submission. Who a student is, is found out in `roster.py`.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from gradcheck.errors import GradcheckError
from gradcheck.grading.archives import (
    MOST_BYTES,
    MOST_ENTRIES,
    MOST_FILE,
    RefusedError,
    content_of,
    entries_of,
    shown,
)
from gradcheck.model.grading import Submission
from gradcheck.record import dataclass

MOST_DEPTH = 6  # folders within each other
_ASIDE = ("__MACOSX", "__pycache__")


class SubmissionsError(GradcheckError):
    """Nothing to grade where submissions were said to be."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was handed in. path : where it lies; slug : see Submission"""

    path: Path
    name: str
    slug: str


def entries(paths: Iterable[str | Path], *, are_single: bool = False) -> list[Entry]:
    """The submissions in some folders, sorted by name.

    paths : folders that hold submissions; or, a file, one submission
    are_single : every path is one submission, a folder too
    Raises SubmissionsError where a path is not there, or where there is nothing in any of them.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if not os.path.lexists(path):
            raise SubmissionsError(f"there is no '{path}'", "name a folder with one entry for each submission")
        if are_single or not path.is_dir() or path.is_symlink():
            found.append(path)
            continue
        found += [path / name for name in sorted(os.listdir(path)) if not name.startswith(".") and name not in _ASIDE]
    if not found:
        raise SubmissionsError("there are no submissions", "each is a folder, a .py or a .zip")
    slugs: set[str] = set()
    made = []
    for path in found:
        slug = base = slug_of(path.name)
        number = 1
        while slug in slugs:
            number += 1
            slug = f"{base}-{number}"
        slugs.add(slug)
        made.append(Entry(path, _readable(path.stem if path.suffix in (".py", ".zip") else path.name), slug))
    return sorted(made, key=lambda entry: (entry.name, entry.slug))


def slug_of(name: str) -> str:
    """A name for files about a submission: letters, digits and `-`, and eight digits that no other name has.

    Names that differ by case or by Unicode form only, that are `..`, names of devices or of 300 characters, all get one
    that is safe on every system.
    """
    ascii_ = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    word = re.sub(r"[^a-z0-9]+", "-", ascii_).strip("-")[:40].strip("-") or "submission"
    return f"{word}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}"


def read_submission(entry: Entry, files: Sequence[str]) -> Submission:
    """The declared files of a submission. Never raises for what is handed in: that is a refusal."""
    notes: list[str] = []
    try:
        found = _read(entry.path, files, notes)
    except RefusedError as error:
        return _made(entry, {}, error.message, notes)
    except OSError as error:
        return _made(entry, {}, f"it cannot be read: {(error.strerror or 'unknown reason').lower()}", notes)
    except Exception as error:  # nothing that is handed in ends the grading of the others
        return _made(entry, {}, f"it cannot be read: {type(error).__name__}", notes)
    refusal = "" if found else f"there is no {' or '.join(map(repr, files))} in it"
    return _made(entry, found, refusal, notes)


def _made(entry: Entry, files: Mapping[str, bytes], refusal: str, notes: Sequence[str]) -> Submission:
    digest = hashlib.sha256(refusal.encode())
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return Submission(entry.name, entry.slug, files, digest.hexdigest(), refusal, tuple(notes))


def _read(path: Path, files: Sequence[str], notes: list[str]) -> dict[str, bytes]:
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        raise RefusedError("it is a link")
    if stat.S_ISDIR(mode):
        return _chosen(files, list(_below(path)), lambda name: _content(path / name, MOST_FILE), notes)
    if not stat.S_ISREG(mode):
        raise RefusedError("it is no regular file")
    if path.suffix.lower() == ".py":
        if len(files) > 1 and path.name not in files:
            raise RefusedError(f"it is one file, and {len(files)} are asked for: {', '.join(files)}")
        return {path.name if path.name in files else files[0]: _content(path, MOST_FILE)}
    if path.suffix.lower() == ".zip":
        content = _content(path, MOST_BYTES)
        inside = entries_of(content)
        return _chosen(files, list(inside), lambda name: content_of(content, inside[name]), notes)
    raise RefusedError("expected a folder, a .py or a .zip")


def _chosen(
    files: Sequence[str], names: Sequence[str], read: Callable[[str], bytes], notes: list[str]
) -> dict[str, bytes]:
    """The declared files, at their place or, all of them, in a folder further down."""
    usual = [name for name in names if not any(part.startswith(".") or part in _ASIDE for part in name.split("/"))]
    found: dict[str, bytes] = {}
    for file in files:
        places = [file] if file in usual else [name for name in usual if name.endswith(f"/{file}")]
        if len(places) > 1:
            raise RefusedError(f"{len(places)} files in it are called '{shown(file)}'")
        if places:
            found[file] = read(places[0])
    others = len(usual) - len(found)
    if others and found:
        notes.append(f"{others} other file{'' if others == 1 else 's'} in it left aside")
    return found


def _below(folder: Path) -> Iterator[str]:
    """Names of the regular files below a folder, links left out. Raises RefusedError where there are too many."""
    count = 0
    waiting = [""]
    while waiting:
        inner = waiting.pop()
        with os.scandir(folder / inner) as found:
            for entry in found:
                count += 1
                if count > MOST_ENTRIES:
                    raise RefusedError(f"there are more than {MOST_ENTRIES} files in it")
                name = f"{inner}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    if name.count("/") < MOST_DEPTH:
                        waiting.append(f"{name}/")
                elif entry.is_file(follow_symlinks=False):
                    yield name
                elif entry.is_symlink() and entry.name.endswith(".py"):
                    raise RefusedError(f"'{shown(_readable(name))}' in it is a link")


def _content(path: Path, most: int) -> bytes:
    """The bytes of a regular file, opened without following a link or waiting for a pipe. Raises RefusedError."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise RefusedError(f"'{shown(_readable(path.name))}' cannot be opened: {error.strerror}") from None
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise RefusedError(f"'{shown(_readable(path.name))}' is no regular file")
        data = stream.read(most + 1)
    if len(data) > most:
        raise RefusedError(f"'{shown(_readable(path.name))}' is larger than {most // 2**20} MiB")
    return data


def _readable(name: str) -> str:
    """A name that can be written down, whatever bytes it is made of."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")

"""The homework file as students may see it: without hidden cases, reference, points and the secret.

Comments and order stay as they were written, except inside and in front of what is taken out.
"""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark
from ruamel.yaml.tokens import CommentToken

from gradcheck.casefile.arrays import file_of
from gradcheck.errors import GradcheckError
from gradcheck.location import SourceText
from gradcheck.model.case import CodeBody
from gradcheck.model.grading import Assignment
from gradcheck.record import dataclass

KEPT_BACK = ("reference", "points", "hidden")  # of a case, or of the defaults
OF_TEACHERS = ("secret", "roster", "budget", "feedback")  # of the assignment


class HandoutError(GradcheckError):
    """A handout that would give away more than it should, or that cannot be written."""


@dataclass(frozen=True, slots=True)
class Handout:
    """text : of the case file; files : what goes with it, as (path here, path there)"""

    text: str
    files: tuple[tuple[Path, str], ...]


def handout(assignment: Assignment, text: str) -> Handout:
    """What students get.

    text : of the homework file
    Raises HandoutError where something hidden would be left in it.
    """
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096  # no line is broken that was not
    indent = _indent(text)
    yaml.indent(mapping=2, sequence=indent + 2, offset=indent)
    root = yaml.load(text)
    cases = root.get("cases")
    if isinstance(cases, CommentedSeq):
        defaults = root.get("defaults") or {}
        for at in reversed(range(len(cases))):
            if cases[at].get("hidden", defaults.get("hidden", False)) is True:
                _take_out(cases, at)
        for mapping in (root.get("defaults"), *cases):
            _strip(mapping, KEPT_BACK)
        if not cases:
            raise HandoutError("every case is hidden, so there is nothing to hand out", "leave one of them visible")
    elif root.get("hidden") is True:
        raise HandoutError("every case is hidden, so there is nothing to hand out", "leave one of them visible")
    else:
        _strip(root, KEPT_BACK)
    if not _strip(root.get("assignment"), OF_TEACHERS):
        root.pop("assignment", None)
    stream = io.StringIO()
    yaml.dump(root, stream)
    made = stream.getvalue().rstrip("\n") + "\n"
    _refuse_leaks(assignment, made)
    return Handout(made, tuple(_files(assignment)))


def write(made: Handout, name: str, folder: Path) -> list[str]:
    """Write a handout into a folder; returns what was written. Raises HandoutError; nothing is ever overwritten."""
    targets = [folder / name, *(folder / there for _, there in made.files)]
    present = [target for target in targets if target.exists()]
    if present:
        raise HandoutError(f"'{present[0]}' exists already", "choose an empty folder, or remove it")
    try:
        for (here, _), target in zip(made.files, targets[1:], strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(here, target)
        folder.mkdir(parents=True, exist_ok=True)
        targets[0].write_text(made.text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise HandoutError(f"the handout could not be written: {error.strerror}", "choose another folder") from None
    return [str(target) for target in targets]


def _files(assignment: Assignment) -> Iterator[tuple[Path, str]]:
    """Starter files, as far as they are there, and the arrays that visible cases read."""
    for file in assignment.files:
        if (assignment.folder / file).is_file():
            yield assignment.folder / file, file
    arrays = dict.fromkeys(
        found[0]
        for check in assignment.checks
        for case in check.cases
        if not check.is_hidden
        for spec in case.inputs.values()
        if isinstance(spec, SourceText) and (found := file_of(spec.text))
    )
    for file in arrays:
        yield assignment.folder / file, file


def _strip(mapping: Any, keys: tuple[str, ...]) -> bool:
    """Take keys out of a mapping, with their comments; whether anything is left."""
    if not isinstance(mapping, CommentedMap):
        return False
    for key in keys:
        if key not in mapping:
            continue
        order = list(mapping)
        before = order[order.index(key) - 1] if order[0] != key else None
        following = _cut_trailing(mapping, key)
        mapping.ca.items.pop(key, None)
        del mapping[key]
        if before is not None and following:
            _hang(mapping, before, following)
    return bool(mapping)


def _take_out(cases: CommentedSeq, at: int) -> None:
    """A hidden case goes with all comments in it and with those in front of it, which are about it."""
    if at:
        _cut_trailing(cases, at - 1)
        _hang(cases, at - 1, "\n")
    elif cases.ca.comment:
        cases.ca.comment = None
    del cases[at]


def _cut_trailing(node: Any, key: Any) -> str:
    """Remove and return the lines behind an entry: ruamel.yaml hangs what stands in front of the next one there."""
    cut = ""
    for holder, last in _last_places(node, key):
        for token in _tokens(holder.ca.items.get(last)):
            own, _, following = token.value.partition("\n")
            token.value = f"{own}\n"
            cut += following
    return cut


def _hang(node: Any, key: Any, lines: str) -> None:
    """Put lines behind an entry."""
    holder, last = list(_last_places(node, key))[-1]
    tokens = list(_tokens(holder.ca.items.get(last)))
    if tokens:
        tokens[-1].value = tokens[-1].value.rstrip("\n") + "\n" + lines
        return
    at = 0 if isinstance(holder, CommentedSeq) else 2
    places: list[Any] = [None, None, None, None]
    places[at] = CommentToken(f"\n{lines}", CommentMark(0), None)
    holder.ca.items[last] = places


def _last_places(node: Any, key: Any) -> Iterator[tuple[Any, Any]]:
    """An entry, the last one inside its value, and so on inwards: (collection, key or index)."""
    while True:
        yield node, key
        inner = node[key]
        if not isinstance(inner, CommentedMap | CommentedSeq) or not inner or inner.fa.flow_style():
            return
        node, key = inner, list(inner)[-1] if isinstance(inner, CommentedMap) else len(inner) - 1


def _indent(text: str) -> int:
    """How far the dashes of a list stand behind its key."""
    found = re.search(r"^cases:[^\n]*\n(?:\s*#[^\n]*\n|\s*\n)*( *)-", text, re.MULTILINE)
    return len(found[1]) if found else 0


def _tokens(found: Any) -> Iterator[Any]:
    for entry in found or ():
        if isinstance(entry, list):
            yield from _tokens(entry)
        elif entry is not None:
            yield entry


def _refuse_leaks(assignment: Assignment, text: str) -> None:
    """The last look: no hidden name, no reference may be left, wherever it was written."""
    hidden = {check.name for check in assignment.checks if check.is_hidden}
    bodies = [case.body for check in assignment.checks for case in check.cases]
    references = {body.reference.name for body in bodies if isinstance(body, CodeBody) and body.reference is not None}
    for word in sorted(hidden | references):
        if re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", text):
            message = f"'{word}' would still be in the handout: in a comment, or a text of a case that students see"
            raise HandoutError(message, "take it out there")

"""A case file for somebody's Python file: what is in it, how it is called, with which arrays, as far as can be told.

This room runs the code that it writes cases for; whether its gradients are right is left to those cases.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

from gradcheck.errors import GradcheckError, UserCodeError
from gradcheck.handwritten.outline import read_outline
from gradcheck.handwritten.scaffold.engines import engine_findings, is_engine
from gradcheck.handwritten.scaffold.facts import FileFacts, read_facts
from gradcheck.handwritten.scaffold.search import search
from gradcheck.handwritten.scaffold.subjects import find_subjects
from gradcheck.handwritten.scaffold.trial import Limit
from gradcheck.handwritten.scaffold.writing import Scaffold, write
from gradcheck.handwritten.session import Code, CodeError

MAX_HALVES = 4  # that are named

__all__ = ["NothingFoundError", "Scaffold", "scaffold"]


class NothingFoundError(GradcheckError):
    """The file has nothing that could be checked, or is no Python."""


def scaffold(path: Path, *, code: str, name: str, limit: Limit = nullcontext) -> Scaffold:
    """Write cases for everything in a Python file that has a backward pass.

    path : the file; code : what the case file will call it; name : of the case file
    limit : makes a context that raises UserCodeError where a trial run takes too long

    Raises NothingFoundError.
    """
    path = path.resolve()
    facts = _facts(path)
    outline = read_outline(path)
    subjects, halves = find_subjects(facts, outline)
    has_engine = any(name in facts.classes and is_engine(one) for name, one in outline.classes.items())
    if not (subjects or has_engine):
        raise NothingFoundError(f"no backward pass was found in '{path.name}'", _hint(halves))
    untested = _reason_not_to_run(path, limit)
    found = [search(subject, facts, outline, path, limit, may_run=not untested) for subject in subjects]
    if has_engine and untested:
        raise NothingFoundError(f"the operations of '{path.name}' cannot be tried: {untested}", "make it importable")
    found += engine_findings(facts, outline, path, limit) if has_engine else []
    return write(found, code=code, name=name, halves=halves, untested=untested)


def _hint(halves: list[str]) -> str:
    if halves:
        shown = ", ".join(halves[:MAX_HALVES]) + (", …" if len(halves) > MAX_HALVES else "")
        return f"of {shown} the other half is missing: relu_forward and relu_backward, say, in one file"
    return "recognised are pairs such as relu_forward and relu_backward, classes with forward and backward"


def _facts(path: Path) -> FileFacts:
    try:
        return read_facts(path)
    except OSError as error:
        raise NothingFoundError(f"cannot read '{path.name}': {error.strerror or error}") from None
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        where = f", line {line}" if line else ""
        raise NothingFoundError(f"'{path.name}' is no Python: {getattr(error, 'msg', error)}{where}") from None


def _reason_not_to_run(path: Path, limit: Limit) -> str:
    """Why the file cannot be loaded; "" where it can."""
    try:
        with limit():
            Code(str(path))
    except CodeError as error:
        place = "" if error.file is None or error.line is None else f", {error.file}:{error.line}"
        return f"{error.text}{place}"
    except UserCodeError as error:
        return error.message
    return ""

"""Which files a case is made of: a saved one touches it.

Read off the texts: a case names its code and its arrays, a Python file its neighbours by importing them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from gradcheck.casefile.usage import texts_of
from gradcheck.location import SourceText
from gradcheck.model.case import Case, CodeBody, FunctionBody

_FILE = re.compile(r"[\w./\\-]+\.(?:py|npz|npy)\b")


def files_of(case: Case) -> frozenset[Path]:
    """The case file, the code and the arrays that the case names, and the neighbours that its code imports."""
    found = {Path(case.file).resolve()}
    for text in _texts(case):
        found.update((case.directory / name).resolve() for name in _FILE.findall(text))
    if isinstance(case.body, CodeBody):
        found.update(path.resolve() for path in (case.body.path, case.body.reference) if path is not None)
    reached = set(found)
    waiting = [path for path in found if path.suffix == ".py"]
    while waiting:
        path = waiting.pop()
        new = set(_imported(path)) - reached
        reached |= new
        waiting += new
    return frozenset(reached)


def _texts(case: Case) -> Iterator[str]:
    """Every text that may name a file."""
    body = case.body
    if isinstance(body, CodeBody):
        yield body.arrays or ""
    yield from (source.text for source in texts_of(body))
    specs = [*case.inputs.values(), *case.constants.values(), case.upstream]
    specs += [] if isinstance(body, FunctionBody | CodeBody) else body.parameters.values()
    yield from (spec.text for spec in specs if isinstance(spec, SourceText))


def _imported(path: Path) -> Iterator[Path]:
    """The Python files beside or below a file's folder that it imports, as far as they exist."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # the run tells; the file itself is watched
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [module, *(f"{module}.{alias.name}".strip(".") for alias in node.names)]
        for name in filter(None, names):
            parts = name.split(".")
            for depth in range(1, len(parts) + 1):
                place = path.parent.joinpath(*parts[:depth])
                yield from (p.resolve() for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file())

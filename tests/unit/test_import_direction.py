"""The house has one staircase: every import points up the page of the rooms, never down."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "gradcheck"

# From the top of the page to the bottom; a room may import from its own line and from those above it.
FLOORS = (
    ("record",), ("errors", "location"), ("notation",), ("model",), ("casefile",), ("perturb",), ("ops",), ("graph",),
    ("handwritten",), ("numerical",), ("verdict",), ("sandbox",), ("checking",), ("mutation",), ("explain",),
    ("grading",), ("reporters",), ("api", "cli", "pytest_plugin"), ("__main__",), ("__init__",),
)  # fmt: skip
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def room_of(parts: tuple[str, ...]) -> str:
    """`gradcheck/casefile/tree.py` → casefile; `gradcheck/errors.py` → errors."""
    return parts[0].removesuffix(".py")


def imported(tree: ast.AST, inside: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """(line, room) of every import of the package, wherever it stands in the file, relative ones included."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            base = ["gradcheck", *inside][: len(inside) + 2 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "gradcheck" else [module]
        for name in names:
            parts = name.split(".")
            if parts[0] == "gradcheck" and len(parts) > 1:
                yield node.lineno, parts[1]


def violations(path: tuple[str, ...], source: str) -> list[str]:
    """Imports of a file that point down the page; path is relative to the package."""
    here = room_of(path)
    return [
        f"{'/'.join(path)}:{line}: {here} imports {room}, which stands below it"
        for line, room in imported(ast.parse(source), path[:-1])
        if room in FLOOR and FLOOR[room] > FLOOR[here]
    ]


def files() -> list[tuple[str, ...]]:
    return sorted(file.relative_to(PACKAGE).parts for file in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", files(), ids="/".join)
def test_every_import_points_up_the_page(path: tuple[str, ...]) -> None:
    assert room_of(path) in FLOOR, f"{'/'.join(path)} belongs to no room of the house; give it a line in FLOORS"
    assert violations(path, PACKAGE.joinpath(*path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (("numerical", "steps.py"), "from gradcheck.verdict.compare import compare\n"),
        (("verdict", "compare.py"), "import gradcheck.checking.check\n"),
        (("errors.py",), "from gradcheck import notation\n"),
        (("model", "case.py"), "def f():\n    from gradcheck.cli import main\n"),
        (("ops", "registry.py"), "from ..graph.graph import Graph\n"),
        (("ops", "registry.py"), "from .. import graph\n"),
    ],
)  # fmt: skip
def test_an_import_that_points_down_is_found(path: tuple[str, ...], source: str) -> None:
    assert len(violations(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (("numerical", "steps.py"), "import numpy\nfrom gradcheck.model.problem import Problem\n"),
        (("ops", "registry.py"), "from .axes import normalise\nfrom . import axes\n"),
        (("cli", "run.py"), "from gradcheck import __version__\nfrom gradcheck.cli.output import write\n"),
    ],
)
def test_an_import_that_points_up_or_sideways_is_none_of_our_business(path: tuple[str, ...], source: str) -> None:
    assert violations(path, source) == []

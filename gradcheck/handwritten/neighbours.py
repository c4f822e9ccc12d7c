"""The text of somebody's file and what it imports: under which names, and from which files of the same author.

Parsed and never run; what the files declare is `outline.py`'s.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from pathlib import Path

MAX_LEVELS = 5  # folders that an import is followed upwards, and the file's own
MAX_FILES = 20  # neighbours that are followed for names imported from them


def parsed(file: Path) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # '\d' in somebody's text is not ours to report
            return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def imported(tree: ast.Module | None) -> dict[str, str]:
    """Name → what it was imported as: `import torch.nn as nn` makes nn torch.nn."""
    known: dict[str, str] = {}
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.Import):
            known.update({alias.asname: alias.name for alias in node.names if alias.asname})
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            known.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return known


def dotted(node: ast.expr, known: dict[str, str]) -> str:
    """`nn.Module` → torch.nn.Module; `partial(custom_vjp, …)` → jax.custom_vjp; "" for what is no name."""
    if isinstance(node, ast.Call):
        called = dotted(node.func, known)
        return dotted(node.args[0], known) if called.endswith("partial") and node.args else called
    if isinstance(node, ast.Attribute):
        holder = dotted(node.value, known)
        return f"{holder}.{node.attr}" if holder else ""
    return known.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def neighbours(file: Path, node: ast.ImportFrom) -> Iterator[Path]:
    """The file that an import names, where it is one of the author's own: beside this one, or in a folder above."""
    parts = (node.module or "").split(".")
    folder = file.parent
    for _ in range(max(0, node.level - 1)):
        folder = folder.parent
    for start in range(len(parts)):  # `from cs231n.fast_layers import …` inside the folder cs231n
        found = folder.joinpath(*parts[start:]).with_suffix(".py") if parts[start] else None
        if found is not None and found.is_file():
            yield found
            return
    for above in [] if node.level else file.parents[1:MAX_LEVELS]:  # `from nets.tools import …` in nets/layers/relu.py
        if (found := above.joinpath(*parts).with_suffix(".py")).is_file():
            yield found
            return

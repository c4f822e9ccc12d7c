"""The functions of somebody's file that a backward runs: found while it runs, and run in an edited form.

Only the code of a function is exchanged, for the time of a `with`; the file stays as it is.
"""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from types import CodeType, FrameType, FunctionType
from typing import Any

from gradcheck.handwritten.line_limit import Lines, is_free
from gradcheck.record import dataclass, field

MOST_LINES = 120  # of a function that is edited
MOST_FUNCTIONS = 6
# A function that calls one of these reaches beyond its arrays; it is left as it is.
OUTSIDE = frozenset(("open", "exec", "eval", "save", "savez", "savetxt", "tofile", "dump", "write", "write_text",
                     "remove", "unlink", "rmtree", "rename", "system", "run", "Popen", "send", "input"))  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class LiveFunction:
    """A function that ran, and its syntax tree.

    file : as its author would write it
    in_backward : whether backward calls it and forward does not
    values : of its variables, when it was last left
    """

    function: FunctionType
    tree: ast.FunctionDef
    file: str
    in_backward: bool
    values: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def edited(self) -> Iterator[bool]:
        """Run the tree as it now is in place of the code; False where it is no program."""
        before, code = self.function.__code__, _compiled(self.tree, self.function.__code__)
        if code is not None:
            self.function.__code__ = code
        try:
            yield code is not None
        finally:
            self.function.__code__ = before


@dataclass(frozen=True, slots=True, eq=False)
class Ran:
    """The functions that can be edited, those of backward first; and how many lines of the user's files ran."""

    functions: tuple[LiveFunction, ...] = ()
    lines: int = 0


def functions_run(
    run: Callable[[], Any],
    relative: Callable[[str], str | None],
    is_backward: Callable[[], bool],
    most_lines: int = sys.maxsize,
) -> Ran:
    """The functions of the user's files that a call runs; those of backward first, in the order they are entered.

    relative : the name of a file of the user's, None for any other
    is_backward : whether backward is running just now
    most_lines : of the user's files. Raises TooManyLinesError where more of them run

    Left out are functions with a `while` (an edit may never leave it) or one that catches whatever is
    raised, those that reach for files or the network, long ones, and what has no source.
    """
    seen: dict[CodeType, tuple[str, bool, dict[str, Any]]] = {}
    last: dict[CodeType, FrameType] = {}

    def look(frame: FrameType) -> None:
        code = frame.f_code
        file = seen[code][0] if code in seen else relative(code.co_filename) or ""
        last[code] = frame
        seen[code] = file, is_backward() and (code not in seen or seen[code][1]), frame.f_globals

    if not is_free():
        return Ran()
    lines = Lines(relative, look)
    with lines.counted(most_lines):
        run()
    holders = _holders(seen)
    found: list[LiveFunction] = []
    for code, (file, in_backward, _) in sorted(seen.items(), key=lambda item: not item[1][1]):
        function = holders.get(code)
        tree = None if function is None else _tree(code)
        if function is not None and tree is not None:
            found.append(LiveFunction(function, tree, file, in_backward, dict(last[code].f_locals)))
    return Ran(tuple(found[:MOST_FUNCTIONS]), lines.count)


def _holders(seen: dict[CodeType, tuple[str, bool, dict[str, Any]]]) -> dict[CodeType, FunctionType]:
    """The one function that has a code, of the module that ran: a file may be loaded several times."""
    found: dict[CodeType, list[FunctionType]] = {}
    for function in gc.get_referrers(*seen) if seen else ():
        if isinstance(function, FunctionType):
            names = seen.get(function.__code__, ("", False, None))[2]
            if names is function.__globals__:
                found.setdefault(function.__code__, []).append(function)
    return {code: functions[0] for code, functions in found.items() if len(functions) == 1}


def _tree(code: CodeType) -> ast.FunctionDef | None:
    """The definition in the file; None where it cannot be found or should not be edited."""
    try:
        with open(code.co_filename, encoding="utf-8") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if first == code.co_firstlineno:
                is_long = (node.end_lineno or 0) - node.lineno > MOST_LINES
                node.decorator_list = []
                return None if is_long or any(map(_is_barred, ast.walk(node))) else node
    return None


def _is_barred(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return getattr(node.func, "attr", getattr(node.func, "id", "")) in OUTSIDE
    if isinstance(node, ast.ExceptHandler):
        return node.type is None or getattr(node.type, "id", "") in ("BaseException", "KeyboardInterrupt")
    return isinstance(node, ast.While | ast.Global | ast.Nonlocal)


def _compiled(tree: ast.FunctionDef, like: CodeType) -> CodeType | None:
    module = ast.Module([_enclosed(tree, like.co_freevars) if like.co_freevars else tree], [])
    try:
        compiled = compile(module, like.co_filename, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, TypeError):
        return None
    if like.co_freevars:
        compiled = next(c for c in compiled.co_consts if isinstance(c, CodeType))
    code = next((c for c in compiled.co_consts if isinstance(c, CodeType) and c.co_name == tree.name), None)
    return code if code is not None and code.co_freevars == like.co_freevars else None


def _enclosed(tree: ast.FunctionDef, names: tuple[str, ...]) -> ast.FunctionDef:
    """A function around a closure, with the variables that it takes from there; all of them used, as they were."""
    used = ast.parse(f"if False: ({', '.join(names)},)").body
    inner = copy(tree)
    inner.body = [*tree.body, *used]
    outer = ast.parse(f"def enclosing():\n    {' = '.join(names)} = None").body[0]
    assert isinstance(outer, ast.FunctionDef)
    outer.body.append(ast.copy_location(inner, tree))
    return ast.fix_missing_locations(outer)

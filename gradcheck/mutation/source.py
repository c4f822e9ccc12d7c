"""Somebody's functions with one mistake in them: found while backward runs, and run in a changed copy in memory.

Only the code of a function is exchanged, for the time of a `with`; no file is ever written. Which changes there are is
said in `operators`.
"""

from __future__ import annotations

import ast
import difflib
import os
import sys
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from types import CodeType, FrameType, FunctionType
from typing import Any

from gradcheck.handwritten.live_functions import OUTSIDE
from gradcheck.mutation.operators import Text, changes
from gradcheck.record import dataclass

CONTEXT = 1  # lines around a change in a diff
Key = tuple[str, int]  # a function: its file, and the line that its code begins in


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change of one function.

    path, key : the file, and the function that is exchanged
    function : its name, of the innermost one where functions stand in each other
    kind : what sort of mistake it is
    line, lines : where it stands; the lines of the statement, of which one has to run for it to matter
    start, end, new : characters of the file, and what takes their place
    """

    path: str
    key: Key
    function: str
    kind: str
    line: int
    lines: tuple[int, int]
    start: int
    end: int
    new: str

    def applied(self) -> str:
        """The text of the whole file with the change."""
        source = _read(self.path).source
        return source[: self.start] + self.new + source[self.end :]

    def diff(self, shown: str) -> str:
        """A unified diff; shown : the name of the file, as its author would write it."""
        before, after = _read(self.path).source.split("\n"), self.applied().split("\n")
        return "\n".join(difflib.unified_diff(before, after, shown, shown, lineterm="", n=CONTEXT))

    def compiled(self, like: CodeType) -> CodeType | None:
        """The changed function; None where it is no program, or cannot stand in for the one that runs."""
        text, (first, last, around) = _read(self.path), _outermost(self.path)[self.key]
        changed = text.source[text.offsets[first - 1] : self.start] + self.new
        changed += text.source[self.end : text.offsets[last]]
        try:
            tree = ast.increment_lineno(ast.parse(f"{around}\n{changed}"), first - 2)
            code: CodeType | None = compile(tree, self.path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return None
        for name in (*([around[6:-1]] if around.startswith("class ") else []), like.co_name):
            inside = () if code is None else code.co_consts
            code = next((c for c in inside if isinstance(c, CodeType) and c.co_name == name), None)
        return code if code is not None and code.co_freevars == like.co_freevars else None


@dataclass(frozen=True, slots=True, eq=False)
class Ran:
    """What of somebody's files a call runs.

    functions : those that may be changed, by file and first line; several where the file is loaded more than once
    inner : the functions that ran inside each, by the line of their `def`
    lines : (file, line) of all that ran
    """

    functions: Mapping[Key, tuple[FunctionType, ...]]
    inner: Mapping[Key, frozenset[int]]
    lines: frozenset[tuple[str, int]]


@contextmanager
def exchanged(functions: Sequence[FunctionType], code: CodeType) -> Iterator[None]:
    """Run other code in place of a function's own."""
    before = [function.__code__ for function in functions]
    for function in functions:
        function.__code__ = code
    try:
        yield
    finally:
        for function, own in zip(functions, before, strict=True):
            function.__code__ = own


def traced(run: Callable[[], Any], is_theirs: Callable[[str], bool]) -> Ran:
    """What a call runs of the files that `is_theirs` says yes to.

    Left out are lambdas outside of functions, functions with a `while` (a change may never leave it), and those that
    reach for files or the network.
    """
    theirs: dict[str, bool] = {}
    codes: dict[tuple[CodeType, int], dict[str, Any]] = {}  # equal code may have been loaded twice
    lines: set[tuple[str, int]] = set()

    def look(frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if event == "call":
            path = code.co_filename
            if path not in theirs:
                theirs[path] = is_theirs(path)
            if not theirs[path]:
                return None
            codes[code, id(frame.f_globals)] = frame.f_globals
        lines.add((code.co_filename, frame.f_lineno))
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        run()
    finally:
        sys.settrace(before)
    functions: dict[Key, tuple[FunctionType, ...]] = {}
    inner: dict[Key, set[int]] = {}
    for (code, _), names in codes.items():
        found = _holder(code, names)
        if found is not None:
            key, function, line = found
            known = functions.get(key, ())
            functions[key] = known if function in known else (*known, function)
            inner.setdefault(key, set()).add(line)
    return Ran(functions, {key: frozenset(found) for key, found in inner.items()}, frozenset(lines))


def mutations(key: Key, inner: Iterable[int]) -> list[Mutation]:
    """Every change of a function, in the order of the text; of functions inside it only where those ran."""
    path = key[0]
    text, wanted = _read(path), set(inner)
    found: dict[tuple[int, int, str], Mutation] = {}
    for node in _definitions(path):
        if node.lineno not in wanted or _outer_key(path, node) != key:
            continue
        others = [d for d in ast.walk(node) if isinstance(d, ast.FunctionDef) and d is not node]
        for place, (kind, start, end, new) in changes(node, text):
            if any(d.lineno <= place.lineno <= (d.end_lineno or 0) for d in others) or text.source[start:end] == new:
                continue
            lines = (place.lineno, place.end_lineno or place.lineno)
            change = Mutation(path, key, node.name, kind, place.lineno, lines, start, end, new)
            found.setdefault((start, end, new), change)
    return list(found.values())


def is_file_of(directory: str) -> Callable[[str], bool]:
    """Whether a file lies below a folder, and is no library that is installed there."""
    root = os.path.abspath(directory)
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

    def is_theirs(path: str) -> bool:
        full = os.path.abspath(path)
        is_below = full.startswith(root + os.sep) and "-packages" + os.sep not in full[len(root) :]
        return is_below and not full.startswith(ours + os.sep) and os.path.isfile(full)

    return is_theirs


@lru_cache(maxsize=64)
def _read(path: str) -> Text:
    with tokenize.open(path) as file:
        return Text.of(file.read())


@lru_cache(maxsize=64)
def _definitions(path: str) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(ast.parse(_read(path).source)) if isinstance(node, ast.FunctionDef)]


def _outer(path: str, node: ast.FunctionDef) -> ast.FunctionDef:
    """The outermost function that a function stands in; itself for most."""
    around = [
        d for d in _definitions(path) if d.lineno <= node.lineno and (d.end_lineno or 0) >= (node.end_lineno or 0)
    ]
    return min(around, key=lambda d: d.lineno)


def _outer_key(path: str, node: ast.FunctionDef) -> Key:
    return path, _first(_outer(path, node))


def _first(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


@lru_cache(maxsize=64)
def _outermost(path: str) -> dict[Key, tuple[int, int, str]]:
    """Function → the lines from its `def` to its end, and what it needs above it; of those that stand in no other.

    A method needs its class, for `super()` and for names that begin with two underscores.
    """
    tree = ast.parse(_read(path).source)
    classes = {n.lineno: d.name for d in ast.walk(tree) if isinstance(d, ast.ClassDef) for n in d.body}
    found = {}
    for node in _definitions(path):
        if _outer(path, node) is node:
            name = classes.get(node.lineno, "")
            around = f"class {name}:" if name else "if True:" if node.col_offset else ""
            found[path, _first(node)] = (node.lineno, node.end_lineno or node.lineno, around)
    return found


def _holder(code: CodeType, names: dict[str, Any]) -> tuple[Key, FunctionType, int] | None:
    """The function of the running module to exchange the code of, and the line of the `def` that ran."""
    path = code.co_filename
    try:
        candidates = [d for d in _definitions(path) if d.name == code.co_name and _first(d) == code.co_firstlineno]
    except (OSError, SyntaxError, ValueError):
        return None
    if not candidates:
        return None
    outer = _outer(path, candidates[0])
    if any(isinstance(n, ast.While | ast.Global | ast.Nonlocal) or _reaches_out(n) for n in ast.walk(outer)):
        return None
    for function in _functions_in(names.values()):
        if function.__code__.co_filename == path and function.__code__.co_firstlineno == _first(outer):
            return (path, _first(outer)), function, candidates[0].lineno
    return None


def _reaches_out(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in OUTSIDE


def _functions_in(values: Iterable[Any]) -> Iterator[FunctionType]:
    """The functions of a module, methods of its classes and what decorators have wrapped included."""
    waiting, seen = list(values), set[int]()
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, staticmethod | classmethod):
            value = value.__func__
        elif isinstance(value, property):
            value = value.fget
        if not isinstance(value, FunctionType | type) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, FunctionType):
            yield value
            waiting.append(vars(value).get("__wrapped__"))
        else:
            waiting += vars(value).values()


def forget() -> None:
    """Read every file anew, from here on."""
    for remembered in (_read, _definitions, _outermost):
        remembered.cache_clear()

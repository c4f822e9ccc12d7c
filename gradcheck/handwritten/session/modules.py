"""The modules of somebody's files: imported as their author would, kept apart from everybody else's of the same name.

Only modules are moved here; the rest of what a run may disturb is `surroundings.py`'s.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from types import CodeType, ModuleType
from typing import Any

from .absent import AbsentModule, AbsentModules

_numbers = count(1)
MAX_LEVELS = 4  # folders that are looked through upwards for the package that a file is in
INSTALLED = r"[\\/](site|dist)-packages[\\/]"


class Modules:
    """The user's own modules by name; in `sys.modules` only between `enter` and `leave`. Libraries stay loaded.

    path, source : the file and its bytes
    absent : libraries that are not installed, as far as they were missed
    endless : the line of a loop that never ends, at which loading stopped, as far as it is known by then
    """

    def __init__(self, path: str, source: bytes) -> None:
        self.path, self.source = path, source
        self.folder, file_name = os.path.split(path)
        self.stem = os.path.splitext(file_name)[0]
        self.package, root = _package_of(self.folder, source)
        self.roots = [self.folder] if root == self.folder else [root, self.folder]
        self._own: dict[str, ModuleType] = {}
        self._hidden = frozenset(name for folder in self.roots for name in _importable(folder))
        self._displaced: dict[str, ModuleType] = {}
        self._others: set[str] = set()
        self.endless: int | None = None
        self.absent = AbsentModules()

    def load(self) -> dict[str, Any]:
        """Run the file, between `enter` and `leave`, as its author does: from its folder. Returns its global names.

        A library that is missed is made up, and the file run again.
        """
        while True:
            try:
                return self._load()
            except ModuleNotFoundError as error:
                if (error.name or "").partition(".")[0] in self._hidden or not self.absent.add(error):
                    raise

    def _load(self) -> dict[str, Any]:
        importlib.invalidate_caches()
        os.chdir(self.folder)  # whoever entered goes back
        return self._executed()

    def _executed(self) -> dict[str, Any]:
        if self.package:
            return importlib.import_module(f"{self.package}.{self.stem}").__dict__
        module = ModuleType(f"code_{next(_numbers)}_{self.stem}")
        module.__file__ = self.path
        sys.modules[module.__name__] = module
        if self.stem in self._hidden:
            sys.modules[self.stem] = module  # a neighbour that imports it back gets this very module
        # Compiled here and not by a loader, so that no bytecode file, stale or new, has a part in it.
        code, self.endless = _compiled(self.source, self.path)
        exec(code, module.__dict__)
        return module.__dict__

    def enter(self) -> None:
        """Put its own modules where `import` looks, and aside those of others that are in the way."""
        self._displaced = {}
        if not sys.modules.keys().isdisjoint(self._hidden):
            self._displace(self._hidden)
        if len(sys.modules) != len(self._others):
            self._others = set(sys.modules)  # the caller's, some of them files of the same folder
        sys.modules.update(self._own)
        sys.meta_path.append(self.absent)

    def leave(self) -> None:
        """Take its own modules out again, those that were imported meanwhile included."""
        if self.absent in sys.meta_path:
            sys.meta_path.remove(self.absent)
        if len(sys.modules) != len(self._others) + len(self._own):
            fresh = sys.modules.keys() - self._others
            self._own.update({name: sys.modules[name] for name in fresh if self._is_own(name, sys.modules[name])})
        for name in self._own:
            sys.modules.pop(name, None)
        sys.modules.update(self._displaced)

    def each(self) -> list[ModuleType]:
        """The modules of the user's files, each once."""
        return list({id(module): module for module in self._own.values()}.values())

    def names_in(self, file: str) -> dict[str, Any]:
        """The global names of another of their files, the very module that the code imports; between enter and leave.

        file : its path relative to the folder of the code
        """
        path = os.path.abspath(os.path.join(self.folder, file))
        for module in list(sys.modules.values()):
            named: dict[str, Any] = getattr(module, "__dict__", {})
            if isinstance(named.get("__file__"), str) and os.path.abspath(named["__file__"]) == path:
                return named
        if not any(path.startswith(root + os.sep) for root in self.roots):
            folder = os.path.dirname(path)
            self.roots.append(folder)
            fresh = frozenset(_importable(folder)) - self._hidden
            self._hidden |= fresh
            self._displace(fresh)
            sys.path.insert(0, folder)
        root = next(root for root in self.roots if path.startswith(root + os.sep))
        dotted = os.path.splitext(os.path.relpath(path, root))[0].replace(os.sep, ".")
        return importlib.import_module(dotted).__dict__

    def relative(self, path: str) -> str | None:
        """The path as seen from the folder of the code, or None for a file that is not the user's."""
        full = _normal(path) if os.path.isabs(path) else os.path.abspath(path)
        for root in reversed(self.roots):
            if full.startswith(root + os.sep) and not re.search(INSTALLED, full[len(root) :]):
                return os.path.relpath(full, self.folder).replace(os.sep, "/")
        return None

    def _displace(self, names: frozenset[str]) -> None:
        displaced = {name: sys.modules.pop(name) for name in names & sys.modules.keys()}
        packages = tuple(f"{name}." for name, module in displaced.items() if hasattr(module, "__path__"))
        if packages:
            inner = [name for name in sys.modules if name.startswith(packages)]
            displaced.update({name: sys.modules.pop(name) for name in inner})
        self._displaced.update(displaced)

    def _is_own(self, name: str, module: Any) -> bool:
        if name.partition(".")[0] in self._hidden or isinstance(module, AbsentModule):
            return True
        # What stands in the module itself: some make up whatever attribute they are asked for.
        named = getattr(module, "__dict__", {})
        paths = [named.get("__file__"), *named.get("__path__", ())]
        return any(isinstance(path, str) and self.relative(path) is not None for path in paths)


@lru_cache(maxsize=4096)  # every file opened looks at every module that is loaded
def _normal(path: str) -> str:
    return os.path.normpath(path)


@lru_cache(maxsize=64)  # many cases name the same file, and compiling it can take as long as checking one of them
def _compiled(source: bytes, path: str) -> tuple[CodeType, int | None]:
    """The code of a file up to the first loop at its top level that cannot end, and the line of that loop.

    A script that trains forever defines all it ever will before that. What may end, by `break`, is left as it is.
    """
    if not re.search(rb"^while\b", source, re.MULTILINE):
        return compile(source, path, "exec", dont_inherit=True), None
    tree = ast.parse(source, path)
    at = next((i for i, statement in enumerate(tree.body) if _is_endless(statement)), None)
    line = None if at is None else tree.body[at].lineno
    tree.body = tree.body[:at]
    return compile(tree, path, "exec", dont_inherit=True), line


def _is_endless(statement: ast.stmt) -> bool:
    """Whether a statement is `while True`, or `while 1`, with no `break` of its own."""
    if not (isinstance(statement, ast.While) and isinstance(statement.test, ast.Constant) and statement.test.value):
        return False
    waiting: list[ast.AST] = list(statement.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Break):
            return False
        if not isinstance(node, ast.For | ast.While | ast.FunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
        elif isinstance(node, ast.For | ast.While):
            waiting += node.orelse  # a `break` there is one of the loop around it
    return True


def _package_of(folder: str, source: bytes) -> tuple[str, str]:
    """(dotted name of the package, folder to import it from); no package unless the file imports from its own one.

    It does so relatively, `from .tools import pad`, or by name: `from nets.tools import pad` inside the folder nets.
    """
    dots = [len(found) for found in re.findall(rb"^[ \t]*from[ \t]+(\.+)", source, re.MULTILINE)]
    called = [found.decode() for found in re.findall(rb"^[ \t]*(?:from|import)[ \t]+(\w[\w.]*)", source, re.MULTILINE)]
    depth = max([*dots, _levels_up(folder, called)], default=0)
    if not depth:
        return "", folder
    names: list[str] = []
    root = folder
    while len(names) < depth or os.path.isfile(os.path.join(root, "__init__.py")):
        root, name = os.path.split(root)
        if not name:
            break
        names.insert(0, name)
    return ".".join(names), root


def _levels_up(folder: str, called: list[str]) -> int:
    """How far up the folder is whose own name the file imports from: 1 for the folder itself, 0 where there is none.

    called : dotted names that are imported. A folder is meant only where it is a package or has what is asked for: one
    that happens to be called like a library is not.
    """
    for level in range(1, MAX_LEVELS + 1):
        root, name = os.path.split(folder)
        if not name:
            break
        if name not in sys.stdlib_module_names and name != "numpy":
            inside = [dotted.split(".")[1:] for dotted in called if dotted.partition(".")[0] == name]
            is_package = os.path.isfile(os.path.join(folder, "__init__.py"))
            if any(is_package or (parts and _exists(os.path.join(folder, *parts))) for parts in inside):
                return level
        folder = root
    return 0


def _exists(path: str) -> bool:
    """Whether a module or a package is there, under its path without an extension."""
    return os.path.isfile(f"{path}.py") or os.path.isdir(path)


def _importable(folder: str) -> Iterator[str]:
    """Names that `import` would find in a folder before it looks elsewhere; the standard library and numpy win."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        stem, extension = os.path.splitext(entry.name)
        is_package = not extension and os.path.isfile(os.path.join(entry.path, "__init__.py"))
        if (extension == ".py" or is_package) and stem not in sys.stdlib_module_names and stem != "numpy":
            yield stem

"""The files of a submission as modules, out of memory: there is no folder, and nothing but these files can be imported.

Asked after everybody else, so that a `numpy.py` among them shadows nothing. Standard library and numpy only.
"""

from __future__ import annotations

import importlib
import importlib.util
import linecache
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

from gradcheck.handwritten.session.modules import Modules

FOLDER = "/submission"  # the name of no folder: what error messages are relative to
PACKAGE = "submission"  # what relative imports beside the top-level files go through
RESERVED = frozenset({*sys.stdlib_module_names, "numpy", "gradcheck"})


class ServedFiles(MetaPathFinder, InspectLoader):
    """Finds and loads the files; path relative to the submission → source."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        for path, source in self.files.items():  # for tracebacks, and for `inspect.getsource`
            text = source.decode("utf-8", "replace")
            linecache.cache[f"{FOLDER}/{path}"] = (len(text), None, text.splitlines(keepends=True), f"{FOLDER}/{path}")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        found = self._path(fullname)
        if found is None:
            return None
        spec = ModuleSpec(fullname, self, origin=f"{FOLDER}/{found}", is_package=not found.endswith(".py"))
        spec.has_location = found in self.files or f"{found}/__init__.py" in self.files
        return spec

    def get_source(self, fullname: str) -> str:
        return importlib.util.decode_source(self._source(fullname))

    def get_code(self, fullname: str) -> CodeType:
        path = self._path(fullname) or ""
        return compile(self._source(fullname), f"{FOLDER}/{path}", "exec", dont_inherit=True)

    def is_package(self, fullname: str) -> bool:
        return not (self._path(fullname) or "").endswith(".py")

    def _source(self, fullname: str) -> bytes:
        path = self._path(fullname) or ""
        return self.files.get(path) or self.files.get(f"{path}/__init__.py".lstrip("/")) or b""

    def _path(self, fullname: str) -> str | None:
        """`nets.tools` → nets/tools.py, or nets/tools where that is a folder; None for what is not there."""
        stem = fullname.replace(".", "/")
        if fullname.partition(".")[0] == PACKAGE and f"{PACKAGE}.py" not in self.files:
            stem = stem.removeprefix(PACKAGE).lstrip("/")
        if f"{stem}.py" in self.files:
            return f"{stem}.py"
        is_folder = not stem or any(path.startswith(f"{stem}/") for path in self.files)
        return stem if is_folder else None


class ServedModules(Modules):
    """The modules of a submission, as `Modules` keeps those of a folder."""

    def __init__(self, served: ServedFiles, file: str) -> None:
        super().__init__(f"{FOLDER}/{file}", served.files[file])
        # What the base class has looked for in folders is known from the names of the files.
        self.served, self.folder, self.roots = served, FOLDER, []
        *parents, _ = file.split("/")
        is_relative = re.search(rb"^[ \t]*from[ \t]+\.", self.source, re.MULTILINE)
        self.package = ".".join(parents or [PACKAGE]) if is_relative else ""
        first = {path.partition("/")[0].removesuffix(".py") for path in served.files}
        self._hidden = frozenset({*first, PACKAGE} - RESERVED)

    def _load(self) -> dict[str, Any]:
        return self._executed()

    def enter(self) -> None:
        super().enter()
        if self.served not in sys.meta_path:
            sys.meta_path.insert(sys.meta_path.index(self.absent), self.served)

    def leave(self) -> None:
        if self.served in sys.meta_path:
            sys.meta_path.remove(self.served)
        super().leave()

    def names_in(self, file: str) -> dict[str, Any]:
        if f"{FOLDER}/{file}" == self.path:
            return {}  # what was loaded: the caller has its names
        return importlib.import_module(file.removesuffix(".py").replace("/", ".")).__dict__

    def relative(self, path: str) -> str | None:
        name = path.removeprefix(f"{FOLDER}/")
        return name if name != path and name in self.served.files else None

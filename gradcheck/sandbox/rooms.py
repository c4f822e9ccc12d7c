"""The folders that a box may read, the interpreter's own and numpy's, and the way to them from inside.

A box knows them by new names: mounted under them, or by descriptors, which lead there even where the interpreter lies
in a home that is closed to the box's user.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import ModuleType

from .tiers.landlock import READ_DIR, READ_FILE

# Inside the standard library's folder lie other people's packages, of which only numpy is the box's business.
OTHERS = ("site-packages", "dist-packages")


class Rooms:
    """The folders of this interpreter.

    folders : name → path outside; inside : name → path inside, once `mounted` or `held` was called
    """

    def __init__(self, numpy: ModuleType) -> None:
        self.folders = {"python": os.path.dirname(os.__file__), "numpy": next(iter(numpy.__path__))}
        library = self.folders["python"] + os.sep
        for path in sys.path:
            if path.endswith("lib-dynload") and not path.startswith(library):
                self.folders["extensions"] = path
        self.inside: dict[str, str] = {}

    @property
    def hidden(self) -> dict[str, str]:
        """Path inside the mounted folders → the folder that must not be seen there."""
        return {f"python/{name}": os.path.join(self.folders["python"], name) for name in OTHERS}

    def mounted(self) -> None:
        """They were mounted at the root, under their names."""
        self.inside = {name: f"/{name}" for name in self.folders}

    def held(self) -> list[int]:
        """Hold them by descriptors, which the box inherits."""
        found = {name: os.open(path, os.O_PATH | os.O_DIRECTORY) for name, path in self.folders.items()}
        self.inside = {name: f"/proc/self/fd/{descriptor}" for name, descriptor in found.items()}
        return list(found.values())

    def rules(self) -> Iterator[tuple[int, int]]:
        """For Landlock: (descriptor, rights), a descriptor at a time."""
        for name, path in self.inside.items():
            if name != "python":
                yield from _opened(path, READ_FILE | READ_DIR)
                continue
            yield from _opened(path, READ_DIR)
            for entry in os.listdir(path):
                if entry not in OTHERS and os.path.exists(f"{path}/{entry}"):  # no link that leads nowhere
                    yield from _opened(f"{path}/{entry}", READ_FILE | READ_DIR)

    def lead_there(self) -> None:
        """From here on `import` finds the standard library and numpy by their names inside, and nothing else."""
        sys.path[:] = [self._inside(path) for path in sys.path if self._inside(path) != path]
        sys.path_importer_cache.clear()
        for module in list(sys.modules.values()):
            paths = getattr(module, "__path__", None)
            if isinstance(paths, list):
                paths[:] = [self._inside(path) for path in paths]

    def _inside(self, path: str) -> str:
        # The longest first: numpy often lies in a folder of the standard library's.
        for name, folder in sorted(self.folders.items(), key=lambda item: -len(item[1])):
            if path == folder or path.startswith(folder + os.sep):
                return self.inside[name] + path[len(folder) :]
        return path


def _opened(path: str, rights: int) -> Iterator[tuple[int, int]]:
    descriptor = os.open(path, os.O_PATH)
    try:
        yield descriptor, rights
    finally:
        os.close(descriptor)

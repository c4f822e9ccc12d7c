"""Libraries that somebody's file imports and that are not installed: they fail where they are used, not where imported.

Most such imports draw a curve or read a data set, in parts of a file that no gradient goes through.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, cast

if TYPE_CHECKING:
    from importlib.abc import Loader  # 7 ms: it imports half of what handles archives

# They draw, and give back nothing that is computed with: their calls are swallowed.
DRAWING = ("matplotlib", "mpl_toolkits", "pylab", "seaborn", "plotly", "bokeh", "IPython", "graphviz", "pydot")
# They hand on what they are given, a loop's values or a function.
HANDING_ON = ("tqdm", "numba")


class AbsentModules:
    """Finds and loads the libraries of a list, and all that would be inside them; asked after everybody else."""

    def __init__(self) -> None:
        self.libraries: list[str] = []

    def add(self, error: ModuleNotFoundError) -> bool:
        """Whether what an import missed is a whole library, which is then found."""
        name = error.name or ""
        if not name or "." in name or name in self.libraries or name in sys.stdlib_module_names:
            return False
        self.libraries.append(name)
        return True

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        is_asked = fullname.partition(".")[0] in self.libraries
        return ModuleSpec(fullname, cast("Loader", self), is_package=True) if is_asked else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return AbsentModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


class AbsentModule(ModuleType):
    """Stands for a module of a library that is not installed."""

    def __getattr__(self, name: str) -> Any:
        part = _Part(self.__name__.partition(".")[0])
        if name == "__all__":  # `from helpers import *`: nobody knows which names are lacking then
            part.swallowed()
            return []
        if name.startswith("__"):
            raise AttributeError(name)
        return part


class _Part:
    """Whatever is taken out of such a module.

    Raises ModuleNotFoundError, which the import would have raised, when it is used.
    """

    _library: str

    def __init__(self, library: str) -> None:
        object.__setattr__(self, "_library", library)

    def _missing(self) -> NoReturn:
        raise ModuleNotFoundError(f"No module named {self._library!r}", name=self._library)

    def swallowed(self) -> _Part:
        """What a call that only draws gives back."""
        return self if self._library in DRAWING else self._missing()

    def __getattr__(self, name: str) -> _Part:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *values: Any, **options: Any) -> Any:
        if self._library not in HANDING_ON:
            return self.swallowed()
        return values[0] if values else self  # `@njit(cache=True)` makes a decorator

    def __setattr__(self, name: str, value: Any) -> None:
        self.swallowed()

    def __getitem__(self, key: Any) -> _Part:
        return self.swallowed()

    def __setitem__(self, key: Any, value: Any) -> None:
        self.swallowed()

    def __enter__(self) -> _Part:
        return self.swallowed()

    def __exit__(self, *_: object) -> None:
        return None

    def __iter__(self) -> NoReturn:
        self._missing()

    def __bool__(self) -> NoReturn:
        self._missing()

    def __mro_entries__(self, bases: tuple[Any, ...]) -> NoReturn:
        self._missing()

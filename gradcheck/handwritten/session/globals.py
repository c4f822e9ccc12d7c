"""What somebody's modules keep at top level: noticed when an evaluation changes it, and put back before the next.

Data only, and by value; objects that a setup made are `session.py`'s.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable
from contextlib import suppress
from types import ModuleType
from typing import Any

import numpy as np

MAX_GLOBAL = 10_000_000  # elements; a larger array at top level is data, not state


class Globals:
    """The data that modules hold when this is made."""

    def __init__(self, modules: Iterable[ModuleType]) -> None:
        self.saved: list[tuple[dict[str, Any], str, Any]] = []
        memo: dict[int, Any] = {}
        modules = list(modules)
        own_types = {module.__name__ for module in modules}
        for names in [module.__dict__ for module in modules]:
            for name, value in list(names.items()):
                if not name.startswith("__") and _is_data(value, own_types):
                    with suppress(Exception):  # what cannot be copied is left as it is
                        self.saved.append((names, name, copy.deepcopy(value, memo)))

    def changed(self) -> bool:
        try:
            return any(name not in names or not _same(names[name], value, set()) for names, name, value in self.saved)
        except RecursionError:  # a long chain of objects: putting it back is never wrong
            return True

    def restore(self) -> None:
        memo: dict[int, Any] = {}
        for names, name, value in self.saved:
            names[name] = copy.deepcopy(value, memo)


def _is_data(value: Any, own_modules: set[str]) -> bool:
    if isinstance(value, np.ndarray):
        return value.size <= MAX_GLOBAL
    kinds = (str, bytes, int, float, complex, tuple, list, dict, set, random.Random)
    generators = (np.random.Generator, np.random.RandomState)
    return value is None or isinstance(value, kinds + generators) or type(value).__module__ in own_modules


def _same(a: Any, b: Any, seen: set[tuple[int, int]]) -> bool:
    """Whether two values, one of which began as a copy of the other, still agree."""
    if a is b or (id(a), id(b)) in seen:
        return True
    seen.add((id(a), id(b)))
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return bool(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes())
    if isinstance(a, dict):
        return list(a) == list(b) and all(_same(a[key], b[key], seen) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(_same(x, y, seen) for x, y in zip(a, b, strict=True))
    if isinstance(a, np.random.Generator):
        return _same(a.bit_generator.state, b.bit_generator.state, seen)
    if isinstance(a, np.random.RandomState):
        return _same(a.get_state(), b.get_state(), seen)
    if isinstance(a, random.Random):
        return bool(a.getstate() == b.getstate())
    if hasattr(a, "__dict__"):
        return callable(a) or _same(vars(a), vars(b), seen)
    try:
        return bool(a == b)
    except Exception:  # an __eq__ of theirs
        return False

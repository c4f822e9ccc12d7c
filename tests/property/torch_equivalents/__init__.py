"""What every op is called in torch: one module per room of ops, each with some mappings.

    EQUIVALENTS   name of the op → function of torch tensors that gives the same value. Its arguments are those of the
                  op (float64, whole numbers as int64), its options those that the op's forward is given, axes
                  non-negative
    ABSENT        name of the op → why torch has nothing that it could be compared with (may be left out)
    OWN_AT_KINKS  name of the op → why its gradient exactly at a kink is not torch's (may be left out)

The modules import torch, so they are imported only where it is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

Equivalent = Callable[..., Any]


def collected() -> tuple[Mapping[str, Equivalent], Mapping[str, str], Mapping[str, str]]:
    """EQUIVALENTS, ABSENT and OWN_AT_KINKS of all modules; an op that has two equivalents is an error."""
    equivalents: dict[str, Equivalent] = {}
    absent: dict[str, str] = {}
    own_at_kinks: dict[str, str] = {}
    for info in sorted(iter_modules(__path__), key=lambda info: info.name):
        module = import_module(f"{__name__}.{info.name}")
        for found, own in ((equivalents, module.EQUIVALENTS), (absent, getattr(module, "ABSENT", {}))):
            twice = (equivalents.keys() | absent.keys()) & own.keys()
            assert not twice, f"{info.name}.py names again: {sorted(twice)}"
            found.update(own)
        own_at_kinks |= getattr(module, "OWN_AT_KINKS", {})
    return equivalents, absent, own_at_kinks

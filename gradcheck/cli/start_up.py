"""Start-up of a run: its rooms are brought in together, and nobody looks for garbage meanwhile."""

from __future__ import annotations

import gc
import sys
from collections.abc import Collection
from importlib import import_module

from gradcheck.checking.workers.threads import limit_threads

ROOMS = ("casefile.loader", "checking.check", "checking.building.build_graph")


def bring_in(formats: Collection[str]) -> None:
    """Import what a run is certain to need for reports in these formats, with one thread for the linear algebra.

    What modules are made of stays until the end. Counting it again and again took a tenth of a small run; from here on
    it is not counted at all.
    """
    limit_threads()
    rooms = [f"gradcheck.{room}" for room in (*ROOMS, *(["reporters.table"] if "table" in formats else []))]
    if all(room in sys.modules for room in rooms):
        return
    collects = gc.isenabled()
    gc.disable()
    try:
        for room in rooms:
            import_module(room)
    finally:
        gc.freeze()
        if collects:
            gc.enable()

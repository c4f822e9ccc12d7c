"""Which layers make which tier, and when each is put up: once for all boxes, once per box outside, once per box inside.

    strong   namespaces, then everything of medium
    medium   unprivileged user, no new privileges, Landlock, seccomp, limits of resources, a keeper
    limits   limits of resources and a keeper; an unprivileged user where this one is root

Standard library only. Whether the walls hold is not believed but tried, in `proof.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from .rooms import Rooms
from .tiers import LIMITS, STRONG, identity, landlock, namespaces, resources, seccomp, survivors


class Walls:
    """The walls of one tier, in the process that all its boxes are forked from."""

    def __init__(self, tier: str, rooms: Rooms) -> None:
        self.tier, self.rooms = tier, rooms
        self.kept: list[int] = []  # descriptors that the box needs
        self._rules, self._mapped = -1, 0

    def around_all(self) -> None:
        """Once, before the first box. Raises OSError with the layer that cannot be had."""
        self._mapped = resources.mapped()
        if self.tier == STRONG:
            with _naming("namespaces"):
                namespaces.enter(self.rooms.folders, self.rooms.hidden)
            self.rooms.mounted()
        else:
            self.kept = self.rooms.held()
        if self.tier != LIMITS:
            with _naming("Landlock"):
                self._rules = landlock.ruleset(self.rooms.rules())
        self.rooms.lead_there()

    def around_one(self) -> None:
        """In the keeper, before it forks the box. Raises OSError."""
        survivors.adopt_orphans()
        if self.tier == STRONG:
            namespaces.separate_processes()

    def close(self, limits: Mapping[str, Any], keeper: int) -> None:
        """In the box, before it has read a byte of the submission; nothing of it can be undone. Raises OSError.

        keeper : the number of the keeper's process
        """
        resources.restrict(limits, self._mapped)
        if self.tier == LIMITS:
            with suppress(OSError):  # what accidents need: root has no limit of processes
                identity.drop(identity.uid_for(keeper))
            survivors.die_with_parent(keeper)
            return
        with _naming("unprivileged user"):
            identity.drop(identity.uid_for(keeper))
        survivors.die_with_parent(0 if self.tier == STRONG else keeper)
        with _naming("Landlock"):
            landlock.restrict(self._rules)
        os.close(self._rules)
        with _naming("seccomp"):
            seccomp.restrict()

    @property
    def descriptors(self) -> list[int]:
        """What the box must not close before `close`."""
        return [*self.kept, *([self._rules] if self._rules >= 0 else [])]


@contextmanager
def _naming(layer: str) -> Iterator[None]:
    """An OSError that leaves the block says which layer it is about."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"{layer}: {error.strerror or error}") from error

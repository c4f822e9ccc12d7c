"""Progress: what a run tells somebody who waits for it.

Only told, never asked: nothing that is checked depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """Is told how far a run is; every method returns at once."""

    def cases(self, done: int, total: int) -> None:
        """So many of the cases are checked."""

    def case(self, name: str) -> None:
        """The case that is being checked by itself."""

    def plan(self, probes: Mapping[str, int], costs: Mapping[str, float]) -> None:
        """The examination of a problem begins.

        probes : how many every tensor takes at least, in the order of the tensors
        costs : what they cost, in units that are the same for all tensors; roughly seconds
        """

    def probed(self, tensor: str, probes: int) -> None:
        """So many more probes of the tensor were answered."""

"""The boxes of one submission: one for its visible checks, a new one after every fault, another for the hidden ones.

How a box is built is `sandbox`'s business; here is who gets which, and when there is an end to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from gradcheck.grading.answers import Session
from gradcheck.model.case import Case
from gradcheck.sandbox.terms import MEBIBYTE, Limits

SECONDS = 10.0  # per request, where a case names no timeout
MEMORY = 256 * MEBIBYTE  # of a box, beyond Python and numpy: several at a time fit into a gibibyte
MOST_REQUESTS = 14  # of one combination: what bounds the processor time of a box
MOST_SPENT = 2  # of a submission; whoever uses up time or memory twice is not asked again


def seconds_of(case: Case) -> float:
    """What a request of a case may take."""
    return SECONDS if case.timeout is None else case.timeout


class Box(Protocol):
    """See `sandbox.box.Box`; tests have another one."""

    def session(self, plan: Mapping[str, Any], file: str | None = None) -> Session: ...


OpenBox = Callable[[Mapping[str, bytes], Limits], AbstractContextManager[Box]]


class Rooms:
    """Opens boxes for one submission when they are needed; to be closed.

    files : those of the submission
    most : combinations that it will be asked at most
    """

    def __init__(self, opened: OpenBox, files: Mapping[str, bytes], most: int) -> None:
        self._open, self._files, self._most = opened, files, most
        self._box: Box | None = None
        self._held: AbstractContextManager[Box] | None = None
        self._seconds = 0.0

    def session(self, plan: Mapping[str, Any], file: str, seconds: float) -> Session:
        """Prepare a plan on a file of the submission, in a box whose requests take so many seconds at most.

        Raises CodeError, BoxError, UnsafeError.
        """
        if self._box is None or seconds != self._seconds:
            self.leave()
            cpu = math.ceil(seconds * MOST_REQUESTS * max(1, self._most))
            limits = Limits(seconds=seconds, cpu=cpu, memory=MEMORY)
            self._held, self._seconds = self._open(self._files, limits), seconds
            self._box = self._held.__enter__()
        return self._box.session(plan, file)

    def leave(self) -> None:
        """Close the box; the next session gets a new one."""
        held, self._held, self._box = self._held, None, None
        if held is not None:
            held.__exit__(None, None, None)

"""The nouns of the box: its limits, the tiers of its walls, and the ways in which it can end.

No behaviour beyond properties; standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradcheck.errors import GradcheckError

MEBIBYTE = 2**20

# Kinds of a BoxError, in the words of the report.
TIMEOUT, MEMORY, CRASHED, FLOODED, BROKEN_CHANNEL = "timeout", "memory", "crashed", "flooded", "broken_channel"


@dataclass(frozen=True)
class Limits:
    """What a box may use.

    seconds : wall clock, per request; neither the start-up of the box counts, nor waiting for a processor
    cpu : seconds of processor time, in the whole life of the box
    memory : bytes of address space beyond what Python and numpy take
    output : bytes that it may print in its whole life, stdout and stderr together
    reply : bytes of arrays in one reply
    processes : that it may start; beyond the tier `limits` none is ever started
    file_size : bytes of a file that it writes; beyond the tier `limits` none is ever written
    """

    seconds: float = 10.0
    cpu: int = 60
    memory: int = 1024 * MEBIBYTE
    output: int = 1 * MEBIBYTE
    reply: int = 64 * MEBIBYTE
    processes: int = 0
    file_size: int = 0


@dataclass(frozen=True)
class Tier:
    """A set of walls that was seen to hold on this machine.

    name : strong | medium | limits
    layers : what it is made of, for reports ("namespaces, seccomp, …")
    lacks : what it does not protect from, one sentence each
    """

    name: str
    layers: tuple[str, ...]
    lacks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.layers)})"


class BoxError(GradcheckError):
    """A box that ended before it had answered; whatever it still holds is never asked again.

    kind : timeout | memory | crashed | flooded | broken_channel
    during : load | forward | backward
    message : for the teacher, with numbers; it holds no text of the submission
    """

    def __init__(self, kind: str, message: str, during: str = "load", hint: str = "") -> None:
        super().__init__(message, hint)
        self.kind, self.during = kind, during

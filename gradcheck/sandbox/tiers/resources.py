"""How much a box may use: memory, processor time, files, processes, as the kernel counts them per process.

RLIMIT_NPROC counts every process of a user and is not enforced for root: `identity.py` sees to it that nobody is.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping
from typing import Any

DESCRIPTORS = 64


def restrict(limits: Mapping[str, Any], used: int) -> None:
    """Set the limits of this process, soft and hard. Raises OSError or ValueError.

    limits : memory (bytes), cpu (seconds), file_size (bytes), processes
    used : bytes of address space that do not count
    """
    wanted = {
        resource.RLIMIT_AS: used + limits["memory"],
        resource.RLIMIT_FSIZE: limits["file_size"],
        resource.RLIMIT_NPROC: limits["processes"],
        resource.RLIMIT_NOFILE: DESCRIPTORS,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for kind, value in wanted.items():
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
    # The signal of the soft limit tells a loop from a crash; whoever ignores it is killed a second later.
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu"], limits["cpu"] + 1))


def mapped() -> int:
    """Bytes of address space that this process has in use. Raises OSError where there is no /proc."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")

"""Which files a box may read: the interpreter's own, and no other; nothing is written, made, removed or run.

Landlock is the kernel's, needs no privilege and works inside containers; see Documentation/userspace-api/landlock.rst.
It does not hide that a file exists, and says nothing about descriptors that are open already.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

from . import kernel

READ_FILE, READ_DIR = 1 << 2, 1 << 3
# Rights that a version of the interface knows: version → number of bits from the lowest on.
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
NET_RIGHTS = 0b11  # bind and connect of TCP, since version 4
SCOPES = 0b11  # abstract sockets and signals to the outside, since version 6

_VERSION, _PATH_BENEATH = 1, 1


def version() -> int:
    """The version of the interface. Raises OSError where the kernel has none, or is told not to."""
    return kernel.call("landlock_create_ruleset", None, 0, _VERSION)


def ruleset(readable: Iterable[tuple[int, int]]) -> int:
    """A descriptor of a set of rules, for any number of processes. Raises OSError.

    readable : (descriptor of a file or folder, rights in it and all that is below it)
    """
    known = version()
    rights = (1 << FILE_RIGHTS[min(known, max(FILE_RIGHTS))]) - 1
    words = [rights, NET_RIGHTS, SCOPES][: 1 if known < 4 else 2 if known < 6 else 3]
    attributes = struct.pack(f"<{len(words)}Q", *words)
    rules = kernel.call("landlock_create_ruleset", ctypes.c_char_p(attributes), len(attributes), 0)
    for descriptor, allowed in readable:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            allowed &= ~READ_DIR
        rule = ctypes.c_char_p(struct.pack("<Qi", allowed, descriptor))
        kernel.call("landlock_add_rule", rules, _PATH_BENEATH, rule, 0)
    return rules


def restrict(rules: int) -> None:
    """From here on this process opens only what the rules allow; for good. Raises OSError."""
    kernel.call("landlock_restrict_self", rules, 0)

"""Who a box is: nobody who owns anything, without a capability and without a way to get one back."""

from __future__ import annotations

import ctypes
import os
import struct

from . import kernel

# 61184 to 65519 is what systemd gives to services that need a user for a while (systemd.io/UIDS-GIDS): nobody's files.
FIRST_UID, UIDS = 61184, 4336

_SET_DUMPABLE, _SET_NO_NEW_PRIVILEGES, _AMBIENT, _AMBIENT_CLEAR = 4, 38, 47, 4
_CAPABILITIES_3 = 0x20080522  # linux/capability.h


def uid_for(process: int) -> int:
    """The uid of a box; two of them share one only where they are thousands of processes apart."""
    return FIRST_UID + process % UIDS


def drop(uid: int) -> None:
    """Become an unprivileged user for good; where this process is none of root's, it stays who it is.

    Raises OSError where root cannot stop being root.
    """
    kernel.prctl(_SET_NO_NEW_PRIVILEGES, 1)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    kernel.prctl(_AMBIENT, _AMBIENT_CLEAR)
    nothing = struct.pack("<6I", *[0] * 6)
    kernel.call("capset", ctypes.c_char_p(struct.pack("<Ii", _CAPABILITIES_3, 0)), ctypes.c_char_p(nothing))
    kernel.prctl(_SET_DUMPABLE, 0)  # nobody of the same uid may look into it, or trace it
    if os.getresuid()[0] == 0:
        raise OSError("the box would run as root")

"""A world of its own: no network, no other processes, no mailboxes, and a file tree of the interpreter's folders alone.

All boxes of one run share it, for nothing in it can be written to; processes and mailboxes are each box's own. Needs
root, or a system that lets everybody make user namespaces. There is no /proc, so none of its switches is in reach.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from . import kernel

_NEW_MOUNTS, _NEW_CGROUP, _NEW_HOSTNAME, _NEW_MAILBOXES = 0x00020000, 0x02000000, 0x04000000, 0x08000000
_NEW_USER, _NEW_PROCESSES, _NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000

_READ_ONLY, _NO_SUID, _NO_DEVICES, _REMOUNT, _BIND = 0x1, 0x2, 0x4, 0x20, 0x1000
_RECURSIVE, _PRIVATE, _DETACH = 0x4000, 1 << 18, 2
_SEALED = _READ_ONLY | _NO_SUID | _NO_DEVICES

MOUNT_POINT = "/tmp"  # any folder that is always there: nothing is written to it
EMPTY = "size=4k,nr_inodes=64,mode=0555"


def enter(folders: Mapping[str, str], hidden: Mapping[str, str]) -> None:
    """Leave the file tree, the network, the mailboxes and the name of the machine behind. Raises OSError.

    folders : name in the new root → folder here; hidden : path in the new root that stays empty → folder here
    """
    if os.geteuid() != 0:
        _become_root_of_nothing()
    kernel.unshare(_NEW_MOUNTS | _NEW_NETWORK | _NEW_MAILBOXES | _NEW_HOSTNAME | _NEW_CGROUP)
    socket.sethostname("box")
    kernel.mount("", "/", "", _RECURSIVE | _PRIVATE)
    # By descriptor: a folder may lie below the mount point.
    sources = {name: os.open(path, os.O_PATH | os.O_DIRECTORY) for name, path in folders.items()}
    links = {name: f"/proc/self/fd/{descriptor}" for name, descriptor in sources.items()}
    kernel.mount("box", MOUNT_POINT, "tmpfs", _NO_SUID | _NO_DEVICES, EMPTY)
    os.chdir(MOUNT_POINT)
    for name in folders:
        os.mkdir(name, 0o755)
        kernel.mount(links[name], name, "", _BIND)
        kernel.mount("", name, "", _REMOUNT | _BIND | _SEALED)
    for path, source in hidden.items():
        if os.path.isdir(source):
            kernel.mount("hidden", path, "tmpfs", _SEALED, EMPTY)
    for descriptor in sources.values():
        os.close(descriptor)
    os.chdir(MOUNT_POINT)
    kernel.call("pivot_root", b".", b".")  # pivot_root(2): the old root lies over the new one, and is taken off
    kernel.unmount(".", _DETACH)
    os.chdir("/")
    kernel.mount("", "/", "", _REMOUNT | _BIND | _SEALED)


def separate_processes() -> None:
    """The next child is the first process of a world of its own, whose end ends all others in it. Raises OSError."""
    kernel.unshare(_NEW_PROCESSES | _NEW_MAILBOXES)


def _become_root_of_nothing() -> None:
    """A user namespace in which this user stays who it is, and may make the other namespaces."""
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(_NEW_USER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)

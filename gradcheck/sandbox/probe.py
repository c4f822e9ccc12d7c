"""Attempts to get out of a box, made inside it by ourselves before any submission is: each of them has to fail.

Nothing here changes anything where it succeeds: files are opened and not written, signals are number 0, processes that
start end at once. Standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import resource
import socket
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from .tiers import kernel

LOOPBACK = "127.0.0.1"
_GET_KEYRING, _TRACE_ME = 0, 0
_NOBODYS = 0x67636278  # key of a mailbox that nobody has made, and that asking for does not make


def probe(targets: Mapping[str, Any], wanted: Collection[str] = ()) -> dict[str, str]:
    """Attempt → what stopped it (EPERM, …), "" where nothing did.

    targets : canary (a file that everybody may read), folder (one that everybody may write to), port (somebody listens
        on the loopback), parent (a process number), memory (bytes that are too many)
    wanted : names of attempts, none for all
    """
    return {name: _tried(attempt) for name, attempt in _attempts(targets) if not wanted or name in wanted}


def _attempts(targets: Mapping[str, Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    canary, parent = targets["canary"], targets["parent"]
    yield "memory without end", lambda: mmap.mmap(-1, targets["memory"])
    yield "a process", _fork
    yield "being root", _be_root
    yield "seeing that a file is there", lambda: os.stat(canary)
    yield "reading a file outside", lambda: os.close(os.open(canary, os.O_RDONLY))
    yield "listing a folder outside", lambda: os.listdir(targets["folder"])
    yield "writing a file outside", lambda: os.close(os.open(canary, os.O_WRONLY))
    yield "making a file", lambda: os.close(os.open(f"{targets['folder']}/made", os.O_WRONLY | os.O_CREAT, 0o600))
    yield "making a temporary file", lambda: tempfile.TemporaryFile().close()
    yield "changing a mode", lambda: os.chmod(canary, 0o644)
    yield "a switch of the kernel", lambda: os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY))
    yield "memory of the grader", lambda: os.close(os.open(f"/proc/{parent}/mem", os.O_RDONLY))
    yield "a connection", lambda: socket.create_connection((LOOPBACK, targets["port"]), 1).close()
    yield "a local socket", lambda: socket.socket(socket.AF_UNIX).close()
    yield "a signal to the grader", lambda: os.kill(parent, 0)
    yield "a signal to everybody", lambda: os.kill(-1, 0)
    yield "limits of the grader", lambda: resource.prlimit(parent, resource.RLIMIT_NOFILE)
    yield "priority of the grader", lambda: os.setpriority(os.PRIO_PROCESS, parent, 0)
    yield "processors of the grader", lambda: kernel.call("sched_setaffinity", parent, 0, None)
    yield "tracing", lambda: kernel.call("ptrace", _TRACE_ME, 0, None, None)
    yield "a program", lambda: os.execv("/nowhere", ["nowhere"])
    yield "a thread", _thread
    for name, arguments in _CALLS.items():
        yield name, lambda name=name, arguments=arguments: kernel.call(name, *arguments)  # type: ignore[misc]  # a lambda with defaults


# Mailboxes, memory of others, namespaces, mounts, keys and other doors; with arguments that do nothing.
_CALLS: dict[str, tuple[Any, ...]] = {
    "memfd_create": (b"box", 0), "shmget": (_NOBODYS, 4096, 0), "msgget": (_NOBODYS, 0), "semget": (_NOBODYS, 1, 0),
    "mq_open": (b"box", 0, 0, None), "pidfd_open": (1, 0), "flock": (0, 8),
    "process_vm_readv": (1, None, 0, None, 0, 0), "unshare": (0,), "mount": (None, b"/", None, 0, None),
    "keyctl": (_GET_KEYRING, 0), "bpf": (0, None, 0), "io_uring_setup": (1, None), "userfaultfd": (0,),
    "perf_event_open": (None, 0, -1, -1, 0),
}  # fmt: skip


def _tried(attempt: Callable[[], Any]) -> str:
    try:
        attempt()
    except Exception as error:
        return errno.errorcode.get(getattr(error, "errno", None) or 0, "") or type(error).__name__
    return ""


def _be_root() -> None:
    if os.getuid() and os.geteuid():
        raise PermissionError(errno.EPERM, "nobody")


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _thread() -> None:
    import threading

    started = threading.Thread(target=ctypes.c_int)
    started.start()
    started.join()

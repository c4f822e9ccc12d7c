"""Which calls of the kernel a box may make: a list of those that Python and numpy need once they are loaded.

Everything else is refused with EPERM, so that code hears of it as PermissionError and goes on: sockets, processes and
threads, programs, tracing, queues and memory that outlive a process, every change of a file. A classic BPF program,
assembled here; see Documentation/userspace-api/seccomp_filter.rst of the kernel.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from . import kernel

ALLOWED = (
    # the most frequent first: the program is read from the top
    "read", "write", "clock_gettime", "futex", "mmap", "munmap", "mremap", "mprotect", "madvise", "brk",
    "fstat", "newfstatat", "stat", "lstat", "statx", "lseek", "close", "pread64", "readv", "writev", "getdents64",
    "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall",
    "getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getpgrp", "uname", "getrandom",
    "gettimeofday", "time", "times", "clock_getres", "nanosleep", "clock_nanosleep", "getrusage", "sysinfo",
    "sched_yield", "getcpu", "getrlimit", "poll", "ppoll", "select", "pselect6", "dup", "dup2", "dup3",
    "set_robust_list", "rseq", "exit", "exit_group",
)  # fmt: skip

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_PATH", 0)
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC: no locks, no signals to whoever owns a descriptor.
FCNTL = (0, 1, 2, 3, 1030)

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_KILL, _ALLOW, _REFUSE = 0x80000000, 0x7FFF0000, 0x00050000  # SECCOMP_RET_… of linux/seccomp.h
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06  # BPF_LD|W|ABS, JMP|JEQ|K, JMP|JSET|K, RET|K
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def restrict() -> None:
    """From here on this process makes only the calls of the list; for good. Raises OSError.

    To be called after no-new-privileges, and after everything else that still needs the kernel.
    """
    code = b"".join(struct.pack("<HBBI", *instruction) for instruction in program(os.getpid()))
    text = ctypes.create_string_buffer(code, len(code))
    filter_program = ctypes.create_string_buffer(
        struct.pack("@HxxxxxxQ", len(code) // 8, ctypes.addressof(text)), 16
    )  # struct sock_fprog
    kernel.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(filter_program))


def program(own: int) -> list[Instruction]:
    """The instructions; own : the process's number, the only one that it may name beside 0."""
    found: list[Instruction] = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, kernel.architecture()), _end(_KILL)]
    found.append((_LOAD, 0, 0, _NUMBER))
    for name in ALLOWED:
        if kernel.number(name) >= 0:
            found += [(_EQUAL, 0, 1, kernel.number(name)), _end(_ALLOW)]
    found += _when("openat", _unless_any_bit(2, WRITING, errno.EACCES))
    if kernel.number("open") >= 0:
        found += _when("open", _unless_any_bit(1, WRITING, errno.EACCES))
    found += _when("fcntl", _if_one_of(1, FCNTL))
    for name in ("kill", "tgkill", "prlimit64"):
        found += _when(name, _if_one_of(0, (0, own)))
    found += _when("sched_getaffinity", _if_one_of(0, (0, own)))
    return [*found, _end(_REFUSE | errno.EPERM)]


def _when(name: str, block: list[Instruction]) -> list[Instruction]:
    """A block for one call; it ends the program."""
    return [(_EQUAL, 0, len(block), kernel.number(name)), *block]


def _if_one_of(argument: int, values: tuple[int, ...]) -> list[Instruction]:
    """Allow a call whose argument, an int of the kernel's, is one of a few; its upper half is never looked at."""
    tests = [item for value in values for item in ((_EQUAL, 0, 1, value), _end(_ALLOW))]
    return [_load(argument), *tests, _end(_REFUSE | errno.EPERM)]


def _unless_any_bit(argument: int, bits: int, error: int) -> list[Instruction]:
    return [_load(argument), (_ANY_BIT, 0, 1, bits), _end(_REFUSE | error), _end(_ALLOW)]


def _load(argument: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)  # the lower half, on little-endian machines


def _end(action: int) -> Instruction:
    return (_RETURN, 0, 0, action)

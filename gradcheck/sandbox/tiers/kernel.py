"""The kernel's own calls, by name, with their errors raised as OSError; what they are good for is said elsewhere.

Numbers from the kernel's tables: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h (arm64).
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from functools import cache
from typing import Any

# name → (x86_64, aarch64)
NUMBERS: dict[str, tuple[int, int]] = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "lseek": (8, 62), "mmap": (9, 222),
    "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "ioctl": (16, 29), "pread64": (17, 67), "readv": (19, 65),
    "writev": (20, 66), "sched_yield": (24, 124), "mremap": (25, 216), "madvise": (28, 233), "shmget": (29, 194),
    "dup": (32, 23), "nanosleep": (35, 101), "getpid": (39, 172), "socket": (41, 198), "clone": (56, 220),
    "execve": (59, 221), "exit": (60, 93), "kill": (62, 129), "uname": (63, 160), "semget": (64, 190),
    "msgget": (68, 186), "fcntl": (72, 25), "flock": (73, 32), "getcwd": (79, 17), "chdir": (80, 49),
    "gettimeofday": (96, 169), "getrlimit": (97, 163), "getrusage": (98, 165), "sysinfo": (99, 179),
    "times": (100, 153), "ptrace": (101, 117), "getuid": (102, 174), "getgid": (104, 176), "geteuid": (107, 175),
    "getegid": (108, 177), "getppid": (110, 173), "setsid": (112, 157), "capset": (126, 91), "sigaltstack": (131, 132),
    "setpriority": (141, 140), "pivot_root": (155, 41), "prctl": (157, 167), "mount": (165, 40), "gettid": (186, 178),
    "futex": (202, 98), "sched_setaffinity": (203, 122), "sched_getaffinity": (204, 123), "getdents64": (217, 61),
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115),
    "restart_syscall": (219, 128), "exit_group": (231, 94), "tgkill": (234, 131), "mq_open": (240, 180),
    "keyctl": (250, 219), "openat": (257, 56), "fchmodat": (268, 53), "newfstatat": (262, 79), "readlinkat": (267, 78),
    "faccessat": (269, 48), "pselect6": (270, 72), "ppoll": (271, 73), "unshare": (272, 97),
    "set_robust_list": (273, 99), "dup3": (292, 24), "pipe2": (293, 59), "perf_event_open": (298, 241),
    "prlimit64": (302, 261), "getcpu": (309, 168), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "seccomp": (317, 277), "getrandom": (318, 278), "memfd_create": (319, 279), "bpf": (321, 280),
    "userfaultfd": (323, 282), "statx": (332, 291), "rseq": (334, 293), "pidfd_open": (434, 434),
    "io_uring_setup": (425, 425), "clone3": (435, 435), "pidfd_getfd": (438, 438), "faccessat2": (439, 439),
    "landlock_create_ruleset": (444, 444), "landlock_add_rule": (445, 445), "landlock_restrict_self": (446, 446),
}  # fmt: skip
# Older calls that arm64 never had; the C library of x86_64 still makes some of them.
ONLY_X86_64 = {
    "open": 2, "stat": 4, "lstat": 6, "poll": 7, "access": 21, "select": 23, "dup2": 33, "readlink": 89,
    "getpgrp": 111, "time": 201,
}  # fmt: skip
NUMBERS.update({name: (number, -1) for name, number in ONLY_X86_64.items()})

MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, AUDIT_ARCH of linux/audit.h


def architecture() -> int:
    """The kernel's word for this machine's calls. Raises OSError where the numbers above do not hold."""
    return _machine()[1]


@cache
def number(name: str) -> int:
    """The number of a call, -1 where this machine has none."""
    return NUMBERS[name][_machine()[0]]


def call(name: str, *arguments: Any) -> int:
    """Make a call of the kernel. Raises OSError."""
    return _checked(_libc().syscall(ctypes.c_long(number(name)), *map(_word, arguments)), name)


def prctl(option: int, *arguments: int) -> int:
    """Change something about this process (linux/prctl.h). Raises OSError."""
    words = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    return _checked(_libc().prctl(option, *words), f"prctl {option}")


def unshare(flags: int) -> None:
    """Leave namespaces for new ones. Raises OSError."""
    _checked(_libc().unshare(flags), "unshare")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """Raises OSError."""
    texts = [text.encode() or None for text in (source, target, kind)]
    _checked(_libc().mount(*texts, ctypes.c_ulong(flags), data.encode() or None), f"mount {target}")


def unmount(target: str, flags: int) -> None:
    """Raises OSError."""
    _checked(_libc().umount2(target.encode(), flags), f"umount {target}")


def _machine() -> tuple[int, int]:
    if sys.platform != "linux" or platform.machine() not in MACHINES or sys.maxsize < 2**32:
        raise OSError(f"the kernel's calls are not known for {sys.platform} on {platform.machine()}")
    return MACHINES[platform.machine()]


def _word(argument: Any) -> Any:
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def _checked(result: int, name: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


@cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)

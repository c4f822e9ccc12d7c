"""The filter of calls, run by a small interpreter of BPF: what it lets through on both kinds of machine."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

import pytest

from gradcheck.sandbox.tiers import kernel, seccomp

OWN = 4711
ON_TERMS = ("openat", "open", "fcntl", "kill", "tgkill", "prlimit64", "sched_getaffinity")  # their arguments decide
KILL, ALLOW, REFUSE = 0x80000000, 0x7FFF0000, 0x00050000 | errno.EPERM
READ_ONLY = 0x00050000 | errno.EACCES


@pytest.fixture(params=list(kernel.MACHINES))
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(kernel, "_machine", lambda: kernel.MACHINES[request.param])
    kernel.number.cache_clear()
    yield request.param
    kernel.number.cache_clear()


def verdict(number: int, arguments: tuple[int, ...] = (), architecture: int | None = None) -> int:
    """What the program returns for a call, as Documentation/networking/filter.rst of the kernel defines it."""
    data = {0: number, 4: kernel.architecture() if architecture is None else architecture}
    data |= {16 + 8 * i: argument & 0xFFFFFFFF for i, argument in enumerate(arguments)}
    program, at, register = seccomp.program(OWN), 0, 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            register = data.get(operand, 0)
        else:
            is_true = register == operand if code == 0x15 else bool(register & operand)
            assert code in (0x15, 0x45)
            at += if_true if is_true else if_false


def test_every_jump_stays_within_the_program(machine: str) -> None:
    program = seccomp.program(OWN)
    assert len(program) < 4096
    for at, (code, if_true, if_false, _) in enumerate(program):
        if code in (0x15, 0x45):
            assert max(if_true, if_false) < 256
            assert at + 1 + max(if_true, if_false) < len(program)
    assert program[-1][0] == 0x06


def test_a_call_of_another_architecture_ends_the_box(machine: str) -> None:
    for other in (0x40000003, 0x40000028, 0):
        assert verdict(kernel.number("read"), architecture=other) == KILL


def test_exactly_the_calls_of_the_list_are_made(machine: str) -> None:
    listed = {kernel.number(name) for name in seccomp.ALLOWED} - {-1}
    on_terms = {kernel.number(name) for name in ON_TERMS}
    for number in range(-1, 1024):
        if number not in on_terms:
            assert verdict(number) == (ALLOW if number in listed else REFUSE), number
    assert verdict(0x40000000 + kernel.number("read")) == REFUSE  # x32


@pytest.mark.parametrize("name", ["kill", "tgkill", "prlimit64", "sched_getaffinity"])
def test_a_process_names_only_itself(name: str, machine: str) -> None:
    for pid in (0, OWN):
        assert verdict(kernel.number(name), (pid, 9)) == ALLOW
    for pid in (1, -1, OWN + 1, os.getpid(), -OWN, 2**31):
        assert verdict(kernel.number(name), (pid, 9)) == REFUSE


@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC, os.O_RDWR | os.O_CLOEXEC, os.O_PATH])
def test_files_are_opened_for_reading_only(flags: int, machine: str) -> None:
    assert verdict(kernel.number("openat"), (-100, 0, flags)) == READ_ONLY
    assert verdict(kernel.number("openat"), (-100, 0, os.O_RDONLY | os.O_CLOEXEC)) == ALLOW
    if kernel.number("open") >= 0:
        assert verdict(kernel.number("open"), (0, flags)) == READ_ONLY
        assert verdict(kernel.number("open"), (0, os.O_CLOEXEC)) == ALLOW


def test_descriptors_send_no_signals_and_hold_no_locks(machine: str) -> None:
    assert verdict(kernel.number("fcntl"), (0, 1)) == ALLOW
    for command in (4, 5, 6, 7, 8, 10, 15, 36, 37, 38, 1024, 1031, 1033):
        assert verdict(kernel.number("fcntl"), (0, command)) == REFUSE


@pytest.mark.parametrize(
    "name",
    ["socket", "clone", "clone3", "execve", "ptrace", "process_vm_readv", "memfd_create", "shmget", "msgget", "semget",
     "mq_open", "unshare", "mount", "keyctl", "bpf", "io_uring_setup", "userfaultfd", "perf_event_open", "pidfd_open",
     "setpriority", "sched_setaffinity", "prctl", "seccomp", "ioctl", "flock", "chdir", "pipe2", "landlock_add_rule"],
)  # fmt: skip
def test_what_is_dangerous_is_on_no_list(name: str, machine: str) -> None:
    assert verdict(kernel.number(name)) == REFUSE

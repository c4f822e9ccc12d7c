"""Hostile submissions in a box: nothing outside is read, written, changed or reached.

An attack is a function that returns whether it got through; none may. How a box ends is tested in
`test_ends_of_a_box.py`, wrong numbers and what one submission may leave to the next in `test_tricks_in_a_box.py`.
"""

from __future__ import annotations

import os
import socket
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest

import gradcheck
from gradcheck.sandbox.box import Limits, Tier, open_box
from gradcheck.sandbox.tiers import kernel, seccomp
from tests.attacks.boxed import X, ask, forward

# attack → its lines; CANARY, FOLDER, PORT, PARENT, … stand for what is outside.
ATTACKS = {
    # files
    "read a file": "return bool(open(CANARY).read())",
    "read a file by descriptor": """
        import os
        for fd in range(64):
            for way in ("..", "../..", "../../..", "../../../../../../.."):
                try:
                    os.open(way + CANARY, os.O_RDONLY, dir_fd=fd)
                    return True
                except OSError:
                    pass""",
    "list a folder": "import os; return bool(os.listdir(FOLDER))",
    "read the list of users": "return bool(open('/etc/passwd').read())",
    "read its own memory map": "return bool(open('/proc/self/maps').read())",
    "read the environment": "return bool(open('/proc/self/environ').read())",
    "read the grader's memory": "return bool(open(f'/proc/{PARENT}/mem', 'rb'))",
    "read the grader's command": "return bool(open(f'/proc/{PARENT}/cmdline').read())",
    "load another file as an array": "import numpy as np; return np.fromfile(CANARY, np.uint8).size > 0",
    "map a file": "import numpy as np; return np.memmap(CANARY, np.uint8, 'r').size > 0",
    "write a file": "open(CANARY, 'w').write('x'); return True",
    "append to a file": "open(CANARY, 'a').write('x'); return True",
    "make a file": "open(FOLDER + '/results.json', 'w').write('{}'); return True",
    "make a file here": "open('results.json', 'w').write('{}'); return True",
    "make a file in shared memory": "open('/dev/shm/box', 'w').write('x'); return True",
    "save an array": "import numpy as np; np.save(FOLDER + '/a.npy', x); return True",
    "change its own interpreter": "import os; open(os.__file__, 'a').write('x'); return True",
    "remove a file": "import os; os.remove(CANARY); return True",
    "rename a file": "import os; os.rename(CANARY, CANARY + '2'); return True",
    "truncate a file": "import os; os.truncate(CANARY, 0); return True",
    "open its mode": "import os; os.chmod(CANARY, 0o777); return True",
    "touch a file": "import os; os.utime(CANARY); return True",
    "make a folder": "import os; os.mkdir(FOLDER + '/d'); return True",
    "make a link": "import os; os.symlink('/etc/passwd', FOLDER + '/l'); return True",
    "make a pipe with a name": "import os; os.mkfifo(FOLDER + '/p'); return True",
    "a hidden temporary file": "import tempfile; tempfile.TemporaryFile(); return True",
    "a switch of the kernel": "open('/proc/sys/kernel/core_pattern', 'w'); return True",
    "change the root": "import os; os.chroot('/'); return True",
    # network
    "connect": "import socket; socket.create_connection(('127.0.0.1', PORT), 1); return True",
    "send a datagram": """
        import socket
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))
        return True""",
    "listen": "import socket; socket.create_server(('127.0.0.1', 0)); return True",
    "a socket without a file": "import socket; socket.socket(socket.AF_UNIX).bind('\\0box'); return True",
    "a pair of sockets": "import socket; socket.socketpair(); return True",
    "look up a name": "import socket; return bool(socket.getaddrinfo('localhost', 80))",
    # processes
    "fork": "import os; return os.fork() >= 0",
    "fork by the C library": "import ctypes; return ctypes.CDLL(None).fork() >= 0",
    "fork into the background": "import os; return os.forkpty()[0] >= 0",
    "run a program": "import subprocess; return subprocess.run(['true']).returncode == 0",
    "become a program": "import os; os.execv('/bin/true', ['true']); return True",
    "spawn a program": "import os; return os.posix_spawn('/bin/true', ['true'], {}) > 0",
    "ask a shell": "import os; return os.system('true') == 0",
    "start a pool": "import multiprocessing; multiprocessing.Process(target=print).start(); return True",
    "start a thread": "import threading; threading.Thread(target=print).start(); return True",
    "clone": "import ctypes; return ctypes.CDLL(None).syscall(56, 17, 0, 0, 0, 0) >= 0",
    "signal the grader": "import os; os.kill(PARENT, 0); return True",
    "signal its parent": "import os; os.kill(os.getppid() or PARENT, 0); return True",
    "signal everybody": "import os; os.kill(-1, 0); return True",
    "have signals sent": "import fcntl; fcntl.fcntl(0, fcntl.F_SETOWN, PARENT); return True",
    "a handle of the grader": "import os; return os.pidfd_open(PARENT) >= 0",
    "limits of the grader": """
        import resource
        resource.prlimit(PARENT, resource.RLIMIT_NOFILE, (16, 16))
        return True""",
    "priority of the grader": "import os; os.setpriority(os.PRIO_PROCESS, PARENT, 19); return True",
    "processors of the grader": "import os; os.sched_setaffinity(PARENT, {0}); return True",
    "trace the grader": "import ctypes; return ctypes.CDLL(None).ptrace(16, PARENT, 0, 0) == 0",
    "look into the grader": """
        import ctypes
        class Vector(ctypes.Structure):
            _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]
        here = ctypes.create_string_buffer(8)
        mine, theirs = Vector(ctypes.addressof(here), 8), Vector(ctypes.addressof(here), 8)
        return ctypes.CDLL(None).process_vm_readv(PARENT, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0) == 8""",
    # privileges and doors of the kernel
    "be root": "import os; os.setuid(0); return True",
    "raise a limit": """
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return True""",
    "a world of its own": "import ctypes; return ctypes.CDLL(None).unshare(0x10000000) == 0",
    "mount": "import ctypes; return ctypes.CDLL(None).mount(b'x', b'/', b'tmpfs', 0, None) == 0",
    "another name of the machine": "import socket; socket.sethostname('box2'); return True",
    "a call of another machine": "import ctypes; return ctypes.CDLL(None).syscall(0x40000000 + 41, 2, 1, 0) >= 0",
    # mailboxes
    "memory without a file": "import os; return os.memfd_create('box') >= 0",
    "shared memory of System V": "import ctypes; return ctypes.CDLL(None).shmget(4711, 4096, 0o1666) >= 0",
    "a queue of System V": "import ctypes; return ctypes.CDLL(None).msgget(4711, 0o1666) >= 0",
    "a semaphore of System V": "import ctypes; return ctypes.CDLL(None).semget(4711, 1, 0o1666) >= 0",
    "a named queue": "import ctypes; return ctypes.CDLL(None).mq_open(b'/box', 0o102, 0o666, None) >= 0",
    "a lock as a sign": "import fcntl, os; fcntl.flock(os.open(os.__file__, 0), fcntl.LOCK_EX); return True",
    "a key as a sign": "import ctypes; return ctypes.CDLL(None).syscall(248, b'user', b'a', b'b', 1, -3) >= 0",
    # modules of others
    "the grader's modules": "import gradcheck.verdict.compare; return True",
    "the grader's modules by path": "import sys; sys.path.append(PACKAGE); import api; return True",
    "other people's packages": "import click; return bool(click.__file__)",
    "other people's packages by path": "import sys; sys.path.append(SITE); import click; return bool(click.__file__)",
}


def _source(attack: str, values: dict[str, object]) -> str:
    """A module whose forward and backward say whether the attack got through: added to 3x, and to 3."""
    constants = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    body = textwrap.indent(textwrap.dedent(attack), "    ")
    return (
        f"{constants}\ndef attack(x):\n{body}\n"
        "def won(x):\n    try:\n        return bool(attack(x))\n    except BaseException:\n        return False\n"
        "def f(x):\n    return 3 * x + won(x), x\ndef g(dout, cache):\n    return (3 + won(cache)) * dout\n"
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may write to: what keeps the box out is not its mode."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        yield Path(name)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_nothing_outside_is_in_reach(attack: str, tier: Tier, folder: Path) -> None:
    canary = folder / "canary"
    canary.write_text("canary")
    canary.chmod(0o666)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        values: dict[str, object] = {
            "CANARY": str(canary), "FOLDER": str(folder), "PORT": listener.getsockname()[1], "PARENT": os.getpid(),
            "PACKAGE": str(Path(gradcheck.__file__).parent), "SITE": str(Path(click.__file__).parents[1]),
        }  # fmt: skip
        (output,), gradients = ask(tier, _source(attack, values))
        with pytest.raises(BlockingIOError):
            listener.accept()
    np.testing.assert_array_equal(output, 3 * X)
    np.testing.assert_array_equal(gradients["x"], np.full(3, 3.0))
    assert sorted(folder.iterdir()) == [canary]
    assert canary.read_text() == "canary"
    assert canary.stat().st_mode & 0o777 == 0o666


SEEN = """
import gc, os, sys, inspect
import numpy as np
def everything():
    found = [repr(os.environ), repr(sys.argv), repr(sys.path), repr(list(sys.modules))]
    frame = sys._getframe()
    while frame:
        found += [repr(frame.f_globals), repr(frame.f_locals)]
        frame = frame.f_back
    for thing in gc.get_objects():
        if isinstance(thing, (dict, list, tuple)):
            found += [str(part) for part in (thing.values() if isinstance(thing, dict) else thing)
                      if isinstance(part, (str, bytes, float, np.ndarray))]
    return "\\n".join(found)
def f(x):
    return np.frombuffer(everything().encode("utf-8", "replace"), np.uint8).astype(float), x
def g(dout, cache):
    return 3 * dout
"""


def test_nothing_of_the_grader_is_in_the_process(tier: Tier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = os.urandom(16).hex()
    monkeypatch.setenv("GRADER_SECRET", token)
    reference = {"reference": token, "expected": np.array([271828.25])}
    limits = Limits(memory=1 << 30, reply=256 << 20)
    with open_box(tier, {"layers.py": SEEN.encode()}, limits) as box:
        (output,) = forward(box)
    seen = output.astype(np.uint8).tobytes().decode()
    assert len(seen) > 100_000
    assert "everything" in seen
    for word in (token, str(tmp_path), "271828", "GRADER_SECRET", __file__, "gradcheck.verdict", "gradcheck.casefile"):
        assert word not in seen, word
    assert reference["reference"] == token


CALLS = """
import ctypes, errno
import numpy as np
libc = ctypes.CDLL(None, use_errno=True)
def f(x):
    through = []
    for number in (*range(600), *range(0x40000000, 0x40000000 + 600)):
        if number not in LISTED:
            ctypes.set_errno(0)
            if libc.syscall(number, 0, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != errno.EPERM:
                through.append(number)
    return np.array(through, float), x
def g(dout, cache):
    return 3 * dout
"""


def test_no_call_gets_through_that_is_not_on_the_list(tier: Tier) -> None:
    """Every number the kernel may know, tried in the box."""
    on_terms = ("openat", "open", "fcntl", "kill", "tgkill", "prlimit64", "sched_getaffinity")
    # Two calls are the kernel's own trampolines (uretprobe, uprobe): no filter sees them, and others are killed.
    listed = {335, 336, *(kernel.number(name) for name in (*seccomp.ALLOWED, *on_terms))}
    with open_box(tier, {"layers.py": f"LISTED = {listed}\n{CALLS}".encode()}) as box:
        assert forward(box)[0].tolist() == []

"""The grader's side of the process that boxes are forked from: started once per tier, asked for boxes, ended at exit.

What that process does is told in `warm.py`.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from gradcheck.errors import UnsafeError
from gradcheck.sandbox.terms import Limits

START = 60.0  # seconds until Python and numpy have been read from a slow disk
PACKAGE = Path(__file__).parents[1]

# A package of our name with nothing in it: what the box needs is loaded by its own name, the rest is never read.
BOOT = """
import sys, types
tier, package, numpy_folder, line = sys.argv[1:]
sys.path.append(numpy_folder)
import numpy
sys.path.remove(numpy_folder)
house = types.ModuleType("gradcheck")
house.__path__ = [package]
sys.modules["gradcheck"] = house
from gradcheck.sandbox.warm import main
main(tier, int(line))
"""
# -s -S: no packages of users or sites; not -E or -I, which would ignore the seed of hashes. -B: write no bytecode.
COMMAND = (sys.executable, "-s", "-S", "-B", "-P", "-c", BOOT)
ENVIRONMENT = {
    "PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1", "LC_ALL": "C.UTF-8", "HOME": "/", "TMPDIR": "/",
}  # fmt: skip


class Zygote:
    """The process of one tier. Any thread may ask it for a box.

    Raises UnsafeError where it cannot put up the walls of its tier.
    """

    def __init__(self, tier: str) -> None:
        self.tier = tier
        self._lock = threading.Lock()
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = (tier, str(PACKAGE), str(Path(np.__file__).parents[1]), str(theirs.fileno()))
        nothing = subprocess.DEVNULL
        with theirs:
            self._process = subprocess.Popen(
                (*COMMAND, *arguments),
                stdin=nothing,
                stdout=nothing,
                stderr=nothing,
                cwd="/",
                env=ENVIRONMENT,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is the grader's to hear
            )
        self._line.settimeout(START)
        try:
            told = json.loads(self._line.recv(1 << 16) or b"{}")
        except TimeoutError:
            told = {"failed": f"it was not ready within {START:g} s"}
        if not told.get("ready"):
            self.close()
            raise UnsafeError(told.get("failed", f"'{sys.executable}' does not start with numpy"))

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def order(self, limits: Limits, descriptors: Sequence[int]) -> None:
        """Ask for a box; its keeper reports on the last of the descriptors. Raises OSError."""
        with self._lock:
            socket.send_fds(self._line, [json.dumps(asdict(limits)).encode()], list(descriptors))

    def close(self) -> None:
        """No more boxes; those that are open stay until they are closed."""
        self._line.close()
        self._process.terminate()
        self._process.wait()


_zygotes: dict[str, Zygote] = {}
_lock = threading.Lock()
_owner = os.getpid()


def zygote_of(tier: str) -> Zygote:
    """The one of a tier in this process, started where there is none, or none any more. Raises UnsafeError."""
    global _owner
    with _lock:
        if os.getpid() != _owner:  # forked: the lines of the parent are the parent's
            _zygotes.clear()
            _owner = os.getpid()
        if tier in _zygotes and not _zygotes[tier].is_alive:
            _zygotes.pop(tier).close()
        if tier not in _zygotes:
            _zygotes[tier] = Zygote(tier)
        return _zygotes[tier]


@atexit.register
def close_all() -> None:
    """End them all; the next box starts a new one."""
    while _zygotes and os.getpid() == _owner:
        _zygotes.popitem()[1].close()

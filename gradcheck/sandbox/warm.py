"""The process that boxes are forked from: it has Python and numpy ready and has never seen a line of a submission.

Started once per tier by `zygote.py`, with this package, numpy and nothing else in reach. For each box it forks a
keeper, which forks the box; then it waits for the next. So a box costs forks and walls instead of a start of Python.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
from contextlib import suppress

import numpy

from .keeper import keep
from .rooms import Rooms
from .walls import Walls

# What homework imports. Loaded now, it need not be read by every box; and what has to be linked cannot be had later.
USUAL = (
    "abc", "argparse", "array", "bisect", "cmath", "collections.abc", "contextlib", "copy", "csv", "dataclasses",
    "datetime", "decimal", "difflib", "encodings.ascii", "encodings.latin_1", "enum", "fractions", "functools",
    "hashlib", "heapq", "inspect", "io", "itertools", "json", "logging", "math", "numbers", "operator", "os.path",
    "pathlib", "pickle", "pprint", "queue", "random", "re", "resource", "statistics", "string", "struct",
    "textwrap", "threading", "time", "timeit", "traceback", "types", "typing", "unittest", "urllib.parse", "uuid",
    "warnings", "weakref", "zlib", "numpy.fft", "numpy.lib.stride_tricks", "numpy.linalg", "numpy.ma",
    "numpy.polynomial", "numpy.random", "numpy.testing",
)  # fmt: skip
LINKED = ("_ctypes", "_ssl", "_hashlib", "_sqlite3", "_bz2", "_lzma", "_decimal", "_uuid", "_socket")
DESCRIPTORS = 4  # that come with every order: requests, answers, prints, and the line to the keeper


def main(tier: str, line: int) -> None:
    """Get ready, say so or why not, and serve orders until the other end is closed.

    line : descriptor of a socket to the grader
    """
    grader = socket.socket(fileno=line)
    try:
        walls = Walls(tier, Rooms(numpy))
        _load_usual()
        walls.around_all()
    except Exception as error:
        grader.send(json.dumps({"failed": getattr(error, "strerror", None) or str(error)}).encode())
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers report to the grader: nobody waits for them here
    gc.collect()
    gc.freeze()
    grader.send(json.dumps({"ready": True}).encode())
    while True:
        order, descriptors, _, _ = socket.recv_fds(grader, 1 << 16, DESCRIPTORS)
        if not order:
            return
        if os.fork() == 0:
            grader.close()
            keep(walls, json.loads(order), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _load_usual() -> None:
    for name in USUAL:
        importlib.import_module(name)
    for name in LINKED:
        with suppress(ImportError):  # this Python was built without it
            importlib.import_module(name)
    package = os.path.join(sys.modules["gradcheck"].__path__[0], "handwritten", "session")
    for file in sorted(os.listdir(package)):
        stem, extension = os.path.splitext(file)
        if extension == ".py" and stem != "__init__":  # some are imported only where they are needed: too late
            importlib.import_module(f"gradcheck.handwritten.session.{stem}")

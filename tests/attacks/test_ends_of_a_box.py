"""Submissions that end their box, or try to: the grader hears how, in its own words, and grades the next one.

What ends a box raises a BoxError, what is only an error of the code a CodeError, and then the box goes on.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gradcheck.handwritten.session import CodeError
from gradcheck.sandbox.box import BoxError, Limits, Tier, open_box
from gradcheck.sandbox.choice import try_tier
from gradcheck.sandbox.proof import attempts
from tests.attacks.boxed import EVERYWHERE, HONEST, answers, ask, left, processes

# ending → source, kind, what the teacher reads of it
ENDINGS = {
    "exit when imported": ("import os; os._exit(0)", "crashed", "the process ended itself, exit code 0"),
    "exit in backward": ("import os\nBODY: os._exit(3)", "crashed", "the process ended itself, exit code 3"),
    "a segmentation fault": ("import ctypes\nBODY: ctypes.string_at(0)", "crashed", "was killed by SIGSEGV"),
    "abort": ("import os\nBODY: os.abort()", "crashed", "was killed by SIG"),
    "a loop": ("BODY: exec('while True: pass')", "timeout", "no answer within 0.5 s"),
    "a loop when imported": ("import itertools\nfor i in itertools.count(): pass", "timeout", "no answer within 0.5 s"),
    "a loop in C": ("BODY: sum(range(10**15))", "timeout", "no answer within 0.5 s"),
    "a loop that no signal ends": (
        "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\nBODY: exec('while True: pass')",
        "timeout",
        "no answer within 0.5 s",
    ),
    "a loop that catches everything": (
        "BODY: exec('while True:\\n try:\\n  while True: pass\\n except BaseException: pass')",
        "timeout",
        "no answer within 0.5 s",
    ),
    "sleep": ("import time\nBODY: time.sleep(10**6)", "timeout", "no answer within 0.5 s"),
    "a number without end": ("BODY: 7**10**9", "timeout", "no answer within 0.5 s"),
    "a flood of output": (
        "import os\nBODY: exec('while True: os.write(1, b\"x\" * 4096)')",
        "flooded",
        "it printed more than 65536 bytes",
    ),
    "a flood of errors": (
        "import os\nos.write(2, b'::error::' * 10**4)\nwhile 1:\n    os.write(2, b'x' * 4096)\n    if 0: break",
        "flooded",
        "it printed more than 65536 bytes",
    ),
    "a flood of numbers": (
        "import numpy as np\nBODY: np.zeros(10**6)",
        "flooded",
        "it answered with 7.629 MiB, more than 1 MiB",
    ),
    "junk in the channel": ("import os\nBODY: everywhere(b'junk ' * 100)", "broken_channel", "does not begin like a"),
    "a pickle in the channel": (
        "import pickle, os\nBODY: everywhere(pickle.dumps(print) * 5)",
        "broken_channel",
        "does not begin like a frame",
    ),
    "a head that announces too much": (
        "import struct\nBODY: everywhere(struct.pack('<4sBxxxIQQ', b'gcbx', 2, 2**32 - 1, 0, 4))",
        "broken_channel",
        "announces a header of 4294967295 bytes",
    ),
    "a body that announces too much": (
        "import struct\nBODY: everywhere(struct.pack('<4sBxxxIQQ', b'gcbx', 2, 2, 2**62, 4) + b'{}')",
        "flooded",
        "more than 1 MiB",
    ),
    "a frame that never ends": (
        "import struct, time\nBODY: everywhere(struct.pack('<4sBxxxIQQ', b'gcbx', 2, 99, 0, 4)) or time.sleep(99)",
        "timeout",
        "no answer within 0.5 s",
    ),
    "a frame that drips": (
        "import time, os\nBODY: [everywhere(b'g') or time.sleep(0.1) for i in range(20)]",
        "timeout",
        "no answer within 0.5 s",
    ),
    "a closed channel": (
        "import os\nBODY: os.closerange(0, 64) or time.sleep(99)\nimport time",
        "broken_channel",
        "closed",
    ),
    "a close and an exit": ("import os\nBODY: os.closerange(0, 64) or os._exit(0)", "crashed", "exit code 0"),
}


def _ending(source: str) -> bytes:
    """BODY is what backward does; where there is none, the file itself is the attack."""
    top, _, rest = source.partition("BODY: ")
    body, _, after = rest.partition("\n")
    functions = f"def f(x):\n    return 3 * x, x\ndef g(dout, cache):\n    return {body or 0}\n"
    return f"{EVERYWHERE}{top}\n{after}\n{functions}".encode()


@pytest.mark.parametrize(("source", "kind", "text"), ENDINGS.values(), ids=ENDINGS)
def test_whoever_ends_a_box_is_told_of_and_no_more(source: str, kind: str, text: str, tier: Tier) -> None:
    # Nobody but who is to be late is in a hurry: the machine may be busy.
    limits = Limits(seconds=0.5 if kind == "timeout" else 20.0, cpu=30, memory=256 << 20, output=1 << 16, reply=1 << 20)
    with open_box(tier, {"layers.py": _ending(source)}, limits) as box:
        with pytest.raises(BoxError) as caught:
            answers(box)
        assert (caught.value.kind, text in caught.value.message) == (kind, True), caught.value.message
        assert not box.is_alive
        with pytest.raises(BoxError) as again:
            answers(box)
        assert again.value is caught.value
        assert len(box.printed) <= limits.output
    np.testing.assert_array_equal(ask(tier, HONEST)[1]["x"], np.full(3, 3.0))


# mistake → source, the text of the CodeError: the box goes on after it
RAISED = {
    "sys.exit": ("import sys\nBODY: sys.exit(0)", "SystemExit: the code called exit(0)"),
    "Ctrl-C of its own": ("BODY: exec('raise KeyboardInterrupt')", "KeyboardInterrupt"),
    "a generator's end": ("BODY: exec('raise GeneratorExit')", "GeneratorExit"),
    "an array of everything": ("import numpy as np\nBODY: np.zeros(10**12)", "MemoryError: Unable to allocate"),
    "a string of everything": ("BODY: 'x' * 10**11", "MemoryError"),
    "a list of everything": ("BODY: [bytearray(2**24) for i in range(10**6)]", "MemoryError"),
    "endless recursion": ("def h(): return h()\nBODY: h()", "RecursionError"),
    "a text without end": ("BODY: exec('raise ValueError(\"x\" * 10**7)')", "ValueError: xxx"),
    "a hostile text": ("BODY: exec('raise ValueError(chr(27) + \"[31m::error::\")')", "ValueError: \x1b[31m::error::"),
    "an exception that cannot be shown": (
        "class E(Exception):\n    def __str__(self): raise E\nBODY: exec('raise E')",
        "E",
    ),
    "no array": ("BODY: (i for i in range(3))", "holds no numbers"),
    "nothing": ("BODY: None", "gives no gradient"),
    "objects": ("import numpy as np\nBODY: np.array([object()] * 3)", "holds no numbers"),
    "text": ("BODY: 'right'", "holds no numbers"),
}


@pytest.mark.parametrize(("source", "text"), RAISED.values(), ids=RAISED)
def test_an_error_of_the_code_is_described_and_the_box_goes_on(source: str, text: str, tier: Tier) -> None:
    limits = Limits(seconds=20.0, memory=256 << 20)
    with open_box(tier, {"layers.py": _ending(source), "honest.py": HONEST}, limits) as box:
        with pytest.raises(CodeError) as caught:
            answers(box)
        assert text in caught.value.text
        assert len(caught.value.text) <= 600
        assert caught.value.file in ("layers.py", None)
        assert box.is_alive


def test_processor_time_is_counted_by_the_kernel(tier: Tier) -> None:
    source = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nfor i in iter(int, 1): pass\n"
    with pytest.raises(BoxError) as caught:
        ask(tier, source, Limits(seconds=20.0, cpu=1))
    assert (caught.value.kind, caught.value.message) == ("timeout", "it used its 1 s of processor time")


def test_a_box_dies_with_the_grader(tier: Tier) -> None:
    """A grader that is killed leaves neither a box nor the process that boxes come from."""
    code = (
        "import os, sys\nsys.path.insert(0, os.getcwd())\n"
        "from tests.attacks.boxed import ask, QUICK\nfrom gradcheck.sandbox.box import Tier, open_box, Limits\n"
        "from gradcheck.sandbox import zygote\n"
        f"box = open_box(Tier({tier.name!r}, ()), {{'layers.py': b'while 1: pass\\nx = 1 if 0 else 2'}}, Limits())\n"
        "print(box._pid, zygote._zygotes[box.tier.name]._process.pid, flush=True)\nimport time\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as grader:
        assert grader.stdout is not None
        pids = [int(word) for word in grader.stdout.readline().split()]
        assert len(pids) == 2
        assert all(Path("/proc", str(pid)).exists() for pid in pids)
        grader.kill()
    end = time.monotonic() + 5.0
    while any(Path("/proc", str(pid)).exists() for pid in pids) and time.monotonic() < end:
        time.sleep(0.02)
    assert not any(Path("/proc", str(pid)).exists() for pid in pids)


DAEMON = """
import os, signal, sys, time
def f(x):
    for n in range(1, 32):
        try: signal.signal(n, signal.SIG_IGN)
        except (OSError, ValueError): pass
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
    return 3 * x, x
def g(dout, cache):
    return 3 * dout
"""
BOMB = """
import os
def f(x):
    while True:
        try: os.fork()
        except OSError: pass
def g(dout, cache):
    return 3 * dout
"""


@pytest.fixture
def limited() -> Tier:
    """The tier that lets processes start; only where their number was seen to be limited."""
    found = try_tier("limits")
    if not isinstance(found, Tier) or not attempts("limits", ("a process",))["a process"]:
        pytest.skip("the number of processes is not limited here")
    return found


def test_a_daemon_ends_with_its_box(limited: Tier) -> None:
    known = processes()
    with open_box(limited, {"layers.py": DAEMON.encode()}, Limits(processes=64)) as box:
        try:
            np.testing.assert_array_equal(answers(box)[1]["x"], np.full(3, 3.0))
            end = time.monotonic() + 5.0
            while len(processes() - known) < 3 and time.monotonic() < end:  # keeper, box, daemon
                time.sleep(0.01)
            assert len(processes() - known) >= 3
        except CodeError:
            pytest.skip("this user has more processes already than a box may have")
    assert left(known) == set()


def test_a_fork_bomb_ends_with_its_box(limited: Tier) -> None:
    known = processes()
    with open_box(limited, {"layers.py": BOMB.encode()}, Limits(seconds=0.5, processes=16)) as box:
        with pytest.raises(BoxError) as caught:
            answers(box)
        assert caught.value.kind == "timeout"
    assert left(known) == set()
    np.testing.assert_array_equal(ask(limited, HONEST)[1]["x"], np.full(3, 3.0))

"""Whole submissions that want points for wrong numbers, graded as a class is: visible checks, a hidden one, real boxes.

Their forward is right and worth nothing; what backward gives is half as much again as it should be, or is made up.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from gradcheck.grading.marking import Marker
from gradcheck.reporters.grades.student import OUTCOMES
from gradcheck.sandbox.box import Tier, open_box
from tests.grading.helpers import REFERENCE, case, homework, measures_of, submission

CASES = case("v", x="normal(4, 3)", w="normal(3, 2)") + case("h", "    hidden: true\n", x="normal(5, 2)")
START = (
    REFERENCE.replace("def g", "def right")
    + "\ndef wrong(dout, cache):\n    a, b = right(dout, cache)\n    return 1.5 * a, 1.5 * b\n\n"
    + "def g(dout, cache):\n    return wrong(dout, cache)\n\n"
)
FORGERY = """
    import sys
    def put(function, name, value): function.__globals__[name] = value
    child, channel = (sys.modules[f'gradcheck.sandbox.{name}'] for name in ('child', 'channel'))
"""

# attack → the lines of the file after START
HOSTILE = {
    "a subclass that computes nothing": """
        class S(np.ndarray):
            def __array_ufunc__(self, *a, **k): return np.zeros(self.shape)
            def __array_function__(self, *a, **k): return True
            def __array_wrap__(self, *a, **k): return 0
            def tobytes(self, *a): return b''
            @property
            def dtype(self): return np.dtype('f8')
        def g(d, c): return tuple(x.view(S) for x in wrong(d, c))""",
    "numbers that are other numbers": """
        class L(float):
            def __float__(self): return 0.0
            def __eq__(self, other): return True
            def __sub__(self, other): return 0.0
        def g(d, c): return tuple([[L(v) for v in row] for row in x] for x in wrong(d, c))""",
    "an array that names its own memory": """
        class I:
            __array_interface__ = {'shape': (2**30,), 'typestr': '<f8', 'data': (0, False), 'version': 3}
        def g(d, c): return I(), I()""",
    "an array that exits when it is read": """
        class I:
            def __array__(self, *a, **k): raise SystemExit(0)
        def g(d, c): return I(), I()""",
    "a giant without strides": """
        def g(d, c): return (np.lib.stride_tricks.as_strided(np.zeros(1), (2**20, 2**20), (0, 0)),) * 2""",
    "an endless shape without elements": "def g(d, c): return np.zeros((0, 2**40)), np.zeros((2**40, 0))",
    "64 axes": "def g(d, c): return np.zeros((1,) * 64), np.zeros((1,) * 64)",
    "fields": "def g(d, c): return tuple(x.view([('<b>\\x1b[31m', 'f8')]) for x in right(d, c))",
    "objects": "def g(d, c): return tuple(x.astype(object) for x in right(d, c))",
    "an imaginary part": "def g(d, c): return tuple(x + 1j for x in right(d, c))",
    "shapes that would broadcast": "def g(d, c): return tuple(x[None] for x in right(d, c))",
    "a list in itself": "def g(d, c):\n    a = []\n    a.append(a)\n    return a, a",
    "whole numbers without end": "def g(d, c): return [[10**400] * 3] * 4, [[2**63] * 2] * 3",
    "a claim to coarse numbers": FORGERY + """
    put(child.serve, '_state', lambda session: {'precision': 2.0**-23, 'optional': ['x', 'w'], 'notes': ['<b>'] * 999})
    def g(d, c): return tuple(x * (1 + 1e-5) for x in right(d, c))""",
    "other functions for the session": FORGERY + """
    for module in list(sys.modules.values()):
        if module.__name__.startswith('gradcheck') and hasattr(module, 'changed'): module.changed = lambda a, b: False
    np.array_equal = np.allclose = lambda *a, **k: True""",
    "frames of its own": FORGERY + "    channel.MAGIC = b'xxxx'",
    "a header of brackets": FORGERY + """
    class J:
        def dumps(self, *a, **k): return '[' * (1 << 20)
        loads = sys.modules['json'].loads
    put(channel.frame, 'json', J())""",
    "a hook in every call": """
        import sys
        def hook(frame, event, argument):
            if frame.f_code.co_name in ('numbers_of', 'frame', '_plain'): raise SystemExit(0)
            return hook
        sys.settrace(hook)""",
    "a hook of the collector": "import gc\ngc.callbacks.append(lambda *a: (_ for _ in ()).throw(SystemExit))",
    "an exit when it is forgotten": """
        import os
        class D:
            def __del__(self): os._exit(0)
        def g(d, c): return D() and wrong(d, c)""",
    "an error of ours": """
        from gradcheck.handwritten.session import CodeError
        error = CodeError('pass', 'out', 'x', '/etc/passwd', 10**9, '<b>')
        error.text = object()
        def g(d, c): raise error""",
    "an error that exits when it is shown": """
        class E(Exception):
            def __str__(self): raise SystemExit(0)
        def g(d, c): raise E""",
    "an error of no name": """
        class M(type):
            __name__ = '\\ud800<script>\\n::error::=1|'
        class E(Exception, metaclass=M): pass
        def g(d, c): raise E('| a |\\n# b\\n\\x1b[2J\\u202e\\udfff')""",
    "another finder of modules": """
        import sys
        class F:
            def find_spec(self, *a): raise SystemExit(0)
        sys.meta_path.insert(0, F())
        import nowhere""",
    "the teacher's file by its name": "from reference import g",
    "no numpy left": "def g(d, c):\n    np.array = np.ndarray = None\n    return wrong(d, c)",
    "all signals": """
        import os, signal
        for n in range(1, 65):
            try: signal.signal(n, lambda *a: None)
            except (OSError, ValueError): pass
        def g(d, c):
            os.kill(0, 9)
            return wrong(d, c)""",
    "memory until nothing can be said": """
        import builtins
        builtins.hog = []
        def f(x, w):
            while True: hog.append('x' * 99 + str(len(hog)))""",
}  # fmt: skip


def graded(tmp_path: Path, tier: Tier, source: str, cases: str = CASES) -> dict[str, tuple[float, str]]:
    """Check → (points, outcome)."""
    assignment = homework(tmp_path, cases)
    marker = Marker(assignment, measures_of(assignment), lambda files, limits: open_box(tier, files, limits))
    result = marker.mark(submission(START + textwrap.dedent(source)))
    assert result.points == sum(mark.points for mark in result.checks)
    return {mark.label: (mark.points, mark.outcome) for mark in result.checks}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_wrong_numbers_earn_nothing(source: str, tier: Tier, tmp_path: Path) -> None:
    found = graded(tmp_path, tier, source)
    assert [points for points, _ in found.values()] == [0.0, 0.0]
    assert {outcome for _, outcome in found.values()} <= OUTCOMES.keys() - {"pass"}


def test_who_knows_the_visible_point_only_earns_that(tier: Tier, tmp_path: Path) -> None:
    source = "def g(d, c): return (right if c[0].shape == (4, 3) else wrong)(d, c)"
    assert graded(tmp_path, tier, source) == {"v": (1.0, "pass"), "hidden 1": (0.0, "fail")}


@pytest.mark.parametrize(
    "fault", ["raise ValueError", "raise SystemExit", "import os; os._exit(0)", "return None, None"]
)
def test_memory_that_one_check_has_taken_is_there_for_the_next(fault: str, tier: Tier, tmp_path: Path) -> None:
    """However the check with the bomb ends, and whatever the bomb has hidden its memory in."""
    source = f"""
        import builtins
        builtins.hog = []
        def f(x, w):
            if len(x) == 4:
                try:
                    while True: hog.append(bytearray(2**20))
                except MemoryError:
                    {fault}
            return np.tanh(x @ w), (x, w)
        def g(d, c): return right(d, c)"""
    found = graded(tmp_path, tier, source, CASES + case("next"))
    assert [points for points, _ in found.values()] == [0.0, 1.0, 1.0]


def test_a_box_without_memory_says_so(tier: Tier, tmp_path: Path) -> None:
    found = graded(tmp_path, tier, HOSTILE["memory until nothing can be said"])
    assert {outcome for _, outcome in found.values()} == {"timeout"}

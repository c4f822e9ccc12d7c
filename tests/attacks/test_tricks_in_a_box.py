"""Wrong numbers that want to be taken for right ones, and messages to the next submission: neither arrives."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest

from gradcheck.sandbox import channel
from gradcheck.sandbox.box import BoxError, Tier, open_box
from tests.attacks.boxed import EVERYWHERE, HONEST, QUICK, X, answers, ask, plan

# trick → source whose answers are wrong; they come back as plain arrays, as wrong as they are
TRICKS = {
    "a subclass that claims equality": """
        class Right(np.ndarray):
            def __array_ufunc__(self, ufunc, method, *inputs, **options): return True
            def __array_function__(self, function, types, args, options): return True
            def __eq__(self, other): return True
        def g(dout, cache): return np.full(3, 7.0).view(Right)""",
    "an object that is another array each time": """
        class Changing:
            n = 0
            def __array__(self, dtype=None, copy=None):
                Changing.n += 1
                return np.full(3, 7.0 if Changing.n < 99 else 3.0)
        def g(dout, cache): return Changing()""",
    "a view that changes later": """
        kept = np.full(3, 7.0)
        def g(dout, cache):
            import atexit
            atexit.register(kept.fill, 3.0)
            return kept""",
    "other comparisons": """
        import builtins, json
        np.allclose = np.array_equal = np.isclose = lambda *a, **k: True
        np.linalg.norm = lambda *a, **k: 0.0
        builtins.abs = builtins.max = lambda *a, **k: 0.0
        json.dumps_ = json.loads
        def g(dout, cache): return np.full(3, 7.0)""",
    "a hook after the return": """
        import sys
        def g(dout, cache):
            sys.setprofile(lambda *a: None)
            return np.full(3, 7.0)""",
}


@pytest.mark.parametrize("source", TRICKS.values(), ids=TRICKS)
def test_wrong_numbers_stay_wrong(source: str, tier: Tier) -> None:
    _, gradients = ask(tier, f"import numpy as np\ndef f(x): return 3 * x, x\n{textwrap.dedent(source)}\n")
    assert type(gradients["x"]) is np.ndarray
    np.testing.assert_array_equal(gradients["x"], np.full(3, 7.0))
    np.testing.assert_array_equal(ask(tier, HONEST)[1]["x"], np.full(3, 3.0))


def test_a_forged_frame_is_just_numbers(tier: Tier) -> None:
    """Whoever knows the frames may write one himself, and has answered what is in it."""
    pieces = channel.frame(channel.ANSWER, 5, {"state": {"precision": 0.9}}, [("x", np.full(3, 9.0))])
    forging = f"def g(dout, cache):\n    everywhere({b''.join(pieces)!r})\n    return 3 * dout\n"
    source = f"{EVERYWHERE}def f(x): return 3 * x, x\n{forging}"
    with open_box(tier, {"layers.py": source.encode()}, QUICK) as box:
        session = box.session(asked := plan())
        session.open({"x": X})
        session.forward({"x": X})
        found = session.gradients({"x": X}, [np.ones(3)])
        np.testing.assert_array_equal(found["x"], np.full(3, 9.0))
        assert session.precision == 0.0
        assert session.output_names == tuple(name for name, _ in asked["outputs"])
        with pytest.raises(BoxError) as caught:  # its own answer is one too many
            session.forward({"x": X})
        assert (caught.value.kind, caught.value.during) == ("broken_channel", "forward")


def test_an_answer_before_the_question_is_none(tier: Tier) -> None:
    pieces = channel.frame(channel.ANSWER, 3, {}, [("x", np.full(3, 9.0))])
    source = f"{EVERYWHERE}def f(x): return 3 * x, x\ndef g(d, c): return d\neverywhere({b''.join(pieces)!r})\n"
    with pytest.raises(BoxError) as caught:
        ask(tier, source)
    assert caught.value.kind == "broken_channel"


LEAVE = """
import builtins, os, sys, numpy, threading
builtins.left = numpy.left = sys.left = 'a message'
os.environ['LEFT'] = 'a message'
numpy.add = None
sys.modules['left'] = sys
def f(x): return 3 * x, x
def g(dout, cache): return 3 * dout
"""
LOOK = """
import builtins, os, sys, numpy
def seen():
    return any((hasattr(builtins, 'left'), hasattr(numpy, 'left'), hasattr(sys, 'left'), 'LEFT' in os.environ,
                numpy.add is None, 'left' in sys.modules))
def f(x): return 3 * x + seen(), x
def g(dout, cache): return 3 * dout
"""


def test_one_submission_leaves_nothing_to_the_next(tier: Tier) -> None:
    with open_box(tier, {"layers.py": LEAVE.encode()}, QUICK) as first:
        answers(first)
        for _ in range(2):  # beside the first, and after it
            (output,), _ = ask(tier, LOOK)
            np.testing.assert_array_equal(output, 3 * X)
            first.close()


def test_a_file_named_like_a_library_shadows_nothing(tier: Tier) -> None:
    source = (
        "import numpy, json, gradcheck\nfrom helper import two\n"
        "def f(x): return numpy.multiply(x, two + 1), x\ndef g(dout, c): return 3 * dout\n"
    )
    evil = "raise RuntimeError('shadowed')\n"
    others = dict.fromkeys(("numpy", "json", "gradcheck", "sitecustomize", "conftest"), evil)
    (output,), _ = ask(tier, source, helper="two = 2\n", **others)
    np.testing.assert_array_equal(output, 3 * X)

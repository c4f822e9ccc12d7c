"""Boxes: the same answers as here, nothing but the interpreter in reach, and an end that leaves nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcheck.handwritten.session
import gradcheck.sandbox
from gradcheck.handwritten.opening import open_handwritten
from gradcheck.handwritten.runner import Handwritten
from gradcheck.handwritten.session import Code, CodeError, Session
from gradcheck.sandbox import choice, zygote
from gradcheck.sandbox.box import Box, BoxError, Limits, Tier, open_box
from tests.attacks.boxed import HONEST, QUICK, X, answers, ask, left, plan, processes
from tests.handwritten_examples.table import EXAMPLES, Example, case_of, opened

FOLDER = Path(gradcheck.sandbox.__file__).parent


@pytest.fixture(params=["strong", "medium", "limits"])
def tier(request: pytest.FixtureRequest) -> Tier:
    found = choice.try_tier(request.param)
    if not isinstance(found, Tier):
        pytest.skip(f"no tier {request.param} here: {found}")
    return found


@pytest.fixture(scope="module")
def house() -> Iterator[tuple[Box, str]]:
    """A box with every file of the examples."""
    found = next((t for t in map(choice.try_tier, ("strong", "medium")) if isinstance(t, Tier)), None)
    if found is None:
        pytest.skip("no tier here that holds")
    folder = EXAMPLES[0].path.parent
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.py"))}
    with open_box(found, files, Limits(seconds=20.0, cpu=60)) as box:
        yield box, found.name


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_a_box_answers_as_the_code_does_here(example: Example, house: tuple[Box, str]) -> None:
    """Every way of writing a call: the same parameters, outputs, gradients and notes, to the last bit."""
    box, _ = house
    asked = opened(example)._session.plan
    here, there = Session(Code(str(example.path)), asked), box.session(asked, example.file)
    point = {**(here.open(example.arrays)), **example.arrays}
    found = {**there.open(example.arrays), **example.arrays}
    assert point.keys() == found.keys()
    outputs = here.forward(point)
    assert_all_equal([found[name] for name in point], list(point.values()))
    assert_all_equal(there.forward(point), outputs)
    assert (there.output_names, there.upstream, there.built is None) == (
        here.output_names, here.upstream, here.built is None,
    )  # fmt: skip
    random = np.random.default_rng(3)
    upstream = [random.normal(size=output.shape) for output in outputs] if here.upstream else []
    gradients = here.gradients(point, upstream)
    answered = there.gradients(point, upstream)
    assert answered.keys() == gradients.keys()
    assert_all_equal([answered[name] for name in gradients], list(gradients.values()))
    assert there.claimed == here.claimed
    assert there.parameters.optional == here.parameters.optional
    assert (there.wrt, there.precision, there.notes) == (here.wrt, here.precision, here.notes)
    assert there.code.during == here.code.during
    assert_all_equal(list(there.rounded.values()), list(here.rounded.values()))
    if here.built is None:
        assert there.survey(point) == here.survey(point)


def assert_all_equal(found: list[Any], expected: list[Any]) -> None:
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == np.asarray(b).dtype
        np.testing.assert_array_equal(a, b, strict=True)


def test_the_runner_works_on_a_box(house: tuple[Box, str]) -> None:
    """`Handwritten` asks a session in a box as it asks one here."""
    box, _ = house
    example = EXAMPLES[0]
    case = case_of(example.keys, example.arrays, example.path, example.options, example.sizes)
    here = open_handwritten(case, example.arrays)
    session: Any = box.session(here._session.plan, example.file)
    there = Handwritten(replace(case, body=here.body), session, example.arrays, here.statements)
    assert (there.wrt, there.output_names, there.notes()) == (here.wrt, here.output_names, here.notes())
    np.testing.assert_array_equal(there.outputs(there.point), here.value)
    upstream = np.random.default_rng(3).normal(size=here.value.shape)
    for name, gradient in here.vjp(upstream).items():
        np.testing.assert_array_equal(there.vjp(upstream)[name], gradient)
    with there.held():
        assert there.during == "backward"


def test_files_are_imported_as_in_their_folder(tier: Tier) -> None:
    files = {
        "nets/layers.py": "from .tools import two\nfrom nets.deep.more import one\nimport top\n"
        "def f(x): return (two + one) * x * top.HERE, x\ndef g(dout, c): return (two + one) * dout\n",
        "nets/tools.py": "two = 2\n", "nets/deep/__init__.py": "half = 0.5\n",
        "nets/deep/more.py": "from . import half\nfrom ..tools import two\none = half * two\n", "top.py": "HERE = 1\n",
        "plain.py": "import top, inspect\nfrom .nets.tools import two\nname = __name__\n"
        "def f(x):\n    assert 'assert' in inspect.getsource(f)\n    return 3 * x, x\n"
        "def g(dout, c): return 3 * dout\n",
    }  # fmt: skip
    with open_box(tier, {name: text.encode() for name, text in files.items()}, QUICK) as box:
        for file in (None, "plain.py"):
            session = box.session(plan(), file)
            session.open({"x": X})
            np.testing.assert_array_equal(session.forward({"x": X})[0], 3 * X)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def f(x)\n", ("raised", "load", "layers.py", 1)),
        ("import helper\ndef f(x): return x, x\ndef g(d, c): helper.h(d)\n", ("raised", "backward", "helper.py", 2)),
        ("def f(x): return x, x\n", ("missing", "load", "layers.py", None)),
        ("def f(x): raise NotImplementedError\ndef g(d, c): pass\n", ("unfinished", "forward", "layers.py", 1)),
        ("import nothing_like_it\nnothing_like_it.x()\n", ("raised", "load", "layers.py", 2)),
        ("open('data.txt')\n", ("raised", "load", "layers.py", 1)),
    ],
)  # fmt: skip
def test_errors_say_where(source: str, told: tuple[object, ...], tier: Tier) -> None:
    with pytest.raises(CodeError) as caught:
        ask(tier, source, helper="def h(d):\n    return 1 / 0\n")
    assert (caught.value.kind, caught.value.during, caught.value.file, caught.value.line) == told


def test_a_file_that_is_not_there_is_missing(tier: Tier) -> None:
    with open_box(tier, {"layers.py": HONEST}, QUICK) as box:
        with pytest.raises(CodeError) as caught:
            box.session(plan(), "other.py")
        assert (caught.value.kind, caught.value.text) == ("missing", "there is no file 'other.py'")
        answers(box)


def test_what_is_printed_is_kept_apart(tier: Tier) -> None:
    source = "import os\nos.write(1, b'out\\x1b[31m ')\nos.write(2, b'err')\nprint('not this')\n" + HONEST.decode()
    with open_box(tier, {"layers.py": source.encode()}, QUICK) as box:
        answers(box)
        assert box.printed == b"out\x1b[31m err"


def test_sessions_of_a_box_begin_anew(tier: Tier) -> None:
    source = b"count = [0]\ndef f(x):\n    count[0] += 1\n    return x * count[0], x\ndef g(dout, c): return dout\n"
    with open_box(tier, {"layers.py": source}, QUICK) as box:
        first, second = box.session(plan()), box.session(plan())
        for session in (first, second):
            session.open({"x": X})
            np.testing.assert_array_equal(session.forward({"x": X})[0], X)


def test_processor_time_is_known(tier: Tier) -> None:
    source = b"def f(x):\n    s = 0\n    for i in range(10**6): s += i\n    return x, x\ndef g(dout, c): return dout\n"
    with open_box(tier, {"layers.py": source}, QUICK) as box:
        before = box.cpu_seconds()
        answers(box)
        used = box.cpu_seconds() - before
        assert 0.01 < used < 10.0
    assert box.cpu_seconds() >= before + used


def test_a_closed_box_says_so(tier: Tier) -> None:
    known = processes()
    with open_box(tier, {"layers.py": HONEST}) as box:
        session = box.session(plan())
    assert not box.is_alive
    with pytest.raises(BoxError, match="closed"):
        session.open({"x": X})
    assert left(known) == set()


def test_many_boxes_at_once(tier: Tier) -> None:
    found: list[np.ndarray] = []
    known = processes()

    def work() -> None:
        found.extend(ask(tier, HONEST)[1]["x"] for _ in range(3))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert all(np.array_equal(gradient, np.full(3, 3.0)) for gradient in found)
    assert left(known) == set()


def test_the_process_that_boxes_come_from_may_be_lost(tier: Tier) -> None:
    ask(tier, HONEST)
    lost = zygote.zygote_of(tier.name)
    lost._process.kill()
    lost._process.wait()
    np.testing.assert_array_equal(ask(tier, HONEST)[1]["x"], np.full(3, 3.0))


def test_a_box_costs_less_than_a_start_of_python_with_numpy(tier: Tier) -> None:
    ask(tier, HONEST)

    def seconds(work: object) -> float:
        start = time.perf_counter()
        work()  # type: ignore[operator]
        return time.perf_counter() - start

    box = min(seconds(lambda: ask(tier, HONEST)) for _ in range(5))
    start = min(seconds(lambda: subprocess.run([sys.executable, "-c", "import numpy"], check=True)) for _ in range(3))
    assert box < start

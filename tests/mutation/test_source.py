"""Functions are found as they run, and run with a mistake for as long as that is wanted; methods and closures, too."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from gradcheck.mutation.source import Mutation, exchanged, forget, is_file_of, mutations, traced

CODE = '''\
import functools


def plain(x):
    """x + 1, it says."""
    return x + 1


def outer(x):
    def inner(g):
        return g * x
    return inner


class Layer:
    def forward(self, x):
        return x - 3

    @staticmethod
    def backward(g):
        return g + 4


def twice(function):
    @functools.wraps(function)
    def wrapper(x):
        return function(x)
    return wrapper


@twice
def decorated(x):
    return x - 5


class Child(Layer):
    __bias = 7

    def forward(self, x):
        """Text
less indented than the code."""
        return super().forward(x) + self.__bias


def endless(x):
    while x < 10:
        x += 1
    return x


def writer(x):
    if x > 100:
        open("there", "w")
    return x + 1
'''


@pytest.fixture
def module(tmp_path: Path) -> Iterator[ModuleType]:
    forget()
    path = tmp_path / "code.py"
    path.write_text(CODE)
    spec = importlib.util.spec_from_file_location("mutated_code", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    yield made
    assert path.read_text() == CODE


def found(module: ModuleType, call: str) -> tuple[dict[str, list[Mutation]], dict[object, object]]:
    """Name of a function → its mutations; and the functions by key."""
    path = module.__file__
    assert path is not None
    ran = traced(lambda: eval(call, {"m": module}), is_file_of(str(Path(path).parent)))
    every = [m for key in ran.functions for m in mutations(key, ran.inner[key])]
    names = dict.fromkeys(m.function for m in every)
    return {name: [m for m in every if m.function == name] for name in names}, dict(ran.functions)


def results(module: ModuleType, call: str, function: str, kind: str) -> list[object]:
    """What the call gives with each mutation of a kind."""
    by_name, functions = found(module, call)
    values = []
    for mutation in by_name[function]:
        if mutation.kind == kind:
            live = functions[mutation.key]
            code = mutation.compiled(live[0].__code__)  # type: ignore[attr-defined]
            assert code is not None
            with exchanged(live, code):  # type: ignore[arg-type]
                values.append(eval(call, {"m": module}))
    return values


@pytest.mark.parametrize(
    ("call", "function", "expected"),
    [
        ("m.plain(10)", "plain", [-11, 9]),
        ("m.outer(3)(5)", "inner", [-15]),
        ("m.Layer().forward(10)", "forward", [-7, 13]),
        ("m.Child().forward(10)", "forward", [-14, 0, 0, 20]),
        ("m.Layer.backward(10)", "backward", [-14, 6]),
        ("m.decorated(10)", "decorated", [-5, 15]),
    ],
)
def test_a_function_runs_with_a_mistake_and_afterwards_without(
    module: ModuleType, call: str, function: str, expected: list[object]
) -> None:
    before = eval(call, {"m": module})
    assert results(module, call, function, "sign") == expected
    assert eval(call, {"m": module}) == before


def test_of_a_function_within_another_only_what_ran_is_changed(module: ModuleType) -> None:
    inner = module.outer(3)
    path = module.__file__
    assert path is not None
    ran = traced(lambda: inner(5), is_file_of(str(Path(path).parent)))
    (key,) = ran.functions
    assert {m.function for m in mutations(key, ran.inner[key])} == {"inner"}


@pytest.mark.parametrize("call", ["m.endless(1)", "m.writer(1)"])
def test_what_may_not_end_or_reaches_for_files_stays_as_it_is(module: ModuleType, call: str) -> None:
    assert found(module, call) == ({}, {})


def test_a_diff_shows_the_line_as_its_author_wrote_it(module: ModuleType) -> None:
    mutation = next(m for m in found(module, "m.plain(1)")[0]["plain"] if m.new == "-")
    assert mutation.diff("code.py").splitlines() == [
        "--- code.py",
        "+++ code.py",
        "@@ -5,3 +5,3 @@",
        '     """x + 1, it says."""',
        "-    return x + 1",
        "+    return x - 1",
        " ",
    ]


def test_libraries_and_gradcheck_itself_are_nobody_s_files(tmp_path: Path) -> None:
    library = tmp_path / "lib" / "site-packages" / "numpy.py"
    library.parent.mkdir(parents=True)
    own = tmp_path / "own.py"
    for file in (library, own):
        file.write_text("")
    assert [is_file_of(str(tmp_path))(str(file)) for file in (own, library, tmp_path / "none.py")] == [
        True,
        False,
        False,
    ]
    import gradcheck.errors

    assert not is_file_of("/")(gradcheck.errors.__file__)


def test_marks_form_feeds_and_other_line_ends_move_no_place(tmp_path: Path) -> None:
    forget()
    path = tmp_path / "code.py"
    path.write_bytes("\ufeff# ü\r\n\x0c\r\ndef f(x):\r\n    größe = x + 1; return größe\r\n".encode())
    names: dict[str, object] = {}
    exec(compile(path.read_bytes(), str(path), "exec"), names)
    f = names["f"]
    ran = traced(lambda: f(1), is_file_of(str(tmp_path)))  # type: ignore[operator]
    mutation = next(m for key in ran.functions for m in mutations(key, ran.inner[key]) if m.new == "-")
    assert mutation.diff("code.py").splitlines()[-3:-1] == [
        "-    größe = x + 1; return größe",
        "+    größe = x - 1; return größe",
    ]

"""Arrays of a case: their numbers, their words, their limits, and the files they come from."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from gradcheck.casefile.arrays import (
    build_array,
    evaluate_number,
    file_of,
    measure_array,
    names_in_shapes,
    stream,
)
from gradcheck.casefile.paths import PathError, find_file
from gradcheck.errors import NotationError
from gradcheck.location import Location, SourceText
from gradcheck.model.case import Case, FunctionBody, Numbers
from gradcheck.notation import parse_expression


def build(text: str, *, seed: int = 0, name: str = "x", folder: Path = Path(), shape: tuple[int, ...] | None = None,
          **sizes: int) -> np.ndarray:  # fmt: skip
    return build_array(SourceText.of(text), name=name, seed=seed, sizes=sizes, directory=folder, shape=shape)


def refused(text: str, *, folder: Path = Path(), shape: tuple[int, ...] | None = None, **sizes: int) -> tuple[str, str]:
    """Message and hint; where the shape does not matter, measuring says the same."""
    with pytest.raises(NotationError) as caught:
        build(text, folder=folder, shape=shape, **sizes)
    assert caught.value.location is not None
    return caught.value.message, caught.value.hint


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("3", 3), ("-2.5", -2.5), ("[1, 2, 3]", [1, 2, 3]), ("[[1, 2], [3, 4.5]]", [[1, 2], [3, 4.5]]), ("[]", []),
        ("zeros(2, 3)", np.zeros((2, 3))), ("ones((2, 3))", np.ones((2, 3))), ("zeros(size=(2, 1))", [[0.0], [0.0]]),
        ("full((2, 2), 0.5)", [[0.5, 0.5], [0.5, 0.5]]), ("full(2, 7)", [7, 7]), ("arange(4)", [0, 1, 2, 3]),
        ("arange(1, 4)", [1, 2, 3]), ("arange(0, 1, 0.25)", [0, 0.25, 0.5, 0.75]), ("arange(3, 0, -1)", [3, 2, 1]),
        ("arange(2, 0)", []), ("linspace(0, 1, 3)", [0, 0.5, 1]), ("eye(2)", [[1, 0], [0, 1]]),
        ("eye(1, 2)", [[1.0, 0.0]]), ("one_hot([0, 2], 3)", [[1, 0, 0], [0, 0, 1]]), ("1/N", 0.25), ("N//3", 1),
        ("N**2 % 5", 1), ("2**-1", 0.5), ("(-1)**100000", 1), ("-[1, 2] * 2", [-2, -4]), ("[1, 2] / 2", [0.5, 1.0]),
        ("[1.0, 2.0] ** 2", [1.0, 4.0]), ("[N, N//2]", [4, 2]), ("[zeros(2), ones(2)]", [[0, 0], [1, 1]]),
        ("+N", 4), ("zeros(0, 3)", np.zeros((0, 3))), ("[1, 2] + 0.5", [1.5, 2.5]),
    ],
)  # fmt: skip
def test_texts_that_leave_nothing_to_chance(text: str, values: object) -> None:
    np.testing.assert_array_equal(build(text, N=4), values)


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("3", np.int64), ("3.0", np.float64), ("[1, 2]", np.int64), ("[1, 2.0]", np.float64), ("arange(3)", np.int64),
        ("integers(0, 3, size=2)", np.int64), ("normal(2)", np.float64), ("zeros(2)", np.float64), ("6/2", np.float64),
        ("[1, 2] // 2", np.int64), ("[1, 2] ** 2", np.float64), ("full(2, 1)", np.int64),
        ("one_hot([0], 2)", np.float64),
        ("integers(0, 3, size=2) * 2", np.int64), ("[]", np.float64), ("linspace(0, 4, 3)", np.float64),
    ],
)  # fmt: skip
def test_whole_numbers_are_int64_and_all_others_float64(text: str, dtype: type) -> None:
    assert build(text).dtype == dtype
    assert measure_array(SourceText.of(text), sizes={}, directory=Path()).dtype == dtype


@pytest.mark.parametrize(
    "text", ["normal(4, 3)", "normal(size=(4, 3), loc=1, scale=2)", "uniform(-1, 1, size=(4, 3))", "0.1 * normal(12)",
             "integers(0, 10, size=64)", "one_hot(integers(0, 3, size=5), 3)", "[normal(3), zeros(3)]", "eye(3) + 1",
             "normal()", "arange(7) / 7"],
)  # fmt: skip
def test_measuring_tells_the_shape_without_drawing(text: str) -> None:
    built = build(text)
    measured = measure_array(SourceText.of(text), sizes={}, directory=Path())
    assert (measured.shape, measured.dtype) == (built.shape, built.dtype)


def test_the_numbers_of_a_tensor_depend_on_seed_and_name_alone() -> None:
    assert build("normal(3)").tolist() == [-0.8199784074880052, -0.8975205077967167, 0.7785539638142864]
    np.testing.assert_array_equal(build("normal(3)"), build("normal(3)"))
    assert not np.array_equal(build("normal(3)"), build("normal(3)", name="y"))
    assert not np.array_equal(build("normal(3)"), build("normal(3)", seed=1))
    np.testing.assert_array_equal(stream(0, "x").standard_normal(3), build("normal(3)"))


def test_random_numbers_have_the_range_and_the_scale_asked_for() -> None:
    drawn = build("uniform(2, 3, size=1000)")
    assert drawn.min() >= 2
    assert drawn.max() < 3
    labels = build("integers(-1, 2, size=1000)")
    assert set(labels.tolist()) == {-1, 0, 1}
    np.testing.assert_array_equal(build("normal(5, loc=3, scale=2)"), 3 + 2 * build("normal(5)"))


@pytest.mark.parametrize(
    ("text", "shape", "scale"),
    [
        ("he", (50, 40), (2 / 50) ** 0.5), ("he", (8, 3, 5, 5), (2 / 75) ** 0.5), ("he", (7,), (2 / 7) ** 0.5),
        ("xavier", (50, 40), (2 / 90) ** 0.5), ("xavier", (8, 3, 5, 5), (2 / 275) ** 0.5), ("normal", (3, 2), 1.0),
        ("0.1 * normal", (3, 2), 0.1),
    ],
)  # fmt: skip
def test_bare_initialisers_take_the_parameters_shape(text: str, shape: tuple[int, ...], scale: float) -> None:
    np.testing.assert_allclose(build(text, shape=shape), scale * build(f"normal(size={list(shape)})"), rtol=1e-15)


def test_parameters_are_filled_by_one_number_and_otherwise_have_their_shape() -> None:
    np.testing.assert_array_equal(build("zeros", shape=(2,)), [0, 0])
    np.testing.assert_array_equal(build("ones", shape=(2,)), [1, 1])
    np.testing.assert_array_equal(build("0.5", shape=(2, 1)), [[0.5], [0.5]])
    assert np.abs(build("uniform", shape=(99,))).max() <= 1
    assert refused("normal(3)", shape=(2,)) == (
        "expected shape (2,) for 'x', got (3,)",
        "leave the shape to an initialiser: he, xavier, normal, zeros",
    )


def test_numbers_as_written_are_copied() -> None:
    values = np.array([1.5, 2.5])
    numbers = Numbers(values, np.full(2, 0.05), np.full(2, 2))
    built = build_array(numbers, name="x", seed=0, sizes={}, directory=Path())
    built[0] = 9
    assert values[0] == 1.5
    with pytest.raises(NotationError, match=r"expected shape \(3,\) for 'x', got \(2,\)"):
        build_array(numbers, name="x", seed=0, sizes={}, directory=Path(), shape=(3,))


WORDS = "normal, uniform, integers, zeros, ones, full, arange, linspace, one_hot, eye"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("nromal(3)", "unknown initialiser 'nromal'", "did you mean 'normal'?"),
        ("np.random.normal(3)", "unknown initialiser 'np.random.normal'",
         "write normal(4, 3), or normal(size=(4, 3), loc=0, scale=1)"),
        ("open('x')", "unknown initialiser 'open'", f"use {WORDS}"),
        ("M", "unknown size 'M'", "give it a number under 'sizes:'"),
        ("normal", "'normal' needs a shape here", "write normal(4, 3), or normal(size=(4, 3), loc=0, scale=1)"),
        ("he", "'he' is for parameters, which know their shape",
         "write normal(4, 3), or normal(size=(4, 3), loc=0, scale=1)"),
        ("normal(2.5)", "a size must be a whole number, got 2.5", "write N//2 instead of N/2"),
        ("normal(-1)", "a size must be a whole number of at least 0, got '-1'", "write the sizes as numbers"),
        ("normal(3, size=3)", "the size is given twice", "write it once, as size=(4, 3)"),
        ("normal(3, scale=[1, 2])", "expected one number as scale, got an array of shape (2,)", "write a number"),
        ("normal(3, mean=1)", "'normal' is called wrongly: got an unexpected keyword argument 'mean'",
         "write normal(4, 3), or normal(size=(4, 3), loc=0, scale=1)"),
        ("uniform(1)", "'uniform' is called wrongly: missing a required argument: 'high'",
         "write uniform(-1, 1, size=(4, 3))"),
        ("integers(3, 3)", "there is no integer from 3 up to, but without, 3", "write the smaller one first"),
        ("integers(0.5, 3)", "expected a whole number as low, got 0.5", "write it without a decimal point"),
        ("arange(1, 2, 0)", "the step of an arange cannot be 0", "leave it out for a step of 1"),
        ("one_hot([0, 3], 3)", "labels must lie in 0 … 2, got 0 … 3", "raise the number of classes"),
        ("one_hot([0.5], 3)", "expected whole numbers as labels", "integers(0, 3, size=4) draws labels"),
        ("normal(2) + normal(3)", "shapes (2,) and (3,) do not fit together", "give both the same shape"),
        ("[normal(2), 1]", "the parts of a list have different shapes: (2,) and ()", "give all the same shape"),
        ("1/0", "division by zero", "check the sizes"),
        ("[1, 2] // 0", "division by zero", "check the sizes"),
        ("zeros(2) / 0", "the array is not finite", "look for a division by zero"),
        ("(-8)**0.5", "the root of a negative number is not real", "check the sign"),
        ("9**9**9", "this number is too large", "the largest whole number is 9223372036854775807"),
        ("9.0**9**9", "this number is too large for a float64", "the largest is about 1.8e308"),
        ("2**62 * 2", "this number is too large", "the largest whole number is 9223372036854775807; 1e30 is a float"),
        ("[2**62] * 2", "a number of the array is too large", "the largest whole number is 9223372036854775807"),
        ("1, 5", "expected one array, got several values with commas", "a decimal number has a point: 1.5"),
        ("(zeros(1), ones(1))", "expected one array, got several values with commas",
         "a list has square brackets: [1, 2]"),
        ("x = 3", "expected one expression, got a statement", "write the value alone"),
        ("'text'", "this is not part of an array", f"use numbers, lists, sizes, + - * / // % **, and {WORDS}"),
        ("None", "this is not part of an array", f"use numbers, lists, sizes, + - * / // % **, and {WORDS}"),
        ("[1, 2][0]", "this is not part of an array", f"use numbers, lists, sizes, + - * / // % **, and {WORDS}"),
        ("ones(2) @ ones(2)", "this is not part of an array",
         f"use numbers, lists, sizes, + - * / // % **, and {WORDS}"),
    ],
)  # fmt: skip
def test_what_makes_no_array_is_refused_in_words(text: str, message: str, hint: str) -> None:
    assert refused(text) == (message, hint)


@pytest.mark.parametrize(
    "text", ["normal(10**9)", "zeros(10**5, 10**5)", "arange(10**12)", "arange(0, 1, 1e-300)", "eye(10**6)",
             "full((10**4, 10**4), 1)", "ones(10**4, 1) * ones(1, 10**4)", "one_hot(integers(0, 2, size=10**6), 100)",
             "[zeros(6*10**6), zeros(6*10**6)]", "normal(10**7)" + " + normal(10**7)" * 4,
             "linspace(0, 1, 10**8)", "integers(0, 2, size=(10**4, 10**4))"],
)  # fmt: skip
def test_an_array_beyond_the_limit_is_refused_before_there_is_memory_for_it(text: str) -> None:
    with pytest.raises(NotationError, match="elements is too large"):
        measure_array(SourceText.of(text), sizes={}, directory=Path())


def test_an_array_has_at_most_sixteen_axes() -> None:
    assert refused("zeros(" + "1, " * 17 + ")") == ("an array of 17 axes is too much", "at most 16 axes")


def test_numbers_inside_other_texts_are_evaluated_with_sizes() -> None:
    source = SourceText.of("2*N + 1")
    assert evaluate_number(parse_expression(source), {"N": 3}, source) == 7
    source = SourceText.of("zeros(3)")
    with pytest.raises(NotationError, match="expected a number, got an array"):
        evaluate_number(parse_expression(source), {}, source)


def test_names_in_shapes_are_the_sizes_and_the_options_that_are_numbers() -> None:
    case = Case("a", Location("a", 1, 1), FunctionBody(SourceText.of("x")), sizes={"N": 2},
                options={"reg": 0.5, "stride": 2, "bias": True, "mode": "same"})  # fmt: skip
    assert names_in_shapes(case) == {"N": 2, "reg": 0.5, "stride": 2}


def test_files_are_told_from_other_texts() -> None:
    assert file_of("data.npz:W1") == ("data.npz", "W1")
    assert file_of("deep/data.npy") == ("deep/data.npy", None)
    assert file_of("normal(3)") is None
    assert file_of("x.npz:1+1") is None


def test_arrays_come_from_files(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(6, dtype=np.float32).reshape(2, 3))
    np.savez_compressed(tmp_path / "b.npz", W=np.eye(2), labels=np.array([1, 0], np.uint8), mask=np.array([True]))
    np.testing.assert_array_equal(build("a.npy", folder=tmp_path), [[0, 1, 2], [3, 4, 5]])
    assert build("a.npy", folder=tmp_path).dtype == np.float64
    np.testing.assert_array_equal(build("b.npz:W", folder=tmp_path), np.eye(2))
    assert build("b.npz:labels", folder=tmp_path).dtype == np.int64
    assert build("b.npz:mask", folder=tmp_path).tolist() == [1]
    assert measure_array(SourceText.of("a.npy"), sizes={}, directory=tmp_path).shape == (2, 3)


def test_files_that_hold_no_array_of_numbers_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "object.npy", np.array([{}], object), allow_pickle=True)
    np.save(tmp_path / "text.npy", np.array(["a"]))
    np.savez(tmp_path / "b.npz", W=np.eye(2))
    (tmp_path / "noise.npy").write_bytes(b"\x93NUMPY\x01\x00")
    (tmp_path / "noise.npz").write_bytes(b"PK\x03\x04 and nothing")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (4000000000,), }"
        prefix = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + header.ljust(117) + b"\n"
        archive.writestr("x.npy", prefix + bytes(10**6))
    damaged = "save it again with numpy.savez"
    assert refused("object.npy", folder=tmp_path) == (
        "the array in 'object.npy' is of type object",
        "save it as float64 or int64",
    )
    assert refused("text.npy", folder=tmp_path) == (
        "the array in 'text.npy' is of type <U1",
        "save it as float64 or int64",
    )
    assert refused("noise.npy", folder=tmp_path) == ("the file 'noise.npy' cannot be read as arrays", damaged)
    assert refused("noise.npz:x", folder=tmp_path) == ("the file 'noise.npz' cannot be read as arrays", damaged)
    assert refused("bomb.npz:x", folder=tmp_path) == (
        "the array in 'bomb.npz' has 4e+09 elements, which is too large",
        "at most 10000000 elements",
    )
    assert refused("b.npz:w", folder=tmp_path) == (
        "the file 'b.npz' holds no array 'w'",
        "did you mean 'W'?",
    )
    assert refused("b.npz", folder=tmp_path) == (
        "the file 'b.npz' holds several arrays; which one?",
        "its arrays are: W; write b.npz:name",
    )
    assert refused("text.npy:x", folder=tmp_path) == (
        "an .npy file holds one array, without a name: 'x'", "write text.npy")  # fmt: skip


def test_a_case_reaches_files_of_its_own_tree_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, cases = tmp_path / "project", tmp_path / "project" / "cases"
    cases.mkdir(parents=True)
    for path in (tmp_path / "outside.py", project / "layers.py", cases / "own.py"):
        path.write_text("")
    (cases / "link.py").symlink_to(tmp_path / "outside.py")
    monkeypatch.chdir(project)
    assert find_file(cases, "own.py") == cases / "own.py"
    assert find_file(cases, "../layers.py") == project / "layers.py"
    outside = "leads out of the case's folder"
    for written, message in [
        ("../../outside.py", outside), ("link.py", outside), (str(cases / "own.py"), "is absolute"),
        ("..\\layers.py", "has backslashes"), ("", "expected the path of a file"), (".", "is not a file"),
        ("a\0b", "expected the path of a file"), ("owm.py", "there is no file 'owm.py' beside the case file"),
    ]:  # fmt: skip
        with pytest.raises(PathError) as caught:
            find_file(cases, written)
        assert message in caught.value.message
    monkeypatch.chdir(cases)
    with pytest.raises(PathError, match=outside):
        find_file(cases, "../layers.py")

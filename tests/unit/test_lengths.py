"""Which name says how long which axis is, and which axis is the batch."""

from __future__ import annotations

import pytest

from gradcheck.casefile.arrays import names_in_shapes
from gradcheck.casefile.lengths import batch_of, measured
from gradcheck.location import Location, SourceText
from gradcheck.model.case import Case, FunctionBody

SIZES = {"N": 4, "D": 3, "M": 2, "V": 9, "T": 5, "F": 6, "H": 7, "W": 8}


def case(sizes: dict[str, int] = SIZES, **inputs: str) -> Case:
    specs = {name: SourceText.of(text) for name, text in inputs.items()}
    return Case("c", Location("a.yaml", 1, 1), FunctionBody(SourceText.of("x")), inputs=specs, sizes=sizes)


def batch(**inputs: str) -> object:
    one = case(**inputs)
    found = batch_of(measured(one), names_in_shapes(one))
    return None if found is None else (found[0], [tensor for tensor, _ in found[1]])


def test_names_are_found_behind_arithmetic_and_in_files_never() -> None:
    lengths = measured(case(x="1 + 0.5*normal(2*N, D + 1)", y="uniform(-1, 1, size=(N, 4))", z="[1.0, 2.0]"))
    assert dict(lengths.shapes) == {"x": (8, 4), "y": (4, 4), "z": (2,)}
    assert dict(lengths.names) == {("x", 0): ("N",), ("x", 1): ("D",), ("y", 0): ("N",)}
    assert lengths.groups() == {"N": [("x", 0), ("y", 0)], "D": [("x", 1)], 4: [("y", 1)], 2: [("z", 0)]}


def test_an_axis_that_two_names_change_is_in_no_group() -> None:
    lengths = measured(case(x="normal(N + D, 2)"))
    assert lengths.names == {("x", 0): ("N", "D")}
    assert lengths.groups() == {2: [("x", 1)]}


def test_a_name_that_no_array_can_have_one_more_of_changes_nothing() -> None:
    lengths = measured(case(sizes={"N": 4}, x="normal(2, 2) + normal(N - 2, 2)"))
    assert lengths.names == {}


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"x": "normal(N, D)", "w": "normal(D, M)", "b": "normal(M)"}, ("N", ["x"])),
        ({"w": "normal(D, M)", "b": "normal(M)", "x": "normal(N, D)"}, ("N", ["x"])),
        ({"x": "normal(4, 3)", "w": "normal(3, 2)", "b": "normal(2)"}, (4, ["x"])),
        ({"x": "normal(N, D, H, W)", "w": "normal(F, D, 2, 2)", "b": "normal(F)"}, ("N", ["x"])),
        ({"x": "normal(T, D, H, W)", "w": "normal(F, D, 2, 2)", "b": "normal(F)"}, ("T", ["x"])),
        ({"W": "normal(V, D)", "ids": "integers(0, V, size=(H, T))"}, ("H", ["ids"])),
        ({"scores": "normal(5, 3)", "y": "integers(0, 3, size=5)"}, (5, ["scores", "y"])),
        ({"a": "normal(7)", "x": "normal(5, 3)"}, (5, ["x"])),
        ({"x": "normal(5)"}, (5, ["x"])),
        ({"x": "normal(4, 4)"}, None),  # which of the two?
        ({"x": "normal(2, 3, 2, 2)"}, None),
        ({"x": "normal(2*N, D)"}, None),  # N = 1 would make two of it
        ({"x": "normal(1, 3)"}, None),
        ({"x": "2.0"}, None),
        ({"ids": "[0, 2, 1]", "W": "normal(5, 3)"}, None),  # 3 is a number of ids and of columns
    ],
)
def test_the_batch_is_the_first_axis_wherever_it_occurs(inputs: dict[str, str], expected: object) -> None:
    assert batch(**inputs) == expected

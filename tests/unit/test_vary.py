"""Stress variants of a case: what each changes, and why one does not apply."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gradcheck.casefile.arrays import build_array, names_in_shapes
from gradcheck.casefile.loader import load_page
from gradcheck.casefile.page import Page
from gradcheck.casefile.vary import NotApplicableError, realised, varied
from gradcheck.model.case import Case, Variant

AFFINE = "code: layers.py\nforward: out, cache = f(x, w, b)\nbackward: dx, dw, db = g(dout, cache)\n"


@pytest.fixture(autouse=True)
def _layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("layers.py").write_text("")


def cases(text: str) -> tuple[Case, ...]:
    loaded = load_page(Page.of(text, "case.yaml"))
    assert loaded.problems == ()
    return loaded.cases


def variant(word: str, text: str, indices: frozenset[str] = frozenset()) -> Case:
    """The variant of that name, ready to be checked."""
    expanded = cases(f"{text}vary: {word.partition('=')[0]}\n")
    return realised(next(case for case in expanded if case.variant and case.variant.name == word), indices)


def arrays(case: Case) -> dict[str, np.ndarray]:
    specs = {**case.constants, **case.inputs}
    made = {
        name: build_array(spec, name=name, seed=case.seed, sizes=names_in_shapes(case), directory=Path())
        for name, spec in specs.items()
    }
    return {name: varied(case, name, array, case.seed) for name, array in made.items()}


def refused(word: str, text: str) -> str:
    with pytest.raises(NotApplicableError) as caught:
        variant(word, text)
    return caught.value.message


def shapes(case: Case) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in arrays(case).items()}


def about(case: Case) -> str:
    assert case.variant is not None
    return case.variant.about


def test_variants_follow_each_combination_and_keep_name_and_seed() -> None:
    found = cases("function: x\ninputs: {x: normal(N)}\nsweep: {N: [2, 3]}\nvary: [ties, scale, ties]\nseed: 5\n")
    assert [(dict(c.sizes), c.variant.name if c.variant else None) for c in found] == [
        ({"N": 2}, None), ({"N": 2}, "ties"), ({"N": 2}, "scale=1000"), ({"N": 2}, "scale=0.001"),
        ({"N": 3}, None), ({"N": 3}, "ties"), ({"N": 3}, "scale=1000"), ({"N": 3}, "scale=0.001"),
    ]  # fmt: skip
    assert {(c.name, c.seed) for c in found} == {("case", 5)}
    assert found[1].variant == Variant("ties")


def test_one_word_alone_is_a_list_of_one() -> None:
    assert cases("function: x\ninputs: {x: 1}\nvary: ties\n")[0].vary == ("ties",)


def test_a_batch_of_one_by_name_changes_every_array_with_that_axis() -> None:
    text = AFFINE + 'inputs: {x: "normal(N, D)", w: "normal(D, 2)", b: normal(2)}\nsizes: {N: 4, D: 3}\n'
    case = variant("batch1", text)
    assert shapes(case) == {"x": (1, 3), "w": (3, 2), "b": (2,)}
    assert (about(case), case.sizes) == ("N = 1", {"N": 1, "D": 3})


def test_a_batch_of_one_by_number_keeps_the_first_sample() -> None:
    text = 'inputs: {x: "normal(4, 3)", y: "integers(0, 3, size=4)"}\ncode: layers.py\nforward: loss, dx = f(x, y)\n'
    case = variant("batch1", text)
    assert about(case) == "1 sample of x, y"
    assert np.array_equal(arrays(case)["x"], arrays(cases(text)[0])["x"][:1])
    assert shapes(case) == {"x": (1, 3), "y": (1,)}


def test_a_batch_in_the_options_is_changed_there() -> None:
    text = 'inputs: {x: "normal(N, D)"}\noptions: {N: 4, D: 3}\ncode: layers.py\nforward: loss, dx = f(x)\n'
    assert variant("batch1", text).options == {"N": 1, "D": 3}


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ('{x: "normal(4, 4)"}', "no axis is clearly the batch; write the sizes as names: normal(N, D)"),
        ("{x: 2.5}", "no array has an axis"),
        ('{x: "normal(N, 3)"}\nsizes: {N: 1}', "the batch is 1 as written"),
        ('{x: "normal(4, 3)"}\nscale: {x: 1/4}',
         "'scale' may depend on the lengths; write the sizes as names: normal(N, D)"),
    ],
)  # fmt: skip
def test_a_case_without_a_clear_batch_says_so(inputs: str, reason: str) -> None:
    assert refused("batch1", f"code: layers.py\nforward: loss, dx = f(x)\ninputs: {inputs}\n") == reason


def test_equal_sizes_become_different_by_their_names() -> None:
    text = 'function: x\ninputs: {x: "normal(N, C, H, W)", y: "normal(H, 3)"}\nsizes: {N: 2, C: 3, H: 3, W: 3}\n'
    case = variant("non_square", text)
    assert case.sizes == {"N": 2, "C": 3, "H": 4, "W": 5}
    assert shapes(case) == {"x": (2, 3, 4, 5), "y": (4, 3)}
    assert about(case) == "H = 4, W = 5"


def test_a_named_axis_as_long_as_a_written_one_becomes_longer() -> None:
    case = variant("non_square", 'function: x\ninputs: {x: "normal(3, D)", w: "normal(D, 2)"}\nsizes: {D: 3}\n')
    assert shapes(case) == {"x": (3, 4), "w": (4, 2)}


def test_written_squares_lose_one_of_their_last_axis_together() -> None:
    case = variant("non_square", 'function: x\ninputs: {x: "normal(2, 4, 4)", w: "normal(5, 3, 3)", b: normal(4)}\n')
    assert shapes(case) == {"x": (2, 4, 3), "w": (5, 3, 2), "b": (3,)}
    assert about(case) == "x has 3 along axis 2, w has 2 along axis 2, b has 3 along axis 0"


@pytest.mark.parametrize("inputs", ['{x: "normal(3, 4)"}', '{x: "normal(S, S)"}\nsizes: {S: 3}', '{x: "normal(2, 2)"}'])
def test_what_is_not_square_or_cannot_be_otherwise_says_so(inputs: str) -> None:
    reason = "no tensor has two equally long axes that could differ"
    assert refused("non_square", f"function: x\ninputs: {inputs}\n") == reason


def test_whole_numbers_of_code_are_repeated_and_real_numbers_are_not() -> None:
    text = "code: layers.py\nforward: out, cache = f(ids, W)\nbackward: dW = g(dout, cache)\n"
    case = variant("repeated", text + 'inputs: {ids: [4, 0, 2, 1], W: "normal(5, 3)"}\n')
    assert arrays(case)["ids"].tolist() == [4, 4, 0, 4]
    assert about(case) == "ids"


def test_in_a_function_only_indices_are_repeated() -> None:
    text = "function: W[ids] * x\ninputs: {ids: [1, 0], W: [1, 2, 3], x: [5, 6]}\n"
    case = variant("repeated", text, frozenset({"ids"}))
    assert about(case) == "ids"
    assert refused("repeated", text) == "no two whole numbers are given"


@pytest.mark.parametrize("word", ["ties", "small_variance", "scale=1000", "scale=0.001"])
def test_the_data_are_what_has_the_batch_axis_and_is_no_label(word: str) -> None:
    case = variant(
        word,
        'function: x\ninputs: {w: "normal(3, 2)", x: "normal(4, 3)"}\n'
        'constants: {y: "one_hot(integers(0, 2, size=4), 2)", t: "normal(4, 2)", m: "ones(4, 3)"}\n',
    )
    assert case.variant is not None
    assert set(case.variant.tensors) == {"x", "t"}


def test_without_a_clear_batch_the_data_are_the_first_float_input() -> None:
    text = "code: layers.py\nforward: out, cache = f(x, w)\nbackward: dx, dw = g(dout, cache)\n"
    case = variant("ties", text + 'inputs: {k: [1, 2], x: "normal(2, 2, 2)", w: "normal(2, 2, 2)"}\n')
    assert about(case) == "x"


@pytest.mark.parametrize(
    ("word", "inputs", "reason"),
    [
        ("ties", "{x: 2.5}", "the data do not hold two different numbers"),
        ("small_variance", '{x: "full((3, 2), 2.5)"}', "the data do not hold two different numbers"),
        ("scale=1000", '{x: "uniform(0, 1, 4, 3)"}', "the data lie between 0 and 1 and may be probabilities"),
        ("scale=0.001", '{x: "one_hot([0, 1], 2)"}', "no float numbers are given that could be others"),
        ("dtype", "{x: 2.5}", "functions and networks are computed in float64"),
        ("nonzero_bias", "{x: 2.5}", "nothing given is all zeros or all ones"),
    ],
)
def test_values_that_cannot_be_stressed_are_left_alone_with_a_reason(word: str, inputs: str, reason: str) -> None:
    assert refused(word, f"function: x\ninputs: {inputs}\n") == reason


def test_biases_of_zero_and_gains_of_one_become_others_and_masks_stay() -> None:
    text = AFFINE.replace("f(x, w, b)", "f(x, w, b, mask)")
    case = variant("nonzero_bias", text + 'inputs: {x: "normal(4, 3)", w: ones(3), b: zeros(3), mask: "ones(4, 3)"}\n')
    assert about(case) == "w, b"
    made = arrays(case)
    assert np.all(made["b"] != 0)
    assert 0 < np.abs(made["w"] - 1).max() < 0.5
    assert np.all(made["mask"] == 1)


def test_where_a_bare_name_does_not_tell_every_input_may_have_a_gradient() -> None:
    text = "code: layers.py\nforward: affine_forward\nbackward: affine_backward\n"
    assert about(variant("nonzero_bias", text + 'inputs: {x: "normal(4, 3)", b: zeros(3)}\n')) == "b"


def test_parameters_of_a_network_that_begin_at_zero_are_biases() -> None:
    text = "network:\n  - linear(3, 2)\n  - linear(2, 2)\ninputs:\n  x: normal(4, 3)\n"
    case = variant("nonzero_bias", text + "parameters:\n  W1: he\n  b1: zeros\n  b2: 0\n")
    assert about(case) == "b1, b2"
    assert refused("nonzero_bias", text) == "nothing given is all zeros or all ones"


def test_code_may_have_biases_of_its_own() -> None:
    case = variant("nonzero_bias", AFFINE + 'inputs: {x: "normal(4, 3)", w: normal(3), b: normal(3)}\n')
    assert case.variant == Variant("nonzero_bias")


def test_inputs_of_code_become_float32_and_are_judged_by_the_limit_of_that() -> None:
    case = variant("dtype", AFFINE + 'inputs: {x: "normal(4, 3)", w: normal(3), k: [1, 2]}\nrtol: 1e-9\n')
    assert {name: array.dtype.name for name, array in arrays(case).items()} == {
        "x": "float32", "w": "float32", "k": "int64",
    }  # fmt: skip
    assert case.rtol is None


def test_numbers_written_for_the_case_do_not_hold_for_its_variants() -> None:
    text = 'function: sum(x)\ninputs: {x: "normal(N, 3)"}\nsizes: {N: 2}\nexpected: {value: 3}\n'
    assert variant("batch1", text).expected == {}
    assert variant("ties", text).expected == {}


def test_an_upstream_gradient_with_a_shape_is_drawn_anew_where_shapes_change() -> None:
    text = 'function: 2*x\ninputs: {x: "normal(2, 3)"}\nupstream: [[1, 2, 3], [4, 5, 6]]\n'
    assert variant("batch1", text).upstream == "random"
    assert variant("ties", text).upstream is not None
    assert variant("ties", text).upstream != "random"


def test_arrays_that_build_makes_are_left_to_it() -> None:
    assert refused("ties", "code: layers.py\nbuild: problem(seed)\n") == "the arrays are made by 'build'"

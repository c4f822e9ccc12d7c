"""From files and folders to cases and problems."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.casefile.loader import Loaded, load, load_page
from gradcheck.casefile.page import Page
from gradcheck.location import Location
from gradcheck.model.case import CodeBody, FunctionBody, NetworkBody

CASE = "name: {name}\nfunction: x**2\ninputs:\n  x: 3.0\n"


def read(text: str, file: str = "f.yaml") -> Loaded:
    return load_page(Page.of(text, file))


def told(text: str) -> list[str]:
    return [f"{problem.location.line}:{problem.location.column}: {problem.message}" for problem in read(text).problems]


def test_files_come_in_the_order_given_and_folders_sorted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("z.yaml", "d/b.yml", "d/a.yaml", "d/deep/c.yaml", "d/.hidden/x.yaml", "d/.x.yaml", "d/note.txt"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(CASE.format(name=Path(path).stem))
    loaded = load(["./z.yaml", Path("d")])
    assert [(case.name, case.file) for case in loaded.cases] == [
        ("z", "./z.yaml"),
        ("a", "d/a.yaml"),
        ("b", "d/b.yml"),
        ("c", "d/deep/c.yaml"),
    ]
    assert loaded.problems == ()
    assert loaded.cases[1].directory == Path("d")


def test_a_missing_file_an_empty_folder_and_a_good_file_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(CASE.format(name="good"))
    (tmp_path / "empty").mkdir()
    loaded = load([str(tmp_path / "none.yaml"), str(tmp_path / "empty"), str(tmp_path / "good.yaml")])
    assert [case.name for case in loaded.cases] == ["good"]
    assert [problem.message for problem in loaded.problems] == [
        "there is no such file",
        "this folder holds no case files",
    ]


def test_a_python_file_is_pointed_to_the_command_for_it(tmp_path: Path) -> None:
    file = tmp_path / "layers.py"
    file.write_text("class Affine:\n    pass\n")
    (problem,) = load([file]).problems
    assert (problem.location, problem.excerpt) == (Location(str(file), 1, 1), "")
    assert problem.message == "this is a Python file, not a case file"
    assert problem.hint == f"gradcheck new {file} writes cases for what it defines"
    (missing,) = load([tmp_path / "none.py"]).problems
    assert missing.message == "there is no such file"


def test_a_path_that_is_none_is_a_problem() -> None:
    (problem,) = load(["a\0b.yaml"]).problems
    assert problem.message in ("there is no such file", "the file cannot be read: the name is not a path")


def test_a_function_case_has_everything_written_in_it() -> None:
    (case,) = read(
        "name: product\nfunction: |\n  q = x + y\n  q * z\ninputs: {x: -2, y: 5, z: -4}\nconstants:\n  c: 1.5\n"
        "gradient:\n  z: x + y\nexpected:\n  value: -12\nwrt: [x, z]\nseed: 7\ntrials: 3\nupstream: 2.0\nrtol: 1e-6\n"
        "expect: {value: fail}\npoints: 2\nhidden: true\ntags: [a, b]\nwhy: because\n"
    ).cases
    assert isinstance(case.body, FunctionBody)
    assert case.body.text.text == "q = x + y\nq * z\n"
    assert (case.name, case.location, case.why) == ("product", Location("f.yaml", 1, 1), "because")
    assert (tuple(case.inputs), tuple(case.constants)) == (("x", "y", "z"), ("c",))
    assert (case.wrt, case.seed, case.trials, case.rtol) == (("x", "z"), 7, 3, 1e-6)
    assert (case.points, case.hidden, case.tags, case.timeout) == (2.0, True, ("a", "b"), None)
    assert case.expect.tensors == {"value": "fail"}
    assert case.gradient["z"].locate(4) == Location("f.yaml", 9, 10)


def test_a_network_case_has_layers_loss_and_parameters() -> None:
    (case,) = read(
        "name: net\nnetwork:\n  - linear(2, 1)\nloss: mse\npenalty: l2(0.1)\nparameters:\n  W1: he\n  b1: [0.5]\n"
        "inputs:\n  x: normal(3, 2)\n  target: normal(3, 1)\n"
    ).cases
    assert isinstance(case.body, NetworkBody)
    assert case.body.loss is not None
    assert case.body.penalty is not None
    assert (case.body.loss.text, case.body.penalty.text) == ("mse", "l2(0.1)")
    assert set(case.body.parameters) == {"W1", "b1"}


def test_a_code_case_has_its_file_and_its_statements(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text("")
    (case,) = read(
        "code: layers.py:Affine\nsetup: layer = Affine(W)\nforward: out = layer.forward(x)\n"
        "backward: dx = layer.backward(dout)\ngradient_at: {W: layer.dW, b: \"layer.grads[1]\"}\n"
        "reference: layers.py\nshape: same_size\ninputs: {x: normal(3), W: normal(3)}\n",
        str(tmp_path / "affine.yaml"),
    ).cases  # fmt: skip
    assert isinstance(case.body, CodeBody)
    assert (case.name, case.body.path, case.body.entry) == ("affine", tmp_path / "layers.py", "Affine")
    assert case.body.reference == tmp_path / "layers.py"
    assert isinstance(case.body.gradient_at, dict)
    assert case.body.gradient_at["b"].text == "layer.grads[1]"
    assert case.same_size


def test_places_lead_to_values_and_collections_to_their_keys() -> None:
    (case,) = read("name: a\nfunction: x**2\ninputs:\n  x: [3.0, 4.0]\nseed: 1\n").cases
    assert case.at("seed") == Location("f.yaml", 5, 7)
    assert case.at("inputs") == Location("f.yaml", 3, 1)
    assert case.at("inputs", "x") == Location("f.yaml", 4, 3)
    assert case.at("inputs", "x", 1) == Location("f.yaml", 4, 12)
    assert case.at("inputs", "x", 1, 5) == Location("f.yaml", 4, 12)
    assert case.at("nothing") == case.location


def test_defaults_are_merged_one_level_deep_and_null_removes() -> None:
    first, second = read(
        "defaults:\n  function: x * y\n  seed: 3\n  rtol: 1e-3\n  inputs:\n    x: 1.0\n    y: 2.0\ncases:\n"
        "  - name: first\n  - name: second\n    rtol: null\n    seed: 4\n    inputs:\n      y: 5.0\n"
    ).cases
    assert (first.seed, first.rtol) == (3, 1e-3)
    assert (second.seed, second.rtol) == (4, None)
    assert list(second.inputs) == ["x", "y"]
    assert second.inputs["y"].values == 5.0  # type: ignore[union-attr]
    assert second.location == Location("f.yaml", 10, 5)
    assert second.at("inputs", "y") == Location("f.yaml", 14, 10)
    assert second.at("inputs", "x") == Location("f.yaml", 6, 8)


def test_null_removes_a_default_of_another_kind_and_an_entry() -> None:
    (case,) = read(
        "defaults:\n  network: [relu]\n  inputs: {x: 1.0, y: 2.0}\ncases:\n  - name: a\n    network: null\n"
        "    function: x**2\n    inputs: {y: null}\n"
    ).cases
    assert isinstance(case.body, FunctionBody)
    assert list(case.inputs) == ["x"]


def test_a_sweep_makes_a_case_of_every_combination() -> None:
    cases = read("name: a\nfunction: sum(x)\nsweep: {N: [1, 2]}\ninputs: {x: normal(N)}\n").cases
    assert [(case.name, case.sizes, case.swept) for case in cases] == [("a", {"N": 1}, ("N",)), ("a", {"N": 2}, ("N",))]


def test_nameless_cases_are_called_by_their_file() -> None:
    cases = read("cases:\n  - function: x\n    inputs: {x: 1.0}\n  - function: x\n    inputs: {x: 1.0}\n").cases
    assert [case.name for case in cases] == ["f", "f 2"]


def test_a_good_case_beside_a_bad_one_comes_out() -> None:
    loaded = read(
        "cases:\n  - name: bad\n    function: x +\n  - name: good\n    function: x\n    inputs: {x: 1.0}\n  - 3\n"
    )
    assert [case.name for case in loaded.cases] == ["good"]
    assert [problem.location.line for problem in loaded.problems] == [3, 7]


def test_a_mistake_in_the_defaults_is_told_of_once() -> None:
    assert told("defaults:\n  sed: 1\n  function: x\n  inputs: {x: 1.0}\ncases:\n  - name: a\n  - name: b\n") == [
        "2:3: unknown key 'sed'"
    ]


def test_a_value_with_foreign_yaml_keeps_its_case_from_running() -> None:
    loaded = read("cases:\n  - {name: a, function: x, rtol: *r, inputs: {x: 1.0}}\n"
                  "  - {name: b, function: x, rtol: *r, inputs: {x: 1.0}}\n")  # fmt: skip
    assert loaded.cases == ()
    assert [problem.message for problem in loaded.problems] == ["'*r' is an alias, and case files have none"]


def test_problems_come_by_place() -> None:
    assert told("rtol: 5\nname: a\nseed: b\nfunction: x +\ninputs: {x: 1.0}\nwrt: y\n") == [
        "1:7: expected a number of at most 1, got the number 5",
        "3:7: expected a whole number, got the text 'b'",
        "4:13: syntax error: this cannot be read from here on",
        "6:6: 'y' is not among the inputs",
    ]


def test_what_rests_on_something_wrong_is_not_told_of_as_well() -> None:
    assert told("function: x\nsizes: {N: a}\ninputs: {x: normal(N)}\n") == [
        "2:12: expected a whole number, got the text 'a'"
    ]
    assert told("function: x\ninputs: {x: f(}\nwrt: x\n") == ["2:14: syntax error: '(' was never closed"]
    assert told("function: x\ninptus: {x: 1.0}\nwrt: x\n") == ["2:1: unknown key 'inptus'"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1:1: the file holds no case"]),
        ("# nothing\n", ["1:1: the file holds no case"]),
        ("3", ["1:1: expected a case, got the number 3"]),
        ("- a\n", ["1:1: expected a case, got a list"]),
        ("cases: []\n", ["1:1: expected a list of cases, got an empty list"]),
        ("cases:\n", ["1:1: expected a list of cases, got nothing"]),
        ("defaults: {seed: 1}\n", ["1:1: expected a list of cases, got nothing"]),
        ("defaults: 3\ncases: [{function: x, inputs: {x: 1.0}}]\n",
         ["1:11: expected a mapping, got the number 3"]),
        ("assignment: {title: a}\n", ["1:1: expected one of 'function', 'network' and 'code', got none of them"]),
        ("assignment: {tile: a}\nfunction: x\ninputs: {x: 1.0}\n", ["1:14: unknown key 'tile'"]),
        ("assignment: 3\nfunction: x\ninputs: {x: 1.0}\n", ["1:13: expected a mapping, got the number 3"]),
        ("function: x\nloss: mse\ninputs: {x: 1.0}\n",
         ["2:1: 'loss' belongs to a network case, and this is a function case"]),
        ("network: [relu]\nconstants: {c: 1}\ninputs: {x: 1.0}\n",
         ["2:1: 'constants' belongs to a function case, and this is a network case"]),
        ("function: x\ninputs: {x: .inf}\n", ["2:13: expected finite numbers, got NaN or infinity"]),
        ("function: x\ninputs: {x: 1.0, value: 2.0}\n", ["2:18: the name 'value' is taken: it is the output"]),
        ("function: x\nwrt: [x, x]\ninputs: {x: 1.0}\n", ["2:10: 'x' is listed twice"]),
        ("function: x\nsweep: {N: [-1]}\ninputs: {x: 1.0}\n", ["2:9: the size 'N' is negative"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_whole_file_or_a_whole_case(text: str, expected: list[str]) -> None:
    assert told(text) == expected


def test_a_problem_to_build_stands_alone(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    loaded = read("code: a.py\nbuild: problem(seed)\nforward: y = f(x)\n", str(tmp_path / "f.yaml"))
    assert [problem.message for problem in loaded.problems] == [
        "'forward' stands beside 'build', which makes the whole problem"
    ]


def test_infinity_may_reach_handwritten_code(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    text = "code: a.py\nforward: y = f(x, mask)\ninputs: {x: 1.0, mask: [0.0, -.inf]}\n"
    assert read(text, str(tmp_path / "f.yaml")).problems == ()


def test_a_file_of_mistakes_is_told_of_up_to_a_limit() -> None:
    problems = read("function: x\ninputs: {x: 1.0}\n" + "".join(f"k{i}: 1\n" for i in range(150))).problems
    assert len(problems) == 101
    assert problems[-1].message == "50 more mistakes are not listed"


def test_more_cases_than_anybody_waits_for_are_refused() -> None:
    ten = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"
    case = f"  - {{function: sum(x), inputs: {{x: 'normal(A)'}}, sweep: {{A: {ten}, B: {ten}, C: {ten}}}}}\n"
    (problem,) = read("cases:\n" + case * 6).problems
    assert problem.message == "the file holds more than 5000 cases, sweeps included"
    assert problem.location == Location("f.yaml", 7, 5)

"""`gradcheck schema`: valid itself, it accepts every case file that ships and rejects the broken ones it can see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from gradcheck.casefile.fields import ASSIGNMENT, CASE
from gradcheck.casefile.schema import file_schema
from gradcheck.cli import main

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema, of the extra 'test', is not installed")

ROOT = Path(__file__).parents[2]
SHIPPED = sorted([*ROOT.glob("cases/**/*.yaml"), *ROOT.glob("tests/**/*.yaml")])
SHIPPED = [file for file in SHIPPED if "broken" not in file.relative_to(ROOT).parts]
# A bomb of aliases goes off in every reader that follows them; ours does not, and is tested elsewhere.
BROKEN = [file for file in sorted(ROOT.glob("tests/broken/*.yaml")) if file.stem != "alias_bomb"]

# What a schema cannot see: texts in the notation, shapes, files, names across keys, YAML's own errors and features.
UNSEEN = {
    "anchor", "brackets_within_each_other", "claim_outside_wrt", "comma_in_flow_list", "decimal_comma",
    "dunder_class", "dunder_import", "escaped_control_character", "formula_of_another_shape", "huge_array",
    "huge_arrays_together", "huge_sweep", "import_statement", "joined_lines", "layers_within_each_other",
    "list_as_key", "loss_options", "missing_array_file", "missing_code", "name_collision", "no_name_behind_colon",
    "no_shape", "number_too_large", "path_outside", "power_with_caret", "ragged_list", "shape_mismatch",
    "syntax_error", "tag_directive", "terms_within_each_other", "tower_of_powers", "unclosed_bracket",
    "unknown_initialiser", "unknown_layer", "unknown_name", "unknown_operation", "unknown_size", "unknown_upstream",
    "whole_numbers_in_wrt", "wrt_unknown", "yaml_1_1",
}  # fmt: skip


def read(file: Path) -> Any:
    return YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def validator() -> Any:
    made = file_schema()
    jsonschema.Draft7Validator.check_schema(made)
    return jsonschema.Draft7Validator(made)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_shipped_file_is_valid(file: Path, validator: Any) -> None:
    assert [error.message for error in validator.iter_errors(read(file))] == []


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_broken_file_is_rejected_where_a_schema_can_see_it(file: Path, validator: Any) -> None:
    try:
        document = read(file)
    except (MarkedYAMLError, ValueError):
        return  # the editor's YAML reader underlines it
    assert validator.is_valid(document) == (file.stem in UNSEEN)


def valid(validator: Any, text: str) -> bool:
    return bool(validator.is_valid(YAML(typ="safe", pure=True).load(text)))


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ("name: a\nfunction: x\ninputs: {x: 1}\n", True),
        ("name: a\nfunction: x\nnetwork: [relu]\n", False),
        ("name: a\nfunction: x\nloss: mse\n", False),
        ("name: a\ninputs: {x: 1}\n", False),
        ("function: x\nvary: ties\ntags: slow\nwrt: x\n", True),  # one of a list may stand alone
        ("function: x\nvary: [ties, dtype]\n", True),
        ("function: x\nvary: []\n", False),
        ("function: x\nrtol: 0\n", False),
        ("function: x\nseed: -1\n", False),
        ("function: x\nexpect: error\n", False),
        ("function: x\nexpect: {x: fail}\n", True),
        ("function: x\nexpect: {x: wrong}\n", False),
        ("function: x\ninputs: {2x: 1}\n", False),
        ("function: x\nexpected: {x: [[1, two]]}\n", False),
        ("network: []\n", False),
        ("network: [relu, [linear(2, 2)]]\n", True),
        ("cases: []\n", False),
        ("cases: [{function: x}]\nname: a\n", False),
        ("defaults: {seed: 1}\n", False),
        ("defaults: {function: x, seed: 1}\ncases: [{name: a, seed: null}]\n", True),
        ("defaults: {inputs: {x: 1}}\ncases: [{function: y, inputs: {x: null, y: 2}}]\n", True),
        ("defaults: {function: x}\ncases: [{function: null, network: [relu]}]\n", True),
        ("defaults: {seed: 1}\ncases: [{function: x, network: [relu]}]\n", False),
        ("cases: [{function: x, seed: null}]\n", False),  # there is no default to take away
        ("defaults: {name: a}\ncases: [{function: x}]\n", False),
        ("assignment: {title: one, feedback: what}\ncases: [{function: x}]\n", True),
        ("assignment: {title: one}\nfunction: x\n", True),
        ("assignment: {feedback: loud}\nfunction: x\n", False),
    ],
)
def test_the_rules_of_a_file_are_in_the_schema(text: str, is_valid: bool, validator: Any) -> None:
    assert valid(validator, text) == is_valid


def test_every_key_has_a_description_for_the_editor() -> None:
    made = file_schema()["definitions"]
    for name, table in (
        ("case", CASE),
        ("listed", CASE),
        ("part", CASE),
        ("defaults", CASE),
        ("assignment", ASSIGNMENT),
    ):
        for key, entry in table.items():
            if (name, key) != ("defaults", "name"):
                assert made[name]["properties"][key]["description"] == entry.about


def test_the_command_prints_it_or_writes_it(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["schema"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == file_schema()
    file = tmp_path / "schema.json"
    assert CliRunner().invoke(main, ["schema", "-o", str(file)]).stdout == ""
    assert file.read_text(encoding="utf-8") == done.stdout
    refused = CliRunner().invoke(main, ["schema", "-o", str(tmp_path / "no" / "where.json")])
    assert refused.exit_code == 2
    assert "No such file or directory" in refused.stderr


def test_an_empty_file_is_offered_every_key_that_can_begin_one() -> None:
    made = file_schema()
    offered = {*made["properties"], *made["definitions"]["case"]["properties"]}
    assert offered == {*CASE, "cases", "defaults", "assignment"}
    assert made["$schema"] == "http://json-schema.org/draft-07/schema#"

"""The table of keys: every kind of value is read, and everything wrong with it is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gradcheck.casefile.fields import ASSIGNMENT, CASE, KEYS_OF_KIND, KINDS, Read, read_fields, schema
from gradcheck.casefile.nodes import Fields
from gradcheck.casefile.page import Mistake, Page
from gradcheck.casefile.tree import compose
from gradcheck.location import SourceText
from gradcheck.model.case import Case, CodeBody, NetworkBody, Numbers, Residual


def read(text: str, file: str = "f.yaml") -> Read:
    root = compose(Page.of(text, file)).root
    assert isinstance(root, Fields)
    return read_fields(CASE, root)


def only(text: str) -> tuple[str, str, str]:
    """The one mistake of a text: message, hint, and the characters it points at."""
    (found,) = read(text).mistakes
    if isinstance(found, Mistake):
        return found.message, found.hint, text[found.span.start : found.span.end]
    assert found.source is not None
    assert found.span is not None
    return found.message, found.hint, found.source.text[found.span.start : found.span.end]


def test_every_key_of_a_kind_is_in_the_table() -> None:
    assert set().union(*KEYS_OF_KIND.values()) <= set(CASE)
    assert set(KINDS) == set(KEYS_OF_KIND)


def test_every_field_of_a_case_can_be_written_in_a_file() -> None:
    # By the loader; same_size is written `shape`.
    made = {"location", "body", "where", "swept", "inherited", "variant", "same_size"}
    assert set(Case.__dataclass_fields__) - made <= set(CASE)
    in_bodies = {*CodeBody.__dataclass_fields__, *NetworkBody.__dataclass_fields__} - {"path", "entry", "layers"}
    assert in_bodies <= set(CASE)


def test_the_schema_describes_every_key_and_allows_no_other() -> None:
    for table in (CASE, ASSIGNMENT):
        written = schema(table)
        assert set(written["properties"]) == set(table)
        assert all(entry["description"] for entry in written["properties"].values())
        assert written["additionalProperties"] is False
    assert schema()["properties"]["seed"] == {
        "description": "chooses the random numbers", "type": "integer", "minimum": 0, "maximum": 2**63 - 1,
        "default": 0,
    }  # fmt: skip


def test_without_any_key_a_case_has_the_defaults_of_the_model() -> None:
    values = read("{}").values
    for name, entry in Case.__dataclass_fields__.items():
        if name in values and name not in ("name", "expect"):
            default = entry.default_factory() if callable(entry.default_factory) else entry.default  # type: ignore[misc]
            assert values[name] == default, name


def test_numbers_keep_what_their_digits_leave_open() -> None:
    numbers = read("expected: {value: [22.19, 4]}").values["expected"]["value"]
    assert isinstance(numbers, Numbers)
    np.testing.assert_array_equal(numbers.values, [22.19, 4.0])
    np.testing.assert_allclose(numbers.half_unit, [0.005, 0.0], rtol=1e-12)
    np.testing.assert_array_equal(numbers.digits, [4, 0])


@pytest.mark.parametrize(
    ("text", "shape", "dtype"),
    [("3", (), np.int64), ("3.0", (), np.float64), ("[1, 2]", (2,), np.int64), ("[]", (0,), np.float64),
     ("[[1, 2.5]]", (1, 2), np.float64), ("[[], []]", (2, 0), np.float64), ("[[[1]]]", (1, 1, 1), np.int64)],
)  # fmt: skip
def test_nested_lists_of_numbers_are_arrays(text: str, shape: tuple[int, ...], dtype: type) -> None:
    numbers = read(f"inputs: {{x: {text}}}").values["inputs"]["x"]
    assert numbers.values.shape == numbers.half_unit.shape == numbers.digits.shape == shape
    assert numbers.values.dtype == dtype


def test_a_text_is_an_initialiser_and_keeps_its_place() -> None:
    text = read("inputs:\n  x: normal(4, 3)").values["inputs"]["x"]
    assert isinstance(text, SourceText)
    assert (text.text, str(text.locate(7))) == ("normal(4, 3)", "f.yaml:2:13")


def test_layers_are_texts_and_lists_within_are_residual_blocks() -> None:
    first, block, last = read("network:\n  - relu\n  - - tanh\n    - - relu\n  - tanh").values["network"]
    assert (first.text, last.text) == ("relu", "tanh")
    assert isinstance(block, Residual)
    assert isinstance(block.layers[1], Residual)


def test_code_is_a_file_and_perhaps_a_name_in_it(tmp_path: Path) -> None:
    (tmp_path / "layers.py").write_text("")
    file = str(tmp_path / "f.yaml")
    assert read("code: layers.py", file).values["code"] == (tmp_path / "layers.py", None)
    assert read("code: layers.py:Affine", file).values["code"] == (tmp_path / "layers.py", "Affine")
    assert read("code: layers.py:nn.Affine", file).values["code"] == (tmp_path / "layers.py", "nn.Affine")


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("wrt: x", "wrt", ("x",)), ("wrt: [x, y]", "wrt", ("x", "y")), ("wrt: []", "wrt", ()),
        ("tags: slow", "tags", ("slow",)),
        ("upstream: ones", "upstream", "ones"), ("points: 3", "points", 3.0), ("points: {W: 0}", "points", {"W": 0.0}),
        ("expect: fail", "expect", "fail"), ("expect: {W: fail}", "expect", {"W": "fail"}),
        ("rtol: 1e-6", "rtol", 1e-6),
        ("options: {a: [1, {b: null}], c: no}", "options", {"a": [1, {"b": None}], "c": "no"}),
        ("seed: 0x10", "seed", 16),
        ("options: {a: null}", "options", {"a": None}),
        ("sweep: {N: [1, 2.5, same]}", "sweep", {"N": (1, 2.5, "same")}),
        ("shape: same_size", "shape", "same_size"), ("timeout: 1", "timeout", 1.0),
        ("sizes: {N: 0}", "sizes", {"N": 0}), ("name: '3'", "name", "3"),
        ("why: |\n  two\n  lines\n", "why", "two\nlines\n"),
    ],
)  # fmt: skip
def test_values_are_read(text: str, key: str, value: object) -> None:
    found = read(text)
    assert found.mistakes == ()
    assert found.values[key] == value


@pytest.mark.parametrize(
    ("text", "message", "hint", "place"),
    [
        ("gradent: {}", "unknown key 'gradent'", "did you mean 'gradient'?", "gradent"),
        ("xyzzy: 1", "unknown key 'xyzzy'", "check the spelling, or remove it", "xyzzy"),
        ("seed: 1.0", "expected a whole number, got the number 1.0", "write a number, without quotes", "1.0"),
        ("seed: true", "expected a whole number, got true",
         "YAML reads true as a truth value; quote it if it is a text: 'true'", "true"),
        ("seed: '1'", "expected a whole number, got the text '1'", "write a number, without quotes", "'1'"),
        ("seed: {}", "expected a whole number, got a mapping", "write a number, without quotes", "{}"),
        ("rtol: 0", "expected a number above 0, got the number 0", "change it, or remove the key", "0"),
        ("rtol: 2", "expected a number of at most 1, got the number 2", "change it, or remove the key", "2"),
        ("rtol: .nan", "expected a number above 0, got the number .nan", "change it, or remove the key", ".nan"),
        ("points: -1", "expected a number of at least 0, got the number -1", "change it, or remove the key", "-1"),
        ("hidden: off", "expected true or false, got the text 'off'",
         "in YAML 1.2 'off' is a text; the truth values are true and false", "off"),
        ("expect: failed", "expected one of pass, fail, kink, inconclusive, vacuous, got the text 'failed'",
         "did you mean 'fail'?", "failed"),
        ("expect: [fail]", "expected one of pass, fail, kink, inconclusive, vacuous, got a list", "write pass",
         "[fail]"),
        ("expect: error", "a case cannot expect 'error': a crash is no verdict about a gradient",
         "leave 'expect' out: a case that breaks always counts as broken", "error"),
        ("expect: {x: error}", "a case cannot expect 'error': a crash is no verdict about a gradient",
         "leave 'expect' out: a case that breaks always counts as broken", "error"),
        ("shape: same", "expected 'same_size', got the text 'same'", "did you mean 'same_size'?", "same"),
        ("name: 3", "expected a text, got the number 3", "put it into quotes", "3"),
        ("name: ''", "expected a text, got the text ''", "put it into quotes", "''"),
        ("inputs: [x]", "expected a mapping, got a list", "write one 'name: value' per line, indented below the key",
         "[x]"),
        ("sizes: {N: 1e3}", "expected a whole number, got the number 1e3", "write a number, without quotes", "1e3"),
        ("sweep: {N: 3}", "expected a list, got the number 3", "write [1, 2, 7], or one entry per line behind a '-'",
         "3"),
        ("sweep: {N: []}", "expected at least one entry, got an empty list", "write one, or remove the key", "[]"),
        ("wrt: 3", "expected a name, got the number 3", "write a name, as under 'inputs:'", "3"),
        ("wrt: d x", "'d x' is no name", "a name has letters, digits and '_', and begins with a letter", "d x"),
        ("inputs: {if: 1}", "'if' is a keyword of Python and cannot be a name", "call it 'if_'", "if"),
        ("inputs: {_a: 1}", "the name '_a' begins with an underscore", "use a public name", "_a"),
        ("inputs: {größe: 1}", "'größe' is no name", "a name has letters, digits and '_', and begins with a letter",
         "größe"),
        ("inputs: {x: [1, [2]]}", "expected a number like the entries before it, got a list of shape (1,)",
         "all entries of a list have the same shape", "[2]"),
        ("inputs: {x: [1, a]}", "expected a number, got the text 'a'",
         'a list holds numbers only; to compute them, quote the whole list: "[1/3, 2/3]"', "a"),
        ("inputs: {x: 1e999}", "this number is too large for a float64", "the largest is about 1.8e308", "1e999"),
        ("inputs: {x: 9223372036854775808}", "this whole number is too large for an int64", "write it as a float: 1e30",
         "9223372036854775808"),
        ("expected: {x: normal(3)}", "expected numbers, got the text 'normal(3)'", "formulas belong under 'gradient:'",
         "normal(3)"),
        ("inputs: {x: 2024-1-1}", "expected an array, got the text '2024-1-1'",
         "this looks like a date; in a case file it is a text and no number", "2024-1-1"),
        ("inputs: {x: {y: 1}}", "expected an array, got a mapping",
         "a text that begins with a bracket is a list or a mapping for YAML; put it into quotes", "{y: 1}"),
        ("loss: null", "expected an expression, got nothing",
         "'null', '~' and an empty place mean nothing in YAML; write a value, or remove the key", "null"),
        ("loss: a b", "syntax error: this cannot be read from here on", "check brackets, commas and operators", "b"),
        ("loss: a\n  b", "syntax error: this cannot be read from here on",
         "YAML joins these lines into one; begin the text with '|' and put the lines below", "b"),
        ("network: relu", "expected a list of layers, got the text 'relu'",
         "write one layer per line, each behind a '-'", "relu"),
        ("network: []", "expected at least one layer, got an empty list",
         "write one layer per line, each behind a '-'", "[]"),
        ("upstream: randon", "expected 'random', 'ones' or numbers, got the text 'randon'", "did you mean 'random'?",
         "randon"),
        ("vary: [ties, shape]", "expected one of batch1, non_square, repeated, ties, small_variance, nonzero_bias, "
         "scale, dtype, got the text 'shape'", "did you mean 'scale'?", "shape"),
        ("vary: []", "expected at least one entry, got an empty list", "write one, or remove the key", "[]"),
        ("options: {a: }", "expected a value, got nothing",
         "'null', '~' and an empty place mean nothing in YAML; write a value, or remove the key", ":"),
    ],
)  # fmt: skip
def test_mistakes_have_a_cause_a_next_step_and_a_place(text: str, message: str, hint: str, place: str) -> None:
    assert only(text) == (message, hint, place)


def test_all_mistakes_of_a_case_are_found_and_the_rest_is_read() -> None:
    found = read("seed: x\nrtol: y\ninputs:\n  a: [z]\n  b: 1\n  c: f(\nsizes: {N: 4}\n")
    assert len(found.mistakes) == 4
    assert found.unsure == {"seed", "rtol", "inputs"}
    assert set(found.values["inputs"]) == {"b"}
    assert found.values["sizes"] == {"N": 4}

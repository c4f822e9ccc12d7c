"""The table of everything a case file may say: one line per key, with what it takes and what it means.

How a kind of value is read is in `values` and `readers`, what the keys mean together in `checks`. The table is plain
Python and not a set of pydantic models: building those takes longer than checking a small case (measured: 35 ms).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from gradcheck.casefile.nodes import Broken, Fields, Items, Node, Scalar, values_below
from gradcheck.casefile.page import Mistake
from gradcheck.casefile.readers import (
    MistakesError,
    expected,
    mistake,
    read_array,
    read_code,
    read_expression,
    read_file_path,
    read_layers,
    read_numbers,
    read_statements,
    read_text,
)
from gradcheck.casefile.values import (
    Kind,
    anything,
    list_of,
    name,
    names_to,
    nested,
    one_of,
    one_or_per_name,
    real,
    truth,
    whole,
)
from gradcheck.errors import NotationError, did_you_mean
from gradcheck.model.case import Stress, Verdict
from gradcheck.record import dataclass

KINDS = ("function", "network", "code")
KEYS_OF_KIND: dict[str, frozenset[str]] = {
    "function": frozenset(("function", "constants", "gradient")),
    "network": frozenset(("network", "loss", "penalty", "parameters")),
    "code": frozenset(
        ("code", "forward", "backward", "setup", "output", "gradient_at", "parameters_at", "arrays", "build",
         "reference", "batched", "shape", "scale", "timeout")
    ),
}  # fmt: skip
VERDICTS: tuple[str, ...] = get_args(Verdict)
STRESSES: tuple[str, ...] = get_args(Stress)


@dataclass(frozen=True, slots=True)
class Key:
    """One line of a table. default : the value of a case that does not have the key."""

    kind: Kind
    about: str
    default: Any = None


def _upstream(node: Node) -> Any:
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.text.isidentifier():
        if node.text in ("random", "ones"):
            return node.text
        raise expected(
            "'random', 'ones' or numbers", node, did_you_mean(node.text, ("random", "ones"), "see the README")
        )
    return read_array(node)


TEXT = Kind(read_text, {"type": "string"})
EXPRESSION = Kind(read_expression, {"type": "string"})
STATEMENTS = Kind(read_statements, {"type": "string"})
NESTED = nested({"type": "number"}, 4)  # an editor need not count the brackets of the few deeper ones
ARRAY = Kind(read_array, {"anyOf": [{"type": "string"}, *NESTED["anyOf"]]})
NUMBERS = Kind(read_numbers, NESTED)
LAYERS = Kind(read_layers, {"type": "array", "items": nested({"type": "string"}, 2), "minItems": 1})
FILE = Kind(read_file_path, {"type": "string"})
WORDS = list_of(TEXT, or_one=True)


def _expectable() -> Kind:
    """A verdict word that a case can ask for: a case that breaks has checked nothing, and that is never as expected."""
    asked = one_of(*(word for word in VERDICTS if word != "error"))

    def read(node: Node) -> Any:
        if isinstance(node, Scalar) and node.text == "error":
            hint = "leave 'expect' out: a case that breaks always counts as broken"
            raise mistake(node, "a case cannot expect 'error': a crash is no verdict about a gradient", hint)
        return asked.read(node)

    return Kind(read, asked.schema)


CASE: dict[str, Key] = {
    "name": Key(TEXT, "what reports call the case"),
    "why": Key(TEXT, "a sentence for the reader: what the case shows"),
    "tags": Key(WORDS, "words to select cases by", ()),
    "function": Key(STATEMENTS, "lines of assignments; the last value is the output"),
    "constants": Key(names_to(ARRAY), "named arrays that are not differentiated", {}),
    "gradient": Key(names_to(EXPRESSION), "formulas derived by hand, per input", {}),
    "network": Key(LAYERS, "layers in order; a list within is a residual block"),
    "loss": Key(EXPRESSION, "the loss on top of the network"),
    "penalty": Key(EXPRESSION, "a term on the parameters that is added to the loss: l2(0.01)"),
    "parameters": Key(names_to(ARRAY), "initialisers of parameters, per name", {}),
    "code": Key(Kind(read_code, {"type": "string"}), "a Python file beside the case, or file.py:Name"),
    "forward": Key(STATEMENTS, "the forward call: out, cache = affine_forward(x, w, b)"),
    "backward": Key(STATEMENTS, "the backward call: dx, dw, db = affine_backward(dout, cache)"),
    "setup": Key(STATEMENTS, "lines that run before the forward call"),
    "output": Key(EXPRESSION, "where the output is, if the forward call does not return it"),
    "gradient_at": Key(
        one_or_per_name(EXPRESSION), "where the gradients are, if the backward call does not return them"
    ),
    "parameters_at": Key(one_or_per_name(EXPRESSION), "where the parameters are"),
    "arrays": Key(TEXT, "what the inputs are wrapped in: torch, jax, or file.py:Tensor"),
    "build": Key(EXPRESSION, "a call that returns (loss, {name: (array, gradient)})"),
    "reference": Key(FILE, "a trusted file with the same functions: differences are taken of it"),
    "batched": Key(
        truth(), "forward evaluates many points at once: every array with one more axis in front, outputs too", False
    ),
    "shape": Key(one_of("same_size"), "same_size: a gradient may have another shape with as many elements"),
    "inputs": Key(names_to(ARRAY), "named arrays: numbers, initialisers, files", {}),
    "expected": Key(names_to(NUMBERS), "numbers somebody computed: gradients per tensor; value is the output", {}),
    "wrt": Key(list_of(name(), or_one=True), "the tensors whose gradient is checked"),
    "seed": Key(whole(0, 2**63 - 1), "chooses the random numbers", 0),
    "trials": Key(whole(1, 1000), "how many random points are checked", 1),
    "upstream": Key(Kind(_upstream, ARRAY.schema), "the upstream gradient: random, ones, or numbers"),
    "rtol": Key(real(0, 1), "the largest relative error that passes"),
    "options": Key(names_to(anything()), "values that the texts may name", {}),
    "sizes": Key(names_to(whole(0, 10**7)), "whole numbers that shapes may name", {}),
    "sweep": Key(
        names_to(list_of(anything(), empty=False)), "lists of sizes and options; every combination is a case", {}
    ),
    "vary": Key(
        list_of(one_of(*STRESSES), or_one=True, empty=False),
        "stress variants, each checked beside the case as written: a batch of 1, axes that differ, repeated ids, "
        "equal numbers, a variance near eps, biases that are not zero, the data times 1000 and times 0.001, float32",
        (),
    ),
    "scale": Key(names_to(EXPRESSION), "a declared factor of a gradient: {W: 1/N}", {}),
    "expect": Key(
        one_or_per_name(_expectable()),
        "the verdict that should come out, for the case or per tensor; a crash (error) cannot be expected",
    ),
    "points": Key(
        one_or_per_name(real(0, 1e6, including_low=True)),
        "points in an assignment, shared by the tensors or per tensor",
    ),
    "hidden": Key(truth(), "students see the result of the case, not the case", False),
    "timeout": Key(real(0, 3600), "seconds that the code may take"),
}

ASSIGNMENT: dict[str, Key] = {
    "title": Key(TEXT, "what the assignment is called"),
    "requires": Key(WORDS, "packages that submissions may import", ()),
    "feedback": Key(one_of("none", "where", "what", "full"), "how much students are told", "what"),
    "budget": Key(whole(1, 10**9), "function evaluations per case"),
    "files": Key(WORDS, "the files of a submission; default: those named by code", ()),
    "secret": Key(TEXT, "what the grader's random numbers are drawn from"),
    "roster": Key(FILE, "a CSV file with the students"),
}

# A case that has a reference in an assignment: its code is in the submissions, and need not be here.
SUBMITTED: dict[str, Key] = {
    **CASE,
    "code": Key(Kind(lambda node: read_code(node, must_exist=False), {"type": "string"}), CASE["code"].about),
}

TOP = ("cases", "defaults", "assignment")  # the keys of a file that lists its cases


@dataclass(frozen=True, slots=True)
class Read:
    """What a table made of a mapping.

    values : every key of the table, with its default where it is not given or not right
    mistakes : everything that is wrong
    unsure : keys whose values are incomplete because of that
    """

    values: Mapping[str, Any]
    mistakes: tuple[Mistake | NotationError, ...]
    unsure: frozenset[str]


def read_fields(table: Mapping[str, Key], fields: Fields) -> Read:
    """Read a mapping by a table, to its end, whatever is wrong. `Broken` values are told of already."""
    values = {key: entry.default for key, entry in table.items()}
    mistakes: list[Mistake | NotationError] = []
    unsure: set[str] = set()
    for key, node in fields.pairs:
        entry = table.get(key.text)
        if entry is None:
            hint = did_you_mean(key.text, table, "check the spelling, or remove it")
            mistakes.append(Mistake(key.span, f"unknown key '{key.text[:40]}'", hint))
            unsure.add(key.text)
            continue
        if any(isinstance(part, Broken) for part in values_below(node)):
            unsure.add(key.text)
        if isinstance(node, Broken):
            continue
        try:
            values[key.text] = entry.kind.read(_without_broken(node))
        except MistakesError as error:
            mistakes.extend(error.found)
            unsure.add(key.text)
            values[key.text] = entry.default if error.partial is None else error.partial
    return Read(values, tuple(mistakes), frozenset(unsure))


def schema(table: Mapping[str, Key] = CASE) -> dict[str, Any]:
    """The table as a JSON schema (draft 07, and the later ones)."""
    properties = {key: {"description": entry.about, **entry.kind.schema} for key, entry in table.items()}
    for key, entry in table.items():
        if isinstance(entry.default, bool | int | float | str):
            properties[key]["default"] = entry.default
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _without_broken(node: Node) -> Node:
    """The node without values whose mistake is told already."""
    match node:
        case Items():
            kept = tuple(_without_broken(child) for child in node.nodes if not isinstance(child, Broken))
            return Items(node.page, node.span, kept, node.flow)
        case Fields():
            pairs = tuple((key, _without_broken(child)) for key, child in node.pairs if not isinstance(child, Broken))
            return Fields(node.page, node.span, pairs, node.flow)
    return node

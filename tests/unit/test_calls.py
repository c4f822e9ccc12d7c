"""Statements become a plan: what each name is, and where the mistakes stand."""

import json
from typing import Any

import numpy as np
import pytest

from gradcheck.errors import FieldError, GradcheckError, NotationError
from gradcheck.handwritten.calls import Plan, make_plan
from gradcheck.model.case import CodeBody
from tests.handwritten_examples.table import EXAMPLES, XWB, case_of

PAIR = {"forward": "out, cache = f(x, w, b)", "backward": "dx, dw, db = g(dout, cache)"}


def plan(keys: dict[str, Any], arrays: Any = XWB, **others: Any) -> Plan:
    case = case_of(keys, arrays, **others)
    assert isinstance(case.body, CodeBody)
    return make_plan(case, case.body)


def mistake(keys: dict[str, Any], arrays: Any = XWB, **others: Any) -> tuple[str, str, str]:
    """Message, hint and place of what is wrong with the statements."""
    with pytest.raises(GradcheckError) as caught:
        plan(keys, arrays, **others)
    error = caught.value
    place = str(error.location) if isinstance(error, NotationError) else ""
    return (
        error.message,
        error.hint,
        place or "/".join(map(str, error.path)) if isinstance(error, FieldError) else place,
    )


def test_a_pair_has_inputs_an_output_its_upstream_and_three_gradients() -> None:
    made = plan(PAIR)
    assert made["inputs"] == ["x", "w", "b"]
    assert made["outputs"] == [["out", ["name", "out"]]]
    assert made["upstream"] == [["out", "dout"]]
    assert made["gradients"] == {"x": ["name", "dx"], "w": ["name", "dw"], "b": ["name", "db"]}
    assert made["free"] == ["f", "g"]


def test_every_output_with_an_upstream_gradient_is_differentiated_and_the_rest_passed_on() -> None:
    made = plan({"forward": "h, c, cache = f(x, w, b)", "backward": "dx = g(dc, dh, cache)"})
    assert made["upstream"] == [["h", "dh"], ["c", "dc"]]
    assert [name for name, _ in made["outputs"]] == ["h", "c"]


def test_without_an_upstream_gradient_the_first_value_is_the_output() -> None:
    made = plan({"forward": "loss, dx = f(x, w, b)"})
    assert (made["outputs"], made["upstream"]) == ([["loss", ["name", "loss"]]], [])
    assert made["gradients"] == {"x": ["name", "dx"]}


def test_a_gradient_used_by_a_later_line_is_not_an_upstream_gradient() -> None:
    made = plan({"forward": "h = f(x, w)\nout = k(h, b)", "backward": "dh, db = m(dout, h)\ndx, dw = g(dh, x)"})
    assert made["upstream"] == [["out", "dout"]]
    assert sorted(made["gradients"]) == ["b", "w", "x"]


def test_an_unnamed_output_is_called_out() -> None:
    made = plan(
        {"forward": "layer.forward(x, w, b)", "setup": "layer = Layer()", "backward": "dx = layer.backward(dout)"}
    )
    assert (made["outputs"], made["upstream"]) == ([["out", ["name", "out"]]], [["out", "dout"]])


@pytest.mark.parametrize("upstream", ["dZ", "dout"])
def test_an_output_in_an_attribute_has_the_name_of_the_attribute_or_out(upstream: str) -> None:
    made = plan(
        {
            "setup": "layer = L(w, b)",
            "forward": "layer.run(x)",
            "output": "layer.Z",
            "backward": f"dx = layer.back({upstream})",
        }
    )
    assert made["outputs"] == [["Z", ["attribute", ["name", "layer"], "Z"]]]
    assert made["upstream"] == [["Z", upstream]]


def test_parameters_are_looked_for_beside_their_gradients() -> None:
    made = plan(
        {
            "setup": "layer = L()",
            "forward": "out = layer.f(x, b)",
            "gradient_at": {"w": "layer.dw"},
            "backward": "layer.b(dout)",
        }
    )
    places = made["parameters"]["w"]
    assert places[0] == ["attribute", ["name", "layer"], "w"]
    assert places[1] == ["item", ["attribute", ["name", "layer"], "params"], ["value", "w"]]


def test_the_parameter_of_an_update_is_what_it_was_before() -> None:
    made = plan(
        {
            "setup": "l = L()",
            "forward": "out = l.f(x, w, b)",
            "backward": "dx = l.g(dout, 1.0)",
            "gradient_at": {"V": "before(l.V2) - l.V2"},
        }
    )
    assert made["before"] == [["attribute", ["name", "l"], "V2"]]
    assert made["gradients"]["V"] == ["binary", "-", ["before", 0], ["attribute", ["name", "l"], "V2"]]
    assert made["parameters"]["V"][0] == ["attribute", ["name", "l"], "V2"]


@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if "bare" not in e.name and "entry" not in e.keys], ids=lambda e: e.name
)
def test_a_plan_survives_json(example: Any) -> None:
    made = plan(dict(example.keys), example.arrays, options=example.options, sizes=example.sizes)
    assert json.loads(json.dumps(made)) == made


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            {**PAIR, "forward": "y, cache = f(x, w, b)"},
            (
                "'dout' is the upstream gradient of 'out', but forward gives 'y', 'cache'",
                "did you mean 'dy'?",
                "case.yaml:3:26",
            ),
        ),
        (
            {**PAIR, "backward": "dx, dW, db = g(dout, cache)"},
            ("backward gives 'dW', but no input is called 'W'", "did you mean 'dw'?", "case.yaml:3:15"),
        ),
        (
            {**PAIR, "backward": "dx, dq, db = g(dout, cache)"},
            (
                "backward gives 'dq', but no input is called 'q'",
                "write '_' for a value that is not needed",
                "case.yaml:3:15",
            ),
        ),
        (
            {**PAIR, "forward": "out, cache = f(x, w)"},
            ("no statement uses the input 'b'", "pass it on, or leave it out", "inputs/b"),
        ),
        ({"backward": PAIR["backward"]}, ("'code' without 'forward'", "add a line: forward: out = …", "code")),
        (
            {**PAIR, "backward": "dx, dw, db = g(dout, _)"},
            ("'_' drops a value, it has none", "give the value a name", "case.yaml:3:32"),
        ),
        (
            {**PAIR, "forward": "out, cache = f(x, w, layer._b)"},
            ("names with a leading underscore are not allowed: '_b'", "use a public name", "case.yaml:3:37"),
        ),
        (
            {**PAIR, "backward": "dx, dw, db = before(dout)"},
            (
                "'before' takes one value, in 'gradient_at' only",
                "write it in gradient_at: {W: before(layer.W) - layer.W}",
                "case.yaml:3:24",
            ),
        ),
        (
            {"setup": "l = L(w, b)", "forward": "l.f(x)", "output": "l.outputs[0]", "backward": "dx = l.b(dout)"},
            ("an output without a name", "write out = layer.Z", "case.yaml:3:9"),
        ),
    ],
)
def test_a_mistake_has_its_place_and_a_next_step(keys: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert mistake(keys) == expected


def test_an_upstream_gradient_among_the_inputs_is_refused() -> None:
    assert mistake(PAIR, {**XWB, "dout": np.ones((4, 2))}) == (
        "'dout' is the upstream gradient of 'out', not an input",
        "leave it out; to choose its values, write them under 'upstream'",
        "inputs/dout",
    )

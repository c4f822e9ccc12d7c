"""What a box says of itself: bounded, of known words, and never able to loosen a verdict."""

from __future__ import annotations

from typing import Any

import pytest

from gradcheck.sandbox.descriptions import FLOAT32, State, code_error, survey_of

JUNK: list[Any] = [None, 7, "text", [], [[]], {"a": 1}, True, 1e308, float("nan"), "x" * 10**6, [None, 1, {}], -1]
FIELDS = ("during", "output_names", "upstream", "wrt", "claimed", "optional", "notes", "precision", "built")


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: repr(junk)[:20])
def test_a_state_of_junk_is_a_state_that_says_nothing(junk: Any) -> None:
    for told in (junk, dict.fromkeys(FIELDS, junk)):
        state = State.of(told)
        assert state.during in ("load", "forward", "backward")
        assert state.precision == 0.0
        assert state.built in (True, False)
        for names in (state.output_names, state.upstream, state.wrt, state.claimed, state.optional, state.notes):
            assert len(names) <= 4096
            assert all(isinstance(name, str) and len(name) <= 600 for name in names)


def test_a_state_is_what_was_said() -> None:
    told = {"during": "backward", "output_names": ["a"], "upstream": ["da"], "wrt": ["x"], "claimed": ["x", "w"],
            "optional": ["w"], "notes": ["prints"], "precision": FLOAT32, "built": True}  # fmt: skip
    assert State.of(told) == State("backward", ("a",), ["da"], ["x"], {"x", "w"}, {"w"}, ["prints"], FLOAT32, True)


@pytest.mark.parametrize("precision", [0.9, 1e-3, 2.0**-10, 1.0, -FLOAT32, "1.1920928955078125e-07", [FLOAT32]])
def test_no_precision_is_believed_but_that_of_float32(precision: Any) -> None:
    assert State.of({"precision": precision}).precision == 0.0


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: repr(junk)[:20])
def test_an_error_of_junk_is_an_error(junk: Any) -> None:
    error = code_error(
        dict.fromkeys(("kind", "during", "text", "file", "line", "hint"), junk), "backward", ("layers.py",)
    )
    assert error.kind == "raised"
    assert error.during == "backward"
    assert len(error.text) <= 600
    assert len(error.hint) <= 600
    assert error.file is None
    assert error.line in (None, 7)


def test_an_error_names_only_files_of_the_submission() -> None:
    told = {"kind": "missing", "during": "load", "text": "t", "line": 3, "hint": "h"}
    for file in ("/etc/passwd", "../layers.py", "reference.py"):
        assert code_error({**told, "file": file}, "forward", ("layers.py",)).file is None
    error = code_error({**told, "file": "layers.py"}, "forward", ("layers.py",))
    assert (error.kind, error.during, error.text, error.file, error.line, error.hint) == (
        "missing", "load", "t", "layers.py", 3, "h",
    )  # fmt: skip


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: repr(junk)[:20])
def test_a_survey_of_junk_finds_little(junk: Any) -> None:
    for told in (junk, {"returned": junk, "untaken": junk, "held": junk}):
        found = survey_of(told)
        assert all(isinstance(name, str) for name in (*found.returned, *found.untaken, *found.held))
        assert all(type(count) is int for count in found.returned.values())

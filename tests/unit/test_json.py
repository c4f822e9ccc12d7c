"""The JSON that programs read: its stable core, field by field, and nothing that a strict reader refuses."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradcheck.model.report import ExitCode, Report
from gradcheck.reporters.json import render_json
from tests.golden.helper import check_golden
from tests.unit import reports


def parsed(report: Report) -> Any:
    """The JSON as a strict reader sees it: NaN and Infinity are refused."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    return json.loads(render_json(report), parse_constant=refuse)


@pytest.mark.parametrize("name", reports.REPORTS)
def test_a_report_renders_as_it_did(name: str) -> None:
    check_golden(f"reports/{name}.json", render_json(reports.REPORTS[name]))


def test_the_stable_core_has_these_keys_and_no_core_key_is_missing() -> None:
    document = parsed(reports.REPORTS["everything"])
    assert {"schema", "exit", "problems", "cases"} <= set(document)
    assert document["schema"] == 1
    assert document["exit"] == 2
    assert document["problems"][0] == {
        "file": "cases/softmax.yaml", "line": 14, "column": 15,
        "message": "unknown function 'sigmod'", "hint": "did you mean 'sigmoid'?",
    }  # fmt: skip
    for case in document["cases"]:
        assert {
            "name", "file", "line", "seed", "sizes", "options", "expect", "verdict", "as_expected", "resolution",
            "evaluations", "seconds", "coverage", "notes", "error", "findings",
        } <= set(case)  # fmt: skip
        for finding in case["findings"]:
            assert {
                "claim", "tensor", "shape", "verdict", "checked", "wrong", "counts", "worst", "diagnosis",
            } <= set(finding)  # fmt: skip


def test_a_failing_finding_carries_its_numbers() -> None:
    case = parsed(Report((reports.FAILING,)))["cases"][0]
    assert case["expect"] == "pass"
    finding = case["findings"][1]
    assert finding["shape"] == [3, 4]
    assert finding["counts"] == {"pass": 0, "fail": 12}
    assert finding["worst"] == {
        "index": [0, 2], "claimed": 0.4127, "numeric": 0.8254, "bound": 2e-10, "relative_error": 0.5,
    }  # fmt: skip
    assert finding["diagnosis"] == [
        {
            "kind": "factor",
            "text": "claimed is half of numeric everywhere; a factor 2 is lost (d x²/dx = 2x?)",
            "place": "",
            "advice": "",
        }
    ]


@pytest.mark.parametrize(("value", "word"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf")])
def test_a_number_that_is_not_finite_is_a_string(value: float, word: str) -> None:
    case = replace(reports.PASSING, resolution=value, options={"eps": [value, {"deep": value}]})
    document = parsed(Report((case,)))["cases"][0]
    assert document["resolution"] == word
    assert document["options"] == {"eps": [word, {"deep": word}]}


def test_numbers_of_numpy_become_numbers() -> None:
    case = replace(reports.PASSING, options={"a": np.float64(0.5), "b": np.int64(3), "c": np.array([[1.0, np.nan]])})
    assert parsed(Report((case,)))["cases"][0]["options"] == {"a": 0.5, "b": 3, "c": [[1.0, "nan"]]}


@pytest.mark.parametrize(
    ("case", "expect"),
    [(reports.PASSING, "pass"), (reports.UNMET_WORD, "fail"), (reports.EXPECTED_FAIL, {"W1": "fail"})],
)
def test_expect_is_a_word_or_the_tensors_that_shall_not_pass(case: Any, expect: Any) -> None:
    assert parsed(Report((case,)))["cases"][0]["expect"] == expect


def test_the_exit_code_is_that_of_the_process() -> None:
    assert parsed(Report((reports.FAILING,)))["exit"] == 1
    interrupted = json.loads(render_json(Report((reports.FAILING,)), ExitCode.INTERRUPTED))
    assert interrupted["exit"] == 130


def test_only_seconds_differ_between_two_runs() -> None:
    first, second = Report((reports.FAILING,)), Report((replace(reports.FAILING, seconds=9.75),))
    assert render_json(first).replace('"seconds": 0.0125', '"seconds": 9.75') == render_json(second)


def test_hostile_text_is_plain_ascii_and_comes_back_whole() -> None:
    text = render_json(reports.REPORTS["hostile"])
    assert text.isascii()
    assert all(line.isprintable() for line in text.splitlines())
    assert json.loads(text)["cases"][0]["name"] == reports.HOSTILE

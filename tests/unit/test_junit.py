"""JUnit XML: the strict dialect, one test case per claim about a tensor, and the whole message as text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace

import pytest

from gradcheck.model.report import Report
from gradcheck.reporters.junit import render_junit
from tests.unit.reports import FAILING, HALF, PASSING, RAISED, REPORTS, finding, result
from tests.unit.sinks import STARTS, evil_report

# junit-10.xsd of jenkinsci/xunit-plugin (MIT): element → attributes that it may have, those it must have, and children.
# Attributes of a test case do not include `file` and `line`, nor has it properties; those are for suites.
SCHEMA: dict[str, tuple[str, str, str]] = {
    "testsuites": ("name time tests failures errors", "", "testsuite"),
    "testsuite": (
        "name tests failures errors group time skipped timestamp hostname id package file log url version",
        "name tests failures errors", "testsuite properties testcase system-out system-err",
    ),
    "testcase": ("name time classname group", "name", "skipped error failure system-out system-err"),
    "properties": ("", "", "property"),
    "property": ("name value", "name value", ""),
    "failure": ("type message", "", ""),
    "error": ("type message", "", ""),
    "skipped": ("type message", "", ""),
    "system-out": ("", "", ""),
    "system-err": ("", "", ""),
}  # fmt: skip
HAS_TEXT = {"failure", "error", "skipped", "system-out", "system-err"}
TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?")  # SUREFIRE_TIME
COUNTS = re.compile(r"[0-9]+")


def mistakes(text: str) -> list[str]:
    """What the schema has against a file."""
    root = ET.fromstring(text)
    found = [] if root.tag in ("testsuites", "testsuite") else [f"the root is {root.tag}"]
    for element in root.iter():
        if element.tag not in SCHEMA:
            found.append(f"no element {element.tag}")
            continue
        may, must, children = (set(words.split()) for words in SCHEMA[element.tag])
        found += [f"{element.tag} has no attribute {name}" for name in set(element.attrib) - may]
        found += [f"{element.tag} lacks {name}" for name in must - set(element.attrib)]
        found += [f"{child.tag} within {element.tag}" for child in element if child.tag not in children]
        if element.tag.startswith("testsuite") and not TIME.fullmatch(element.get("time", "")):
            found.append(f"time {element.get('time')}")
        for name in ("tests", "failures", "errors", "skipped"):
            if name in element.attrib and not COUNTS.fullmatch(element.get(name, "")):
                found.append(f"{name} {element.get(name)}")
        if element.tag not in HAS_TEXT and (element.text or "").strip():
            found.append(f"text in {element.tag}")
    return found


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_valid(name: str) -> None:
    assert mistakes(render_junit(REPORTS[name])) == []


@pytest.mark.parametrize("start", STARTS)
def test_hostile_text_leaves_it_valid(start: str) -> None:
    assert mistakes(render_junit(evil_report(start))) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<testcase ", '<testcase file="layers.py" '), ("<testcase ", '<testcase line="3" '),
        ('time="', 'time="0.1234'),
        ("<failure", "<properties/><failure"), ("<testsuite ", '<testsuite disabled="0" '),
        (' tests="', ' test="'), ("<failure", "<failed/><failure"), ("<testsuite ", "text<testsuite "),
    ],
)  # fmt: skip
def test_what_the_schema_refuses_is_refused_here(old: str, new: str) -> None:
    text = render_junit(REPORTS["one_fail"])
    assert old in text
    assert mistakes(text.replace(old, new, 1))


def test_a_wrong_gradient_is_a_failure_with_the_whole_message() -> None:
    root = ET.fromstring(render_junit(Report((PASSING, FAILING))))
    cases = {(case.get("classname"), case.get("name")): case for case in root.iter("testcase")}
    assert list(cases) == [
        ("cases.mlp", "mlp: W1"), ("cases.mlp", "mlp: b1"), ("cases.mlp", "mlp: x"),
        ("cases.example", "small classifier: W1"), ("cases.example", "small classifier: b1"),
        ("cases.example", "small classifier: x"),
    ]  # fmt: skip
    failure = cases["cases.mlp", "mlp: W1"].find("failure")
    assert failure is not None
    assert failure.get("type") == "fail"
    assert failure.text == (
        "mlp, W1: fail, shape (3, 4), 12 of 12 elements differ\n"
        "worst at W1[0, 2]: backward claims 0.4127, numeric 0.8254 ± 2.0e-10, relative error 5.0e-01 (limit 1.0e-06)\n"
        "likely: claimed is half of numeric everywhere; a factor 2 is lost (d x²/dx = 2x?)\n"
        "cases/mlp.yaml:3"
    )
    assert [len(case) for case in cases.values()] == [1, 1, 0, 0, 0, 0]


def test_what_could_not_be_checked_is_an_error() -> None:
    case = next(ET.fromstring(render_junit(Report((RAISED,)))).iter("testcase"))
    assert [(child.tag, child.get("type")) for child in case] == [("error", "raised")]


def test_what_was_expected_to_fail_is_no_failure() -> None:
    case = result("known", replace(HALF), verdict="fail", as_expected=True)
    root = ET.fromstring(render_junit(Report((case,))))
    assert root.get("failures") == "0"
    assert [len(child) for child in root.iter("testcase")] == [0]


def test_counts_are_those_of_the_elements() -> None:
    root = ET.fromstring(render_junit(REPORTS["everything"]))
    for level in (root, *root.iter("testsuite")):
        assert level.get("tests") == str(len(list(level.iter("testcase"))))
        assert level.get("failures") == str(len(list(level.iter("failure"))))
        assert level.get("errors") == str(len(list(level.iter("error"))))
    assert [root.get(name) for name in ("tests", "failures", "errors")] == ["37", "12", "4"]


def test_seconds_of_a_case_are_those_of_its_tests_together() -> None:
    root = ET.fromstring(render_junit(Report((result("slow", finding("a"), finding("b"), seconds=3.0),))))
    assert [case.get("time") for case in root.iter("testcase")] == ["1.500", "1.500"]
    assert root.get("time") == "3.000"


def test_of_two_tests_of_one_name_the_second_is_numbered() -> None:
    twice = result("same", finding("W"))
    root = ET.fromstring(render_junit(Report((twice, twice))))
    names = Counter((case.get("classname"), case.get("name")) for case in root.iter("testcase"))
    assert names == {("cases.example", "same: W"): 1, ("cases.example", "same: W #2"): 1}


def test_a_case_without_a_finding_is_a_test_as_well() -> None:
    root = ET.fromstring(render_junit(Report((result("empty tensors"),))))
    assert [case.get("name") for case in root.iter("testcase")] == ["empty tensors"]

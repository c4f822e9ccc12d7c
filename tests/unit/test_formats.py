"""Every format tells the same report: one set of facts, rendered by all, parsed back and compared."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable

import pytest

from gradcheck.model.report import Report
from gradcheck.reporters.csv import render_csv
from gradcheck.reporters.github import MOST, render_github, render_summary
from gradcheck.reporters.html.page import render_html
from gradcheck.reporters.json import render_json
from gradcheck.reporters.junit import render_junit
from gradcheck.reporters.markdown import render_markdown
from gradcheck.reporters.numbers import pair, subscript
from tests.unit import sinks
from tests.unit.reports import REPORTS
from tests.unit.sinks import STARTS, evil_report

RENDERERS: dict[str, Callable[[Report], str]] = {
    "junit": render_junit, "github": render_github, "markdown": render_markdown, "csv": render_csv,
    "html": render_html, "json": render_json,
}  # fmt: skip
ALL = {**REPORTS, **{f"evil{number}": evil_report(start) for number, start in enumerate(STARTS)}}


@pytest.mark.parametrize("name", ALL)
def test_every_format_says_the_same_of_what_is_not_as_expected(name: str) -> None:
    report = ALL[name]
    told = sinks.from_markdown(render_markdown(report))
    assert sinks.said_in_html(sinks.from_html(render_html(report))) == told
    assert Counter(sinks.from_junit(render_junit(report))) == Counter(told)
    annotations, rest = sinks.from_github(render_github(report))
    # An annotation without a text is not shown: the title stands there once more.
    assert [(s.title, s.lines, s.place) for s in annotations] == [
        (s.title, s.lines or (s.title,), s.place) for s in told[:MOST]
    ]
    more = [f"{len(told) - MOST} more message{'s' * (len(told) > MOST + 1)}; the summary of the job has them all"]
    assert rest[:-1] == more * (len(told) > MOST)


@pytest.mark.parametrize("name", [name for name in REPORTS if name != "hostile"])  # whose names are escaped
def test_every_finding_is_in_the_formats_that_list_them_all(name: str) -> None:
    report = REPORTS[name]
    findings = [(case, finding) for case in json.loads(render_json(report))["cases"] for finding in case["findings"]]
    wanted = Counter((f"{c['file']}:{c['line']}", f["tensor"], f["claim"], f["verdict"]) for c, f in findings)
    rows = [row for row in sinks.from_csv(render_csv(report)) if row["tensor"]]
    assert Counter((f"{r['file']}:{r['line']}", r["tensor"], r["claim"], r["verdict"]) for r in rows) == wanted
    page = sinks.from_html(render_html(report))
    found: Counter[tuple[str, ...]] = Counter()
    for row in page.all("tr"):
        cells = [cell.text for cell in row.children if not isinstance(cell, str)]
        if "data-word" in row.attributes and cells[1]:
            found[cells[8], cells[1].partition("[")[0], cells[2], row.attributes["data-word"]] += 1
    assert found == wanted
    tests = [(test.get("classname"), test.get("name")) for test in ET.fromstring(render_junit(report)).iter("testcase")]
    assert len(tests) == len(set(tests))
    names = [name for _, name in tests]
    for case, finding in findings:
        assert any(test.startswith(case["name"]) and f": {finding['tensor']}" in test for test in names)


@pytest.mark.parametrize("name", ["one_fail", "everything", "undecided"])
def test_numbers_are_those_of_the_json(name: str) -> None:
    report = REPORTS[name]
    rows = {(r["case"], r["tensor"], r["claim"]): r for r in sinks.from_csv(render_csv(report)) if r["tensor"]}
    text = render_html(report), render_markdown(report).replace("\\", "")
    checked = 0
    for case in report.cases:
        for finding in case.findings:
            row, worst = rows.get((case.name, finding.tensor, finding.claim)), finding.worst
            if row is None or worst is None:
                continue
            checked += 1
            assert row["index"] == subscript(worst.index)
            for column in ("claimed", "numeric", "bound", "relative_error"):
                assert row[column] == repr(float(getattr(worst, column)))
            for number in pair(worst.claimed, worst.numeric, worst.relative_error):
                assert number in text[0]
                assert number in text[1] or case.as_expected or finding.verdict == "pass"
    assert checked >= 4


@pytest.mark.parametrize("format_", RENDERERS)
@pytest.mark.parametrize("name", ["empty", "problems_only", "all_pass", "everything"])
def test_the_same_report_gives_the_same_bytes_and_ends_its_last_line(format_: str, name: str) -> None:
    text = RENDERERS[format_](REPORTS[name])
    assert text == RENDERERS[format_](REPORTS[name])
    assert text.endswith("\n")
    text.encode()


@pytest.mark.parametrize("format_", [f for f in RENDERERS if f != "json"])
@pytest.mark.parametrize("start", STARTS)
def test_no_format_lets_a_control_character_through(format_: str, start: str) -> None:
    text = RENDERERS[format_](evil_report(start))
    assert not set(text) & set("\x00\x07\x1b\r\t\u202e\ud800\ufffe")


def test_the_outcome_stands_in_every_format_that_people_read() -> None:
    report = REPORTS["everything"]
    outcome = "22 cases: 2 errors, 6 fail, 1 inconclusive, 1 vacuous, 2 pass unexpectedly"
    for text in (render_github(report), render_html(report), render_markdown(report).replace("\\", "")):
        assert outcome in text


def test_a_summary_that_is_too_long_for_github_is_cut_at_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcheck.reporters.github.SUMMARY_BYTES", 900)
    text = render_summary(REPORTS["everything"])
    assert len(text.encode()) < 1000
    assert text.endswith("\n\nThe rest is left out: a summary holds 1 MiB.\n")
    assert render_markdown(REPORTS["everything"]).startswith(text.rpartition("\n\nThe rest")[0])

"""The report as JUnit XML in the strict dialect of junit-10.xsd (jenkinsci/xunit-plugin), which all consumers read.

A suite for every case file, a test case for every claim about a tensor. The whole message is the text of an element:
GitLab reads nothing else. A failure is what is not as expected, an error what could not be checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from gradcheck.model.report import ExitCode, Report
from gradcheck.record import dataclass
from gradcheck.reporters.escape import clean, in_xml
from gradcheck.reporters.messages import (
    INTERRUPTED,
    Message,
    case_message,
    finding_message,
    problem_message,
    tensor_name,
)
from gradcheck.reporters.view import CaseView, view


@dataclass(frozen=True, slots=True)
class _Test:
    """suite : the case file; message : what is not as expected, None where all is"""

    suite: str
    name: str
    message: Message | None
    seconds: float = 0.0


def render_junit(report: Report, exit_code: ExitCode | None = None) -> str:
    """The file; ends with a newline. Everything but times is the same on every run.

    exit_code : what the process will exit with, where that is not the report's own. An interrupted run is one more
        error: without it, the tests that are there could all be right
    """
    suites: dict[str, list[_Test]] = {}
    tests = list(_tests(report))
    if exit_code is ExitCode.INTERRUPTED:
        message = Message(INTERRUPTED, "broken", "interrupted", (), "gradcheck", 1)
        tests.append(_Test("gradcheck", "the whole run", message))
    for test in tests:
        suites.setdefault(test.suite, []).append(test)
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f'<testsuites name="gradcheck" {_counts(tests)}>']
    for name, members in suites.items():
        lines += _suite(name, members)
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _tests(report: Report) -> Iterator[_Test]:
    for problem in report.problems:
        message = problem_message(problem)
        yield _Test(message.file, f"{message.line}:{problem.location.column}", message)
    for views in view(report):
        for shown in views:
            yield from _of_case(shown)


def _of_case(shown: CaseView) -> Iterator[_Test]:
    """One for each finding; one more where the case itself has something to say, or nothing else speaks for it."""
    case = shown.case
    own = case_message(shown)
    findings = (*shown.shown, *shown.rest)
    seconds = case.seconds / (len(findings) + (own is not None) or 1)  # nobody measures a tensor by itself
    if own is not None or not findings:
        yield _Test(case.file, shown.label, None if case.as_expected else own, seconds)
    for finding in findings:
        message = finding_message(shown, finding) if finding in shown.shown else None
        yield _Test(case.file, f"{shown.label}: {tensor_name(shown, finding)}", message, seconds)


def _suite(name: str, tests: Sequence[_Test]) -> Iterator[str]:
    yield f'  <testsuite name="{in_xml(name)}" {_counts(tests)} skipped="0">'
    used: Counter[str] = Counter()
    for test in tests:
        used[test.name] += 1
        # Of two test cases of one name GitLab keeps only the first.
        unique = test.name if used[test.name] == 1 else f"{test.name} #{used[test.name]}"
        head = f'classname="{in_xml(_class_name(name))}" name="{in_xml(unique)}" time="{test.seconds:.3f}"'
        if test.message is None:
            yield f"    <testcase {head}/>"
            continue
        tag, said = _tag(test), test.message
        text = "\n".join(in_xml(clean(line)) for line in (said.title, *said.lines, f"{said.file}:{said.line}"))
        yield f"    <testcase {head}>"
        yield f'      <{tag} type="{in_xml(said.kind)}" message="{in_xml(said.title)}">{text}</{tag}>'
        yield "    </testcase>"
    yield "  </testsuite>"


def _class_name(file: str) -> str:
    """`cases/linear.yaml` → `cases.linear`, which viewers fold into a tree."""
    stem = file.rpartition(".")[0] or file
    return stem.replace("\\", "/").strip("./").replace("/", ".")


def _tag(test: _Test) -> str:
    return "" if test.message is None else "error" if test.message.gravity == "broken" else "failure"


def _counts(tests: Sequence[_Test]) -> str:
    tags = [_tag(test) for test in tests]
    seconds = sum(test.seconds for test in tests)
    return f'tests="{len(tags)}" failures="{tags.count("failure")}" errors="{tags.count("error")}" time="{seconds:.3f}"'

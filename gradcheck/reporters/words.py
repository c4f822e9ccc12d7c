"""The sentences of a report: what is wrong, where, by how much, why, and the summary.

Plain text in pieces; lines, columns and colours are the business of the formats that use them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from gradcheck.model.case import Verdict
from gradcheck.model.problem import Source
from gradcheck.model.report import CaseError, CaseResult, Diagnosis, Finding, Report
from gradcheck.reporters.numbers import brief, element, grouped, pair, plural, shape_text
from gradcheck.reporters.symbols import Symbols
from gradcheck.reporters.view import expected_verdict, outcome_counts
from gradcheck.verdict.aggregate import PRECEDENCE

_SOURCES: dict[Source, str] = {"expected": "the case file", "formula": "the formula"}
_CAME: dict[Verdict, str] = {"fail": "fails"}
_UNDECIDED: tuple[Verdict, ...] = ("inconclusive", "vacuous")
_STATES: dict[Verdict, str] = {"error": "broken", "kink": "at a kink"}


def verdict_words(case: CaseResult) -> str:
    """`fail`; `fails as expected`; `pass, not fail` where something else was expected."""
    return _compared(case.verdict, expected_verdict(case), not case.as_expected)


def coverage_words(case: CaseResult) -> str:
    """`, probed`, behind the verdict of a case whose elements were not all measured by themselves."""
    return "" if case.coverage == "all" else f", {case.coverage}"


def finding_verdict_words(case: CaseResult, finding: Finding, is_surprising: bool) -> str:
    """The same for one finding."""
    return _compared(finding.verdict, expected_verdict(case, finding.tensor), is_surprising)


def element_count(finding: Finding) -> str:
    """`12 of 12 elements differ`; nothing for a scalar, a pass, or where no element was compared."""
    is_fail = finding.verdict == "fail"
    count = finding.wrong if is_fail else finding.counts.get(finding.verdict, 0)
    judged_together = is_fail and finding.worst is None
    if not finding.shape or not count or finding.verdict == "pass" or judged_together:
        return ""
    state = ("differs" if count == 1 else "differ") if is_fail else _STATES.get(finding.verdict, finding.verdict)
    noun = "element" if finding.coverage == "all" else "measured element"
    return f"{grouped(count)} of {plural(finding.checked, noun)} {state}"


def about_finding(finding: Finding) -> tuple[str, ...]:
    """`W1`, `shape (3, 4)`, `12 of 12 elements differ`: the head of a finding's paragraph, behind the case's name."""
    shape = f"shape {shape_text(finding.shape)}" if finding.shape else ""
    return tuple(part for part in (finding.tensor, shape, element_count(finding)) if part)


def worst_sentence(finding: Finding, symbols: Symbols) -> tuple[str, ...]:
    """`worst at W1[0, 2]: backward claims 0.4127, numeric …, relative error …`, in pieces for lines of their own.

    No pieces where no element was compared.
    """
    worst = finding.worst
    if worst is None:
        return ()
    claimed, numeric = pair(worst.claimed, worst.numeric, worst.relative_error)
    place = f"{'worst at' if finding.shape else 'at'} {element(finding.tensor, worst.index)}"
    limit = f" (limit {brief(finding.limit)})" if finding.limit is not None else ""
    return (
        f"{place}: {_SOURCES.get(finding.claim, finding.claim)} claims {claimed}, ",
        f"numeric {numeric} {symbols.plus_minus} {brief(worst.bound)}, ",
        f"relative error {brief(worst.relative_error)}{limit}",
    )


def diagnosis_sentence(diagnosis: Diagnosis, *, advice: bool = True) -> str:
    """`likely: a factor 2 is lost (square_backward, layers.py:12). Next: …`.

    Which combinations and which elements are wrong was measured, not only likely.

    advice : with the next step
    """
    said = diagnosis.text if diagnosis.kind in ("combination", "pattern") else f"likely: {diagnosis.text}"
    place = f" ({diagnosis.place})" if diagnosis.place else ""
    return said + place + (f". Next: {diagnosis.advice}" if advice and diagnosis.advice else "")


def variant_words(count: int) -> str:
    """`, and 7 variants`, behind a verdict."""
    return f", and {plural(count, 'variant')}" if count else ""


def error_sentence(error: CaseError) -> str:
    """`your code raised ZeroDivisionError: division by zero in forward at x + h, layers.py:41`."""
    where = re.fullmatch(r"(.*) \(forward at (x|x \+ h)\)", error.text, re.DOTALL)
    if where is not None:
        error = replace(error, text=where[1])
    phase = error.during if where is None or where[2] == "x" else f"{error.during} at {where[2]}"
    place = "" if error.file is None else error.file if error.line is None else f"{error.file}:{error.line}"
    if error.kind == "raised":
        during = "when it was loaded" if error.during == "load" else f"in {phase}"
        return f"your code raised {error.text} {during}" + (f", {place}" if place else "")
    text = f"your code is not finished: {error.text}" if error.kind == "unfinished" else error.text
    known = [part for part in (f"in {phase}" if error.during != "load" else "", place) if part]
    return f"{text} ({', '.join(known)})" if known else text


def unmet_sentences(case: CaseResult, shown: tuple[Finding, ...]) -> Iterator[str]:
    """What was expected and did not come; nothing where all that was expected is that gradients are right."""
    if case.as_expected:
        return
    if case.expect.verdict is not None and case.expect.verdict != case.verdict:
        yield f"expected {case.expect.verdict}, got {case.verdict}"
    for tensor, wanted in case.expect.tensors.items():
        came = [finding.verdict for finding in shown if finding.tensor == tensor]
        if came:
            yield f"expected {wanted} for {tensor}, got {came[0]}"
        elif all(finding.tensor != tensor for finding in case.findings) and case.error is None:
            yield f"expected {wanted} for {tensor}, but nothing was claimed about it"


def summary_lines(report: Report, symbols: Symbols) -> tuple[list[str], list[str]]:
    """`28 cases: 2 fail, 24 pass, 2 fail as expected` and resolution, evaluations and seconds, each in pieces."""
    costs = list(_cost(report))
    return _outcome(report), [f"{cost} {symbols.dot} " for cost in costs[:-1]] + costs[-1:]


def _compared(came: Verdict, wanted: Verdict, is_surprising: bool) -> str:
    """What came, beside what was wanted where that was not a pass."""
    if wanted == "pass":
        return came
    if came == wanted:
        return f"{_CAME.get(came, came)} as expected"
    return f"{came}, not {wanted}" if is_surprising else came


def _outcome(report: Report) -> list[str]:
    undecided = [case for case in report.cases if case.variant and case.as_expected and case.verdict in _UNDECIDED]
    counts = outcome_counts(report)
    counts.subtract((case.verdict, True) for case in undecided)  # nobody expected them to be
    order = [(verdict, False) for verdict in PRECEDENCE] + [(verdict, True) for verdict in reversed(PRECEDENCE)]
    parts = [f"{grouped(counts[key])} {_tally_words(*key, counts[key])}" for key in order if counts[key]]
    if undecided:
        parts.append(plural(len(undecided), "undecided variant"))
    if report.problems:
        parts.append(f"{plural(len(report.problems), 'problem')} in case files")
    head = f"{plural(len(report.cases), 'case')}: " if report.cases else ""
    return [head, *(f"{part}, " for part in parts[:-1]), *parts[-1:]] if parts else ["no cases"]


def _tally_words(verdict: Verdict, as_expected: bool, number: int) -> str:
    """The words of the table, so that they can be searched for there."""
    if verdict == "pass":
        return "pass" if as_expected else "pass unexpectedly"
    word = f"{verdict}s" if verdict in ("error", "kink") and number > 1 else verdict
    return f"{word} as expected" if as_expected and verdict != "kink" else word


def _cost(report: Report) -> Iterator[str]:
    # A variant may be coarse (float32): whatever it finds comes on top of what the case as written could miss.
    passed = [case for case in report.cases if case.verdict == "pass" and not case.variant]
    known = [case.resolution for case in passed if case.resolution is not None]
    if known:
        yield f"could have missed at most {brief(max(known))}"
    yield plural(sum(case.evaluations for case in report.cases), "evaluation")
    yield f"{sum(case.seconds for case in report.cases):.2f} s"

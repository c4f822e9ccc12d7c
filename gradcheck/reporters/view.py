"""What a report shows and in which order: labels of cases, worst first, what was expected and what was not.

Pure projections of a Report for every format that people read; nothing here judges, measures or draws.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from gradcheck.model.case import Verdict
from gradcheck.model.report import CaseResult, Finding, HeatMap, Report, StepCurve
from gradcheck.record import dataclass
from gradcheck.reporters.escape import clean
from gradcheck.verdict.aggregate import PRECEDENCE

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case as it is shown.

    label : its name, with the sizes and options that tell it from its siblings of a sweep
    shown : the findings that are not as expected, worst first
    rest : all its other findings, in the report's order
    variants : how many stress variants of it are right
    """

    label: str
    case: CaseResult
    shown: tuple[Finding, ...]
    rest: tuple[Finding, ...]
    variants: int = 0

    @property
    def tensors(self) -> int:
        return len({finding.tensor for finding in self.case.findings})

    @property
    def says_more(self) -> bool:
        """Whether it tells what no other line does: a variant that is right does not, nor a mistake that a smaller
        combination shows."""
        if self.case.as_expected:
            return not self.case.variant
        return self.case.smallest or any(finding.verdict != "fail" for finding in self.shown)


def view(report: Report, encoding: str = "utf-8") -> tuple[list[CaseView], list[CaseView]]:
    """The cases that are not as expected, worst first, and the others in file order; every text is safe to show."""
    safe = cleaned(replace(report, cases=tuple(map(_in_one_line, report.cases))), encoding)
    views = [
        _case_view(label, case, report.strict) for label, case in zip(_labels(safe.cases), safe.cases, strict=True)
    ]
    views = _with_variants(views)
    unexpected = sorted((v for v in views if not v.case.as_expected), key=_badness)
    return unexpected, [v for v in views if v.case.as_expected]


def cleaned(value: T, encoding: str = "utf-8") -> T:
    """A copy of a frozen value in which every text is safe to show: no renderer can forget one."""
    result: Any = value
    if isinstance(value, str):
        result = clean(value, encoding)
    elif isinstance(value, HeatMap | StepCurve):
        pass  # thousands of numbers and no text
    elif is_dataclass(value) and not isinstance(value, type):
        result = replace(value, **{f.name: cleaned(getattr(value, f.name), encoding) for f in fields(value)})
    elif isinstance(value, tuple):
        result = tuple(cleaned(item, encoding) for item in value)
    elif isinstance(value, list):
        result = [cleaned(item, encoding) for item in value]
    elif isinstance(value, Mapping):
        result = {cleaned(k, encoding): cleaned(v, encoding) for k, v in value.items()}
    return result  # type: ignore[no-any-return]  # the same type, rebuilt


def expected_verdict(case: CaseResult, tensor: str | None = None) -> Verdict:
    """What the author said would come out: for the case, or for one tensor."""
    if case.expect.verdict is not None:
        return case.expect.verdict
    if tensor is None:
        return min((v for v in case.expect.tensors.values()), key=PRECEDENCE.index, default="pass")
    return case.expect.tensors.get(tensor, "pass")


def worst_of(findings: tuple[Finding, ...]) -> Verdict:
    """The gravest verdict among them; `pass` where there are none."""
    return min((finding.verdict for finding in findings), key=PRECEDENCE.index, default="pass")


def _in_one_line(case: CaseResult) -> CaseResult:
    """The lesson of a case without the line breaks of its file; those mean nothing."""
    return case if case.why is None else replace(case, why=" ".join(case.why.split()))


def _case_view(label: str, case: CaseResult, strict: bool) -> CaseView:
    surprising = [] if case.as_expected else [f for f in case.findings if _is_surprising(case, f, strict)]
    rest = tuple(f for f in case.findings if f not in surprising)
    return CaseView(label, case, tuple(sorted(surprising, key=_finding_badness)), rest)


def _is_surprising(case: CaseResult, finding: Finding, strict: bool) -> bool:
    """Whether a finding is a reason why its case is not as expected."""
    accepted: set[Verdict] = {"pass"} if strict else {"pass", "kink"}
    if case.expect.verdict is not None:
        return finding.verdict not in accepted | {case.expect.verdict}
    wanted = case.expect.tensors.get(finding.tensor)
    if wanted is None:
        return finding.verdict not in accepted
    # Several claims about a tensor count together: the gravest of their verdicts is the one that was expected.
    came = worst_of(tuple(f for f in case.findings if f.tensor == finding.tensor))
    return came != wanted and finding.verdict == came


def _with_variants(views: list[CaseView]) -> list[CaseView]:
    """The views, each with the number of right variants that follow it."""
    counts: list[int] = []
    written = 0
    for number, v in enumerate(views):
        counts.append(0)
        if not v.case.variant:
            written = number
        elif v.case.verdict in ("pass", "kink"):
            counts[written] += 1
    return [replace(v, variants=count) if count else v for v, count in zip(views, counts, strict=True)]


def _labels(cases: tuple[CaseResult, ...]) -> list[str]:
    """Names; where several cases of a file share one, what differs between them stands behind it, and its variant."""
    families: dict[tuple[str, str], list[CaseResult]] = {}
    for case in cases:
        families.setdefault((case.file, case.name), []).append(case)
    return [_label(case, families[case.file, case.name]) for case in cases]


def _label(case: CaseResult, family: list[CaseResult]) -> str:
    def values(member: CaseResult) -> dict[str, str]:
        return {name: str(value) for name, value in (*member.sizes.items(), *member.options.items())}

    seen = [values(member) for member in family if not member.variant]
    told = [f"{name}={value}" for name, value in values(case).items() if len({other.get(name) for other in seen}) > 1]
    told += [case.variant] if case.variant else []
    return f"{case.name} [{', '.join(told)}]" if told else case.name


def _badness(shown: CaseView) -> tuple[float, float]:
    case = shown.case
    gravest = case.verdict if case.error is not None or not shown.shown else worst_of(shown.shown)
    # A pass that should not be one is as wrong as a fail, and comes right behind them.
    rank = PRECEDENCE.index("fail" if gravest == "pass" else gravest) + (0.5 if gravest == "pass" else 0.0)
    return rank, min((_finding_badness(finding)[1] for finding in shown.shown), default=0.0)


def _finding_badness(finding: Finding) -> tuple[int, float]:
    """Sorts first what is worst; nothing comparable and NaN count as infinitely wrong."""
    error = finding.worst.relative_error if finding.worst is not None else math.inf
    return PRECEDENCE.index(finding.verdict), -math.inf if math.isnan(error) else -error


def note_lines(views: Sequence[CaseView]) -> list[tuple[str, str]]:
    """Every note once, in the order of first appearance, with whom it is about: (`affine, w`, `…`)."""
    about: dict[str, list[str]] = {}
    for v in views:
        for text in v.case.notes:
            about.setdefault(text, []).append(v.label)
        for finding in v.case.findings:
            for text in finding.notes:
                about.setdefault(text, []).append(f"{v.label}, {finding.tensor}")
    return [(_some(list(dict.fromkeys(who))), text) for text, who in about.items()]


def _some(names: list[str], most: int = 3) -> str:
    """A list of names, cut to its beginning."""
    return "; ".join(names[:most]) + (f"; and {len(names) - most} more" if len(names) > most else "")


def outcome_counts(report: Report) -> Counter[tuple[Verdict, bool]]:
    """(verdict, as expected) → cases."""
    return Counter((case.verdict, case.as_expected) for case in report.cases)

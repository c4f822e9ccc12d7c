"""The combinations of a case on their way through a run: variants are made ready, or refused where they do not apply.

What a variant changes is said in `casefile.vary`, what the results say together in `verdict.combinations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from gradcheck.checking.settings import Settings
from gradcheck.model.case import Case, FunctionBody, NetworkBody
from gradcheck.model.report import CaseError, CaseResult, FileProblem

Checked = CaseResult | tuple[FileProblem, ...]


def families(cases: Iterable[Case]) -> Iterator[tuple[Case, ...]]:
    """The cases in their order, those together that were written as one."""
    for _, members in groupby(cases, key=lambda case: (case.location, case.name)):
        yield tuple(members)


class Family:
    """What is known so far about the combinations of one case."""

    def __init__(self) -> None:
        self._results: list[CaseResult] = []
        self._written = -1  # the result whose variants are being checked; -1 where it is broken
        self._seen: list[object] = []

    def prepare(self, case: Case) -> Case | None:
        """The case as it is to be checked; None for a variant that does not apply, which becomes a note."""
        if case.variant is None:
            self._written = -1
            self._seen.append((case.sizes, case.options))
            return case
        if self._written < 0:
            return None
        from gradcheck.casefile.vary import NotApplicableError, realised  # read only where something varies
        from gradcheck.errors import NotationError

        try:
            ready = realised(case, indices(case))
        except (NotApplicableError, NotationError) as error:
            self._note(f"vary: {case.variant.name} does not apply: {error.message}")
            return None
        variant = ready.variant
        assert variant is not None
        only_sizes = not variant.cuts and not variant.tensors and ready.sizes != case.sizes
        if only_sizes and (ready.sizes, ready.options) in self._seen:
            self._note(f"vary: {variant.name} is the combination {variant.about}, which is checked anyway")
            return None
        if only_sizes:
            self._seen.append((ready.sizes, ready.options))
        if case.expected:
            self._note(
                "the variants are checked without the numbers under 'expected', which hold for the case as written"
            )
        return ready

    def add(self, case: Case, checked: Checked) -> CaseResult | None:
        """Take in the outcome of a case; None where there is none to report."""
        if case.variant is None:
            if not isinstance(checked, CaseResult):
                return None
            self._results.append(checked)
            if checked.error is None:
                self._written = len(self._results) - 1
            elif case.vary:
                self._results[-1] = replace(checked, notes=(*checked.notes, "its variants wait until the case runs"))
            return checked
        refusal = _refusal(checked)
        if refusal or not isinstance(checked, CaseResult):
            self._note(f"vary: {case.variant.name} does not apply: {refusal}")
            return None
        self._results.append(checked)
        undecided = [finding for finding in checked.findings if finding.verdict in ("inconclusive", "vacuous")]
        if undecided:
            tensors = ", ".join(dict.fromkeys(finding.tensor for finding in undecided))
            self._note(f"vary: {case.variant.name} decides nothing about {tensors}: {undecided[0].reason}")
        return checked

    def join(self, other: Family) -> None:
        """Take in what another one knows about later combinations of the same case; none of them has variants."""
        self._results += other._results

    def results(self) -> tuple[CaseResult, ...]:
        """All results, with what they say together."""
        if len(self._results) < 2:
            return tuple(self._results)
        from gradcheck.verdict.combinations import combined

        return combined(self._results)

    def _note(self, text: str) -> None:
        result = self._results[self._written]
        if text not in result.notes:
            self._results[self._written] = replace(result, notes=(*result.notes, text))


def check_family(
    family: Family,
    cases: Iterable[Case],
    settings: Settings,
    problems: list[FileProblem],
    check: Callable[[Case], Checked],
) -> bool:
    """Check the combinations and variants of one case; whether anything came out that was not expected.

    check : `check_case`, here or elsewhere
    """
    is_surprising = False
    for case in cases:
        ready = family.prepare(case if settings.seed is None else replace(case, seed=settings.seed))
        if ready is None:
            continue
        checked = check(ready)
        result = family.add(ready, checked)
        if not isinstance(checked, CaseResult) and ready.variant is None:
            problems.extend(checked)
            is_surprising = True
        is_surprising |= result is not None and not result.as_expected
        if is_surprising and settings.exit_first:
            break
    return is_surprising


def _refusal(checked: Checked) -> str:
    """Why a variant is no configuration of the case: its forward does not take the arrays, or has no value there.

    What backward does with arrays that forward took is backward's own business: there an error stays an error.
    """
    if not isinstance(checked, CaseResult):
        return checked[0].message
    error = checked.error
    if error is None or error.during == "backward" or error.kind in ("timeout", "nondeterministic"):
        return ""
    return f"{'your code raised ' if error.kind == 'raised' else ''}{error.text}{_place(error)}"


def _place(error: CaseError) -> str:
    if error.file is None:
        return ""
    return f", {error.file}" if error.line is None else f", {error.file}:{error.line}"


def indices(case: Case) -> frozenset[str]:
    """The names whose arrays a function or a network needs as whole numbers."""
    if isinstance(case.body, NetworkBody):
        from gradcheck.checking.building.drawing import numbers_of
        from gradcheck.graph.network import takes_whole
        from gradcheck.graph.plan import read_plan

        whole_x = takes_whole(read_plan(case.body, numbers_of(case)))
        return frozenset({"x", "target"} if whole_x else {"target"})
    if not isinstance(case.body, FunctionBody):
        return frozenset()
    from gradcheck.graph.expression import index_names

    return index_names(case.body.text)

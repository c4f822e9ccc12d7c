"""What the combinations of one case say together: from where on it is wrong, and which is the smallest that shows it.

Pure functions over finished results; nothing is compared with a limit again.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from gradcheck.model.case import Expect, Verdict
from gradcheck.model.report import CaseError, CaseResult, Diagnosis, Finding
from gradcheck.record import dataclass

KIND = "combination"  # of the diagnosis
UNDECIDED: frozenset[Verdict] = frozenset(("inconclusive", "vacuous"))
FINE: frozenset[Verdict] = frozenset(("pass", "kink"))
Subject = tuple[str, ...]  # what is right or wrong: a claim about a tensor, or a way of breaking


def as_expected_of_variant(
    name: str, expect: Expect, findings: Sequence[Finding], error: CaseError | None, strict: bool
) -> bool:
    """Whether a stress variant came out well: it passes, or does what the author announced for the case.

    A variant is a point of our choosing. What cannot be decided there (saturated, noisy) is no reason to doubt the
    case; only `strict` counts it as wrong. Kinks are what `ties` is for.
    """
    if error is not None:
        return False
    allowed: set[Verdict] = {"pass"} if strict else {*FINE, *UNDECIDED}
    if name == "ties":
        allowed.add("kink")
    announced = {f.tensor: expect.verdict or expect.tensors.get(f.tensor, "pass") for f in findings}
    return all(f.verdict in allowed or f.verdict == announced[f.tensor] for f in findings)


def combined(results: Sequence[CaseResult]) -> tuple[CaseResult, ...]:
    """The results of one case, all its combinations and variants, with what can be said of them together.

    Every failing finding gets a diagnosis ("right for N = 1, wrong from N = 2 on"), every error a note; a result is
    marked as not the smallest where all that is wrong with it is wrong in a smaller one, too.
    """
    if len(results) < 2:
        return tuple(results)
    grid = _Grid.of(results)
    breaking = replace(grid, right="runs", wrong="breaks")
    outcomes = {subject: [_is_wrong(result, subject) for result in results] for subject in _subjects(results)}
    said = {
        subject: _described(breaking if subject[0] == "error" else grid, outcome)
        for subject, outcome in outcomes.items()
    }
    smallest = {
        subject: min((i for i, wrong in enumerate(outcome) if wrong), key=grid.rank)
        for subject, outcome in outcomes.items()
    }
    made = []
    for i, result in enumerate(results):
        wrong = [subject for subject, outcome in outcomes.items() if outcome[i]]
        findings = tuple(_with_diagnosis(f, said.get((f.claim, f.tensor), "")) for f in result.findings)
        notes = [said[subject] for subject in wrong if subject[0] == "error" and said[subject]]
        made.append(
            replace(
                result,
                findings=findings,
                notes=(*result.notes, *notes),
                smallest=not wrong or any(smallest[subject] == i for subject in wrong),
            )
        )
    return tuple(made)


def _subjects(results: Sequence[CaseResult]) -> dict[Subject, None]:
    """Everything that is wrong somewhere."""
    found: dict[Subject, None] = {}
    for result in results:
        if result.error is not None:
            found[_breaking(result.error)] = None
        found.update({(f.claim, f.tensor): None for f in result.findings if f.verdict == "fail"})
    return found


def _breaking(error: CaseError) -> Subject:
    return ("error", error.kind, error.during, str(error.file), str(error.line))


def _is_wrong(result: CaseResult, subject: Subject) -> bool | None:
    """None where the result says nothing about it: undecided, broken, or another claim."""
    if result.error is not None:
        return True if _breaking(result.error) == subject else None
    if subject[0] == "error":
        return False
    words = {f.verdict for f in result.findings if (f.claim, f.tensor) == subject}
    return True if "fail" in words else False if words and words <= FINE else None


def _with_diagnosis(finding: Finding, text: str) -> Finding:
    if finding.verdict != "fail" or not text:
        return finding
    return replace(finding, diagnosis=(*finding.diagnosis, Diagnosis(KIND, text)))


@dataclass(frozen=True, slots=True)
class _Grid:
    """The combinations: what each stands for, and how the values of a name are ordered.

    points : for every result the swept names with their values, as texts that can be compared
    order : name → its values, numbers by size, others as they come in the file
    numbers : name → text → value, of the names whose values are numbers
    variants, about : for every result its stress variant and what that changes, "" for the case as written
    right, wrong : the words for the two outcomes
    """

    points: Sequence[Mapping[str, str]]
    order: Mapping[str, Sequence[str]]
    numbers: Mapping[str, Mapping[str, float]]
    variants: Sequence[str]
    about: Sequence[str]
    right: str = "right"
    wrong: str = "wrong"

    @classmethod
    def of(cls, results: Sequence[CaseResult]) -> _Grid:
        points: list[dict[str, str]] = []
        values: dict[str, dict[str, Any]] = {}
        for result in results:
            bound = {**result.options, **result.sizes}
            point = {name: bound[name] for name in result.swept}
            points.append({name: _shown(value) for name, value in point.items()})
            if not result.variant:
                for name, value in point.items():
                    values.setdefault(name, {})[_shown(value)] = value
        numbers = {name: found for name, found in values.items() if all(_is_number(v) for v in found.values())}
        order = {
            name: sorted(found, key=found.__getitem__) if name in numbers else list(found)
            for name, found in values.items()
        }
        return cls(points, order, numbers, [result.variant for result in results], [r.varied for r in results])

    @property
    def written(self) -> list[int]:
        """The combinations of the case as written."""
        return [i for i, variant in enumerate(self.variants) if not variant]

    def rank(self, i: int) -> tuple[bool, int, list[int], int]:
        """Sorts the smaller combination first; the case as written comes before its variants."""
        point = self.points[i]
        ranks = [values.index(point[name]) if point[name] in values else 0 for name, values in self.order.items()]
        return bool(self.variants[i]), sum(ranks), ranks, i


def _described(grid: _Grid, outcome: Sequence[bool | None]) -> str:
    """Where something is wrong and where it is right, in words; "" where it is simply wrong."""
    written = grid.written
    bad, good = [i for i in written if outcome[i]], [i for i in written if outcome[i] is False]
    if bad and good:
        return _boundary(grid, bad, good)
    everywhere = "as written" if len(written) == 1 else f"in all {len(written)} combinations"
    told = ", ".join(_variants(grid, outcome, wanted=not bad))
    if bad:
        return f"{grid.wrong} {everywhere}" + (f", {grid.right} with vary: {told}" if told else "")
    return f"{grid.right} {everywhere}, {grid.wrong} with vary: {told}" if good else ""


def _variants(grid: _Grid, outcome: Sequence[bool | None], *, wanted: bool) -> Iterator[str]:
    """The stress variants with that outcome, each once: wrong anywhere, or right wherever it was tried."""
    for name in dict.fromkeys(filter(None, grid.variants)):
        members = [i for i, variant in enumerate(grid.variants) if variant == name]
        met = [i for i in members if outcome[i] is wanted]
        if met and (wanted or len(met) == len(members)):
            about = grid.about[min(met, key=grid.rank)]
            yield f"{name} ({about})" if about else name


def _boundary(grid: _Grid, bad: Sequence[int], good: Sequence[int]) -> str:
    """What tells the wrong combinations from the right ones: a few names, how two of them compare, or nothing."""
    names = list(grid.order)
    values = {name: {grid.points[i][name] for i in bad} for name in names}
    boxes = (
        chosen
        for count in range(1, len(names) + 1)
        for chosen in combinations(names, count)
        if not any(all(grid.points[i][name] in values[name] for name in chosen) for i in good)
    )
    chosen = next(boxes, ())
    if len(chosen) == 1:
        return _of_one(grid, chosen[0], values[chosen[0]], {grid.points[i][chosen[0]] for i in good})
    if relation := _relation(grid, bad, good):
        return f"{grid.wrong} wherever {relation}, {grid.right} elsewhere"
    if chosen:
        first, *others = (_values(grid, name, values[name], grid.order[name]) for name in chosen)
        told = " and ".join([first, *(text.removeprefix("for ") for text in others)])
        return f"{grid.wrong} {told}, {grid.right} elsewhere"
    smallest = grid.points[min(bad, key=grid.rank)]
    point = ", ".join(f"{name} = {value}" for name, value in smallest.items())
    return f"{grid.wrong} in {len(bad)} of {len(bad) + len(good)} combinations, the smallest: {point}"


def _relation(grid: _Grid, bad: Sequence[int], good: Sequence[int]) -> str:
    """`stride < size`: two names that always compare so where it is wrong and never where it is right; or ""."""
    for one, other in combinations(grid.numbers, 2):
        for left, right in ((one, other), (other, one)):

            def holds(i: int, compare: Callable[[float, float], bool], a: str = left, b: str = right) -> bool:
                return compare(grid.numbers[a][grid.points[i][a]], grid.numbers[b][grid.points[i][b]])

            for sign, compare in _COMPARISONS.items():
                if all(holds(i, compare) for i in bad) and not any(holds(i, compare) for i in good):
                    return f"{left} {sign} {right}"
    return ""


def _of_one(grid: _Grid, name: str, bad: set[str], good: set[str]) -> str:
    """`right for N = 1, wrong from N = 2 on`: the side that the numbers begin with comes first."""
    tried = [value for value in grid.order[name] if value in bad | good]
    parts = [f"{grid.right} {_values(grid, name, good, tried)}", f"{grid.wrong} {_values(grid, name, bad, tried)}"]
    return ", ".join(reversed(parts) if name in grid.numbers and tried[0] in bad else parts)


def _values(grid: _Grid, name: str, values: set[str], tried: Sequence[str]) -> str:
    """`for N = 1`, `for N = 1, 2`, `from N = 2 on`, `up to N = 4`: the last two for runs of numbers."""
    chosen = [value for value in tried if value in values]
    is_run = name in grid.numbers and 1 < len(chosen) < len(tried)
    if is_run and chosen == list(tried[-len(chosen) :]):
        return f"from {name} = {chosen[0]} on"
    if is_run and len(chosen) > 2 and chosen == list(tried[: len(chosen)]):
        return f"up to {name} = {chosen[-1]}"
    return f"for {name} = {', '.join(chosen)}"


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "≤": operator.le, "=": operator.eq, "≠": operator.ne,
}  # fmt: skip


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

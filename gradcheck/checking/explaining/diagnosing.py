"""What a failing finding looks like: the rules are asked, and what they say is put into the findings.

The rules are `verdict.diagnose`'s, their evidence is gathered in `gathering.py`. Read only where something fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from gradcheck.checking.building.drawing import Built
from gradcheck.checking.deadline import deadline
from gradcheck.checking.examine import Examination, examine
from gradcheck.checking.explaining.gathering import Gathered, Laws
from gradcheck.checking.explaining.repairing import Repair, functions_of, repairs
from gradcheck.checking.explaining.wrong_layers import wrong_layers
from gradcheck.checking.laws import broken_laws
from gradcheck.errors import GradcheckError, UserCodeError
from gradcheck.handwritten.line_limit import Lines, TooManyLinesError, is_free
from gradcheck.handwritten.live_functions import Ran
from gradcheck.model.case import Case, CodeBody
from gradcheck.model.problem import Source
from gradcheck.model.report import Diagnosis, Finding, HeatMap
from gradcheck.verdict.compare import Word
from gradcheck.verdict.diagnose import Evidence, Suspicion, diagnose, repaired
from gradcheck.verdict.diagnose.kinds import KINDS

MOST_SHOWN = 4096  # elements that a picture is kept of
MOST_NUMBERS = 5_000  # in all tensors together, up to which a case is run again with other sizes
MOST_LINES = 2_000_000  # of somebody's files in such a run
TRIALS = 2  # such runs for one point


def diagnosed(
    case: Case,
    built: Built,
    examination: Examination,
    findings: Sequence[Finding],
    laws: Laws,
    build_again: Callable[[Case], Built] | None = None,
) -> list[Finding]:
    """The findings, those that fail with what they look like.

    laws : source → tensor → the law of linearity that its gradient breaks
    build_again : makes the problem of the case with other sizes or options; None where there is no other
    """
    findings = [_with_heat(f, examination) for f in findings]
    layers = _of_layers(case, built)
    if layers:
        return [
            replace(f, diagnosis=(*layers, *f.diagnosis)) if f.verdict == "fail" and f.claim == "backprop" else f
            for f in findings
        ]
    gathered = Gathered(case, built, examination, laws)
    mending, again = _Mending(case, built, gathered), _Again(case, build_again)
    made = []
    for finding in findings:
        said: tuple[Diagnosis, ...] = ()
        if finding.verdict == "fail" and finding.tensor in built.problem.wrt:
            evidence = gathered.evidence(finding.claim, finding.tensor)
            if evidence is not None:
                mended, tried = partial(mending.of, finding), partial(again.evidence, finding)
                said = diagnose(evidence, mended, tried)
        if said and finding.claim == "backward":
            said = (replace(said[0], place=said[0].place or mending.place()), *said[1:])
        made.append(replace(finding, diagnosis=(*said, *finding.diagnosis)) if said else finding)
    return made


def _with_heat(finding: Finding, examination: Examination) -> Finding:
    """A failing finding with the error of each of its elements, where a person could look at them."""
    for subject, estimate in examination.compared:
        is_meant = (subject.claim.source, subject.tensor) == (finding.claim, finding.tensor)
        if finding.verdict == "fail" and is_meant and 1 < subject.claimed.size <= MOST_SHOWN:
            words, errors = subject.comparison.words.reshape(-1), subject.comparison.relative_error.reshape(-1)
            wrong = tuple(None if w == Word.INCONCLUSIVE else bool(w == Word.FAIL) for w in words)
            numbers = (tuple(a.reshape(-1).astype(float).tolist()) for a in (subject.claimed, estimate.value))
            heat = HeatMap(subject.claimed.shape, tuple(float(error) for error in errors), wrong, *numbers)
            return replace(finding, heat=heat) if True in wrong else finding
    return finding


def _of_layers(case: Case, built: Built) -> tuple[Diagnosis, ...]:
    """Which handwritten layer of a network is wrong by itself, and what its mistake looks like."""
    said: list[Diagnosis] = []
    for layer in wrong_layers(case, built.problem)[:1]:
        text = "the backward of one layer is wrong by itself; what lies before it only passes the mistake on"
        said.append(Diagnosis("layer", text, f"layer {layer.number}, {layer.text}"))
        laws: dict[Source, Mapping[str, str]] = {"backward": broken_laws(layer.problem, layer.problem.claims[0])}
        gathered = Gathered(case, Built(layer.problem), layer.examination, laws)
        evidence = gathered.evidence("backward", "x")
        found = () if evidence is None else diagnose(evidence)[:1]
        said += found or (replace(said.pop(), advice=KINDS["layer"].advice),)
    return tuple(said)


class _Mending:
    """What edits of the code make right, found out once for all tensors, within the time limit of the case."""

    def __init__(self, case: Case, built: Built, gathered: Gathered) -> None:
        self._case, self._built, self._gathered = case, built, gathered
        self._found: list[Repair] | None = None
        self._seen: Ran | None = None

    def of(self, finding: Finding) -> list[Suspicion]:
        """The edits that make a tensor right, as suspicions."""
        if self._built.code is None or finding.claim != "backward":
            return []
        if self._found is None:
            compared = self._gathered.compared("backward", *self._built.problem.wrt)
            self._found = []
            with suppress(UserCodeError), deadline(self._case.timeout, Path(self._case.directory)):
                self._found = repairs(self._built, self._ran, compared)
        return [
            repaired(r.edit.kind, f"{r.file}:{r.edit.line}", r.edit.before, r.edit.after, is_whole=r.is_whole)
            for r in self._found
            if finding.tensor in r.tensors
        ]

    def place(self) -> str:
        """`affine_backward, layers.py:12`: the function that backward calls first."""
        first = next((live for live in self._ran.functions if live.in_backward), None)
        return "" if first is None else f"{first.tree.name}, {first.file}:{first.tree.lineno}"

    @property
    def _ran(self) -> Ran:
        if self._seen is None:
            self._seen = functions_of(self._built)
        return self._seen


class _Again:
    """The same case with other sizes and options, run a few times at most."""

    def __init__(self, case: Case, build: Callable[[Case], Built] | None) -> None:
        self._case, self._build = case, build
        self._known: dict[tuple[tuple[str, float], ...], Gathered | None] = {}

    def evidence(self, finding: Finding, numbers: Mapping[str, float]) -> Evidence | None:
        """What the rules would see of a finding's tensor; None where the case cannot have these numbers."""
        if self._build is None or finding.claim != "backward":
            return None  # what stands in the file as a number belongs to the sizes in the file
        key = tuple(sorted(numbers.items()))
        if key not in self._known:
            self._known[key] = self._gathered(numbers) if len(self._known) < TRIALS else None
        gathered = self._known[key]
        return None if gathered is None else gathered.evidence(finding.claim, finding.tensor, with_slopes=False)

    def _gathered(self, numbers: Mapping[str, float]) -> Gathered | None:
        assert self._build is not None
        case = self._case
        sizes = {name: int(numbers.get(name, length)) for name, length in case.sizes.items()}
        options = {name: _like(value, numbers.get(name)) for name, value in case.options.items()}
        case = replace(case, sizes=sizes, options=options)
        if not is_free() or not isinstance(case.body, CodeBody):
            return None
        folder = str(case.body.path.parent)
        lines = Lines(lambda file: file if file.startswith(folder) else None)
        try:
            with lines.counted(MOST_LINES), deadline(case.timeout, case.body.path.parent):
                built = self._build(case)
                if sum(a.size for a in built.problem.point.values()) > MOST_NUMBERS:
                    return None
                laws: dict[Source, Mapping[str, str]] = {
                    claim.source: broken_laws(built.problem, claim) for claim in built.problem.claims
                }
                with built.held():
                    return Gathered(case, built, examine(built.problem, seed=case.seed), laws)
        except (GradcheckError, TooManyLinesError):
            return None


def _like(value: object, number: float | None) -> object:
    """The number in place of an option's value, a whole one where that is; the value itself where there is none."""
    if number is None:
        return value
    return int(number) if isinstance(value, int) and float(number).is_integer() else number

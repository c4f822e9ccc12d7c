"""Report: what came out, for people and programs; every output format is a projection of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Literal

from gradcheck.location import Location
from gradcheck.model.case import Expect, Verdict
from gradcheck.model.problem import Source
from gradcheck.record import dataclass, field

ErrorKind = Literal[
    "raised", "missing", "unfinished", "timeout", "nondeterministic", "non-finite", "invalid", "crashed"
]  # crashed: the process that ran the code came to an end
During = Literal["load", "forward", "backward"]
Coverage = Literal["all", "probed", "sampled"]


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A mistake in a case file, with its place, cause and next step.

    excerpt : the source line with the caret, two lines, or ""
    """

    location: Location
    message: str
    hint: str = ""
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Worst:
    """The element that disagrees most; `claimed` and `numeric` may be non-finite."""

    index: tuple[int, ...]
    claimed: float
    numeric: float
    bound: float
    relative_error: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the mistake looks like.

    kind : a machine-readable word
    text : what the numbers show, in a sentence that gives nothing away but that
    place : where to look (`layers.py:12`, `affine_backward, layers.py:12`), "" where that is not known
    advice : one next step; it may be the corrected line. "" where there is none
    """

    kind: str
    text: str
    place: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Every element of a failing tensor, in the order of memory.

    errors : relative errors
    wrong : whether the element is called wrong; None where that could not be decided
    claimed, numeric : the two numbers of the element; none at all where nobody kept them
    """

    shape: tuple[int, ...]
    errors: tuple[float, ...]
    wrong: tuple[bool | None, ...]
    claimed: tuple[float, ...] = ()
    numeric: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class StepCurve:
    """Central differences of the worst element at many steps, the longest first: the evidence behind one number.

    steps, slopes, noise : the h, the difference quotient, and how much noise of the function may add to it
    chosen : the h that the finding's `numeric` was taken with; 0 where it is no quotient of one step
    """

    steps: tuple[float, ...]
    slopes: tuple[float, ...]
    noise: tuple[float, ...]
    chosen: float


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some lines of a source file, around the one that is meant.

    file : as the caller of the run would name it
    line : the one that is meant, counted from 1
    first : the number of the first of `lines`
    """

    file: str
    line: int
    first: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim about one tensor.

    checked, wrong : elements compared, elements that disagree
    counts : verdict word → elements
    worst : the element that disagrees most; None where nothing could be compared (wrong shape)
    resolution : the largest relative mistake that could have been missed
    limit : the relative error that was allowed at the worst element
    notes : sentences beside the verdict ("agrees to the 3 digits written")
    reason : why, in one sentence, where the verdict is not `pass`
    diagnosis : what a wrong gradient looks like, the likeliest first
    heat : the picture of a failing tensor; None for any other, and for a very large one
    curve : of the worst element; None unless pictures were asked for
    source : the lines that a wrong gradient comes from, as far as that is known; else those of the case
    coverage : all elements were measured by themselves; or some, and all together (probed); or some (sampled)
    """

    claim: Source
    tensor: str
    shape: tuple[int, ...]
    verdict: Verdict
    checked: int = 0
    wrong: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    worst: Worst | None = None
    resolution: float | None = None
    limit: float | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()
    diagnosis: tuple[Diagnosis, ...] = ()
    coverage: Coverage = "all"
    heat: HeatMap | None = None
    curve: StepCurve | None = None
    source: Excerpt | None = None


@dataclass(frozen=True, slots=True)
class CaseError:
    """The case could not be checked: somebody's code broke, or the function is not finite at the point.

    source : the lines that it broke at, where that is known
    """

    kind: ErrorKind
    during: During
    text: str
    file: str | None = None
    line: int | None = None
    hint: str = ""
    source: Excerpt | None = None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came out for one combination of a case.

    swept : the names in `sizes` and `options` that the sweep bound
    variant, varied : the stress variant that this is, and what it changed; "" for the case as written
    smallest : False where all that is wrong is wrong in a smaller combination as well
    """

    name: str
    file: str
    line: int
    seed: int
    sizes: Mapping[str, int]
    options: Mapping[str, Any]
    expect: Expect
    verdict: Verdict
    as_expected: bool
    findings: tuple[Finding, ...] = ()
    error: CaseError | None = None
    resolution: float | None = None
    evaluations: int = 0
    seconds: float = 0.0
    coverage: Coverage = "all"
    notes: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()  # the calls that a shorthand stood for, ready to paste
    why: str | None = None
    swept: tuple[str, ...] = ()
    variant: str = ""
    varied: str = ""
    smallest: bool = True


class ExitCode(IntEnum):
    """What the process tells its caller – a part of the contract with users."""

    EXPECTED = 0
    WRONG = 1  # a gradient is wrong, or an expectation was not met
    BROKEN = 2  # a case, a call or somebody's code is broken
    UNDECIDED = 3  # nothing wrong, something inconclusive or vacuous
    UNSAFE = 4  # the grader cannot grade safely
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one run found: results in file order and the problems of files that could not be read.

    strict : kink, inconclusive and vacuous count as wrong
    """

    cases: tuple[CaseResult, ...]
    problems: tuple[FileProblem, ...] = ()
    strict: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """Broken wins over wrong, wrong over undecided."""
        unexpected = [case for case in self.cases if not case.as_expected]
        if self.problems or any(case.verdict == "error" for case in unexpected):
            return ExitCode.BROKEN
        undecided = [case for case in unexpected if _only_undecided(case) and not self.strict]
        if len(undecided) < len(unexpected):
            return ExitCode.WRONG
        return ExitCode.UNDECIDED if undecided else ExitCode.EXPECTED


def _only_undecided(case: CaseResult) -> bool:
    """Whether nothing but doubt keeps the case from what was expected of it."""
    asked_for_more = case.expect.verdict not in (None, "pass") or any(v != "pass" for v in case.expect.tensors.values())
    return case.verdict in ("inconclusive", "vacuous") and not asked_for_more

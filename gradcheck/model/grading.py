"""Assignments, submissions and what they earn: frozen, complete, and the same on every machine (durations aside).

`out/results.json` is a Gradebook in JSON; every other output is a projection of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from gradcheck.model.case import Case, Verdict
from gradcheck.model.report import CaseError, Finding
from gradcheck.record import dataclass, field

Feedback = Literal["none", "where", "what", "full"]  # how much students are told
Status = Literal["graded", "not_implemented", "error", "timeout", "refused", "flagged"]
Outcome = Literal["pass", "fail", "not_implemented", "error", "timeout", "not_run"]


@dataclass(frozen=True, slots=True)
class Check:
    """One case of an assignment as it was written, with all its combinations.

    label : what students read: the name, or `hidden 3`
    points : for all its gradients together, or per tensor; `out` is the forward
    cases : the combinations of sizes and options, the stress variants behind them
    """

    name: str
    label: str
    is_hidden: bool
    points: float | Mapping[str, float]
    cases: tuple[Case, ...]

    @property
    def max_points(self) -> float:
        return sum(self.points.values()) if isinstance(self.points, Mapping) else self.points


@dataclass(frozen=True, slots=True)
class Assignment:
    """A homework file.

    file : as the user named it; folder : where it lies, absolute
    checks : visible ones first, then the hidden ones, each in file order
    files : what a submission consists of, paths relative to its folder
    budget : evaluations of the reference for a case; None for no limit
    secret : what the inputs of hidden cases are drawn from
    digest : SHA-256 of all that decides about points
    """

    file: str
    folder: Path
    title: str
    checks: tuple[Check, ...]
    files: tuple[str, ...]
    requires: tuple[str, ...]
    feedback: Feedback
    budget: int | None
    secret: bytes
    roster: Path | None
    digest: str

    @property
    def max_points(self) -> float:
        return sum(check.max_points for check in self.checks)


@dataclass(frozen=True, slots=True)
class Submission:
    """What somebody handed in, as bytes: nothing of theirs is opened again.

    name : of the folder, the file or the zip, without its suffix
    slug : what files about it are called: safe on every system, no two alike
    files : declared path → content
    sha256 : of names and contents
    refusal : why it is not graded; "" where it is
    notes : what was left aside
    """

    name: str
    slug: str
    files: Mapping[str, bytes]
    sha256: str
    refusal: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Student:
    """A line of a roster. id : what tells them from all others; name : what they are called"""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class TensorMark:
    """What one tensor earned.

    finding : the gravest of all combinations; None where nothing was compared
    where : the combination it was found in (`N=2, D=3`), "" where there is only one
    """

    tensor: str
    verdict: Verdict
    points: float
    max_points: float
    finding: Finding | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class CheckMark:
    """What one check earned.

    label : what students read
    error : what kept it from being compared, if anything did
    where : the combination that happened in
    """

    name: str
    label: str
    is_hidden: bool
    outcome: Outcome
    points: float
    max_points: float
    tensors: tuple[TensorMark, ...] = ()
    error: CaseError | None = None
    where: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SubmissionResult:
    """What one submission earned.

    student : who handed it in: a line of the roster, or the name of the submission
    flags : why a person should look at it; they never change points
    message : why nothing was graded, for a submission that was refused
    seconds : how long it took
    """

    submission: str
    student: str
    slug: str
    sha256: str
    status: Status
    points: float
    max_points: float
    checks: tuple[CheckMark, ...] = ()
    flags: tuple[str, ...] = ()
    message: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Walls:
    """How submissions were kept from doing harm.

    tier : strong, medium, limits or none
    layers : what it is made of
    is_safe : whether a submission could not have changed its own result
    """

    tier: str
    layers: tuple[str, ...] = ()
    is_safe: bool = True

    @property
    def stamp(self) -> str:
        """What every output says where nothing kept a submission from changing its own result; else ""."""
        return "" if self.is_safe else "sandbox: NONE - these results are not tamper-resistant"


@dataclass(frozen=True, slots=True)
class Gradebook:
    """Everything one `gradcheck grade` found.

    checks : name → what it is worth, visible ones first
    missing : students of the roster who handed nothing in
    waiting : submissions that were not graded because the run was interrupted
    """

    title: str
    file: str
    digest: str
    feedback: Feedback
    max_points: float
    checks: Mapping[str, float]
    walls: Walls
    results: tuple[SubmissionResult, ...]
    missing: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict)  # submission → id in the roster

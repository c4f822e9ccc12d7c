"""What came of planted mistakes: one by one, per case, and in all. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from gradcheck.model.report import ExitCode, FileProblem
from gradcheck.record import dataclass

Sort = Literal["array", "source"]
# killed : the cases notice; survived : they do not, and it is a mistake; equivalent : it changes no gradient, to the
# bound, here and at all other points that were tried; forward : it changes the function itself
Fate = Literal["killed", "survived", "equivalent", "forward"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted mistake, and what became of it.

    case : the case that it was planted for
    sort : in an array of a claim, or in the source
    kind : `twice`, `sign`, …
    place : `backward dw`, the claim and the tensor; or `layers.py:12 affine_backward`
    fate : see Fate
    by : where it was noticed, and by which verdict: `affine [N=1]: fail`
    diff : of the source
    is_run : whether any case runs the line
    caught_by : what would have noticed it, as the lines that add it to the case; the first is the advice
    """

    case: str
    sort: Sort
    kind: str
    place: str
    fate: Fate
    by: str = ""
    diff: str = ""
    is_run: bool = True
    caught_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """How many mistakes were planted that are mistakes, and how many of those were noticed."""

    killed: int
    survived: int
    equivalent: int

    @classmethod
    def of(cls, mutants: Iterable[Mutant]) -> Score:
        fates = [mutant.fate for mutant in mutants]
        return cls(fates.count("killed"), fates.count("survived"), fates.count("equivalent"))

    @property
    def counted(self) -> int:
        return self.killed + self.survived

    @property
    def share(self) -> float | None:
        """The part that was noticed; None where nothing was planted that changes a gradient."""
        return self.killed / self.counted if self.counted else None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A case, or a combination of it, that nothing is planted in, and why."""

    case: str
    reason: str


@dataclass(frozen=True, slots=True)
class Mutated:
    """One case: what was planted for it. found : what came up on the way, mistakes of the code among it"""

    name: str
    file: str
    line: int
    mutants: tuple[Mutant, ...]
    found: tuple[str, ...] = ()

    def score(self, sort: Sort | None = None) -> Score:
        return Score.of(m for m in self.mutants if sort in (None, m.sort))


@dataclass(frozen=True, slots=True)
class MutationReport:
    """All of a run.

    minimum : the score that was asked for, a share; None for none
    advice : lines that would catch survivors, with how many; the first catches most, the next most of the rest
    """

    cases: tuple[Mutated, ...]
    skipped: tuple[Skipped, ...] = ()
    problems: tuple[FileProblem, ...] = ()
    advice: tuple[tuple[str, str, int], ...] = ()
    minimum: float | None = None
    is_interrupted: bool = False

    @property
    def mutants(self) -> tuple[Mutant, ...]:
        return tuple(mutant for case in self.cases for mutant in case.mutants)

    @property
    def score(self) -> Score:
        return Score.of(self.mutants)

    @property
    def exit_code(self) -> ExitCode:
        """Broken where a file cannot be read or nothing could be planted, wrong below the score that was asked for."""
        if self.is_interrupted:
            return ExitCode.INTERRUPTED
        share = self.score.share
        if self.problems or share is None:
            return ExitCode.BROKEN
        return ExitCode.WRONG if self.minimum is not None and share < self.minimum else ExitCode.EXPECTED


@dataclass(frozen=True, slots=True)
class Row:
    """One subject of a kind.

    kind : operations, layers, …; name : `tanh`, `conv2d(2, 3)`
    is_right : whether what is right passes
    planted : how many mistakes; missed : those that were not found
    """

    kind: str
    name: str
    is_right: bool
    planted: int
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SelfTest:
    rows: tuple[Row, ...]

    @property
    def planted(self) -> int:
        return sum(row.planted for row in self.rows)

    @property
    def missed(self) -> int:
        return sum(len(row.missed) for row in self.rows)

    @property
    def is_sound(self) -> bool:
        """Whether everything wrong was found, and nothing right was refused."""
        return not self.missed and all(row.is_right for row in self.rows)

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.EXPECTED if self.is_sound else ExitCode.WRONG

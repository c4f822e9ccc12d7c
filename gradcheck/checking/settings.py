"""Settings: what the caller of a run asks for beside the cases themselves.

Values only; where an option comes from (the command line, Python, pytest) is the caller's business.
"""

from __future__ import annotations

from gradcheck.model.case import Case
from gradcheck.record import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run is to be done; the defaults are those of `gradcheck run`.

    rtol : relative error that is allowed, in place of every case's own; None leaves it to the cases
    seed : seed of the arrays, in place of every case's own; None leaves it to the cases
    keyword : which cases to check, in the words of `checking.selection`; None checks all
    exit_first : stop after the first case that is not as expected
    strict : kink, inconclusive and vacuous count as wrong
    budget : evaluations of somebody's code for a case, shared by its random points; where every element takes more, the
        case is probed. None: no limit
    pictures : measure what the pictures of a report show beside the verdicts: 32 evaluations for a tensor in question,
        unless there is a budget for the code
    is_brief : what a case announces as wrong is not shown, and need not be explained
    """

    rtol: float | None = None
    seed: int | None = None
    keyword: str | None = None
    exit_first: bool = False
    strict: bool = False
    budget: int | None = None
    pictures: bool = False
    is_brief: bool = False

    def rtol_of(self, case: Case) -> float | None:
        return case.rtol if self.rtol is None else self.rtol

    def budget_of(self, case: Case) -> int | None:
        """The share of one random point of a case; None for no limit."""
        return None if self.budget is None else max(1, self.budget // case.trials)

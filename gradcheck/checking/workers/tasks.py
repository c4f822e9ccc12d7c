"""Tasks: what is sent to a worker, and what the worker does with it.

Two kinds: a whole case, and a portion of the probes of a case that is too large for one worker. The second rebuilds the
problem from its case; what is drawn there at random is drawn from the case's own seed, so it is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from gradcheck.checking.building.build import build
from gradcheck.checking.building.drawing import Built
from gradcheck.checking.families import Checked
from gradcheck.checking.one_case import check_case, time_limit
from gradcheck.checking.settings import Settings
from gradcheck.handwritten.session.interrupts import watched
from gradcheck.model.case import Case
from gradcheck.model.problem import Array
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.noise import Noise
from gradcheck.numerical.portions import Request, SharedLoop, Work
from gradcheck.numerical.schedule import StructureEngine, engine_for
from gradcheck.record import dataclass, field


@dataclass(frozen=True, slots=True)
class Job:
    """A point of a case that several workers share.

    token : tells it from all others
    noise : of its function, as it was measured once for all
    """

    token: str
    case: Case = field(compare=False)
    trial: int = field(compare=False)
    noise: Noise = field(compare=False)


class TooLargeError(Exception):
    """The case is large enough to be shared by several workers."""


class _NoHelpers:
    """Stands where a worker's helpers would be, and gives the case back instead of asking them."""

    def answers(self, request: Request, noise: Noise, seconds: float) -> Iterator[tuple[int, int, Array]]:
        raise TooLargeError


def checked(case: Case, settings: Settings, may_return: bool) -> Checked | None:
    """The outcome of a case; None for one that is better shared (`may_return`)."""
    try:
        return check_case(case, settings, work=(lambda case, trial: Work(_NoHelpers())) if may_return else None)
    except TooLargeError:
        return None


def answered(job: Job, request: Request) -> Array:
    """The answer to a request about a job. Raises UserCodeError, for a portion that takes all of the time, too."""
    built, engine = _engine(job)
    with watched(), time_limit(job.case), built.held():
        return engine.answer(request)


@lru_cache(maxsize=1)  # the portions of a job come one after the other
def _engine(job: Job) -> tuple[Built, StructureEngine | SharedLoop]:
    built = build(job.case, job.trial)
    engine = engine_for(built.problem, PlainLoop(built.problem, job.noise), Work())
    assert isinstance(engine, StructureEngine | SharedLoop)
    return built, engine

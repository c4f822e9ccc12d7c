"""Spreads a run over workers: cases side by side, and the probes of one large case side by side.

Whole cases go to workers first. A worker that finds its case large gives it back; such cases are examined here, one
after the other, and the workers answer their probes. The report is that of a run without workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from itertools import groupby, islice, pairwise
from queue import Empty, SimpleQueue
from uuid import uuid4

from gradcheck.checking.building.drawing import Built
from gradcheck.checking.families import Checked, Family, check_family
from gradcheck.checking.one_case import check_case, runs_code
from gradcheck.checking.settings import Settings
from gradcheck.checking.workers.executors import Crew, WorkerLostError, Workers
from gradcheck.checking.workers.tasks import Job, answered, checked
from gradcheck.errors import UserCodeError
from gradcheck.model.case import Case
from gradcheck.model.problem import Array
from gradcheck.model.progress import Progress
from gradcheck.model.report import CaseResult, FileProblem
from gradcheck.numerical.noise import Noise
from gradcheck.numerical.portions import Request, Work, cuts_of
from gradcheck.record import dataclass, field

LONGEST = 0.25  # seconds that one portion of probes should take: so long may the last worker keep all others waiting
AHEAD = 2  # portions per worker that are on their way
GLANCE = 0.5  # seconds after which a wait is looked at: Ctrl-C does not end a wait everywhere

WorkAt = Callable[[Case, int], Work]


def work_of(workers: Workers | None, progress: Progress | None, *, is_left: bool = False) -> WorkAt:
    """What makes the `Work` of a case at a point; the others are as there."""

    def work(case: Case, trial: int) -> Work:
        if progress is not None:
            progress.case(case.name)
        return Work(None if workers is None else _Portions(workers, case, trial), progress, is_left=is_left)

    return work


class _Portions:
    """Lets workers answer the probes of a case at a point; implements `Helpers`."""

    def __init__(self, workers: Workers, case: Case, trial: int) -> None:
        self.workers, self.case, self.trial, self.token = workers, case, trial, uuid4().hex

    def answers(self, request: Request, noise: Noise, seconds: float) -> Iterator[tuple[int, int, Array]]:
        """Raises UserCodeError (crashed) where the code ends the workers that run it, or what it raises itself."""
        job = Job(self.token, self.case, self.trial, noise)
        cuts = cuts_of(request.parts, seconds, self.workers.count, LONGEST).tolist()
        rest = pairwise(cuts)
        pending: dict[Future[Array], tuple[int, int]] = {}
        try:
            while True:
                for first, last in islice(rest, AHEAD * self.workers.count - len(pending)):
                    pending[self.workers.submit(answered, job, request.portion(first, last))] = first, last
                if not pending:
                    return
                for future in wait(pending, GLANCE, FIRST_COMPLETED).done:
                    piece = future.result()
                    yield *pending.pop(future), piece
        except WorkerLostError as lost:
            raise crash(lost) from None
        finally:
            self.workers.abandon(pending)  # it may be a loop without an end


def crash(lost: WorkerLostError) -> UserCodeError:
    """The error of a case that has ended the process which ran it."""
    hint = "look for os._exit or sys.exit, a crash in compiled code, or arrays that are too large for the memory"
    return UserCodeError("crashed", "load", f"the process that ran the case came to an end: {lost}", hint=hint)


@dataclass(slots=True, eq=False)
class _Unit:
    """Cases that one thread sees to, in order: one combination, or all of a case that has variants."""

    number: int  # of its family
    cases: tuple[Case, ...]
    family: Family = field(default_factory=Family)
    problems: list[FileProblem] = field(default_factory=list)
    is_surprising: bool = False
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """results, problems : of the cases up to the first surprise where that ends a run, or to the interrupt

    later : the families after the one with that surprise
    """

    results: tuple[CaseResult, ...]
    problems: tuple[FileProblem, ...]
    later: Sequence[Sequence[Case]] = ()
    is_interrupted: bool = False


def spread(written: Sequence[tuple[Case, ...]], settings: Settings, crew: Crew, progress: Progress | None) -> Outcome:
    """Check the families; an interrupt ends the workers."""
    units = [
        _Unit(number, cases)
        for number, family in enumerate(written)
        for cases in ([family] if any(case.variant for case in family) else [(case,) for case in family])
    ]
    run = _Run(units, settings, crew.workers, progress)
    is_interrupted = False
    try:
        run.run()
    except KeyboardInterrupt:
        is_interrupted = True
    finally:
        run.stop()
    last = run.surprise() if settings.exit_first and not is_interrupted else None
    kept = units if last is None else units[: units.index(last) + 1]
    results: list[CaseResult] = []
    for _, together in groupby(kept, key=lambda unit: unit.number):
        family = Family()
        for unit in together:
            family.join(unit.family)
        results += family.results()
    problems = tuple(problem for unit in kept for problem in unit.problems)
    return Outcome(tuple(results), problems, () if last is None else written[last.number + 1 :], is_interrupted)


class _Run:
    """Threads wait for workers, one for each unit that is being checked; large cases are examined by the caller's."""

    def __init__(self, units: Sequence[_Unit], settings: Settings, workers: Workers, progress: Progress | None) -> None:
        self.units, self.settings, self.workers, self.progress = units, settings, workers, progress
        self._threads = ThreadPoolExecutor(AHEAD * workers.count, thread_name_prefix="case")
        self._events: SimpleQueue[Future[None] | tuple[Case, Future[Checked]]] = SimpleQueue()
        self._large: set[Future[Checked]] = set()
        self._is_stopped = False

    def run(self) -> None:
        """Until all units are done, or one before all that are not is surprising. Raises what a unit raises."""
        total = sum(len(unit.cases) for unit in self.units)
        for unit in self.units:
            self._threads.submit(self._check, unit).add_done_callback(self._events.put)
        while any(not unit.is_done for unit in self.units):
            try:
                event = self._events.get(timeout=GLANCE)
            except Empty:
                continue
            if isinstance(event, tuple):
                self._examine(*event)
                continue
            event.result()
            if self.progress is not None:
                self.progress.cases(sum(len(unit.cases) for unit in self.units if unit.is_done), total)
            if self.settings.exit_first and self.surprise() is not None:
                return

    def surprise(self) -> _Unit | None:
        """The first surprising unit, if all before it are done."""
        for unit in self.units:
            if not unit.is_done or unit.is_surprising:
                return unit if unit.is_done else None
        return None

    def stop(self) -> None:
        """Wait for the threads; what is still being done has no future."""
        self._is_stopped = True
        is_idle = all(unit.is_done for unit in self.units)
        self._threads.shutdown(wait=False, cancel_futures=True)
        if not is_idle:
            self.workers.shutdown(wait=False)
        for future in list(self._large):
            future.cancel()
        self._threads.shutdown(wait=True)

    def _check(self, unit: _Unit) -> None:
        """In a thread."""
        try:
            unit.is_surprising = check_family(unit.family, unit.cases, self.settings, unit.problems, self._elsewhere)
            unit.is_done = True
        except (CancelledError, WorkerLostError):
            if not self._is_stopped:
                raise

    def _elsewhere(self, case: Case) -> Checked:
        try:
            outcome = self.workers.submit(checked, case, self.settings, True).result()
        except WorkerLostError as lost:
            if self._is_stopped:
                raise
            return _crashed(case, self.settings, lost)
        if outcome is not None:
            return outcome
        future: Future[Checked] = Future()
        self._large.add(future)
        self._events.put((case, future))
        return future.result()

    def _examine(self, case: Case, future: Future[Checked]) -> None:
        is_left = runs_code(case.body)
        outcome = check_case(case, self.settings, work=work_of(self.workers, self.progress, is_left=is_left))
        self._large.discard(future)
        future.set_result(outcome)


def _crashed(case: Case, settings: Settings, lost: WorkerLostError) -> Checked:
    """The result of a case whose code has ended the processes that ran it."""

    def build(case: Case, trial: int) -> Built:
        raise crash(lost)

    return check_case(case, settings, build)

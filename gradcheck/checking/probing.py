"""One problem, examined within a budget: tensors moved as a whole, some elements by themselves, wrong ones searched.

Beside `examine`, which measures every element. The order of the work is decided here; slopes are `numerical.probe`'s,
the search is `search`'s, and what it all means `verdict.probing`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gradcheck.checking.at_kinks import widen_intervals
from gradcheck.checking.examine import Examination
from gradcheck.checking.search import CONFIRM, Purse, Search
from gradcheck.checking.subjects import Subject, finding_of, output_findings, subject_of, well_formed
from gradcheck.model.evidence import Reason
from gradcheck.model.problem import Array, Claim, Problem
from gradcheck.model.report import Finding
from gradcheck.numerical.difference import PlainLoop
from gradcheck.numerical.evidence import TensorEvidence
from gradcheck.numerical.noise import Noise, measure_noise
from gradcheck.numerical.probe import Slope, TensorProbe
from gradcheck.verdict import probing as verdict
from gradcheck.verdict.compare import Word

FULL_LADDER = 32  # evaluations of an element that climbs all the way
KINK_LOOK = 192  # evaluations that the slopes around a kink may take, for each element
FEW = 3  # sampled elements that differ, all or nearly all of those that could: the whole tensor is wrong
NEARLY_ALL = 0.6
ROUNDS = 3  # searches of a tensor, each along a direction of its own


def examine_within(problem: Problem, budget: int, *, rtol: float | None = None, seed: int = 0) -> Examination:
    """Check every claim of a problem about every tensor in `wrt` with so many evaluations of the function.

    The noise and one direction for each tensor are measured in any case (26 evaluations, and 4 for each tensor); a
    budget is exceeded by that much at most, and a note says so.
    """
    problem = replace(problem, batch=None)  # a handful of probes at a time gains nothing by batches
    noise = measure_noise(problem, seed, is_brief=True)
    loop = PlainLoop(problem, noise)
    purse = Purse(budget, noise, loop)
    broken: dict[str, list[Finding]] = {}
    tensors: dict[str, _Probed] = {}
    for tensor in problem.wrt:
        if problem.point[tensor].size:
            sound, broken[tensor] = well_formed(problem, tensor)
            if sound:
                tensors[tensor] = _Probed(problem, loop, noise, purse, tensor, sound, rtol, seed)
    for probed in tensors.values():
        probed.look()
    order = sorted(tensors.values(), key=lambda probed: probed.adds_up)
    _sample(order, purse)
    for probed in order:
        probed.search()
    findings = output_findings(problem, noise, rtol)
    for tensor in broken:
        findings += broken[tensor]
        findings += tensors[tensor].findings() if tensor in tensors else ()
    spent = loop.evaluations + noise.evaluations
    few = f"the budget of {budget:,} evaluations is too small here: {spent:,} are the least"
    return Examination(tuple(findings), spent, noise, (few,) if spent > budget else ())


def _sample(order: Sequence[_Probed], purse: Purse) -> None:
    """Sampled elements by themselves while the budget lasts: of tensors that do not add up first, and so many that one
    can be confirmed; of the others in turns."""
    for probed in order:
        if not probed.adds_up:
            affordable = max(1, (purse.left() - CONFIRM) // 2) if purse.holds(2) else 0
            probed.glance(probed.strata()[:affordable])
            probed.look_again()
    others = [probed for probed in order if probed.adds_up]
    choices = [probed.strata() for probed in others]
    turns = [(i, cells[turn]) for turn in range(max(map(len, choices), default=0))
             for i, cells in enumerate(choices) if turn < len(cells)][: max(0, purse.left() // 2)]  # fmt: skip
    for i, probed in enumerate(others):
        probed.glance([cell for whose, cell in turns if whose == i])
    for probed in others:
        probed.look_again()


class _Probed:
    """One tensor on its way through a budget, and every claim about it."""

    def __init__(
        self,
        problem: Problem,
        loop: PlainLoop,
        noise: Noise,
        purse: Purse,
        tensor: str,
        claims: Sequence[Claim],
        rtol: float | None,
        seed: int,
    ) -> None:
        self.problem, self.loop, self.noise, self.purse = problem, loop, noise, purse
        self.tensor, self.claims, self.rtol, self.seed = tensor, claims, rtol, seed
        self.probe = TensorProbe(problem, loop, noise, tensor, seed)
        self.evidence = TensorEvidence(problem, loop, noise, tensor, seed, is_sampled=True)
        self.subjects = self._subjects()
        self.slopes: list[tuple[Array, Slope]] = []
        self.rest: dict[int, tuple[verdict.Sum, Array]] = {}  # per subject: what its other elements add up to
        self.ended: set[int] = set()

    # -- the order of the work --

    def look(self) -> None:
        """One direction, and a second one where some claim does not add up along the first."""
        self._add_direction()
        is_finite = all(np.isfinite(self._sum(subject, self.slopes[0][1]).off) for subject in self.subjects)
        if is_finite and not self.adds_up and self.purse.holds(4):
            self._add_direction()

    def strata(self) -> list[int]:
        """Elements to measure by themselves, most telling first: those with the largest and smallest claims, one that
        is claimed to be zero, the first and the last."""
        claimed = np.abs(np.nan_to_num(self.subjects[0].claimed.reshape(-1)))
        zeros, others = np.flatnonzero(claimed == 0.0), np.flatnonzero(claimed)
        chosen = [int(others[claimed[others].argmax()]), int(others[claimed[others].argmin()])] if others.size else []
        if zeros.size:
            generator = np.random.default_rng([self.seed, zeros.size])
            chosen.insert(1, int(generator.choice(zeros)))
        odd = np.flatnonzero(~np.isfinite(self.subjects[0].claimed.reshape(-1)))[:1]
        return list(dict.fromkeys([*odd.tolist(), *chosen, 0, claimed.size - 1]))

    def glance(self, cells: Sequence[int]) -> None:
        """Two evaluations for each; how far they may be off by truncation, the direction knows."""
        if not cells:
            return
        _, slope = self.slopes[0]
        typical = abs(slope.value) / max(float(np.linalg.norm(slope.path)), np.finfo(float).tiny)
        truncation = max(0.0, slope.bound - slope.noise)
        relative = 8.0 * truncation / max(abs(slope.value), slope.noise, np.finfo(float).tiny)
        known = np.isfinite(relative) and np.isfinite(typical)
        self.evidence.glance(np.array(sorted(cells)), *((relative, typical) if known else (0.0, 0.0)))
        self.subjects = self._subjects()

    def look_again(self) -> None:
        """Sampled elements that are hidden by noise at longer steps; those that differ by the ladder."""
        hidden = [cell for cell in self._undecided() if self._agrees(cell)]
        for cell in hidden[: max(0, self.purse.left() // 4)]:
            self.evidence.look_farther(np.array([cell]))
        self._compare()
        self._confirm([cell for cell in self._undecided() if not self._agrees(cell)])

    def search(self) -> None:
        """Wrong elements of every claim that does not add up."""
        for number, subject in enumerate(self.subjects):
            move, slope = self.slopes[0]
            seen = self._sum(subject, slope)
            if verdict.is_quiet(seen) or not np.isfinite(seen.off):
                continue
            if self._is_wrong_everywhere(subject):
                self.rest[number] = seen, slope.path
                continue
            self._search_one(number, subject, move, slope, seen)
        self._look_at_kinks()

    def findings(self) -> Iterator[Finding]:
        estimate = self.evidence.estimate
        for number, subject in enumerate(self.subjects):
            subject.compare_with(estimate)
            counted = replace(estimate, checked=verdict.counted(subject.claimed, estimate, subject.comparison))
            found = finding_of(subject, counted)
            yield verdict.probed(found, self._sight(number, subject), subject.claimed.size)

    # -- directions --

    @property
    def adds_up(self) -> bool:
        return all(verdict.is_quiet(self._sum(s, slope)) for s in self.subjects for _, slope in self.slopes)

    def _add_direction(self) -> None:
        move = self.probe.direction(len(self.slopes))
        slope = self.probe.slope(move, self._may_go_on)
        if np.isnan(slope.value) and self.purse.holds(4):
            move = self.probe.direction(len(self.slopes), is_relative=True)
            slope = self.probe.slope(move, self._may_go_on)
        self.slopes.append((move, slope))

    def _may_go_on(self) -> bool:
        return self.purse.holds(2)

    def _sum(self, subject: Subject, slope: Slope) -> verdict.Sum:
        """What a claim adds up to along a direction, beside the slope."""
        claimed, path = subject.claimed.reshape(-1), slope.path
        allowed, usual = verdict.allowances(subject.claimed, subject.limits, subject.claim.half_unit.get(self.tensor))
        with np.errstate(invalid="ignore", over="ignore"):
            return verdict.Sum(
                claimed=float((claimed * path).sum()),
                numeric=slope.value,
                bound=slope.bound,
                low=slope.low,
                high=slope.high,
                allowed=verdict.SPREAD * float(np.linalg.norm(allowed.reshape(-1) * path)),
                usual=verdict.SPREAD * float(np.linalg.norm(usual.reshape(-1) * path)),
                size=float(np.linalg.norm(claimed * path)),
                moved=slope.moved,
                is_bent=slope.is_bent,
            )

    def _sight(self, number: int, subject: Subject) -> verdict.Sight:
        if number in self.rest:
            sums, path = [self.rest[number][0]], self.rest[number][1]
        else:
            sums, path = [self._sum(subject, slope) for _, slope in self.slopes], self.slopes[0][1].path
        word, seen = verdict.word_of(sums, subject.limits)
        resolution = verdict.resolution_of(seen, path, subject.claimed.reshape(-1), subject.limits)
        return verdict.Sight(word, seen, resolution, len(self.slopes), number in self.ended)

    # -- elements --

    def _subjects(self) -> list[Subject]:
        estimate = self.evidence.estimate
        return [subject_of(self.problem, c, self.tensor, estimate, self.noise, self.rtol) for c in self.claims]

    def _compare(self) -> None:
        estimate = self.evidence.estimate
        for subject in self.subjects:
            subject.compare_with(estimate)

    def _undecided(self) -> list[int]:
        checked = self.evidence.arrays["checked"]
        open_ = np.zeros(checked.size, bool)
        for subject in self.subjects:
            open_ |= checked & (subject.comparison.words.reshape(-1) == Word.INCONCLUSIVE)
        return np.flatnonzero(open_).tolist()

    def _agrees(self, cell: int) -> bool:
        """Whether no claim is further from an element's slope than that may be off."""
        value, bound = (float(self.evidence.arrays[name][cell]) for name in ("value", "bound"))
        return all(abs(float(s.claimed.reshape(-1)[cell]) - value) <= bound for s in self.subjects)

    def _confirm(self, cells: Sequence[int]) -> None:
        """Elements by the first levels of the ladder, then the undecided among them by all, while the budget lasts."""
        affordable = np.array(cells[: max(0, self.purse.left() // CONFIRM)], np.int64)
        if affordable.size == 0:
            return
        self.evidence.confirm(affordable)
        self._compare()
        for cell in set(self._undecided()) & set(affordable.tolist()):
            if self.purse.holds(FULL_LADDER):
                wanted = np.zeros(self.evidence.x.size, bool)
                wanted[cell] = True
                self.evidence.refine(wanted)
        self._compare()

    def _is_wrong_everywhere(self, subject: Subject) -> bool:
        """Whether nearly all sampled elements that could differ do: then a search would find them all, one by one."""
        sampled = self.evidence.arrays["checked"] & (
            np.abs(self.evidence.arrays["value"]) > self.evidence.arrays["bound"]
        )
        words = subject.comparison.words.reshape(-1)[sampled]
        return bool((words == Word.FAIL).sum() >= max(FEW, NEARLY_ALL * words.size))

    def _search_one(self, number: int, subject: Subject, move: Array, slope: Slope, seen: verdict.Sum) -> None:
        """Search, then look at what is left along a direction of its own; again where that does not add up either."""
        half_unit = subject.claim.half_unit.get(self.tensor)
        limits = verdict.allowances(subject.claimed, subject.limits, half_unit)
        allowed, usual = (limit.reshape(-1) for limit in limits)
        for turn in range(ROUNDS):
            wrong = subject.comparison.words.reshape(-1) == Word.FAIL
            known = np.flatnonzero(wrong & self.evidence.arrays["checked"])
            claimed = subject.claimed.reshape(-1)
            search = Search(self.probe, self.evidence, claimed, allowed, usual, move, slope, self.purse)
            search.run(seen.off, known, is_patient=abs(seen.off) > seen.allowed + 4.0 * seen.bound)
            self._compare()
            self._confirm([cell for cell in self._undecided() if cell in search.hits])
            if search.ended or not self.purse.holds(4):
                self.ended.add(number)
                return
            wrong = subject.comparison.words.reshape(-1) == Word.FAIL
            move = np.where(wrong, 0.0, self.probe.direction(len(self.slopes) + turn))
            slope = self.probe.slope(move, self._may_go_on)
            seen = self._sum(subject, slope)
            self.rest[number] = seen, slope.path
            if verdict.is_quiet(seen) or not np.isfinite(seen.off):
                return

    def _look_at_kinks(self) -> None:
        """Measured elements at a kink need more than an interval; without the means for that they stay undecided."""
        arrays = self.evidence.arrays
        for subject in self.subjects:
            at_kink = arrays["checked"] & (arrays["reason"] == Reason.KINK)
            outside = np.flatnonzero(at_kink & (subject.comparison.words.reshape(-1) == Word.FAIL))
            outside = outside[np.isfinite(subject.claimed.reshape(-1)[outside])]
            affordable = max(0, self.purse.left() // KINK_LOOK)
            widen_intervals(self.problem, self.loop, self.evidence, subject.claimed, outside[:affordable], self.seed)
            for cell in outside[affordable:]:
                self.evidence.widen(int(cell), float(arrays["low"][cell]), float(arrays["high"][cell]), np.inf)

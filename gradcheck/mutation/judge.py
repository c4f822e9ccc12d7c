"""A problem, examined once: any number of other gradients are held against the same evidence.

What differences say of a function does not depend on what anybody claims about it, so another claim costs a comparison.
Where that does not convict and leaves anything open, the whole examination is done again: what is called missed here is
missed by a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gradcheck.checking.examine import Examination, examine
from gradcheck.checking.laws import broken_laws
from gradcheck.checking.subjects import OUTPUTS, subject_of, well_formed
from gradcheck.errors import GradcheckError
from gradcheck.model.case import Verdict
from gradcheck.model.evidence import Estimate
from gradcheck.model.problem import Claim, Problem, Source
from gradcheck.verdict.aggregate import case_verdict
from gradcheck.verdict.compare import DOUBLE, Word, faintness

Gradients = Mapping[str, NDArray[Any]]
# fail, error : a run ends with that word; undecided : it says that it cannot tell
# missed : it says what it says of the right gradient, although this is another one; same : the gradient is the same
# forward : what was changed is the function, not its gradient
Outcome = Literal["fail", "error", "undecided", "missed", "same", "forward"]
SAME = 1e-9  # relative to an element, or 1e-3 of that to the largest: what another order of additions may change
WITHIN = 0.1  # of the relative error that is allowed: too little to be asked about
SAME_SINGLE = 64  # machine epsilons of a coarser type, for the same


class Judge:
    """What a run would say of a problem with other gradients than those that are claimed.

    rtol, seed : as `examine` takes them
    held : a context for many evaluations in a row
    """

    def __init__(
        self,
        problem: Problem,
        rtol: float | None = None,
        seed: int = 0,
        held: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.problem, self._rtol, self._seed, self._held = problem, rtol, seed, held

    @cached_property
    def examination(self) -> Examination:
        return self._examined(self.problem)

    @cached_property
    def verdict(self) -> Verdict:
        """What a run says of the claims as they are."""
        try:
            if any(broken_laws(self.problem, claim) for claim in self.problem.claims):
                return "fail"
            return case_verdict(self.examination.findings, None)
        except GradcheckError:
            return "error"

    @property
    def is_right(self) -> bool:
        """Whether there is anything to lose: nothing is wrong, and nothing undecided."""
        return self.verdict in ("pass", "kink", "vacuous")

    def claim(self, source: Source) -> Claim | None:
        return next((c for c in self.problem.claims if c.source == source), None)

    def judged(self, source: Source, gradients: Gradients) -> Outcome:
        """What a run says when a claim has other gradients for some of its tensors."""
        claim = self.claim(source)
        assert claim is not None
        other = replace(claim, gradients={**claim.gradients, **gradients})
        different = [name for name in gradients if name not in OUTPUTS]
        different = [name for name in different if not is_same(claim.gradients[name], gradients[name])]
        if not different:
            return "same"
        within = WITHIN * (DOUBLE.rtol if self._rtol is None else self._rtol)
        if all(is_same(claim.gradients[name], gradients[name], within) for name in different):
            return "missed"  # nobody asks for so much
        words = [self._word(other, tensor) for tensor in different]
        if "fail" in words:
            return "fail"
        if set(words) == {"pass"}:
            return "missed"
        again = replace(self.problem, claims=tuple(other if c is claim else c for c in self.problem.claims))
        word = case_verdict(self._examined(again).findings, None)
        if word == self.verdict or word in ("pass", "kink"):
            return "missed"
        return "fail" if word == "fail" else "undecided"

    def _word(self, claim: Claim, tensor: str) -> Literal["pass", "fail", "open"]:
        """Of one tensor: it passes and nothing would be measured again, it fails, or that is to be seen."""
        alone = replace(self.problem, claims=(claim,))
        sound, broken = well_formed(alone, tensor)
        if broken:
            return "fail"
        estimate = self._estimates.get(claim.source, {}).get(tensor)
        if estimate is None:
            return "open"
        with np.errstate(all="ignore"):
            subject = subject_of(alone, sound[0], tensor, estimate, self.examination.noise, self._rtol)
            subject.confirmed = True  # what is screened only would be measured again, and then convicted
            subject.compare_with(estimate)
        words = subject.comparison.words
        if (words == Word.FAIL).any():
            return "fail"
        faint = faintness(subject.claimed, estimate, subject.comparison, subject.limits)
        return "open" if (words != Word.PASS).any() or faint.any() else "pass"

    def _examined(self, problem: Problem) -> Examination:
        with self._held():
            return examine(problem, rtol=self._rtol, seed=self._seed)

    @cached_property
    def _estimates(self) -> Mapping[Source, Mapping[str, Estimate]]:
        found: dict[Source, dict[str, Estimate]] = {}
        for subject, estimate in self.examination.compared:
            found.setdefault(subject.claim.source, {})[subject.tensor] = estimate
        return found


def is_same(before: Any, after: Any, limit: float = SAME) -> bool:
    """Whether two gradients differ by rounding only; or, with another limit, by that much of every element."""
    a, b = np.asarray(before), np.asarray(after)
    if a.shape != b.shape or a.dtype.kind not in "fiub" or b.dtype.kind not in "fiub":
        return False
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return bool(np.array_equal(a, b, equal_nan=True))
    epsilon = max((float(np.finfo(x.dtype).eps) for x in (a, b) if x.dtype.kind == "f"), default=0.0)
    allowed = limit if epsilon < 1e-10 else max(limit, SAME_SINGLE * epsilon)
    size = float(np.abs(a).max(initial=0.0))
    difference = np.abs(a.astype(np.float64) - b.astype(np.float64))
    return bool((difference <= allowed * (np.abs(a) + 1e-3 * size)).all())

"""One configuration of a case at one of its points, ready for mistakes: in its gradients, in the source behind them.

What a run would say of them is `judge`'s; which mistakes there are, `plants` and `operators` know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.casefile.arrays import names_in_shapes
from gradcheck.casefile.lengths import batch_of, measured
from gradcheck.casefile.vary import realised
from gradcheck.checking.building.build import build
from gradcheck.checking.building.drawing import Built
from gradcheck.checking.deadline import deadline
from gradcheck.checking.families import indices
from gradcheck.checking.laws import broken_laws
from gradcheck.checking.subjects import OUTPUTS
from gradcheck.errors import GradcheckError, UserCodeError
from gradcheck.model.case import Case, CodeBody, FunctionBody
from gradcheck.model.problem import Claim, Source
from gradcheck.mutation.judge import Gradients, Judge, Outcome
from gradcheck.mutation.plants import Claimed, planted
from gradcheck.mutation.source import Mutation, Ran, exchanged, is_file_of, traced

PATIENCE = 5.0  # seconds for one run of somebody's code with a mistake in it
NOTHING = Ran({}, {}, frozenset())


class Bench:
    """One configuration of a case at one random point.

    case : ready to be checked; a variant is realised
    """

    def __init__(self, case: Case, trial: int = 0) -> None:
        """Raises what `build` raises where the code does not run, or the case is wrong."""
        self.case, self._trial = case, trial
        self.built: Built = build(case, trial)
        self.judge = Judge(self.built.problem, case.rtol, case.seed + trial, self.built.held)

    @property
    def label(self) -> str:
        """What tells the configuration from the others of its case: `N=1, vary batch1`."""
        values = {**self.case.sizes, **self.case.options}
        parts = [f"{name}={values[name]}" for name in self.case.swept if name in values]
        parts += [f"vary {self.case.variant.name}"] if self.case.variant is not None else []
        parts += [f"random point {self._trial + 1}"] if self._trial else []
        return ", ".join(parts)

    @cached_property
    def ran(self) -> Ran:
        """The functions of somebody's files that backward runs; where forward gives the gradients, its own.

        Functions that forward runs as well, beside a backward, are the function that is differentiated.
        """
        claim = self._code_claim
        if claim is None:
            return NOTHING
        problem, directory = self.built.problem, str(self._folder)
        try:
            by_backward = traced(self._gradients, is_file_of(directory))
            if not by_backward.functions:
                return NOTHING
            by_forward = traced(lambda: problem.function(problem.point), is_file_of(directory))
        except GradcheckError:
            return NOTHING
        # Where evidence is taken in float64 of code in float32, the file is loaded twice.
        loaded = {
            key: tuple(dict.fromkeys((*functions, *by_forward.functions.get(key, ()))))
            for key, functions in by_backward.functions.items()
        }
        inner = {key: lines - by_forward.inner.get(key, frozenset()) for key, lines in by_backward.inner.items()}
        if not any(inner.values()):
            return Ran(loaded, by_backward.inner, by_backward.lines)
        kept = {key: lines for key, lines in inner.items() if lines}
        return Ran({key: loaded[key] for key in kept}, kept, by_backward.lines)

    def runs(self, mutation: Mutation) -> bool:
        """Whether the line of a change is run here."""
        first, last = mutation.lines
        is_here = mutation.key in self.ran.functions
        return is_here and any((mutation.path, line) in self.ran.lines for line in range(first, last + 1))

    # -- mistakes --

    def claimed(self, source: Source, tensor: str) -> Claimed | None:
        """What one tensor's mistakes are made from; None where the claim says nothing of it."""
        claim, problem = self.judge.claim(source), self.built.problem
        if claim is None or tensor not in claim.gradients or not np.size(claim.gradients[tensor]):
            return None
        vjp = claim.vjp

        def by_ones() -> NDArray[Any]:
            assert vjp is not None
            return np.asarray(vjp(np.ones_like(problem.upstream))[tensor], dtype=np.float64)

        gradients = {name: array for name, array in claim.gradients.items() if name not in OUTPUTS}
        return Claimed(tensor, gradients, problem.point, self._batch, None if vjp is None else by_ones)

    def can_plant(self, plant: str, source: Source, tensor: str) -> bool:
        return self._planted(plant, source, tensor) is not None

    def with_plant(self, plant: str, source: Source, tensor: str) -> Outcome | None:
        """What comes of a mistake in an array; None where it cannot be made."""
        array = self._planted(plant, source, tensor)
        return None if array is None else self.judge.judged(source, {tensor: array})

    def _planted(self, plant: str, source: Source, tensor: str) -> NDArray[Any] | None:
        claimed = self.claimed(source, tensor)
        try:
            return None if claimed is None else planted(plant, claimed)
        except GradcheckError:  # a backward that does not take other weights
            return None

    def with_mutation(self, mutation: Mutation, code: CodeType) -> Outcome:
        """What comes of a mistake in the source."""
        claim, problem = self._code_claim, self.built.problem
        assert claim is not None
        with self.built.held(), exchanged(self.ran.functions.get(mutation.key, ()), code):
            try:
                with deadline(PATIENCE, self._folder):
                    value = problem.function(problem.point)
            except GradcheckError:
                return "forward"
            if not np.array_equal(value, problem.value):
                return "forward"
            try:
                with deadline(PATIENCE, self._folder):
                    found = self._gradients()
                outcome = self.judge.judged(claim.source, found)
                if outcome == "missed" and broken_laws(problem, replace(claim, gradients=found)):
                    return "fail"
            except UserCodeError:
                return "error"
            except GradcheckError:
                return "fail"  # a gradient that a network cannot hand on
            return outcome

    # -- what is known of the configuration --

    @property
    def _folder(self) -> Path:
        """Where somebody's code lies."""
        return self.case.body.path.parent if isinstance(self.case.body, CodeBody) else self.case.directory

    @cached_property
    def _code_claim(self) -> Claim | None:
        """The claim that somebody's code makes, by itself or as a layer of a network."""
        sources = ("backward",) if isinstance(self.case.body, CodeBody) else ("backprop",)
        return next((c for c in self.built.problem.claims if c.source in sources), None)

    def _gradients(self) -> Gradients:
        if self.built.code is not None:
            return self.built.rerun()
        claim = self._code_claim
        assert claim is not None
        assert claim.vjp is not None
        return claim.vjp(self.built.problem.upstream)

    @cached_property
    def _batch(self) -> int | None:
        """How many samples there are: the length of the axis that is the batch, else of the first matrix' first."""
        try:
            lengths = measured(self.case)
            found = batch_of(lengths, names_in_shapes(self.case))
        except GradcheckError:
            return None
        if found is not None:
            return lengths.length(found[1][0])
        if isinstance(self.case.body, FunctionBody):
            return None  # the rows of a matrix need not be samples
        return next((shape[0] for shape in lengths.shapes.values() if len(shape) > 1), None)


def benches(cases: Sequence[Case]) -> Iterator[tuple[Case, Bench | GradcheckError]]:
    """The combinations of one case, a bench for every random point; the error where one cannot be built.

    A variant that does not apply, or that the code does not take, is left out, as a run leaves it out.
    """
    for case in cases:
        ready = realised_or_none(case)
        if ready is None:
            continue
        for trial in range(ready.trials):
            try:
                yield ready, Bench(ready, trial)
            except GradcheckError as error:
                if ready.variant is None:
                    yield ready, error
                break


def realised_or_none(case: Case) -> Case | None:
    """The case itself, or a variant as a case that can be checked; None where it does not apply."""
    if case.variant is None:
        return case
    try:
        return realised(case, indices(case))
    except GradcheckError:
        return None

"""The evidence that the rules of a diagnosis look at: claims beside slopes, and what every output does by itself.

The evaluations here are not those of the verdict and are not counted among them. Read only where something fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gradcheck.checking.building.drawing import Built, numbers_of
from gradcheck.checking.examine import Examination
from gradcheck.errors import GradcheckError
from gradcheck.model.case import Case
from gradcheck.model.problem import Array, Claim, Problem, Source
from gradcheck.verdict.compare import Word
from gradcheck.verdict.diagnose import Compared, Evidence

MOST_ELEMENTS = 600  # of a tensor, of which the outputs' single slopes are taken: two evaluations for each
MOST_SLOPES = 300_000  # elements × outputs: what is kept of them
STEP = float(np.finfo(np.float64).eps) ** (1 / 3)  # relative, of a central difference (Press et al., Numerical Recipes)

Laws = Mapping[Source, Mapping[str, str]]


class Gathered:
    """What is known about the claims of one problem, each part computed when it is first asked for.

    laws : source → tensor → the law of linearity that its gradient breaks
    """

    def __init__(self, case: Case, built: Built, examination: Examination, laws: Laws) -> None:
        self._case, self._built, self._examination, self._laws = case, built, examination, laws
        self._slopes = _Slopes(built.problem)
        self._notes = built.notes()

    def evidence(self, source: Source, tensor: str, *, with_slopes: bool = True) -> Evidence | None:
        """All that the rules may look at; None where the claim is no array of numbers.

        with_slopes : of every output by itself; they are most of the work
        """
        problem = self._built.problem
        compared = {c.tensor: c for c in self.compared(source, *((tensor,) if with_slopes else ()))}
        if tensor not in compared:
            return None
        shapes = problem.output_shapes or (problem.value.shape,)
        every = {}
        if with_slopes and len(shapes) == 1 and shapes[0] != () and problem.value.size > 1:
            for name in problem.wrt:
                taken = self._slopes.of(name)
                if taken is not None:
                    every[name] = taken.reshape(*shapes[0], *problem.point[name].shape)
        return Evidence(
            subject=compared[tensor],
            others={name: other for name, other in compared.items() if name != tensor},
            point=problem.point,
            upstream=tuple(_parts(problem.upstream, shapes)),
            value=tuple(_parts(problem.value, shapes)),
            contributions=every.get(tensor),
            every=every,
            numbers={name: float(value) for name, value in numbers_of(self._case).items()},
            law=self._laws.get(source, {}).get(tensor, ""),
            source=source,
            notes=self._notes,
        )

    def compared(self, source: Source, *malformed: str) -> list[Compared]:
        """The claims of a source beside their slopes, in the order of the tensors.

        malformed : tensors that are wanted where the claim has another shape as well
        """
        problem = self._built.problem
        claim = next(c for c in problem.claims if c.source == source)
        found = {c.tensor: c for c in _compared(problem, self._examination, claim)}
        for tensor in malformed:
            other = None if tensor in found else _malformed(problem, claim, tensor, self._slopes)
            if other is not None:
                found[tensor] = other
        return list(found.values())


class _Slopes:
    """g_o·∂y_o/∂x_i of every tensor that is asked for, by central differences, each computed once."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._known: dict[str, Array | None] = {}

    def of(self, tensor: str) -> Array | None:
        """Shape (m, *S); None where that is too much, or where the function breaks beside the point."""
        if tensor not in self._known:
            self._known[tensor] = self._taken(tensor)
        return self._known[tensor]

    def _taken(self, tensor: str) -> Array | None:
        problem = self._problem
        here = problem.point[tensor]
        if here.dtype != np.float64 or here.size > MOST_ELEMENTS or here.size * problem.value.size > MOST_SLOPES:
            return None
        slopes = np.empty((problem.value.size, here.size))
        for i in range(here.size):
            ends = []
            for direction in (1.0, -1.0):
                moved = here.copy()
                moved.flat[i] += direction * STEP * max(1.0, abs(float(here.flat[i])))
                try:
                    ends.append((problem.function({**problem.point, tensor: moved}), float(moved.flat[i])))
                except GradcheckError:
                    return None
            (ahead, right), (behind, left) = ends
            slopes[:, i] = (ahead - behind) / (right - left)
        if not np.isfinite(slopes).all():
            return None
        return (slopes * problem.upstream[:, None]).reshape(-1, *here.shape)


def _compared(problem: Problem, examination: Examination, claim: Claim) -> Iterator[Compared]:
    for subject, estimate in examination.compared:
        if subject.claim is claim:
            words = subject.comparison.words
            # Where no single element is wrong, those at a kink are, taken together.
            wrong = words == (Word.FAIL if (words == Word.FAIL).any() else Word.KINK)
            yield Compared(
                subject.tensor, problem.point[subject.tensor], subject.claimed, estimate.value, estimate.bound, wrong
            )


def _malformed(problem: Problem, claim: Claim, tensor: str, slopes: _Slopes) -> Compared | None:
    """A gradient of another shape, beside the one by single slopes."""
    if tensor not in claim.gradients:
        return None
    raw, taken = np.asarray(claim.gradients[tensor]), slopes.of(tensor)
    if raw.dtype.kind not in "fiub" or taken is None:
        return None
    numeric = taken.sum(0)
    primal = problem.point[tensor]
    bound = np.full(numeric.shape, 1e-8 * float(np.abs(taken).max(initial=0.0)))
    return Compared(tensor, primal, raw.astype(np.float64), numeric, bound, np.ones(primal.shape, bool))


def _parts(flat: Array, shapes: Sequence[tuple[int, ...]]) -> Iterator[Array]:
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True):
        yield part.reshape(shape)

"""Which small edit of a handwritten backward makes its gradients right: tried one by one, on a copy of its code.

The strongest evidence there is for a mistake and its line. What edits there are is said in `handwritten.edits`. The
file stays as it is; how much is run is counted in runs and lines, so that the same is tried on every machine.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.checking.building.drawing import Built
from gradcheck.checking.explaining.missing_terms import missing_terms
from gradcheck.errors import GradcheckError
from gradcheck.handwritten.edit_sites import Site
from gradcheck.handwritten.edits import Edit, edits, probes
from gradcheck.handwritten.line_limit import Lines, TooManyLinesError
from gradcheck.handwritten.live_functions import LiveFunction, Ran, functions_run
from gradcheck.record import dataclass
from gradcheck.verdict.diagnose import Compared

MOST_RUNS = 800  # of backward: see `make diagnose` for what more of them would find
MOST_LINES = 400_000  # of the user's files in all these runs together: loops over elements are tried less often
MOST_NUMBERS = 5_000  # in all tensors together: beyond that a run is too dear, and its outer products too large
PATIENCE = 4  # an edited run may take so many times the lines of the one as it is, and SLACK more
SLACK = 200
RIGHT = 1e-5  # relative to an element; what an edit makes right is right to rounding
REST = 1e-7  # relative to the tensor's largest slope

Gradients = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Repair:
    """An edit with which a tensor's gradient is right, and no other gets worse.

    file : where it stands
    tensors : those that it makes right; is_whole : these are all that fail
    """

    edit: Edit
    file: str
    tensors: frozenset[str]
    is_whole: bool


def repairs(built: Built, ran: Ran, compared: Sequence[Compared], most: int | None = None) -> list[Repair]:
    """The edits that make failing tensors right, those that mend most of them first, then in the order of `edits`.

    ran : what `functions_of` found
    compared : every tensor of the claim, with the slopes that are right
    most : runs, at most (None: MOST_RUNS); of them one for each value that has a name, to see what hangs on it

    What forward gives stays as it is: a mistake in a loss is none of its gradient. Functions that only forward calls
    are tried where no edit of backward helps.
    """
    numbers = sum(c.primal.size for c in compared)
    # What is called wrong for other reasons than its numbers (at a kink, by a law) no edit can be seen to mend.
    compared = [c for c in compared if not (c.fails and _is_right(c.claimed, c))]
    if built.code is None or not any(c.fails for c in compared) or numbers > MOST_NUMBERS:
        return []
    runs = _Runs(built, ran.lines, min(MOST_RUNS if most is None else most, MOST_LINES // max(ran.lines, 1)))
    by_backward = [live for live in ran.functions if live.in_backward]
    others = [live for live in ran.functions if not live.in_backward]
    return _tried(runs, by_backward, compared) or _tried(runs, others, compared)


def functions_of(built: Built) -> Ran:
    """The functions that the code of a problem runs for its gradients, those that only backward calls first.

    None where one run is too long to be looked at line by line.
    """
    code = built.code
    if code is None:
        return Ran()
    try:
        return functions_run(built.rerun, code.relative, lambda: code.during == "backward", MOST_LINES)
    except (GradcheckError, TooManyLinesError):
        return Ran()


class _Runs:
    """Runs of the code as it stands just now, as many as are left.

    left : runs
    """

    def __init__(self, built: Built, lines: int, most: int) -> None:
        self._built, self.left = built, most
        assert built.code is not None
        self._lines, self._most_lines = Lines(built.code.relative), PATIENCE * lines + SLACK

    def gradients(self, *, needs_outputs: Callable[[Gradients], bool] = lambda found: False) -> Gradients | None:
        """What backward gives; None where it breaks or takes too long.

        needs_outputs : whether, with these gradients, forward has to give what it always gave
        """
        self.left -= 1
        problem, code = self._built.problem, self._built.code
        assert code is not None
        try:
            with code.unnoticed(), self._lines.counted(self._most_lines):
                found = self._built.rerun()
                if needs_outputs(found) and not np.array_equal(problem.function(problem.point), problem.value):
                    return None
        except (GradcheckError, TooManyLinesError):
            return None
        return found

    def keeps_outputs(self) -> bool:
        """Whether forward gives what it always gave."""
        return self.gradients(needs_outputs=lambda found: True) is not None


def _tried(runs: _Runs, functions: Sequence[LiveFunction], compared: Sequence[Compared]) -> list[Repair]:
    found: dict[tuple[str, int, str], Repair] = {}
    failing = {c.tensor for c in compared if c.fails}
    for live, edit in _ordered(runs, functions, compared):
        with live.edited() as is_program:
            gradients = runs.gradients(needs_outputs=lambda g: bool(_mended(g, compared))) if is_program else None
        mended = frozenset() if gradients is None else _mended(gradients, compared)
        if mended:
            found.setdefault((live.file, edit.line, edit.after), Repair(edit, live.file, mended, mended == failing))
        if mended == failing:
            break  # edits come in the order of likelihood
    return sorted(found.values(), key=lambda repair: -len(repair.tensors))


def _ordered(
    runs: _Runs, functions: Sequence[LiveFunction], compared: Sequence[Compared]
) -> Iterator[tuple[LiveFunction, Edit]]:
    """Edits of all the functions in turn, so that none of them uses up the runs of the others.

    First where only failing tensors hang on a value, or nobody knows which (the head of a loop); then where others do
    as well; none where no failing one does.
    """
    shapes_first = any(c.fails and not c.has_right_shape for c in compared)
    reach = {root: names for live in functions for root, names in _reach(runs, live, compared).items()}
    failing = {c.tensor for c in compared if c.fails}

    def hits(site: Site) -> bool:
        names = reach.get(site.root)
        return names is None or (names <= failing and bool(names))

    def may_hit(site: Site) -> bool:
        names = reach.get(site.root)
        return names is not None and bool(names & failing) and not names <= failing

    terms = {live: [t for c in compared if c.fails for t in missing_terms(live.values, c)] for live in functions}
    for keep in (hits, may_hit):
        streams = [
            (live, edits(live.tree, keep, shapes_first=shapes_first, lacking=terms[live] if keep is hits else ()))
            for live in functions
        ]
        while streams:
            for live, stream in list(streams):
                edit = next(stream, None)
                if edit is None:
                    streams.remove((live, stream))
                    continue
                if runs.left <= 0:
                    return
                yield live, edit


def _reach(runs: _Runs, live: LiveFunction, compared: Sequence[Compared]) -> dict[ast.expr, frozenset[str]]:
    """Expression → the tensors whose gradient is another one when its value is; what breaks when moved is left out."""
    before = {c.tensor: c.claimed for c in compared}
    found: dict[ast.expr, frozenset[str]] = {}
    for root in probes(live.tree):
        if runs.left <= 0:
            break
        with live.edited() as is_program:
            gradients = runs.gradients() if is_program else None
            if gradients is not None and not live.in_backward and not runs.keeps_outputs():
                found[root] = frozenset()  # of the function itself: it stays as it is
                continue
        if gradients is not None:
            found[root] = frozenset(
                name for name, array in before.items()
                if name not in gradients or not np.array_equal(np.asarray(gradients[name]), array, equal_nan=True)
            )  # fmt: skip
    return found


def _mended(gradients: Gradients, compared: Sequence[Compared]) -> frozenset[str]:
    """The failing tensors that are right now; none where one that was right is wrong now."""
    mended = set()
    for c in compared:
        is_right = c.tensor in gradients and _is_right(np.asarray(gradients[c.tensor]), c)
        if is_right and c.fails:
            mended.add(c.tensor)
        elif not is_right and not c.fails:
            return frozenset()
    return frozenset(mended)


def _is_right(gradient: NDArray[Any], c: Compared) -> bool:
    if gradient.dtype.kind not in "fiub" or gradient.shape != c.shape:
        return False
    with np.errstate(all="ignore"):
        allowed = RIGHT * np.abs(c.numeric) + REST * float(np.abs(c.numeric).max(initial=0.0)) + 4.0 * c.bound
        return bool((np.abs(gradient - c.numeric) <= allowed).all())

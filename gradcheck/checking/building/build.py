"""From a case to a problem: one builder per kind of case, imported when the first case of its kind comes.

Everything that a case file can still get wrong here (unknown ops, shapes that do not fit) is raised as an error with
its place, all of a case at once where they do not depend on each other.
"""

from __future__ import annotations

from dataclasses import replace

from gradcheck.checking.building.drawing import Built
from gradcheck.errors import FieldError, raise_all
from gradcheck.model.case import Case, CodeBody, FunctionBody

TRIAL_STRIDE = 1_000_003  # seeds of the further points of a case lie this far apart
SWEPT = "let a statement or an array use it, or leave it out of the sweep"


def build(case: Case, trial: int = 0) -> Built:
    """The problem that a case poses at its trial-th random point.

    Raises NotationError, FieldError or SeveralErrors for mistakes of the case file, NonFiniteError where the function
    has no finite value, UserCodeError where somebody's code breaks.
    """
    built = _built(case, case.seed + trial * TRIAL_STRIDE)
    has_names = bool(case.sizes or case.options)
    return _with_unused(case, built) if has_names and trial == 0 and case.variant is None else built


def _built(case: Case, seed: int) -> Built:
    if isinstance(case.body, CodeBody):
        from gradcheck.checking.building.build_code import build_code

        return build_code(case, case.body, seed)
    from gradcheck.checking.building.build_graph import build_function, build_network

    if isinstance(case.body, FunctionBody):
        return build_function(case, case.body, seed)
    return build_network(case, case.body, seed)


def _with_unused(case: Case, built: Built) -> Built:
    """The problem with a note for every size and option that no text uses; what `defaults` offers may stay unused.

    Raises FieldError or SeveralErrors for a swept one: all its combinations would be the same check.
    """
    from gradcheck.casefile.usage import unused_names

    unused = unused_names(case, built.body or case.body)
    swept = [name for name in unused if name in case.swept]
    raise_all(
        FieldError(f"nothing in the case uses '{name}', so every value is the same check", SWEPT, ("sweep", name))
        for name in swept
        if name not in case.inherited
    )
    notes = [
        f"nothing in the case uses '{name}', which the defaults sweep: every value is the same check" for name in swept
    ]
    notes += [
        f"nothing in the case uses the {'size' if name in case.sizes else 'option'} '{name}'"
        for name in unused
        if name not in case.swept and name not in case.inherited
    ]
    return replace(built, notes=lambda: (*built.notes(), *notes)) if notes else built

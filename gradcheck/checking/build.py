"""From a case to a problem: one builder per kind of case, imported when the first case of its kind comes.

Everything that a case file can still get wrong here (unknown ops, shapes that do not fit) is raised as an error with
its place, all of a case at once where they do not depend on each other.
"""

from __future__ import annotations

from gradcheck.checking.drawing import Built
from gradcheck.model.case import Case, CodeBody, FunctionBody

TRIAL_STRIDE = 1_000_003  # seeds of the further points of a case lie this far apart


def build(case: Case, trial: int = 0) -> Built:
    """The problem that a case poses at its trial-th random point.

    Raises NotationError, FieldError or SeveralErrors for mistakes of the case file, NonFiniteError where the function
    has no finite value, UserCodeError where somebody's code breaks.
    """
    seed = case.seed + trial * TRIAL_STRIDE
    if isinstance(case.body, CodeBody):
        from gradcheck.checking.build_code import build_code

        return build_code(case, case.body, seed)
    from gradcheck.checking.build_graph import build_function, build_network

    if isinstance(case.body, FunctionBody):
        return build_function(case, case.body, seed)
    return build_network(case, case.body, seed)

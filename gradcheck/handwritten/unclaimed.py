"""Tensors that take part in a call and that nobody claims a gradient of, as notes: silence would look like a pass.

What takes part is found out by `session/survey.py`; nothing here is a mistake, and nothing is blamed on the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from gradcheck.errors import FieldError
from gradcheck.handwritten.conventions.tables import CACHES, TARGETS
from gradcheck.handwritten.session import CodeError, Session
from gradcheck.model.case import Case

MOST = 6  # names in one note


def unclaimed_notes(
    case: Case,
    session: Session,
    point: Mapping[str, Any],
    wrt: Sequence[str],
    *,
    is_loss: bool,
    depends_on: Callable[[str], bool],
) -> Iterator[str]:
    """Sentences about what is not checked.

    wrt : tensors that are; is_loss : forward gives one number, or backward is given no upstream gradient: then a target
        is no tensor that anybody differentiates
    depends_on : whether forward depends on a tensor of the point
    """
    plan = session.plan
    try:
        found = session.survey(point)
    except CodeError:
        return
    for name in found.untaken:
        if name.lower() not in CACHES:
            yield (
                f"gradients through '{name}' are not checked: forward returns it, and backward takes neither it nor "
                f"'d{name}'"
            )
    if case.wrt is not None:
        return
    # What a whole model is given beside the parameters that it holds is its data.
    data = set(plan["inputs"]) if plan["gradient_at"] is not None and plan["setup"] else set()
    left = [
        name
        for name, array in point.items()
        if array.dtype.kind == "f"
        and name not in {*wrt, *session.wrt, *data}
        and not (is_loss and name.lower() in TARGETS)
        and _depends(depends_on, name)
    ]
    assigned = [name for name in left if name in plan["inputs"] and name not in plan["setup_reads"]]
    held = [*(name for name in left if name not in assigned), *found.held]
    if assigned and plan["gradient_at"] is not None:
        yield _not_held(assigned)
    elif assigned:
        gradients = " or ".join(f"'d{name}'" for name in assigned[:MOST])
        yield f"{_listed(assigned)} not checked: no statement assigns {gradients}"
    if held and plan["gradient_at"] is not None:
        yield _not_held(held)
    elif held:
        where = "its gradient is" if len(held) == 1 else "their gradients are"
        yield f"{_listed(held)} not checked: no gradient_at says where {where}"


def _not_held(names: Sequence[str]) -> str:
    return f"{_listed(names)} not checked: gradient_at holds no gradient of {'it' if len(names) == 1 else 'them'}"


def _depends(depends_on: Callable[[str], bool], name: str) -> bool:
    try:
        return depends_on(name)
    except (CodeError, FieldError):  # code that checks what it is given, and will not have it moved
        return False


def _listed(names: Iterable[str]) -> str:
    """`'W' is`, `'W' and 'b' are`, `'W1', 'b1' and 4 more are`."""
    shown = [f"'{name}'" for name in names]
    if len(shown) > MOST:
        shown = [*shown[: MOST - 1], f"{len(shown) - MOST + 1} more"]
    if len(shown) == 1:
        return f"{shown[0]} is"
    return f"{', '.join(shown[:-1])} and {shown[-1]} are"

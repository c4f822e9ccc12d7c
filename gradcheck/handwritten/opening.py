"""Opening a case with handwritten code: its statements are completed, its file is loaded, its forward is run once.

What is opened so is `runner`'s; the statements are those of `calls` and `conventions`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import FieldError, GradcheckError, raise_all
from gradcheck.handwritten.calls import make_plan
from gradcheck.handwritten.conventions import complete, library_of
from gradcheck.handwritten.doubled import DOUBLE
from gradcheck.handwritten.runner import Handwritten
from gradcheck.handwritten.session import Code, CodeError, Session
from gradcheck.handwritten.session.wrapping import PLAIN
from gradcheck.handwritten.unassigned import unassigned
from gradcheck.model.case import Case, CodeBody


def open_handwritten(case: Case, arrays: Mapping[str, NDArray[Any]], path: Path | None = None) -> Handwritten:
    """Load the code of a case, build its objects and evaluate its forward once at the point.

    case : its body is a CodeBody
    arrays : every input, built; integer arrays stay integers
    path : another file to make the same calls on (a reference, a submission); None for the case's own

    Raises NotationError or FieldError where the statements are at fault, CodeError where the code is.
    """
    body = case.body
    if not isinstance(body, CodeBody):
        raise TypeError(f"expected a case with code, got {type(body).__name__}")
    file = body.path if path is None else path
    if path is None and not file.is_file():
        message = f"no file '{file.name}' beside the case"
        raise FieldError(message, "a path is relative to the case file", ("code",))
    is_guessed = body.arrays is None and (library := library_of(body, file)) is not None
    body = replace(body, arrays=library) if is_guessed else body
    inputs = {name: np.asarray(arrays[name]) for name in case.inputs}
    asked, wrapping = None, PLAIN
    if body.arrays is not None:
        from gradcheck.handwritten.wrapped import make_wrapping, read_arrays  # most cases do without

        asked = read_arrays(case, body)
        wrapping = make_wrapping(asked, inputs)
    # Loaded first: where the file has a syntax error, that is what its author has to hear.
    code = Code(str(file), wrapping)
    floats = tuple(name for name, array in inputs.items() if array.dtype.kind == "f")
    completed, statements, remarks = complete(case, body, file, floats)
    statements = ((f"arrays: {body.arrays}",) if is_guessed else ()) + statements
    for remark in remarks:
        code.note(remark)
    plan = make_plan(case, completed, None if asked is None else asked.plan(body, file))

    def doubled() -> Session:
        return Session(Code(str(file), make_wrapping(asked, inputs, "float64")), plan)

    def returned() -> dict[str, int]:
        probe = Session(code, {**plan, "free": []})
        probe.open(inputs)
        return probe.survey(inputs).returned

    def refuse_unassigned(is_set_up: bool) -> None:
        if path is None:  # the author of another file has not written the statements
            raise_all(unassigned(case, completed, plan, code, is_set_up=is_set_up, returned=returned))

    is_coarse = wrapping.epsilon > DOUBLE
    written_out = replace(case, body=completed)
    with telling(statements):
        try:
            opened = Handwritten(written_out, Session(code, plan), inputs, statements, doubled if is_coarse else None)
        except CodeError as error:
            refuse_unassigned(is_set_up=completed.setup is None or error.during != "load")
            raise
    refuse_unassigned(is_set_up=True)
    return opened


@contextmanager
def telling(statements: tuple[str, ...]) -> Iterator[None]:
    """Whatever goes wrong within says which calls were being run: a shorthand does not show them."""
    try:
        yield
    except (CodeError, GradcheckError) as error:
        error.statements = statements
        raise

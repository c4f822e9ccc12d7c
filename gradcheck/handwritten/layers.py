"""Handwritten layers inside a network: `code("layers.py:LeakyReLU", alpha=0.1)` → a forward and a vjp of one array.

Parameterless layers only: the parameters of a network belong to its own layers, and a handwritten layer with parameters
is a case of `code`. Where the layer is put into the graph is said by the network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gradcheck.errors import FieldError
from gradcheck.handwritten.calls import make_plan
from gradcheck.handwritten.conventions import complete
from gradcheck.handwritten.session import Code, CodeError, Session
from gradcheck.handwritten.statements import lines_of
from gradcheck.location import Location, SourceText
from gradcheck.model.case import Case, CodeBody
from gradcheck.model.problem import Array


class CustomLayer(NamedTuple):
    """forward(x) → y, vjp(g, y, x) → dx, both float64 arrays; parameters : none, by name.

    held : a context for many evaluations in a row
    """

    forward: Callable[[Array], Array]
    vjp: Callable[[Array, Array, Array], Array]
    parameters: Mapping[str, Array]
    notes: Callable[[], tuple[str, ...]]
    held: Callable[[], AbstractContextManager[None]]


def custom_layer(path: Path, entry: str, options: Mapping[str, Any], seed: int = 0) -> CustomLayer:
    """Load a layer class (forward and backward) or a function pair as one step of a network.

    entry : the class, or the function (`relu` finds relu_forward and relu_backward)
    options : keyword arguments of the constructor, or of the function
    Raises FieldError where the file has no such layer, or one that cannot be called with one array, CodeError where its
    code breaks.
    """
    location = Location(str(path), 1, 1)
    case = Case(
        name=entry, location=location, body=CodeBody(path=path, entry=entry), options=options, seed=seed,
        inputs={"x": SourceText("x", (location,))},
    )  # fmt: skip
    code = Code(str(path))
    assert isinstance(case.body, CodeBody)
    try:
        body = complete(case, case.body, path, ("x",)).body
    except CodeError as error:  # the file runs, and has nothing of that name: whoever wrote the name has to hear it
        raise FieldError(error.text, error.hint, ("network",)) from None
    _refuse_unused(entry, options, body)
    session = Session(code, make_plan(case, body))
    parameters = session.open({"x": np.zeros((1, 1))})
    if parameters:
        names = ", ".join(f"'{name}'" for name in parameters)
        hint = "check it by itself, in a case with code, setup and gradient_at"
        raise FieldError(f"the handwritten layer '{entry}' has parameters of its own: {names}", hint, ("network",))

    seen: list[Array] = []  # the last input

    def forward(x: Array) -> Array:
        seen[:] = [x]
        output: Array = session.forward({"x": x})[0]
        return output

    def vjp(g: Array, y: Array, x: Array) -> Array:
        gradients = session.gradients({"x": x}, [g] if session.upstream else [])
        return np.asarray(gradients["x"], dtype=np.float64)

    def notes() -> tuple[str, ...]:
        try:
            held = session.survey({"x": seen[0]}).held if seen else ()
        except CodeError:  # it runs in the network, and not by itself
            held = ()
        names = " and ".join(f"'{name.removeprefix('layer.')}'" for name in held)
        told = f"{names} of '{entry}' {'is' if len(held) == 1 else 'are'} not checked: only its input is"
        return (*session.notes, *([told] if held else []))

    return CustomLayer(forward, vjp, {}, notes, code.held)


def _refuse_unused(entry: str, options: Mapping[str, Any], body: CodeBody) -> None:
    used = {name.id for text in (body.setup, body.forward, body.backward) for name in lines_of(text).read}
    for name in options:
        if name not in used:
            hint = "name an argument of its constructor, or of the function"
            raise FieldError(f"the handwritten layer '{entry}' takes no '{name}'", hint, ("network",))

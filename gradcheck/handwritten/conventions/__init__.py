"""Bare names of functions and classes → the statements they stand for, by the conventions that published code follows.

The conventions are tables (`tables.py`); what they leave open is asked for, with the line to add. Only the text of the
file is read (`outline.py`); running the statements is the business of `session/`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, cast

from gradcheck.handwritten.calls import is_bare
from gradcheck.location import SourceText
from gradcheck.model.case import Case, CodeBody


class Completed(NamedTuple):
    """body : with every bare name replaced by the statement it stands for; statements : those, ready to paste

    notes : what was taken for granted
    """

    body: CodeBody
    statements: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def complete(case: Case, body: CodeBody, file: Path, floats: tuple[str, ...]) -> Completed:
    """The body of a case with its bare names written out as statements.

    file : whose text is read; floats : inputs that have a gradient, in order
    Raises FieldError where the code allows more than one reading, CodeError (missing) where it has no such name.
    """
    has_bare_name = is_bare(body.forward) or is_bare(body.backward)
    if body.build is not None or not (has_bare_name or (body.entry is not None and body.forward is None)):
        return Completed(body)
    # Most cases write their calls out, and do without the rest of this folder.
    from gradcheck.handwritten.conventions.reading import Reading
    from gradcheck.handwritten.conventions.shorthand import statements

    reading = Reading(case, body, file, floats)
    found = statements(reading)
    texts = {key: SourceText(text, (reading.place(key),)) for key, text in found.lines.items()}
    completed = replace(body, **cast(dict[str, Any], texts))
    shown = tuple(f"{key}: {text}" for key, text in found.lines.items())
    if found.gradient_at:
        place = reading.place("gradient_at")
        mapping = {name: SourceText(text, (place,)) for name, text in found.gradient_at.items()}
        completed = replace(completed, gradient_at=mapping)
        shown += (f"gradient_at: {{{', '.join(f'{n}: {_quoted(text)}' for n, text in found.gradient_at.items())}}}",)
    return Completed(completed, shown, tuple(reading.notes))


def library_of(body: CodeBody, file: Path) -> str | None:
    """`torch` or `jax` where the bare name of a case is one of their Functions, modules or decorated functions."""
    has_name = is_bare(body.forward) or (body.entry is not None and body.forward is None and body.backward is None)
    if not has_name or body.build is not None:
        return None
    from gradcheck.handwritten.conventions import tensors

    return tensors.library_of(body, file)


def _quoted(text: str) -> str:
    """An expression as a value inside braces of YAML."""
    return f'"{text}"' if any(c in text for c in "[]{},:#") else text

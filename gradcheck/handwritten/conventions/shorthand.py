"""From the bare names of a case to the convention that they follow: a class, a function pair, or a backward alone.

What each of them is called with is worked out in `classes.py` and `functions.py`.
"""

from __future__ import annotations

from gradcheck.handwritten.calls import is_bare
from gradcheck.handwritten.conventions.classes import class_statements
from gradcheck.handwritten.conventions.functions import backward_only, function_pair
from gradcheck.handwritten.conventions.reading import Found, Reading
from gradcheck.handwritten.conventions.tables import SUFFIXES


def statements(reading: Reading) -> Found:
    """The statements that the bare names stand for.

    Raises FieldError where the code allows more than one reading, CodeError (missing) where it has no such name.
    """
    body, outline = reading.body, reading.outline
    backward = body.backward.text.strip() if body.backward is not None and is_bare(body.backward) else None
    if body.forward is not None and not is_bare(body.forward):
        assert backward is not None
        return backward_only(reading, body.forward, backward)
    name = body.forward.text.strip() if body.forward is not None else body.entry or ""
    if name in outline.classes:
        return class_statements(reading, outline.classes[name])
    if name in outline.functions:
        return function_pair(reading, outline.functions[name], backward)
    for ending, _ in SUFFIXES:  # `code: layers.py:relu` for relu_forward and relu_backward
        if ending and name + ending in outline.functions:
            return function_pair(reading, outline.functions[name + ending], None)
    raise reading.missing(name)

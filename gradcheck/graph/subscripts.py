"""Plain subscripts: slices, and entries of shapes and lists – everything in square brackets that needs no array.

Which elements of an array an index picks is said by the op `index`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.errors import NotationError
from gradcheck.location import Span
from gradcheck.notation import Node, Slice

Worth = Callable[[Node], Any]  # tree → what it stands for
Complain = Callable[[str, str, Span], NotationError]  # message, hint, span → error to raise


def slice_of(tree: Slice, worth: Worth, complain: Complain) -> slice:
    """`1:3` between square brackets."""
    bounds = []
    for part in (tree.start, tree.stop, tree.step):
        bound = None if part is None else worth(part)
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int)):
            raise complain("expected whole numbers around ':'", "write x[1:3]", tree.span)
        bounds.append(bound)
    if bounds[2] == 0:
        raise complain("a step of 0 leads nowhere", "write x[::2]", tree.span)
    return slice(*bounds)


def entry_of(listed: tuple[Any, ...], parts: tuple[Node, ...], span: Span, worth: Worth, complain: Complain) -> Any:
    """An entry of a shape or a list, or a slice of it.

    parts : what stands between the brackets; one number or one slice
    span : the place of it
    """
    only = parts[0] if len(parts) == 1 else None
    if isinstance(only, Slice):
        return listed[slice_of(only, worth, complain)]
    number = None if only is None else worth(only)
    if not isinstance(number, int) or isinstance(number, bool):
        raise complain("expected one whole number as an index", "write x.shape[0]", span)
    if not -len(listed) <= number < len(listed):
        shown = listed if all(isinstance(item, int) for item in listed) else f"a list of {len(listed)}"
        raise complain(f"there is no entry {number} in {shown}", "entries count from 0; -1 is the last", span)
    return listed[number]

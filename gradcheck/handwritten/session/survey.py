"""What takes part in a forward and is named nowhere in its plan: results left alone, arrays that its objects hold.

Told, so that nobody takes them for checked; whether that matters is decided by those who ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .evaluation import Evaluation
from .expressions import Names
from .inside import parameters_inside
from .interrupts import is_from_outside
from .parameters import Place
from .statements import assigned
from .values import ARRAYS, changed
from .wrapping import Found, Step, Steps

MAX_MOVED = 16  # arrays of objects that are looked at; each takes two forwards
FAR = 0.25  # a distance that shows in the outputs whatever is computed, relative to elements above one


@dataclass(frozen=True)
class Survey:
    """returned : name → how many values forward put there: the length of a tuple, else one

    untaken : results that are arrays of floats, and that neither backward nor any other statement reads
    held : arrays of floats inside the objects that forward computes with and leaves as they are, as one would write
        them (`layer.W`), without those that are inputs or parameters of the plan
    """

    returned: dict[str, int]
    untaken: tuple[str, ...]
    held: tuple[str, ...]


def survey(evaluation: Evaluation, point: dict[str, Any]) -> Survey:
    """Run forward a few times and look; between `enter` and `leave`, for the code may raise what it likes."""
    names = evaluation.begin(point)
    evaluation.go_forward(names)
    returned = {name: len(value) if isinstance(value, tuple) else 1 for name, value in names.items()}
    untaken = [name for name in evaluation.plan["untaken"] if _is_floats(evaluation.wrapping.array(names.get(name)))]
    return Survey(returned, tuple(untaken), tuple(_held(evaluation, point, names)))


def _held(evaluation: Evaluation, point: dict[str, Any], names: Names) -> Iterator[str]:
    """Arrays that, moved between two forwards, change what the second one gives, and that it does not set itself.

    The first forward makes what is made lazily. A cache is overwritten by the second, a hidden state moved on.
    """
    if evaluation.plan["arrays"] is not None:  # the library, or the engine, knows its parameters
        return
    known = [place.get(names) for place in evaluation.parameters.places.values()]
    known += [value for value in point.values() if isinstance(value, ARRAYS)]
    found = [
        (thing, steps, array)
        for thing in _made(evaluation.plan)
        for _, array, steps in parameters_inside(names.get(thing), _arrays)
        if not any(_is_same(array, other) for other in known)
    ]
    still = _outputs(evaluation, point, None, None) if found else None
    for thing, steps, array in found[:MAX_MOVED]:
        place = Place(_themselves, (("item", thing), *steps), evaluation.wrapping)
        signs = np.random.default_rng(0).choice([-1.0, 1.0], array.shape)
        moved = (array + FAR * signs * np.maximum(np.abs(array), 1.0)).astype(array.dtype)
        outputs = _outputs(evaluation, point, place, moved)
        if outputs is None or still is None:
            continue
        if any(changed(a, b) for a, b in zip(outputs, still, strict=False)):
            yield thing + "".join(map(_written, steps))


def _outputs(evaluation: Evaluation, point: dict[str, Any], place: Place | None, moved: Any) -> list[Any] | None:
    """What a second forward on the same objects gives, one array moved before it; None where it sets that itself."""
    try:
        names = evaluation.begin(point)
        evaluation.go_forward(names)
        names.update(evaluation.wrapped(point))
        if place is not None:
            place.put(names, moved)
        evaluation.code.seed(evaluation.plan["seed"])
        evaluation.go_forward(names)
        outputs = evaluation.read_outputs(names)
        return None if place is not None and changed(place.get(names), moved) else outputs
    except BaseException as error:  # it cannot be called twice, or not with such an array
        if is_from_outside(error):
            raise
        return None


def _written(step: Step) -> str:
    kind, key = step
    return f".{key}" if kind == "attribute" else f'["{key}"]' if isinstance(key, str) else f"[{key!r}]"


def _themselves(names: Names) -> Names:
    return names


def _made(plan: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(name for line in plan["setup"] for name in assigned(line["target"])))


def _arrays(value: Any) -> Iterator[Found] | None:
    if not isinstance(value, ARRAYS):
        return None
    steps: Steps = ()
    return iter([("", value, steps)] if _is_floats(value) else [])


def _is_floats(value: Any) -> bool:
    """An array of floats with axes; a single number is a setting more often than a parameter."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim > 0 and value.size > 0


def _is_same(array: Any, other: Any) -> bool:
    """Whether an array is another one, a view of it, or holds its numbers in another shape or order of axes."""
    if not isinstance(other, ARRAYS) or np.may_share_memory(array, other):
        return isinstance(other, ARRAYS)
    return array.size == other.size and np.array_equal(np.sort(array, axis=None), np.sort(other, axis=None))

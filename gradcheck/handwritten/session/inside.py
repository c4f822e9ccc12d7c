"""What stands inside somebody's objects: dicts, lists, tuples and attributes within each other, each object once.

Which of it is a parameter is told by those who ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from .wrapping import Found, Step, Steps

MAX_NESTING = 12


def parameters_inside(
    value: Any,
    known: Callable[[Any], Iterator[Found] | None],
    name: str = "",
    steps: Steps = (),
    seen: set[int] | None = None,
) -> Iterator[Found]:
    """(name, array, steps) of every parameter; the name is the way to it: `layers_0_W`.

    known : the parameters of a value that is looked into no further, or None
    """
    seen = set() if seen is None else seen
    if id(value) in seen or len(steps) > MAX_NESTING:
        return
    seen.add(id(value))
    own = known(value)
    if own is not None:
        for inner, array, more in own:
            yield _joined(name, inner), array, (*steps, *more)
        return
    for word, part, step in _parts(value):
        yield from parameters_inside(part, known, _joined(name, word), (*steps, step), seen)


def _parts(value: Any) -> list[tuple[str, Any, Step]]:
    if isinstance(value, Mapping):
        return [(str(key), part, ("item", key)) for key, part in value.items()]
    if isinstance(value, list | tuple):
        words = getattr(value, "_fields", range(len(value)))
        return [(str(word), part, ("item", i)) for i, (word, part) in enumerate(zip(words, value, strict=True))]
    if not hasattr(value, "__dict__") or isinstance(value, type | ModuleType) or hasattr(value, "__code__"):
        return []
    return [(key, part, ("attribute", key)) for key, part in vars(value).items()]


def _joined(name: str, word: str) -> str:
    return f"{name}_{word}" if name and word else name or word

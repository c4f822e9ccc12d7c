"""Composed functions: formulas over ops in the notation of case files, with options; they have no gradient rules.

The mechanism only: losses and penalties stand in rooms of their own, what the ops mean in `ops`; how arguments are
matched is said in `calls`, whose formulas are traced, and how errors get their place, in `tracer`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray

from gradcheck.errors import did_you_mean
from gradcheck.graph.scalars import is_number
from gradcheck.ops.registry import REQUIRED
from gradcheck.record import dataclass, field

NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Option:
    """What a composed function is told beside its arrays: a plain value, known before anything is computed.

    default : its value where none is given; REQUIRED where one must be
    expected : what it has to be, words that go on from "expected"
    allows : whether a value will do
    choices : the texts among which it chooses, or none
    """

    default: Any
    expected: str
    allows: Callable[[Any], bool]
    choices: tuple[str, ...] = ()

    def advice(self, name: str, given: Any, otherwise: str) -> str:
        """The next step for somebody who gave it a value that will not do."""
        if not self.choices:
            return otherwise if self.default is REQUIRED else f"leave it out for the default, {self.default!r}"
        return did_you_mean(given if isinstance(given, str) else "", self.choices, f"write {name}={self.choices[0]!r}")


def above(low: float, default: Any = REQUIRED) -> Option:
    """A number larger than `low`."""
    return Option(default, f"a number above {low}", lambda value: is_number(value) and low < value < inf)


def at_least(low: float, default: Any = REQUIRED) -> Option:
    """A number that is `low` or larger."""
    return Option(default, f"a number of at least {low}", lambda value: is_number(value) and low <= value < inf)


def chosen(*choices: str) -> Option:
    """One of a few texts, by default the first."""
    *others, last = (repr(choice) for choice in choices)
    return Option(choices[0], f"{', '.join(others)} or {last}", lambda value: value in choices, choices)


def switch(default: bool) -> Option:
    return Option(default, "True or False", lambda value: isinstance(value, bool))


@dataclass(frozen=True, slots=True)
class Composed:
    """A function that is a formula over ops.

    parameters : names of the arrays that it must be given
    formula : the text, in which arrays and options go by their names; or a function `formula(**arrays, **options)` that
        chooses it by shapes, class numbers and options. It raises ShapeError, whose message goes on from the name
        ("expected …"), for what does not fit
    meaning : one line for people
    optional : names of the arrays that it may be given besides; None where they are not
    options : name → Option, in the order in which they may be written without a name
    classes : parameters that hold class numbers, which stay integers
    example : parameter → a text of the array notation: arrays that make it worth something
    """

    name: str
    parameters: tuple[str, ...]
    formula: str | Callable[..., str]
    meaning: str
    optional: tuple[str, ...] = ()
    options: Mapping[str, Option] = field(default_factory=dict)
    classes: frozenset[str] = frozenset()
    example: Mapping[str, str] = field(default_factory=dict)

    @property
    def signature(self) -> str:
        """How it is called: "huber(prediction, target, delta=1.0, reduction='mean')"."""
        return self.signature_without(())

    def signature_without(self, supplied: tuple[str, ...]) -> str:
        """The same where some arrays are supplied by the place it is written in; a bare name if nothing is left."""
        parts = [name if self.default(name) is REQUIRED else f"{name}={self.default(name)!r}" for name in self.places]
        kept = [part for part, name in zip(parts, self.places, strict=True) if name not in supplied]
        return f"{self.name}({', '.join(kept)})" if kept else self.name

    @property
    def places(self) -> tuple[str, ...]:
        """The names of arrays and options in the order in which they may be written without a name."""
        return (*self.parameters, *self.optional, *self.options)

    def default(self, name: str) -> Any:
        """What an array or an option is where it is not given; REQUIRED where it must be."""
        return self.options[name].default if name in self.options else None if name in self.optional else REQUIRED

    def text(self, arrays: Mapping[str, NDArray[Any]], options: Mapping[str, Any]) -> str:
        """The formula for arrays and options. Raises ShapeError where they do not fit together."""
        if isinstance(self.formula, str):
            return self.formula
        return self.formula(**{**dict.fromkeys(self.optional), **arrays, **options})

"""Our quick `dataclass` and the standard one cannot be told apart by what their classes do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from gradcheck import record


def make(decorator: Callable[..., Any], **options: Any) -> Any:
    """A class of every kind of field, made by one of the two."""

    @decorator(frozen=True, slots=True, **options)
    class Point:
        """A point."""

        x: float
        label: str = "origin"
        tags: list[str] = dataclasses.field(default_factory=list)
        hidden: int = dataclasses.field(default=7, repr=False, compare=False)

        @property
        def double(self) -> float:
            return 2 * self.x

    return Point


@record.dataclass(frozen=True, slots=True)
class Pair:
    """Importable, so that it can be pickled."""

    left: int
    right: tuple[int, ...] = ()


def outcome(action: Callable[[], Any]) -> Any:
    """What an action returns, or the type of what it raises."""
    try:
        return action()
    except Exception as error:
        return type(error)


ACTIONS: dict[str, Callable[[Any], Any]] = {
    "repr": lambda c: repr(c(1.5, tags=["a"])).partition(".Point")[2],
    "fields": lambda c: [(f.name, f.default is dataclasses.MISSING) for f in dataclasses.fields(c)],
    "is a dataclass": lambda c: dataclasses.is_dataclass(c),
    "equal": lambda c: (c(1.0) == c(1.0), c(1.0) == c(2.0), c(1.0) == 1.0, c(1.0) == c(1.0, hidden=8)),
    "hash": lambda c: len({c(1.0, "a", ()), c(1.0, "a", (), hidden=8), c(2.0, "a", ())}),
    "hash of a list": lambda c: type(hash(c(1.0))),
    "replace": lambda c: dataclasses.replace(c(1.0, "a"), x=3.0).x,
    "default factory makes a new one": lambda c: c(1.0).tags is c(1.0).tags,
    "property": lambda c: c(4.0).double,
    "set": lambda c: setattr(c(1.0), "x", 2.0),
    "delete": lambda c: delattr(c(1.0), "x"),
    "no dictionary": lambda c: hasattr(c(1.0), "__dict__"),
    "too few": lambda c: c(),
    "too many": lambda c: c(1, 2, 3, 4, 5),
    "unknown": lambda c: c(1, y=2),
    "match": lambda c: c.__match_args__,
    "copy": lambda c: copy.copy(c(2.0, "b")).label,
    "deep copy": lambda c: copy.deepcopy(c(2.0, tags=["z"])).tags,
    "doc": lambda c: c.__doc__,
    "as a dict": lambda c: dataclasses.asdict(c(2.0)),
}


@pytest.mark.parametrize("options", [{}, {"eq": False}, {"repr": False}], ids=str)
@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS.keys())
def test_a_class_behaves_as_the_standard_one(action: Callable[[Any], Any], options: dict[str, Any]) -> None:
    ours, standard = make(record.dataclass, **options), make(dataclasses.dataclass, **options)
    if options == {"repr": False} and action is ACTIONS["repr"]:
        assert repr(ours(1.0)).startswith("<")
    else:
        assert outcome(lambda: action(ours)) == outcome(lambda: action(standard))


def test_a_value_survives_pickling() -> None:
    pair = Pair(1, (2, 3))
    assert pickle.loads(pickle.dumps(pair)) == pair


def test_what_is_not_plain_goes_to_the_standard_decorator() -> None:
    @record.dataclass(frozen=True, slots=True, order=True)
    class Ordered:
        x: int

    @record.dataclass(frozen=True, slots=True)
    class Checked:
        x: int
        y: int = dataclasses.field(init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "y", self.x + 1)

    @record.dataclass(frozen=True, slots=True)
    class Late:
        x: int
        y: list[int] = dataclasses.field(init=False, default_factory=list)

    @record.dataclass
    class Open:
        x: int

    thing = Open(1)
    thing.x = 2
    assert (Ordered(1) < Ordered(2), Checked(1).y, Late(1).y, thing.x) == (True, 2, [], 2)


def test_a_subclass_keeps_the_fields_of_its_base() -> None:
    @record.dataclass(frozen=True, slots=True)
    class Base:
        x: int

    @record.dataclass(frozen=True, slots=True)
    class Derived(Base):
        y: int = 0

    assert (Derived(1, 2).x, Derived(1).y) == (1, 0)
    assert Derived(1) != Base(1)

"""Where parameters live in the objects that somebody's code made: found once, by name, and set for every evaluation.

The candidates were proposed in `places.py`, before the code was loaded; the gradients of what is found are
`gradients.py`'s.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from .errors import LackError
from .expressions import Evaluate, Names, Node, compile_expression
from .statements import assigned
from .values import DATA, Arrays
from .wrapping import Step, Steps, Wrapping

MAX_NESTING = 6  # containers within each other


class Place:
    """Where one parameter lives: an expression and the steps from there."""

    def __init__(self, base: Evaluate, steps: Steps, wrapping: Wrapping) -> None:
        self.base, self.steps, self.wrapping = base, steps, wrapping

    def get(self, names: Names) -> Any:
        value = self.base(names)
        for step in self.steps:
            value = _take(value, step)
        return value

    def put(self, names: Names, value: Any) -> None:
        """Set in place where that is possible, so that every other reference to the same array sees it too."""
        holders = [self.base(names)]
        for step in self.steps:
            holders.append(_take(holders[-1], step))
        current = holders.pop()
        if self.wrapping.put(current, value):
            return
        if not self.steps:
            raise LackError("a parameter cannot be set there", "name an attribute or an item: layer.W", kind="invalid")
        new = self.wrapping.replacement(current, value)
        for holder, step in zip(reversed(holders), reversed(self.steps), strict=True):
            if not isinstance(holder, tuple):
                _set(holder, step, new)
                return
            parts = [new if i == step[1] else part for i, part in enumerate(holder)]
            new = type(holder)(*parts) if hasattr(holder, "_fields") else tuple(parts)


class Parameters:
    """The parameters of a plan, once its setup has run.

    places : name → place
    keys : name → the way to it, and to its gradient, within a container; only of those that were found in one
    optional : names that are judged only where there is a gradient of them
    are_global : whether one is a variable of a module, which has to be put back after every evaluation
    """

    def __init__(self, plan: Mapping[str, Any], module: Mapping[str, Any], wrapping: Wrapping) -> None:
        self.plan, self.module, self.wrapping = plan, module, wrapping
        self.places: dict[str, Place] = {}
        self.keys: dict[str, Steps] = {}
        self.optional: set[str] = set(plan["optional"])
        self.are_global = False

    @property
    def are_expected(self) -> bool:
        return bool(self.plan["parameters"] or self.plan["parameters_at"])

    def find(self, names: Names) -> Arrays:
        """Fill `places`; returns copies of what is there. Raises LackError where a parameter is nowhere."""
        found: Arrays = {}
        for name, candidates in self.plan["parameters"].items():
            for node in candidates:
                place, array = self._look(node, names)
                if array is not None:
                    self.places[name], found[name] = place, array
                    break
            else:
                raise self._nowhere(name, names)
        for node in self.plan["parameters_at"]:
            if self._find_inside(node, names, found):
                break
        self._find_made(names, found)
        return {name: np.array(array) for name, array in found.items()}

    def put(self, names: Names, point: Mapping[str, Any]) -> None:
        """Set every parameter that was found to its value at a point."""
        for name, place in self.places.items():
            place.put(names, point[name])

    def _look(self, node: Node, names: Names) -> tuple[Place, Any]:
        """One candidate: the place and the floating array there, or None where there is none."""
        steps: Steps = ()
        is_global = False
        match node:
            case ["attribute", holder, name]:
                base, steps = compile_expression(holder, self.module), (("attribute", name),)
            case ["item", holder, index]:
                key = compile_expression(index, self.module)(names)
                base, steps = compile_expression(holder, self.module), (("item", key),)
            case ["name", name]:
                # An input that no statement takes is there to set the variable of its name.
                is_global = name not in names or (name in self.plan["unread"] and name in self.module)
                base, steps = (lambda names: self.module if is_global else names), (("item", name),)
            case _:
                base = compile_expression(node, self.module)
        place = Place(base, steps, self.wrapping)
        try:
            found, more = self.wrapping.leaf(place.get(names))
        except (LackError, AttributeError, LookupError, TypeError):
            return place, None
        self.are_global |= is_global and found is not None
        return Place(base, (*steps, *more), self.wrapping), found

    def _nowhere(self, name: str, names: Names) -> LackError:
        made = [n for line in self.plan["setup"] for n in assigned(line["target"]) if n in names]
        where = f" in '{type(names[made[0]]).__name__}'" if made else ""
        hint = f"say where it is: parameters_at: {{{name}: layer.{name}}}"
        return LackError(f"there is no parameter '{name}'{where}", hint)

    def _find_inside(self, node: Node, names: Names, found: Arrays) -> bool:
        """Take every parameter of a container that is not found yet; whether there was any."""
        written = compile_expression(node, self.module)

        def base(names: Names) -> Any:
            return _settled(written(names))

        try:
            container = base(names)
        except LackError:
            if len(self.plan["parameters_at"]) == 1:
                raise
            return False
        stem = _last_name(node)
        inside = self.wrapping.parameters(container)
        is_known = inside is not None
        any_new = False
        for name, array, steps in inside if inside is not None else _walk(container, stem, (), self.wrapping):
            if is_known:
                name = _as_name(name, stem, found)
            if name in found or (name in self.plan["inputs"] and name not in self.plan["unread"]):
                continue
            any_new = True
            key = _without_data(steps)
            self.places[name], self.keys[name], found[name] = Place(base, steps, self.wrapping), key, array
            if key and key[-1][0] == "attribute" and not is_known:
                self.optional.add(name)
        return any_new

    def _find_made(self, names: Names, found: Arrays) -> None:
        """Take every parameter of the objects that the setup made, where the wrapping knows one when it sees it."""
        made = {thing: self.wrapping.parameters(names[thing]) for thing in self.plan["made"] if thing in names}
        inside = {thing: list(parameters or ()) for thing, parameters in made.items()}
        taken = {name for name in self.plan["inputs"] if name not in self.plan["unread"]}
        is_alone = sum(map(bool, inside.values())) == 1
        seen: set[int] = set()  # one that two objects share is one parameter
        for thing, parameters in inside.items():
            for inner, array, steps in parameters:
                place = Place(lambda names: names, (("item", thing), *steps), self.wrapping)
                holder = id(place.get(names))
                if holder in seen:
                    continue
                seen.add(holder)
                name = _as_name(inner if is_alone or not inner else f"{thing}_{inner}", thing, {*taken, *found})
                self.places[name], found[name] = place, array


def _take(holder: Any, step: Step) -> Any:
    return getattr(holder, step[1]) if step[0] == "attribute" else holder[step[1]]


def _set(holder: Any, step: Step, value: Any) -> None:
    kind, key = step
    if kind == "item":
        holder[key] = value
        return
    try:
        setattr(holder, key, value)
    except AttributeError:  # a frozen dataclass: this one is our own copy
        object.__setattr__(holder, key, value)


def _settled(container: Any) -> Any:
    """What `net.parameters()` and `net.named_parameters()` give can be looked through only once; a copy, many times."""
    if not isinstance(container, Iterator):
        return container
    parts = list(container)
    is_named = bool(parts) and all(isinstance(part, tuple) and len(part) == 2 for part in parts)
    return dict(parts) if is_named and all(isinstance(name, str) for name, _ in parts) else parts


def _as_name(name: str, stem: str, taken: Container[str]) -> str:
    """A name that can be written in a case file: `fc1.weight` → fc1_weight, `0.weight` of net → net_0_weight."""
    plain = re.sub(r"\W+", "_", name).strip("_")
    return plain if plain.isidentifier() and plain not in taken else f"{stem}_{plain}".strip("_")


def _walk(value: Any, stem: str, steps: Steps, wrapping: Wrapping, depth: int = 0) -> Iterator[tuple[str, Any, Steps]]:
    """(name, array, steps) of every parameter in a container: a dict, a list, an object, or those within each other."""
    found, more = wrapping.leaf(value)
    if found is not None:
        yield stem, found, (*steps, *more)
    elif depth < MAX_NESTING:
        parts: list[tuple[str, Any, Step]] = []
        dot = f"{stem}." if stem and depth else ""
        if isinstance(value, Mapping):
            parts = [(f"{dot}{key}", inner, ("item", key)) for key, inner in value.items()]
        elif isinstance(value, list | tuple):
            parts = [(f"{stem}[{i}]", inner, ("item", i)) for i, inner in enumerate(value)]
        elif hasattr(value, "__dict__") and not callable(value) and not isinstance(value, ModuleType):
            parts = [(f"{dot}{key}", inner, ("attribute", key)) for key, inner in vars(value).items()]
        for name, inner, step in parts:
            yield from _walk(inner, name, (*steps, step), wrapping, depth + 1)


def _last_name(node: Node) -> str:
    """`net.params` and `net.params()` are called params: the elements of a list are named after it."""
    while node[0] in ("call", "item"):
        node = node[1]
    return str(node[-1])


def _without_data(steps: Steps) -> Steps:
    """The steps to the object that stands for a parameter, without the last one into its array."""
    return steps[:-1] if len(steps) > 1 and steps[-1][0] == "attribute" and steps[-1][1] in DATA else steps

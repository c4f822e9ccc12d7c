"""Guesses of the shapes of a call's arrays, the likeliest first: what its text says, filled up with what is customary.

A guess is a shape per array, in names of sizes; which of them is right is seen when forward is run (`trial.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from string import ascii_letters

from gradcheck.handwritten.scaffold.docstrings import ANY, Shape
from gradcheck.handwritten.scaffold.facts import FunctionFacts
from gradcheck.handwritten.scaffold.vocabulary import family_of, loss_family, role_of
from gradcheck.handwritten.scaffold.worlds import (
    GATES,
    IMAGE_SIZES,
    PREFERRED,
    SIZES,
    TARGETS,
    USUAL,
    WORLDS,
    World,
    is_image,
)


@dataclass(frozen=True)
class Guess:
    """shapes : array → shape; kinds : array → normal, unit (between 0 and 1), ids, bits, one hot

    bound : what whole numbers stay below; customary : size → what it is usually called
    is_said : whether the shapes stand in the docstring, all of them
    """

    shapes: Mapping[str, Shape]
    kinds: Mapping[str, str]
    bound: str
    customary: Mapping[str, str]
    is_said: bool


@dataclass(frozen=True)
class Question:
    """What is asked for.

    arrays : names in order; facts : of forward; title : name of the function or class; kind : of the subject
    sizes : role → the name that the constructor has for a size of that role
    """

    arrays: Sequence[str]
    facts: FunctionFacts
    title: str
    kind: str
    sizes: Mapping[str, str]

    @property
    def family(self) -> str:
        return family_of(self.title)

    @property
    def is_loss(self) -> bool:
        return self.kind in ("loss", "model") or bool(loss_family(self.title))

    def roles(self) -> dict[str, str]:
        """Array → role. A bias needs a weight and targets need a loss; else they are data, or added to it."""
        roles = {name: role_of(name) for name in self.arrays}
        has_weight = bool({"weight", "wx", "wh"} & set(roles.values()))
        if self.family == "embedding" and "ids" not in roles.values():
            roles.update({name: "ids" for name, role in roles.items() if role == "data"})
        for name, role in roles.items():
            if role == "bias" and not has_weight:
                roles[name] = "data" if "a" in self.arrays else "shift"  # `add(a, b)` takes two of a kind
            if role == "labels" and not self.is_loss:
                roles[name] = "data"
        return roles


def guesses(question: Question) -> Iterator[Guess]:
    """Guesses for the arrays of a call, each once."""
    family, roles = question.family, question.roles()
    known = {**question.facts.unpacked, **question.facts.documented}
    names = dict.fromkeys((*PREFERRED.get(family, ()), *USUAL, *WORLDS))
    # Worlds whose data have as many axes as the text gives them come first: their sizes have the right meaning.
    worlds = sorted((WORLDS[name] for name in names), key=lambda world: _strangeness(world, roles, known))
    targets = TARGETS[(loss_family(question.title) or "loss") if question.is_loss else ""]
    targets = targets if "labels" in roles.values() else targets[:1]
    # A logarithm without an exp to go with it: what it is taken of are probabilities.
    takes_log = question.is_loss and "log" in question.facts.words and "exp" not in question.facts.words
    domains = ("unit", "normal") if takes_log and question.kind != "model" else ("normal", "unit")
    choices = product(enumerate(worlds), enumerate(targets), enumerate(domains))
    seen: list[Guess] = []
    unfit: list[Guess] = []
    for (_, world), (_, target), (_, domain) in sorted(choices, key=lambda c: c[0][0] + c[1][0] + 6 * c[2][0]):
        guess = _guess(question, roles, world, target, domain)
        fits = all(len(guess.shapes[name]) >= question.facts.ranks.get(name, 0) for name in question.arrays)
        if not fits:
            unfit.append(guess)
        elif guess not in seen:
            seen.append(guess)
            yield guess
    if not seen:
        yield unfit[0]


def _strangeness(world: World, roles: Mapping[str, str], known: Mapping[str, Sequence[object]]) -> int:
    """How many arrays have another number of axes in a world than their text gives them."""
    pairs = ((known[name], world.get(role, world["data"])) for name, role in roles.items() if name in known)
    return sum(ANY not in shape and len(shape) != len(customary) for shape, customary in pairs)


def _guess(question: Question, roles: Mapping[str, str], world: World, target: str, domain: str) -> Guess:
    documented = {n: shape for n, shape in question.facts.documented.items() if n in roles}
    known = {**{n: s for n, s in question.facts.unpacked.items() if n in roles}, **documented}
    customary = _customary(question, roles, world)
    sizes = IMAGE_SIZES if is_image(world) else SIZES
    names = {sizes[role]: name for role, name in question.sizes.items() if role in sizes}
    unpacked: set[str] = set()
    for name, shape in known.items():
        if len(shape) == len(customary[name]):
            pairs = zip(customary[name], shape, strict=True)
            told = {c: here for c, here in pairs if here and c.isidentifier() and here.isidentifier()}
            if name not in documented:  # `d_filter` of the weights is the `d_x` of the data, unpacked once more
                again = {here: names[c] for c, here in told.items() if names.get(c, here) in unpacked}
                known[name] = shape = tuple(again.get(dim, dim) if dim else dim for dim in shape)
                told = {c: again.get(here, here) for c, here in told.items()}
                unpacked |= set(told.values())
            names.update(told)
    shapes = {name: _merged(shape, known.get(name), names) for name, shape in customary.items()}
    bound = _bound(question, roles, shapes, names)
    kinds = {}
    for name, role in roles.items():
        kinds[name] = _kind(name, role, question.facts, target, domain)
        if role == "labels" and name not in known:
            shapes[name] = _as_targets(shapes[name], kinds[name], bound)
    back = {here: size for size, here in names.items()}
    return Guess(shapes, kinds, bound, back, set(roles) <= set(documented))


def _customary(question: Question, roles: Mapping[str, str], world: World) -> dict[str, Shape]:
    """The shapes of a world, with the gates of a recurrent layer and the classes of a loss."""
    if question.family == "matmul" and len(roles) == 2:
        return dict(zip(roles, (("N", "D"), ("D", "M")), strict=True))
    gates = next((number for word, number in GATES.items() if word in question.title.lower()), 1)
    is_recurrent = "wh" in roles.values()
    has_weight = bool({"weight", "wx"} & set(roles.values()))
    shapes: dict[str, Shape] = {}
    layers = _layers(roles)
    for name, role in roles.items():
        shape = world.get("targets" if role == "labels" and has_weight else role, world["data"])
        if is_recurrent and role in ("wx", "wh", "bias"):
            at = 0 if role != "bias" and world.get("wx") == ("H", "D") else len(shape) - 1
            at = next(i for i, dim in enumerate(shape) if dim not in ("1", "D")) if role == "bias" else at
            shape = (*shape[:at], "H" if gates == 1 else f"{gates}*H", *shape[at + 1 :])
        if name in layers:
            shape = tuple(layers[name].get(dim, dim) for dim in shape)
        shapes[name] = shape
    if question.kind != "model" and question.is_loss and "labels" in roles.values():
        scores = "M" if has_weight else "D"
        shapes = {name: tuple("C" if dim == scores else dim for dim in shape) for name, shape in shapes.items()}
    return shapes


def _layers(roles: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Weight or bias → names of its sizes, where W1, W2, … are layers, each taking what the one before it gives."""
    numbered = {
        name: int(name.lstrip(ascii_letters + "_"))
        for name, role in roles.items()
        if role in ("weight", "bias") and name[-1:].isdigit() and name.lstrip(ascii_letters + "_").isdigit()
    }
    order = sorted({n for name, n in numbered.items() if roles[name] == "weight"})
    if len(order) < 2:
        return {}
    hidden = ["D", *(f"H{i}" if len(order) > 2 else "H" for i in range(1, len(order))), "M"]
    return {
        name: {"D": hidden[order.index(n)], "M": hidden[order.index(n) + 1]}
        for name, n in numbered.items()
        if n in order
    }


def _bound(question: Question, roles: Mapping[str, str], shapes: Mapping[str, Shape], names: Mapping[str, str]) -> str:
    """What labels and ids stay below: the rows of a table, the classes of a model, the columns of scores."""
    weights = [shapes[name] for name, role in roles.items() if role == "weight"]
    if question.kind == "model":
        return names.get("C", names.get("M", "2"))
    if weights and len(weights[0]) > 1:
        bound = weights[-1][-1] if "labels" in roles.values() else weights[0][0]
        return "2" if bound == "1" else bound  # one column tells two classes apart
    scores = next((shapes[n] for n, role in roles.items() if role not in ("labels", "mask", "ids")), ())
    return scores[-1] if scores else "2"


def _kind(name: str, role: str, facts: FunctionFacts, target: str, domain: str) -> str:
    if role == "ids" or name in facts.indexes:
        return "ids"
    if role == "mask":
        return "bits"
    if role == "labels":
        shape = facts.documented.get(name)
        is_vector = shape is not None and len(shape) < 2
        return domain if target == "same" else "ids" if target == "one hot" and is_vector else target
    return domain


def _as_targets(outputs: Shape, kind: str, bound: str) -> Shape:
    """The shape of targets for outputs: one whole number for a row of scores, or a number for each of them."""
    if kind == "ids" and outputs[-1:] == ("N",):  # a column for each
        return outputs if outputs[0] == "1" else ("N",)
    if kind == "ids":
        return outputs[:-1] if len(outputs) > 1 else outputs
    return (*outputs[:-1], bound) if kind == "one hot" else outputs


def _merged(customary: Shape, known: tuple[str | None, ...] | None, names: Mapping[str, str]) -> Shape:
    """The shape that the text gives, its gaps filled with what is customary."""
    usual = tuple(renamed(dim, names) for dim in customary)
    if known is None:
        return usual
    if ANY in known:  # (N, …): the customary rest
        at = known.index(ANY)
        return (*(dim or "D" for dim in known[:at]), *(usual[at:] or (names.get("D", "D"),)))
    filled = usual if len(usual) == len(known) else tuple(f"D{i + 1}" for i in range(len(known)))
    return tuple(other if dim is None else dim for dim, other in zip(known, filled, strict=True))


def renamed(dim: str, names: Mapping[str, str]) -> str:
    """An entry of a shape with another name for its size: `4*H` becomes `4*hidden`."""
    times, star, size = dim.rpartition("*")
    return f"{times}{star}{names.get(size, size)}"

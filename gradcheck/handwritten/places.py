"""Where a parameter may be found when only its gradient was named: `layer.dW` suggests `layer.W`.

Proposes places in order, as expressions; which of them exists is seen by `session/` once the object is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gradcheck.handwritten.statements import Plain

CONTAINERS = ("params", "parameters", "weights")  # attributes under which layers and models keep their arrays


def parameter_places(name: str, gradient: Plain | None, objects: Iterable[str], before: list[Plain]) -> list[Plain]:
    """Expressions that may hold the parameter `name`, the likeliest first.

    gradient : the expression of its gradient under `gradient_at`, or None
    objects : names that `setup` gives
    before : arguments of `before(…)`, the parameter itself where its change is the gradient
    """
    found: list[Plain] = []
    if gradient is not None:
        found += [before[node[1]] for node in nodes(gradient) if node[0] == "before"]
        for node in nodes(gradient):
            if node[0] == "attribute" and node[2] in ("grad", "gradient", "g"):
                found.append(node[1])  # `layer.W.grad` belongs to the object `layer.W`
            if node[0] == "attribute" or (node[0] == "item" and node[1][0] == "attribute"):
                holder = node[1] if node[0] == "attribute" else node[1][1]
                found += _within(holder, name)
            if node[0] == "item" and node[1][0] == "attribute" and node[2][0] == "value":
                found += [["item", ["attribute", node[1][1], part], node[2]] for part in CONTAINERS]
    for thing in objects:
        found += _within(["name", thing], name)
    found.append(["name", name])
    return [place for i, place in enumerate(found) if place not in found[:i]]


def container_places(objects: Iterable[str]) -> list[Plain]:
    """Expressions that may hold all parameters of a model, the likeliest first."""
    found: list[Plain] = []
    for thing in objects:
        found += [["attribute", ["name", thing], part] for part in CONTAINERS]
        found.append(["name", thing])
    return found


def _within(holder: Plain, name: str) -> list[Plain]:
    keyed: list[Plain] = [["item", ["attribute", holder, part], ["value", name]] for part in CONTAINERS]
    return [["attribute", holder, name], *keyed]


def nodes(expression: Plain) -> Iterator[Plain]:
    """The expression and everything below it, outermost first."""
    yield expression
    for part in expression[1:]:
        if isinstance(part, list):
            yield from nodes(part) if part and isinstance(part[0], str) else _inside(part)


def _inside(parts: list[Plain]) -> Iterator[Plain]:
    for part in parts:
        if isinstance(part, list):
            yield from nodes(part) if part and isinstance(part[0], str) else _inside(part)

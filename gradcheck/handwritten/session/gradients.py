"""Where somebody's backward leaves its gradients: under the names the plan gives, or in a container of its own.

Which of them are there and hold numbers is said here; whether they are right is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import LackError, is_unfinished
from .expressions import Names, compile_expression
from .parameters import Parameters
from .values import GRADIENT, Arrays, numbers_of
from .wrapping import Steps, Wrapping


class Gradients:
    """Reads the gradients of a plan once backward has run.

    named : tensor → the expression of its gradient; the rest are looked for in the container, if there is one
    """

    def __init__(self, plan: Mapping[str, Any], module: Mapping[str, Any], parameters: Parameters) -> None:
        self.parameters, self.inputs = parameters, plan["optional"]
        self.wrapping: Wrapping = parameters.wrapping
        self.returned = {name for name, node in plan["gradients"].items() if node == ["name", f"d{name}"]}
        self.named = {name: compile_expression(node, module) for name, node in plan["gradients"].items()}
        self.container = None if plan["gradient_at"] is None else compile_expression(plan["gradient_at"], module)

    def collect(self, names: Names, holders: Mapping[str, Any] | None = None) -> Arrays:
        """Name → gradient as an array of its own.

        holders : tensors whose own gradient counts where the plan names no other; it may be lacking
        Raises LackError: missing where some that are needed are not there, unfinished where all are.
        """
        found = self.read_named(names)
        if self.container is not None:
            self._collect_inside(self.container(names), names, found)
        own = {name: self.wrapping.gradient(holder) for name, holder in (holders or {}).items() if name not in found}
        found.update(own)
        lacking = [name for name, value in found.items() if is_unfinished(value)]
        needed = [name for name in lacking if name not in self.parameters.optional and name not in own]
        is_nothing = len(lacking) == len(found)
        if needed or is_nothing:
            kind = "unfinished" if is_nothing else "missing"
            raise LackError(f"backward gives no gradient of {', '.join(map(repr, needed or lacking))}", kind=kind)
        return {name: numbers_of(f"d{name}", value) for name, value in found.items() if name not in lacking}

    def read_named(self, names: Names) -> Arrays:
        """The gradients that have a place of their own in the plan, as they are there."""
        return {
            name: (self.wrapping.returned if name in self.returned else self.wrapping.gradient)(read(names))
            for name, read in self.named.items()
        }

    def _collect_inside(self, container: Any, names: Names, found: Arrays) -> None:
        for name, place in self.parameters.places.items():
            if name not in found:
                steps = self.parameters.keys.get(name, (("item", name),))
                found[name] = _matching(container, steps, place.get(names), self.wrapping)
        for name in self.inputs:
            if name not in found:
                found[name] = _matching(container, (("item", name),), names[name], self.wrapping)


def _matching(container: Any, steps: Steps, parameter: Any, wrapping: Wrapping) -> Any:
    """The gradient in a container built like that of the parameters: W under `W`, `dW`, `grad_W`, or in `.grad`.

    Returns None where there is none; the parameter itself never counts as its gradient.
    """
    value = container
    for i, (_, key) in enumerate(steps):
        is_last = i == len(steps) - 1
        words = (f"d{key}", f"d_{key}", f"grad_{key}", f"{key}_grad", key)
        candidates = (_under(value, word, is_last and word == key) for word in words)
        value = next((found for found in candidates if found is not None and found is not parameter), None)
        if value is None:
            return None
    return wrapping.gradient(value)


def _under(holder: Any, word: Any, is_plain: bool) -> Any:
    """What a container keeps under a word, or None.

    is_plain : the word is the name of the parameter itself
    """
    if isinstance(holder, Mapping):
        return holder.get(word)
    if isinstance(holder, list | tuple):
        return holder[word] if isinstance(word, int) and word < len(holder) else None
    found = getattr(holder, str(word), None)
    # An attribute `x` of a layer is what it keeps of its input, unless it is an object with a gradient.
    return None if is_plain and not any(hasattr(found, name) for name in GRADIENT) else found

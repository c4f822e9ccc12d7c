"""How a pair of Python functions is called, and which of its gradients belongs to which input.

Gives two functions of arrays alone to the session that runs them (`live.py`, `session/`); nothing is judged here.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.handwritten.session.errors import LackError, is_unfinished
from gradcheck.record import dataclass

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of forward.

    name : what reports call it
    keyword : the name it is passed by, or None where it is passed by position
    is_array : whether its value comes from the point; `value` is passed as it is otherwise, a copy each time
    has_gradient : whether it is an array of floats
    """

    name: str
    keyword: str | None
    is_array: bool
    has_gradient: bool
    value: Any = None


class Pair:
    """A forward and its backward, or a loss that returns its own gradients (backward None).

    outputs : how many of the values that forward returns are differentiated; what follows them is passed on to backward
    wrt : the inputs whose gradient is asked for, or None for all that can have one
    """

    def __init__(
        self,
        forward: Function,
        backward: Function | None,
        arguments: Sequence[Argument],
        outputs: int,
        wrt: Sequence[str] | None,
    ) -> None:
        self.forward, self.backward = forward, backward
        self.arguments, self.outputs = tuple(arguments), outputs
        self.differentiable = tuple(argument.name for argument in arguments if argument.has_gradient)
        self.wrt = tuple(name for name in self.differentiable if name in (wrt or ()))

    def run_forward(self, *arrays: Any) -> list[Any]:
        """The outputs, and one value more: all that backward needs. Of a loss: its value and the gradients."""
        forward, backward = self._fresh_functions()
        values = iter(arrays)
        given = [next(values) if a.is_array else copy.deepcopy(a.value) for a in self.arguments]
        positional = [value for a, value in zip(self.arguments, given, strict=True) if a.keyword is None]
        keywords = {a.keyword: value for a, value in zip(self.arguments, given, strict=True) if a.keyword is not None}
        result = forward(*positional, **keywords)
        if backward is None:
            return self._loss_and_gradients(result)
        parts = list(result) if isinstance(result, tuple) else [result]
        if len(parts) < self.outputs:
            text = f"forward returned {_count(len(parts), 'value')}, expected {self.outputs} outputs"
            raise LackError(text, kind="invalid")
        return [*parts[: self.outputs], (backward, parts[self.outputs :], positional, keywords)]

    def run_backward(self, *upstream_and_rest: Any) -> list[Any]:
        """A gradient, or None, for every input that can have one, in their order."""
        *upstream, (backward, rest, positional, keywords) = upstream_and_rest
        if rest or _takes(backward, len(upstream)):
            return self._in_order(backward(*upstream, *rest), "backward")
        return self._in_order(backward(*upstream, *positional, **keywords), "backward")

    def _fresh_functions(self) -> tuple[Function, Function | None]:
        """The functions; methods of one object become those of a copy, so that no evaluation sees another's traces."""
        owner = getattr(self.forward, "__self__", None)
        if owner is None or inspect.ismodule(owner) or inspect.isclass(owner):
            return self.forward, self.backward
        if self.backward is not None and getattr(self.backward, "__self__", None) is not owner:
            return self.forward, self.backward
        try:
            twin = copy.deepcopy(owner)
        except Exception:  # it holds a generator, a lock, an open file: then it is used as it is
            return self.forward, self.backward
        backward = None if self.backward is None else getattr(twin, self.backward.__name__)
        return getattr(twin, self.forward.__name__), backward

    def _loss_and_gradients(self, result: Any) -> list[Any]:
        if is_unfinished(result):
            raise LackError(f"forward returned {result}, expected a loss and its gradients", kind="unfinished")
        if not isinstance(result, tuple | list) or len(result) < 2:
            hint = "return loss, gradient; or hand over a backward"
            raise LackError("forward returned one value, expected a loss and its gradients", hint, kind="invalid")
        loss, *gradients = result
        return [loss, *self._in_order(gradients[0] if len(gradients) == 1 else tuple(gradients), "forward")]

    def _in_order(self, result: Any, who: str) -> list[Any]:
        """The gradients of the differentiable inputs, in their order; None where there is none.

        who : the function that returned them
        """
        if is_unfinished(result):
            raise LackError(f"{who} returned {result} in place of gradients", kind="unfinished")
        if isinstance(result, Mapping):
            return [_named(result, name) for name in self.differentiable]
        parts = list(result) if self._is_several(result) else [result]
        for order in (self.differentiable, tuple(a.name for a in self.arguments), self.wrt):
            if len(parts) == len(order):
                found = dict(zip(order, parts, strict=True))
                return [found.get(name) for name in self.differentiable]
        expected = f"expected {len(self.differentiable)}: {', '.join(self.differentiable)}"
        hint = f"name those that it is about: wrt={list(self.differentiable[: len(parts)])}"
        kind = "missing" if len(parts) < len(self.differentiable) else "invalid"
        raise LackError(f"{who} returned {_count(len(parts), 'gradient')}, {expected}", hint, kind=kind)

    def _is_several(self, result: Any) -> bool:
        """A tuple is several gradients; a list is, unless it holds the numbers of a single one."""
        if not isinstance(result, list):
            return isinstance(result, tuple)
        return len(result) == len(self.differentiable) or any(v is None or isinstance(v, np.ndarray) for v in result)


def _named(gradients: Mapping[Any, Any], name: str) -> Any:
    """The gradient of an input in a dict, under its own name or with a `d` before it."""
    for key in (name, f"d{name}", f"d_{name}", f"grad_{name}", f"{name}_grad"):
        if key in gradients:
            return gradients[key]
    return None


def _takes(function: Function, number: int) -> bool:
    """Whether a function can be called with so many arguments; yes where it does not say."""
    try:
        inspect.signature(function).bind(*[None] * number)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

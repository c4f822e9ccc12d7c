"""One case's bare names beside the outline of its file: what is still to be given, and what returned values are called.

Which arguments a call gets is decided in `arguments.py`; a question that stays open is put here, as a FieldError.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gradcheck.errors import FieldError
from gradcheck.handwritten.conventions.tables import CACHES, GRADIENT_LISTS, TARGETS
from gradcheck.handwritten.outline import FunctionOutline, read_outline
from gradcheck.handwritten.session import CodeError, suggestion
from gradcheck.location import Location
from gradcheck.model.case import Case, CodeBody

STARTS = ("d", "d_", "grad_", "g_")  # of the name of a gradient
PARAMETERS = r"\w*params?|\w*parameters|theta\w*|w\d*|weights?"  # what a lone gradient of a loss mostly belongs to
QUOTIENT = r"d(j|l|e|c|o|loss|cost|out|y|z|a|f)?_?d_?"  # dj_dw, dL_dW, dloss_dx; d_dw, where nothing is said of what


def line(targets: Sequence[str], call: str) -> str:
    """A statement; a call alone where nothing is to be kept of what it returns."""
    return f"{', '.join(targets)} = {call}" if targets else call


@dataclass
class Found:
    """lines : key → statement; gradient_at : tensor → expression"""

    lines: dict[str, str] = field(default_factory=dict)
    gradient_at: dict[str, str] = field(default_factory=dict)


class Reading:
    """floats : inputs that have a gradient, in order

    spare, free_options : inputs, and options and sizes, that no argument has taken yet, in order
    bound : argument → the input that it is given; made : argument → the dict of inputs that it is given
    notes : what was taken for granted
    """

    def __init__(self, case: Case, body: CodeBody, file: Path, floats: tuple[str, ...]) -> None:
        self.case, self.body, self.file, self.floats = case, body, file, floats
        self.outline = read_outline(file)
        self.has_tensors = body.arrays not in (None, "numpy")
        self.spare = dict.fromkeys(case.inputs)
        self.free_options = dict.fromkeys((*case.options, *case.sizes))
        self.bound: dict[str, str] = {}
        self.made: dict[str, str] = {}
        self.notes: list[str] = []

    def take(self, name: str | None) -> None:
        if name is not None:
            self.spare.pop(name, None)
            self.free_options.pop(name, None)

    def place(self, key: str) -> Location:
        return self.case.at(key) if (key,) in self.case.where else self.case.at("code")

    def question(self, key: str, message: str, line: str) -> FieldError:
        """What only the author of the case can say. line : the line to add"""
        path = key if (key,) in self.case.where else "code"
        return FieldError(message, f"write it out: {line}", (path,))

    def missing(self, name: str) -> CodeError:
        hint = suggestion(name, [*self.outline.functions, *self.outline.classes])
        return CodeError("missing", "load", f"{self.file.name} has no '{name}'", self.file.name, None, hint)

    def function(self, name: str) -> FunctionOutline:
        """Raises CodeError (missing)."""
        if name not in self.outline.functions:
            raise self.missing(name)
        return self.outline.functions[name]

    # -- what a call returns --

    def return_names(self, forward: FunctionOutline, backward: FunctionOutline | None) -> list[str]:
        """Names for what forward returns: its own where they are clear, else out, cache."""
        returns = forward.returns
        if returns is None or not forward.gives_value:
            takes_cache = backward is not None and any(p.lower() in CACHES for p in backward.parameters)
            returns = ("out", "cache") if takes_cache else ("out",)
        names: list[str] = []
        for i, name in enumerate(returns):
            if name is None or name in self.case.inputs or name in self.case.options or name in names:
                is_cache = i == 1 or (i == len(returns) - 1 and "cache" not in names)
                name = "out" if i == 0 else "cache" if is_cache else f"cache{i}"
            names.append(name)
        return names

    @property
    def predicted(self) -> tuple[str, ...]:
        """The float inputs without those that are called like targets, unless all are."""
        return tuple(name for name in self.floats if name.lower() not in TARGETS) or self.floats

    def targets(self, backward: FunctionOutline, order: tuple[str, ...] | None = None) -> list[str]:
        """`d<input>` for every value that backward returns: by name; what has none by position among the rest.

        order : the float inputs that it may be about; None for all; of an embedding, say, there are none
        Raises FieldError where there are fewer or more values than inputs, and their names do not tell.
        """
        order = self.floats if order is None else order
        in_order = [f"d{name}" for name in order]
        returned = backward.returns
        if returned is None:
            return in_order
        named = [self.gradient_name(name) for name in returned]
        known = [name for name in named if name is not None]
        if len(set(known)) == len(named):
            return known
        if not order:
            return []
        if len(returned) == len(order) and len(set(known)) == len(known) and set(known) <= set(in_order):
            rest = [name for name in in_order if name not in known]
            if len(rest) > 1:
                self._note_order(backward, [name for name in returned if self.gradient_name(name) is None], rest)
            free = iter(rest)
            return [next(free) if name is None else name for name in named]
        if len(returned) == 1:
            return [f"d{self.only_target('backward', backward)}"]
        left = len(returned) - len(known)
        message = f"cannot tell which inputs {left} of the {len(returned)} gradients of '{backward.text}' belong to"
        shown = ", ".join(name or "_" for name in named)
        raise self.question("backward", message, f"backward: {shown} = {backward.name}(…)")

    def targets_beside(self, backward: FunctionOutline, container: str) -> list[str]:
        """What stands left of a backward that returns gradients in a dict, and maybe others beside it.

        Raises FieldError where it cannot be told which inputs those others belong to.
        """
        returned = backward.returns or ()
        named = [container if name == container else self.gradient_name(name) for name in returned]
        keys = backward.dicts[container]
        inside = {f"d{name}" for name in self.floats if name in keys} | {self.gradient_name(key) for key in keys}
        rest = [f"d{name}" for name in self.floats if f"d{name}" not in {*inside, *named}]
        if named.count(None) != len(rest) and None in named:
            shown = ", ".join(name or "_" for name in named)
            message = f"cannot tell which inputs the gradients beside '{container}' of '{backward.text}' belong to"
            raise self.question("backward", message, f"backward: {shown} = {backward.name}(…)")
        free = iter(rest)
        return [next(free) if name is None else name for name in named]

    def _note_order(self, backward: FunctionOutline, names: list[str | None], rest: list[str]) -> None:
        """Values that are all called like gradients of something else are not taken for those of inputs in silence.

        Where one of them is an expression, the others are mostly called what they were on the way there.
        """
        if all(is_gradient(name) and name not in backward.parameters for name in names):
            shown = ", ".join(f"'{name}'" for name in names)
            inputs = ", ".join(f"'{target[1:]}'" for target in rest)
            self.notes.append(
                f"{shown} of {backward.name} match no input: taken for the gradients of {inputs} in order"
            )

    def gradient_name(self, name: str | None) -> str | None:
        """`dX` is the gradient of the input `x`, `grad_w` that of `w`; None where no input fits.

        An input goes by its own name, and by that of the argument it is passed as.
        """
        called = [(wanted, wanted) for wanted in self.case.inputs]
        called += list(self.bound.items())
        found = gradient_of(name, [argument for argument, _ in called])
        return None if found is None else f"d{dict(reversed(called))[found]}"

    def gradient_dict(self, function: FunctionOutline) -> str | None:
        """Which of the values that a function returns is a dict of gradients; None where none is.

        It is called like one, or what it is filled with are gradients of inputs, or of what an input is kept under.
        """
        for name, keys in function.dicts.items():
            is_named = name.lower() in (*GRADIENT_LISTS, "gradient")
            if is_named or (keys and all(self.gradient_name(key) is not None for key in keys)):
                return name
        return None

    def only_target(self, key: str, function: FunctionOutline) -> str:
        """The one input that a single gradient belongs to."""
        wrt = self.case.wrt or self.predicted
        if len(wrt) == 1:
            return wrt[0]
        names = ", ".join(f"'{name}'" for name in wrt)
        message = f"cannot tell which of {names} the gradient of '{function.text}' belongs to"
        likely = [name for name in wrt if re.fullmatch(PARAMETERS, name.lower())]
        first = f"d{next(iter((*likely, *wrt)), 'x')}"
        left = f"loss, {first}" if key == "forward" else first
        raise self.question(key, message, f"{key}: {left} = {function.name}(…)")


def gradient_of(name: str | None, words: Sequence[str]) -> str | None:
    """Which of some words a name is the gradient of: `dX`, `grad_x`, `x_grad` and `dL_dx` are that of `x`."""
    low = "" if name is None else name.lower()
    for start in STARTS:
        for word in words:
            if low == start + word.lower():
                return word
    for word in words:
        ends = (f"{word}_grad", f"{word}grad", f"grad{word}", f"{word}_gradient")
        if low in map(str.lower, ends) or re.fullmatch(QUOTIENT + re.escape(word.lower()), low):
            return word
    return None


def is_gradient(name: str | None) -> bool:
    """Whether a value is called like the gradient of something: `dA_prev`, `grad_z`, `w_grad`."""
    low = "" if name is None else name.lower()
    return low.endswith("_grad") or low.startswith(("grad", "d"))

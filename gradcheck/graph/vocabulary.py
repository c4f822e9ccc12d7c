"""Which words a text may use, and what to tell somebody who uses another one.

Ops, losses, the few makers of constants, methods and attributes in numpy's spelling; the meaning of each is elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from gradcheck.errors import NotationError, did_you_mean
from gradcheck.graph.composed import LOSSES
from gradcheck.location import SourceText
from gradcheck.notation import Attribute, Call, Name, Node, walk
from gradcheck.ops.broadcasting import limited
from gradcheck.ops.registry import all_ops

NUMBERS: Mapping[str, float] = {"pi": math.pi}

# Constants that a text makes from whole numbers known in advance.
MAKERS: Mapping[str, Callable[..., Any]] = {
    "arange": lambda stop: np.arange(limited((stop,))[0]),
    "zeros": lambda *shape: np.zeros(limited(shape)),
    "ones": lambda *shape: np.ones(limited(shape)),
    "eye": lambda size: np.eye(limited((size, size))[0]),
}

ATTRIBUTES = ("T", "shape", "size", "ndim")
METHODS = ("sum", "mean", "max", "min", "reshape", "transpose")

_ADVICE: Mapping[str, str] = {
    "np": "functions are written without a module: exp(x)",
    "numpy": "functions are written without a module: exp(x)",
    "math": "functions are written without a module: exp(x)",
    "torch": "functions are written without a module: exp(x)",
    "e": "Euler's number is exp(1)",
    "len": "the length of an axis is x.shape[0]",
    "dot": "a matrix product is written a @ b",
    "pow": "a power is written x**2",
    "ln": "the natural logarithm is log(x)",
}


def functions() -> tuple[str, ...]:
    """Everything that a text may call by name."""
    ops = tuple(name for name, op in all_ops().items() if op.symbol != "[]")
    return (*ops, *LOSSES, *MAKERS)


def unknown_words(tree: Node, names: Collection[str], source: SourceText) -> list[NotationError]:
    """An error for every name and function in the tree that means nothing, in the order written."""
    known = functions()
    called = {id(node.function) for node in walk(tree) if isinstance(node, Call)}
    errors = []
    for node in walk(tree):
        if isinstance(node, Name) and id(node) in called:
            if node.id not in known:
                errors.append(_unknown_function(node, known, names, source))
        elif isinstance(node, Name) and node.id not in names and node.id not in NUMBERS:
            errors.append(_unknown_name(node, known, names, source))
        elif isinstance(node, Call) and not isinstance(node.function, Name | Attribute):
            errors.append(NotationError("only names can be called", "write exp(x)", source, node.function.span))
    return errors


def _unknown_function(node: Name, known: Collection[str], names: Collection[str], source: SourceText) -> NotationError:
    if node.id in names:
        hint = f"'{node.id}' is a value; a product is written with '*'"
    elif node.id in _ADVICE:
        hint = _ADVICE[node.id]
    else:
        guess = did_you_mean(node.id, known).replace("did", "Did")
        hint = f"'{node.id}' is not among the operations.{' ' + guess if guess else ''} See: gradcheck ops"
    return NotationError(f"unknown function '{node.id}'", hint, source, node.span)


def _unknown_name(node: Name, known: Collection[str], names: Collection[str], source: SourceText) -> NotationError:
    if node.id in _ADVICE:
        hint = _ADVICE[node.id]
    elif node.id in known:
        hint = f"'{node.id}' is a function: {node.id}(…)"
    else:
        hint = did_you_mean(node.id, [*names, *NUMBERS], f"known here: {', '.join(names) or 'nothing yet'}")
    return NotationError(f"unknown name '{node.id}'", hint, source, node.span)

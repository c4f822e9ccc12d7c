"""Which words a text may use, and what to tell somebody who uses another one.

Ops, composed functions, the few makers of constants, methods and attributes in numpy's spelling; the meaning of each is
elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from gradcheck.errors import NotationError, called_here, did_you_mean
from gradcheck.graph.composed import NONE, Composed
from gradcheck.graph.functions import COMPOSED
from gradcheck.graph.losses import OTHER_NAMES
from gradcheck.graph.penalties import PENALTIES
from gradcheck.location import SourceText
from gradcheck.notation import Attribute, Call, Name, Node, walk
from gradcheck.ops.broadcasting import limited
from gradcheck.ops.registry import all_ops

NUMBERS: Mapping[str, float] = {"pi": math.pi, "inf": math.inf}

# Constants that a text makes from whole numbers known in advance.
MAKERS: Mapping[str, Callable[..., Any]] = {
    "arange": lambda stop: np.arange(limited((stop,))[0]),
    "zeros": lambda *shape: np.zeros(limited(shape)),
    "ones": lambda *shape: np.ones(limited(shape)),
    "eye": lambda size: np.eye(limited((size, size))[0]),
}

ATTRIBUTES = ("T", "shape", "size", "ndim")
# Methods of numpy's arrays, and the op that each of them means. `sort` is none: numpy's sorts in place.
METHODS: Mapping[str, str] = {
    **{name: name for name in (
        "sum", "mean", "max", "min", "prod", "var", "std", "cumsum", "cumprod", "reshape", "transpose", "ravel",
        "squeeze", "swapaxes", "take", "repeat", "trace", "dot", "clip", "round",
    )},
    "flatten": "ravel",
}  # fmt: skip

_MODULES = ("np", "numpy", "jnp", "jax", "math", "torch", "nn", "F", "tf", "scipy")

_ADVICE: Mapping[str, str] = {
    "e": "Euler's number is exp(1)",
    "len": "the length of an axis is x.shape[0]",
    "pow": "a power is written x**2",
    "ln": "the natural logarithm is log(x)",
    "T": "the transpose is written x.T",
    "t": "the transpose is written x.T",
    "mT": "the transpose of the last two axes is swapaxes(x, -1, -2)",
    "mm": "a matrix product is written a @ b",
    "bmm": "a matrix product is written a @ b",
    "cat": "arrays are joined by concatenate([a, b], axis=0)",
    "hstack": "arrays are joined by concatenate([a, b], axis=1)",
    "vstack": "arrays are joined by concatenate([a, b], axis=0)",
    "append": "arrays are joined by concatenate([a, b], axis=0)",
    "view": "another shape is written reshape(x, 2, 3)",
    "permute": "another order of the axes is transpose(x, 1, 0)",
    "unsqueeze": "a new axis is made by expand_dims(x, axis), or x[:, None]",
    "expand": "a larger shape is made by broadcast_to(x, shape)",
    "item": "an array of one number is a number already",
    "index": "elements are picked by brackets: x[0], x[:, 1:3]",
    "argmax": "the place of an extremum has no gradient; max(x, axis=0) is its value",
    "argmin": "the place of an extremum has no gradient; min(x, axis=0) is its value",
    "argsort": "places have no gradient; sort(x) is the values",
    "slogdet": "the log of a positive determinant is logdet(x)",
    "masked_fill": "elements are replaced by where(mask, -1e9, x)",
    "range": "whole numbers in a row are arange(3)",
    **dict.fromkeys(
        ("normal", "uniform", "integers", "randn", "rand", "randint", "linspace"),
        "such arrays are made under 'inputs' or 'constants', and used here by name",
    ),
    "one_hot": "rows that hold a single one are eye(3)[target]",
    "full": "an array of equal numbers is 0.5 * ones(3)",
    "true": "truth is written True",
    "false": "truth is written False",
    "null": "nothing is written None",
    "none": "nothing is written None",
    "upstream": "the upstream gradient is known in the formulas under 'gradient', not in the function",
}


def functions() -> tuple[str, ...]:
    """Everything that a text may call by name."""
    ops = tuple(name for name, op in all_ops().items() if op.symbol != "[]")
    return (*ops, *COMPOSED, *MAKERS)


def methods_hint(word: str) -> str:
    """What to tell somebody who called a method that arrays do not have."""
    if word in _ADVICE:
        return _ADVICE[word]
    if word in functions():
        return f"it is written {word}(x)"
    return f"arrays have .{'(), .'.join(METHODS)}(); other functions are written f(x)"


def unknown_words(
    tree: Node, names: Collection[str], source: SourceText, more: Mapping[str, Composed] = NONE
) -> list[NotationError]:
    """An error for every name and function in the tree that means nothing, in the order written.

    more : functions that may be called here, and nowhere else
    """
    known = (*functions(), *more)
    called = {id(node.function) for node in walk(tree) if isinstance(node, Call)}
    texts = {id(value): name for node in walk(tree) if isinstance(node, Call) for name, value in _texts(node)}
    wanted: dict[int, str] = {}  # of np.linalg.inv: the name np → inv
    for node in walk(tree):
        if isinstance(node, Attribute):
            wanted.setdefault(id(_root(node)), node.name)
    errors = []
    for node in walk(tree):
        if isinstance(node, Name) and id(node) in called:
            if node.id not in known:
                errors.append(_unknown_function(node, known, names, source))
        elif isinstance(node, Name) and node.id not in names and id(node) in texts:
            hint = f"a text is written in quotes: {texts[id(node)]}='{node.id}'"
            errors.append(NotationError(f"unknown name '{node.id}'", hint, source, node.span))
        elif isinstance(node, Name) and node.id in _MODULES and node.id not in names:
            hint = _without_module(wanted.get(id(node), ""))
            errors.append(NotationError(f"unknown name '{node.id}'", hint, source, node.span))
        elif isinstance(node, Name) and node.id not in names and node.id not in NUMBERS:
            errors.append(_unknown_name(node, known, names, source))
        elif isinstance(node, Call) and not isinstance(node.function, Name | Attribute):
            errors.append(NotationError("only names can be called", "write exp(x)", source, node.function.span))
    return errors


def _texts(call: Call) -> list[tuple[str, Node]]:
    """The options of a call that take a text, and what was given as it."""
    word = call.function.id if isinstance(call.function, Name) else ""
    takes = {name for name, option in COMPOSED[word].options.items() if option.choices} if word in COMPOSED else set()
    if word in all_ops():
        takes = {name for name, default in all_ops()[word].options.items() if isinstance(default, str)}
    return [(name, value) for name, value in call.keywords if name in takes]


def _root(node: Node) -> Node:
    """What the first dot stands behind."""
    while isinstance(node, Attribute):
        node = node.base
    return node


def _without_module(word: str) -> str:
    """What to tell somebody who looked for a word in a module."""
    if word in _ADVICE:
        return _ADVICE[word]
    op, ours = all_ops().get(word), called_here(word, OTHER_NAMES)
    written = "exp(x)"
    if op is not None and not op.variadic:
        written = f"{word}({', '.join(op.arguments)})"
    elif word in NUMBERS:
        written = word
    elif ours or word in functions():
        written = f"{ours or word}(…)"
    return f"functions are written without a module: {written}"


def _unknown_function(node: Name, known: Collection[str], names: Collection[str], source: SourceText) -> NotationError:
    if node.id in names:
        hint = f"'{node.id}' is a value; a product is written with '*'"
    elif node.id in _ADVICE:
        hint = _ADVICE[node.id]
    elif node.id in PENALTIES:
        hint = f"penalties belong to networks; in a function write {PENALTIES[node.id].formula}"
    elif ours := called_here(node.id, OTHER_NAMES):
        hint = f"it is called '{ours}' here"
    elif layer := _layer(node.id):
        hint = f"'{layer}' is a layer: it belongs under 'network'"
    else:
        guess = did_you_mean(node.id, known).replace("did", "Did")
        hint = f"'{node.id}' is not among the operations.{' ' + guess if guess else ''} See: gradcheck ops"
    return NotationError(f"unknown function '{node.id}'", hint, source, node.span)


def _layer(word: str) -> str:
    """The layer that is called so, or ""."""
    from gradcheck.graph.layers import LAYERS  # reading them takes longer than most cases do

    return called_here(word, {name: name for name in LAYERS})


def _unknown_name(node: Name, known: Collection[str], names: Collection[str], source: SourceText) -> NotationError:
    if node.id in _ADVICE:
        hint = _ADVICE[node.id]
    elif node.id in known:
        hint = f"'{node.id}' is a function: {node.id}(…)"
    else:
        hint = did_you_mean(node.id, [*names, *NUMBERS], f"known here: {', '.join(names) or 'nothing yet'}")
    return NotationError(f"unknown name '{node.id}'", hint, source, node.span)

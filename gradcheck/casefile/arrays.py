"""Numbers and initialisers of a case file → arrays; the same numbers on every machine, in any order.

What the functions do is in `initialisers`, what files hold in `array_files`; what becomes float64, the caller decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.casefile.array_files import measure_file, read_file
from gradcheck.casefile.evaluator import check_words, evaluate
from gradcheck.casefile.initialisers import Makers, Measures
from gradcheck.errors import GradcheckError, NotationError
from gradcheck.location import SourceText, Span
from gradcheck.model.case import ArraySpec, Case, Numbers
from gradcheck.notation import Node, Number, Sequence, parse_expression

_FILE = re.compile(r"(?P<path>[^\s()\[\]]+\.(?:npz|npy))(?::(?P<member>\w+))?", re.ASCII)


def stream(seed: int, name: str) -> np.random.Generator:
    """The random numbers of one tensor: they depend on the case's seed and the tensor's name, and on nothing else.

    The name enters through SHA-256, because Python's own hash differs from run to run.
    """
    import hashlib  # here, because most cases draw nothing

    words = np.frombuffer(hashlib.sha256(name.encode()).digest(), "<u4")
    return np.random.default_rng(np.random.SeedSequence([seed, *(int(word) for word in words)]))


def build_array(
    spec: ArraySpec,
    *,
    name: str,
    seed: int,
    sizes: Mapping[str, int | float],
    directory: Path,
    shape: tuple[int, ...] | None = None,
) -> NDArray[Any]:
    """The array that a case file asks for.

    name, seed : choose the random stream
    sizes : what names in the text stand for
    directory : where relative paths start, the case's folder
    shape : of a parameter: bare initialisers (`he`) take it, a single number fills it, anything else must have it

    Returns: float64, or int64 for `integers` and whole numbers (booleans of a file become int64).
    Raises NotationError with its place.
    """
    if isinstance(spec, Numbers):
        array = spec.values.copy()
    else:
        makers = Makers(stream(seed, name), shape)
        array = _evaluate(spec, makers, sizes, directory)
        if not np.all(np.isfinite(array)):
            raise NotationError("the array is not finite", "look for a division by zero", spec, _whole(spec))
    if shape is None or array.shape == shape:
        return array
    if array.ndim == 0:
        return np.full(shape, array[()])
    message = f"expected shape {shape} for '{name}', got {array.shape}"
    if isinstance(spec, Numbers):
        raise NotationError(message, "write numbers of that shape")
    raise NotationError(message, "leave the shape to an initialiser: he, xavier, normal, zeros", spec, _whole(spec))


def measure_array(
    spec: ArraySpec, *, sizes: Mapping[str, int | float], directory: Path, is_parameter: bool = False
) -> NDArray[Any]:
    """What `build_array` would return, with the right shape and dtype, but drawn from nothing and without memory.

    Finds every mistake that does not depend on the numbers, at the price of a few microseconds.
    Raises NotationError with its place.
    """
    if isinstance(spec, Numbers):
        return spec.values
    return _evaluate(spec, Measures(() if is_parameter else None), sizes, directory)


def evaluate_number(node: Node, sizes: Mapping[str, int | float], source: SourceText) -> int | float:
    """The number that a piece of a text stands for: `linear(2*N, 3)` has 2*N.

    sizes : what names stand for (sizes, and options that are numbers)

    Raises NotationError, placed in `source`, where it is no number or a name is unknown.
    """
    value = evaluate(node, Measures(), sizes, source)
    if isinstance(value, np.ndarray):
        raise NotationError("expected a number, got an array", "write a number here", source, node.span)
    return value


def check_array(source: SourceText, directory: Path) -> None:
    """Everything about an array's text that can be told before the sizes are known: syntax, words, files.

    Raises NotationError with its place.
    """
    if file_of(source.text):
        _evaluate(source, Measures(), {}, directory)
    else:
        check_words(parse_array(source), source)


def names_in_shapes(case: Case) -> dict[str, int | float]:
    """What names in the case's texts stand for: its sizes, and its options that are numbers."""
    options = {name: value for name, value in case.options.items() if type(value) in (int, float)}
    return {**case.sizes, **options}


def file_of(text: str) -> tuple[str, str | None] | None:
    """The path and the array of `data.npz:W` and `data.npy`; None for any other text."""
    found = _FILE.fullmatch(text.strip())
    return (found["path"], found["member"]) if found else None


def parse_array(source: SourceText) -> Node:
    """Read the text of an array that is not a file. Raises NotationError with its place."""
    tree = parse_expression(source)
    if isinstance(tree, Sequence) and tree.is_tuple:
        numbers = all(isinstance(item, Number) for item in tree.items)
        comma = numbers and "(" not in source.text
        hint = "a decimal number has a point: 1.5" if comma else "a list has square brackets: [1, 2]"
        raise NotationError("expected one array, got several values with commas", hint, source, tree.span)
    return tree


def _evaluate(source: SourceText, makers: Makers, sizes: Mapping[str, int | float], directory: Path) -> NDArray[Any]:
    if found := file_of(source.text):
        try:
            read = measure_file if isinstance(makers, Measures) else read_file
            return read(directory, *found)
        except GradcheckError as error:
            raise NotationError(error.message, error.hint, source, _whole(source)) from None
    array = np.asarray(evaluate(parse_array(source), makers, sizes, source))
    return array if array.dtype == np.int64 else array.astype(np.float64, copy=False)


def _whole(source: SourceText) -> Span:
    return Span(0, max(1, len(source.text.rstrip())))

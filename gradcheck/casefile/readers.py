"""Nodes of the tree → the values of a case: texts that parse, numbers with their digits, files that exist.

One function per kind of value; which key takes which kind is the table in `fields`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.casefile.arrays import check_array
from gradcheck.casefile.nodes import Broken, Fields, Items, Node, Scalar
from gradcheck.casefile.page import Mistake
from gradcheck.casefile.paths import PathError, find_file
from gradcheck.casefile.scalars import MAX_DIGITS, Written, written_number
from gradcheck.casefile.texts import source_text
from gradcheck.casefile.tree import MAX_MISTAKES
from gradcheck.errors import NotationError
from gradcheck.location import SourceText
from gradcheck.model.case import ArraySpec, Layer, Numbers, Residual
from gradcheck.notation import parse_expression, parse_statements

MAX_AXES = 16
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?", re.ASCII)
_NOT_BOOLEAN = frozenset(word for w in ("yes", "no", "on", "off") for word in (w, w.capitalize(), w.upper()))
_INT64 = np.iinfo(np.int64)


class MistakesError(Exception):
    """Everything that is wrong with one value.

    partial : the rest of it, where there is one
    """

    def __init__(self, *found: Mistake | NotationError, partial: Any = None) -> None:
        super().__init__(found[0].message)
        self.found = found
        self.partial = partial


def mistake(node: Node, message: str, hint: str) -> MistakesError:
    """A mistake at a node."""
    return MistakesError(Mistake(node.span, message, hint))


def described(node: Node) -> str:
    """A node in words: `nothing`, `the number 3`, `the text 'abc'`, `a list`."""
    match node:
        case Items():
            return "a list" if node.nodes else "an empty list"
        case Fields():
            return "a mapping"
        case Broken():
            return "something unreadable"
    match node.value:
        case None:
            return "nothing"
        case bool() as truth:
            return str(truth).lower()
        case str() as text:
            shown = " ".join(text.split())
            return f"the text '{shown if len(shown) <= 40 else shown[:39] + '…'}'"
        case _:
            return f"the number {node.text[:40]}"


def unexpected(what: str, node: Node, hint: str = "") -> Mistake:
    """`expected …, got …`, with the sentence of the trap that the author fell into, where it is one."""
    return Mistake(node.span, f"expected {what}, got {described(node)}", trap(node) or hint)


def expected(what: str, node: Node, hint: str = "") -> MistakesError:
    """`unexpected`, to be raised."""
    return MistakesError(unexpected(what, node, hint))


def trap(node: Node) -> str:
    """What YAML made of a value that looks like something else; "" where it is no trap."""
    if not isinstance(node, Scalar) or node.style:
        return ""
    if node.value is None:
        return "'null', '~' and an empty place mean nothing in YAML; write a value, or remove the key"
    if isinstance(node.value, bool):
        return f"YAML reads {node.text} as a truth value; quote it if it is a text: '{node.text}'"
    if node.text in _NOT_BOOLEAN:
        return f"in YAML 1.2 '{node.text}' is a text; the truth values are true and false"
    if _DATE.fullmatch(node.text):
        return "this looks like a date; in a case file it is a text and no number"
    return ""


def no_text(what: str, node: Node, hint: str) -> MistakesError:
    """`expected`, where a text was asked for: YAML's brackets and colons may have made something else of it."""
    if isinstance(node, Fields) and not node.flow:
        hint = "a ':' followed by a space makes a mapping of a text; put the text into quotes"
    elif isinstance(node, Fields | Items):
        hint = "a text that begins with a bracket is a list or a mapping for YAML; put it into quotes"
    return expected(what, node, hint)


def read_plain(node: Node) -> Any:
    """Any YAML value as Python's own: for options."""
    match node:
        case Items():
            return [read_plain(child) for child in node.nodes]
        case Fields():
            return {key.text: read_plain(child) for key, child in node.pairs}
        case Scalar():
            return node.value
    raise mistake(node, "expected a value", "write one")


def read_text(node: Node) -> str:
    """A text of people, on however many lines."""
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.text.strip():
        return node.text
    raise no_text("a text", node, "put it into quotes")


def read_expression(node: Node) -> SourceText:
    """A text that is one expression of the notation."""
    source = _code(node, "an expression")
    try:
        parse_expression(source)
    except NotationError as error:
        raise MistakesError(_folded(node, error)) from None
    return source


def read_statements(node: Node) -> SourceText:
    """A text that is one or more lines of the notation."""
    source = _code(node, "lines of assignments and values")
    try:
        parse_statements(source)
    except NotationError as error:
        raise MistakesError(_folded(node, error)) from None
    return source


def read_array(node: Node) -> ArraySpec:
    """Numbers, nested lists of numbers, an initialiser, or an array in a file."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        if trap(node) or not node.text.strip():
            raise expected("an array", node, "write numbers, or an initialiser such as normal(4, 3)")
        source = source_text(node)
        try:
            check_array(source, Path(node.page.file).parent)
        except NotationError as error:
            raise MistakesError(_folded(node, error)) from None
        return source
    if isinstance(node, Fields):
        raise no_text("an array", node, "")
    return read_numbers(node, "an array", "write numbers, or an initialiser such as normal(4, 3)")


def read_numbers(node: Node, what: str = "numbers", hint: str = "formulas belong under 'gradient:'") -> Numbers:
    """A number or nested lists of numbers, each with the precision that its digits claim."""
    found: list[Mistake] = []
    flat: list[Written] = []
    shape = _collect(node, flat, found, what, hint, 0)
    if found:
        raise MistakesError(*found)
    is_whole = all(isinstance(number.value, int) for number in flat) and bool(flat)
    return Numbers(
        np.array([number.value for number in flat], np.int64 if is_whole else np.float64).reshape(shape),
        np.array([number.half_unit for number in flat], np.float64).reshape(shape),
        np.array([number.digits for number in flat], np.int64).reshape(shape),
    )


def read_layers(node: Node) -> tuple[Layer, ...]:
    """The layers of a network; a list within the list is a residual block."""
    if not isinstance(node, Items) or not node.nodes:
        raise expected("a list of layers" if not isinstance(node, Items) else "at least one layer", node,
                       "write one layer per line, each behind a '-'")  # fmt: skip
    layers: list[Layer] = []
    found: list[Mistake | NotationError] = []
    for child in node.nodes:
        try:
            layers.append(Residual(read_layers(child)) if isinstance(child, Items) else read_expression(child))
        except MistakesError as error:
            found.extend(error.found)
        if len(found) > MAX_MISTAKES:  # more are not shown, and each takes time
            break
    if found:
        raise MistakesError(*found)
    return tuple(layers)


def read_code(node: Node, *, must_exist: bool = True) -> tuple[Path, str | None]:
    """`layers.py` or `layers.py:Affine`: the file, which exists, and what is asked of it.

    must_exist : False where the file is the students'
    """
    text = read_text(node).strip()
    written, colon, entry = text.rpartition(":")
    if not colon:
        written, entry = text, ""
    if colon and not all(part.isidentifier() and part[0] != "_" for part in entry.split(".")):
        raise mistake(node, f"expected a name behind the ':', got '{entry}'", "write file.py:Name")
    return read_file_path(node, written, must_exist=must_exist), entry or None


def read_file_path(node: Node, written: str | None = None, *, must_exist: bool = True) -> Path:
    """The absolute path of a file that exists, in the tree of the case."""
    text = read_text(node).strip() if written is None else written
    try:
        return find_file(Path(node.page.file).parent, text, must_exist=must_exist)
    except PathError as error:
        raise mistake(node, error.message, error.hint) from None


def _code(node: Node, what: str) -> SourceText:
    if not isinstance(node, Scalar) or not node.text.strip():
        raise no_text(what, node, "write one, or remove the entry")
    if node.value is None or isinstance(node.value, bool) or (trap(node) and not node.style):
        raise expected(what, node, "write it as a text")
    return source_text(node)


def _folded(node: Node, error: NotationError) -> NotationError:
    """Lines that YAML joined into one are the likeliest cause of a syntax error."""
    joined = isinstance(node, Scalar) and node.style != "|" and "\n" in node.page.text[node.span.start : node.span.end]
    if not joined or not error.message.startswith("syntax error"):
        return error
    hint = "YAML joins these lines into one; begin the text with '|' and put the lines below"
    return NotationError(error.message, hint, error.source, error.span)


def _collect(
    node: Node, flat: list[Written], found: list[Mistake], what: str, hint: str, depth: int
) -> tuple[int, ...]:
    """Append the numbers below a node; returns the shape they have."""
    if isinstance(node, Items):
        if depth >= MAX_AXES:
            found.append(Mistake(node.span, f"more than {MAX_AXES} lists within each other", "write it flatter"))
            return ()
        shapes = [_collect(child, flat, found, what, hint, depth + 1) for child in node.nodes]
        for child, shape in zip(node.nodes, shapes, strict=True):
            if shape != shapes[0] and not found:
                message = f"expected {_size(shapes[0])} like the entries before it, got {_size(shape)}"
                found.append(Mistake(child.span, message, "all entries of a list have the same shape"))
                break
        return (len(shapes), *(shapes[0] if shapes else ()))
    number = written_number(node.text) if isinstance(node, Scalar) and not node.style else None
    if number is None:
        found.append(_wrong_number(node, what if depth == 0 else "a number", hint, depth))
    elif isinstance(number.value, int) and not _INT64.min <= number.value <= _INT64.max:
        found.append(Mistake(node.span, "this whole number is too large for an int64", "write it as a float: 1e30"))
    elif number.value in (np.inf, -np.inf) and "inf" not in node.page.text[node.span.start : node.span.end].lower():
        found.append(Mistake(node.span, "this number is too large for a float64", "the largest is about 1.8e308"))
    else:
        flat.append(number)
    return ()


def _wrong_number(node: Node, what: str, hint: str, depth: int) -> Mistake:
    if isinstance(node, Scalar) and len(node.text) > MAX_DIGITS and not node.text.strip("+-.0123456789eE"):
        return Mistake(node.span, f"a number of {len(node.text)} characters", "a float64 has 17 digits")
    if depth and isinstance(node, Scalar) and isinstance(node.value, str):
        hint = 'a list holds numbers only; to compute them, quote the whole list: "[1/3, 2/3]"'
    return unexpected(what, node, hint)


def _size(shape: tuple[int, ...]) -> str:
    return f"a list of shape {shape}" if shape else "a number"

"""Kinds of value that a key can take: each reads a node, or says all that is wrong with it, and has a JSON schema.

The building blocks of the table in `fields`. Texts, arrays and files are read in `readers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from keyword import iskeyword
from typing import Any

from gradcheck.casefile.nodes import Fields, Items, Node, Scalar
from gradcheck.casefile.page import Mistake
from gradcheck.casefile.readers import MistakesError, expected, read_plain, unexpected
from gradcheck.errors import NotationError, did_you_mean
from gradcheck.record import dataclass

NAME = "^[A-Za-z][A-Za-z0-9_]*$"  # what `wrong_name` asks for, but for the keywords of Python


@dataclass(frozen=True, slots=True)
class Kind:
    """How a value is read, and what a JSON schema says about it.

    read : node → value; raises MistakesError
    """

    read: Callable[[Node], Any]
    schema: Mapping[str, Any]


def whole(least: int, most: int) -> Kind:
    """A whole number within limits, both included."""

    def read(node: Node) -> int:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int):
            raise expected("a whole number", node, "write a number, without quotes")
        return int(_within(node, value, value >= least, f"at least {least}", value <= most, f"at most {most}"))

    return Kind(read, {"type": "integer", "minimum": least, "maximum": most})


def real(low: float, high: float, *, including_low: bool = False) -> Kind:
    """A number between two limits; the upper one is included, the lower one where it is said."""

    def read(node: Node) -> float:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise expected("a number", node, "write a number, without quotes")
        high_enough = value >= low if including_low else value > low
        least = f"at least {low:g}" if including_low else f"above {low:g}"
        return float(_within(node, value, high_enough, least, value <= high, f"at most {high:g}"))

    return Kind(read, {"type": "number", "minimum" if including_low else "exclusiveMinimum": low, "maximum": high})


def truth() -> Kind:
    """true or false."""

    def read(node: Node) -> bool:
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, bool):
            raise expected("true or false", node, "write true or false, without quotes")
        return value

    return Kind(read, {"type": "boolean"})


def one_of(*words: str) -> Kind:
    """One word of a list."""

    def read(node: Node) -> str:
        if isinstance(node, Scalar) and node.text in words:
            return node.text
        known = ", ".join(words)
        hint = did_you_mean(node.text, words, f"write {words[0]}") if isinstance(node, Scalar) else f"write {words[0]}"
        raise expected(f"'{words[0]}'" if len(words) == 1 else f"one of {known}", node, hint)

    return Kind(read, {"enum": list(words)})


def anything() -> Kind:
    """Any value of YAML; an empty place is none."""

    def read(node: Node) -> Any:
        if isinstance(node, Scalar) and not node.text and not node.style:
            raise expected("a value", node)
        return read_plain(node)

    return Kind(read, {})


def name() -> Kind:
    """A name that texts can use."""

    def read(node: Node) -> str:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            raise expected("a name", node, "write a name, as under 'inputs:'")
        if wrong := wrong_name(node):
            raise MistakesError(wrong)
        return node.text

    return Kind(read, {"type": "string", "pattern": NAME})


def wrong_name(key: Scalar) -> Mistake | None:
    """What keeps a key from being a name: an identifier of Python's, none of its keywords, not private."""
    word = key.text[:40]
    if not key.text.isidentifier() or not key.text.isascii():
        return Mistake(key.span, f"'{word}' is no name", "a name has letters, digits and '_', and begins with a letter")
    if iskeyword(key.text):
        return Mistake(key.span, f"'{word}' is a keyword of Python and cannot be a name", f"call it '{word}_'")
    if word.startswith("_"):
        return Mistake(key.span, f"the name '{word}' begins with an underscore", "use a public name")
    return None


def names_to(kind: Kind) -> Kind:
    """A mapping from names to values of one kind. What is right in it is the error's `partial`."""

    def read(node: Node) -> dict[str, Any]:
        if not isinstance(node, Fields):
            raise expected("a mapping", node, "write one 'name: value' per line, indented below the key")
        values: dict[str, Any] = {}
        found: list[Mistake | NotationError] = []
        for key, child in node.pairs:
            if wrong := wrong_name(key):
                found.append(wrong)
            try:
                values[key.text] = kind.read(child)
            except MistakesError as error:
                found.extend(error.found)
        if found:
            raise MistakesError(*found, partial=values)
        return values

    return Kind(read, {"type": "object", "propertyNames": {"pattern": NAME}, "additionalProperties": dict(kind.schema)})


def list_of(kind: Kind, *, or_one: bool = False, empty: bool = True) -> Kind:
    """A list of values of one kind. or_one : a value alone is a list of one; empty : an empty list is allowed."""

    def read(node: Node) -> tuple[Any, ...]:
        if not isinstance(node, Items) and not or_one:
            raise expected("a list", node, "write [1, 2, 7], or one entry per line behind a '-'")
        children = node.nodes if isinstance(node, Items) else (node,)
        if not children and not empty:
            raise expected("at least one entry", node, "write one, or remove the key")
        values: list[Any] = []
        found: list[Mistake | NotationError] = []
        for child in children:
            try:
                values.append(kind.read(child))
            except MistakesError as error:
                found.extend(error.found)
        if found:
            raise MistakesError(*found, partial=tuple(values))
        return tuple(values)

    several = {"type": "array", "items": dict(kind.schema), "minItems": 0 if empty else 1}
    return Kind(read, {"anyOf": [dict(kind.schema), several]} if or_one else several)


def nested(leaf: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """The schema of one value, or of lists of them within each other; below that depth anything may stand."""
    inner = nested(leaf, depth - 1) if depth else {}
    return {"anyOf": [dict(leaf), {"type": "array", "items": inner}]}


def one_or_per_name(kind: Kind) -> Kind:
    """One value, or a mapping from names to such values."""
    several = names_to(kind)
    return Kind(
        lambda node: (several if isinstance(node, Fields) else kind).read(node),
        {"anyOf": [dict(kind.schema), dict(several.schema)]},
    )


def _within(node: Node, value: Any, high_enough: bool, least: str, low_enough: bool, most: str) -> Any:
    """The value; the questions are put so that NaN is outside."""
    if high_enough and low_enough:
        return value
    limit = least if not high_enough else most
    limit = limit if limit.startswith("above") else f"of {limit}"
    raise MistakesError(unexpected(f"a number {limit}", node, "change it, or remove the key"))

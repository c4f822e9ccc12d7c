"""The fields of one case, all read → the frozen Case of the model, with the place of every key.

Nothing is judged here any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradcheck.casefile.nodes import Fields, Items, Node, Scalar
from gradcheck.location import Location, SourceText
from gradcheck.model.case import Body, Case, CodeBody, Expect, FunctionBody, NetworkBody

MAX_DEPTH = 3  # of the places: case → inputs → x → one entry


def assemble(values: Mapping[str, Any], kind: str, fields: Fields, own: Fields, otherwise: str) -> Case:
    """The case, for further checks even where a value of it could not be read.

    values : what the table read
    kind : function, network or code
    own : its mapping as it stands, without defaults
    otherwise : its name where it has none
    """
    expect = values["expect"]
    return Case(
        name=(values["name"] or otherwise).strip(),
        location=own.page.location(own.span.start),
        body=_body(values, kind),
        where=dict(_places(fields)),
        expect=Expect(tensors=expect) if isinstance(expect, dict) else Expect(verdict=expect),
        same_size=values["shape"] == "same_size",
        inherited=_inherited(fields, own),
        **{key: values[key] for key in _SAME},
    )


# What the table reads is what the case holds.
_SAME = (
    "inputs", "constants", "gradient", "expected", "wrt", "seed", "trials", "upstream", "rtol", "options", "sizes",
    "sweep", "vary", "scale", "points", "batched", "hidden", "tags", "timeout", "why",
)  # fmt: skip
_OF_CODE = ("forward", "backward", "setup", "output", "build", "gradient_at", "parameters_at", "arrays", "reference")


def _body(values: Mapping[str, Any], kind: str) -> Body:
    if kind == "function":
        return FunctionBody(values["function"] or SourceText.of(""))
    if kind == "network":
        return NetworkBody(values["network"] or (), values["loss"], values["penalty"], values["parameters"])
    path, entry = values["code"] or (Path(), None)
    return CodeBody(path, entry, **{key: values[key] for key in _OF_CODE})


def _inherited(fields: Fields, own: Fields) -> frozenset[str]:
    """Names under `sizes`, `options` and `sweep` that only the defaults have."""

    def names(written: Fields) -> set[str]:
        groups = (written.get(group) for group in ("sizes", "options", "sweep"))
        return {key.text for group in groups if isinstance(group, Fields) for key, _ in group.pairs}

    return frozenset(names(fields) - names(own))


def _places(node: Node, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Location]]:
    """Where everything stands: a scalar itself, a collection by its key."""
    places: list[tuple[tuple[str | int, ...], Location]] = []
    steps: list[tuple[str | int, Node, Node]] = []
    if isinstance(node, Fields):
        steps = [(key.text, value, value if isinstance(value, Scalar) else key) for key, value in node.pairs]
    elif isinstance(node, Items):
        steps = [(i, value, value) for i, value in enumerate(node.nodes)]
    for step, value, place in steps:
        places.append(((*path, step), place.page.location(place.span.start)))
        if len(path) + 1 < MAX_DEPTH:
            places.extend(_places(value, (*path, step)))
    return places

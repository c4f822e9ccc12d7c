"""The JSON schema of a case file (draft 07), made of the tables in `fields`, for editors to complete and check.

A schema sees keys and kinds of values; what texts, shapes and files mean, only `gradcheck run` says.
"""

from __future__ import annotations

from typing import Any

from gradcheck.casefile.fields import ASSIGNMENT, CASE, KEYS_OF_KIND, KINDS, schema

DIALECT = "http://json-schema.org/draft-07/schema#"  # the latest that YAML language servers know in full
ABOUT = {
    "cases": "the cases of the file, each a mapping of its own",
    "defaults": "keys that every case takes over; what a case says itself wins, null takes a default away",
    "assignment": "what the cases are as homework, for gradcheck grade",
}

Schema = dict[str, Any]


def file_schema() -> Schema:
    """The schema of a whole file: one case, or `cases:` with what they share."""
    top = {
        "cases": {"description": ABOUT["cases"], "type": "array", "minItems": 1},
        "defaults": {"description": ABOUT["defaults"], "$ref": "#/definitions/defaults"},
        "assignment": {"description": ABOUT["assignment"], "$ref": "#/definitions/assignment"},
    }
    one_case = {"allOf": [{"$ref": "#/definitions/case"}]}
    several = {
        "type": "object",
        "required": ["cases"],
        "properties": top,
        "additionalProperties": False,
        # Where there are defaults, a case may leave its kind to them, and take a key away with null.
        "if": {"required": ["defaults"]},
        "then": {"properties": {"cases": {"items": {"$ref": "#/definitions/part"}}}},
        "else": {"properties": {"cases": {"items": {"$ref": "#/definitions/listed"}}}},
    }
    return {
        "$schema": DIALECT,
        "title": "gradcheck case file",
        "description": "One case, or a list of them under 'cases'; gradcheck run checks their gradients.",
        "type": "object",
        # Nothing is asked here that is not asked below: an editor offers these keys in an empty file.
        "properties": {key: {"description": about} for key, about in ABOUT.items()},
        "if": {"anyOf": [{"required": ["cases"]}, {"required": ["defaults"]}]},
        "then": several,
        "else": one_case,
        "definitions": {
            "case": {**_with(schema(CASE), assignment=top["assignment"]), **_one_kind()},
            "listed": {**schema(CASE), **_one_kind()},
            "part": {**_nullable(schema(CASE)), **_at_most_one_kind()},
            "defaults": {**_with(schema(CASE), name=False), **_at_most_one_kind()},
            "assignment": schema(ASSIGNMENT),
        },
    }


def _with(made: Schema, **properties: Any) -> Schema:
    return {**made, "properties": {**made["properties"], **properties}}


def _nullable(made: Schema) -> Schema:
    """The same where every key may be null: it takes the default away, and so may one level further down."""
    properties = {}
    for key, value in made["properties"].items():
        about = {"description": value["description"]}
        rest = {word: part for word, part in value.items() if word != "description"}
        inner = rest.get("additionalProperties")
        if isinstance(inner, dict):
            rest = {**rest, "additionalProperties": {"anyOf": [inner, {"type": "null"}]}}
        properties[key] = {**about, "anyOf": [rest, {"type": "null"}]}
    return {**made, "properties": properties}


def _kinds() -> list[Schema]:
    """For every kind: it is there, and no key of another kind is."""
    found = []
    for kind in KINDS:
        others = {key for other in KINDS if other != kind for key in KEYS_OF_KIND[other]} - KEYS_OF_KIND[kind]
        found.append({"required": [kind], "not": {"anyOf": [{"required": [key]} for key in sorted(others)]}})
    return found


def _one_kind() -> Schema:
    return {"oneOf": _kinds()}


def _at_most_one_kind() -> Schema:
    """Of defaults, and of a case that has some: no two kinds beside each other, but for one that is taken away."""
    there = {"not": {"type": "null"}}
    pairs = [(a, b) for i, a in enumerate(KINDS) for b in KINDS[i + 1 :]]
    return {"not": {"anyOf": [{"required": [a, b], "properties": {a: there, b: there}} for a, b in pairs]}}

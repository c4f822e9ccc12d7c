"""Results and roster → the gradebook, and the gradebook as JSON: what all outputs are projections of.

The schema of that JSON is `schema()`; fields are explained where they are defined, in `model/grading.py`.
"""

from __future__ import annotations

import dataclasses
import json
import types
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from gradcheck import __version__
from gradcheck.grading.plain import plain
from gradcheck.grading.roster import matched
from gradcheck.model.grading import Assignment, Gradebook, Student, SubmissionResult, Walls

SCHEMA = 1
TWICE = "another submission is this student's, too"


def gradebook(
    assignment: Assignment,
    walls: Walls,
    results: Sequence[SubmissionResult],
    students: Sequence[Student] = (),
    waiting: Sequence[str] = (),
) -> Gradebook:
    """All results, sorted by name, each with its student."""
    who = matched([result.submission for result in results], students)
    times = Counter(student.id for student in who.values())
    named = []
    for result in results:
        student = who.get(result.submission)
        twice = (TWICE,) if student is not None and times[student.id] > 1 else ()
        name = result.submission if student is None else student.name
        named.append(replace(result, student=name, notes=(*result.notes, *twice)))
    absent = {student.id for student in students} - {student.id for student in who.values()}
    return Gradebook(
        title=assignment.title,
        file=assignment.file,
        digest=assignment.digest,
        feedback=assignment.feedback,
        max_points=assignment.max_points,
        checks={check.name: check.max_points for check in assignment.checks},
        walls=walls,
        results=tuple(sorted(named, key=lambda result: (result.submission, result.slug))),
        missing=tuple(student.name for student in students if student.id in absent),
        waiting=tuple(waiting),
        ids={submission: student.id for submission, student in who.items()},
    )


def render_json(book: Gradebook) -> str:
    """`results.json`: for the teacher, with everything that is known."""
    head = {"schema": SCHEMA, "gradcheck": __version__, "stamp": book.walls.stamp}
    return json.dumps({**head, **plain(book)}, indent=2, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of `results.json`, made from the annotations of the nouns."""
    definitions: dict[str, Any] = {}
    book = _object(Gradebook, definitions)
    head = {"schema": {"const": SCHEMA}, "gradcheck": {"type": "string"}, "stamp": {"type": "string"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": definitions,
        **book,
        "properties": {**head, **book["properties"]},
        "required": [*head, *book["required"]],
    }


def _object(kind: type[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    properties = {field.name: _schema(hints[field.name], definitions) for field in dataclasses.fields(kind)}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(kind, definitions) for kind in arguments]}
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin is Literal:
        return {"enum": list(arguments)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        name = hint.__name__
        if name not in definitions:
            definitions[name] = {}
            definitions[name] = _object(hint, definitions)
        return {"$ref": f"#/$defs/{name}"}
    simple: dict[Any, dict[str, Any]] = {
        str: {"type": "string"},
        bool: {"type": "boolean"},
        int: {"type": "integer"},
        float: {"anyOf": [{"type": "number"}, {"enum": ["nan", "inf", "-inf"]}]},
        type(None): {"type": "null"},
        Path: {"type": "string"},
    }
    return simple[hint]

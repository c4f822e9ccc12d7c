"""What the tests of grading share: the example, a box that is none, workers that are none, and a schema's validator."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gradcheck.grading.assignment import read_assignment
from gradcheck.grading.marking import Marker
from gradcheck.grading.reference import Measures, measure
from gradcheck.grading.submissions import Entry, read_submission, slug_of
from gradcheck.handwritten.session import Code, Session
from gradcheck.model.grading import Assignment, Submission, SubmissionResult, Walls
from gradcheck.sandbox.terms import BoxError, Limits

EXAMPLE = Path(__file__).parent / "examples" / "two_layer"
HOMEWORK = EXAMPLE / "hw.yaml"
WALLS = Walls("medium", ("user", "seccomp"))
ENDINGS = {f"# {kind}".encode(): kind for kind in ("timeout", "memory", "crashed", "flooded", "broken_channel")}

REFERENCE = """\
import numpy as np

def f(x, w):
    return np.tanh(x @ w), (x, w)

def g(dout, cache):
    x, w = cache
    dz = dout * (1 - np.tanh(x @ w) ** 2)
    return dz @ w.T, x.T @ dz
"""
CASE = """\
    code: student.py
    reference: reference.py
    forward: out, cache = f(x, w)
    backward: dx, dw = g(dout, cache)
"""


class HereSession(Session):
    """A session whose processor is ours."""

    def cpu_seconds(self) -> float:
        return time.process_time()


class StandIn:
    """Runs a submission here: for tests whose submissions are our own. A source that says `# crashed` does that."""

    def __init__(self, folder: str, files: Mapping[str, bytes], asked: list[str]) -> None:
        self.folder, self.files, self.asked = folder, files, asked

    def session(self, plan: Mapping[str, Any], file: str | None = None) -> HereSession:
        name = file or next(iter(self.files))
        self.asked.append(name)
        for mark, kind in ENDINGS.items():
            if mark in self.files[name]:
                raise BoxError(kind, "no answer within 1 s", "forward")
        return HereSession(Code(os.path.join(self.folder, name)), dict(plan))


class Boxes:
    """Opens stand-ins. opened : limits of each; asked : files of each session"""

    def __init__(self) -> None:
        self.opened: list[Limits] = []
        self.asked: list[str] = []

    @contextmanager
    def __call__(self, files: Mapping[str, bytes], limits: Limits) -> Iterator[StandIn]:
        self.opened.append(limits)
        with TemporaryDirectory() as folder:
            for name, content in files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            yield StandIn(folder, files, self.asked)


class Inline:
    """Workers that do everything at once, here."""

    count = 1

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future

    def abandon(self, futures: object) -> None: ...
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None: ...


def homework(folder: Path, cases: str, reference: str = REFERENCE, head: str = "  title: a\n") -> Assignment:
    """An assignment of the cases given below `cases:`; its problems are raised."""
    (folder / "reference.py").write_text(reference)
    (folder / "hw.yaml").write_text(f"assignment:\n{head}cases:\n{cases}")
    assignment, problems = read_assignment(str(folder / "hw.yaml"))
    assert assignment is not None, problems
    return assignment


def case(name: str = "c", more: str = "", x: str = "normal(3, 2)", w: str = "normal(2, 4)") -> str:
    return f"  - name: {name}\n{CASE}    inputs: {{x: '{x}', w: '{w}'}}\n{more}"


def marker(assignment: Assignment, boxes: Boxes | None = None) -> Marker:
    measures = measure(assignment)
    assert not measures.problems, [problem.message for problem in measures.problems]
    return Marker(assignment, measures, boxes or Boxes())


def measures_of(assignment: Assignment) -> Measures:
    return measure(assignment)


def submission(source: str, file: str = "student.py", name: str = "ana") -> Submission:
    import hashlib

    content = source.encode()
    return Submission(name, slug_of(name), {file: content}, hashlib.sha256(content).hexdigest())


def marked(folder: Path, source: str, cases: str, reference: str = REFERENCE) -> SubmissionResult:
    return marker(homework(folder, cases, reference)).mark(submission(source))


def entry(path: Path) -> Entry:
    return Entry(path, path.stem, slug_of(path.name))


def example(name: str, assignment: Assignment) -> Submission:
    return read_submission(entry(EXAMPLE / "submissions" / name), assignment.files)


def mistakes(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any] | None = None, at: str = "$") -> list[str]:
    """What a JSON schema (the part of draft 2020-12 that is used here) has against a value."""
    root = schema if root is None else root
    if "$ref" in schema:
        return mistakes(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root, at)
    found: list[str] = []
    kinds: dict[str, Callable[[Any], bool]] = {
        "object": lambda v: isinstance(v, dict),
        "array": lambda v: isinstance(v, list),
        "string": lambda v: isinstance(v, str),
        "boolean": lambda v: isinstance(v, bool),
        "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
        "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
        "null": lambda v: v is None,
    }
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(kinds[kind](value) for kind in types):
        return [f"{at}: expected {types}, got {value!r}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is not one of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{at}: {value!r} is not {schema['const']!r}")
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{at}: {value} is too small")
    if "anyOf" in schema and all(mistakes(each, value, root, at) for each in schema["anyOf"]):
        found.append(f"{at}: {value!r} fits none of the alternatives")
    if isinstance(value, dict):
        found += [f"{at}: '{name}' is missing" for name in schema.get("required", ()) if name not in value]
        known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        for name, item in value.items():
            inner = known.get(name, others)
            if inner is False:
                found.append(f"{at}: unknown key '{name}'")
            elif isinstance(inner, dict):
                found += mistakes(inner, item, root, f"{at}.{name}")
    if isinstance(value, list):
        for i, item in enumerate(value):
            found += mistakes(schema.get("items", {}), item, root, f"{at}[{i}]")
        if len(value) < schema.get("minItems", 0):
            found.append(f"{at}: too few items")
        if "contains" in schema and all(mistakes(schema["contains"], item, root, at) for item in value):
            found.append(f"{at}: no item fits")
    return found

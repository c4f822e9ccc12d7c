"""A case file read as an assignment: what is asked, what it is worth, which files a submission consists of.

Whether the reference is good enough to grade by is found out in `reference.py`; here nobody's code is run.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gradcheck.casefile.arrays import file_of
from gradcheck.casefile.loader import Loaded, load_file, problem_at
from gradcheck.checking.families import families
from gradcheck.handwritten.neighbours import parsed
from gradcheck.location import Location, SourceText
from gradcheck.model.case import Case, CodeBody, FunctionBody
from gradcheck.model.grading import Assignment, Check
from gradcheck.model.report import FileProblem

WORTH = 1.0  # points of a case that names none
IN_THE_BOX = frozenset({"numpy"})  # packages that submissions find there


def read_assignment(name: str) -> tuple[Assignment | None, tuple[FileProblem, ...]]:
    """The assignment in a case file, or everything that keeps it from being one, in the order of the file."""
    loaded = load_file(name)
    if loaded.problems:
        return None, loaded.problems
    if loaded.assignment is None:
        hint = "put 'assignment:' above the cases, with at least a title below it"
        return None, (problem_at(Location(name, 1, 1), "this file has no 'assignment'", hint),)
    problems = tuple(_problems(name, loaded))
    if problems:
        return None, problems
    return _assignment(name, loaded), ()


def _assignment(name: str, loaded: Loaded) -> Assignment:
    assert loaded.assignment is not None
    said, folder = loaded.assignment.values, Path(name).resolve().parent
    digest = _digest(name, loaded.cases)
    return Assignment(
        file=name,
        folder=folder,
        title=said["title"] or Path(name).stem,
        checks=_checks(loaded.cases),
        files=_files(loaded, folder),
        requires=tuple(said["requires"]),
        feedback=said["feedback"],
        budget=said["budget"],
        # Whoever knows the hidden cases and the reference knows everything there is to know.
        secret=(said["secret"] or digest).encode(),
        roster=said["roster"],
        digest=digest,
    )


def _checks(cases: Sequence[Case]) -> tuple[Check, ...]:
    """The cases as they were written; hidden ones behind the others, numbered."""
    written = [
        (members[0].name, members[0].hidden, WORTH if members[0].points is None else members[0].points, members)
        for members in families(cases)
    ]
    visible = [Check(name, name, False, points, members) for name, hidden, points, members in written if not hidden]
    hidden = [entry for entry in written if entry[1]]
    numbered = [
        Check(name, f"hidden {number}", True, points, members)
        for number, (name, _, points, members) in enumerate(hidden, 1)
    ]
    return (*visible, *numbered)


def _files(loaded: Loaded, folder: Path) -> tuple[str, ...]:
    """The files of a submission: those declared, else those named by `code`; paths relative to the folder."""
    assert loaded.assignment is not None
    named = [code_file(case, folder) for case in loaded.cases]
    return tuple(dict.fromkeys(loaded.assignment.values["files"] or named))


def code_file(case: Case, folder: Path) -> str:
    """Which file of a submission a case calls: its path there."""
    assert isinstance(case.body, CodeBody)
    path = case.body.path
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def reference_files(assignment: Assignment) -> dict[str, bytes] | None:
    """The references as a submission: each in place of the file it is the answer to, its neighbours beside it.

    None where two cases have different answers to one file.
    """
    files: dict[str, bytes] = {}
    for check in assignment.checks:
        body = check.cases[0].body
        assert isinstance(body, CodeBody)
        assert body.reference is not None
        name, content = code_file(check.cases[0], assignment.folder), body.reference.read_bytes()
        if files.setdefault(name, content) != content:
            return None
    for path in sorted(assignment.folder.glob("*.py")):
        files.setdefault(path.name, path.read_bytes())
    return files


def _problems(name: str, loaded: Loaded) -> Iterator[FileProblem]:
    assert loaded.assignment is not None
    said, start = loaded.assignment, Location(name, 1, 1)
    if not loaded.cases:
        yield problem_at(start, "the assignment has no cases", "write some below 'cases:'")
    first = [members[0] for members in families(loaded.cases)]
    files = tuple(said.values["files"])
    for package in said.values["requires"]:
        if package not in IN_THE_BOX:
            message = f"submissions cannot import '{package}': the box has numpy and the standard library"
            yield problem_at(said.where.get("requires", start), message, "leave it out of 'requires'")
    for file in files:
        parts = Path(file).parts
        if not file.endswith(".py") or ".." in parts or Path(file).is_absolute() or "\\" in file:
            message = f"'{file}' cannot be a file of a submission"
            hint = "write paths of Python files, relative to the submission"
            yield problem_at(said.where.get("files", start), message, hint)
    for case in first:
        yield from _of_case(case, files, Path(name).resolve().parent)
    if first and all(_worth(case) == 0 for case in first):
        yield problem_at(first[0].at("points"), "the assignment is worth no points", "give a case points: 2")


def _of_case(case: Case, files: Sequence[str], folder: Path) -> Iterator[FileProblem]:
    body = case.body
    if not isinstance(body, CodeBody):
        message = f"the case '{case.name[:40]}' has nothing that a student could have written"
        yield problem_at(case.at(_kind_of(case)), message, "give it 'code', or move it into a file of its own")
        return
    if body.reference is None:
        message = f"the case '{case.name[:40]}' has no reference, and differences are only taken of a trusted forward"
        yield problem_at(case.at("code"), message, "name a file with the right answer: reference: solution.py")
    elif body.reference == body.path:
        message = "the reference is the file that students hand in"
        yield problem_at(case.at("reference"), message, "keep the right answer in a file of another name")
    if body.build is not None:
        hint = "write the calls: setup, forward, backward"
        yield problem_at(case.at("build"), "'build' cannot be graded: its arrays would be the submission's own", hint)
    if body.arrays is not None:
        message = "'arrays' cannot be graded: the box has numpy and the standard library"
        yield problem_at(case.at("arrays"), message, "let the code take and return numpy arrays")
    if not body.path.is_relative_to(folder):
        message = "the code of an assignment lies in the submission"
        yield problem_at(case.at("code"), message, "write its path inside the submission: code: layers.py")
    elif files and code_file(case, folder) not in files:
        message = f"'{code_file(case, folder)}' is not among the files of the assignment"
        yield problem_at(case.at("code"), message, f"the files are: {', '.join(files)}")


def _kind_of(case: Case) -> str:
    return "function" if isinstance(case.body, FunctionBody) else "network"


def _worth(case: Case) -> float:
    if isinstance(case.points, Mapping):
        return sum(case.points.values())
    return WORTH if case.points is None else case.points


def _beside(reference: Path) -> Iterator[Path]:
    """Files that a reference names in its imports, and those that they name: beside it, or in folders there."""
    waiting, seen = [reference], {reference}
    while waiting:
        tree = parsed(waiting.pop())
        for node in ast.walk(tree) if tree is not None else ():
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            base = [*(node.module or "").split(".")] if isinstance(node, ast.ImportFrom) else []
            for parts in (base, *([*base, *name.split(".")] for name in names)):
                found = reference.parent.joinpath(*parts).with_suffix(".py") if any(parts) else reference
                if found not in seen and found.is_file():
                    seen.add(found)
                    waiting.append(found)
                    yield found


def _digest(name: str, cases: Sequence[Case]) -> str:
    """SHA-256 of the case file, the references with what they may import, and the files that arrays come from."""
    files = {Path(name).resolve()}
    for case in cases:
        if isinstance(case.body, CodeBody) and case.body.reference is not None:
            files.update((case.body.reference, *_beside(case.body.reference)))
        for spec in case.inputs.values():
            found = file_of(spec.text) if isinstance(spec, SourceText) else None
            if found:
                files.add((case.directory / found[0]).resolve())
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()

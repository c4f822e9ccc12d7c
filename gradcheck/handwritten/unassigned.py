"""Names in the statements of a case that nothing gives a value: told at their place, with what was probably meant.

Functions that the file lacks are the file's affair and told by `session/`; here are the words that only the author of
the case can have meant: a cache that no statement took, a number that stands under no key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gradcheck.errors import NotationError, did_you_mean
from gradcheck.handwritten.calls import Plan
from gradcheck.handwritten.outline import global_names
from gradcheck.handwritten.session import BUILTINS, Code, CodeError
from gradcheck.handwritten.statements import Lines, lines_of
from gradcheck.location import SourceText
from gradcheck.model.case import Case, CodeBody
from gradcheck.notation import Call, Name, parse_expression, walk

ELSEWHERE = "a number stands under 'options:', an array under 'inputs:'"


def unassigned(
    case: Case,
    body: CodeBody,
    plan: Plan,
    code: Code,
    *,
    is_set_up: bool,
    returned: Callable[[], Mapping[str, int]],
) -> list[NotationError]:
    """A mistake for every name that is read, and is no input, no option, assigned nowhere and not in the file.

    body : with every statement written out; plan : made of it
    is_set_up : whether setup has run, which may give the file more names
    returned : forward's results and how many values each of them holds; asked for where a name of backward is unknown
    """
    names, file = code.names, code.name
    given = {*case.inputs, *case.options, *case.sizes, "seed"}
    found: list[NotationError] = []
    for phase, name, source, known in _unknown(body, plan, given):
        if name.id in names or name.id in BUILTINS or (phase != "setup" and not is_set_up):
            continue
        if name.id in global_names(Path(code.path)):  # a function sets it as it runs
            continue
        taken = _taken_whole(lines_of(body.forward), returned) if phase == "backward" else None
        if taken is not None:
            output, count, call = taken
            message = f"no statement assigns '{name.id}', and forward returned {count} values as '{output}'"
            left = f"{output}, {name.id}" if count == 2 else f"{output}, …"
            hint = f"{'write' if count == 2 else 'give each of them a name:'} {left} = {call}"
        else:
            message = f"no statement assigns '{name.id}', and {file} has no such name"
            public = [word for word in names if not word.startswith("_")]
            hint = did_you_mean(name.id, [*known, *public], ELSEWHERE)
        found.append(NotationError(message, hint, source, name.span))
    return found


def _unknown(body: CodeBody, plan: Plan, given: set[str]) -> Iterator[tuple[str, Name, SourceText, set[str]]]:
    """(phase, name, text, names known there) of every first reading of a name that is known to nobody."""
    known, told = set(given), set[str]()
    for phase, source in (("setup", body.setup), ("forward", body.forward), ("backward", body.backward)):
        lines = lines_of(source)
        if phase == "backward":
            known |= {name for name, _ in plan["outputs"]} | {name for _, name in plan["upstream"]}
        for name in lines.unknown(known):
            if name.id not in lines.called and name.id not in told:
                told.add(name.id)
                yield phase, name, lines.source, known
        known |= set(lines.assigned)
    for source in _places(body):
        tree = parse_expression(source)
        called = {id(node.function) for node in walk(tree) if isinstance(node, Call)}
        for node in walk(tree):
            if isinstance(node, Name) and node.id not in known | told and id(node) not in called:
                told.add(node.id)
                yield "places", node, source, known


def _places(body: CodeBody) -> Iterator[SourceText]:
    for found in (body.gradient_at, body.parameters_at):
        if isinstance(found, SourceText):
            yield found
        elif found is not None:
            yield from found.values()


def _taken_whole(forward: Lines, returned: Callable[[], Mapping[str, int]]) -> tuple[str, int, str] | None:
    """The result of forward that holds several values under one name: the name, how many, and the call."""
    try:
        counts = returned()
    except CodeError:  # it does not run: that will be told when the names are right
        return None
    for statement in forward.statements:
        if isinstance(statement.target, Name) and counts.get(statement.target.id, 1) > 1:
            text = forward.source.text[statement.value.span.start : statement.value.span.end]
            return statement.target.id, counts[statement.target.id], text
    return None

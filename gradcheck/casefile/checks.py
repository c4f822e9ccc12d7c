"""What the keys of one case mean together: one kind per case, names that exist and do not collide, arrays that fit.

A single value is judged where it is read (`readers`, `fields`); what needs shapes is judged where the case is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

import numpy as np

from gradcheck.casefile.arrays import measure_array, names_in_shapes
from gradcheck.casefile.fields import KEYS_OF_KIND, KINDS
from gradcheck.casefile.initialisers import MAX_ELEMENTS
from gradcheck.casefile.nodes import Fields, Items, Node, Scalar
from gradcheck.casefile.page import Mistake
from gradcheck.casefile.sweep import MAX_COMBINATIONS, TOO_MANY, SweepError, count, expand, is_size
from gradcheck.errors import GradcheckError, NotationError, did_you_mean
from gradcheck.location import SourceText, Span
from gradcheck.model.case import ArraySpec, Case, CodeBody, FunctionBody, NetworkBody, Numbers

Found = Iterator[Mistake | NotationError]
MAX_ELEMENTS_OF_CASE = 2 * MAX_ELEMENTS
MAX_MEASURED = 3_000  # arrays of one case; at 30 µs each
# Names that texts use for something else: the upstream gradient in formulas, the output under `expected`.
RESERVED = {"upstream": "the upstream gradient", "value": "the output"}


class NotFiniteNumbersError(GradcheckError):
    """Numbers of a point at which nothing can be differentiated."""


def kind_of(fields: Fields, at: Span) -> tuple[str | None, list[Mistake]]:
    """What a case differentiates, None where that is not clear, and keys that do not go with it.

    at : where a case without a kind is told of
    """
    present = [key for key, _ in fields.pairs if key.text in KINDS]
    if not present:
        meant = [key for key, _ in fields.pairs if get_close_matches(key.text, KINDS, 1)]
        if meant:  # a misspelt kind is told of as an unknown key
            return None, []
        message = "expected one of 'function', 'network' and 'code', got none of them"
        return None, [Mistake(at, message, "say what is to be differentiated")]
    kind = present[0].text
    if len(present) > 1:
        message = f"stands beside '{kind}', and a case is one of 'function', 'network' and 'code'"
        return None, [Mistake(key.span, f"'{key.text}' {message}", "make two cases of it") for key in present[1:]]
    return kind, [
        Mistake(
            key.span, f"'{key.text}' belongs to a {other} case, and this is a {kind} case", _instead(key.text, kind)
        )
        for key, _ in fields.pairs
        for other in KINDS
        if other != kind and key.text in KEYS_OF_KIND[other]
    ]


def without_other_kinds(fields: Fields, kind: str) -> Fields:
    """The case without the keys that belong to another kind: those are told of, and what they hold means nothing."""
    foreign = frozenset(key for other, keys in KEYS_OF_KIND.items() if other != kind for key in keys)
    kept = tuple(pair for pair in fields.pairs if pair[0].text not in foreign)
    return Fields(fields.page, fields.span, kept, fields.flow)


def check_case(case: Case, fields: Fields, unsure: frozenset[str]) -> Found:
    """Names, claims and arrays of a case.

    unsure : keys with mistakes of their own; what depends on them is not judged
    """
    yield from _names(case, fields)
    for name, numbers in case.expected.items():
        if not np.all(np.isfinite(numbers.values)):
            message = "expected finite numbers, got NaN or infinity"
            yield Mistake(_span(fields, "expected", name), message, "write the numbers that should come out")
    if "inputs" not in unsure or isinstance(fields.get("inputs"), Fields):
        yield from _claims(case, fields, unsure)
    if isinstance(case.body, CodeBody) and case.body.build is not None:
        for word in ("forward", "backward", "setup", "output", "gradient_at", "parameters_at", "inputs"):
            if key := fields.key(word):
                message = f"'{word}' stands beside 'build', which makes the whole problem"
                yield Mistake(key.span, message, "keep one of them")
    if count(case.sweep) > MAX_COMBINATIONS:
        yield Mistake(_key_span(fields, "sweep"), TOO_MANY, "sweep fewer names at once, or split the case")
        return
    negative = [name for name in case.sweep if is_size(case, name) and min(case.sweep[name]) < 0]
    for name in negative:
        yield Mistake(_span(fields, "sweep", name), f"the size '{name}' is negative", "sweep whole numbers from 0")
    if not negative and not unsure & {"sizes", "options", "sweep"}:
        yield from _arrays(case, fields)


def _names(case: Case, fields: Fields) -> Found:
    """Everything that texts may name, each name once."""
    owner: dict[str, str] = {}
    for group in ("inputs", "constants", "sizes", "options", "sweep"):
        for name in _written(fields, group):
            same = group == "sweep" and owner.get(name) in ("sizes", "options")
            if name in owner and not same:
                message = f"the name '{name}' stands under '{owner[name]}' already"
                yield Mistake(_key_span(fields, group, name), message, "give one of them another name")
            elif name in RESERVED and not isinstance(case.body, CodeBody):
                message = f"the name '{name}' is taken: it is {RESERVED[name]}"
                yield Mistake(_key_span(fields, group, name), message, "choose another name")
            owner.setdefault(name, group)


def _claims(case: Case, fields: Fields, unsure: frozenset[str]) -> Found:
    """Claims and wishes about tensors that the case has. What parameters a network or a model has is known later."""
    closed = isinstance(case.body, FunctionBody)
    known = _written(fields, "inputs")
    if closed and not known and unsure:  # perhaps 'inputs' itself is misspelt
        return
    offered = known[:50]  # for hints; a file can have thousands
    hint = f"the inputs are: {', '.join(known[:8]) or 'none'}"
    members, seen = frozenset(known), set[str]()
    for number, name in enumerate(case.wrt or ()):
        place = _wrt_span(fields, number)
        if closed and name not in members:
            yield Mistake(place, f"'{name}' is not among the inputs", did_you_mean(name, offered, hint))
        elif name in seen:
            yield Mistake(place, f"'{name}' is listed twice", "write it once")
        elif isinstance(case.body, CodeBody) and _is_whole(case.inputs.get(name), case):
            yield Mistake(
                place,
                f"'{name}' holds whole numbers, which have no gradient",
                "leave it out, or write 1.0 instead of 1",
            )
        seen.add(name)
    groups: tuple[tuple[str, Iterable[str]], ...] = (
        ("gradient", case.gradient),
        ("expected", case.expected),
        ("scale", case.scale),
        ("expect", case.expect.tensors),
    )
    for group, names in groups if closed else ():
        for name in names:
            place = _key_span(fields, group, name)
            if name == "value" and group in ("expected", "expect"):
                continue
            if name not in members:
                yield Mistake(place, f"'{name}' is not among the inputs", did_you_mean(name, offered, hint))
            elif case.wrt is not None and name not in case.wrt:
                yield Mistake(place, f"'{name}' is not in 'wrt', so nobody would check this", "add it to 'wrt'")


def _written(fields: Fields, group: str) -> tuple[str, ...]:
    """The names under a key, those with a mistake in their value included."""
    node = fields.get(group)
    return tuple(key.text for key, _ in node.pairs) if isinstance(node, Fields) else ()


def _arrays(case: Case, fields: Fields) -> Found:
    """Every array with every combination of sizes, measured without being made."""
    told: set[tuple[str, str]] = set()
    measured: dict[tuple[object, ...], int] = {}
    for one in expand(case):
        elements, numbers = 0, names_in_shapes(one)
        for group, name, spec in _specs(one):
            text = "" if isinstance(spec, Numbers) else spec.text
            key = (group, name, *((word, value) for word, value in numbers.items() if word in text))
            if key not in measured and (group, name) not in told:
                if len(measured) >= MAX_MEASURED:
                    return  # whoever builds the case tells the rest
                try:
                    measured[key] = _measured(one, group, spec, numbers)
                except NotationError as error:
                    told.add((group, name))
                    yield error
                except NotFiniteNumbersError as error:
                    told.add((group, name))
                    yield Mistake(_span(fields, group, name), error.message, error.hint)
            elements += measured.get(key, 0)
            if elements > MAX_ELEMENTS_OF_CASE:
                message = f"the arrays of this case have more than {MAX_ELEMENTS_OF_CASE} elements"
                yield Mistake(_span(fields, group, name), message, "make the sizes smaller")
                return


def _specs(case: Case) -> Iterator[tuple[str, str, ArraySpec]]:
    parameters = case.body.parameters if isinstance(case.body, NetworkBody) else {}
    for group, specs in (("inputs", case.inputs), ("constants", case.constants), ("parameters", parameters)):
        for name, spec in specs.items():
            yield group, name, spec
    if isinstance(case.upstream, Numbers | SourceText):
        yield "upstream", "", case.upstream


def _measured(case: Case, group: str, spec: ArraySpec, numbers: Mapping[str, int | float]) -> int:
    if isinstance(spec, Numbers) and not isinstance(case.body, CodeBody) and not np.all(np.isfinite(spec.values)):
        raise NotFiniteNumbersError(
            "expected finite numbers, got NaN or infinity", "write numbers of the point that is meant"
        )
    is_parameter = group == "parameters"
    return measure_array(spec, sizes=numbers, directory=case.directory, is_parameter=is_parameter).size


def _is_whole(spec: ArraySpec | None, case: Case) -> bool:
    """Whether an input reaches the code as integers."""
    if spec is None:
        return False
    if isinstance(spec, Numbers):
        return bool(spec.values.dtype == np.int64)
    try:
        one = expand(case)[0]
        return bool(measure_array(spec, sizes=names_in_shapes(one), directory=case.directory).dtype == np.int64)
    except (NotationError, SweepError):
        return False  # told elsewhere


def _instead(word: str, kind: str) -> str:
    """The key that does the same in the other kind, where there is one."""
    if word == "constants":
        return "put it under 'inputs:', and name what is differentiated in 'wrt:'"
    if word == "gradient":
        return "formulas are for functions; numbers can stand under 'expected:'"
    if word == "parameters" and kind == "function":
        return "put it under 'inputs:'"
    return f"remove it, or make it a case of the other kind, without '{kind}:'"


def _span(fields: Fields, *path: str) -> Span:
    """Where a value stands; a collection is pointed at by its key."""
    node: Node = fields
    span = Span(fields.span.start, fields.span.start + 1)
    for step in path:
        if not isinstance(node, Fields) or (child := node.get(step)) is None:
            break
        key = node.key(step)
        assert key is not None
        node, span = child, child.span if isinstance(child, Scalar) else key.span
    return span


def _key_span(fields: Fields, *path: str) -> Span:
    """Where a key stands."""
    parent = fields.get(path[0]) if len(path) > 1 else fields
    key = parent.key(path[-1]) if isinstance(parent, Fields) else None
    return key.span if key is not None else _span(fields, *path)


def _wrt_span(fields: Fields, number: int) -> Span:
    node = fields.get("wrt")
    if isinstance(node, Items) and number < len(node.nodes):
        return node.nodes[number].span
    return _span(fields, "wrt")

"""The calls of a draft, written out by the conventions; where those leave something open, what can be said of the rest.

The conventions themselves are `conventions/`; whether a call works is seen in `trial.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gradcheck.errors import FieldError, GradcheckError, NotationError
from gradcheck.handwritten.conventions import complete
from gradcheck.handwritten.scaffold.draft import Draft
from gradcheck.handwritten.scaffold.facts import FunctionFacts
from gradcheck.handwritten.scaffold.vocabulary import role_of
from gradcheck.handwritten.session import CodeError
from gradcheck.location import SourceText
from gradcheck.model.case import Case, CodeBody

PROMPT = "write it out: "  # how a question of the conventions offers a line


class OpenCallError(GradcheckError):
    """A call that cannot be told from names.

    draft : with the lines that are known, and `…` where they are not; readings : the calls that it may be
    """

    def __init__(self, message: str, draft: Draft, readings: tuple[Draft, ...] = ()) -> None:
        super().__init__(message)
        self.draft, self.readings = draft, readings


def written_out(draft: Draft, path: Path) -> Draft:
    """The draft with its statements. Raises OpenCallError."""
    if draft.subject.kind == "function":
        call = f"{draft.subject.entry}.apply({_passed(draft, draft.subject.forward)})"
        return replace(draft, lines={"arrays": "torch", "forward": f"out = {call}"})
    if draft.subject.kind == "rule":
        call = f"{draft.subject.entry}({_passed(draft, draft.subject.forward)})"
        return replace(draft, lines={"arrays": "jax", "forward": f"out = {call}"})
    if draft.subject.kind == "flag":
        message = f"the name of {draft.subject.entry} says nothing of what its derivative is given"
        raise OpenCallError(message, draft, _switched(draft))
    if draft.subject.kind == "model" and draft.subject.backward is not None:
        return replace(draft, lines=_loss_and_gradient(draft))
    asked, body, floats = _asked(draft, path), draft.body(path), _floats(draft)
    try:
        completed = draft.with_statements(_complete(asked, body, path, floats, draft))
        if unknown := draft.arguments.unknown:
            names = " and ".join(f"'{name}'" for name in unknown)
            raise OpenCallError(f"only you can tell what {draft.subject.entry} is given for {names}", completed)
        return completed
    except CodeError as error:
        raise OpenCallError(error.text, draft) from None
    except (FieldError, NotationError) as error:
        key, _, text = error.hint.removeprefix(PROMPT).partition(": ")
        lines = {key: text} if error.hint.startswith(PROMPT) else {}
        if draft.subject.kind == "pair":
            with suppress(GradcheckError, CodeError):
                lines = {"forward": _forward_alone(asked, body, path, floats), **lines}
        readings = _local_derivatives(draft, lines, floats)
        raise OpenCallError(error.message, replace(draft, lines=lines), readings) from None


def _switched(draft: Draft) -> tuple[Draft, ...]:
    """`sigmoid(x, deriv=True)` of the input, or of the output; `mse(p, t, deriv=True)` of what was predicted."""
    subject = draft.subject
    given = [parameter.name for parameter in subject.forward.parameters if parameter.is_required]
    if len(given) == 1:
        known = {"forward": f"out = {subject.entry}({given[0]})"}
        return tuple(
            replace(
                draft,
                lines={**known, "backward": f"d{given[0]} = dout * {subject.entry}({what}, {subject.flag}=True)"},
                note=f"{subject.flag}=True is given with the {which}: so read, it agrees with a difference.",
            )
            for what, which in ((given[0], "input"), ("out", "output"))
        )
    only = _only_gradient(tuple(given))
    call = ", ".join(given)
    lines = {
        "forward": f"loss = {subject.entry}({call})",
        "backward": f"d{only} = {subject.entry}({call}, {subject.flag}=True)",
    }
    return (replace(draft, lines=lines),)


def _local_derivatives(draft: Draft, lines: Mapping[str, str], floats: tuple[str, ...]) -> tuple[Draft, ...]:
    """What `sigmoid_prime(x)` may be given: the input, or the output; the name says neither."""
    subject = draft.subject
    backward = subject.backward
    if backward is None or not len(subject.forward.parameters) == len(backward.parameters) == len(floats) == 1:
        return ()
    known, owner = {"forward": lines.get("forward", "")}, ""
    if subject.kind == "layer":
        owner = "layer."
        call = "layer" if subject.forward.name == "__call__" else f"layer.{subject.forward.name}"
        made = _passed(draft, subject.constructor) if subject.constructor is not None else ""
        known = {"setup": f"layer = {subject.entry}({made})", "forward": f"out = {call}({floats[0]})"}
    output = known["forward"].partition(" = ")[0]
    if subject.kind not in ("pair", "layer") or not output.isidentifier():
        return ()
    return tuple(
        replace(
            draft,
            lines={**known, "backward": f"d{floats[0]} = d{output} * {owner}{backward.name}({given})"},
            note=f"{backward.name} is given the {what}: so read, it agrees with a difference.",
        )
        for given, what in ((floats[0], "input"), (output, "output"))
    )


def _asked(draft: Draft, path: Path) -> Case:
    """A case with no more than a call may take: a size that stands in shapes alone would get into an option dict."""
    arguments = draft.arguments
    case = draft.case(path, {}, draft.body(path))
    return replace(
        case,
        sizes={name: number for name, number in case.sizes.items() if name in arguments.sizes},
        options={**arguments.options, **{name: {} for name in (*arguments.unknown, *arguments.dicts)}},
        inputs={name: text for name, text in case.inputs.items() if name in draft.guess.shapes},
    )


def _loss_and_gradient(draft: Draft) -> dict[str, str]:
    """A model with a loss that returns a number, and a method that returns the gradients of its parameters."""
    subject = draft.subject
    assert subject.backward is not None
    assert subject.constructor is not None
    return {
        "setup": f"net = {subject.entry}({_passed(draft, subject.constructor)})",
        "forward": f"loss = net.{subject.forward.name}({_passed(draft, subject.forward)})",
        "backward": f"grads = net.{subject.backward.name}({_passed(draft, subject.backward)})",
        "parameters_at": "net.params",
        "gradient_at": "grads",
    }


def _passed(draft: Draft, facts: FunctionFacts) -> str:
    """The arguments of a call that have a value, by keyword behind the first that has none."""
    given = {*draft.guess.shapes, *draft.arguments.options, *draft.arguments.sizes, *draft.arguments.dicts}
    parts: list[str] = []
    is_gap = False
    for parameter in facts.parameters:
        if parameter.name not in given:
            is_gap = is_gap or parameter.name not in ("ctx", "context")
        else:
            parts.append(f"{parameter.name}={parameter.name}" if is_gap else parameter.name)
    return ", ".join(parts)


def _floats(draft: Draft) -> tuple[str, ...]:
    return tuple(name for name in draft.floats if name in draft.guess.shapes)


def _complete(asked: Case, body: CodeBody, path: Path, floats: tuple[str, ...], draft: Draft) -> CodeBody:
    """The statements; a second reading is tried where the first leaves something open."""
    try:
        return complete(asked, body, path, floats).body
    except FieldError:
        if draft.subject.kind == "loss" and (only := _only_gradient(floats)):
            return complete(replace(asked, wrt=(only,)), body, path, floats).body
        output = _output_name(draft)
        if not output:
            raise
        # The output, called as backward calls it: `dnormal` is then known to be its upstream gradient.
        targets, _, call = _forward_alone(asked, body, path, floats).partition(" = ")
        text = f"{', '.join([output, *targets.split(', ')[1:]])} = {call}"
        return complete(asked, replace(body, forward=SourceText.of(text)), path, floats).body


def _forward_alone(asked: Case, body: CodeBody, path: Path, floats: tuple[str, ...]) -> str:
    """The statement of forward, beside a backward that is not looked at."""
    completed = complete(asked, replace(body, backward=SourceText.of("_ = backward(dout)")), path, floats).body
    assert completed.forward is not None
    return completed.forward.text


def _only_gradient(floats: tuple[str, ...]) -> str:
    """What the one gradient of a loss belongs to where its name does not say: the weights, or what comes first."""
    roles = {name: role_of(name) for name in floats}
    weights = [name for name, role in roles.items() if role in ("weight", "wx")]
    others = [name for name, role in roles.items() if role != "labels"]
    return (weights or others or [""])[0]


def _output_name(draft: Draft) -> str:
    """What the first argument of backward says the output is called: `normal` for `dnormal`; "" where it does not."""
    backward = draft.subject.backward
    if draft.subject.kind != "pair" or backward is None or not backward.parameters:
        return ""
    first = backward.parameters[0].name
    name = re.sub(r"^(d_?|grad_)", "", first)
    return name if name != first and name.isidentifier() and name not in draft.inputs else ""

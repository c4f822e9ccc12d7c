"""Findings → the text of a case file: every call written out, in block style, with the reason beside what is open.

What could not be made to run stands there as a comment, with the line to fill in marked; the rest of the file runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradcheck.handwritten.scaffold.finishing import Finding
from gradcheck.handwritten.scaffold.trial import Level, Trial

WIDTH = 100
MARK = "# fill in"
ORDER = ("arrays", "setup", "forward", "output", "backward", "parameters_at", "gradient_at")
NO_PLAIN = re.compile(r"[\[\]{}*&!|>'\"%@`,#?:-]|.*(: | #)")


@dataclass(frozen=True)
class Scaffold:
    """A case file for a Python file.

    text : the file; cases : how many of its cases can be run as they are
    open : (title, line of the file) of each that waits for somebody to fill it in
    untested : why the Python file could not be run, or ""
    """

    text: str
    cases: int
    open: tuple[tuple[str, int], ...] = ()
    untested: str = ""


def write(findings: Sequence[Finding], *, code: str, name: str, halves: Sequence[str], untested: str) -> Scaffold:
    """The case file.

    code : the Python file as seen from the case file; name : of the case file
    halves : functions that look like half of a pair; untested : why the Python file could not be run, or ""
    """
    lines = [
        f"# Cases for the backward passes in {code}, written by gradcheck new. To check them:",
        f"#   gradcheck run {name}",
        "# Shapes come from docstrings, from names, and from trial runs; all of it is yours to change.",
    ]
    if untested:
        lines += _comment(f"Nothing below was tried, because {code} cannot be run: {untested}")
    lines += ["defaults:", f"  code: {_plain(code)}", "", "cases:"]
    waiting: list[tuple[str, int]] = []
    for finding in findings:
        is_open = _is_open(finding, bool(untested))
        block = _head(finding, is_open)
        body = list(_case(finding, is_open, code))
        if is_open:
            waiting.append((finding.trial.draft.subject.title, len(lines) + len(block) + 1 + _first_mark(body)))
            body = [f"# {line}" for line in body]
        lines += [f"  {line}" for line in (*block, *body)] + [""]
    if halves:
        lines += _comment(f"No partner was found, and so there is no case, for: {', '.join(halves)}")
    text = "\n".join(lines).rstrip() + "\n"
    return Scaffold(text, len(findings) - len(waiting), tuple(waiting), untested)


def _is_open(finding: Finding, untested: bool) -> bool:
    """Whether somebody has to fill in a line before the case can be run."""
    trial = finding.trial
    if trial.level is Level.FORWARD:
        return not untested and trial.kind != "unfinished" and not trial.lacks_library
    return trial.level is Level.QUESTION


def _head(finding: Finding, is_open: bool) -> list[str]:
    """What the case is about, where its shapes come from, and what is known to be in the way."""
    trial = finding.trial
    subject, guess = trial.draft.subject, trial.draft.guess
    origin = "the docstring" if guess.is_said else "names and a trial run" if trial.level > Level.FORWARD else "names"
    about = f"{' and '.join(subject.parts)}, line {subject.line}"
    about += f"; shapes from {origin}" if guess.shapes else ""
    lines = _comment(about)
    if trial.draft.note:
        lines += _comment(_note(trial))
    if trial.level < Level.RUNS and trial.cause:
        lines += _comment(_what_happened(trial, is_open))
    return lines


def _note(trial: Trial) -> str:
    """What a reader should know of the calls; of two readings that are both refuted, one is as good as the other."""
    given, colon, _ = trial.draft.note.partition(": so read")
    if not colon or trial.agrees:
        return trial.draft.note
    return f"{given} here; given the output, too, it would not agree with a difference."


def _what_happened(trial: Trial, is_open: bool) -> str:
    place = f", {trial.place}" if trial.place else ""
    cause = f"{trial.cause}{place}"
    if trial.level is Level.FORWARD and is_open:
        return f"No shapes were found with which forward runs. In the first trial: {cause}"
    if trial.level is Level.FORWARD:
        return f"In forward: {cause}"
    if trial.level is Level.BACKWARD:
        return f"In backward: {cause}"
    return cause[:1].upper() + cause[1:]


def _case(finding: Finding, is_open: bool, code: str) -> Iterator[str]:
    draft = finding.trial.draft
    asks_for_shapes = is_open and finding.trial.level is Level.FORWARD
    yield f"- name: {_plain(draft.subject.title)}"
    lines: dict[str, Any] = {**draft.lines, **({"gradient_at": draft.gradient_at} if draft.gradient_at else {})}
    if draft.subject.kind == "engine":
        lines["arrays"] = f"{code}:{draft.subject.entry}"
    for key in ORDER:
        value = lines.get(key)
        if isinstance(value, Mapping):
            yield f"  {key}:"
            yield from (f"    {name}: {_plain(text)}" for name, text in value.items())
        elif value is not None:
            yield f"  {key}: {_plain(value)}" + (f"  {MARK}" if "…" in value else "")
    if draft.inputs:
        yield f"  inputs:{f'  {MARK} the shapes' if asks_for_shapes else ''}"
        yield from (f"    {name}: {text}" for name, text in draft.inputs.items())
    if draft.wrt is not None:
        yield "  wrt:"
        yield from (f"    - {name}" for name in draft.wrt)
    options = {name: value for name, value in draft.arguments.options.items() if name not in finding.sweeps}
    sizes = {name: value for name, value in draft.sizes.items() if name not in finding.sweeps}
    yield from _mapping("options", options)
    yield from _mapping("sizes", sizes)
    if finding.sweeps or finding.left_out:
        if finding.sweeps:
            yield "  sweep:"
        yield from (f"    {line}" for sentence in finding.left_out for line in _comment(sentence))
        for name, values in finding.sweeps.items():
            yield f"    {name}:"
            yield from (f"      - {_value(value)}" for value in values)


def _mapping(key: str, values: Mapping[str, Any]) -> Iterator[str]:
    if values:
        yield f"  {key}:"
    for name, value in values.items():
        if isinstance(value, list):
            yield f"    {name}:"
            yield from (f"      - {_value(item)}" for item in value)
        else:
            yield f"    {name}: {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _plain(value) if isinstance(value, str) else repr(value)


def _plain(text: str) -> str:
    """A text as a value of YAML, quoted only where it has to be."""
    if NO_PLAIN.match(text) or text.lower() in ("null", "true", "false", "~", ""):
        return "'" + text.replace("'", "''") + "'"
    return text


def _first_mark(lines: Iterable[str]) -> int:
    """How far down the first line to fill in stands; the first line where none is marked."""
    return next((i for i, line in enumerate(lines) if MARK in line), 0)


def _comment(sentence: str) -> list[str]:
    """A sentence as lines of a comment."""
    lines, line = [], "#"
    for word in sentence.split():
        if len(line) + 1 + len(word) > WIDTH and line != "#":
            lines.append(line)
            line = "#"
        line += f" {word}"
    return [*lines, line]

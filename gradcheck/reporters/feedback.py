"""How much of a finding its author is told: nothing, where, what it looks like, or all of it.

A teacher who hides the right numbers sets the level; whoever shows a finding to its author asks here for the lines.
Plain text: each format escapes it for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from gradcheck.model.report import CaseError, CaseResult, Diagnosis, Finding
from gradcheck.reporters import words
from gradcheck.reporters.numbers import element
from gradcheck.reporters.symbols import UNICODE

Level = Literal["none", "where", "what", "full"]
LEVELS: tuple[Level, ...] = ("none", "where", "what", "full")
# Kinds that say which elements and which sizes are wrong, and nothing about the mistake.
_PLACES = frozenset(("pattern", "combination"))


def told(finding: Finding, level: Level) -> list[str]:
    """What the author of a finding may hear; no lines at all for a pass, or at level `none`.

    where : which tensor, how many elements, the worst one's place, the line or layer to look at. No numbers, no cause
    what : and what is wrong with it in a sentence, what kind of mistake it looks like
    full : and both numbers of the worst element, and the next step – which may be the corrected line itself

    Raises ValueError for another level.
    """
    _refuse_unknown(level)
    if level == "none" or finding.verdict == "pass":
        return []
    lines = [f"{finding.tensor}: {finding.verdict}" + _counted(finding)]
    if finding.worst is not None and finding.shape and level != "full":
        lines.append(f"worst at {element(finding.tensor, finding.worst.index)}")
    if level == "full":
        lines += ["".join(words.worst_sentence(finding, UNICODE))] if finding.worst is not None else []
    if level != "where" and finding.reason:
        lines.append(finding.reason)
    return [*lines, *_diagnoses(finding, level)]


def told_of_case(result: CaseResult, level: Level) -> list[str]:
    """The same for a whole case: its error, if its code broke, then its findings in their order."""
    _refuse_unknown(level)
    if level == "none":
        return []
    lines = [] if result.error is None else list(_of_error(result.error, level))
    return lines + [line for finding in result.findings for line in told(finding, level)]


def _refuse_unknown(level: str) -> None:
    if level not in LEVELS:
        raise ValueError(f"unknown level of feedback '{level}', expected one of {', '.join(LEVELS)}")


def _counted(finding: Finding) -> str:
    count = words.element_count(finding)
    return f", {count}" if count else ""


def _diagnoses(finding: Finding, level: Level) -> Iterator[str]:
    if level != "where":
        yield from (words.diagnosis_sentence(d, advice=level == "full") for d in finding.diagnosis)
        return
    places = dict.fromkeys(d.place for d in finding.diagnosis if d.place)
    yield from (f"look at {place}" for place in places)
    yield from (d.text for d in finding.diagnosis if _is_place(d))


def _is_place(diagnosis: Diagnosis) -> bool:
    return diagnosis.kind in _PLACES


def _of_error(error: CaseError, level: Level) -> Iterator[str]:
    """Where its code broke is the author's own: from `what` on with the message, at `full` with the next step."""
    if level == "where":
        place = "" if error.file is None else f", {error.file}" + ("" if error.line is None else f":{error.line}")
        yield f"{error.kind} in {error.during}{place}"
        return
    yield words.error_sentence(error)
    if level == "full" and error.hint:
        yield error.hint

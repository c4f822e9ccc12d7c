"""The report as one HTML file: nothing is loaded, nothing is sent, no script but its own runs.

What is shown and in which order is `view.py`'s, sentences are `words.py`'s, pictures `figures.py`'s; the layout is
`page.html`. Every text goes through `clean` and through the template's autoescape.
"""

from __future__ import annotations

import hashlib
import math
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Literal

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from gradcheck.model.report import Excerpt, ExitCode, Finding, Report
from gradcheck.record import dataclass
from gradcheck.reporters import words
from gradcheck.reporters.html.figures import Figure, figures
from gradcheck.reporters.messages import (
    INTERRUPTED,
    Message,
    case_message,
    cost,
    finding_message,
    outcome,
    problem_message,
)
from gradcheck.reporters.numbers import brief, element, pair
from gradcheck.reporters.view import CaseView, note_lines, view

State = Literal["broken", "wrong", "undecided", "right"]  # right: as expected, whatever the verdict
HEADLINES: dict[ExitCode, tuple[str, State]] = {
    ExitCode.EXPECTED: ("Everything is as expected", "right"),
    ExitCode.WRONG: ("A gradient is wrong, or an expectation was not met", "wrong"),
    ExitCode.BROKEN: ("A case, or the code of one, is broken", "broken"),
    ExitCode.INTERRUPTED: (INTERRUPTED, "broken"),
    ExitCode.UNDECIDED: ("Nothing is wrong, something is undecided", "undecided"),
}
# A page cannot be steered: no address of its own base, no form that goes anywhere; scripts and styles by their hash.
POLICY = "default-src 'none'; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table of all findings: texts, and the numbers that they are sorted by.

    said, word : the verdict beside what was expected, and the verdict alone
    target : id of the article about it, "" where there is none
    """

    case: str
    tensor: str
    claim: str
    place: str
    said: str
    word: str
    state: State
    claimed: str = ""
    numeric: str = ""
    bound: str = ""
    error: str = ""
    error_key: float = -1.0
    target: str = ""


@dataclass(frozen=True, slots=True)
class Article:
    """Everything about one thing that is wrong, broken or undecided, or was expected to be."""

    id: str
    title: str
    word: str
    state: State
    lines: tuple[str, ...]
    place: str
    why: str = ""
    figures: tuple[Figure, ...] = ()
    source: Excerpt | None = None
    is_code: bool = False  # whether the lines stand below each other as in a file


def render_html(report: Report, exit_code: ExitCode | None = None) -> str:
    """The page; ends with a newline. The same report gives the same bytes.

    exit_code : what the process will exit with, where that is not the report's own (an interrupted run)
    """
    unexpected, expected = view(report)
    contents = _Contents()
    for problem in report.problems:
        contents.tell(problem_message(problem), "broken")
    for shown in (*unexpected, *expected):
        contents.add(shown)
    headline, state = HEADLINES[report.exit_code if exit_code is None else exit_code]
    style, script = _file("page.css"), _file("page.js")
    page = _template().render(
        policy=POLICY.format(style=_hash(style), script=_hash(script)), style=Markup(style), script=Markup(script),
        headline=headline, state=state,
        outcome=outcome(report), cost=cost(report), contents=contents, notes=note_lines([*unexpected, *expected]),
    )  # fmt: skip
    return f"{page}\n"


class _Contents:
    """Rows and articles, in the order of the report's view.

    surprising, foreseen : articles about what is not as expected, and about what was expected not to pass
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.surprising: list[Article] = []
        self.foreseen: list[Article] = []

    @property
    def words(self) -> list[str]:
        """What can be chosen to be shown."""
        articles = (*self.surprising, *self.foreseen)
        return sorted({row.word for row in self.rows} | {article.word for article in articles})

    def add(self, shown: CaseView) -> None:
        """A case: its own message, and a row for every finding; an article for those that are no plain pass."""
        case, own = shown.case, case_message(shown)
        if own is not None or not case.findings:
            state: State = "right" if case.as_expected or own is None else own.gravity
            source = None if case.error is None else case.error.source
            target = "" if own is None else self.tell(own, state, shown, source=source)
            self.rows.append(_row(shown, None, words.verdict_words(case), case.verdict, state, target))
        for finding in (*shown.shown, *shown.rest):
            is_surprising = finding in shown.shown
            message, target = finding_message(shown, finding), ""
            state = message.gravity if is_surprising else "right"
            if finding.verdict != "pass" or is_surprising:
                target = self.tell(message, state, shown, tuple(figures(finding)), finding.source)
            said = words.finding_verdict_words(case, finding, is_surprising)
            self.rows.append(_row(shown, finding, said, finding.verdict, state, target))

    def tell(
        self,
        message: Message,
        state: State,
        shown: CaseView | None = None,
        pictures: tuple[Figure, ...] = (),
        source: Excerpt | None = None,
    ) -> str:
        """Add an article; returns its id."""
        articles, letter = (self.foreseen, "x") if state == "right" else (self.surprising, "m")
        name = f"{letter}{len(articles) + 1}"
        word = message.kind if message.gravity != "broken" else "error"
        why = "" if shown is None else shown.case.why or ""
        place = f"{message.file}:{message.line}"
        articles.append(
            Article(name, message.title, word, state, message.lines, place, why, pictures, source, shown is None)
        )
        return name


def _row(shown: CaseView, finding: Finding | None, said: str, word: str, state: State, target: str) -> Row:
    place = f"{shown.case.file}:{shown.case.line}"
    if finding is None:
        return Row(shown.label, "", "", place, said, word, state, target=target)
    worst = finding.worst
    if worst is None:
        return Row(shown.label, finding.tensor, finding.claim, place, said, word, state, target=target)
    claimed, numeric = pair(worst.claimed, worst.numeric, worst.relative_error)
    key = math.inf if math.isnan(worst.relative_error) else worst.relative_error
    return Row(
        shown.label, element(finding.tensor, worst.index), finding.claim, place, said, word, state, claimed, numeric,
        brief(worst.bound), brief(worst.relative_error), key, target,
    )  # fmt: skip


def numbered(source: Excerpt) -> Iterator[tuple[int, str, bool]]:
    """The lines of an excerpt with their numbers, and whether each is the one that is meant."""
    for number, line in enumerate(source.lines, source.first):
        yield number, line, number == source.line


@cache
def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """As a Content-Security-Policy names what stands between the tags (W3C CSP 3, section 2.3.1)."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(numbered=numbered, svg=Markup)
    return environment.from_string(_file("page.html"))

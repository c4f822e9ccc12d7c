"""The report in Markdown, for a pull request, an issue or the page of a CI job: what is wrong first, then every case.

Tables are those of GitHub's dialect; everything else is CommonMark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradcheck.model.report import ExitCode, Finding, Report
from gradcheck.reporters import words
from gradcheck.reporters.escape import clean, in_markdown
from gradcheck.reporters.messages import all_messages, cost, outcome, tensor_name
from gradcheck.reporters.numbers import brief, element, pair
from gradcheck.reporters.view import CaseView, note_lines, view

ELEMENTS = ("case", "worst at", "claimed", "numeric", "bound", "relative error", "verdict")
CASES = ("case", "tensors", "resolution", "verdict")


def render_markdown(report: Report, exit_code: ExitCode | None = None) -> str:
    """The page; ends with a newline.

    exit_code : see `messages.outcome`
    """
    unexpected, expected = view(report)
    told = [shown for shown in unexpected if shown.says_more]
    blocks = [["# gradcheck"], [f"**{in_markdown(outcome(report, exit_code))}**"]]
    blocks += [[in_markdown(cost(report))]] if report.cases else []
    rows = [row for shown in told for row in _elements(shown)]
    if rows:
        blocks.append(list(_table(ELEMENTS, rows, "llrrrrl")))
    for message in all_messages(report, told):
        place = in_markdown(f"{message.file}:{message.line}")
        blocks.append([f"### {in_markdown(message.title)}"])
        # An indented block shows its lines as they are; nothing in them has a meaning.
        blocks.append([f"    {clean(line)}" for line in message.lines])
        blocks.append([place])
    every = [shown for shown in (*told, *expected) if shown.says_more]
    if every:
        blocks += [["## Cases"], list(_table(CASES, [_case(shown) for shown in every], "lrrl"))]
    notes = [f"- {in_markdown(text)} ({in_markdown(who)})" for who, text in note_lines(every)]
    if notes:
        blocks += [["## Notes"], notes]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _elements(shown: CaseView) -> Iterator[tuple[str, ...]]:
    """The worst element of every finding that is not as expected; a line of its own for a case without one."""
    for finding in shown.shown:
        verdict = words.finding_verdict_words(shown.case, finding, True)
        yield shown.label, *_numbers(finding, tensor_name(shown, finding)), verdict
    if not shown.shown:
        yield shown.label, "", "", "", "", "", words.verdict_words(shown.case)


def _numbers(finding: Finding, name: str) -> tuple[str, ...]:
    worst = finding.worst
    if worst is None:
        return name, "", "", "", ""
    claimed, numeric = pair(worst.claimed, worst.numeric, worst.relative_error)
    where = name.replace(finding.tensor, element(finding.tensor, worst.index), 1)
    return where, claimed, numeric, brief(worst.bound), brief(worst.relative_error)


def _case(shown: CaseView) -> tuple[str, ...]:
    case = shown.case
    resolution = None if case.verdict == "vacuous" else case.resolution  # nothing was tested there
    verdict = words.verdict_words(case) + words.coverage_words(case) + words.variant_words(shown.variants)
    return shown.label, str(shown.tensors), brief(resolution), verdict


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield f"|{'|'.join('---:' if side == 'r' else '---' for side in align)}|"
    for row in rows:
        yield f"| {' | '.join(in_markdown(cell) for cell in row)} |"

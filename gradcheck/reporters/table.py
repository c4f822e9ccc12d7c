"""The report on a screen: what is wrong first and in words, then one line for every case that is as expected.

Chooses what fits the width; sentences come from `words.py`, order from `view.py`, drawing from `layout.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradcheck.model.report import CaseResult, ExitCode, Finding, Report
from gradcheck.reporters import words
from gradcheck.reporters.elements import Entry, draw_elements
from gradcheck.reporters.heat_map import draw_heat_map
from gradcheck.reporters.layout import GAP, Cell, Column, Row, Screen, clip_label, total_width
from gradcheck.reporters.numbers import brief, grouped, plural
from gradcheck.reporters.symbols import symbols_for
from gradcheck.reporters.view import CaseView, note_lines, view

LABEL_WIDTH = 44  # cells of a case's name in a table; the paragraphs have the whole name
LEAST_LABEL = 24  # where less is left for it, the number of tensors makes room
STYLES = {
    "pass": "green", "fail": "bold red", "error": "bold red",
    "inconclusive": "yellow", "vacuous": "yellow", "kink": "cyan",
}  # fmt: skip
QUIET = "dim"  # what was expected to go wrong and did


def render_table(
    report: Report, *, width: int = 100, color: bool = False, verbose: bool = False, encoding: str = "utf-8"
) -> str:
    """The report as text for people; ends with a newline.

    width : cells in a line; names are cut and columns left out to fit it, numbers never
    color : whether to write ANSI colours
    verbose : every finding of every case, and the statements that a shorthand stood for
    encoding : of the output that the text is for; characters that it cannot hold are replaced

    Problems of files are counted here and told by `problems.py`. Durations stand in the last line and nowhere else.
    """
    screen = Screen(width, color, symbols_for(encoding))
    unexpected, expected = view(report, encoding)
    if not verbose:
        unexpected, expected = ([v for v in views if v.says_more] for views in (unexpected, expected))
    entries = [entry for shown in (*unexpected, *expected) for entry in _entries(shown, screen, verbose)]
    blocks = [draw_elements(screen, entries, LABEL_WIDTH), _case_lines(screen, expected, verbose)]
    for shown in unexpected:
        blocks += _paragraphs(screen, shown, shown.shown, verbose)
    if verbose:
        for shown in expected:
            blocks += _paragraphs(screen, shown, shown.rest, verbose)
        blocks += _details(screen, [*unexpected, *expected])
    blocks += [_notes(screen, [*unexpected, *expected]), _summary(screen, report)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _entries(shown: CaseView, screen: Screen, verbose: bool) -> Iterator[Entry]:
    """The rows of one case in the table of elements."""
    case = shown.case
    findings = shown.shown + (shown.rest if verbose else ())
    sign, style = _sign(case, screen)
    # Where several claims speak about a tensor, its name alone does not say which is meant.
    name_claim = len({finding.tensor for finding in case.findings}) < len(case.findings)
    if not shown.shown and not case.as_expected:
        yield Entry(shown.label, sign, style, None, Cell(words.verdict_words(case), style), False)
    for finding in findings:
        verdict = _finding_verdict(case, finding, finding in shown.shown)
        yield Entry(shown.label, sign, style, finding, verdict, name_claim)


def _sign(case: CaseResult, screen: Screen) -> tuple[str, str]:
    """The sign before a case's name, and its style."""
    symbols = screen.symbols
    if case.as_expected:
        return symbols.good, STYLES["pass"] if case.verdict in ("pass", "kink") else QUIET
    signs = {"error": symbols.broken, "inconclusive": symbols.doubtful, "vacuous": symbols.doubtful}
    return signs.get(case.verdict, symbols.bad), STYLES["fail" if case.verdict == "pass" else case.verdict]


def _finding_verdict(case: CaseResult, finding: Finding, is_surprising: bool) -> Cell:
    said = words.finding_verdict_words(case, finding, is_surprising)
    if is_surprising:
        return Cell(said, STYLES["fail" if finding.verdict == "pass" else finding.verdict])
    return Cell(said, STYLES[finding.verdict] if finding.verdict in ("pass", "kink") else QUIET)


def _case_lines(screen: Screen, views: Sequence[CaseView], verbose: bool) -> list[str]:
    """One line for every case that is as expected."""
    if not views:
        return []
    columns = [Column("tensors", right=True), Column("resolution", right=True), Column("verdict")]
    rows: list[Row] = []
    for shown in views:
        case = shown.case
        style = STYLES[case.verdict] if case.verdict in ("pass", "kink") else QUIET
        said = words.verdict_words(case) + words.coverage_words(case)
        verdict = Cell(said + ("" if verbose else words.variant_words(shown.variants)), style)
        resolution = (
            None if case.verdict == "vacuous" else case.resolution
        )  # nothing was tested: no mistake is too large
        rows.append((Cell(plural(shown.tensors, "tensor")), Cell(brief(resolution)), verdict))
    if verbose:
        columns.insert(1, Column("evaluations", right=True))
        rows = [(row[0], Cell(grouped(v.case.evaluations)), *row[1:]) for row, v in zip(rows, views, strict=True)]
    while len(columns) > 1 and screen.width - total_width(columns, rows) - GAP - 2 < LEAST_LABEL:
        columns, rows = columns[1:], [row[1:] for row in rows]
    room = max(LEAST_LABEL, min(LABEL_WIDTH, screen.width - total_width(columns, rows) - GAP - 2))
    labels = [Cell(clip_label(v.label, room, screen.symbols), "", *_sign(v.case, screen)) for v in views]
    return screen.table([Column("  case"), *columns], [(label, *row) for label, row in zip(labels, rows, strict=True)])


def _paragraphs(
    screen: Screen, shown: CaseView, findings: Sequence[Finding], verbose: bool = False
) -> Iterator[list[str]]:
    """What is to be said about a case: its error, its findings, what was expected and did not come.

    verbose : with a picture of every failing tensor
    """
    case = shown.case
    style = _sign(case, screen)[1]
    place = screen.paragraph([f"{case.file}:{case.line}"], 2, "dim")
    if case.error is not None:
        said = screen.paragraph([words.error_sentence(case.error)], 2)
        hint = screen.paragraph([case.error.hint], 2) if case.error.hint else []
        yield [screen.lines(Cell("ERROR  ", style), Cell(shown.label, "bold")), *said, *hint, *place]
    for finding in (finding for finding in findings if finding.verdict != "pass"):
        picture = draw_heat_map(finding.heat, screen.width) if verbose and finding.heat is not None else []
        yield [*_finding_lines(screen, shown.label, finding, style), *picture, *place]
    unmet = list(words.unmet_sentences(case, shown.shown))
    if unmet:
        head = screen.lines(Cell("UNEXPECTED  ", style), Cell(shown.label, "bold"))
        yield [head, *(line for sentence in unmet for line in screen.paragraph([sentence], 2)), *place]


def _finding_lines(screen: Screen, label: str, finding: Finding, style: str) -> list[str]:
    head = words.about_finding(finding)
    word = finding.verdict.upper()
    start = Cell(f"{word}  ", style), Cell(label, "bold")
    rest = Cell("  ".join(head))
    if sum(cell.width for cell in start) + GAP + rest.width <= screen.width:
        lines = [screen.lines(*start, Cell("  "), rest)]
    else:
        lines = [screen.lines(*start), *screen.paragraph([f"{piece}  " for piece in head], 2)]
    lines += screen.paragraph(words.worst_sentence(finding, screen.symbols), 2)
    if finding.reason:
        lines += screen.paragraph([finding.reason], 2)
    for diagnosis in finding.diagnosis:
        lines += screen.paragraph([words.diagnosis_sentence(diagnosis)], 2)
    return lines


def _details(screen: Screen, views: Sequence[CaseView]) -> Iterator[list[str]]:
    """Every case's lesson and its calls, once for all the members of a sweep."""
    told: set[object] = set()
    for case in (shown.case for shown in views):
        what = (case.file, case.line, case.statements, case.why)
        if what in told or not (case.statements or case.why):
            continue
        told.add(what)
        lines = [screen.lines(Cell(case.name, "bold"), Cell(f"  {case.file}:{case.line}  seed {case.seed}", "dim"))]
        if case.why:
            lines += screen.paragraph([case.why], 2)
        yield lines + [screen.lines(Cell(f"  {statement}")) for statement in case.statements]


def _notes(screen: Screen, views: Sequence[CaseView]) -> list[str]:
    return [line for who, text in note_lines(views) for line in screen.paragraph([f"note: {text} ", f"({who})"], 0)]


def _summary(screen: Screen, report: Report) -> list[str]:
    outcome, cost = words.summary_lines(report, screen.symbols)
    style = {ExitCode.EXPECTED: "bold green", ExitCode.UNDECIDED: "bold yellow"}.get(report.exit_code, "bold red")
    return [*screen.paragraph(outcome, 0, style), *(screen.paragraph(cost, 0) if report.cases else ())]

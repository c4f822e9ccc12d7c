"""What came of planted mistakes, on a screen and for programs: the score, each survivor, and what would have caught it.

Renders what `mutation` found out and decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from gradcheck.mutation.outcomes import Mutant, Mutated, MutationReport, Score
from gradcheck.reporters.escape import clean, clean_lines
from gradcheck.reporters.layout import GAP, Cell, Column, Screen, clip, total_width
from gradcheck.reporters.numbers import plural
from gradcheck.reporters.symbols import symbols_for

LABEL_WIDTH = 44  # cells of a case's name
LEAST_LABEL = 20  # where less is left for it, columns make room
SCHEMA = 1


def render_mutations(
    report: MutationReport, *, width: int = 100, color: bool = False, encoding: str = "utf-8", verbose: bool = False
) -> str:
    """The report as text for people; ends with a newline.

    verbose : what was found equivalent as well
    """
    screen = Screen(width, color, symbols_for(encoding))
    blocks: list[list[str]] = [_table(screen, report, encoding)]
    shown = ("survived", "equivalent") if verbose else ("survived",)
    blocks += [
        _paragraph(screen, alike, case, encoding)
        for case in report.cases
        for alike in _alike([mutant for mutant in case.mutants if mutant.fate in shown])
    ]
    blocks += [
        list(_advice(screen, report, encoding)),
        list(_notes(screen, report, encoding)),
        _summary(screen, report),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _table(screen: Screen, report: MutationReport, encoding: str) -> list[str]:
    """One line per case: killed of counted, in arrays and in the source."""
    if not report.cases:
        return []
    heads = [Column(name, right=True) for name in ("arrays", "source", "equivalent", "score")]
    rows: list[tuple[Cell, ...]] = []
    for score, parts in ((c.score(), (c.score("array"), c.score("source"))) for c in report.cases):
        counts = (*map(_ratio, parts), str(score.equivalent or "-"), percent(score))
        rows.append(tuple(map(Cell, counts)))
    while len(heads) > 1 and screen.width - total_width(heads, rows) - GAP - 2 < LEAST_LABEL:
        heads, rows = heads[1:], [row[1:] for row in rows]
    room = max(LEAST_LABEL, min(LABEL_WIDTH, screen.width - total_width(heads, rows) - GAP - 2))
    labels = []
    for case in report.cases:
        is_bad = bool(case.score().survived)
        sign, style = (screen.symbols.bad, "bold red") if is_bad else (screen.symbols.good, "green")
        labels.append(Cell(clip(clean(case.name, encoding), room, screen.symbols), "", sign, style))
    lines = [(label, *row) for label, row in zip(labels, rows, strict=True)]
    return screen.table([Column("  case"), *heads], lines)


def _ratio(score: Score) -> str:
    return f"{score.killed}/{score.counted}" if score.counted else "-"


def percent(score: Score) -> str:
    """`98.8 %`, never rounded up to 100; `-` where nothing was counted."""
    if score.share is None:
        return "-"
    return f"{min(100.0 * score.share, 100.0 if not score.survived else 99.9):.1f} %"


def _alike(mutants: Sequence[Mutant]) -> list[list[Mutant]]:
    """Those in the source one by one; of those in arrays all together that the same lines would catch."""
    groups: dict[object, list[Mutant]] = {}
    for number, mutant in enumerate(mutants):
        key = (mutant.fate, mutant.caught_by[:1]) if mutant.sort == "array" else number
        groups.setdefault(key, []).append(mutant)
    return list(groups.values())


def _paragraph(screen: Screen, alike: Sequence[Mutant], case: Mutated, encoding: str) -> list[str]:
    mutant = alike[0]
    word, style = ("SURVIVED", "bold red") if mutant.fate == "survived" else ("EQUIVALENT", "dim")
    name = clean(case.name, encoding)
    if mutant.sort == "array":
        places = dict.fromkeys(other.place for other in alike)
        kinds = [", ".join(other.kind for other in alike if other.place == place) for place in places]
        pairs = [f"{clean(place, encoding)}: {kind}" for place, kind in zip(places, kinds, strict=True)]
        said = [f"{pair}; " for pair in pairs[:-1]] + pairs[-1:]
    else:
        place, _, function = mutant.place.partition(" ")
        said = [f"{clean(place, encoding)}, in {clean(function, encoding)}: {mutant.kind}"]
    lines = [screen.lines(Cell(f"{word}  ", style), Cell(name, "bold")), *screen.paragraph(said, 2)]
    for line in clean_lines(mutant.diff, encoding)[2:]:
        shade = {"-": "red", "+": "green"}.get(line[:1], "dim")
        lines.append(screen.lines(Cell(f"    {line}", shade)))
    if mutant.fate == "survived":
        lines += screen.paragraph([_why(mutant, encoding)], 2)
    return [*lines, *screen.paragraph([f"{clean(case.file, encoding)}:{case.line}"], 2, "dim")]


def _why(mutant: Mutant, encoding: str) -> str:
    """What would have caught it."""
    if mutant.caught_by:
        said = f"caught by   {clean(mutant.caught_by[0], encoding)}"
        return said if mutant.is_run else f"no case runs this line; {said}"
    return "no case runs this line: add one that does"


def _advice(screen: Screen, report: MutationReport, encoding: str) -> Iterator[str]:
    if report.advice:
        yield screen.lines(Cell("What would catch them", "bold"))
    for case, words, count in report.advice:
        yield from screen.paragraph(
            [f"{clean(case, encoding)}: ", f"{clean(words, encoding)}  ", f"({count} caught)"], 2
        )


def _notes(screen: Screen, report: MutationReport, encoding: str) -> Iterator[str]:
    for case in report.cases:
        for text in case.found:
            yield from screen.paragraph([f"note: {clean(text, encoding)} ", f"({clean(case.name, encoding)})"], 0)
    reasons: dict[str, list[str]] = {}
    for skipped in report.skipped:
        reasons.setdefault(skipped.reason, []).append(clean(skipped.case, encoding))
    for reason, names in reasons.items():
        pieces = [f"{name}; " for name in dict.fromkeys(names)]
        yield from screen.paragraph([f"skipped, {clean(reason, encoding)}: ", *pieces[:-1], pieces[-1][:-2]], 0)


def _summary(screen: Screen, report: MutationReport) -> list[str]:
    score = report.score
    if score.share is None:
        return [screen.lines(Cell("nothing was planted that could change a gradient", "bold red"))]
    said = f"score {percent(score)}: {score.killed} of {plural(score.counted, 'mistake')} noticed"
    outside = sum(m.fate == "forward" for m in report.mutants)
    beside = (
        [f"{score.equivalent} change{'s' if score.equivalent == 1 else ''} no gradient"] if score.equivalent else []
    )
    beside += [f"{outside} would change the function itself"] if outside else []
    style = "bold red" if report.exit_code else "bold green" if not score.survived else "bold yellow"
    lines = screen.paragraph([said], 0, style)
    if report.minimum is not None and report.exit_code == 1:
        lines += screen.paragraph([f"below the {100 * report.minimum:g} % asked for"], 0, style)
    return lines + (screen.paragraph([f"not counted: {', '.join(beside)}"], 0) if beside else [])


def render_mutations_json(report: MutationReport) -> str:
    """The report as JSON: ASCII only, two spaces of indentation; the same on every run."""
    return json.dumps(project(report), indent=2, allow_nan=False) + "\n"


def project(report: MutationReport) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "exit": int(report.exit_code),
        "score": _score(report.score),
        "problems": [
            {"file": p.location.file, "line": p.location.line, "column": p.location.column, "message": p.message,
             "hint": p.hint} for p in report.problems
        ],
        "cases": [
            {"name": case.name, "file": case.file, "line": case.line, "score": _score(case.score()),
             "mutants": [_mutant(mutant) for mutant in case.mutants], "notes": list(case.found)}
            for case in report.cases
        ],
        "skipped": [{"case": skipped.case, "reason": skipped.reason} for skipped in report.skipped],
        "advice": [{"case": case, "add": words, "catches": count} for case, words, count in report.advice],
    }  # fmt: skip


def _score(score: Score) -> dict[str, Any]:
    return {
        "killed": score.killed, "survived": score.survived, "equivalent": score.equivalent, "share": score.share,
    }  # fmt: skip


def _mutant(mutant: Mutant) -> dict[str, Any]:
    return {
        "sort": mutant.sort, "kind": mutant.kind, "place": mutant.place, "fate": mutant.fate, "by": mutant.by,
        "diff": mutant.diff, "is_run": mutant.is_run, "caught_by": list(mutant.caught_by),
    }  # fmt: skip

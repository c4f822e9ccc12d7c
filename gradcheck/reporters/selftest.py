"""What came of the self-test: a line per kind of subject, and everything that was not found.

Renders what `mutation.selftest` found out and decides nothing.
"""

from __future__ import annotations

import json

from gradcheck.mutation.outcomes import Row, SelfTest
from gradcheck.reporters.escape import clean
from gradcheck.reporters.layout import Cell, Column, Screen
from gradcheck.reporters.numbers import grouped, plural
from gradcheck.reporters.symbols import symbols_for

SCHEMA = 1


def render_selftest(test: SelfTest, *, width: int = 100, color: bool = False, encoding: str = "utf-8") -> str:
    """The outcome as text for people; ends with a newline."""
    screen = Screen(width, color, symbols_for(encoding))
    kinds: dict[str, list[Row]] = {}
    for row in test.rows:
        kinds.setdefault(row.kind, []).append(row)
    numbers = ("subjects", "right ones pass", "mistakes", "found")
    heads = [Column("  planted in"), *(Column(name, right=True) for name in numbers)]
    lines = []
    for kind, rows in kinds.items():
        planted, missed = sum(row.planted for row in rows), sum(len(row.missed) for row in rows)
        right = sum(row.is_right for row in rows)
        is_fine = not missed and right == len(rows)
        sign, style = (screen.symbols.good, "green") if is_fine else (screen.symbols.bad, "bold red")
        counts = (len(rows), right, planted, planted - missed)
        lines.append((Cell(kind, "", sign, style), *(Cell(grouped(count)) for count in counts)))
    blocks = [screen.table(heads, lines)]
    for row in (row for row in test.rows if row.missed or not row.is_right):
        name = clean(row.name, encoding)
        if not row.is_right:
            blocks.append([screen.lines(Cell("REFUSED  ", "bold red"), Cell(name, "bold"), Cell(f"  {row.kind}"))])
            blocks[-1] += screen.paragraph(["what is right does not pass"], 2)
        if row.missed:
            blocks.append([screen.lines(Cell("MISSED  ", "bold red"), Cell(name, "bold"), Cell(f"  {row.kind}"))])
            blocks[-1] += [line for text in row.missed for line in screen.paragraph([clean(text, encoding)], 2)]
    found = test.planted - test.missed
    said = f"{grouped(found)} of {plural(test.planted, 'planted mistake')} found"
    said += "" if test.is_sound else ": please report this, with the version of numpy"
    blocks.append([screen.lines(Cell(said, "bold green" if test.is_sound else "bold red"))])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def render_selftest_json(test: SelfTest) -> str:
    """The outcome as JSON: the same on every run."""
    rows = [
        {"kind": r.kind, "name": r.name, "right": r.is_right, "planted": r.planted, "missed": list(r.missed)}
        for r in test.rows
    ]
    whole = {"schema": SCHEMA, "exit": int(test.exit_code), "planted": test.planted, "missed": test.missed}
    return json.dumps({**whole, "subjects": rows}, indent=2) + "\n"

"""Columns, lines and colours on a screen of a known width; the only file that knows rich.

Draws what it is given; what is shown, and in which words, is said by `table.py`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache

from rich.box import Box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gradcheck.record import dataclass
from gradcheck.reporters.symbols import Symbols

GAP = 2


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of text on one line, in a style of rich (`bold red`), with a sign before it in a style of its own."""

    text: str
    style: str = ""
    sign: str = ""
    sign_style: str = ""

    @property
    def width(self) -> int:
        """Cells of the screen, sign included."""
        return cell_len(self.text) + (cell_len(self.sign) + 1 if self.sign else 0)

    def drawn(self) -> Text:
        lead = [(self.sign, self.sign_style), (" ", "")] if self.sign else []
        return Text.assemble(*lead, (self.text, self.style))


Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Column:
    header: str
    right: bool = False


@dataclass(frozen=True, slots=True)
class Screen:
    """Where a report will be read: cells in a line, ANSI colours or none, the signs that it can show."""

    width: int
    color: bool
    symbols: Symbols

    def lines(self, *pieces: Cell) -> str:
        """Pieces side by side, as one line with its colours."""
        return self._render(Text.assemble(*(piece.drawn() for piece in pieces)))

    def table(self, columns: Sequence[Column], rows: Sequence[Row]) -> list[str]:
        """A header, a rule and one line per row; nothing is cut or wrapped, even where the screen is too narrow."""
        rule = self.symbols.rule
        box = Box(f"    \n    \n {rule}{rule} \n    \n    \n    \n    \n    \n")
        drawn = Table(box=box, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), header_style="bold")
        for column in columns:
            drawn.add_column(column.header, justify="right" if column.right else "left", no_wrap=True)
        for row in rows:
            drawn.add_row(*(cell.drawn() for cell in row))
        return self._render(drawn).split("\n")

    def paragraph(self, pieces: Sequence[str], indent: int, style: str = "", hang: int = 2) -> list[str]:
        """Pieces of a sentence, broken into lines between pieces first, between words where a piece is too long.

        indent, hang : cells before the first line, and how many more before those that continue it
        """
        deeper = indent + hang
        lines = [""]

        def fits(text: str) -> bool:
            return cell_len(lines[-1] + text.rstrip()) + (indent if len(lines) == 1 else deeper) <= self.width

        for piece in pieces:
            if lines[-1] and not fits(piece) and cell_len(piece.rstrip()) + deeper <= self.width:
                lines.append("")
            for word in _words(piece):
                if lines[-1] and not fits(word):
                    lines.append("")
                lines[-1] += word
        shown = [line.strip() for line in lines if line.strip()]
        return [self.lines(Cell(" " * (deeper if i else indent) + line, style)) for i, line in enumerate(shown)]

    def _render(self, renderable: Text | Table) -> str:
        console = _console(self.color)
        with console.capture() as captured:
            console.print(renderable, end="", no_wrap=True, crop=False, overflow="ignore")
        return "\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n"))


@cache
def _console(color: bool) -> Console:
    """A console that knows nothing of its surroundings: same report, same bytes.

    It is wider than any report, for rich would cut and wrap; what fits the screen is decided here.
    """
    return Console(
        file=io.StringIO(), width=10_000, height=100, color_system="standard" if color else None, force_terminal=color,
        force_jupyter=False, force_interactive=False, no_color=not color, legacy_windows=False, markup=False,
        emoji=False, highlight=False,
    )  # fmt: skip


def clip(text: str, width: int, symbols: Symbols) -> str:
    """A name cut to a number of cells, its end replaced by an ellipsis."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - len(symbols.ellipsis))).rstrip() + symbols.ellipsis


def clip_label(label: str, width: int, symbols: Symbols) -> str:
    """A case's name cut to a number of cells; the `[N=1]` of a sweep stays, for it tells the combinations apart."""
    name, bracket, combination = label.rpartition(" [")
    kept = f"{bracket}{combination}"
    if not name or not label.endswith("]") or cell_len(kept) > width // 2:
        return clip(label, width, symbols)
    return clip(name, width - cell_len(kept), symbols) + kept


def total_width(columns: Sequence[Column], rows: Sequence[Row]) -> int:
    """The cells that a table of these rows takes from edge to edge."""
    widths = [max([cell_len(c.header), *(row[i].width for row in rows)]) for i, c in enumerate(columns)]
    return sum(widths) + GAP * (len(widths) - 1)


def _words(text: str) -> list[str]:
    """Words with the blanks behind them."""
    *most, last = text.split(" ")
    return [f"{word} " for word in most] + [last]

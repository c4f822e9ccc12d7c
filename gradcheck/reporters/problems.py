"""A problem of a case file as text: where, what, why, what to do – the grammar that every error of gradcheck shares.

Used wherever a person reads errors; programs read them from the JSON.
"""

from __future__ import annotations

from gradcheck.model.report import FileProblem
from gradcheck.reporters.escape import clean, clean_lines

_RED, _BOLD, _PLAIN = "\x1b[1;31m", "\x1b[1m", "\x1b[0m"


def render_problem(problem: FileProblem, *, color: bool = False, encoding: str = "utf-8") -> str:
    """`file:line:column: error: message`, the excerpt with its caret, and the hint; ends with a newline.

    A message is one line; line breaks in it are shown as `\\n`. color adds ANSI codes; what `encoding` cannot hold is
    escaped.
    """
    where = clean(str(problem.location), encoding)
    head = f"{where}: error: {clean(problem.message, encoding)}"
    if color:
        head = f"{_BOLD}{where}:{_PLAIN} {_RED}error:{_PLAIN} {_BOLD}{clean(problem.message, encoding)}{_PLAIN}"
    lines = [head]
    lines += [f"    {line}" for line in _excerpt(problem.excerpt, encoding)]
    lines += [f"  {line}" for line in clean_lines(problem.hint, encoding)]
    return "\n".join(lines) + "\n"


def _excerpt(excerpt: str, encoding: str) -> list[str]:
    """The source line and its caret, moved to where the marked characters stand on a screen.

    The caret counts characters; a wide one takes two cells, a combining one none, and an escaped one several.
    """
    if not excerpt:
        return []
    line, _, mark = excerpt.partition("\n")
    if line.isascii() and line.isprintable():
        return [line, mark.rstrip()] if mark.strip() else [line]
    from rich.cells import cell_len  # only where a line needs it: most never do

    begin = len(mark) - len(mark.lstrip(" "))
    marked = line[begin : begin + len(mark.strip())]
    indent = cell_len(clean(line[:begin], encoding))
    width = max(1, cell_len(clean(marked, encoding)))
    return [clean(line, encoding), " " * indent + "^" + "~" * (width - 1 if len(mark.strip()) > 1 else 0)]

"""Shapes of arguments in docstrings: `x (N, D), w (D, M)`, `- w: Weights of shape (D, M)`, `x : ndarray [N, D]`.

Texts in, shapes out, as written there; whether they hold is seen when forward is run with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Shape = tuple[str, ...]  # expressions over sizes: "N", "3", "4*H"; "…" for any number of axes

ANY = "…"
_END = re.compile(r"^\W*(returns?|outputs?|yields?|raises)\b|→|->|=>", re.IGNORECASE | re.MULTILINE)
_ITEM = re.compile(r"^\s*(?:[-*•]\s*|:param\s+|@param\s+)?(?:\w+\s+)?`{0,2}(\w+)`{0,2}\s*(?::|--|–|,|\band\b|\()")
_GROUP = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_DIM = re.compile(
    r"(?P<times>\d+)\s*\*?\s*(?P<of>[A-Za-z]\w*)|(?P<sum>[A-Za-z]\w*(?:\s*\+\s*[A-Za-z]\w*)+)|"
    r"(?P<word>[A-Za-z]\w*)|(?P<number>\d+)|(?P<any>\.\.\.|…|\*)"
)
_NUMBER = r"(?:int|integer|float|bool|boolean|str|string)\b(?!\s*(?:array|list|tensor|ndarray|matrix|vector|\[))"
_ANY_RUN = re.compile(r"^\w+_?1,(\.\.\.|…),\w+_?k$")


def shapes_in(text: str, names: Iterable[str]) -> dict[str, Shape]:
    """The shapes that a docstring gives for arguments; the first one for each counts.

    Everything behind "Returns", or behind an arrow within a line, is about something else.
    """
    known = [name for name in names if not _is_number(name, text)]
    found: dict[str, Shape] = {}
    waiting: list[str] = []
    for line in _about_arguments(text):
        item = _ITEM.match(line)
        if item or not line.strip():
            waiting = []
        for mention in _mentions(line, known):
            if isinstance(mention, str):
                waiting = [*waiting, mention] if mention not in waiting else waiting
            elif waiting:
                for name in waiting:
                    found.setdefault(name, mention)
                waiting = []
    return found


def _is_number(name: str, text: str) -> bool:
    """Whether a docstring says that an argument is one number or word: `units : int`, `units (int): …`."""
    return bool(re.search(rf"^\W*(?:param\s+)?{re.escape(name)}\W{{1,6}}{_NUMBER}", text, re.MULTILINE | re.IGNORECASE))


def _about_arguments(text: str) -> list[str]:
    lines = []
    for line in text.splitlines():
        end = _END.search(line)
        if end is None:
            lines.append(line)
            continue
        lines.append(line[: end.start()])
        if end[1]:  # a heading: the rest is about what comes out
            break
    return lines


def _mentions(line: str, names: list[str]) -> list[str | Shape]:
    """Arguments and shapes in the order in which a line names them."""
    found: list[tuple[int, str | Shape]] = []
    spans = []
    for group in _GROUP.finditer(line):
        shape = _shape(group[1])
        spans.append(group.span())
        if shape is not None and not _is_index(line, group):
            found.append((group.start(), shape))
    for name in names:
        for mention in re.finditer(rf"(?<![\w.'\"\[]){re.escape(name)}(?![\w'\"\]])(?!\[)", line):
            is_inside = any(start <= mention.start() < end for start, end in spans)
            is_article = name in ("a", "A", "I") and not re.match(r"\s*(:|\(|,|and\b)", line[mention.end() :])
            if not (is_inside or is_article):
                found.append((mention.start(), name))
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]


def _is_index(line: str, group: re.Match[str]) -> bool:
    """`y[i]`, `f(x, y)`: brackets right behind a word."""
    before = line[: group.start()]
    return bool(before) and (before[-1].isalnum() or before[-1] in "_.")


def _shape(inner: str) -> Shape | None:
    """`N, D` → ("N", "D"); None for what is no shape."""
    parts = [part.strip() for part in inner.split(",")]
    if len(parts) == 1 or (len(parts) == 2 and not parts[0]):
        return None
    if not parts[-1]:
        parts.pop()
    if _ANY_RUN.match(",".join(parts[-3:])):  # (N, d_1, ..., d_k)
        parts = [*parts[:-3], ANY]
    dims = [_dim(part) for part in parts]
    return None if None in dims else tuple(dim for dim in dims if dim is not None)


def _dim(text: str) -> str | None:
    found = _DIM.fullmatch(text)
    if found is None:
        return None
    if found["any"]:
        return ANY
    return f"{found['times']}*{found['of']}" if found["times"] else text

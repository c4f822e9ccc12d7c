"""The three pictures of a finding: the error of every element, claimed against numeric, and the curve over the step.

Every number is the report's; what is a colour here is also a word of a legend, and a row of a table.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from gradcheck.model.report import Finding, HeatMap, StepCurve, Worst
from gradcheck.record import dataclass
from gradcheck.reporters.heat_map import RIGHT, SHADES, UNKNOWN, mark_of
from gradcheck.reporters.html import svg
from gradcheck.reporters.numbers import brief, element, grouped, pair, plural, shape_text, subscript

WIDEST = 64  # cells in a line of the map
LINE = 16  # elements of a vector that stand in one line, however long it is
MAP = 320.0  # px: a map is about as wide as the other pictures
LARGEST_CELL, SMALLEST_CELL = 26.0, 3.0
WORST = 10  # elements in the table
PLOT = (320.0, 280.0)
CURVE = (420.0, 280.0)
TINY = 1e-300  # no axis goes beyond it, nor beyond its inverse

# The signs of the text map → class of the cell, words of the legend.
_KINDS = {
    RIGHT: ("right", "right"),
    **{
        mark: (f"e{n}", f"error under {limit:g}" if limit < math.inf else f"error of {SHADES[n - 2][0]:g} or more")
        for n, (limit, mark) in enumerate(SHADES, 1)
    },
    UNKNOWN: ("unknown", "not decided"),
}


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of a legend. kind : class of its sample; is_line : whether that is a line or a square"""

    kind: str
    text: str
    is_line: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    caption: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """svg is markup, everything else text."""

    svg: str
    caption: str
    legend: tuple[Key, ...]
    table: Table | None = None


def figures(finding: Finding) -> Iterator[Figure]:
    """The pictures that the report has numbers for."""
    heat, curve, worst = finding.heat, finding.curve, finding.worst
    if heat is not None and heat.shape:
        yield error_map(finding, heat)
        if heat.claimed:
            plot = claimed_against_numeric(finding, heat)
            if plot is not None:
                yield plot
    if curve is not None and worst is not None and len(curve.steps) > 1 and math.isfinite(worst.numeric):
        yield step_curve(finding, curve, worst)


def error_map(finding: Finding, heat: HeatMap) -> Figure:
    """A square for every element, darker for a larger relative error; the worst is framed.

    Axes before the last two make blocks side by side; a long vector goes on in the next line.
    """
    places, rows, columns = _places(heat.shape)
    size = min(LARGEST_CELL, max(SMALLEST_CELL, MAP / columns, min(12.0, MAP / rows)))
    size = max(1.0, min(size, 1.6 * MAP / columns, 1.6 * MAP / rows))
    members: dict[str, list[tuple[int, int]]] = {mark: [] for mark in _KINDS}
    for place, error, is_wrong in zip(places, heat.errors, heat.wrong, strict=True):
        members[mark_of(error, is_wrong)].append(place)
    parts = [svg.cells(members[mark], size, kind) for mark, (kind, _) in _KINDS.items()]
    name = f"Error of each element of {finding.tensor}, shape {shape_text(heat.shape)}"
    if finding.worst is not None:
        row, column = places[_flat(finding.worst.index, heat.shape)]
        corner = f'x="{svg.number(column * size + 1)}" y="{svg.number(row * size + 1)}"'
        parts.append(f'<rect class="mark" {corner} width="{svg.number(size - 2)}" height="{svg.number(size - 2)}"/>')
        name += f"; the worst is {element(finding.tensor, finding.worst.index)}"
    said = [(kind, words, len(members[mark])) for mark, (kind, words) in _KINDS.items() if members[mark]]
    keys = tuple(Key(kind, f"{words}: {grouped(count)}") for kind, words, count in said)
    drawing = svg.image(columns * size, rows * size, parts, f"{name}. {'; '.join(key.text for key in keys)}.")
    blocks = len(heat.shape) > 2
    caption = "Relative error of each element; the worst is framed."
    caption += f" Blocks of {heat.shape[-2]} × {heat.shape[-1]}, in the order of the axes before." if blocks else ""
    caption += f" A line has {columns} elements." if len(heat.shape) == 1 and rows > 1 else ""
    return Figure(drawing, caption, keys, _worst_elements(finding, heat))


def claimed_against_numeric(finding: Finding, heat: HeatMap) -> Figure | None:
    """A dot for every element: a factor is a line of another slope, a sign a falling one. None without finite pairs."""
    pairs = [
        (numeric, claimed, is_wrong)
        for numeric, claimed, is_wrong in zip(heat.numeric, heat.claimed, heat.wrong, strict=True)
        if math.isfinite(numeric) and math.isfinite(claimed)
    ]
    if not pairs:
        return None
    low = min(min(numeric, claimed) for numeric, claimed, _ in pairs)
    high = max(max(numeric, claimed) for numeric, claimed, _ in pairs)
    room = 0.05 * (high - low) or 0.1 * abs(high) or 1.0
    if not math.isfinite(high - low + 2 * room):
        return None
    low, high = low - room, high + room
    frame = svg.Frame(svg.Axis("numeric", low, high), svg.Axis("claimed", low, high), *PLOT)
    right = [(n, c) for n, c, is_wrong in pairs if not is_wrong]
    wrong = [(n, c) for n, c, is_wrong in pairs if is_wrong]
    parts = [
        *frame.axes(), frame.line([(low, low), (high, high)], "equal"), frame.dots(right, "point"),
        frame.dots(wrong, "wrong"),
    ]  # fmt: skip
    name = f"Claimed against numeric for {plural(len(pairs), 'element')} of {finding.tensor}: {_told(pairs)}."
    keys = [Key("equal", "claimed = numeric", True), Key("wrong", f"wrong: {grouped(len(wrong))}")]
    keys += [Key("point", f"right or not decided: {grouped(len(right))}")] if right else []
    left_out = len(heat.numeric) - len(pairs)
    caption = "Claimed against numeric; right elements lie on the line."
    caption += f" {plural(left_out, 'element')} not finite and not shown." if left_out else ""
    return Figure(svg.image(*PLOT, parts, name), caption, tuple(keys))


def step_curve(finding: Finding, curve: StepCurve, worst: Worst) -> Figure:
    """How far the difference quotient of the worst element is from the numeric value, over the step h, both in decades.

    On the right truncation error falls with the step, on the left rounding grows; the claim's own distance is a line
    that no step comes near.
    """
    errors = [abs(slope - worst.numeric) for slope in curve.slopes]
    distance = abs(worst.claimed - worst.numeric)
    levels = {"bound": worst.bound, "claim": distance}
    shown = {kind: value for kind, value in levels.items() if 0.0 < value < math.inf}
    rounding = [value for value in curve.noise if 0.0 < value < math.inf]
    sizes = [value for value in (*errors, *rounding, *shown.values()) if 0.0 < value < math.inf] or [1.0]
    # What lies far below the least rounding is chance: two roundings that happen to agree.
    low, high = _decades(min(rounding or sizes) / 3.0, 2.0 * max(sizes))
    left, right = _decades(min(curve.steps), max(curve.steps))
    frame = svg.Frame(svg.Axis("step h", left, right, True), svg.Axis("error", low, high, True), *CURVE)
    noise = [(h, frame.y.inside(n)) for h, n in zip(curve.steps, curve.noise, strict=True) if 0.0 < n < math.inf]
    # The quotient that is the numeric value itself is 0 off, which says nothing.
    others = [(h, e) for h, e in zip(curve.steps, errors, strict=True) if h != curve.chosen or e > 0.0]
    known = [(h, frame.y.inside(e)) for h, e in others]
    parts = [*frame.axes(), frame.line(noise, "noise") if noise else ""]
    keys = [Key("curve", "difference quotient − numeric", True)]
    keys += [Key("noise", "what rounding may add", True)] if noise else []
    for kind, words in (("bound", "the bound"), ("claim", "claimed − numeric")):
        if kind in shown:
            level = frame.y.inside(shown[kind])
            parts.append(frame.line([(left, level), (right, level)], kind))
            keys.append(Key(kind, f"{words}: {brief(shown[kind])}", True))
    if left <= curve.chosen <= right:
        parts.append(frame.line([(curve.chosen, low), (curve.chosen, high)], "chosen"))
        keys.append(Key("chosen", f"the step of the numeric value: {brief(curve.chosen)}", True))
    parts += [frame.line(known, "curve"), frame.dots(known, "curve")]
    where = element(finding.tensor, worst.index)
    best = min((error for _, error in others), default=0.0)
    name = (
        f"Error of the difference quotient at {where} over the step: {brief(errors[0])} "
        f"at h = {brief(curve.steps[0])}, {brief(errors[-1])} at h = {brief(curve.steps[-1])}, at best {brief(best)}; "
        f"the claim is {brief(distance)} off."
    )
    rows = tuple(
        (brief(h), f"{slope:.12g}", brief(error), brief(n))
        for h, slope, error, n in zip(curve.steps, curve.slopes, errors, curve.noise, strict=True)
    )
    table = Table(f"Difference quotients at {where}", ("step h", "quotient", "off by", "rounding"), rows)
    caption = f"Error of the difference quotient over the step, at {where}; both scales are logarithmic."
    caption += " What is smaller than the scale stands on its lower edge." if best < low else ""
    return Figure(svg.image(*CURVE, parts, name), caption, tuple(keys), table)


def _places(shape: tuple[int, ...]) -> tuple[list[tuple[int, int]], int, int]:
    """(row, column) of every element in the order of memory, and how many rows and columns that takes."""
    if len(shape) == 1:
        columns = shape[0] if shape[0] <= LINE else min(WIDEST, max(LINE, math.isqrt(2 * shape[0])))
        return [divmod(i, columns) for i in range(shape[0])], -(-shape[0] // columns), columns
    height, width = shape[-2:]
    count = math.prod(shape[:-2])
    beside = min(count, max(1, WIDEST // (width + 1)))
    places = [
        (block // beside * (height + 1) + row, block % beside * (width + 1) + column)
        for block in range(count)
        for row in range(height)
        for column in range(width)
    ]
    return places, -(-count // beside) * (height + 1) - 1, beside * (width + 1) - 1


def _flat(index: Sequence[int], shape: Sequence[int]) -> int:
    flat = 0
    for place, length in zip(index, shape, strict=True):
        flat = flat * length + place
    return flat


def _worst_elements(finding: Finding, heat: HeatMap) -> Table | None:
    if not heat.claimed:
        return None
    keys = [
        (not is_wrong, -math.inf if math.isnan(e) else -e) for e, is_wrong in zip(heat.errors, heat.wrong, strict=True)
    ]
    ranked = sorted(range(len(keys)), key=keys.__getitem__)[:WORST]
    rows = []
    for flat in ranked:
        claimed, numeric = pair(heat.claimed[flat], heat.numeric[flat], heat.errors[flat])
        word = {True: "", False: " right", None: " not decided"}[heat.wrong[flat]]
        rows.append((subscript(_index(flat, heat.shape)), claimed, numeric, f"{brief(heat.errors[flat])}{word}"))
    what = "Elements" if len(keys) <= WORST else f"The {WORST} worst of {grouped(len(keys))} elements"
    return Table(f"{what} of {finding.tensor}", ("index", "claimed", "numeric", "relative error"), tuple(rows))


def _index(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    index: list[int] = []
    for length in reversed(shape):
        flat, place = divmod(flat, length)
        index.insert(0, place)
    return tuple(index)


def _told(pairs: Sequence[tuple[float, float, bool | None]]) -> str:
    wrong = sum(bool(is_wrong) for *_, is_wrong in pairs)
    return f"{grouped(wrong)} off the line on which right ones lie, {grouped(len(pairs) - wrong)} on it or not decided"


def _decades(low: float, high: float) -> tuple[float, float]:
    """Whole powers of ten around two numbers > 0, at least one decade apart, inside of what a float can hold."""
    first, last = (math.log10(min(max(value, TINY), 1.0 / TINY)) for value in (low, high))
    bottom = min(math.floor(first), 299)
    return 10.0**bottom, 10.0 ** max(math.ceil(last), bottom + 1)

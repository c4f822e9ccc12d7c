"""Small drawings as inline SVG: a frame with axes, ticks, lines and dots. Colours are classes of `page.css`.

Made by hand and not by matplotlib: a picture is a few kilobytes, follows the colours of the page in light and in dark,
and is the same on every run. What is drawn is decided in `figures.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from gradcheck.record import dataclass
from gradcheck.reporters.escape import in_html

Points = Sequence[tuple[float, float]]
LEFT, RIGHT, TOP, BOTTOM = 58.0, 12.0, 10.0, 38.0  # room around the frame for ticks and names, in px of the drawing


def image(width: float, height: float, parts: Iterable[str], name: str) -> str:
    """A drawing with its text alternative; it shrinks with the page and is never scrolled."""
    body = "".join(parts)
    return (
        f'<svg role="img" aria-label="{in_html(name)}" viewBox="0 0 {number(width)} {number(height)}" '
        f'width="{number(width)}" height="{number(height)}">{body}</svg>'
    )


@dataclass(frozen=True, slots=True)
class Axis:
    """A stretch of numbers, logarithmic (all > 0) or not, and its name."""

    name: str
    low: float
    high: float
    is_log: bool = False

    def part(self, value: float) -> float:
        """Where a number stands between low (0) and high (1)."""
        low, high, value = (math.log10(v) if self.is_log else v for v in (self.low, self.high, value))
        return (value - low) / (high - low)

    def inside(self, value: float) -> float:
        """The number, or the end that it lies beyond."""
        return min(max(value, self.low), self.high)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Numbers with their texts: whole decades, or both ends and zero."""
        if not self.is_log:
            middle = [0.0] if self.low < 0.0 < self.high and 0.12 < self.part(0.0) < 0.88 else []
            return [(value, f"{value:.3g}") for value in (self.low, *middle, self.high)]
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        stride = max(1, math.ceil((last - first + 1) / most))
        return [(10.0**n, f"1e{n}") for n in range(first, last + 1, stride)]


@dataclass(frozen=True, slots=True)
class Frame:
    """Two axes and the size of the whole drawing."""

    x: Axis
    y: Axis
    width: float
    height: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        across, up = self.x.part(x), self.y.part(y)
        wide, high = self.width - LEFT - RIGHT, self.height - TOP - BOTTOM
        return LEFT + wide * across, TOP + high * (1.0 - up)

    def axes(self) -> Iterable[str]:
        """The frame, a thin line and a number for every tick, and both names."""
        (left, bottom), (right, top) = self.at(self.x.low, self.y.low), self.at(self.x.high, self.y.high)
        for value, text in self.x.ticks(6):
            x, _ = self.at(value, self.y.low)
            yield f'<path class="grid" d="M{number(x)} {number(top)}V{number(bottom)}"/>'
            anchor = "start" if x - left < 8 else "end" if right - x < 8 else "middle"
            yield f'<text x="{number(x)}" y="{number(bottom + 15)}" text-anchor="{anchor}">{text}</text>'
        for value, text in self.y.ticks(7):
            _, y = self.at(self.x.low, value)
            yield f'<path class="grid" d="M{number(left)} {number(y)}H{number(right)}"/>'
            yield f'<text x="{number(left - 6)}" y="{number(y + 4)}" text-anchor="end">{text}</text>'
        around = f"M{number(left)} {number(top)}H{number(right)}V{number(bottom)}H{number(left)}z"
        yield f'<path class="frame" d="{around}"/>'
        middle, centre = (left + right) / 2, (top + bottom) / 2
        yield f'<text class="name" x="{number(middle)}" y="{number(self.height - 6)}" text-anchor="middle">'
        yield f"{in_html(self.x.name)}</text>"
        yield f'<text class="name" text-anchor="middle" transform="translate(13 {number(centre)}) rotate(-90)">'
        yield f"{in_html(self.y.name)}</text>"

    def line(self, points: Points, kind: str) -> str:
        places = [self.at(*point) for point in points]
        return f'<path class="line {kind}" d="M{"L".join(f"{number(x)} {number(y)}" for x, y in places)}"/>'

    def dots(self, points: Points, kind: str) -> str:
        """One path for all: a stroke of no length with round ends is a dot."""
        places = [self.at(*point) for point in points]
        drawn = "".join(f"M{number(x)} {number(y)}h0" for x, y in places)
        return f'<path class="dots {kind}" d="{drawn}"/>' if drawn else ""


def cells(places: Iterable[tuple[int, int]], size: float, kind: str) -> str:
    """Squares of a grid at (row, column), one path for all."""
    side = number(size)
    drawn = "".join(f"M{number(column * size)} {number(row * size)}h{side}v{side}h-{side}z" for row, column in places)
    return f'<path class="cell {kind}" d="{drawn}"/>' if drawn else ""


def number(value: float) -> str:
    """A coordinate to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")

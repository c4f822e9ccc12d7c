"""Numbers and shapes as people read them: as many digits as tell the story, the same on every run.

Formatting only: every measure (relative error, bound, resolution) comes from the report.
"""

from __future__ import annotations

import math

# Two numbers that agree to d digits are told apart by d + 2; 17 digits always tell float64 numbers apart.
_FEWEST, _MOST = 5, 17


def brief(value: float | None) -> str:
    """A size in two digits (`1.1e-06`), `0`, `nan`, `inf` – or `-` where there is none."""
    if value is None:
        return "-"
    return f"{value:.1e}" if math.isfinite(value) and value != 0 else f"{value:g}".replace("-0", "0")


def pair(claimed: float, numeric: float, relative_error: float) -> tuple[str, str]:
    """Both numbers with as many digits as show where they part; five where that is at once, or nowhere."""
    digits = _FEWEST
    if 0 < relative_error < 1:
        digits = min(max(_FEWEST, math.ceil(-math.log10(relative_error)) + 2), _MOST)
    # Zeros at the end are noise in 0.4127, but in 1.00000 beside 1.00001 they say how far the two agree.
    form = f".{digits}g" if digits == _FEWEST else f"#.{digits}g"
    return format(claimed, form), format(numeric, form)


def grouped(number: int) -> str:
    """An integer with commas: 4,812."""
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """`1 case`, `4,812 evaluations`."""
    return f"{grouped(number)} {noun}{'' if number == 1 else 's'}"


def shape_text(shape: tuple[int, ...]) -> str:
    """`(3, 4)`, `(4,)`, `()`."""
    return str(tuple(int(n) for n in shape))


def element(tensor: str, index: tuple[int, ...]) -> str:
    """`W1[0, 2]`; a scalar is its name alone."""
    return tensor + subscript(index)


def subscript(index: tuple[int, ...]) -> str:
    """`[0, 2]`, or nothing for a scalar."""
    return f"[{', '.join(str(int(i)) for i in index)}]" if index else ""

"""What a plain scalar of YAML 1.2 is: nothing, true or false, a number with its digits, or a text.

The core schema (YAML 1.2.2, section 10.3) and nothing else: `no`, `1_000`, `12:30` and `2024-01-01` are texts.
"""

from __future__ import annotations

import re

from gradcheck.record import dataclass

MAX_DIGITS = 400  # characters of one number; a float64 never needs more than 24

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OCTAL_HEX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.([0-9]+)|([0-9]+)(?:\.([0-9]*))?)(?:[eE]([-+]?[0-9]+))?", re.ASCII)
_INFINITE = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
_NAN = frozenset((".nan", ".NaN", ".NAN"))


@dataclass(frozen=True, slots=True)
class Written:
    """A number as written.

    value : int, or the nearest float64
    half_unit : half a unit of the last digit, in the units of the value; 0.0 for an integer: nothing was rounded
    digits : significant digits; 0 for an integer
    """

    value: int | float
    half_unit: float = 0.0
    digits: int = 0


def plain_value(text: str) -> bool | int | float | str | None:
    """The value of a plain scalar; a number of more than `MAX_DIGITS` characters stays a text."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    number = written_number(text)
    return text if number is None else number.value


def written_number(text: str) -> Written | None:
    """The number a plain scalar stands for, with the precision its digits claim; None where it is no number.

    `22.19` → half a unit is 0.005, 4 digits; `1.5e-3` → 5e-5, 2 digits; `100.` → 0.5, 3 digits.
    """
    if not text or text[0] not in "+-.0123456789" or len(text) > MAX_DIGITS:
        return None
    if _INTEGER.fullmatch(text):
        return Written(int(text))
    if _OCTAL_HEX.fullmatch(text):
        return Written(int(text, 0))
    if match := _FLOAT.fullmatch(text):
        return _float(text, match)
    if match := _INFINITE.fullmatch(text):
        return Written(float(f"{match[1]}inf"))
    return Written(float("nan")) if text in _NAN else None


def _float(text: str, match: re.Match[str]) -> Written:
    decimals = match[1] if match[1] is not None else (match[3] or "")
    significant = ((match[2] or "") + decimals).lstrip("0")
    exponent = int(match[4] or 0) - len(decimals)
    # As text, because 10.0**400 overflows where float("5e400") is inf. `0.00` has no leading digit and counts as two.
    return Written(float(text), float(f"5e{exponent - 1}"), len(significant) or max(1, len(decimals)))

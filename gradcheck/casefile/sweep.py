"""One case with lists of sizes and options → every combination and its stress variants, each a case of its own.

What a name stands for in a text is looked up later, by whoever reads the text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

from gradcheck.errors import GradcheckError
from gradcheck.model.case import Case, Variant

MAX_COMBINATIONS = 1_000
SCALES = ("scale=1000", "scale=0.001")  # one word of `vary`, two variants
TOO_MANY = f"the sweep has more than {MAX_COMBINATIONS} combinations"


class SweepError(GradcheckError):
    """A sweep of more combinations than anybody waits for."""


def count(sweep: Mapping[str, tuple[Any, ...]]) -> int:
    """How many combinations the lists have; 1 for none."""
    return math.prod(len(values) for values in sweep.values())


def expand(case: Case) -> tuple[Case, ...]:
    """The cases that a case with a sweep stands for, the last name varying fastest; the case itself where it has none.

    A name becomes an option where `options` has it, or where one of its values is no whole number; else a size.
    A value of the sweep stands in for one under `sizes` or `options`. Names and seeds stay, `swept` lists the names.

    Raises SweepError for more than `MAX_COMBINATIONS`.
    """
    if not case.sweep:
        return (case,)
    if count(case.sweep) > MAX_COMBINATIONS:
        raise SweepError(TOO_MANY, "sweep fewer names at once, or split the case")
    return tuple(_bound(case, values) for values in product(*case.sweep.values()))


def variants(case: Case) -> tuple[Case, ...]:
    """The case itself, then its stress variants in the order of `vary`; `casefile.vary` says what each one changes."""
    names = dict.fromkeys(name for word in case.vary for name in (SCALES if word == "scale" else (word,)))
    return (case, *(replace(case, variant=Variant(name)) for name in names))


def is_size(case: Case, name: str) -> bool:
    """Whether the sweep binds a name as a size."""
    values = case.sweep[name]
    return name not in case.options and all(isinstance(v, int) and not isinstance(v, bool) for v in values)


def _bound(case: Case, values: tuple[Any, ...]) -> Case:
    bound = dict(zip(case.sweep, values, strict=True))
    sizes = {name: value for name, value in bound.items() if is_size(case, name)}
    options = {name: value for name, value in bound.items() if name not in sizes}
    return replace(
        case,
        sizes={**case.sizes, **sizes},
        options={**case.options, **options},
        sweep={},
        swept=tuple(case.sweep),
    )

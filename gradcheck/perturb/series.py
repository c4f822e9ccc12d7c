"""Series: a short change passes a smooth op by its power series around every element, by products and sums alone.

The coefficients belong to the elements, so all probes share them; an exponential would be taken for each. So many terms
are summed as can be seen in float64: the change is as exact as by any other rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, frexp, ldexp, log

import numpy as np

from gradcheck.perturb.move import Move, Parts
from gradcheck.perturb.site import Site
from gradcheck.perturb.window import Array, is_table, pick

UNSEEN = 2.0**-54  # of 1
LEAST_TERMS = 3
SHARED = 4  # probes per element; with fewer the coefficients cost more than they save


def terms_of(size: float) -> float:
    """How many terms show beside the first, where all behind term n are less than 2·size^n of it; ∞ for too many."""
    if size == 0.0:
        return LEAST_TERMS
    return max(LEAST_TERMS, ceil(log(UNSEEN / 2.0) / log(size))) if size < 0.3 else float("inf")


def polynomial(coefficients: Sequence[Array], x: Array) -> Array:
    """Σ_k coefficients[k]·x^(k+1), in place: a pass over memory costs as much as the product."""
    *lower, last = coefficients
    total = np.asarray(last * x)
    for coefficient in reversed(lower):
        total += coefficient
        total *= x
    return total


def parts_of(coefficients: Sequence[Array], d: Array) -> tuple[Array, Array]:
    """The same sum in its odd and its even part."""
    square = d * d
    odd, even = polynomial(coefficients[2::2], square), polynomial(coefficients[1::2], square)
    odd += coefficients[0]
    odd *= d
    return odd, even


def by_series(site: Site, move: Move) -> Move | Parts | None:
    """The move of the value of an op of one argument; None where `coefficients` has none."""
    found = coefficients(site, move)
    if found is None:
        return None
    if not move.odd:
        return Move(move.window, polynomial(found, move.full), odd=False)
    odd, even = parts_of(found, move.full)
    return Parts(Move(move.window, odd), Move(move.window, even), site.value.shape)


def coefficients(site: Site, move: Move) -> list[Array] | None:
    """Those of the op's series inside the move's window; None if it has none, or if a rule for each probe is faster."""
    window, series = move.window, site.op.series
    if series is None or move.probes < SHARED or any(map(is_table, window)):
        return None
    exponent, x = frexp(_largest(move))[1], pick(site.arguments[0], window)
    found: list[Array] | None = site.latest(
        "series", (exponent, *window), lambda: series(x, ldexp(1.0, exponent), **site.options)
    )
    return found


def _largest(move: Move) -> float:
    """No |change| is larger."""
    size = max_size(move.data)
    return size if move.directions is None else size * float(np.abs(move.directions).sum(axis=-1).max(initial=0.0))


def max_size(x: Array) -> float:
    """The largest |x|."""
    return float(max(np.maximum.reduce(x, axis=None, initial=0.0), -np.minimum.reduce(x, axis=None, initial=0.0)))

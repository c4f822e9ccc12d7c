"""Ranked changes: an op's own rule takes a change along a few directions of the last axis to one along a few."""

from __future__ import annotations

from gradcheck.perturb.move import Move
from gradcheck.perturb.site import Site
from gradcheck.perturb.window import Array, Window, is_table, pick

LOW = 3  # a rank up to a third of the axis is low


def along_few_directions(site: Site, move: Move, w: Array, window: Window) -> Move | None:
    """Both signs of the change w @ move.data, by the op's rule for that; None without one, or with too many directions.

    window : of the value; its last axis is whole
    """
    rule, n = site.op.ranked, site.value.shape[-1]
    if rule is None or w.shape[-1] > n // LOW or any(map(is_table, window)):
        return None
    found = site.latest("directions", (w, *window), lambda: rule(w, pick(site.arguments[0], window), **site.options))
    if found is None or found[0].shape[-1] >= n:
        return None
    directions, numbers = found
    coefficients = numbers(move.both().data)
    return None if coefficients is None else Move(window, coefficients, False, directions)

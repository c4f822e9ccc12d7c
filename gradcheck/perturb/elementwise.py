"""Elementwise ops: output i sees element i of every argument, so the window of the output is that of the arguments.

What an op computes is its own rule's; here it is decided in which window, on which signs, and whether directions last.
"""

from __future__ import annotations

import numpy as np

from gradcheck.perturb.move import Move, Parts
from gradcheck.perturb.piecewise import piecewise
from gradcheck.perturb.probes import Probes
from gradcheck.perturb.ranked import along_few_directions
from gradcheck.perturb.series import by_series
from gradcheck.perturb.site import Site
from gradcheck.perturb.telescoping import Moves, aligned, inside, spread, telescoped, whole
from gradcheck.perturb.window import doubled, pick


def elementwise(site: Site, moves: Moves, probes: Probes) -> Move | Parts | None:
    """The move of an elementwise op's value, from those of its arguments (None: it stands still)."""
    moved = [position for position, move in enumerate(moves) if move is not None]
    if site.op.kink is not None:
        return piecewise(site, aligned(site, moves), moved, probes)
    probes.by_delta &= site.has_rules(moved)
    if site.is_linear_in(moved):
        if len(moved) == 1 and (kept := _kept_directions(site, moved[0], moves[moved[0]])) is not None:
            return kept
        if all(move is None or move.odd for move in moves):
            return Move(*telescoped(site, aligned(site, moves), moved))
    elif len(moved) == 1 and (passed := _alone(site, moved[0], moves)) is not None:
        return passed
    return Move(*telescoped(site, [m and m.both() for m in aligned(site, moves)], moved), odd=False)


def _kept_directions(site: Site, position: int, move: Move | None) -> Move | None:
    """A linear op applied to the directions, or to the coefficients, where that says the same; else None."""
    assert move is not None
    argument = site.arguments[position]
    w, rule = move.directions, site.op.delta(position)
    if w is None or argument.shape != site.value.shape or rule is None:
        return None
    others = [a for i, a in enumerate(site.arguments) if i != position]
    if site.looks_at_nothing:
        return Move(move.window, move.data, move.odd, rule(w, None, *site.arguments, **site.options))
    if all(a.size == 1 or a.size == a.shape[-1] for a in others):  # they vary along the last axis alone
        flat = [a.reshape(-1, 1) if i != position else a for i, a in enumerate(site.arguments)]
        turned = site.latest("directions", (w,), lambda: rule(w, None, *flat, **site.options))
        return Move(move.window, move.data, move.odd, turned)
    if all(a.ndim and a.shape[-1] == 1 for a in others):  # they do not vary along it
        seen = [a if i == position else inside(a, argument.shape, move.window) for i, a in enumerate(site.arguments)]
        return Move(move.window, rule(move.data, None, *seen, **site.options), move.odd, w)
    return None


def _alone(site: Site, position: int, moves: Moves) -> Move | Parts | None:
    """Ways that are open to a nonlinear op of which one argument moves, the cheapest first; None for none."""
    move = moves[position]
    assert move is not None
    if len(site.arguments) == 1 and move.directions is not None:
        ranked = along_few_directions(site, move, move.directions, move.window)
        if ranked is not None:
            return ranked
    return by_series(site, move) or _by_twins(site, position, moves)


def _by_twins(site: Site, position: int, moves: Moves) -> Move | None:
    """Both signs from one pass, for an op that has a rule for that and a move that is still its own mirror image."""
    rule, move = site.op.twin(position), moves[position]
    assert move is not None
    if rule is None or not move.odd:
        return None
    (only,) = (m for m in aligned(site, moves) if m is not None)
    window, shape = only.window, site.value.shape
    d = spread(only, window, site, site.arguments[position])
    pair = rule(d, pick(site.value, window), *(inside(a, shape, window) for a in site.arguments), **site.options)
    data = np.concatenate([whole(part, window, shape, move.probes) for part in pair], axis=-1)
    return Move(doubled(window), data, odd=False)

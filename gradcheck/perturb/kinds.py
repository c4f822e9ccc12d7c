"""Kinds: the few ways in which a change passes through an op; which one is said beside each op.

An op of an unknown kind, unless it states its changes itself, is evaluated once for every probe: slow, and the oracle
of all the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck.perturb.along_axes import along_axes
from gradcheck.perturb.contraction import contraction, is_product_of_matrices
from gradcheck.perturb.elementwise import elementwise
from gradcheck.perturb.layout import layout
from gradcheck.perturb.move import Move, Parts, summed
from gradcheck.perturb.probes import Probes
from gradcheck.perturb.site import Site
from gradcheck.perturb.telescoping import one_after_another
from gradcheck.perturb.tiles import Tiled, begun, onward, written
from gradcheck.perturb.window import Array


def propagate(site: Site, moves: Sequence[Move | Parts | Tiled | None], probes: Probes) -> Move | Parts | Tiled | None:
    """The move of an op's value, exact for steps of any size.

    moves : per argument, None where it stands still; not all None
    probes : is told which probes crossed a switch

    Returns: None where nothing moves.
    """
    if not site.value.size:
        return None
    sorts = set(map(type, moves))
    if Parts in sorts and _keeps_parts(site, moves):
        return _part_by_part(site, moves, probes)
    if Tiled in sorts:
        arrived = onward(site, [move.both() if isinstance(move, Parts) else move for move in moves], probes)
        if arrived is not None:
            return arrived
    whole = [written(move, probes) for move in moves]
    return begun(site, whole, probes) or _by_kind(site, whole, probes)


def _keeps_parts(site: Site, moves: Sequence[Move | Parts | Tiled | None]) -> bool:
    """Whether the op is linear in what moves, and none of that has both signs written out."""
    moved = [position for position, move in enumerate(moves) if move is not None]
    is_apart = all(move is None or isinstance(move, Parts) or (isinstance(move, Move) and move.odd) for move in moves)
    return is_apart and site.op.kink is None and site.is_linear_in(moved) and site.has_rules(moved)


def _part_by_part(site: Site, moves: Sequence[Any], probes: Probes) -> Move | Parts | None:
    odd = _by_kind(site, [move.odd if isinstance(move, Parts) else move for move in moves], probes)
    even = _by_kind(site, [move.even if isinstance(move, Parts) else None for move in moves], probes)
    if isinstance(odd, Move) and isinstance(even, Move):
        return Parts(odd, even, site.value.shape)
    return odd


def _by_kind(site: Site, moves: Sequence[Move | None], probes: Probes) -> Move | Parts | None:
    moved = [position for position, move in enumerate(moves) if move is not None]
    kind = site.op.kind
    if kind == "elementwise":
        return elementwise(site, moves, probes)
    if kind == "layout" and site.is_linear_in(moved):
        parts = [layout(site, position, move, probes) for position, move in enumerate(moves) if move is not None]
        arrived = [part for part in parts if part is not None]
        return summed(arrived, site.value.shape) if arrived else None
    if kind == "contraction" and is_product_of_matrices(site):
        return contraction(site, *moves)
    first = moves[0]
    if kind == "along_axes" and moved == [0] and first is not None:
        return along_axes(site, first, probes)
    if site.op.kink is None and site.has_rules(moved):
        return all_at_once(site, moves, moved, probes)
    return one_by_one(site, moves, probes)


def all_at_once(site: Site, moves: Sequence[Move | None], moved: Sequence[int], probes: Probes) -> Move:
    """Whole arguments under all probes, by the op's own rules: for products and sums whose windows nobody follows."""
    odd = site.is_linear_in(moved) and all(move is None or move.odd for move in moves)
    changes = _opened(site, moves if odd else [move and move.both() for move in moves], probes)
    arguments = [argument[..., None] for argument in site.arguments]
    change, _ = one_after_another(site, changes, arguments, site.value[..., None])
    return Move((None,) * site.value.ndim, change, odd)


def _opened(site: Site, moves: Sequence[Move | None], probes: Probes) -> dict[int, Array]:
    """The changes of the moved arguments, everywhere."""
    changes = {}
    for position, (argument, move) in enumerate(zip(site.arguments, moves, strict=True)):
        if move is not None:
            changes[position] = move.seen_through((None,) * argument.ndim, argument.shape)
            probes.count_opened(changes[position])
    return changes


def one_by_one(site: Site, moves: Sequence[Move | None], probes: Probes) -> Move:
    """One forward for every probe, on whole arguments."""
    probes.by_delta = probes.by_kind = False
    changes = _opened(site, [move and move.both() for move in moves], probes)
    count = max(d.shape[-1] for d in changes.values())
    data = np.empty((*site.value.shape, count))
    kink = site.op.kink
    crossed = np.zeros(count, bool)
    for k in range(count):
        arguments = [a + changes[i][..., k] if i in changes else a for i, a in enumerate(site.arguments)]
        data[..., k] = site.forward(*arguments) - site.value
        if kink is not None:
            crossed[k] = bool((kink.branch(*arguments, **site.options) != site.branch).any())
    probes.cross(crossed)
    return Move((None,) * site.value.ndim, data, odd=False)

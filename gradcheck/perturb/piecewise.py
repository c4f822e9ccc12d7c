"""Piecewise ops: between its switches such an op is linear, and how far away the next switch is, is known beforehand.

Where no probe reaches a switch, one multiplication serves and both signs stay twins; rows of slope zero leave the
window. The few places that a probe takes to a switch get the exact rule, and the probes that crossed are remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.perturb.move import Move
from gradcheck.perturb.probes import Probes
from gradcheck.perturb.series import max_size
from gradcheck.perturb.site import Site
from gradcheck.perturb.telescoping import common_window, inside, one_after_another, spread, whole
from gradcheck.perturb.window import Array, Window, is_table, lengths, pick, places, simplest

CROWDED = 0.9  # rows are left out where at most this share of them can move: picking the others is a copy, too


def piecewise(site: Site, moves: Sequence[Move | None], moved: Sequence[int], probes: Probes) -> Move | None:
    """The move of an elementwise op that switches; the moves of its arguments are aligned."""
    kink, shape = site.op.kink, site.value.shape
    assert kink is not None
    odd = not kink.curved and all(move is None or move.odd for move in moves)
    if not odd:
        moves = [move and move.both() for move in moves]
    window = common_window(moves)
    has_tables = any(is_table(entry) for entry in window)
    changes = {p: spread(m, window, site, site.arguments[p]) for p in moved if (m := moves[p]) is not None}
    near = may_switch(list(changes.values()), pick(site.margin, window), has_tables)
    if kink.curved:
        data = _exact(site, changes, window, ..., bool(near.any()), probes)
        return Move(window, whole(data, window, shape, probes.count * 2), odd=False)
    slopes = {p: pick(site.slope(p, shape), window) for p in moved}
    if not probes.is_trial:
        lively = near
        for slope in slopes.values():
            lively = lively | (slope != 0.0)
        if not lively.any():
            return None
        if not has_tables:
            arrays = [near, *slopes.values(), *changes.values()]
            window, (near, *rest) = _without_rest(window, shape, lively, arrays)
            slopes = dict(zip(moved, rest, strict=False))
            changes = dict(zip(moved, rest[len(moved) :], strict=True))
    first, *others = (changes[p] if (slopes[p] == 1.0).all() else slopes[p] * changes[p] for p in moved)
    total = whole(sum(others, first), window, shape, probes.count * (1 if odd else 2))
    if not near.any():
        return Move(window, total, odd)
    both = Move(window, total, odd).both()
    data, changes = np.array(both.data), {p: np.concatenate([d, -d], -1) if odd else d for p, d in changes.items()}
    here = np.nonzero(np.broadcast_to(near, (*lengths(window, shape), near.shape[-1])).any(axis=-1)) if shape else ()
    data[here] = _exact(site, changes, both.window, here, True, probes)
    return Move(both.window, data, odd=False)


def may_switch(changes: Sequence[Array], margin: Array, each: bool) -> NDArray[np.bool_]:
    """Where a probe comes as far as the next switch: a mask of the margin's shape, which ends with the probe axis.

    changes : of the arguments; they broadcast with the margin
    each : every probe has places of its own; else the farthest probe speaks for all, and the last axis has length 1
    """
    # What moves farthest anywhere leaves only a few places to be looked at one by one.
    near = ~(max(max_size(d) for d in changes) < margin)
    if near.any():
        places = np.nonzero(near.any(axis=-1)) if near.ndim > 1 else ()
        seen = (np.abs(np.broadcast_to(d, (*near.shape[:-1], d.shape[-1]))[places]) for d in changes)
        reaches = [size if each else size.max(axis=-1, keepdims=True) for size in seen]
        near[places] = ~(_largest(reaches) < margin[places])
    return near


def _exact(
    site: Site, changes: Mapping[int, Array], window: Window, here: Any, can_cross: bool, probes: Probes
) -> Array:
    """The change by the op's own rule at some places of a window; probes that cross a switch there are noted."""
    shape, kink = site.value.shape, site.op.kink
    assert kink is not None
    full = lengths(window, shape)
    probes.by_delta &= site.has_rules(changes)

    def at(array: Array) -> Array:
        result: Array = array if here is ... else np.broadcast_to(array, (*full, array.shape[-1]))[here]
        return result

    arguments = [at(inside(argument, shape, window)) for argument in site.arguments]
    change, arrived = one_after_another(
        site, {p: at(d) for p, d in changes.items()}, arguments, at(pick(site.value, window))
    )
    if can_cross:
        switched = kink.branch(*arrived, **site.options) != at(pick(site.branch, window))
        probes.cross(np.broadcast_to(switched, change.shape).reshape(-1, change.shape[-1]).any(axis=0))
    return change


def _largest(reaches: list[Array]) -> Array:
    first, *rest = reaches
    for other in rest:
        first = np.maximum(first, other)
    return first


def _without_rest(
    window: Window, shape: tuple[int, ...], lively: Array, arrays: list[Array]
) -> tuple[Window, list[Array]]:
    """The window without the places of one axis, the best for it, that cannot move; the arrays inside it cut alike."""
    best, axis, keep = CROWDED, -1, lively
    long = [a for a, n in enumerate(lively.shape[:-1]) if n > 1]  # along others all places are alike
    for a in long:
        alive = np.asarray(lively.any(axis=tuple(b for b in range(lively.ndim) if b != a)))
        share = np.count_nonzero(alive) / alive.size
        if share < best:
            best, axis, keep = share, a, alive
    if axis < 0:
        return window, arrays
    chosen = np.flatnonzero(keep)
    entry = simplest(places(window[axis], shape[axis])[chosen], shape[axis])
    cut = [a.take(chosen, axis=axis) if a.shape[axis] == keep.size else a for a in arrays]
    return (*window[:axis], entry, *window[axis + 1 :]), cut

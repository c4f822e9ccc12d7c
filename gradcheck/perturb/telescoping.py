"""Telescoping: several moved arguments of an elementwise op are taken one after the other, each by its own exact rule.

f(a + da, b + db) − f(a, b) = [f(a + da, b) − f(a, b)] + [f(a + da, b + db) − f(a + da, b)]: no term is lost, and no op
needs a rule for moves that meet. Here, too, moves of unequal shapes are brought into one window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradcheck.perturb.move import Move, hull_of
from gradcheck.perturb.probes import AnyMove
from gradcheck.perturb.site import Site
from gradcheck.perturb.window import Array, Window, lengths, pick

Moves = Sequence[Move | None]


def aligned(site: Site, moves: Moves) -> list[Move | None]:
    """The moves without directions, their windows and data as those of an argument with the output's rank."""
    rank = site.value.ndim
    result: list[Move | None] = []
    for argument, move in zip(site.arguments, moves, strict=True):
        if move is None:
            result.append(None)
            continue
        if argument.shape == site.value.shape:
            result.append(move.plain())
            continue
        missing = rank - argument.ndim
        stretched = [missing + a for a, size in enumerate(argument.shape) if size != site.value.shape[missing + a]]
        entries = [None] * missing + list(move.window)
        for axis in stretched:
            entries[axis] = None
        data = move.full
        data = data.reshape((1,) * missing + data.shape)
        result.append(Move(tuple(entries), data, move.odd))
    return result


def common_window(moves: Sequence[AnyMove | None]) -> Window:
    """The window that holds those of all moved arguments."""
    return hull_of([move for move in moves if move is not None])


def inside(argument: Array, shape: tuple[int, ...], window: Window) -> Array:
    """An argument that broadcasts to `shape`, seen in a window of that shape."""
    if argument.shape == shape:
        return pick(argument, window)
    own = window[len(shape) - argument.ndim :]
    full = shape[len(shape) - argument.ndim :]
    entries = tuple(None if a != n else e for e, a, n in zip(own, argument.shape, full, strict=True))
    return pick(argument, entries)


def spread(move: Move, window: Window, site: Site, argument: Array) -> Array:
    """The change of an argument seen in the common window; length 1 along axes where the argument is repeated."""
    if argument.shape == site.value.shape:
        return move.seen_through(window, argument.shape)
    shape = (1,) * (site.value.ndim - argument.ndim) + argument.shape
    own = tuple(None if a != n else e for e, a, n in zip(window, shape, site.value.shape, strict=True))
    return move.seen_through(own, shape)


def telescoped(site: Site, moves: Moves, moved: Sequence[int]) -> tuple[Window, Array]:
    """The window of the output, and its change.

    moves : aligned, all odd or none. Where the op looks at nothing, the arguments are not read at all
    """
    window, shape = common_window(moves), site.value.shape
    reads = not site.looks_at_nothing
    arguments = [inside(a, shape, window) for a in site.arguments] if reads else site.arguments
    y = pick(site.value, window) if reads else site.value
    changes = {p: spread(m, window, site, site.arguments[p]) for p in moved if (m := moves[p]) is not None}
    count = max(move.probes for move in moves if move is not None)
    return window, whole(one_after_another(site, changes, arguments, y)[0], window, shape, count)


def one_after_another(
    site: Site, changes: Mapping[int, Array], arguments: Sequence[Array], y: Array
) -> tuple[Array, list[Array]]:
    """The change of the value when several arguments change, and the arguments after that (as given, if not read)."""
    arguments = list(arguments)
    together = site.is_linear_in(list(changes)) and site.op.additive
    total: Array | None = None
    for position, d in changes.items():
        change = site.change(position, d, y, arguments)
        total = change if total is None else total + change
        if not together and (len(changes) > 1 or site.op.kink is not None):
            arguments[position] = arguments[position] + d
            y = y + change
    assert total is not None
    return total, arguments


def whole(change: Array, window: Window, shape: tuple[int, ...], probes: int) -> Array:
    """A change that rules left smaller where it is the same along an axis, as long as its window; not to be written."""
    full = (*lengths(window, shape), probes)
    return change if change.shape == full else np.broadcast_to(change, full)

"""Tiles: a large change is worked out some rows at a time, from op to op, until a sum takes it in.

A row is one place on all axes but the last. Ops that look at no two rows at once pass on a recipe, not an array: what
they work on stays in the cache of a core, and a pass may carry more probes. For any other op the whole is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import overload

import numpy as np

from gradcheck.perturb.along_axes import listed_axes, result_along
from gradcheck.perturb.move import Move, Parts, multiplied_out
from gradcheck.perturb.probes import Probes
from gradcheck.perturb.ranked import LOW
from gradcheck.perturb.series import coefficients, polynomial
from gradcheck.perturb.site import Site
from gradcheck.perturb.telescoping import common_window, inside, one_after_another
from gradcheck.perturb.window import Array, Shape, Window, framed, is_table, lengths, pick, same
from gradcheck.record import dataclass

TILE = 1 << 15  # numbers of a tile: a core's own cache holds a few arrays of them
SHARE = 16  # tiles in the largest array of a pass
LARGE = 1 << 12  # numbers of a change, for every probe, from which on it is worth the calls


@dataclass(frozen=True, slots=True, eq=False)
class Tiled:
    """What moves of one value, by its rows; both signs, the positive steps first.

    window : where, as of a Move; no entry is a table
    shape : of the window
    columns : twice the number of probes
    width : numbers in the widest row, for one column, of all that the recipe works on
    recipe : gives the change in some rows, shape (rows, n, columns), all leading axes being one
    """

    window: Window
    shape: Shape
    columns: int
    width: int
    recipe: Callable[[slice], Array]

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return prod(self.shape) * self.columns

    @property
    def held(self) -> int:
        """How large an array this is worth: so many probes may share a pass that a tile has a row of each, no more."""
        return min(prod(self.shape[:-1]), SHARE) * self.width * self.columns

    def tiles(self) -> Iterator[tuple[slice, Array]]:
        """The change, tile by tile."""
        count = prod(self.shape[:-1])
        height = max(1, TILE // (self.width * self.columns))
        for start in range(0, count, height):
            rows = slice(start, min(start + height, count))
            yield rows, self.recipe(rows)


@overload
def written(move: Move | Parts | Tiled, probes: Probes) -> Move: ...
@overload
def written(move: None, probes: Probes) -> None: ...
def written(move: Move | Parts | Tiled | None, probes: Probes) -> Move | None:
    """A move as one that holds all of its change."""
    if isinstance(move, Parts):
        return move.both()
    if not isinstance(move, Tiled):
        return move
    data = np.empty((prod(move.shape[:-1]), move.shape[-1], move.columns))
    for rows, tile in move.tiles():
        data[rows] = tile
    probes.count_opened(data)
    return Move(move.window, data.reshape(*move.shape, move.columns), odd=False)


def begun(site: Site, moves: Sequence[Move | None], probes: Probes) -> Tiled | None:
    """The move of an op that takes a large change by its series, or that has no rule, so that two of its values are
    subtracted; None for others, and for a small change."""
    move, op = moves[0], site.op
    if op.kind != "elementwise" or len(moves) > 1 or move is None or op.kink is not None:
        return None
    if op.delta(0) is not None and op.series is None:
        return None
    window, shape = move.window, lengths(move.window, site.value.shape)
    if len(shape) < 2 or prod(shape) < LARGE or any(map(is_table, window)):
        return None
    both = move.both()
    return Tiled(window, shape, both.probes, shape[-1], _recipe(site, both, shape, probes))


def _recipe(site: Site, move: Move, shape: Shape, probes: Probes) -> Callable[[slice], Array]:
    """Gives the change of the value in some rows."""
    window, found = move.window, coefficients(site, move)
    x, y = (_as_rows(pick(a, window), shape) for a in (site.arguments[0], site.value))
    if found is None and site.op.delta(0) is None:
        probes.by_delta = False
        moved = _moved(site, move, x, shape, probes)
        return lambda rows: site.forward(moved(rows)) - y[rows]
    if move.directions is None:
        change = _by_rows(move, window, site.value.shape, probes)
    else:
        change = _by_rows_of_probes(_for_each_row(move.directions, shape), _for_each_row(move.data, shape))
    if found is None:
        return lambda rows: site.change(0, change(rows), y[rows], [x[rows]])
    listed = [_as_rows(coefficient, shape) for coefficient in found]
    return lambda rows: polynomial([coefficient[rows] for coefficient in listed], change(rows))


def _moved(site: Site, move: Move, x: Array, shape: Shape, probes: Probes) -> Callable[[slice], Array]:
    """Gives x + d in some rows. Along few directions x is one more of them, with the number 1: a single product."""
    w = move.directions
    if w is None or w.shape[-1] > shape[-1] // LOW:
        change = _by_rows(move, move.window, site.value.shape, probes)
        return lambda rows: x[rows] + change(rows)
    together = site.latest(
        "with the argument", (w, *move.window), lambda: np.concatenate([_for_each_row(w, shape), x], axis=-1)
    )
    rank, columns = move.data.shape[-2:]
    numbers = np.ones((x.shape[0], rank + 1, columns))
    numbers[:, :-1] = _for_each_row(move.data, shape)
    return _by_rows_of_probes(together, numbers)


def _by_rows_of_probes(directions: Array, numbers: Array) -> Callable[[slice], Array]:
    """Gives directions @ numbers in some rows, in memory one probe after the other: so what belongs to the elements is
    read in order."""
    numbers, directions = numbers.swapaxes(-1, -2), directions.swapaxes(-1, -2)
    return lambda rows: np.matmul(numbers[rows], directions[rows]).swapaxes(-1, -2)


def onward(site: Site, moves: Sequence[Move | Tiled | None], probes: Probes) -> Move | Tiled | None:
    """The move of an op's value where a tiled one arrives; None where its kind needs the whole of it."""
    op = site.op
    if op.kind == "elementwise" and op.kink is None:
        return _through_elementwise(site, moves, probes)
    first, *others = moves
    if not isinstance(first, Tiled) or any(move is not None for move in others):
        return None
    if op.kind == "contraction" and op.forward is np.matmul:
        return _through_product(site, first)
    if op.kind == "along_axes":
        return _taken_in(site, first)
    return None


def _through_elementwise(site: Site, moves: Sequence[Move | Tiled | None], probes: Probes) -> Tiled | None:
    shape = site.value.shape
    given = {position: move for position, move in enumerate(moves) if move is not None}
    if any(site.arguments[position].shape != shape for position in given):
        return None
    window = common_window(moves)
    if any(is_table(entry) for move in given.values() for entry in move.window):
        return None
    probes.by_delta &= site.has_rules(given)
    size = lengths(window, shape)
    changes = {position: _by_rows(move, window, shape, probes) for position, move in given.items()}
    tiled = [move for move in given.values() if isinstance(move, Tiled)]
    columns, width = tiled[0].columns, max(size[-1], *(move.width for move in tiled))
    if site.looks_at_nothing:

        def recipe(rows: slice) -> Array:
            here = {position: change(rows) for position, change in changes.items()}
            return one_after_another(site, here, site.arguments, site.value)[0]

    else:
        standing = [_as_rows(inside(a, shape, window), size) for a in (*site.arguments, site.value)]

        def recipe(rows: slice) -> Array:
            here = {position: change(rows) for position, change in changes.items()}
            *arguments, value = (a[rows] for a in standing)
            return one_after_another(site, here, arguments, value)[0]

    return Tiled(window, size, columns, width, recipe)


def _through_product(site: Site, move: Tiled) -> Tiled | None:
    """da @ b, where b is a single matrix."""
    a, b = site.arguments
    if a.ndim < 2 or b.ndim != 2:
        return None
    *leading, entry = move.window
    turned = site.latest("turned", (entry,), lambda: np.ascontiguousarray(pick(b, (entry, None))[..., 0].T))
    shape, recipe = (*move.shape[:-1], b.shape[-1]), move.recipe
    width = max(move.width, b.shape[-1])
    return Tiled((*leading, None), shape, move.columns, width, lambda rows: np.matmul(turned, recipe(rows)))


def _taken_in(site: Site, move: Tiled) -> Move | None:
    """A sum over all rows, tile by tile."""
    axes, rule = listed_axes(site), site.op.delta(0)
    rank, is_reduction = len(move.shape), "keepdims" in site.options
    if not (is_reduction and site.is_linear_in([0])) or rule is None or not set(range(rank - 1)).issubset(axes):
        return None
    total, x = None, site.arguments[0][..., None]
    for _, tile in move.tiles():
        part = rule(tile.reshape((1,) * (rank - 2) + tile.shape), None, x, **site.options)
        total = part if total is None else total + part
    assert total is not None
    return result_along(site, total, move.window, axes, odd=False)


def _by_rows(move: Move | Tiled, window: Window, shape: Shape, probes: Probes) -> Callable[[slice], Array]:
    """Gives a change, seen through a wider window, in some rows."""
    if isinstance(move, Tiled):
        own, size, change = move.window, move.shape, move.recipe
    else:
        both, own = move.both(), move.window
        size = lengths(own, shape)
        w = move.directions
        if w is None:
            data = _as_rows(both.data, size)
            change = data.__getitem__
        else:
            directions, numbers = _for_each_row(w, size), _for_each_row(both.data, size)

            def change(rows: slice) -> Array:
                return multiplied_out(directions[rows], numbers[rows])

    if all(map(same, own, window)):
        return change
    *leading, last = own
    if all(map(same, leading, window)):
        return lambda rows: _widened(change(rows), last, window[-1], shape[-1])
    whole = framed(_whole(change, size), own, window, shape)
    probes.count_opened(whole)
    return _as_rows(whole, lengths(window, shape)).__getitem__


def _widened(tile: Array, entry: object, wide: object, n: int) -> Array:
    return framed(tile, (None, entry), (None, wide), (tile.shape[0], n))


def _whole(change: Callable[[slice], Array], size: Shape) -> Array:
    everything = change(slice(None))
    return everything.reshape(*size, everything.shape[-1])


def _for_each_row(array: Array, shape: Shape) -> Array:
    """Directions, or the numbers of directions, for every row its own: (rows, n, r), or (rows, r, K)."""
    return np.broadcast_to(array, (*shape[:-1], *array.shape[-2:])).reshape(-1, *array.shape[-2:])


def _as_rows(array: Array, shape: Shape) -> Array:
    """A picked array with one axis in the place of all but the last, then the probes."""
    full = np.broadcast_to(array, (*shape, array.shape[-1]))
    return full.reshape(prod(shape[:-1]), shape[-1], array.shape[-1])
